import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import { createManualClock } from '../../sdk/src/testing/manual-clock.js';
import { lookupClaims, storeClaims } from '../support/record-store-conformance.js';
import { storeFolders } from '../support/record-store-folder.js';
import { NOON_US, sparseRecord } from '../support/stored-records.js';
import { storageFailed } from '../../sdk/src/records/store/duckdb/duckdb-module.js';

const folders = storeFolders();
afterEach(folders.clear);

lookupClaims({
  name: 'the DuckDB store',
  holding: async (records, coverage) => {
    const store = await folders.empty(createManualClock());
    await store.insert(records);
    for (const interval of coverage) await store.cover(interval);
    return store;
  },
});

storeClaims({ name: 'the DuckDB store', empty: folders.empty, reopened: folders.reopened });

const dayFile = (day: string): string => join(folders.current(), 'days', `${day}.duckdb`);
const aDayUs = 86_400_000_000;
const twoDays = async (): Promise<RecordStore> => {
  const store = await folders.empty(createManualClock());
  await store.insert([sparseRecord('day 2', NOON_US), sparseRecord('day 3', NOON_US + aDayUs)].map(onEast));
  await store.cover({ sourceId: 'sbc-1', fromUs: NOON_US - aDayUs, toUs: NOON_US + 2 * aDayUs });
  return store;
};
const onEast = (record: CallRecord): CallRecord => ({ ...record, ingress: { trunk: 'east-1' } });

test('of a day whose file is gone nothing is complete any more, until it is said anew', async () => {
  await (await twoDays()).close();
  rmSync(dayFile('2026-11-03'));
  await using store = await folders.reopened(createManualClock());
  const midnightUs = NOON_US + aDayUs / 2;
  const expected = [
    { sourceId: 'sbc-1', fromUs: NOON_US - aDayUs, toUs: midnightUs - 1 },
    { sourceId: 'sbc-1', fromUs: midnightUs + aDayUs, toUs: NOON_US + 2 * aDayUs },
  ];
  expect(await store.coverage({ fromUs: 0, toUs: 2 * NOON_US })).toEqual(expected);
  await store.close();
  await using again = await folders.reopened(createManualClock());
  expect(await again.coverage({ fromUs: 0, toUs: 2 * NOON_US })).toEqual(expected);
  await again.cover({ sourceId: 'sbc-1', fromUs: midnightUs, toUs: midnightUs + aDayUs - 1 });
  expect(await again.coverage({ fromUs: 0, toUs: 2 * NOON_US })).toHaveLength(1);
});

test('a day whose file is damaged is named, hides no other, and goes when its time comes', async () => {
  await (await twoDays()).close();
  writeFileSync(dayFile('2026-11-02'), randomBytes(500_000));
  await using store = await folders.reopened(createManualClock());
  const at = (us: number) => ({ window: { fromUs: us - 1, toUs: us + 1 }, trunk: 'east-1' });
  await expect(store.find(at(NOON_US))).rejects.toMatchObject({
    code: 'storage-failed',
    message: expect.stringContaining('days/2026-11-02.duckdb') as string,
  });
  expect((await store.find(at(NOON_US + aDayUs))).records).toHaveLength(1);
  await expect(store.insert([sparseRecord('other', NOON_US + 5)])).rejects.toMatchObject({ code: 'storage-failed' });
  await store.expire(NOON_US + aDayUs / 2);
  expect(existsSync(dayFile('2026-11-02'))).toBe(false);
  expect(await store.statistics()).toMatchObject({ records: 1, partitions: 1 });
});

test('looking through many days leaves those open that are written to', async () => {
  await using store = await folders.empty(createManualClock());
  const days = Array.from({ length: 40 }, (_, day) => NOON_US + day * aDayUs);
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
  await (await folders.empty(createManualClock())).close();
  const rounds = 40;
  for (let round = 0; round < rounds; round += 1) {
    await using store = await folders.reopened(createManualClock());
    const records = Array.from({ length: 5 }, (_, at) => onEast(sparseRecord(`${round} ${at}`, NOON_US + round)));
    expect(await store.insert(records)).toMatchObject({ inserted: 5 });
  }
  // Each opening leaves a block of its own, until there are sixteen.
  const blocks = statSync(dayFile('2026-11-02')).size / 262_144;
  expect(blocks).toBeLessThan(30);
  await using store = await folders.reopened(createManualClock());
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
