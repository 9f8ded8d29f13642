import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isHopbackError } from '../../sdk/src/errors.js';
import { FolderLock } from '../../sdk/src/log/index.js';
import { type HolderSenses, holderState, type LockHolder, readHolder } from '../../sdk/src/log/log-files.js';
import { testFolder } from '../support/test-folder.js';

const { at } = testFolder();

const reasonOf = async (folder: string): Promise<unknown> => {
  try {
    await (await FolderLock.take(folder, 'the spool')).close();
    return 'taken';
  } catch (error) {
    return isHopbackError(error) ? error.details['reason'] : error;
  }
};

/** Of this process, as it writes it. */
async function ownLock(): Promise<LockHolder> {
  const folder = at('own');
  const lock = await FolderLock.take(folder, 'the spool');
  const holder = readHolder(await readFile(join(folder, 'lock'), 'utf8'))!;
  await lock.close();
  return holder;
}

async function lockOf(holder: LockHolder | string): Promise<string> {
  const folder = at('taken');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'lock'), typeof holder === 'string' ? holder : `${JSON.stringify(holder)}\n`);
  return folder;
}

test('a folder is taken by one holder at a time, and closing a lock does not take it from the next holder', async () => {
  const folder = at('a');
  const first = await FolderLock.take(folder, 'the spool');
  expect(await reasonOf(folder)).toBe('folder-in-use');
  await first.close();
  expect(await readdir(folder)).toEqual([]);
  const second = await FolderLock.take(folder, 'the spool');
  await first.close();
  expect(await reasonOf(folder)).toBe('folder-in-use');
  // The same if the lock was removed by hand.
  await rm(join(folder, 'lock'));
  const third = await FolderLock.take(folder, 'the spool');
  await second.close();
  expect(await reasonOf(folder)).toBe('folder-in-use');
  await third.close();
  expect(await readdir(folder)).toEqual([]);
});

test('of twenty processes that want the folder of a dead holder at once, one gets it', async () => {
  const folder = await lockOf({ ...(await ownLock()), start: '1' });
  const settled = await Promise.allSettled(Array.from({ length: 20 }, () => FolderLock.take(folder, 'the spool')));
  const taken = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  expect(taken).toHaveLength(1);
  await taken[0]!.close();
  expect(await readdir(folder)).toEqual([]);
});

test('a process that was killed while it removed the lock of a dead holder does not block the folder', async () => {
  const own = await ownLock();
  const holder = { ...own, start: '1' };
  const folder = await lockOf(holder);
  await writeFile(
    join(folder, `lock-${holder.nonce}.gone`),
    `${JSON.stringify({ ...own, nonce: 'f'.repeat(16), start: '2' })}\n`,
  );
  expect(await reasonOf(folder)).toBe('taken');
  expect(await readdir(folder)).toEqual([]);
});

test('the lock of a killed process does not count, even if another process has its id, as in a container', async () => {
  const own = await ownLock();
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  await once(child, 'spawn');
  // Another process has the number now: this one began at another time than the lock says.
  expect(await reasonOf(await lockOf({ ...own, pid: child.pid!, start: '1' }))).toBe('taken');
  const stat = await readFile(`/proc/${String(child.pid)}/stat`, 'utf8');
  const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]!;
  expect(await reasonOf(await lockOf({ ...own, pid: child.pid!, start }))).toBe('folder-in-use');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await reasonOf(await lockOf({ ...own, pid: child.pid!, start }))).toBe('taken');
});

test('an unreadable lock counts, and the message says which file to remove', async () => {
  for (const text of ['', '17 4711\n', '{"pid":1}\n', '\ud800'.repeat(4_000)]) {
    const folder = await lockOf(text);
    await expect(FolderLock.take(folder, 'the spool')).rejects.toMatchObject({
      code: 'storage-failed',
      message: expect.stringContaining(join(folder, 'lock')) as string,
      details: { reason: 'folder-holder-unknown', lock: join(folder, 'lock') },
    });
    await rm(join(folder, 'lock'));
    expect(await reasonOf(folder)).toBe('taken');
  }
});

/** A process that holds a folder as ours do, in a namespace of its own where the machine lets us make one. */
const HOLDER = `
const fs = require('node:fs'), net = require('node:net'), path = require('node:path');
const [folder, namespace, bootId] = process.argv.slice(1);
const nonce = '0123456789abcdef', socket = 'lock-' + nonce + '.socket';
const stat = fs.readFileSync('/proc/self/stat', 'utf8');
const start = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
const pidNamespace = namespace === '' ? fs.readlinkSync('/proc/self/ns/pid') : namespace;
net.createServer(() => {}).listen(path.join(folder, socket), () => {
  const holder = { pid: process.pid, start, bootId, pidNamespace, host: 'elsewhere', nonce, socket };
  fs.writeFileSync(path.join(folder, 'lock'), JSON.stringify(holder) + '\\n');
  console.log('held');
});
`;

async function heldElsewhere(folder: string, bootId: string): Promise<ChildProcess> {
  const canUnshare = spawnSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']).status === 0;
  const node = [process.execPath, '-e', HOLDER, folder, canUnshare ? '' : 'pid:[1]', bootId];
  const child = canUnshare
    ? spawn('unshare', ['--pid', '--fork', '--kill-child', '--mount-proc', ...node])
    : spawn(node[0]!, node.slice(1));
  await once(child.stdout, 'data');
  return child;
}

test('a process of another container holds a folder as long as it is there, and no longer, however it ended', async () => {
  const { bootId, pidNamespace } = await ownLock();
  const folder = at('shared');
  await mkdir(folder);
  const child = await heldElsewhere(folder, bootId);
  expect(readHolder(await readFile(join(folder, 'lock'), 'utf8'))!.pidNamespace).not.toBe(pidNamespace);
  expect(await reasonOf(folder)).toBe('folder-in-use');
  child.kill('SIGKILL');
  await once(child, 'close');
  // Its pipes are closed by whichever of the two processes ends last.
  expect(await reasonOf(folder)).toBe('taken');
  expect(await readdir(folder)).toEqual([]);
});

test('a folder with a longer path than a socket may have is held all the same', async () => {
  const folder = at('x'.repeat(120), 'y'.repeat(120));
  const lock = await FolderLock.take(folder, 'the spool');
  const holder = readHolder(await readFile(join(folder, 'lock'), 'utf8'))!;
  expect(holder.socket).toBe(`lock-${holder.nonce}.socket`);
  await writeFile(join(folder, 'lock'), `${JSON.stringify({ ...holder, pidNamespace: 'pid:[1]' })}\n`);
  expect(await reasonOf(folder)).toBe('folder-in-use');
  await rm(join(folder, 'lock'));
  await lock.close();
});

const HOLD: LockHolder = {
  pid: 7,
  start: '4711',
  bootId: 'boot-1',
  pidNamespace: 'pid:[1]',
  host: 'one',
  nonce: '0'.repeat(16),
  socket: `lock-${'0'.repeat(16)}.socket`,
};

const judged = (changes: Partial<LockHolder>, senses: Partial<HolderSenses> = {}): Promise<string> =>
  holderState(
    { ...HOLD, ...changes },
    {
      self: HOLD,
      isRunning: () => Promise.resolve(true),
      answersAt: () => Promise.resolve('unknown'),
      isOnLocalDisk: () => Promise.resolve(false),
      ...senses,
    },
  );

test('a holder is judged by its id, by its socket and by the restart of the machine', async () => {
  const gone = { isRunning: () => Promise.resolve(false) };
  const local = { isOnLocalDisk: () => Promise.resolve(true) };
  const answering = (answer: 'answers' | 'refused' | 'unknown'): Partial<HolderSenses> => ({
    answersAt: () => Promise.resolve(answer),
  });
  expect([await judged({}), await judged({}, gone)]).toEqual(['running', 'gone']);
  const elsewhere = { pidNamespace: 'pid:[2]' };
  expect(await judged(elsewhere, gone)).toBe('unknown');
  expect(await judged(elsewhere, { ...gone, ...answering('answers') })).toBe('running');
  expect(await judged(elsewhere, answering('refused'))).toBe('gone');
  expect(await judged({ ...elsewhere, socket: '' }, answering('refused'))).toBe('unknown');
  // A restart, or another machine: on a disk of its own it is the first.
  expect(await judged({ bootId: 'boot-2' }, gone)).toBe('unknown');
  expect(await judged({ bootId: 'boot-2' }, local)).toBe('gone');
  // A system that does not say: the name of the host is all there is.
  const silent = { bootId: '', pidNamespace: '' };
  expect(await judged({ ...silent, host: 'two' }, { ...gone, self: { ...HOLD, ...silent } })).toBe('unknown');
  expect(await judged(silent, { ...gone, self: { ...HOLD, ...silent } })).toBe('gone');
});

test('a socket of a lock is a name in its folder', () => {
  expect(readHolder(`${JSON.stringify(HOLD)}\n`)).toEqual(HOLD);
  expect(readHolder(`${JSON.stringify({ ...HOLD, socket: '../../etc/passwd' })}\n`)?.socket).toBe('');
  expect(readHolder(`${JSON.stringify({ ...HOLD, nonce: '../../etc/passwd' })}\n`)).toBeUndefined();
});
