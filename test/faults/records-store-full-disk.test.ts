import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import { testPeer } from '../peers.js';
import { NOON_US, sampleRecord } from '../support/stored-records.js';

const mounted: string[] = [];
afterEach(() => {
  for (const folder of mounted.splice(0)) {
    spawnSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true, force: true });
  }
});

/** A file system of 4 MiB in memory. */
function smallDisk(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hopback-full-'));
  const done = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', folder]);
  expect(done.status).toBe(0);
  mounted.push(folder);
  return folder;
}

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
  const directory = smallDisk();
  const store = await openDuckDbRecordStore({ directory });
  const { count, code } = await filled(store);
  expect(code).toBe('storage-failed');
  expect(count).toBeGreaterThan(2);
  // Again and again, as a caller that keeps trying does.
  for (let attempt = 0; attempt < 5; attempt += 1)
    await expect(store.insert(batch(count))).rejects.toMatchObject({ code: 'storage-failed', retryable: true });
  await expectBatches(store, count);

  spawnSync('mount', ['-o', 'remount,size=32m', directory]);
  await store.insert(batch(count));
  await expectBatches(store, count + 1);
  expect((await store.statistics()).records).toBe((count + 1) * BATCH);
  await store.close();
  await using again = await openDuckDbRecordStore({ directory });
  expect((await again.statistics()).records).toBe((count + 1) * BATCH);
});

testPeer('tmpfs', 'a store that was closed or left on a full disk opens with everything acknowledged', async () => {
  const directory = smallDisk();
  const store = await openDuckDbRecordStore({ directory });
  const { count } = await filled(store);
  // There is no room to bring the log into the file; the log stays then.
  await store.close();
  await using again = await openDuckDbRecordStore({ directory });
  await expectBatches(again, count);
});
