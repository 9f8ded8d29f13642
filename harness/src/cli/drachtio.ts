import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import {
  createDrachtioServer,
  type DrachtioServer,
  type DrachtioServerOptions,
  type ListenAddress,
  type TappedMessage,
} from '../drachtio/index.js';
import { EXIT, readCommandLine } from './command-line.js';
import { readListenList } from './listen-list.js';
import type { HarnessProcess } from './run.js';

/** What `hopback-harness drachtio --help` prints. */
export const DRACHTIO_USAGE = `hopback-harness drachtio [options]

Runs the embedded drachtio server by itself, so that drachtio-srf applications can be developed against it. It is for tests:
it listens on loopback unless told otherwise.

  --sip LIST         transports and ports, default udp,tcp:5060; udp,tcp,ws:5060 has all three at one port
  --admin PORT       where applications connect, default 9022
  --secret WORD      what applications authenticate with, default cymru
  --host ADDRESS     where to listen for SIP, default 127.0.0.1
  --admin-host ADDR  where to listen for applications, default 127.0.0.1
  --advertise HOST   host in Via and Contact; without it, --host, or for 0.0.0.0 and :: the address that routes to the peer
  --cdrs             write call detail records to applications that ask for them
  --max-header OCTETS
                     longest header field, default 8192; a request with a longer one gets 400
  --mtu OCTETS       send larger requests by TCP in place of UDP; default: never
  --tls-key FILE     key and certificate (PEM) for tls and wss
  --tls-cert FILE
  --trace            print a line for every message: time, direction, peer, what it is, Call-ID
  --json             print what it prints as lines of JSON

It runs until SIGINT or SIGTERM and then says what it has seen. Exit codes: 0 ended by a signal; 2 the command line cannot be
understood; 4 an address cannot be bound, or a file not be read.
`;

const OPTIONS = {
  sip: { type: 'string', default: 'udp,tcp:5060' },
  admin: { type: 'string', default: '9022' },
  secret: { type: 'string', default: 'cymru' },
  host: { type: 'string', default: '127.0.0.1' },
  'admin-host': { type: 'string', default: '127.0.0.1' },
  advertise: { type: 'string' },
  cdrs: { type: 'boolean', default: false },
  'max-header': { type: 'string' },
  mtu: { type: 'string' },
  'tls-key': { type: 'string' },
  'tls-cert': { type: 'string' },
  trace: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Runs the server until a signal ends it. */
export async function runDrachtio(argv: readonly string[], io: HarnessProcess): Promise<number> {
  const asked = readCommandLine(argv, OPTIONS);
  if (asked.status === 'not-understood') return usage(io, asked.why);
  const { values, positionals } = asked;
  if (values.help) {
    io.stdout.write(DRACHTIO_USAGE);
    return EXIT.ok;
  }
  if (positionals.length > 0) return usage(io, `drachtio takes no operands, but there is ${positionals[0]}`);
  const listen = readListenList(values.sip, values.host);
  if (typeof listen === 'string') return usage(io, `--sip: ${listen}`);
  const port = numberOf(values.admin, 65_535);
  if (port === undefined) return usage(io, `--admin: ${values.admin} is no port`);
  const mtuBytes = values.mtu === undefined ? undefined : numberOf(values.mtu, 65_535);
  if (values.mtu !== undefined && mtuBytes === undefined)
    return usage(io, `--mtu: ${values.mtu} is no number of octets`);
  const maxHeader = values['max-header'];
  const maxHeaderBytes = maxHeader === undefined ? undefined : numberOf(maxHeader, 65_535);
  if (maxHeader !== undefined && !(maxHeaderBytes !== undefined && maxHeaderBytes >= 1_024))
    return usage(io, `--max-header: ${maxHeader} is not a number of octets from 1024 to 65535`);
  const wrong = whatIsWrong(values, listen);
  if (wrong !== undefined) return usage(io, wrong);
  const say = printer(io, values.json);
  try {
    const { 'tls-key': keyFile, 'tls-cert': certificateFile } = values;
    const tls =
      keyFile === undefined || certificateFile === undefined
        ? {}
        : { tls: { keyPem: await readFile(keyFile, 'utf8'), certificatePem: await readFile(certificateFile, 'utf8') } };
    const options: DrachtioServerOptions = {
      ...{ listen, cdrs: values.cdrs, control: { host: values['admin-host'], port, secret: values.secret } },
      ...tls,
      ...(mtuBytes === undefined ? {} : { mtuBytes }),
      ...(maxHeaderBytes === undefined ? {} : { limits: { maxHeaderBytes } }),
      ...(values.advertise === undefined ? {} : { advertisedHost: values.advertise }),
      ...(values.trace ? { onMessage: say.message } : {}),
    };
    await using server = await createDrachtioServer(options);
    say.ready(server);
    await untilSignal(io);
    say.end(server);
    return EXIT.ok;
  } catch (error) {
    io.stderr.write(`hopback-harness drachtio: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.environment;
  }
}

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

function usage(io: HarnessProcess, why: string): number {
  io.stderr.write(`hopback-harness drachtio: ${why}\n\n${DRACHTIO_USAGE}`);
  return EXIT.usage;
}

function numberOf(text: string, most: number): number | undefined {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  return number <= most ? number : undefined;
}

interface Printer {
  readonly ready: (server: DrachtioServer) => void;
  readonly message: (message: TappedMessage) => void;
  readonly end: (server: DrachtioServer) => void;
}

function printer({ stdout }: HarnessProcess, isJson: boolean): Printer {
  const json = (value: unknown): void => void stdout.write(`${JSON.stringify(value)}\n`);
  return {
    ready: (server) => {
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
    message: (message) => {
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
    end: (server) => {
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

function untilSignal(io: HarnessProcess): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      io.off('SIGINT', end);
      io.off('SIGTERM', end);
      resolve();
    };
    io.once('SIGINT', end);
    io.once('SIGTERM', end);
  });
}
