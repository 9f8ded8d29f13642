import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { MAX_QUERY_LIMIT, type RecordStore } from '../../sdk/src/records/store/record-store.js';
import { builtProgram } from '../support/built-program.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { KILLED_TRUNK, killedRecord } from '../support/record-store-killed.js';
import { storeFolders } from '../support/record-store-folder.js';
import { NOON_US, sampleRecord } from '../support/stored-records.js';

const folders = storeFolders();
afterEach(folders.clear);

const ROUNDS = faultCount({ short: 20, full: 200 });
const RECORDS_PER_ROUND = 400;
const WRITER = fileURLToPath(new URL('../support/record-store-writer.ts', import.meta.url));

interface Round {
  readonly directory: string;
  readonly first: number;
  readonly last: number;
  /** Kills when so many calls are acknowledged, or as the store is being closed. */
  readonly killAfter: number | 'closing';
}

/** Runs the writer and kills it. @returns the indexes that it said were stored */
async function killedWriter({ directory, first, last, killAfter }: Round): Promise<readonly number[]> {
  const argv = [builtProgram(WRITER), directory, String(first), String(last)];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const stored: number[] = [];
  let calls = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const [word, from, to] = line.split(' ');
    if (word === 'stored') {
      calls += 1;
      for (let index = Number(from); index < Number(to); index += 1) stored.push(index);
    }
    if (calls === killAfter || word === killAfter) child.kill('SIGKILL');
  }
  await exited;
  return stored;
}

const HOUR_US = 3_600_000_000;

/** All records of the killed writer, hour by hour: there are more than one look-up gives. */
async function everything(store: RecordStore): Promise<readonly CallRecord[]> {
  const all: CallRecord[] = [];
  for (let hour = -25; hour < 25; hour += 1) {
    const fromUs = NOON_US + hour * HOUR_US;
    const window = { fromUs, toUs: fromUs + HOUR_US - 1 };
    const { records, isCut } = await store.find({ window, trunk: KILLED_TRUNK, limit: MAX_QUERY_LIMIT });
    expect(isCut).toBe(false);
    all.push(...records);
  }
  return all;
}

test(
  `a writer killed ${ROUNDS} times has every acknowledged record once, and its store opens unattended`,
  { timeout: 120_000 + 10_000 * ROUNDS },
  async () => {
    const directory = folders.make();
    const acknowledged = new Set<number>();
    let first = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const killAfter = round % 4 === 3 ? 'closing' : 1 + ((round * 5) % 13);
      const stored = await killedWriter({ directory, first, last: first + RECORDS_PER_ROUND, killAfter });
      expect(stored.length).toBeGreaterThan(0);
      for (const index of stored) acknowledged.add(index);
      // The next one begins with some that are there, and some that may be.
      first = Math.max(...stored) - 30;
    }

    await using store = await openDuckDbRecordStore({ directory });
    const records = await everything(store);
    const found = new Map(records.map((record) => [record.recordId, record]));
    expect(found.size).toBe(records.length);
    expect((await store.statistics()).records).toBe(records.length);
    for (const index of acknowledged) {
      const record = killedRecord(index);
      expect(found.get(record.recordId)).toEqual(record);
    }
    reportFault('store-kill', { kills: ROUNDS, acknowledged: acknowledged.size, lost: 0, storedTwice: 0 });
  },
);

test('another process is refused while a store is open, and this one stays as it is', { timeout: 60_000 }, async () => {
  const directory = folders.make();
  await using store = await openDuckDbRecordStore({ directory });
  await store.insert([killedRecord(1)]);
  const script =
    `import { openDuckDbRecordStore } from ${JSON.stringify(new URL('../../sdk/src/records/store/duckdb-record-store.ts', import.meta.url).href)};` +
    `openDuckDbRecordStore({ directory: ${JSON.stringify(directory)} }).then(() => console.log('opened'), ({ code }) => console.log(code));`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  expect(said.toString().trim()).toBe('storage-failed');
  expect(await store.insert([killedRecord(2)])).toMatchObject({ inserted: 1 });
});

test('a day half made, and a day that retention had given up, are gone when the store is opened again', async () => {
  const directory = folders.make();
  const first = await openDuckDbRecordStore({ directory });
  await first.insert([sampleRecord(1, NOON_US), sampleRecord(2, NOON_US + 86_400_000_000)]);
  await first.close();
  const [oldest = ''] = readdirSync(join(directory, 'days')).sort();
  const second = await openDuckDbRecordStore({ directory });
  await second.expire(NOON_US + 43_200_000_000);
  await second.close();
  // As a kill leaves them: between the two removals of a day, and in the middle of making one.
  writeFileSync(join(directory, 'days', oldest), 'left over');
  writeFileSync(join(directory, 'days', '2026-11-09.duckdb.unfinished'), 'half');
  await using store = await openDuckDbRecordStore({ directory });
  expect(await store.statistics()).toMatchObject({ records: 1, partitions: 1 });
  expect(readdirSync(join(directory, 'days'))).toEqual(['2026-11-03.duckdb']);
});
