import { expect, test } from 'vitest';
import { RecordFeed } from '../../sdk/src/records/feed/record-feed.js';
import { createMemoryRecordStore } from '../../sdk/src/records/store/memory-record-store.js';
import { SuspicionTracker } from '../../sdk/src/records/suspicion/suspicion-tracker.js';
import { feedRecord, pickyStream, sharing } from '../support/feed-parts.js';

const emptyStore = () => createMemoryRecordStore({ clock: { nowMs: () => 1_790_000_000_000 } });

test('every record is stored; those that may leave are accepted, the others withheld with their reason', async () => {
  const store = emptyStore();
  const stream = pickyStream();
  const feed = new RecordFeed({ store, stream, policy: sharing('suspicious') });
  const invalid = feedRecord(1, '19115550101');
  await feed.insert([invalid, feedRecord(2)]);
  expect(feed.counts()).toEqual({
    ...{ inserted: 2, repeated: 0, expired: 0, shared: 1, refused: {} },
    withheld: { 'not-suspicious-enough': 1 },
  });
  expect(stream.durable()).toEqual(new Set([invalid.recordId]));
});

test.each(['spool-full', 'spool-too-old', 'too-large', 'not-json'] as const)(
  'a stream that refuses with %s is counted, and stops no storing',
  async (reason) => {
    const store = emptyStore();
    const stream = pickyStream({ refuse: () => reason });
    const feed = new RecordFeed({ store, stream, policy: sharing('all') });
    await feed.insert([feedRecord(1), feedRecord(2)]);
    expect(feed.counts()).toMatchObject({ inserted: 2, shared: 0, refused: { [reason]: 2 } });
  },
);

test('a disk that stays behind ends in an error that can be tried again', async () => {
  const stream = pickyStream({ refuse: () => 'disk-behind' });
  const feed = new RecordFeed({ store: emptyStore(), stream, policy: sharing('all') });
  await expect(feed.insert([feedRecord(1)])).rejects.toMatchObject({ code: 'storage-failed', retryable: true });
});

test('a stream that was closed is an error, and not silence', async () => {
  const stream = pickyStream({ refuse: () => 'closed' });
  const feed = new RecordFeed({ store: emptyStore(), stream, policy: sharing('all') });
  await expect(feed.insert([feedRecord(1)])).rejects.toMatchObject({ code: 'closed' });
});

test('a record that is handed in again after a refused flush is judged and spooled once', async () => {
  let failures = 2;
  const stream = pickyStream({
    onFlush: () => {
      failures -= 1;
      if (failures >= 0) throw new Error('the disk refuses');
    },
  });
  const tracker = new SuspicionTracker();
  let judged = 0;
  const feed = new RecordFeed({
    ...{ store: emptyStore(), stream, policy: sharing('all') },
    tracker: {
      judge: (record) => {
        judged += 1;
        return tracker.judge(record);
      },
    },
  });
  const records = [feedRecord(1), feedRecord(2)];
  await expect(feed.insert(records)).rejects.toThrow();
  await expect(feed.insert(records)).rejects.toThrow();
  await feed.insert(records);
  expect([judged, stream.offered(), feed.counts().shared]).toEqual([2, 2, 2]);
});
