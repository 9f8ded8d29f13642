import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { createSeededRandom } from '../../harness/src/faults/seeded-random.js';
import type { RecordTransport } from '../../sdk/src/platform/wire/record-batch.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { faultCount, reportFault, tellRound } from '../support/fault-counts.js';
import { sampleRecord } from '../support/stream-lab.js';
import { openStreamOnDisk } from '../support/stream-on-disk.js';

const FLIPS = faultCount({ short: 60, full: 2_000 });

const RECORDS = 2_000;
const POLICY = { batchRecords: 50, packAboveBytes: 32_768, windowBytes: 65_536, breakerFailures: 2 };
/** Small ones, so that the spool lets go of most of what is packed. */
const SEGMENT_BYTES = 65_536;

const AWAY: RecordTransport = {
  deliver: async () => ({ status: 'unavailable', reason: 'connection-failed' }),
  close: async () => {},
};

/** A spool of which most is packed. */
async function makePacked(directory: string): Promise<void> {
  const options = { transport: AWAY, policy: POLICY, segmentBytes: SEGMENT_BYTES };
  await using spool = await openStreamOnDisk(directory, options);
  for (let leg = 1; leg <= RECORDS; leg += 1) spool.stream.record(sampleRecord(leg, leg % 50));
  await spool.stream.flush();
  // The spool has given up what is packed, but for its newest segments.
  for await (const _ of spool.stream.statuses()) if (spool.stream.spool.state().firstSequence > RECORDS - 150) break;
}

/** Sends all that is there. */
async function sentOf(directory: string): Promise<{ readonly ids: Set<string>; readonly counted: number }> {
  const ids = new Set<string>();
  const transport: RecordTransport = {
    deliver: async ({ body }) => {
      for (const line of gunzipSync(body).toString().trimEnd().split('\n'))
        ids.add((JSON.parse(line) as { readonly recordId: string }).recordId);
      return { status: 'acknowledged', rejected: [] };
    },
    close: async () => {},
  };
  await using spool = await openStreamOnDisk(directory, { transport, policy: POLICY, segmentBytes: SEGMENT_BYTES });
  expect(await spool.stream.drain()).toEqual({ status: 'drained' });
  return { ids, counted: spool.stream.spool.state().lost.records };
}

test(
  `of packs in which one of ${FLIPS} bits was flipped, those are lost that were hit, and their records are counted`,
  { timeout: 30_000 + 1_000 * FLIPS },
  async () => {
    await using folder = await createTemporaryDirectory();
    const whole = join(folder.path, 'whole');
    await makePacked(whole);
    const random = createSeededRandom(20_261_129);
    let [hits, most] = [0, 0];
    for (let flip = 0; flip < FLIPS; flip += 1) {
      await using copy = await createTemporaryDirectory();
      cpSync(whole, copy.path, { recursive: true });
      const packed = join(copy.path, 'packed');
      const path = join(packed, random.pick(readdirSync(packed)));
      const bytes = readFileSync(path);
      const at = random.int(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
      writeFileSync(path, bytes);
      const { ids, counted } = await sentOf(copy.path);
      const lost = RECORDS - ids.size;
      expect({ flip, counted }).toEqual({ flip, counted: lost });
      expect(lost).toBeLessThanOrEqual(POLICY.batchRecords);
      if (lost > 0) hits += 1;
      most = Math.max(most, lost);
      tellRound(flip, FLIPS);
    }
    expect(hits).toBeGreaterThan(FLIPS / 2);
    reportFault('packed-bit-flips', { flips: FLIPS, records: RECORDS, packsHit: hits, mostRecordsLost: most });
  },
);
