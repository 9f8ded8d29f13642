import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { EXIT, refuseOperands, UsageError } from '@hopback/sdk/internal/cli';
import {
  createDrachtioServer,
  type DrachtioServer,
  type DrachtioServerOptions,
  type ListenAddress,
  type TappedMessage,
  type TransportName,
} from '../drachtio/index.js';
import { signalled } from './carry-out.js';
import type { HarnessCommand, HarnessIo } from './carry-out.js';
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
  json: { text: 'print what it prints as lines of JSON' },
} as const;

/** `hopback-harness drachtio` */
export const DRACHTIO: HarnessCommand = {
  name: 'drachtio',
  summary: 'run the embedded drachtio server by itself',
  usage: ['[options]'],
  options: OPTIONS,
  notes: [
    'Runs the embedded drachtio server by itself, so that drachtio-srf applications can be developed against it. It is for tests: it listens ' +
      'on loopback by default. It runs until SIGINT or SIGTERM, then prints a summary.',
    'Exit codes: 0 ended by a signal; 2 the command line cannot be understood; 4 an address cannot be bound, or a file not be read.',
  ],
  run: async (options, io) => {
    refuseOperands(options);
    const given = {
      ...{ host: options.text('host') ?? '127.0.0.1', 'admin-host': options.text('admin-host') ?? '127.0.0.1' },
      ...{ secret: options.text('secret') ?? 'cymru', advertise: options.text('advertise') },
      ...{ 'tls-key': options.text('tls-key'), 'tls-cert': options.text('tls-cert') },
    };
    const listen = readListenList(options.text('sip') ?? 'udp,tcp:5060', given.host);
    if (typeof listen === 'string') throw new UsageError(`--sip: ${listen}`);
    const admin = options.text('admin') ?? '9022';
    const port = numberOf(admin, 65_535);
    if (port === undefined) throw new UsageError(`--admin: ${admin} is no port`);
    const mtu = options.text('mtu');
    const mtuBytes = mtu === undefined ? undefined : numberOf(mtu, 65_535);
    if (mtu !== undefined && mtuBytes === undefined) throw new UsageError(`--mtu: ${mtu} is no number of octets`);
    const maxHeader = options.text('max-header');
    const maxHeaderBytes = maxHeader === undefined ? undefined : numberOf(maxHeader, 65_535);
    if (maxHeader !== undefined && !(maxHeaderBytes !== undefined && maxHeaderBytes >= 1_024))
      throw new UsageError(`--max-header: ${maxHeader} is not a number of octets from 1024 to 65535`);
    const wrong = whatIsWrong(given, listen);
    if (wrong !== undefined) throw new UsageError(wrong);
    const say = printer(io, options.isOn('json'));
    const leaving = signalled(io.process);
    try {
      const { 'tls-key': keyFile, 'tls-cert': certificateFile, secret, advertise } = given;
      const tls =
        keyFile === undefined || certificateFile === undefined
          ? {}
          : {
              tls: { keyPem: await readFile(keyFile, 'utf8'), certificatePem: await readFile(certificateFile, 'utf8') },
            };
      const serverOptions: DrachtioServerOptions = {
        ...{ listen, cdrs: options.isOn('cdrs'), control: { host: given['admin-host'], port, secret } },
        ...tls,
        ...(mtuBytes === undefined ? {} : { mtuBytes }),
        ...(maxHeaderBytes === undefined ? {} : { limits: { maxHeaderBytes } }),
        ...(advertise === undefined ? {} : { advertisedHost: advertise }),
        ...(options.isOn('trace') ? { onMessage: say.message } : {}),
      };
      await using server = await createDrachtioServer(serverOptions);
      say.ready(server);
      await leaving.left;
      say.end(server);
      return EXIT.ok;
    } catch (error) {
      throw unusable(error);
    } finally {
      leaving.release();
    }
  },
};

interface AddressValues {
  readonly host: string;
  readonly 'admin-host': string;
  readonly secret: string;
  readonly advertise?: string | undefined;
  readonly 'tls-key'?: string | undefined;
  readonly 'tls-cert'?: string | undefined;
}

/** What of the addresses, the secret and the certificate cannot be; undefined where all can. */
function whatIsWrong(values: AddressValues, listen: readonly ListenAddress[]): string | undefined {
  for (const name of ['host', 'admin-host'] as const) {
    if (isIP(values[name]) === 0) return `--${name}: ${values[name]} is no IP address, such as 127.0.0.1 or ::1`;
  }
  if (values.secret === '') return '--secret: a secret of no characters is none';
  if (values.advertise !== undefined && !/^[\w.:[\]-]{1,253}$/.test(values.advertise)) {
    return `--advertise: ${values.advertise} is neither a host name nor an address`;
  }
  const { 'tls-key': key, 'tls-cert': certificate } = values;
  if ((key === undefined) !== (certificate === undefined)) return '--tls-key and --tls-cert go together';
  const isSecure = listen.some(({ transport }) => transport === 'tls' || transport === 'wss');
  if (isSecure && key === undefined) return 'tls and wss need --tls-key and --tls-cert';
  return !isSecure && key !== undefined
    ? '--tls-key and --tls-cert are for tls and wss, which --sip does not have'
    : undefined;
}

function numberOf(text: string, most: number): number | undefined {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  return number <= most ? number : undefined;
}

function printer({ stdout }: HarnessIo, isJson: boolean) {
  const json = (value: unknown): void => stdout.write(`${JSON.stringify(value)}\n`);
  return {
    ready: (server: DrachtioServer) => {
      const { control, listening } = server;
      if (isJson) {
        json({ event: 'ready', control, listening });
        return;
      }
      const sip = listening.map(({ transport, host, port }) => `${transport} ${host}:${port}`).join(', ');
      stdout.write(
        `SIP: ${sip}\nApplications: srf.connect({ host: '${control.host}', port: ${control.port}, secret: … })\n`,
      );
    },
    message: (message: TappedMessage) => {
      const { direction, transport, remote, atMs, text } = message;
      const what = whatItIs(text);
      if (isJson) json({ event: 'message', direction, transport, remote, atMs, ...what });
      else {
        const time = new Date(atMs).toISOString().slice(11, 23);
        const peer = `${transport} ${remote.address}:${remote.port}`;
        stdout.write(
          `${time} ${direction === 'in' ? '<-' : '->'} ${peer.padEnd(26)} ${what.what.padEnd(24)} ${what.callId}\n`,
        );
      }
    },
    end: (server: DrachtioServer) => {
      const { received, sent, retransmissions, faults, overloaded } = server.counters();
      if (isJson) {
        json({ event: 'end', received, sent, retransmissions, faults, overloaded, inUse: server.inUse() });
        return;
      }
      const list = (...counts: readonly Readonly<Record<string, number>>[]): string =>
        counts
          .flatMap((each) => Object.entries(each))
          .map(([name, count]) => `${name} ${count}`)
          .join(', ') || 'nothing';
      stdout.write(`received: ${list(received.requests, received.responses)}\n`);
      stdout.write(`sent: ${list(sent.requests, sent.responses)}; ${retransmissions} of them again\n`);
      stdout.write(`faults: ${list(faults)}; refused for overload: ${overloaded}\n`);
    },
  };
}

/** What a message is without the numbers in it: method or status with its method, and Call-ID. */
function whatItIs(text: string): { readonly what: string; readonly callId: string } {
  const header = (name: string): string => new Map(headerLines(text)).get(name) ?? '';
  const [, method = ''] = header('cseq').split(/\s+/);
  const first = text.startsWith('SIP/2.0 ') ? `${text.slice(8, 11)} ${method}` : text.slice(0, text.indexOf(' '));
  return { what: first, callId: header('call-id') || header('i') };
}

function headerLines(text: string): readonly (readonly [string, string])[] {
  const head = text.split('\r\n\r\n', 1)[0] ?? '';
  return head
    .split('\r\n')
    .slice(1)
    .map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const;
    });
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
