import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { createTestPki } from '../../sdk/src/testing/index.js';
import { ROOT } from '../house/run.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import type { TemporaryDirectory } from '../peers/temporary-directory.js';
import { argv } from '../support/cli-lab.js';
import { freePorts } from '../support/recipe.js';

// Every command that listens, with each of its ports in use by another program: it names the port, exits with 4, and ends.

const PROGRAMS = { hopback: 'sdk/dist/cli/main.js', 'hopback-harness': 'harness/dist/cli/main.js' };
type Program = keyof typeof PROGRAMS;

/** For a process that hangs, not for a slow one. */
const PATIENCE_MS = 120_000;

let directory: TemporaryDirectory;
beforeAll(async () => {
  directory = await createTemporaryDirectory();
  const pki = await createTestPki({ nowMs: Date.now() });
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

async function run(program: Program, words: readonly string[]): Promise<Ended> {
  const options = { cwd: directory.path, timeout: PATIENCE_MS, killSignal: 'SIGKILL' as const };
  try {
    const script = join(ROOT, PROGRAMS[program]);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, ...words], options);
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

interface Ports {
  readonly https?: number;
  readonly crl?: number;
}

async function preparing(folder: string, { https, crl }: Ports): Promise<readonly string[]> {
  const places = argv`--certificates ${at(https ?? (await free()))} --crl-port ${String(crl ?? (await free()))}`;
  return ['conformance', '--prepare', folder, ...places];
}

async function prepared(folder: string, ports: Ports): Promise<string> {
  expect((await run('hopback-harness', await preparing(folder, ports))).code).toBe(0);
  return folder;
}

const ASKS = argv`--target atis --url http://127.0.0.1:9`;

/** A lab whose certificate server is to listen on a port. */
async function lab(folder: string, port: number): Promise<string> {
  const options = argv`--external birch=sip:127.0.0.1:9 --certificates ${at(port)}`;
  expect((await run('hopback-harness', ['lab', 'direct', folder, ...options])).code).toBe(0);
  return folder;
}

/** A command, one port of it, and the command line that listens on that port of 127.0.0.1, made while the port is still free. */
type Row = readonly [string, string, (port: number) => Promise<readonly string[]> | readonly string[]];

const SDK_ROWS: readonly Row[] = [
  ['serve', 'listen.calls', (port) => serving('calls.yaml', { listen: { calls: listener(port) } })],
  ['serve', 'workers', (port) => serving('workers.yaml', { workers: 2, listen: { calls: listener(port) } })],
  ...[1, 2].map((workers): Row => [
    'serve',
    `listen.admin, ${workers} processes`,
    (port) => serving('admin.yaml', { workers, listen: { calls: listener(0), admin: listener(port) } }),
  ]),
  ...(['udp', 'tcp'] as const).flatMap((transport): readonly Row[] => [
    [
      'serve',
      `${transport} of a source`,
      async (port) =>
        serving(`${transport}.yaml`, {
          listen: { calls: listener(0), admin: listener(0) },
          records: { directory: `serve-${transport}`, sources: [await hepSource(`serve-${transport}`, port)] },
        }),
    ],
    [
      'records tail',
      `${transport} of a source`,
      async (port) => argv`records tail --store ${`tail-${transport}`} --source ${await hepSource(transport, port)}`,
    ],
  ]),
];

const HARNESS_ROWS: readonly Row[] = [
  ['run', '--control', (port) => argv`run direct --out control --control ${at(port)}`],
  ...['alder', 'homes'].flatMap((id) =>
    ['0', '1'].map((processes): Row => [
      'run',
      `--listen ${id}, --processes ${processes}`,
      (port) => argv`run direct --out ${`${id}-${processes}`} --listen ${`${id}=${at(port)}`} --processes ${processes}`,
    ]),
  ),
  ['run', 'certificate server of a lab', async (port) => argv`run ${await lab('lab-run', port)} --out lab`],
  ['replay', 'certificate server of a lab', async (port) => argv`replay 0 ${await lab('lab-replay', port)}`],
  ...['udp', 'tcp', 'ws', 'tls', 'wss', 'udp,tcp,ws'].map((transports): Row => [
    'drachtio',
    `--sip ${transports}`,
    (port) => {
      const tls = /tls|wss/.test(transports) ? argv`--tls-key tls-key.pem --tls-cert tls-cert.pem` : [];
      return argv`drachtio --sip ${`${transports}:${String(port)}`} --admin 0 ${tls}`;
    },
  ]),
  ['drachtio', '--admin', (port) => argv`drachtio --sip udp,tcp:0 --admin ${String(port)}`],
  ['platform', '--port', (port) => argv`platform --directory platform --port ${String(port)}`],
  ['conformance --prepare', 'certificate server', async (port) => preparing('new-https', { https: port })],
  ['conformance --prepare', 'CRL', async (port) => preparing('new-crl', { crl: port })],
  [
    'conformance',
    'certificate server',
    async (port) => argv`conformance --folder ${await prepared('https', { https: port })} ${ASKS}`,
  ],
  ['conformance', 'CRL', async (port) => argv`conformance --folder ${await prepared('crl', { crl: port })} ${ASKS}`],
  [
    'conformance',
    '--callee',
    async (port) => [
      ...argv`conformance --folder ${await prepared('callee', {})} --target sip --url sip:127.0.0.1:9`,
      ...argv`--callee ${at(port)}`,
    ],
  ],
];

const ROWS = [
  ...SDK_ROWS.map((row) => ['hopback', ...row] as const),
  ...HARNESS_ROWS.map((row) => ['hopback-harness', ...row] as const),
];

test.each(ROWS)(
  '%s %s ends with 4 when the port of %s is in use',
  { timeout: 2 * PATIENCE_MS },
  async (program, _command, _port, commandLine) => {
    const port = await free();
    const words = await commandLine(port);
    const release = await take(port);
    onTestFinished(release);
    const { code, stdout, stderr } = await run(program, words);
    expect(`${stdout}${stderr}`).toContain(String(port));
    expect(code).toBe(4);
  },
);
