import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import type { RecordTransport } from '../../sdk/src/contract/record-batch.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { faultCount, reportFault, tellRound } from '../support/fault-counts.js';
import { sampleRecord } from '../support/stream-lab.js';
import { openStreamOnDisk } from '../support/stream-on-disk.js';

const FLIPS = faultCount({ short: 60, full: 2_000 });
const DAMAGES = faultCount({ short: 60, full: 2_000 });

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
  for await (const _ of spool.stream.statuses()) if (spool.stream.spool.state().firstSequence > RECORDS - 250) break;
}

/** A receiver that takes so many records, and some more, and notes their ids. */
function takes(count: number, ids: Set<string>): RecordTransport {
  return {
    deliver: async ({ body }) => {
      if (ids.size >= count) return AWAY.deliver({ body } as never, AbortSignal.abort());
      for (const line of gunzipSync(body).toString().trimEnd().split('\n'))
        ids.add((JSON.parse(line) as { readonly recordId: string }).recordId);
      return { status: 'acknowledged', rejected: [] };
    },
    close: async () => {},
  };
}

/** Sends so many, and some more, by so many lanes: where those are others than it was packed for, it is unpacked. */
async function sendSome(directory: string, count: number, maxInFlight: number): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  const options = {
    ...{ transport: takes(count, ids), segmentBytes: SEGMENT_BYTES },
    policy: { ...POLICY, maxInFlight, packAboveBytes: Number.MAX_SAFE_INTEGER },
  };
  await using spool = await openStreamOnDisk(directory, options);
  for await (const { acknowledged } of spool.stream.statuses()) if (acknowledged >= count) break;
  expect(spool.stream.spool.state().lost.records).toBe(0);
  return ids;
}

/** Sends all that is there. */
async function sentOf(directory: string): Promise<{ readonly ids: Set<string>; readonly counted: number }> {
  const ids = new Set<string>();
  const options = { transport: takes(Infinity, ids), policy: POLICY, segmentBytes: SEGMENT_BYTES };
  await using spool = await openStreamOnDisk(directory, options);
  expect(await spool.stream.drain()).toEqual({ status: 'drained' });
  return { ids, counted: spool.stream.spool.state().lost.records };
}

function flipBit(bytes: Buffer, random: SeededRandom): void {
  const at = random.int(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
}

/** So many copies of a spool of which most is packed, one after the other. */
async function* packedCopies(count: number): AsyncGenerator<{ readonly round: number; readonly path: string }> {
  await using folder = await createTemporaryDirectory();
  const whole = join(folder.path, 'whole');
  await makePacked(whole);
  for (let round = 0; round < count; round += 1) {
    await using copy = await createTemporaryDirectory();
    cpSync(whole, copy.path, { recursive: true });
    yield { round, path: copy.path };
    tellRound(round, count);
  }
}

test(
  `of packs in which one of ${FLIPS} bits was flipped, those are lost that were hit, and their records are counted`,
  { timeout: 30_000 + 1_000 * FLIPS },
  async () => {
    const random = new SeededRandom(20_261_129);
    let [hits, most] = [0, 0];
    for await (const { round, path } of packedCopies(FLIPS)) {
      const packed = join(path, 'packed');
      const file = join(packed, random.pick(readdirSync(packed)));
      const bytes = readFileSync(file);
      flipBit(bytes, random);
      writeFileSync(file, bytes);
      const { ids, counted } = await sentOf(path);
      const lost = RECORDS - ids.size;
      expect({ round, counted }).toEqual({ round, counted: lost });
      expect(lost).toBeLessThanOrEqual(POLICY.batchRecords);
      if (lost > 0) hits += 1;
      most = Math.max(most, lost);
    }
    expect(hits).toBeGreaterThan(FLIPS / 2);
    reportFault('packed-bit-flips', { flips: FLIPS, records: RECORDS, packsHit: hits, mostRecordsLost: most });
  },
);

type Damage = 'bits' | 'head' | 'tail' | 'middle' | 'gone' | 'none';

/** Damages a file of packs, and the last one where the end of all is cut. */
function damage(packed: string, random: SeededRandom): Damage {
  const kind = random.pick<Damage>(['bits', 'head', 'tail', 'middle', 'gone', 'none']);
  const names = readdirSync(packed).sort();
  const path = join(packed, kind === 'tail' ? (names.at(-1) ?? '') : random.pick(names));
  const bytes = readFileSync(path);
  const at = random.int(bytes.length);
  if (kind === 'gone') rmSync(path);
  else if (kind === 'tail') writeFileSync(path, bytes.subarray(0, at));
  else if (kind !== 'none') {
    if (kind === 'head') bytes.fill(0, 0, at);
    if (kind === 'middle') bytes.fill(0, at, Math.min(bytes.length, at + random.int(20_000)));
    for (let bit = kind === 'bits' ? 3 : 0; bit > 0; bit -= 1) flipBit(bytes, random);
    writeFileSync(path, bytes);
  }
  return kind;
}

test(
  `of packs damaged in ${DAMAGES} ways, whole files of them too, and in the middle of being sent, what is lost is counted`,
  { timeout: 60_000 + 2_000 * DAMAGES },
  async () => {
    const random = new SeededRandom(20_261_130);
    const sum = { lost: 0, counted: 0, lostUncounted: 0 };
    for await (const { round, path } of packedCopies(DAMAGES)) {
      const already = random.int(2) === 0 ? 0 : 100 + random.int(1_400);
      const before = already === 0 ? [] : await sendSome(path, already, random.pick([3, 4]));
      const kind = damage(join(path, 'packed'), random);
      const { ids, counted } = await sentOf(path);
      for (const id of before) ids.add(id);
      const lost = RECORDS - ids.size;
      const told = { round, kind, already, lost, counted };
      expect({ ...told, isCounted: counted >= lost }).toEqual({ ...told, isCounted: true });
      // Of what was sent and not noted yet, and of a group whose end is gone, it is counted what may be lost.
      const isExact = kind === 'none' || (already === 0 && kind === 'head');
      if (isExact) expect(told).toEqual({ ...told, counted: lost });
      sum.lost += lost;
      sum.counted += counted;
      sum.lostUncounted += Math.max(0, lost - counted);
    }
    expect(sum.counted).toBeLessThan(1.3 * sum.lost);
    reportFault('packed-damaged-files', { damages: DAMAGES, records: RECORDS, ...sum });
  },
);
