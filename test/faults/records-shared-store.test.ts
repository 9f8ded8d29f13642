import { afterEach, expect, test } from 'vitest';
import { SharedRecordStore } from '../../sdk/src/records/store/shared-record-store.js';
import { storeFolders } from '../support/record-store-folder.js';
import { startStoreProcess } from '../support/shared-stores.js';
import { NOON_US, sampleRecord } from '../support/stored-records.js';

const folders = storeFolders();
afterEach(folders.clear);

const QUERY = { window: { fromUs: NOON_US, toUs: NOON_US + 1_000_000 } };

test('a host that is killed leaves a socket that the next one replaces, and everything that was acknowledged', async () => {
  const directory = folders.make();
  const host = await startStoreProcess(directory, 40);
  await using guest = await SharedRecordStore.open({ directory });
  expect([host.role, guest.role]).toEqual(['host', 'guest']);
  await guest.insert([sampleRecord(100, NOON_US)]);
  await host.kill();
  await using next = await SharedRecordStore.open({ directory });
  expect(next.role).toBe('host');
  expect((await guest.statistics()).records).toBe(41);
});

test('requests under way when the host is killed end with an error, each of them, and can be made again', async () => {
  const directory = folders.make();
  const host = await startStoreProcess(directory);
  await using guest = await SharedRecordStore.open({ directory });
  const batches = Array.from({ length: 40 }, (_, batch) =>
    Array.from({ length: 500 }, (_unused, index) => sampleRecord(batch * 500 + index, NOON_US + index)),
  );
  let stored = 0;
  const inserts = batches.map((batch) =>
    guest.insert(batch).then(({ inserted }) => {
      stored += inserted;
      // With the first that is acknowledged, others are on their way.
      host.child.kill('SIGKILL');
    }),
  );
  const outcomes = await Promise.allSettled(inserts);
  await host.kill();
  const codes = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [(outcome.reason as { readonly code?: unknown }).code] : [],
  );
  expect(codes.length).toBeGreaterThan(0);
  expect(codes.every((code) => code === 'storage-failed' || code === 'unavailable')).toBe(true);
  await using next = await SharedRecordStore.open({ directory });
  expect((await next.statistics()).records).toBeGreaterThanOrEqual(stored);
  await next.insert(batches.flat());
  expect((await next.statistics()).records).toBe(20_000);
});

test.each([1, 2, 3])('processes that race to open a store are one host and its guests, round %i', async () => {
  const directory = folders.make();
  const processes = await Promise.all([40, 60, 80].map((records) => startStoreProcess(directory, records)));
  expect(processes.map(({ role }) => role).sort()).toEqual(['guest', 'guest', 'host']);
  await using guest = await SharedRecordStore.open({ directory });
  expect((await guest.find({ ...QUERY, recordId: sampleRecord(79, NOON_US + 79).recordId })).records).toHaveLength(1);
  expect((await guest.statistics()).records).toBe(80);
  // Guests first, for their host is not to be missed.
  for (const one of processes.filter(({ role }) => role === 'guest')) await one.end();
  for (const one of processes.filter(({ role }) => role === 'host')) await one.end();
});
