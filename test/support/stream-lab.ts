import { gunzipSync, gzipSync } from 'node:zlib';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import type { DeliveryResult, RecordBatch, RecordTransport } from '../../sdk/src/contract/record-batch.js';
import { sourceSha256 } from '../../sdk/src/records/record-id.js';
import type { DurableValues } from '../../sdk/src/records/stream/dead-letters.js';
import type { PackedSpool } from '../../sdk/src/records/stream/packed-spool.js';
import { RecordStream, type RecordStreamParts } from '../../sdk/src/records/stream/record-stream.js';
import type { StreamPolicy } from '../../sdk/src/records/stream/stream-policy.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { createMemorySegmentLog, type MemorySegmentLog } from './memory-segment-log.js';
import { sparseRecord } from './stored-records.js';

export type StreamTestClock = ReturnType<typeof createStreamTestClock>;

/** Timers set while a test moves the clock once, above which they are set for at once, over and over. */
const STORM_TIMERS = 10_000;

/** Makes a clock that a test moves, the wall clock apart from the monotonic one; it throws where timers are set without end. */
export function createStreamTestClock() {
  const manual = new ManualClock(0);
  let wallMs = 1_790_000_000_000;
  let timersSet = 0;
  return {
    nowMs: (): number => wallMs + manual.nowMs(),
    monotonicMs: manual.nowMs,
    schedule: (callback: () => void, delayMs: number): (() => void) => {
      timersSet += 1;
      if (timersSet > STORM_TIMERS) throw new Error('a storm of timers');
      return manual.schedule(callback, delayMs);
    },
    advance: (ms: number): void => {
      timersSet = 0;
      manual.advance(ms);
    },
    pendingTimers: (): number => manual.pendingTimers(),
    /** Sets the wall clock that much forward, or back. */
    jump: (ms: number): void => {
      wallMs += ms;
    },
  };
}

/** A call record of some 900 octets; `call` decides the group, `leg` the id. */
export function sampleRecord(leg: number, call: number = leg): CallRecord {
  const legId = `${leg}@192.0.2.10`;
  return sparseRecord(legId, 1_790_000_000_000_000 + leg, {
    source: { id: 'sbc-1', format: 'hopback', readerVersion: 1, sha256: sourceSha256(legId) },
    callGroupId: `call-${call}`,
    time: { written: 'utc', resolutionUs: 1 },
    calling: { asWritten: '+12025550123', tn: '12025550123' },
    called: { asWritten: '+13035550145', tn: '13035550145' },
    ingress: { trunk: 'upstream-1', provider: 'OCN:1234', address: '192.0.2.1:5060', callId: `in-${leg}` },
    egress: { trunk: 'downstream-2', provider: 'OCN:5678', address: '192.0.2.2:5060', callId: `out-${leg}` },
    disposition: 'answered',
    received: { verstat: 'TN-Validation-Passed', attestation: 'B', iatSeconds: 1_790_000_000, spc: '1234' },
  });
}

/** A batch as the transport got it. */
export interface SentBatch {
  readonly batch: RecordBatch;
  readonly recordIds: readonly string[];
  readonly records: readonly CallRecord[];
  readonly atMs: number;
  readonly answer: (result: DeliveryResult) => void;
}

/** A stream on logs in memory, its transport in the hands of the test. */
export interface StreamLab extends AsyncDisposable {
  readonly stream: RecordStream;
  readonly log: MemorySegmentLog;
  readonly dead: MemorySegmentLog;
  readonly clock: StreamTestClock;
  readonly values: Map<string, string>;
  /** Every batch that was sent, in order. */
  readonly sent: SentBatch[];
  /** Decides at once what becomes of a batch; undefined leaves it on its way until the test answers. */
  reply: ((sent: SentBatch) => DeliveryResult | undefined) | undefined;
}

/** What a lab is made of. */
export interface StreamLabOptions {
  readonly policy?: Partial<StreamPolicy>;
  readonly log?: MemorySegmentLog;
  readonly values?: Map<string, string>;
  readonly dead?: MemorySegmentLog;
  /** Where it packs what waits. */
  readonly packed?: PackedSpool;
  readonly random?: () => number;
  readonly reply?: StreamLab['reply'];
}

/** Everything is acknowledged. */
export const ACKNOWLEDGED: DeliveryResult = { status: 'acknowledged', rejected: [] };

/** Makes a lab; one batch at a time and no linger unless the policy says otherwise. */
export function createStreamLab(options: StreamLabOptions = {}): StreamLab {
  const clock = createStreamTestClock();
  const log = options.log ?? createMemorySegmentLog();
  const dead = options.dead ?? createMemorySegmentLog();
  const values = options.values ?? new Map<string, string>();
  const sent: SentBatch[] = [];
  const transport: RecordTransport = {
    deliver: (batch, signal) =>
      new Promise((resolve) => {
        const records = gunzipSync(batch.body)
          .toString()
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as CallRecord);
        const answer = (result: DeliveryResult): void => {
          signal.removeEventListener('abort', onAbort);
          resolve(result);
        };
        const recordIds = records.map(({ recordId }) => recordId);
        const one: SentBatch = { batch, records, recordIds, atMs: clock.monotonicMs(), answer };
        sent.push(one);
        const onAbort = (): void => resolve({ status: 'unavailable', reason: 'connection-failed' });
        signal.addEventListener('abort', onAbort);
        const result = lab.reply?.(one);
        if (result !== undefined) answer(result);
      }),
    close: async () => {},
  };
  const durable: DurableValues = {
    get: (key) => values.get(key),
    set: async (key, value) => void values.set(key, value),
  };
  const parts: RecordStreamParts = {
    ...{ log, deadLetters: dead, values: durable, transport, clock, source: '/test/stream' },
    random: options.random ?? (() => 0.5),
    // Here and now: what a test waits for must not hang on how busy the machine is.
    compress: async (lines) => gzipSync(lines),
    policy: { maxInFlight: 1, lingerMs: 0, ...options.policy },
  };
  const stream = streamOn(parts, options.packed);
  const lab: StreamLab = {
    ...{ stream, log, dead, clock, values, sent, reply: options.reply },
    [Symbol.asyncDispose]: () => stream.close(),
  };
  return lab;
}

/** A stream on logs that a test has opened; users open it with its files. */
export function streamOn(...parts: [RecordStreamParts, packed?: PackedSpool]): RecordStream {
  return Reflect.construct(RecordStream, parts) as RecordStream;
}

/** Lets everything that does not wait for the clock happen. */
export async function settled(turns = 40): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Lets time go by in so many steps, and after each what became due happen. */
export async function passed(lab: StreamLab, stepMs: number, { steps = 1, turns = 40 } = {}): Promise<void> {
  for (let step = 0; step < steps; step += 1) {
    lab.clock.advance(stepMs);
    await settled(turns);
  }
}

/** How long things are let happen: by the clock of the machine, whose threads unpack what was packed. */
const UNTIL_MS = 30_000;

/** Lets things happen, moving the clock by small steps, until a condition holds. */
export async function until(lab: StreamLab, condition: () => boolean, stepMs = 50): Promise<void> {
  const endMs = performance.now() + UNTIL_MS;
  for (let turn = 0; performance.now() < endMs; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (condition()) return;
    if (turn % 5 === 4) lab.clock.advance(stepMs);
  }
  throw new Error('it never came to that');
}
