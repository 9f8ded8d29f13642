import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/seeded-random.js';
import type { DeliveryResult } from '../../sdk/src/contract/record-batch.js';
import { openPackedSpool, type PackedSpool } from '../../sdk/src/records/stream/packed-spool.js';
import { createMemorySegmentLog, type MemorySegmentLog } from '../support/memory-segment-log.js';
import { ACKNOWLEDGED, createStreamLab, sampleRecord, settled, until, type StreamLab } from '../support/stream-lab.js';
import { forAllAsync } from '../support/for-all.js';

const AWAY: DeliveryResult = { status: 'unavailable', reason: 'connection-failed' };

/** Logs and values between two lives of a stream. */
interface Disk {
  readonly log: MemorySegmentLog;
  readonly packs: MemorySegmentLog;
  readonly values: Map<string, string>;
}

/** Trims whole segments of so many records, as files are. */
function inSegments(log: MemorySegmentLog, records: number): MemorySegmentLog {
  const trim = (through: number): Promise<void> => log.trim(Math.floor(through / records) * records);
  return new Proxy(log, {
    get: (own, name) => (name === 'trim' ? trim : (Reflect.get(own, name) as unknown)),
    set: (own, name, value) => Reflect.set(own, name, value),
  });
}

/** What a killed process leaves of a log: what is durable. */
async function leftOf(log: MemorySegmentLog, segment: number): Promise<MemorySegmentLog> {
  const { disk } = log;
  log.disk = 'works';
  const found = await log.read(log.firstSequence, { maxBytes: 2 ** 30, maxRecords: 2 ** 30 });
  log.disk = disk;
  // Whoever is killed may have freed some meanwhile.
  const left = createMemorySegmentLog({ after: (found[0]?.sequence ?? log.firstSequence) - 1 });
  for (const { payload } of found) left.append(payload);
  left.sync();
  return inSegments(left, segment);
}

/** One life: a policy, some records, a receiver and disks that come and go. */
class Life {
  readonly lab: StreamLab;
  readonly packed: PackedSpool;
  /** Of a hundred batches. */
  #taken = 0;
  #isFull = false;

  constructor(
    readonly disk: Disk,
    packed: PackedSpool,
    readonly random: SeededRandom,
    got: Set<number>,
  ) {
    this.packed = packed;
    const policy = {
      maxInFlight: random.pick([1, 2, 3]),
      batchRecords: random.pick([2, 5, 10]),
      windowBytes: random.pick([2_048, 8_192, 100_000]),
      packAboveBytes: random.pick([1_024, 5_000, 20_000]),
      breakerFailures: 2,
    };
    const { values } = disk;
    const set = values.set.bind(values);
    values.set = (key, value) => {
      if (this.#isFull) throw new Error('ENOSPC');
      return set(key, value);
    };
    this.lab = createStreamLab({ ...disk, packed, policy, random: () => random.next() });
    this.lab.reply = ({ records }) => {
      if (random.int(100) >= this.#taken) return AWAY;
      for (const { legId } of records) got.add(Number.parseInt(legId, 10));
      // An answer that is lost.
      return random.int(10) === 0 && this.#taken < 100 ? AWAY : ACKNOWLEDGED;
    };
  }

  /** @returns the newest leg */
  async live(firstLeg: number): Promise<number> {
    const { random, lab, disk } = this;
    let leg = firstLeg;
    for (let step = 1 + random.int(12); step > 0; step -= 1) {
      const what = random.pick('record record record receiver receiver packs spool values'.split(' '));
      if (what === 'record')
        for (let more = 1 + random.int(60); more > 0; more -= 1)
          lab.stream.record(sampleRecord((leg += 1), random.int(7)));
      if (what === 'receiver') this.#taken = random.pick([0, 0, 60, 100, 100]);
      if (what === 'packs')
        disk.packs.disk = random.pick(['works', 'works', 'refuses-reads', 'refuses-writes'] as const);
      if (what === 'spool') disk.log.disk = random.pick(['works', 'works', 'works', 'refuses-reads'] as const);
      if (what === 'values') this.#isFull = random.int(3) === 0;
      for (let turn = random.int(10); turn >= 0; turn -= 1) {
        await settled(4);
        lab.clock.advance(random.pick([10, 100, 300, 2_000]));
      }
    }
    return leg;
  }

  async sendAll(): Promise<void> {
    const { lab, disk } = this;
    this.#taken = 100;
    this.#isFull = false;
    disk.packs.disk = disk.log.disk = 'works';
    await until(lab, () => lab.stream.status().acknowledgedSequence >= disk.log.lastSequence, 1_000);
  }

  /** As a kill leaves it, or as closing does. */
  async end(segments: { readonly spool: number; readonly packs: number }): Promise<Disk> {
    const isKilled = this.random.int(2) === 0;
    if (!isKilled) await this.#close();
    const { log, packs, values } = this.disk;
    const left = {
      log: await leftOf(log, segments.spool),
      packs: await leftOf(packs, segments.packs),
      values: new Map(values),
    };
    if (isKilled) await this.#close();
    return left;
  }

  async #close(): Promise<void> {
    this.#taken = 0;
    await this.lab.stream.close();
  }

  get lost(): number {
    return this.packed.lost();
  }
}

/** Takes packs away: one, those at an end, or all. */
function damage(packs: MemorySegmentLog, random: SeededRandom): void {
  const [first, last] = [packs.firstSequence, packs.lastSequence];
  if (last < first) return;
  const at = first + random.int(last - first + 1);
  const stretches = {
    one: [at, at],
    some: [at, Math.min(last, at + 5)],
    tail: [at, last],
    head: [first, at],
    all: [first, last],
  };
  const [from = 0, to = 0] = stretches[random.pick(['one', 'some', 'tail', 'head', 'all'] as const)];
  for (let sequence = from; sequence <= to; sequence += 1) packs.lose(sequence);
}

/** When packs are taken away: never, before the last life, or the newest one between others as well. */
type Damages = 'never' | 'once' | 'often';

async function runOf(seed: number, damages: Damages): Promise<void> {
  const random = new SeededRandom(seed);
  const segments = { spool: random.pick([1, 7, 30, 64]), packs: random.pick([1, 3, 8]) };
  let disk: Disk = { log: createMemorySegmentLog(), packs: createMemorySegmentLog(), values: new Map() };
  const got = new Set<number>();
  let newest = 0;
  let counted = 0;
  for (let lives = 2 + random.int(4); lives > 0; lives -= 1) {
    const life = new Life(disk, await openPackedSpool(disk.packs), random, got);
    await life.live(newest);
    disk = await life.end(segments);
    counted += life.lost;
    if (damages !== 'often') expect(counted).toBe(0);
    newest = disk.log.lastSequence;
    const { firstSequence, lastSequence } = disk.packs;
    if (damages === 'often' && lastSequence >= firstSequence && random.int(2) === 0) disk.packs.lose(lastSequence);
  }
  if (damages !== 'never') damage(disk.packs, random);
  const last = new Life(disk, await openPackedSpool(disk.packs), random, got);
  await last.sendAll();
  counted += last.lost;
  await last.end(segments);
  let missing = 0;
  for (let leg = 1; leg <= newest; leg += 1) if (!got.has(leg)) missing += 1;
  if (damages === 'never') expect({ missing, counted }).toEqual({ missing: 0, counted: 0 });
  else expect(counted).toBeGreaterThanOrEqual(missing);
}

const SEED = fc.integer({ min: 0, max: 2 ** 31 });

const CLAIMS: Readonly<Record<Damages, string>> = {
  never: 'loses nothing and takes nothing for lost, whatever dies and refuses while it packs',
  once: 'counts at least what packs had that are gone, wherever they were',
  often: 'counts at least what packs had that are gone, in one life after the other',
};

for (const damages of ['never', 'once', 'often'] as const)
  test(CLAIMS[damages], { timeout: 120_000 }, async () => {
    await forAllAsync([SEED], 150, (seed) => runOf(seed, damages));
  });
