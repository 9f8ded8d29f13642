import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { argv } from '../support/cli-lab.js';
import { ASTERISK_SOURCE, asteriskRow } from '../support/cli-records-lab.js';
import { isEnded } from '../support/packed-records.js';
import { openSidecarLab } from '../support/sidecar-lab.js';
import { startSidecarProcess } from '../support/sidecar-process.js';
import { makeFifo, startStuck } from '../support/stuck-command.js';

const HOPBACK = fileURLToPath(new URL('../../sdk/dist/cli/main.js', import.meta.url));

/** A folder, and a sidecar that has its configuration elsewhere. */
type Folder = Awaited<ReturnType<typeof openFolder>>;

async function openFolder() {
  const [directory, sidecar] = await Promise.all([createTemporaryDirectory(), openSidecarLab()]);
  const close = async (): Promise<void> => {
    await Promise.all([directory.close(), sidecar[Symbol.asyncDispose]()]);
  };
  return { ...directory, sidecar, close, [Symbol.asyncDispose]: close };
}

/** A pipe that nobody writes to, in the place of a file that a command reads. */
async function fifo(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  makeFifo(path);
  return path;
}

async function source({ at }: Folder, path?: string): Promise<string> {
  await writeFile(at('pbx-1.json'), JSON.stringify({ ...ASTERISK_SOURCE, ...(path !== undefined && { path }) }));
  return at('pbx-1.json');
}

/** Each opens a pipe in the middle of its work. The lock of a source is read when the command has begun. */
const COMMANDS: Readonly<Record<string, (folder: Folder) => Promise<readonly string[]>>> = {
  'records import': async (folder) => {
    const { at } = folder;
    return argv`records import --store ${at('store')} --source ${await source(folder)} ${await fifo(at('Master.csv'))}`;
  },
  'records preview': async (folder) =>
    argv`records preview --source ${await source(folder)} ${await fifo(folder.at('Master.csv'))}`,
  'records tail': async (folder) => {
    const { at } = folder;
    await fifo(at('store/follow/pbx-1/lock'));
    return argv`records tail --store ${at('store')} --source ${await source(folder, at('Master.csv'))} --drain-seconds 1`;
  },
  serve: async (folder) => {
    const { at } = folder;
    await fifo(at('store/follow/pbx-1/lock'));
    const records = { directory: at('store'), sources: [await source(folder, at('Master.csv'))] };
    await folder.sidecar.configure({ records, drainSeconds: 1 });
    return ['serve', '--config', folder.sidecar.configurationPath];
  },
};

// They wait for seconds, and each has files of its own: they wait together.

test.concurrent.each(Object.keys(COMMANDS))(
  '%s that waits for a pipe without a writer is ended by SIGTERM when its time is over',
  async (name) => {
    await using folder = await openFolder();
    await using command = startStuck(HOPBACK, await COMMANDS[name]!(folder));
    await command.waitsAtPipe();
    command.signal('SIGTERM');
    expect(await isEnded(command.ended)).toBe(true);
    expect(await command.ended).toEqual({ code: null, signal: 'SIGTERM' });
    expect(command.stderr()).toContain('of SIGTERM: ended by force');
  },
);

// Of the program, not of the command: test/e2e/harness-stop.test.ts has the same of the other program.
test.concurrent('a command that waits for a pipe is ended by a second signal at once', async () => {
  await using folder = await openFolder();
  await using command = startStuck(HOPBACK, await COMMANDS['serve']!(folder));
  await command.waitsAtPipe();
  await command.signalTwice('SIGTERM', 'SIGINT');
  expect(await command.ended).toEqual({ code: null, signal: 'SIGINT' });
  expect(command.stderr()).not.toContain('ended by force');
});

test.concurrent('a tail whose platform takes the request and never answers ends within its drain time', async () => {
  await using folder = await openFolder();
  const { at } = folder;
  const sockets = new Set<{ destroy: () => void }>();
  const platform = createServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1');
  await once(platform, 'listening');
  const url = `http://127.0.0.1:${String((platform.address() as AddressInfo).port)}/v1/records`;
  await writeFile(at('Master.csv'), `${asteriskRow(1)}\n`);
  await writeFile(at('token'), 'c2VjcmV0\n', { mode: 0o600 });
  await writeFile(at('pseudonym.key'), `${'a1'.repeat(32)}\n`, { mode: 0o600 });
  const tail = argv`records tail --store ${at('store')} --source ${await source(folder, at('Master.csv'))} --drain-seconds 2`;
  const sharing = argv`--pseudonym-key ${at('pseudonym.key')} --rotation 2026-11 --tenant carrier-1`;
  await using command = startStuck(HOPBACK, argv`${tail} --platform ${url} --token-file ${at('token')} ${sharing}`);
  const [request] = (await once(platform, 'connection')) as [NodeJS.ReadableStream];
  await once(request, 'data');
  command.signal('SIGTERM');
  expect(await isEnded(command.ended, 20_000)).toBe(true);
  for (const socket of sockets) socket.destroy();
  platform.close();
});

test.concurrent.each([1, 2])(
  'serve with %i processes whose fetch of a certificate is never answered ends within drainSeconds',
  async (workers) => {
    await using lab = await openSidecarLab();
    await lab.configure({ drainSeconds: 2, workers });
    const x5u = lab.server.publish('/held.pem', lab.provider.chainPem);
    const release = lab.server.hold('/held.pem');
    await using service = await startSidecarProcess({ configurationPath: lab.configurationPath });
    const asking = fetch(`http://127.0.0.1:${String(service.port)}/v1/check`, {
      method: 'POST',
      body: lab.identity({ x5u }),
    }).catch((error: unknown) => error);
    await lab.server.requested('/held.pem', 1);
    service.signal('SIGTERM');
    expect(await isEnded(service.ended, 15_000)).toBe(true);
    expect(await service.ended).toEqual({ code: 0, signal: null });
    await asking;
    release();
  },
);
