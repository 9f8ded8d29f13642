import { open, type FileHandle } from 'node:fs/promises';
import { expect, test, vi } from 'vitest';
import { SegmentLog, type SegmentLogOptions } from '../../sdk/src/log/index.js';
import { NODE_LOG_FILES, type LogFile } from '../../sdk/src/log/log-files.js';
import { encodeGroup, scanSegment } from '../../sdk/src/log/segment-format.js';
import { ManualClock, TEST_NOW_MS } from '../../sdk/src/testing/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { changedRecords, readEverything, recordText } from '../support/log-records.js';
import { createSimulatedLogFiles } from '../support/simulated-log-files.js';

async function lab(options: Partial<SegmentLogOptions> = {}) {
  const files = createSimulatedLogFiles();
  const clock = new ManualClock();
  /** Operations with the names of the files, from now on. */
  const asked: string[] = [];
  const { schedule } = clock;
  const log = await SegmentLog.open({ directory: '/log', segmentBytes: 4_096, files, clock, schedule, ...options });
  files.setFault((operation, path) => void asked.push(`${operation} ${path.slice(5, 15)}`));
  return { log, files, clock, asked };
}

function appendTexts(log: SegmentLog, count: number): void {
  for (let left = count; left > 0; left -= 1) log.append(recordText(log.lastSequence + 1));
}

/** A laboratory whose log has so many records, all durable. */
async function written(count: number, options: Partial<SegmentLogOptions> = {}) {
  const made = await lab(options);
  appendTexts(made.log, count);
  await made.log.flush();
  return made;
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const sequences = (records: readonly { readonly sequence: number }[]): readonly number[] =>
  records.map(({ sequence }) => sequence);

test('gives back bytes and text as they were appended, from a copy, once they are durable', async () => {
  const { log } = await lab();
  const bytes = new Uint8Array([1, 2, 3]);
  expect(log.append(bytes)).toEqual({ accepted: true, sequence: 1 });
  bytes.fill(9);
  expect(log.append('žluťoučký kůň')).toEqual({ accepted: true, sequence: 2 });
  expect(log.append('')).toEqual({ accepted: true, sequence: 3 });
  expect(await log.read(1)).toEqual([]);
  expect(await log.flush()).toBe(3);
  const payloads = (await log.read(1)).map(({ payload }) => Buffer.from(payload).toString());
  expect(payloads).toEqual(['\u0001\u0002\u0003', 'žluťoučký kůň', '']);
});

test('refuses a record that is too long, one for which there is no room, and any when it is closed', async () => {
  const { log } = await lab({ maxRecordBytes: 1_000, maxPendingBytes: 2_040 });
  expect(log.append('x'.repeat(1_001))).toEqual({ accepted: false, reason: 'too-large' });
  expect(log.append('é'.repeat(501))).toEqual({ accepted: false, reason: 'too-large' });
  expect(log.append('x'.repeat(1_000))).toMatchObject({ accepted: true });
  expect(log.append('é'.repeat(500))).toMatchObject({ accepted: true });
  expect(log.append('')).toEqual({ accepted: false, reason: 'full' });
  await log.flush();
  expect(log.append('')).toMatchObject({ accepted: true, sequence: 3 });
  // Closing writes what is pending.
  await log.close();
  expect(log.durableSequence).toBe(3);
  expect(log.append('')).toEqual({ accepted: false, reason: 'closed' });
  await expect(log.flush()).rejects.toMatchObject({ code: 'closed' });
  await expect(log.read(1)).rejects.toMatchObject({ code: 'closed' });
});

test('writes the records of a turn of the event loop with one write and one sync, and tells listeners', async () => {
  const { log, asked } = await lab({ segmentBytes: 65_536 });
  const durable: number[] = [];
  log.onDurable(() => {
    throw new Error('of the listener');
  });
  const end = log.onDurable((sequence) => durable.push(sequence));
  appendTexts(log, 10);
  await turn();
  appendTexts(log, 20);
  await log.flush();
  expect(asked.map((line) => line.split(' ')[0])).toEqual([
    ...['create', 'append', 'datasync', 'syncDirectory'],
    ...['append', 'datasync'],
  ]);
  end();
  appendTexts(log, 1);
  expect(await log.flush()).toBe(31);
  expect(durable).toEqual([10, 30]);
  expect(log.state().listenerFailures).toBe(3);
});

test('reads from any record on, within bytes and records, and a first record that is longer', async () => {
  const { log } = await written(40);
  expect(sequences(await log.read(0, { maxRecords: 3 }))).toEqual([1, 2, 3]);
  expect(sequences(await log.read(38))).toEqual([38, 39, 40]);
  expect(sequences(await log.read(17, { maxBytes: 2_000 }))).toEqual([17, 18]);
  expect(sequences(await log.read(17, { maxBytes: 10 }))).toEqual([17]);
  expect(await log.read(41)).toEqual([]);
  for (let from = 1; from <= 40; from += 1) expect(sequences(await log.read(from, { maxRecords: 1 }))).toEqual([from]);
});

test('shows the records that it reads, over segments, also to two readers at once, in memory that is written over', async () => {
  const { log } = await written(40);
  const shown: { readonly sequence: number; readonly payload: Uint8Array }[] = [];
  let memory: Uint8Array | undefined;
  const show = (sequence: number, bytes: Uint8Array, start: number, end: number): void => {
    memory = bytes;
    shown.push({ sequence, payload: Uint8Array.from(bytes.subarray(start, end)) });
  };
  for (const limits of [{}, { maxRecords: 3 }, { maxBytes: 2_000 }]) {
    for (const from of [0, 17, 40, 41]) {
      shown.length = 0;
      const read = await log.read(from, limits);
      expect(await log.visit(from, show, limits)).toBe(read.length);
      expect(shown).toEqual(read.map(({ sequence, payload }) => ({ sequence, payload: Uint8Array.from(payload) })));
    }
  }
  const before = memory?.buffer;
  await log.visit(1, show, { maxRecords: 1 });
  expect(memory?.buffer).toBe(before);
  shown.length = 0;
  const others: number[] = [];
  await Promise.all([log.visit(1, show), log.visit(1, (sequence) => void others.push(sequence))]);
  expect(changedRecords(shown)).toEqual([]);
  expect(others).toEqual(sequences(shown));
});

test('what was shown before the disk refused stays shown, and the rest can be read later', async () => {
  const { log, files } = await written(40);
  const shown: number[] = [];
  const show = (sequence: number): void => void shown.push(sequence);
  let reads = 0;
  files.setFault((operation) => (operation === 'read' && (reads += 1) > 2 ? 'EIO' : undefined));
  await expect(log.visit(1, show)).rejects.toMatchObject({ code: 'storage-failed' });
  const before = shown.length;
  expect(before).toBeGreaterThan(0);
  expect(before).toBeLessThan(40);
  files.setFault(undefined);
  expect(await log.visit(before + 1, show)).toBe(40 - before);
  expect(shown).toEqual(Array.from({ length: 40 }, (_none, index) => index + 1));
});

test('trims whole segments and keeps the newest', async () => {
  const { log, files } = await lab();
  for (let group = 0; group < 20; group += 1) {
    appendTexts(log, 2);
    await log.flush();
  }
  const before = log.state();
  await log.trim(20);
  expect(log.firstSequence).toBeGreaterThan(10);
  expect(log.firstSequence).toBeLessThanOrEqual(21);
  expect(log.state().sizeBytes).toBeLessThan(before.sizeBytes);
  await log.trim(Number.MAX_SAFE_INTEGER);
  expect(log.state().segments).toBe(1);
  expect(files.contents().size).toBe(1);
  expect(log.append('next')).toMatchObject({ sequence: 41 });
});

test.each(['append', 'datasync', 'syncDirectory', 'create'] as const)(
  'a refused %s acknowledges nothing, keeps what is pending, and the next attempt goes to a new segment',
  async (refused) => {
    const { log, files, clock } = await lab({ segmentBytes: 65_536 });
    const touched: string[] = [];
    const refuse = (code: string | undefined): void =>
      files.setFault((operation, path) => {
        if (operation === 'append' || operation === 'datasync') touched.push(path);
        return operation === refused ? code : undefined;
      });
    refuse('ENOSPC');
    appendTexts(log, 5);
    const details = { code: 'ENOSPC' };
    await expect(log.flush()).rejects.toMatchObject({ code: 'storage-failed', retryable: true, details });
    expect(log.durableSequence).toBe(0);
    expect(log.state()).toMatchObject({ pendingRecords: 5, isFailing: true, failures: 1 });
    expect(log.state().lastError).toMatchObject({ code: 'ENOSPC', atMs: TEST_NOW_MS });
    const failed = new Set(touched.splice(0));
    refuse(undefined);
    const flushed = log.flush();
    clock.advance(50);
    expect(await flushed).toBe(5);
    expect(touched.filter((path) => failed.has(path))).toEqual([]);
    expect(log.state()).toMatchObject({ pendingRecords: 0, isFailing: false });
    const records = await readEverything(log);
    expect([records.length, changedRecords(records)]).toEqual([5, []]);
  },
);

test('a file that could be neither written nor removed is removed before the next one is begun', async () => {
  const { log, files, clock } = await lab();
  files.setFault((operation) => (operation === 'append' || operation === 'unlink' ? 'EIO' : undefined));
  appendTexts(log, 1);
  await log.flush().catch(() => undefined);
  const [leftOver = ''] = files.contents().keys();
  files.setFault(undefined);
  const flushed = log.flush();
  clock.advance(50);
  expect(await flushed).toBe(1);
  expect([...files.contents().keys()]).toEqual([expect.not.stringMatching(leftOver)]);
});

test('a log that was closed is opened without writing, and bytes behind its end are counted as damaged', async () => {
  const { log, files } = await written(3);
  await log.close();
  const asked: string[] = [];
  files.setFault((operation) => void asked.push(operation));
  const again = await SegmentLog.open({ directory: '/log', files });
  expect(asked.filter((operation) => !['makeDirectory', 'list', 'open', 'read'].includes(operation))).toEqual([]);
  await again.close();
  const [[name, bytes] = ['', Buffer.of()]] = files.contents();
  files.replaceContent(name, Buffer.concat([bytes, Buffer.from('torn')]));
  const torn = await SegmentLog.open({ directory: '/log', files });
  expect(torn.state().lost).toMatchObject({ records: 0, damagedBytes: 4 });
});

test('tries again after 50 ms, then after twice as long each time, at most 2 s, until it is closed', async () => {
  const { log, files, clock } = await lab();
  files.setFault((operation) => (operation === 'append' ? 'EIO' : undefined));
  appendTexts(log, 1);
  const waits: number[] = [];
  await log.flush().catch(() => undefined);
  for (let attempt = 0; attempt < 8; attempt += 1) {
    const { failures } = log.state();
    const flushed = log.flush().catch(() => undefined);
    let waited = 0;
    for (; clock.pendingTimers() > 0; waited += 50) clock.advance(50);
    await flushed;
    expect(log.state().failures).toBe(failures + 1);
    waits.push(waited);
  }
  expect(waits).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000]);
  await expect(log.close()).rejects.toMatchObject({ code: 'storage-failed', details: { records: 1, code: 'EIO' } });
  expect(clock.pendingTimers()).toBe(0);
});

test('a sync that was refused before a crash is not believed after it: records in doubt are written anew', async () => {
  const { log, files } = await written(3);
  // The sync of the next group is refused, its pages are dropped, and the process dies before it can do anything about it.
  files.setFault((operation) => {
    if (operation !== 'datasync') return undefined;
    files.killAfter(0);
    return 'EIO';
  });
  appendTexts(log, 2);
  await log.flush().catch(() => undefined);
  await log.close().catch(() => undefined);
  const again = files.afterCrash('process');
  const second = await SegmentLog.open({ directory: '/log', files: again });
  const { durableSequence } = second;
  again.killAfter(0);
  const third = await SegmentLog.open({ directory: '/log', files: again.afterCrash('power') });
  expect(sequences(await readEverything(third))).toEqual(Array.from({ length: durableSequence }, (_, at) => at + 1));
});

test('goes on after the number of the last record that was acknowledged elsewhere', async () => {
  const { log } = await lab({ afterSequence: 700 });
  expect(log.lastSequence).toBe(700);
  expect(log.append('x')).toEqual({ accepted: true, sequence: 701 });
  await log.flush();
  expect(sequences(await log.read(1))).toEqual([701]);
  expect(log.state().lost.records).toBe(0);
});

test('what the disk does not give is refused, or stepped over and counted when that is asked for', async () => {
  const { log, files } = await written(20, { segmentBytes: 65_536 });
  files.setFault((operation) => (operation === 'read' ? 'EIO' : undefined));
  await expect(log.read(1)).rejects.toMatchObject({
    code: 'storage-failed',
    details: { operation: 'read', code: 'EIO' },
  });
  let reads = 0;
  files.setFault((operation) => (operation === 'read' && (reads += 1) <= 3 ? 'EIO' : undefined));
  const records = await log.read(1, { skipUnreadable: true });
  expect(changedRecords(records)).toEqual([]);
  expect(log.state().lost.records).toBe(20 - records.length);
  expect(log.state().lost.unreadableBytes).toBeGreaterThan(4_000);
  expect(records.length).toBeGreaterThan(5);
});

test('memory that was read into before shows nothing where the file ends within what the disk does not give', async () => {
  const stale = Buffer.alloc(6_000);
  encodeGroup(0xa5a5a5a5, 1, 2).copy(stale, 5_500);
  let reads = 0;
  const read = (buffer: Uint8Array, position: number): Promise<number> => {
    reads += 1;
    return reads === 1 ? Promise.reject(new Error('EIO')) : Promise.resolve(Math.min(buffer.length, 5_000 - position));
  };
  const shown: unknown[] = [];
  await scanSegment({ read } as LogFile, {
    ...{ mark: 0xa5a5a5a5, from: 0, to: stale.length, windowBytes: stale.length, windowOf: () => stale },
    ...{ skipUnreadable: true, visit: (frame) => shown.push(frame) > 0, damaged: () => undefined },
  });
  expect(shown).toEqual([]);
});

test('the records of a segment that was deleted are counted as lost', async () => {
  const { log, files } = await written(30);
  const [oldest = ''] = [...files.contents().keys()].toSorted();
  await files.unlink(`/log/${oldest}`);
  const records = await readEverything(log);
  expect(records.length).toBeGreaterThan(10);
  expect(log.state().lost.records).toBe(30 - records.length);
  // Each loss once, however often it is come across.
  await readEverything(log);
  expect(log.state().lost.records).toBe(30 - records.length);
});

test.each([
  [{ segmentBytes: 100 }],
  [{ maxRecordBytes: 0 }],
  [{ maxRecordBytes: 2 ** 25 }],
  [{ maxRecordBytes: 1_000, maxPendingBytes: 1_000 }],
  [{ afterSequence: -1 }],
  [{ afterSequence: 1.5 }],
])('refuses to open with %j', async (options) => {
  const opening = SegmentLog.open({ directory: '/log', files: createSimulatedLogFiles(), ...options });
  await expect(opening).rejects.toMatchObject({ code: 'invalid-argument' });
});

test('refuses to open where there can be no directory', async () => {
  await using directory = await createTemporaryDirectory();
  const opening = SegmentLog.open({ directory: `${directory.path}/\0` });
  await expect(opening).rejects.toMatchObject({ code: 'storage-failed' });
});

test('on the disk of this machine: the name of each folder that is made is synced in the folder above', async () => {
  await using directory = await createTemporaryDirectory();
  const probe = await open(directory.path);
  const sync = vi.spyOn(Object.getPrototypeOf(probe) as FileHandle, 'sync');
  await probe.close();
  try {
    await NODE_LOG_FILES.makeDirectory(`${directory.path}/a/b/c`);
    expect(sync).toHaveBeenCalledTimes(3);
    await NODE_LOG_FILES.makeDirectory(`${directory.path}/a/b/c`);
    expect(sync).toHaveBeenCalledTimes(3);
  } finally {
    sync.mockRestore();
  }
});

test('on the disk of this machine: segments are for this user alone, and nothing else is left in the directory', async () => {
  await using directory = await createTemporaryDirectory();
  const path = `${directory.path}/a/b`;
  const log = await SegmentLog.open({ directory: path, segmentBytes: 4_096 });
  appendTexts(log, 20);
  await log.flush();
  await log.close();
  const { readdir, stat } = await import('node:fs/promises');
  const names = await readdir(path);
  expect(names.every((name) => /^\d{10}-\d{16}-[0-9a-f]{8}\.segment$/.test(name))).toBe(true);
  const modes = await Promise.all(names.map(async (name) => (await stat(`${path}/${name}`)).mode & 0o777));
  expect(new Set(modes)).toEqual(new Set([0o600]));
  await using again = await SegmentLog.open({ directory: path, segmentBytes: 4_096 });
  expect(await readEverything(again)).toHaveLength(20);
  expect(again.state().lost).toEqual({ records: 0, recordsInDoubt: 0, damagedBytes: 0, unreadableBytes: 0 });
});
