import { readdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { countDays } from '../../sdk/src/records/store/duckdb/engine.js';
import type { DaySums, Engine, MarkedSum } from '../../sdk/src/records/store/duckdb/engine.js';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import { DAY_US } from '../../sdk/src/records/store/record-store.js';
import { storeFolders } from '../support/record-store-folder.js';
import { NOON_US, sampleRecord } from '../support/stored-records.js';

const folders = storeFolders();
afterEach(folders.clear);

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
