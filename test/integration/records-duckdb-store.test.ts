import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { countDays, type DaySums, type Engine, type MarkedSum } from '../../sdk/src/records/store/duckdb/engine.js';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import { DAY_US, type RecordStore } from '../../sdk/src/records/store/record-store.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { lookupClaims, storeClaims } from '../support/record-store-conformance.js';
import { storeFolders } from '../support/record-store-folder.js';
import { NOON_US, sampleRecord, sparseRecord } from '../support/stored-records.js';
import { storageFailed } from '../../sdk/src/records/store/duckdb/duckdb-module.js';

const folders = storeFolders();
afterEach(folders.clear);

lookupClaims({
  name: 'the DuckDB store',
  holding: async (records, coverage) => {
    const store = await folders.empty(new ManualClock());
    await store.insert(records);
    for (const interval of coverage) await store.cover(interval);
    return store;
  },
});

storeClaims({ name: 'the DuckDB store', empty: folders.empty, reopened: folders.reopened });

const dayFile = (day: string): string => join(folders.current(), 'days', `${day}.duckdb`);
const twoDays = async (): Promise<RecordStore> => {
  const store = await folders.empty(new ManualClock());
  await store.insert([sparseRecord('day 2', NOON_US), sparseRecord('day 3', NOON_US + DAY_US)].map(onEast));
  await store.cover({ sourceId: 'sbc-1', fromUs: NOON_US - DAY_US, toUs: NOON_US + 2 * DAY_US });
  return store;
};
const onEast = (record: CallRecord): CallRecord => ({ ...record, ingress: { trunk: 'east-1' } });

test('of a day whose file is gone nothing is complete any more, until it is said anew', async () => {
  await (await twoDays()).close();
  rmSync(dayFile('2026-11-03'));
  await using store = await folders.reopened(new ManualClock());
  const midnightUs = NOON_US + DAY_US / 2;
  const expected = [
    { sourceId: 'sbc-1', fromUs: NOON_US - DAY_US, toUs: midnightUs - 1 },
    { sourceId: 'sbc-1', fromUs: midnightUs + DAY_US, toUs: NOON_US + 2 * DAY_US },
  ];
  expect(await store.coverage({ fromUs: 0, toUs: 2 * NOON_US })).toEqual(expected);
  await store.close();
  await using again = await folders.reopened(new ManualClock());
  expect(await again.coverage({ fromUs: 0, toUs: 2 * NOON_US })).toEqual(expected);
  await again.cover({ sourceId: 'sbc-1', fromUs: midnightUs, toUs: midnightUs + DAY_US - 1 });
  expect(await again.coverage({ fromUs: 0, toUs: 2 * NOON_US })).toHaveLength(1);
});

test('a day whose file is damaged is named, hides no other, and goes when its time comes', async () => {
  await (await twoDays()).close();
  writeFileSync(dayFile('2026-11-02'), randomBytes(500_000));
  await using store = await folders.reopened(new ManualClock());
  const at = (us: number) => ({ window: { fromUs: us - 1, toUs: us + 1 }, trunk: 'east-1' });
  await expect(store.find(at(NOON_US))).rejects.toMatchObject({
    code: 'storage-failed',
    message: expect.stringContaining('days/2026-11-02.duckdb') as string,
  });
  expect((await store.find(at(NOON_US + DAY_US))).records).toHaveLength(1);
  await expect(store.insert([sparseRecord('other', NOON_US + 5)])).rejects.toMatchObject({ code: 'storage-failed' });
  await store.expire(NOON_US + DAY_US / 2);
  expect(existsSync(dayFile('2026-11-02'))).toBe(false);
  expect(await store.statistics()).toMatchObject({ records: 1, partitions: 1 });
});

test('looking through many days leaves those open that are written to', async () => {
  await using store = await folders.empty(new ManualClock());
  const days = Array.from({ length: 40 }, (_, day) => NOON_US + day * DAY_US);
  for (const us of days) await store.insert([onEast(sparseRecord('leg', us))]);
  // A day that is written to has a log until it is closed.
  const logs = (): readonly string[] =>
    readdirSync(join(folders.current(), 'days')).filter((name) => name.endsWith('.wal'));
  const written = logs();
  for (const us of [...days, ...days]) {
    const window = { fromUs: us, toUs: us };
    expect((await store.find({ window, trunk: 'east-1' })).records).toHaveLength(1);
  }
  expect(written).toHaveLength(14);
  expect(logs()).toEqual(written);
});

test('a day that is opened for a few records many times is put together again', { timeout: 60_000 }, async () => {
  await (await folders.empty(new ManualClock())).close();
  const rounds = 40;
  for (let round = 0; round < rounds; round += 1) {
    await using store = await folders.reopened(new ManualClock());
    const records = Array.from({ length: 5 }, (_, at) => onEast(sparseRecord(`${round} ${at}`, NOON_US + round)));
    expect(await store.insert(records)).toMatchObject({ inserted: 5 });
  }
  // Each opening leaves a block of its own, until there are sixteen.
  const blocks = statSync(dayFile('2026-11-02')).size / 262_144;
  expect(blocks).toBeLessThan(30);
  await using store = await folders.reopened(new ManualClock());
  expect(
    (await store.find({ window: { fromUs: NOON_US, toUs: NOON_US + rounds }, trunk: 'east-1' })).records,
  ).toHaveLength(5 * rounds);
});

test.each([
  [
    'IO Error: Could not write file "/store/days/1.duckdb": No space left on device',
    ': No space left on device (ENOSPC)',
  ],
  ['IO Error: Cannot open file "/store/state.duckdb": Permission denied', ': Permission denied (EACCES)'],
  ['Constraint Error: Duplicate key "called: 12025550100"', ''],
])('a store that fails says what the system said, and nothing else of %s', (message, reason) => {
  const cause = new Error(message);
  expect(storageFailed('take records', cause, '/store')).toMatchObject({
    ...{ code: 'storage-failed', message: `the record store /store could not take records${reason}`, cause },
  });
});

const NOON_MS = 12 * 3_600_000;
const DAY_0_NOON_US = NOON_MS * 1_000;

/** Days 0 to 2 with one record each, whose marks are those given. */
function engineOf(marks: (day: number) => string | undefined, read: number[]): Engine {
  const partitions = {
    days: () => [0, 1, 2],
    sizeBytes: () => Promise.resolve(300),
    markOf: (day: number) => Promise.resolve(marks(day)),
    usingIfThere: (day: number) => {
      read.push(day);
      return Promise.resolve({ getRowsJS: () => [[1n, BigInt(DAY_0_NOON_US), BigInt(DAY_0_NOON_US)]] });
    },
  };
  return { partitions, reading: (work: (connection: undefined) => unknown) => work(undefined) } as unknown as Engine;
}

function sumsOf(kept: ReadonlyMap<number, MarkedSum> = new Map()): DaySums {
  return { of: (day) => kept.get(day), keep: () => Promise.resolve() };
}

test('a day is opened to be counted once, and again when its file has changed', async () => {
  const read: number[] = [];
  const first = await countDays(
    engineOf((day) => `mark ${day}`, read),
    sumsOf(),
  );
  const expected = {
    records: 3,
    sizeBytes: 300,
    partitions: 3,
    oldestUs: DAY_0_NOON_US,
    newestUs: 2 * DAY_US + DAY_0_NOON_US,
  };
  expect(first.statistics).toEqual(expected);
  expect(read.splice(0)).toEqual([0, 1, 2]);
  const second = await countDays(
    engineOf((day) => (day === 1 ? 'changed' : `mark ${day}`), read),
    sumsOf(first.fresh),
  );
  expect(second.statistics).toEqual(expected);
  expect(read).toEqual([1]);
  expect([...second.fresh.keys()]).toEqual([1]);
});

test('a sum is not kept of a file that has a log, or that changes while it is counted', async () => {
  let changes = 0;
  const marks = (day: number): string | undefined =>
    day === 0 ? undefined : day === 1 ? `mark ${(changes += 1)}` : 'same';
  const { fresh, statistics } = await countDays(engineOf(marks, []), sumsOf());
  expect([...fresh.keys()]).toEqual([2]);
  expect(statistics.records).toBe(3);
});

/** As if nothing had been written for an hour. */
function age(directory: string): void {
  const days = join(directory, 'days');
  const then = Date.now() / 1_000 - 3_600;
  for (const name of readdirSync(days)) utimesSync(join(days, name), then, then);
}

test('counting is right after whatever happens to a day that was counted before', async () => {
  const directory = folders.make();
  const records = Array.from({ length: 40 }, (_, index) => sampleRecord(index, NOON_US + (index % 4) * DAY_US + index));
  const first = await openDuckDbRecordStore({ directory });
  await first.insert(records);
  await first.close();
  age(directory);

  const second = await openDuckDbRecordStore({ directory });
  const counted = await second.statistics();
  expect(counted).toMatchObject({ records: 40, partitions: 4, oldestUs: NOON_US, newestUs: NOON_US + 3 * DAY_US + 39 });
  expect(await second.statistics()).toEqual(counted);
  // Into the log of a day that is counted.
  await second.insert([sampleRecord(100, NOON_US - 5), sampleRecord(101, NOON_US + DAY_US)]);
  expect(await second.statistics()).toMatchObject({ records: 42, oldestUs: NOON_US - 5 });
  await second.close();
  age(directory);

  await using third = await openDuckDbRecordStore({ directory });
  expect(await third.statistics()).toMatchObject({ records: 42, oldestUs: NOON_US - 5 });
  // Whole days by what was counted, the day of the limit by its rows.
  const beforeUs = NOON_US + DAY_US + 1;
  const older = [...records, sampleRecord(100, NOON_US - 5), sampleRecord(101, NOON_US + DAY_US)].filter(
    ({ inviteAtUs }) => inviteAtUs < beforeUs,
  ).length;
  expect(await third.expire(beforeUs)).toBe(older);
  expect(await third.statistics()).toMatchObject({ records: 42 - older, partitions: 3 });
});
