import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { SegmentLog } from '../../sdk/src/log/index.js';
import { ManualClock } from '../../sdk/src/testing/index.js';
import { faultCount } from '../support/fault-counts.js';
import { createSimulatedLogFiles, type Crash, type SimulatedOperation } from '../support/simulated-log-files.js';
import { forAllAsync } from '../support/for-all.js';

/** What happens to a log, and how often in proportion. */
const STEPS = { append: 24, flush: 4, read: 4, wait: 4, reopen: 3, trim: 3, refuse: 6, crash: 6 } as const;
type Does = keyof typeof STEPS;
const REFUSED = ['append', 'datasync', 'create', 'syncDirectory', 'truncate', 'unlink', 'rename'] as const;

/** A step uses those members that it needs. */
const anyStep = fc.record({
  does: fc.constantFrom(...Object.entries(STEPS).flatMap(([does, weight]) => Array<Does>(weight).fill(does as Does))),
  bytes: fc.nat(900),
  times: fc.integer({ min: 1, max: 12 }),
  fraction: fc.double({ min: 0, max: 1, noNaN: true }),
  code: fc.constantFrom('ENOSPC', 'EIO', 'short'),
  operation: fc.constantFrom<SimulatedOperation>(...REFUSED),
  crash: fc.constantFrom<Crash>('process', 'power', 'names', 'torn'),
  after: fc.nat(12),
});
const steps = fc.array(anyStep, { maxLength: 40 });

const LIVES = faultCount({ short: 300, full: 3_000 });

/** What has to be true of a log. */
class Model {
  readonly payloads = new Map<number, string>();
  /** Sequence numbers of records that were said to be durable, or were read. */
  readonly acknowledged = new Set<number>();
  trimmedTo = 0;
  #durable = 0;
  #written = 0;

  opened(log: SegmentLog): void {
    // What was not acknowledged and is gone may be given again.
    for (const sequence of this.payloads.keys()) if (sequence > log.lastSequence) this.payloads.delete(sequence);
    const given = Math.max(0, ...this.acknowledged);
    if (log.lastSequence < given) throw new Error(`${given} was acknowledged and would be given again`);
    this.#durable = log.durableSequence;
    log.onDurable((durable) => {
      for (let sequence = this.#durable + 1; sequence <= durable; sequence += 1) {
        if (this.payloads.has(sequence)) this.acknowledged.add(sequence);
      }
      this.#durable = durable;
    });
  }

  trimmed(through: number): void {
    this.trimmedTo = Math.max(this.trimmedTo, through);
    for (const sequence of this.acknowledged) if (sequence <= through) this.acknowledged.delete(sequence);
  }

  payload(bytes: number): string {
    this.#written += 1;
    return `${this.#written}:`.padEnd(bytes, 'x');
  }
}

async function readAll(log: SegmentLog, maxRecords: number): Promise<ReadonlyMap<number, string>> {
  const found = new Map<number, string>();
  let next = 0;
  for (;;) {
    const records = await log.read(next, { maxRecords });
    const last = records.at(-1);
    if (last === undefined) return found;
    for (const { sequence, payload } of records) {
      expect(sequence).toBeGreaterThanOrEqual(next);
      next = sequence + 1;
      found.set(sequence, Buffer.from(payload).toString());
    }
  }
}

async function expectAsModelled(log: SegmentLog, model: Model, maxRecords: number): Promise<void> {
  const { durableSequence } = log;
  const found = await readAll(log, maxRecords);
  for (const [sequence, payload] of found) {
    expect(model.payloads.get(sequence)).toBe(payload);
    expect(sequence).toBeLessThanOrEqual(durableSequence);
    if (sequence > model.trimmedTo) model.acknowledged.add(sequence);
  }
  expect([...model.acknowledged].filter((sequence) => !found.has(sequence))).toEqual([]);
  expect(log.state().lost.records).toBe(0);
}

test(
  'holds every acknowledged record, and nothing else, through refusals and crashes at any operation',
  { timeout: 120_000 + 200 * LIVES },
  async () => {
    await forAllAsync([steps, fc.integer({ min: 1, max: 50 })], LIVES, async (list, maxRecords) => {
      let files = createSimulatedLogFiles();
      const clock = new ManualClock();
      const model = new Model();
      const open = async (): Promise<SegmentLog> => {
        const { schedule } = clock;
        const opened = await SegmentLog.open({ directory: '/log', segmentBytes: 4_096, files, clock, schedule });
        model.opened(opened);
        return opened;
      };
      let log = await open();
      const refuse = (operation: SimulatedOperation, code: string, times: number): void => {
        let left = times;
        files.setFault((asked) => (asked === operation && left-- > 0 ? code : undefined));
      };
      const settle = async (): Promise<void> => {
        files.setFault(undefined);
        clock.advance(10_000);
        await log.flush().catch(() => undefined);
      };
      for (const step of list) {
        if (step.does === 'append') {
          for (let count = 0; count < step.times; count += 1) {
            const payload = model.payload(step.bytes);
            const appended = log.append(payload);
            if (appended.accepted) model.payloads.set(appended.sequence, payload);
          }
        } else if (step.does === 'flush') {
          const flushed = log.flush().catch(() => undefined);
          clock.advance(10_000);
          await flushed;
        } else if (step.does === 'wait') {
          await new Promise((resolve) => void setImmediate(resolve));
        } else if (step.does === 'read') {
          await settle();
          await expectAsModelled(log, model, maxRecords);
        } else if (step.does === 'trim') {
          const through = Math.floor(step.fraction * log.lastSequence);
          model.trimmed(Math.min(through, log.durableSequence));
          await log.trim(through).catch(() => undefined);
        } else if (step.does === 'refuse') {
          refuse(step.operation, step.code, 1 + (step.times % 4));
        } else if (step.does === 'reopen') {
          await settle();
          await log.close();
          log = await open();
        } else if (step.does === 'crash') {
          files.killAfter(step.after);
          const flushed = log.flush().catch(() => undefined);
          clock.advance(10_000);
          await flushed;
          files.killAfter(0);
          await log.close().catch(() => undefined);
          files = files.afterCrash(step.crash, step.fraction);
          log = await open();
        }
      }
      await settle();
      await expectAsModelled(log, model, maxRecords);
      await log.close();
      expect(clock.pendingTimers()).toBe(0);
    });
  },
);
