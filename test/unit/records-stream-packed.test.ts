import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { SegmentLog } from '../../sdk/src/log/index.js';
import type { DeliveryResult, RecordTransport } from '../../sdk/src/contract/record-batch.js';
import { BacklogPacker } from '../../sdk/src/records/stream/backlog-packer.js';
import { createDeadLetters } from '../../sdk/src/records/stream/dead-letters.js';
import { Delivery } from '../../sdk/src/records/stream/delivery.js';
import { RecordStream } from '../../sdk/src/records/stream/record-stream.js';
import {
  decodePack,
  encodeFrame,
  encodePack,
  frameLaneHash,
  type NewPack,
  openPackedSpool,
  type Pack,
  type PackedSpool,
  SpoolReader,
  encodeFrameOfLine,
} from '../../sdk/src/records/stream/packed-spool.js';
import { createChunkPool, Lane } from '../../sdk/src/records/stream/record-chunk.js';
import { streamPolicy } from '../../sdk/src/records/stream/stream-policy.js';
import { createMemorySegmentLog, type MemorySegmentLog } from '../support/memory-segment-log.js';
import {
  ACKNOWLEDGED,
  createStreamLab,
  createStreamTestClock,
  passed,
  sampleRecord,
  settled,
  until,
  type SentBatch,
  type StreamLab,
  type StreamLabOptions,
} from '../support/stream-lab.js';

const AWAY: DeliveryResult = { status: 'unavailable', reason: 'connection-failed' };

/** Packs whatever waits behind the first batches. */
const POLICY = { maxInFlight: 2, batchRecords: 5, windowBytes: 8_192, packAboveBytes: 1_024, breakerFailures: 2 };

const CALLS = 7;

type PackingLab = StreamLab & { readonly packed: PackedSpool };

/** A stream whose receiver is away, with so many records, most of them packed. */
async function packingLab(
  packs: MemorySegmentLog,
  { records = 200, ...options }: StreamLabOptions & { readonly records?: number } = {},
): Promise<PackingLab> {
  const packed = await openPackedSpool(packs);
  const lab = createStreamLab({ ...options, packed, policy: { ...POLICY, ...options.policy } });
  lab.reply = () => AWAY;
  recordLegs(lab, 1, records);
  return Object.assign(lab, { packed });
}

function recordLegs(lab: StreamLab, first: number, last: number): void {
  for (let leg = first; leg <= last; leg += 1) lab.stream.record(sampleRecord(leg, leg % CALLS));
}

const isPacked = (lab: PackingLab, records: number) => (): boolean => lab.packed.through() >= records;

/** Legs that came, each time that they did. */
const legsOf = (batches: readonly SentBatch[]): readonly number[] =>
  batches.flatMap(({ records }) => records.map(({ legId }) => Number.parseInt(legId, 10)));

const upTo = (last: number): readonly number[] => Array.from({ length: last }, (_none, index) => index + 1);

/** Takes everything from now on; what is sent then. */
async function takenBy(lab: StreamLab, reply: StreamLab['reply'] = () => ACKNOWLEDGED): Promise<readonly SentBatch[]> {
  const before = lab.sent.length;
  lab.reply = reply;
  await until(lab, () => lab.stream.status().acknowledgedSequence === lab.log.lastSequence, 1_000);
  return lab.sent.slice(before);
}

const sorted = (numbers: readonly number[]): readonly number[] => [...numbers].sort((one, other) => one - other);

function expectCallsInOrder(batches: readonly SentBatch[]): void {
  const newest = new Map<number, number>();
  for (const leg of legsOf(batches)) {
    expect(leg).toBeGreaterThan(newest.get(leg % CALLS) ?? 0);
    newest.set(leg % CALLS, leg);
  }
}

const packsOf = async (log: MemorySegmentLog): Promise<readonly Pack[]> =>
  (await log.read(1, { maxBytes: 2 ** 30 })).flatMap(({ payload }) => decodePack(payload) ?? []);

test('packs what waits while the receiver is away, frees the spool, and sends it as it was packed, each record once', async () => {
  const packs = createMemorySegmentLog();
  await using lab = await packingLab(packs);
  await until(lab, isPacked(lab, 100));
  recordLegs(lab, 201, 230);
  await until(lab, () => lab.log.trimmedThrough() >= 150);
  expect(lab.stream.status()).toMatchObject({
    inFlight: 0,
    acknowledged: 0,
    dropped: 0,
    lastSequence: 230,
    queued: 230,
  });
  // All but the newest group: that one could be packed again.
  const { groupFirst } = (await packsOf(packs)).at(-1) ?? { groupFirst: 0 };
  expect(lab.log.trimmedThrough()).toBe(groupFirst - 1);
  const bodies = (await packsOf(packs)).map(({ body }) => Buffer.from(body).toString('hex'));
  const batches = await takenBy(lab);
  expect(sorted(legsOf(batches))).toEqual(upTo(230));
  expectCallsInOrder(batches);
  const sent = new Set(batches.map(({ batch }) => Buffer.from(batch.body).toString('hex')));
  expect(bodies.filter((body) => !sent.has(body))).toEqual([]);
  expect(lab.stream.status()).toMatchObject({ queued: 0, packed: 0, acknowledged: 230, requests: lab.sent.length });
});

test('packs nothing while the receiver takes what comes, nor less than is worth it', async () => {
  const packs = createMemorySegmentLog();
  await using lab = await packingLab(packs, { policy: { packAboveBytes: 1_048_576 } });
  await settled();
  await passed(lab, 10_000);
  expect(packs.lastSequence).toBe(0);
  await takenBy(lab);
  await using busy = await packingLab(packs);
  await takenBy(busy);
  expect(packs.lastSequence).toBe(0);
});

test('finds the poison record of a pack, and what the receiver rejects of one it took', async () => {
  await using lab = await packingLab(createMemorySegmentLog());
  await until(lab, isPacked(lab, 100));
  const [poison, odd] = [sampleRecord(50).recordId, sampleRecord(51).recordId];
  await takenBy(lab, ({ recordIds }) => {
    if (recordIds.includes(poison)) return { status: 'refused', reason: 'content', httpStatus: 422 };
    return { status: 'acknowledged', rejected: recordIds.includes(odd) ? [{ recordId: odd, code: 'odd' }] : [] };
  });
  const letters: string[] = [];
  for await (const { line, reason } of lab.stream.deadLetters())
    letters.push(`${reason} ${(JSON.parse(line) as { recordId: string }).recordId}`);
  expect(letters.sort()).toEqual([`refused ${poison}`, `rejected ${odd}`]);
  expect(lab.stream.status()).toMatchObject({ acknowledged: 198, dead: 2, queued: 0 });
});

test('counts what all packs had, those before the first that can be read, and those behind the last', async () => {
  const groups = async (): Promise<MemorySegmentLog> => {
    const packs = createMemorySegmentLog();
    const packed = await openPackedSpool(packs);
    for (const first of [11, 21, 31])
      await packed.add({ first, last: first + 9, packs: [onePack('1\n', 4), onePack('2\n', 6)] });
    return packs;
  };
  /** What is counted when the spool begins behind the second group and 10 records are settled. */
  const countedOf = async (packs: MemorySegmentLog, settledThrough: number | undefined): Promise<number> => {
    const packed = await openPackedSpool(packs);
    packed.meet({ firstSequence: 31, lastSequence: 45 }, settledThrough);
    while (packed.hasUnread())
      for (const read of await packed.read(1_000_000, true)) packed.passed(read, read.pack?.groupLast ?? 0);
    return packed.lost();
  };
  const lose = async (...places: readonly number[]): Promise<MemorySegmentLog> => {
    const packs = await groups();
    for (const place of places) packs.lose(place);
    return packs;
  };
  expect(await countedOf(await groups(), 10)).toBe(0);
  expect(await countedOf(await lose(1), 10)).toBe(4);
  expect(await countedOf(await lose(1, 2, 3), 10)).toBe(14);
  // Settled already, or not known to be.
  expect(await countedOf(await lose(1, 2, 3), 20)).toBe(4);
  expect(await countedOf(await lose(1), undefined)).toBe(4);
  expect(await countedOf(await lose(1, 2, 3), undefined)).toBe(4);
  // The spool has the newest group, which is left out where its end is gone.
  expect(await countedOf(await lose(5, 6), 10)).toBe(0);
  expect(await countedOf(await lose(6), 10)).toBe(0);
  expect(await countedOf(await lose(1, 2, 6), 10)).toBe(10);
  expect(await countedOf(await lose(4, 5, 6), 10)).toBe(6);
  expect(await countedOf(await lose(1, 2, 3, 4, 5, 6), 10)).toBe(20);
  expect(await countedOf(await lose(1, 2, 3, 4, 5, 6), undefined)).toBe(0);
  // A group whose end is gone, and of which the spool has a part: the most that it can be.
  for (const [firstSequence, count] of [
    [26, 5],
    [28, 6],
    [31, 6],
  ] as const) {
    const packed = await openPackedSpool(await lose(4, 5, 6));
    packed.meet({ firstSequence, lastSequence: 45 }, 10);
    expect(packed.lost()).toBe(count);
  }
  // What its packs have may be settled, or be in the spool.
  for (const [firstSequence, settledThrough, count] of [
    [21, 14, 6],
    [21, 12, 6],
    [21, 16, 4],
    [18, 14, 3],
    [31, 14, 16],
  ] as const) {
    const packed = await openPackedSpool(await lose(2, 3, 4, 5, 6));
    packed.meet({ firstSequence, lastSequence: 45 }, settledThrough);
    expect([firstSequence, settledThrough, packed.lost()]).toEqual([firstSequence, settledThrough, count]);
  }
});

test.each(['the end', 'all'])('keeps its position before a group of which %s is lost', async (lost) => {
  const calls = [0, 1].map((lane) =>
    upTo(40).find((call) => frameLaneHash(encodeFrame(sampleRecord(1, call), 0), 0) % 2 === lane),
  );
  const packs = createMemorySegmentLog();
  const first = await packingLab(packs, { records: 0 });
  for (let leg = 1; leg <= 60; leg += 1) first.stream.record(sampleRecord(leg, calls[leg <= 30 ? 0 : 1]));
  await until(first, isPacked(first, 60));
  await first.stream.close();
  // Packed for two lanes, and unpacked for three.
  const policy = { maxInFlight: 3, batchRecords: 2, packAboveBytes: Number.MAX_SAFE_INTEGER, windowBytes: 1_000_000 };
  const some = await packingLab(packs, { ...first, records: 0, policy });
  some.reply = () => (legsOf(some.sent).length > 30 ? AWAY : ACKNOWLEDGED);
  await until(some, () => some.stream.status().breaker === 'open');
  some.clock.advance(300);
  await some.stream.close();
  expect(some.values.get('stream.acknowledged')).toBe('0');
  for (let place = lost === 'all' ? 1 : packs.lastSequence; place <= packs.lastSequence; place += 1) packs.lose(place);
  await using again = await packingLab(packs, { ...first, records: 0, policy });
  expect(sorted(legsOf(await takenBy(again)))).toEqual(upTo(60));
});

test('counts packs at the end that are lost before they are read', async () => {
  const packs = createMemorySegmentLog();
  await using lab = await packingLab(packs, { records: 0 });
  packs.disk = 'refuses-reads';
  recordLegs(lab, 1, 200);
  await until(lab, isPacked(lab, 200));
  packs.disk = 'works';
  const { count } = (await packsOf(packs)).at(-1) ?? { count: 0 };
  packs.lose(packs.lastSequence);
  expect(new Set(legsOf(await takenBy(lab))).size).toBe(200 - count);
  expect(lab.packed.lost()).toBe(count);
});

test('takes nothing for lost where its position is', async () => {
  const packs = createMemorySegmentLog();
  await (await openPackedSpool(packs)).add({ first: 1, last: 9, packs: [onePack('1\n', 9)] });
  const packed = await openPackedSpool(packs);
  packed.meet({ firstSequence: 500, lastSequence: 600 }, undefined);
  expect(packed.lost()).toBe(0);
});

test('counts what it holds and gives up by what packs take', async () => {
  const packs = createMemorySegmentLog();
  const policy = { maxSpoolBytes: 24_000, packAboveBytes: 6_000, batchRecords: 20, dropPolicy: 'drop-oldest' as const };
  await using lab = await packingLab(packs, { records: 0, policy });
  for (let leg = 1; leg <= 400; leg += 1) {
    lab.stream.record(sampleRecord(leg, leg % CALLS));
    if (leg % 4 === 0) await settled(2);
    if (leg % 20 === 0) lab.clock.advance(100);
  }
  await until(lab, isPacked(lab, 380));
  const { dropped } = lab.stream.status();
  // Of 900 octets each it would hold 26.
  expect(400 - dropped).toBeGreaterThan(50);
  expect(dropped).toBeGreaterThan(0);
  const batches = await takenBy(lab);
  expect(new Set(legsOf(batches)).size + lab.stream.status().dropped).toBe(400);
  expect(legsOf(batches)).toContain(400);
});

/** A log whose calls a test takes over. */
function takenOver(log: MemorySegmentLog, calls: Partial<MemorySegmentLog>): MemorySegmentLog {
  return new Proxy(log, { get: (own, name) => Reflect.get(name in calls ? calls : own, name) as unknown });
}

const onePack = (line: string, count = 1): NewPack => ({
  ...{ encoding: 'gzip', lane: 0, lanes: 1, acceptedAtMs: 0, count, lineBytes: line.length, body: gzipSync(line) },
});

test('reads a group that is added while it finds that those before are lost', async () => {
  const log = createMemorySegmentLog();
  await (await openPackedSpool(log)).add({ first: 1, last: 1, packs: [onePack('1\n')] });
  const held = { isHeld: false, go: (): void => undefined };
  const slow = takenOver(log, {
    read: async (...asked) => {
      const found = await log.read(...asked);
      if (held.isHeld) await new Promise<void>((resolve) => (held.go = resolve));
      return found;
    },
  });
  const packed = await openPackedSpool(slow);
  log.lose(1);
  held.isHeld = true;
  const read = packed.read(1_000, false);
  await settled();
  await packed.add({ first: 2, last: 2, packs: [onePack('2\n')] });
  held.go();
  expect(await read).toEqual([]);
  expect(packed.hasUnread()).toBe(true);
});

test('is not opened while packs are in doubt that the spool may have no more', async () => {
  const log = createMemorySegmentLog({ isManual: true });
  const group = { first: 1, last: 1, packs: [onePack('1\n')] };
  log.disk = 'refuses-writes';
  await expect((await openPackedSpool(log)).add(group)).rejects.toThrow('ENOSPC');
  await expect(openPackedSpool(log)).rejects.toThrow('ENOSPC');
  log.disk = 'works';
  expect((await openPackedSpool(log)).through()).toBe(1);
});

test('a group of which all is settled leaves the mean as it was', async () => {
  const packed = await openPackedSpool(createMemorySegmentLog());
  await packed.add({ first: 1, last: 1, packs: [onePack('1\n')] });
  const mean = packed.meanRecordBytes();
  await packed.add({ first: 2, last: 9, packs: [] });
  expect(packed.meanRecordBytes()).toBe(mean);
});

test('hands a group to a log that takes part of it, and the rest of it later', async () => {
  const packs = createMemorySegmentLog();
  let taken = 0;
  const full = takenOver(packs, {
    append: (payload) => (taken++ % 4 === 3 ? { accepted: false, reason: 'full' } : packs.append(payload)),
  });
  await using lab = await packingLab(full, { policy: { packAboveBytes: 20_000 } });
  await until(lab, isPacked(lab, 100), 1_000);
  expect(lab.stream.status().storageFailures).toBeGreaterThan(0);
  const firsts = (await packsOf(packs)).map(({ first }) => first);
  expect(new Set(firsts).size).toBe(firsts.length);
  expect(sorted(legsOf(await takenBy(lab)))).toEqual(upTo(200));
});

test('sends no record of a torn group twice, and gives up none, also where it is packed again for other lanes', async () => {
  const packs = createMemorySegmentLog();
  const first = await packingLab(packs, { records: 60 });
  await until(first, isPacked(first, 50));
  await first.stream.close();
  const all = await packsOf(packs);
  const torn = (): MemorySegmentLog => {
    const cut = createMemorySegmentLog();
    for (const pack of all.slice(0, -1).filter(({ groupFirst }) => groupFirst === all[0]?.groupFirst))
      cut.append(encodePack({ ...pack, isLast: false }, pack.body));
    cut.sync();
    return cut;
  };
  const policy = { maxInFlight: 3, batchRecords: 50, windowBytes: 1_000_000 };
  // As a killed process leaves it: the spool lets go of nothing before the group is whole.
  const log = createMemorySegmentLog();
  for (let leg = 1; leg <= 60; leg += 1) log.append(encodeFrame(sampleRecord(leg, leg % CALLS), 0));
  log.sync();
  await using lab = await packingLab(torn(), { log, records: 0, policy });
  await until(lab, isPacked(lab, 50));
  expect(sorted(legsOf(await takenBy(lab)))).toEqual(upTo(60));
  expect(lab.stream.status()).toMatchObject({ acknowledged: 60, queued: 0 });
  // Where the spool is not the one that it was packed from, what is there is sent.
  await using other = await packingLab(torn(), { records: 60, policy });
  await until(other, isPacked(other, 50));
  expect(sorted([...new Set(legsOf(await takenBy(other)))])).toEqual(upTo(60));
});

test('knows how far it is packed where a later release packed on, and puts that aside', async () => {
  const packs = createMemorySegmentLog();
  await (await openPackedSpool(packs)).add({ first: 1, last: 9, packs: [onePack('1\n')] });
  packs.append('of a later release');
  packs.sync();
  const packed = await openPackedSpool(packs);
  expect(packed.through()).toBe(9);
  const log = createMemorySegmentLog({ after: 9 });
  await using lab = createStreamLab({ packed, log, values: new Map([['stream.acknowledged', '9']]) });
  lab.stream.record(sampleRecord(10));
  await takenBy(lab);
  await until(lab, () => lab.stream.status().dead === 1);
  for await (const { reason, line } of lab.stream.deadLetters())
    expect([reason, Buffer.from(line, 'base64').toString()]).toEqual(['unreadable', 'of a later release']);
  lab.clock.advance(1_000);
  await until(lab, () => packs.trimmedThrough() === 2);
});

test('puts aside a pack of a later release that is larger than any record', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-'));
  const packs = await SegmentLog.open({ directory: join(directory, 'packed') });
  packs.append(new Uint8Array(1_000_000));
  await packs.close();
  const transport: RecordTransport = { deliver: async () => ACKNOWLEDGED, close: async () => {} };
  const stream = await RecordStream.open({ directory, source: '/test/stream', transport });
  stream.record(sampleRecord(1));
  expect(await stream.drain({ timeoutMs: 10_000 })).toEqual({ status: 'drained' });
  expect(stream.status()).toMatchObject({ acknowledged: 1, dead: 1 });
  await stream.close();
  await rm(directory, { recursive: true });
});

test('closes without a complaint when a group could not be written, which the spool has still', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-'));
  const policy = { ...POLICY, lingerMs: 0, breakerFailures: 1, retry: { baseMs: 1, capMs: 1 } };
  const parts = { directory, source: '/test/stream', policy };
  const away: RecordTransport = { deliver: async () => AWAY, close: async () => {} };
  const stream = await RecordStream.open({ ...parts, transport: away });
  await rm(join(directory, 'packed'), { recursive: true });
  for (let leg = 1; leg <= 50; leg += 1) stream.record(sampleRecord(leg));
  await stream.flush();
  await vi.waitFor(() => expect(stream.status().storageFailures).toBeGreaterThan(0));
  await stream.close();
  const transport: RecordTransport = { deliver: async () => ACKNOWLEDGED, close: async () => {} };
  const again = await RecordStream.open({ ...parts, transport });
  await again.drain();
  expect(again.status().acknowledged).toBe(50);
  await again.close();
  await rm(directory, { recursive: true });
});

test('frees packs of which all was settled in an earlier life', async () => {
  const packs = createMemorySegmentLog();
  await (await openPackedSpool(packs)).add({ first: 1, last: 9, packs: [onePack('1\n')] });
  const log = createMemorySegmentLog({ after: 9 });
  const values = new Map([['stream.acknowledged', '9']]);
  await using lab = createStreamLab({ packed: await openPackedSpool(packs), log, values });
  lab.stream.record(sampleRecord(10));
  await takenBy(lab);
  await until(lab, () => packs.trimmedThrough() === 1);
});

test('counts as waiting only what does, when packs are not read yet', async () => {
  const packs = createMemorySegmentLog();
  await using lab = await packingLab(packs, { records: 0 });
  lab.reply = () => ACKNOWLEDGED;
  recordLegs(lab, 1, 100);
  await takenBy(lab);
  lab.reply = () => AWAY;
  packs.disk = 'refuses-reads';
  recordLegs(lab, 101, 200);
  await until(lab, isPacked(lab, 130));
  expect(lab.stream.status().queued).toBe(100);
});

test('a read that the spool refused is not due while the spool is packed', async () => {
  const log = createMemorySegmentLog();
  let does: 'refuse' | 'hang' | 'work' = 'work';
  let go = (): void => undefined;
  const slow = takenOver(log, {
    visit: async (...asked) => {
      if (does === 'refuse') throw new Error('EIO');
      if (does === 'hang') await new Promise<void>((resolve) => (go = resolve));
      return log.visit(...asked);
    },
  });
  const policy = { packAboveBytes: 4_000, windowBytes: 1_000_000, breakerOpen: { baseMs: 5_000, capMs: 5_000 } };
  await using lab = await packingLab(createMemorySegmentLog(), { log: slow, records: 3, policy });
  await until(lab, () => lab.stream.status().breaker === 'open');
  does = 'refuse';
  lab.stream.record(sampleRecord(4));
  await until(lab, () => lab.stream.status().storageFailures === 1);
  does = 'hang';
  for (let leg = 5; leg <= 30; leg += 1) lab.stream.record(sampleRecord(leg));
  await settled();
  // A storm of timers throws.
  expect(() => lab.clock.advance(1_500)).not.toThrow();
  does = 'work';
  go();
  expect(new Set(legsOf(await takenBy(lab))).size).toBe(30);
});

test('packs on behind a block that the disk does not give, however often it is asked', async () => {
  const log = createMemorySegmentLog();
  const damaged = takenOver(log, {
    visit: async (from, show, limits) => {
      if (from <= 150 && limits?.skipUnreadable !== true) throw new Error('EIO');
      return log.visit(from, show, limits);
    },
  });
  await using lab = await packingLab(createMemorySegmentLog(), { log: damaged });
  for (let leg = 201; leg <= 400; leg += 1) {
    lab.stream.record(sampleRecord(leg, leg % CALLS));
    await settled(4);
    lab.clock.advance(1_000);
  }
  await until(lab, isPacked(lab, 300));
  expect(sorted([...new Set(legsOf(await takenBy(lab)))])).toEqual(upTo(400));
});

test('compresses few batches of a group at once, however many it has', async () => {
  const clock = { nowMs: () => 0, monotonicMs: () => 0, schedule: () => () => undefined };
  const log = createMemorySegmentLog();
  for (let leg = 1; leg <= 100; leg += 1) log.append(encodeFrame(sampleRecord(leg), 0));
  log.sync();
  const packed = await openPackedSpool(createMemorySegmentLog());
  let compressing = 0;
  let most = 0;
  const packer = new BacklogPacker({
    ...{ log, packed, clock, encoding: 'gzip', policy: streamPolicy({ batchRecords: 1 }) },
    reader: { spoolSequence: () => 1, isReadingSpool: () => false, skippedThrough: () => 0 },
    ...{
      settledThrough: () => 0,
      keepSettled: async () => true,
      rewind: () => true,
      isSettled: () => false,
      waitingBytes: () => 2 ** 30,
    },
    ...{ onEnded: () => undefined, onFailed: () => undefined },
    compress: async (lines) => {
      most = Math.max(most, (compressing += 1));
      await settled(1);
      compressing -= 1;
      return gzipSync(lines);
    },
  });
  packer.run();
  await until({ clock: { advance: () => undefined } } as unknown as StreamLab, () => packed.through() === 100);
  expect(most).toBe(4);
  await packer.close();
});

/** A delivery of one lane that nobody starts, and what hands it a pack of two records made for others. */
function partingDelivery(): {
  readonly delivery: Delivery;
  readonly push: (place: Pick<Pack, 'first' | 'groupFirst' | 'groupLast'>) => Promise<void>;
} {
  const delivery = new Delivery({
    transport: { encoding: 'gzip', deliver: async () => ACKNOWLEDGED, close: async () => undefined },
    deadLetters: createDeadLetters({
      ...{ log: createMemorySegmentLog(), nowMs: () => 0, maxBytes: 1_000 },
      values: { get: () => undefined, set: async () => undefined },
    }),
    ...{ policy: streamPolicy({ maxInFlight: 1 }), clock: createStreamTestClock(), random: () => 0.5 },
    ...{ source: '/test', compress: async (lines) => gzipSync(lines), onSettled: () => undefined },
  });
  const lines = `${JSON.stringify(sampleRecord(1))}\n${JSON.stringify(sampleRecord(2))}\n`;
  const common = { ...onePack(lines, 2), lanes: 3, isLast: true, before: 0 };
  const push: ReturnType<typeof partingDelivery>['push'] = (place) => {
    const pack: Pack = { ...common, ...place };
    return delivery.pushPack({ sequence: 1, pack, payload: pack.body, isLeftOut: false }, 0, place.groupLast);
  };
  return { delivery, push };
}

test('no group is taken for settled while its last pack is being unpacked', async () => {
  const { delivery, push } = partingDelivery();
  const pushed = push({ first: 9, groupFirst: 5, groupLast: 10 });
  expect(delivery.floorSequence()).toBe(Number.POSITIVE_INFINITY);
  await pushed;
  expect(delivery.queued()).toBe(2);
  expect(delivery.floorSequence()).toBe(5);
  await delivery.close();
});

test('a group that was packed again is not settled with the torn one that it began with', async () => {
  const { delivery, push } = partingDelivery();
  await push({ first: 11, groupFirst: 11, groupLast: 20 });
  await push({ first: 26, groupFirst: 11, groupLast: 30 });
  // What the torn one has is gone, and the other one's last records wait.
  expect(delivery.dropThrough(12)).toBe(2);
  expect(delivery.floorSequence()).toBe(11);
  expect(delivery.dropThrough(27)).toBe(2);
  expect(delivery.floorSequence()).toBe(Number.POSITIVE_INFINITY);
  await delivery.close();
});

test('parts of a refused pack stay parts where records behind it are taken back to be packed', () => {
  const lane = new Lane(createChunkPool({ records: 4, bytes: 10_000 }, { chunks: 1, bytes: 10_000 }), {
    monotonicMs: () => 0,
  });
  const body = gzipSync('1\n2\n3\n4\n');
  const place = { lane: 0, lanes: 1, isLast: true, first: 1, groupFirst: 1, groupLast: 4, before: 0 };
  lane.pushPack({ ...place, encoding: 'gzip', acceptedAtMs: 0, count: 4, lineBytes: 8, body });
  const frame = encodeFrame(sampleRecord(5), 0);
  lane.push(5, frame, 0, frame.length);
  lane.split(lane.cut().count);
  expect(lane.forgetAbove(4)).toBe(5);
  expect(lane.cut().count).toBe(2);
});

test('a pack says what it holds, and nothing else is taken for one', () => {
  const pack: Pack = {
    ...{ encoding: 'gzip', lane: 1, lanes: 4, isLast: true, acceptedAtMs: 1_790_000_000_123, count: 2, lineBytes: 30 },
    ...{ first: 2 ** 45, groupFirst: 2 ** 45 - 1, groupLast: 2 ** 45 + 7, before: 17, body: Uint8Array.of(1, 2, 3) },
  };
  expect(decodePack(encodePack(pack, pack.body))).toEqual(pack);
  expect(decodePack(new Uint8Array(200))).toBeUndefined();
  expect(decodePack(encodePack(pack, pack.body).subarray(0, 40))).toBeUndefined();
});

const frameOf = (octets: number): Uint8Array => encodeFrameOfLine('x'.repeat(octets - 1), 'call-1', 0);

function spoolOf(records: number): MemorySegmentLog {
  const log = createMemorySegmentLog({ isManual: true });
  for (let number = 1; number <= records; number += 1) log.append(frameOf(100));
  log.sync();
  return log;
}

test('a chunk of few records has the memory of few records', () => {
  const capacityOf = (records: number): number => {
    const chunk = createChunkPool({ records, bytes: 1_048_576 }, { chunks: 1, bytes: 1_048_576 }).take(true);
    chunk.add(1, frameOf(100), 0, frameOf(100).length);
    return chunk.capacityBytes;
  };
  expect([1, 10, 500].map(capacityOf)).toEqual([100, 1_000, 4_096]);
});

test('a pool keeps as many chunks and octets as it may, and gives out again what it keeps', () => {
  const pool = createChunkPool({ records: 1, bytes: 1_024 }, { chunks: 3, bytes: 1_000 });
  const [first, second, third] = [600, 600, 300].map((octets) => {
    const chunk = pool.take(true);
    chunk.add(1, frameOf(octets), 0, frameOf(octets).length);
    return chunk;
  });
  for (const chunk of [first, second, third]) if (chunk !== undefined) pool.give(chunk);
  const again = [1, 2, 3].map(() => pool.take(true));
  expect(again.slice(0, 2)).toEqual([third, first]);
  expect(again[2]?.capacityBytes).toBe(0);
});

test('a record that there was no memory for is read again', async () => {
  const clock = createStreamTestClock();
  const pushed: number[] = [];
  let isOutOfMemory = true;
  let failed = 0;
  const reader = new SpoolReader({
    ...{ log: spoolOf(3), clock, fromSequence: 1, onRead: () => {}, onFailed: () => void (failed += 1) },
    push: (sequence) => {
      if (sequence === 2 && isOutOfMemory) throw new RangeError('Array buffer allocation failed');
      pushed.push(sequence);
    },
  });
  reader.read();
  await settled();
  expect([pushed, failed, reader.nextSequence()]).toEqual([[1], 1, 2]);
  isOutOfMemory = false;
  clock.advance(1_000);
  reader.read();
  await settled();
  expect([pushed, reader.nextSequence()]).toEqual([[1, 2, 3], 4]);
});

test('what is behind records that were left out, and trimmed, while they were to be read is not taken for lost', async () => {
  const log = spoolOf(5);
  const pushed: number[] = [];
  let trim: (() => void) | undefined;
  /** Finds its segment gone, as where it was trimmed before it could be opened. */
  const lateVisit = (): Promise<number> => new Promise((resolve) => (trim = () => resolve(0)));
  const reader = new SpoolReader({
    log: takenOver(log, {
      durableSequence: 5,
      visit: (from, ...rest) => (from === 1 ? lateVisit() : log.visit(from, ...rest)),
    }),
    ...{ clock: createStreamTestClock(), fromSequence: 1, onRead: () => {}, onFailed: () => {} },
    push: (sequence) => void pushed.push(sequence),
  });
  reader.read();
  reader.skipThrough(3);
  trim?.();
  await settled();
  reader.read();
  await settled();
  expect(pushed).toEqual([4, 5]);
});
