import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SegmentLog } from '../../sdk/src/log/index.js';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { changedRecords, readEverything, recordText } from '../support/log-records.js';
import { createSimulatedLogFiles, type SimulatedLogFiles } from '../support/simulated-log-files.js';

const RECORDS = 300;
const SEGMENT_BYTES = 65_536;
/** Each of so many last bytes is cut off. */
const CUTS = 4_096;

/** A log of several segments, as a kill leaves it. */
async function writtenLog(): Promise<ReadonlyMap<string, Buffer>> {
  const files = createSimulatedLogFiles();
  const log = await SegmentLog.open({ directory: '/log', segmentBytes: SEGMENT_BYTES, files });
  while (log.lastSequence < RECORDS) {
    for (let count = 0; count < 7 && log.lastSequence < RECORDS; count += 1)
      log.append(recordText(log.lastSequence + 1));
    await log.flush();
  }
  return files.contents();
}

function filesWith(contents: ReadonlyMap<string, Buffer>): Promise<SimulatedLogFiles> {
  return [...contents].reduce(async (made, [name, bytes]) => {
    const files = await made;
    await files.create(`/log/${name}`);
    files.replaceContent(name, Buffer.from(bytes));
    return files;
  }, Promise.resolve(createSimulatedLogFiles()));
}

/** A record and where it lies. */
interface Extent {
  readonly sequence: number;
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

/** Where each record lies, by what it says itself: not by what our reader makes of it. */
function extentsOf(contents: ReadonlyMap<string, Buffer>): readonly Extent[] {
  const extents: Extent[] = [];
  for (const [name, bytes] of [...contents].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    let at = 0;
    for (let sequence = extents.length + 1; sequence <= RECORDS; sequence += 1) {
      const text = recordText(sequence);
      const found = bytes.subarray(at, at + 2 * text.length).indexOf(text);
      if (found === -1) break;
      extents.push({ sequence, name, from: at + found - 20, to: at + found + text.length });
      at += found + text.length;
    }
  }
  return extents;
}

async function opened(files: SimulatedLogFiles) {
  const log = await SegmentLog.open({ directory: '/log', segmentBytes: SEGMENT_BYTES, files });
  const records = await readEverything(log);
  expect(changedRecords(records)).toEqual([]);
  const found = new Set(records.map(({ sequence }) => sequence));
  const missing = Array.from({ length: RECORDS }, (_, at) => at + 1).filter((sequence) => !found.has(sequence));
  return { missing, log };
}

const lostBy = (log: SegmentLog): number => log.state().lost.records + log.state().lost.recordsInDoubt;

test(
  'the newest segment cut at each of its last 4,096 bytes: opens, has every record before the cut, goes on',
  { timeout: 240_000 },
  async () => {
    const contents = await writtenLog();
    const newest = [...contents.keys()].toSorted().at(-1) ?? '';
    const whole = contents.get(newest) ?? Buffer.alloc(0);
    const extents = extentsOf(contents);
    expect(extents).toHaveLength(RECORDS);
    let [cuts, lost] = [0, 0];
    for (let cut = whole.length - 1; cut >= Math.max(0, whole.length - CUTS); cut -= 1) {
      const files = await filesWith(contents);
      files.replaceContent(newest, whole.subarray(0, cut));
      const { missing, log } = await opened(files);
      const hit = extents.filter(({ name, to }) => name === newest && to > cut).map(({ sequence }) => sequence);
      expect(missing).toEqual(hit);
      // Records of the last group are known by its header.
      if (hit.length <= 6) expect(lostBy(log)).toBe(hit.length);
      const { sequence } = log.append(recordText(log.lastSequence + 1)) as { readonly sequence: number };
      expect(await log.flush()).toBe(sequence);
      await log.close();
      cuts += 1;
      lost += hit.length;
    }
    expect(cuts).toBe(CUTS);
    reportFault('spool-truncated', { cuts, opened: cuts, recordsCutOff: lost, recordsLostBeside: 0 });
  },
);

test('an older segment cut anywhere: loses the records behind the cut, and counts them', async () => {
  const contents = await writtenLog();
  const [older = ''] = [...contents.keys()].toSorted();
  const whole = contents.get(older) ?? Buffer.alloc(0);
  const extents = extentsOf(contents);
  for (let cut = 0; cut < whole.length; cut += 997) {
    const files = await filesWith(contents);
    files.replaceContent(older, whole.subarray(0, cut));
    const { missing, log } = await opened(files);
    expect(missing).toEqual(
      extents.filter(({ name, to }) => name === older && to > cut).map(({ sequence }) => sequence),
    );
    expect(log.state().lost.records).toBe(missing.length);
    await log.close();
  }
});

const FLIPS = 2_000;

test(
  `${FLIPS} random bits flipped, one at a time: opens, loses the record that was hit and no other, and counts it`,
  { timeout: 240_000 },
  async () => {
    const seed = Date.now() % 2 ** 31;
    const random = new SeededRandom(seed);
    const contents = await writtenLog();
    const names = [...contents.keys()].toSorted();
    const extents = extentsOf(contents);
    let lost = 0;
    for (let flip = 0; flip < FLIPS; flip += 1) {
      const name = names[Math.floor(random.next() * names.length)] ?? '';
      const bytes = Buffer.from(contents.get(name) ?? []);
      const bit = Math.floor(random.next() * bytes.length * 8);
      const at = bit >> 3;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
      const files = await filesWith(contents);
      files.replaceContent(name, bytes);
      const { missing, log } = await opened(files);
      const hit = extents
        .filter((extent) => extent.name === name && extent.from <= at && at < extent.to)
        .map(({ sequence }) => sequence);
      expect(missing, `seed ${seed}, ${name}, bit ${bit}`).toEqual(hit);
      expect(lostBy(log), `seed ${seed}, ${name}, bit ${bit}`).toBe(hit.length);
      if (hit.length > 0) expect(log.state().lost.damagedBytes).toBeGreaterThan(0);
      await log.close();
      lost += hit.length;
    }
    reportFault('spool-bit-flips', { flips: FLIPS, opened: FLIPS, recordsHit: lost, recordsLostBeside: 0 });
  },
);

const DAMAGES = faultCount({ short: 500, full: 5_000 });

test(
  'files of anything: opens, reads what is there, takes records and gives them back',
  { timeout: 120_000 + 60 * DAMAGES },
  async () => {
    const contents = await writtenLog();
    const names = [...contents.keys()];
    const damage = fc.record({
      does: fc.constantFrom('overwrite', 'cut', 'insert', 'swap', 'remove', 'add'),
      file: fc.nat(),
      other: fc.nat(),
      at: fc.nat(),
      name: fc.string({ minLength: 1, maxLength: 40 }),
      bytes: fc.uint8Array({ maxLength: 3_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 4 }), async (list) => {
        const changed = new Map(contents);
        for (const step of list) {
          if (step.does === 'add') {
            changed.set(step.name.replaceAll('/', '_'), Buffer.from(step.bytes));
            continue;
          }
          const name = names[step.file % names.length] ?? '';
          const bytes = changed.get(name) ?? Buffer.alloc(0);
          if (step.does === 'remove') changed.delete(name);
          else if (step.does === 'swap')
            changed.set(name, changed.get(names[step.other % names.length] ?? '') ?? bytes);
          else {
            const at = step.at % (bytes.length + 1);
            const behind = bytes.subarray(step.does === 'insert' ? at : at + step.bytes.length);
            const more = step.does === 'cut' ? [] : [step.bytes, behind];
            changed.set(name, Buffer.concat([bytes.subarray(0, at), ...more]));
          }
        }
        const { log } = await opened(await filesWith(changed));
        const appended = log.append(recordText(log.lastSequence + 1));
        expect(appended).toMatchObject({ accepted: true });
        expect(await log.flush()).toBe(log.lastSequence);
        expect(changedRecords(await log.read(log.lastSequence))).toEqual([]);
        expect(await log.read(log.lastSequence)).toHaveLength(1);
        await log.close();
      }),
      { numRuns: DAMAGES },
    );
    reportFault('spool-damaged-files', { damages: DAMAGES, opened: DAMAGES });
  },
);
