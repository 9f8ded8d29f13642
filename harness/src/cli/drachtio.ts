import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { EXIT, refuseOperands, UsageError } from '@hopback/sdk/internal/cli';
import type { Options } from '@hopback/sdk/internal/cli';
import { DrachtioServer } from '../drachtio/index.js';
import type { DrachtioServerOptions, ListenAddress, TappedMessage, TransportName } from '../drachtio/index.js';
import { readSipText } from '../report/sip-text.js';
import { signalled } from './harness-io.js';
import type { HarnessCommand, HarnessIo } from './harness-io.js';
import { unusable } from './run-settings.js';

const OPTIONS = {
  sip: { value: 'LIST', text: 'transports and ports, default udp,tcp:5060; udp,tcp,ws:5060 has all three at one port' },
  admin: { value: 'PORT', text: 'where applications connect, default 9022' },
  secret: { value: 'WORD', text: 'what applications authenticate with, default cymru' },
  host: { value: 'ADDRESS', text: 'where to listen for SIP, default 127.0.0.1' },
  'admin-host': { value: 'ADDRESS', text: 'where to listen for applications, default 127.0.0.1' },
  advertise: {
    value: 'HOST',
    text: 'host in Via and Contact; without it, --host, or for 0.0.0.0 and :: the address that routes to the peer',
  },
  cdrs: { text: 'write call detail records to applications that ask for them' },
  'max-header': {
    value: 'OCTETS',
    text: 'longest header field, default 8192; a request with a longer one gets 400',
  },
  mtu: { value: 'OCTETS', text: 'send larger requests by TCP in place of UDP; default: never' },
  'tls-key': { value: 'FILE', text: 'key (PEM) for tls and wss' },
  'tls-cert': { value: 'FILE', text: 'its certificate (PEM)' },
  trace: { text: 'print a line for every message: time, direction, peer, method or status, Call-ID' },
  json: { text: 'print JSON lines instead of text' },
} as const;

/** `hopback-harness drachtio` */
export const DRACHTIO: HarnessCommand = {
  usage: ['[options]'],
  options: OPTIONS,
  notes: [
    'Runs the embedded drachtio server by itself, so that drachtio-srf applications can be developed against it. It is for tests: it listens ' +
      'on loopback by default. It runs until SIGINT or SIGTERM, then prints a summary.',
    'Exit codes: 0 ended by a signal; 2 the command line cannot be understood; 4 an address cannot be bound, or a file not be read.',
  ],
  run: async (options, io) => {
    refuseOperands(options);
    const listen = listenAddresses(options);
    checkTls(options, listen);
    const print = printer(io, options.isOn('json'));
    const leaving = signalled(io.process);
    try {
      await using server = await DrachtioServer.open({
        ...(await serverOptions(options, listen)),
        ...(options.isOn('trace') && { onMessage: print.message }),
      });
      print.ready(server);
      await leaving.left;
      print.end(server);
      return EXIT.ok;
    } catch (error) {
      throw unusable(error);
    } finally {
      leaving.release();
    }
  },
};

function listenAddresses(options: Options): readonly ListenAddress[] {
  const listen = readListenList(options.text('sip') ?? 'udp,tcp:5060', ipAddress(options, 'host'));
  if (typeof listen === 'string') throw new UsageError(`--sip: ${listen}`);
  return listen;
}

function ipAddress(options: Options, name: 'host' | 'admin-host'): string {
  const host = options.text(name) ?? '127.0.0.1';
  if (isIP(host) === 0) throw new UsageError(`--${name}: ${host} is no IP address, such as 127.0.0.1 or ::1`);
  return host;
}

function checkTls(options: Options, listen: readonly ListenAddress[]): void {
  const [hasKey, hasCertificate] = [options.isOn('tls-key'), options.isOn('tls-cert')];
  const isSecure = listen.some(({ transport }) => transport === 'tls' || transport === 'wss');
  if (hasKey !== hasCertificate) throw new UsageError('--tls-key and --tls-cert go together');
  if (isSecure && !hasKey) throw new UsageError('tls and wss need --tls-key and --tls-cert');
  if (!isSecure && hasKey)
    throw new UsageError('--tls-key and --tls-cert are for tls and wss, which --sip does not have');
}

async function serverOptions(options: Options, listen: readonly ListenAddress[]): Promise<DrachtioServerOptions> {
  const advertised = options.text('advertise');
  if (advertised !== undefined && !/^[\w.:[\]-]{1,253}$/.test(advertised))
    throw new UsageError(`--advertise: ${advertised} is neither a host name nor an address`);
  const host = ipAddress(options, 'admin-host');
  const port = options.number('admin', 0, 65_535) ?? 9_022;
  const mtuBytes = options.number('mtu', 0, 65_535, 'octets');
  const maxHeaderBytes = options.number('max-header', 1_024, 65_535, 'octets');
  const [keyFile, certificateFile] = [options.text('tls-key'), options.text('tls-cert')];
  return {
    listen,
    cdrs: options.isOn('cdrs'),
    control: { host, port, secret: options.text('secret') ?? 'cymru' },
    ...(keyFile !== undefined &&
      certificateFile !== undefined && {
        tls: { keyPem: await readFile(keyFile, 'utf8'), certificatePem: await readFile(certificateFile, 'utf8') },
      }),
    ...(mtuBytes !== undefined && { mtuBytes }),
    ...(maxHeaderBytes !== undefined && { limits: { maxHeaderBytes } }),
    ...(advertised !== undefined && { advertisedHost: advertised }),
  };
}

function printer({ stdout }: HarnessIo, isJson: boolean) {
  const print = (value: object, ...lines: readonly string[]): void =>
    stdout.write(`${isJson ? JSON.stringify(value) : lines.join('\n')}\n`);
  return {
    ready: ({ control, listening }: DrachtioServer) => {
      const sip = listening.map(({ transport, host, port }) => `${transport} ${host}:${port}`).join(', ');
      print(
        { event: 'ready', control, listening },
        `SIP: ${sip}`,
        `Applications: srf.connect({ host: '${control.host}', port: ${control.port}, secret: … })`,
      );
    },
    message: ({ direction, transport, remote, atMs, text }: TappedMessage) => {
      const { method, status, cseq, callId } = readSipText(text);
      const what = status === undefined ? method : `${status} ${cseq.split(/\s+/)[1] ?? ''}`;
      const time = new Date(atMs).toISOString().slice(11, 23);
      const peer = `${transport} ${remote.address}:${remote.port}`;
      print(
        {
          event: 'message',
          direction,
          transport,
          remote,
          atMs,
          what,
          callId,
        },
        `${time} ${direction === 'in' ? '<-' : '->'} ${peer.padEnd(26)} ${what.padEnd(24)} ${callId}`,
      );
    },
    end: (server: DrachtioServer) => {
      const { received, sent, retransmissions, faults, overloaded } = server.counters();
      const list = (...counts: readonly Readonly<Record<string, number>>[]): string =>
        counts
          .flatMap((each) => Object.entries(each))
          .map(([name, count]) => `${name} ${count}`)
          .join(', ') || 'nothing';
      print(
        {
          event: 'end',
          received,
          sent,
          retransmissions,
          faults,
          overloaded,
          inUse: server.inUse(),
        },
        `received: ${list(received.requests, received.responses)}`,
        `sent: ${list(sent.requests, sent.responses)}; ${retransmissions} of them again`,
        `faults: ${list(faults)}; refused for overload: ${overloaded}`,
      );
    },
  };
}

/**
 * Reads `udp,tcp,ws:5060`: transports, each with the port behind it or behind the next that has one. Without any it is 5060, or 5061
 * where TLS comes first.
 * @returns the addresses, or what is wrong
 */
function readListenList(text: string, host: string): readonly ListenAddress[] | string {
  const items = text.split(',').map((item) => item.trim());
  const listen: ListenAddress[] = [];
  let port: number | undefined;
  for (const item of items.toReversed()) {
    const [name = '', digits, more] = item.split(':');
    if (more !== undefined) return `${item} is no transport with a port`;
    if (!isTransport(name)) return `${name === '' ? 'nothing' : name} is no transport: it is udp, tcp, tls, ws or wss`;
    if (digits !== undefined) {
      port = /^\d{1,5}$/.test(digits) ? Number(digits) : Number.NaN;
      if (!(port <= 65_535)) return `${digits} is no port`;
    }
    listen.unshift({ transport: name, host, port: port ?? usualPort(name) });
  }
  return listen;
}

function isTransport(name: string): name is TransportName {
  return ['udp', 'tcp', 'tls', 'ws', 'wss'].includes(name);
}

function usualPort(transport: TransportName): number {
  return transport === 'tls' || transport === 'wss' ? 5_061 : 5_060;
}
