import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import { testPeer } from '../peers.js';
import { smallDisk } from '../support/small-disk.js';
import { NOON_US, sampleRecord } from '../support/stored-records.js';

const ALL = { fromUs: 0, toUs: 2 * NOON_US };
const BATCH = 500;

const batch = (index: number): readonly CallRecord[] =>
  Array.from({ length: BATCH }, (_, at) => sampleRecord(index * BATCH + at, NOON_US + (index * BATCH + at) * 1_000));

/** Stores until it fails. @returns batches acknowledged, and the code of the failure */
async function filled(store: RecordStore): Promise<{ readonly count: number; readonly code: unknown }> {
  for (let index = 0; ; index += 1) {
    try {
      await store.insert(batch(index));
    } catch (error) {
      return { count: index, code: (error as { readonly code?: unknown }).code };
    }
  }
}

async function expectBatches(store: RecordStore, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    for (const record of [batch(index)[0]!, batch(index)[BATCH - 1]!])
      expect((await store.find({ window: ALL, recordId: record.recordId })).records).toEqual([record]);
}

testPeer('tmpfs', 'on a full disk nothing acknowledged is lost, and the store goes on when there is room', async () => {
  await using disk = await smallDisk();
  const directory = join(disk.path, 'store');
  const store = await openDuckDbRecordStore({ directory });
  const { count, code } = await filled(store);
  expect(code).toBe('storage-failed');
  expect(count).toBeGreaterThan(2);
  // A caller that keeps trying.
  for (let attempt = 0; attempt < 5; attempt += 1)
    await expect(store.insert(batch(count))).rejects.toMatchObject({ code: 'storage-failed', retryable: true });
  await expectBatches(store, count);
  // There is no room to bring the log into the file: the log stays.
  await store.close();
  const reopened = await openDuckDbRecordStore({ directory });
  await expectBatches(reopened, count);

  spawnSync('mount', ['-o', 'remount,size=32m', disk.path]);
  await reopened.insert(batch(count));
  await expectBatches(reopened, count + 1);
  await reopened.close();
  await using again = await openDuckDbRecordStore({ directory });
  expect((await again.statistics()).records).toBe((count + 1) * BATCH);
});
