import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { RecordFeed } from '../../sdk/src/records/feed/record-feed.js';
import type { SharingLevel } from '../../sdk/src/records/redaction/sharing-policy.js';
import { createMemoryRecordStore } from '../../sdk/src/records/store/memory-record-store.js';
import type { RecordRefusal } from '../../sdk/src/records/stream/record-stream.js';
import { DEFAULT_SUSPICION_POLICY } from '../../sdk/src/records/suspicion/suspicion-policy.js';
import { SuspicionTracker } from '../../sdk/src/records/suspicion/suspicion-tracker.js';
import { feedRecord, pickyStream, sharing } from '../support/feed-parts.js';
import { forAllAsync } from '../support/for-all.js';

// What a store and a disk do, one after the other; then all goes well.
const faults = fc.record({
  insert: fc.array(fc.constantFrom('well', 'refused', 'in part', 'stored, but not told'), { maxLength: 12 }),
  flush: fc.array(fc.boolean(), { maxLength: 12 }),
  record: fc.array(fc.constantFrom<RecordRefusal | undefined>(undefined, undefined, 'disk-behind', 'spool-full'), {
    maxLength: 20,
  }),
});
const level = fc.constantFrom<SharingLevel>('nothing', 'suspicious', 'all-pseudonymous', 'all');
/** Batches of legs; legs may come again. */
const batches = fc.array(fc.array(fc.nat(15), { minLength: 1, maxLength: 6 }), { minLength: 1, maxLength: 6 });
/** Killed after so many attempts: memory of the feed is gone, store and spool as they are on disk. */
const killedAfter = fc.nat(10);

/** Every case makes some. */
const smallTracker = (): SuspicionTracker =>
  new SuspicionTracker({
    policy: {
      ...DEFAULT_SUSPICION_POLICY,
      limits: { numbers: 100, trunks: 100, signers: 100, rows: 100, calls: 100 },
    },
  });

/** Every other leg shows a number that cannot be. */
const recordOf = (leg: number): CallRecord => (leg % 2 === 0 ? feedRecord(leg) : feedRecord(leg, '19115550101'));

test('whatever store and spool refuse: retried until it resolves, all is stored, and accepted or counted as refused where it may leave', async () => {
  await forAllAsync([faults, level, batches, killedAfter], 300, async (fault, share, legs, kill) => {
    const { insert, flush, record } = {
      insert: [...fault.insert],
      flush: [...fault.flush],
      record: [...fault.record],
    };
    const memory = createMemoryRecordStore({ clock: { nowMs: () => 1_790_000_000_000 } });
    const store = {
      cover: memory.cover,
      async insert(records: readonly CallRecord[]) {
        const step = insert.shift() ?? 'well';
        if (step === 'refused') throw new Error('refused');
        if (step === 'in part') await memory.insert(records.slice(0, records.length >> 1));
        if (step === 'in part') throw new Error('refused');
        const stored = await memory.insert(records);
        if (step === 'stored, but not told') throw new Error('refused');
        return stored;
      },
    };
    const stream = pickyStream({
      refuse: () => record.shift(),
      onFlush: () => {
        if (flush.shift() === true) throw new Error('the disk refuses');
      },
    });
    const policy = sharing(share);
    let refused = 0;
    let feed = new RecordFeed({ store, stream, policy, tracker: smallTracker() });
    const restart = (): void => {
      refused += Object.values(feed.counts().refused).reduce<number>((sum, count) => sum + count, 0);
      feed = new RecordFeed({ store, stream, policy, tracker: smallTracker() });
    };
    let attempts = 0;
    for (const batch of legs) {
      const records = batch.map(recordOf);
      for (;;) {
        attempts += 1;
        if (attempts === kill) restart();
        const isDone = await feed.insert(records).then(
          () => true,
          () => false,
        );
        if (isDone) break;
        expect(attempts).toBeLessThan(1_000);
      }
    }
    restart();
    const tracker = smallTracker();
    const distinct = [...new Set(legs.flat())].map(recordOf);
    expect((await memory.statistics()).records).toBe(distinct.length);
    const leaving = distinct.filter((one) => policy.share(one, tracker.judge(one)).status === 'shared');
    const missing = leaving.filter(({ recordId }) => !stream.durable().has(recordId));
    expect(missing.length).toBeLessThanOrEqual(refused);
    if (!fault.record.includes('spool-full')) expect(missing).toEqual([]);
  });
});
