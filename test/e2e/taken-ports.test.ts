import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { HARNESS_COMMANDS } from '../../harness/src/cli/program.js';
import { COMMANDS } from '../../sdk/src/cli/command-table.js';
import { TestPki } from '../../sdk/src/testing/index.js';
import { ROOT } from '../house/run.js';
import { createTemporaryDirectory, type TemporaryDirectory } from '../peers/temporary-directory.js';
import { freePorts } from '../support/recipe.js';

// Every command that listens, with each of its ports in use by somebody else: it names the port, exits with 4, and ends.

const PROGRAMS = { hopback: 'sdk/dist/cli/main.js', 'hopback-harness': 'harness/dist/cli/main.js' };
type Program = keyof typeof PROGRAMS;

/** For a process that hangs, not for a slow one. */
const PATIENCE_MS = 120_000;

/** One port of a command. */
interface Case {
  readonly port: string;
  /** Makes the command line that listens on that port of 127.0.0.1, while the port is still free. */
  readonly argv: (port: number) => Promise<readonly string[]> | readonly string[];
}

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await createTemporaryDirectory();
  const pki = new TestPki({ nowMs: Date.now() });
  const tls = pki.issueTls({ addresses: [HOST] });
  await directory.write('root.pem', pki.root.certificatePem);
  await directory.write('tls-key.pem', tls.privateKeyPem);
  await directory.write('tls-cert.pem', tls.chainPem);
});
afterAll(() => directory?.[Symbol.asyncDispose]());

interface Ended {
  readonly code: number | string | null;
  readonly killed?: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(program: Program, argv: readonly string[]): Promise<Ended> {
  const options = { cwd: directory.path, timeout: PATIENCE_MS, killSignal: 'SIGKILL' as const };
  try {
    const { stdout, stderr } = await promisify(execFile)(
      process.execPath,
      [join(ROOT, PROGRAMS[program]), ...argv],
      options,
    );
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as Ended;
  }
}

/** Takes a port of 127.0.0.1 for UDP and for TCP. @returns what releases it */
async function take(port: number): Promise<() => Promise<void>> {
  const server = createServer().listen(port, HOST);
  await once(server, 'listening');
  const socket = createSocket('udp4').bind(port, HOST);
  await once(socket, 'listening');
  return async () => {
    socket.close();
    await once(server.close(), 'close');
  };
}

const HOST = '127.0.0.1';
const at = (port: number): string => `${HOST}:${String(port)}`;
const free = async (): Promise<number> => (await freePorts(1))[0] ?? 0;

/** The configuration of serve, as JSON, which is YAML. */
async function serving(name: string, members: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
  const trust = { roots: ['root.pem'] };
  return ['serve', '--config', await directory.write(name, JSON.stringify({ trust, ...members }))];
}

const listener = (port: number): { readonly host: string; readonly port: number } => ({ host: HOST, port });

/** The file of a source that listens for HEP. */
const hepSource = (name: string, port: number): Promise<string> =>
  directory.write(
    `${name}.json`,
    JSON.stringify({
      ...{ id: 'proxy-1', format: 'hep', time: { zone: 'utc' }, ownAddresses: ['192.0.2.1'] },
      listen: { [name.replace('serve-', '')]: listener(port) },
    }),
  );

async function prepared(folder: string, ports: { readonly https?: number; readonly crl?: number }): Promise<string> {
  const { https = await free(), crl = await free() } = ports;
  const place = ['--certificates', at(https), '--crl-port', String(crl)];
  expect((await run('hopback-harness', ['conformance', '--prepare', folder, ...place])).code).toBe(0);
  return folder;
}

const ASKS = ['--target', 'atis', '--url', 'http://127.0.0.1:9'];

const CASES: Readonly<Record<Program, Readonly<Record<string, readonly Case[]>>>> = {
  hopback: {
    serve: [
      { port: 'listen.calls', argv: (port) => serving('calls.yaml', { listen: { calls: listener(port) } }) },
      {
        port: 'listen.calls, with workers',
        argv: (port) => serving('workers.yaml', { workers: 2, listen: { calls: listener(port) } }),
      },
      {
        port: 'listen.admin',
        argv: (port) => serving('admin.yaml', { listen: { calls: listener(0), admin: listener(port) } }),
      },
      {
        port: 'listen.admin, with workers',
        argv: (port) => serving('both.yaml', { workers: 2, listen: { calls: listener(0), admin: listener(port) } }),
      },
      ...(['udp', 'tcp'] as const).map((transport) => ({
        port: `${transport} of a source`,
        argv: async (port: number) =>
          serving(`${transport}.yaml`, {
            listen: { calls: listener(0), admin: listener(0) },
            records: { directory: `serve-${transport}`, sources: [await hepSource(`serve-${transport}`, port)] },
          }),
      })),
    ],
    'records tail': (['udp', 'tcp'] as const).map((transport) => ({
      port: `${transport} of a source`,
      argv: async (port) => [
        ...['records', 'tail', '--store', `tail-${transport}`, '--source', await hepSource(transport, port)],
      ],
    })),
  },
  'hopback-harness': {
    run: [
      { port: '--control', argv: (port) => ['run', 'direct', '--out', 'control', '--control', at(port)] },
      ...Object.entries({ alder: '0', homes: '1' }).map(([id, processes]) => ({
        port: `--listen ${id}, --processes ${processes}`,
        argv: (port: number) => [
          ...['run', 'direct', '--out', id, '--listen', `${id}=${at(port)}`, '--processes', processes],
        ],
      })),
      {
        port: 'certificate server of a lab',
        argv: async (port) => ['run', await lab('lab-run', port), '--out', 'lab'],
      },
    ],
    replay: [
      { port: 'certificate server of a lab', argv: async (port) => ['replay', '0', await lab('lab-replay', port)] },
    ],
    drachtio: [
      ...['udp', 'tcp', 'ws', 'tls', 'wss', 'udp,tcp,ws'].map((transports) => ({
        port: `--sip ${transports}`,
        argv: (port: number) => [
          ...['drachtio', '--sip', `${transports}:${String(port)}`, '--admin', '0'],
          ...(/tls|wss/.test(transports) ? ['--tls-key', 'tls-key.pem', '--tls-cert', 'tls-cert.pem'] : []),
        ],
      })),
      { port: '--admin', argv: (port) => ['drachtio', '--sip', 'udp,tcp:0', '--admin', String(port)] },
    ],
    platform: [{ port: '--port', argv: (port) => ['platform', '--directory', 'platform', '--port', String(port)] }],
    conformance: [
      {
        port: 'certificate server, --prepare',
        argv: async (port) => [
          ...['conformance', '--prepare', 'new-https', '--certificates', at(port)],
          ...['--crl-port', String(await free())],
        ],
      },
      {
        port: 'CRL, --prepare',
        argv: async (port) => [
          ...['conformance', '--prepare', 'new-crl', '--certificates', at(await free())],
          ...['--crl-port', String(port)],
        ],
      },
      {
        port: 'certificate server',
        argv: async (port) => ['conformance', '--folder', await prepared('https', { https: port }), ...ASKS],
      },
      { port: 'CRL', argv: async (port) => ['conformance', '--folder', await prepared('crl', { crl: port }), ...ASKS] },
      {
        port: '--callee',
        argv: async (port) => [
          ...['conformance', '--folder', await prepared('callee', {}), '--target', 'sip', '--url', 'sip:127.0.0.1:9'],
          ...['--callee', at(port)],
        ],
      },
    ],
  },
};

/** Commands that open no port of TCP or UDP, and `demo`, which takes free ones. */
const LISTENS_NOWHERE: Readonly<Record<Program, readonly string[]>> = {
  hopback: [
    ...['verify', 'sign', 'decode', 'cert inspect', 'cert chain', 'cache preload', 'cache export', 'cache import'],
    ...[
      'records import',
      'records preview',
      'records rejects',
      'records dead-letters',
      'keygen',
      'csr',
      'records find',
    ],
    ...['records coverage', 'records stats', 'records hold', 'records holds', 'records release', 'records expire'],
    ...['evidence verify', 'evidence show', 'evidence export', 'traceback intake', 'traceback list', 'traceback show'],
    ...['traceback answer', 'traceback policy try', 'config check', 'config schema', 'config init', 'config account'],
    ...['redirect', 'doctor', 'records sql', 'records export'],
  ],
  'hopback-harness': [
    ...['list', 'init', 'lab', 'diff', 'demo', 'platform backup', 'platform restore', 'platform audit verify'],
  ],
};

/** A lab whose certificate server is to listen on a port. */
async function lab(folder: string, port: number): Promise<string> {
  const options = ['--external', 'birch=sip:127.0.0.1:9', '--certificates', at(port)];
  expect((await run('hopback-harness', ['lab', 'direct', folder, ...options])).code).toBe(0);
  return folder;
}

describe.each(Object.keys(CASES) as Program[])('%s', (program) => {
  const names = program === 'hopback' ? COMMANDS.map(({ name }) => name) : HARNESS_COMMANDS.map(({ name }) => name);

  test('every command is either in the table of those that listen, or listens nowhere', () => {
    expect([...Object.keys(CASES[program]), ...LISTENS_NOWHERE[program]].toSorted()).toEqual(names.toSorted());
  });

  const cases = Object.entries(CASES[program]).flatMap(([name, ports]) => ports.map((one) => [name, one] as const));
  test.each(cases.map(([name, one]) => [name, one.port, one] as const))(
    '%s ends with 4 when the port of %s is in use',
    { timeout: 2 * PATIENCE_MS },
    async (_name, _port, { argv }) => {
      const port = await free();
      const words = await argv(port);
      const release = await take(port);
      onTestFinished(release);
      const { code, stdout, stderr } = await run(program, words);
      expect(`${stdout}${stderr}`).toContain(String(port));
      expect(code).toBe(4);
    },
  );
});
