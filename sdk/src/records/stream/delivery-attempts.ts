import { setMaxListeners } from 'node:events';
import { fullJitterMs } from '../../core/backoff.js';
import type { DeliveryResult, RecordBatch, RecordTransport } from '../../platform/wire/record-batch.js';
import { makeBatch, type Compress } from './batch.js';
import type { Breaker } from './breaker.js';
import type { DeadLetterCause, DeadLetters } from './dead-letters.js';
import type { Lane } from './lane.js';
import type { RecordRun } from './record-chunk.js';
import { rejectedRecords, type RejectedRecord } from './rejected-records.js';
import type { StreamClock } from './stream-clock.js';
import type { StreamPolicy } from './stream-policy.js';
import type { StreamTrouble } from './stream-status.js';

/** What becomes of records on their way; counts of records unless they say otherwise. */
export interface DeliveryTally {
  acknowledged: number;
  batches: number;
  requests: number;
  retried: number;
  dead: number;
  storageFailures: number;
  trouble: StreamTrouble | undefined;
}

/** What a delivery works with. */
export interface DeliveryParts {
  readonly transport: RecordTransport;
  readonly deadLetters: DeadLetters;
  readonly policy: StreamPolicy;
  readonly clock: StreamClock;
  /** A number from 0 up to, not including, 1. */
  readonly random: () => number;
  /** CloudEvents source. */
  readonly source: string;
  readonly compress: Compress;
  /** Records were settled, or an attempt has failed: there may be more to do. */
  readonly onSettled: () => void;
}

/** A batch in the making, and what it is made of. */
export interface PreparedBatch {
  readonly records: RecordRun;
  readonly batch: Promise<RecordBatch>;
}

/** A lane and the batch that it is about. */
export interface Sender {
  readonly lane: Lane;
  /** An attempt has begun and not ended: until then there is no other. */
  isBusy: boolean;
  /** Records on their way: none once they are settled, which is before the attempt ends. */
  inFlight: number;
  /** The batch that failed and is sent again as it is. */
  batch: RecordBatch | undefined;
  /** What it is made of. */
  records: RecordRun | undefined;
  /** The batch behind it, which is made while it is on its way. */
  prepared: PreparedBatch | undefined;
  /** In a row. */
  failures: number;
  /** Not before, monotonic milliseconds. */
  notBeforeMs: number;
}

/** Statuses after which nobody at all should call for as long as Retry-After says: they speak of the receiver, not of the batch. */
const HOLDS_ALL: ReadonlySet<number> = new Set([429, 503]);

/**
 * Records refused alone in a row, none acknowledged in between, after which it is no longer taken for their fault: the two sides do not
 * agree on what a record is. Each further one is a failure of the receiver, which slows the stream down to the pace of the breaker instead
 * of turning the whole spool into dead letters at full speed.
 */
const REFUSED_IN_A_ROW = 20;

/** A yes that is none: the batch is sent again. */
const NOT_OF_THE_BATCH: DeliveryResult = {
  status: 'unavailable',
  reason: 'answer-unreadable',
  detail: 'the answer rejects records that are not in the batch',
};

/** Sends the batch at the head of a lane, and does what its answer asks for. */
export class DeliveryAttempts {
  isClosed = false;
  /** The receiver asked to be left alone until then, monotonic milliseconds. */
  heldUntilMs = 0;
  readonly #parts: DeliveryParts;
  readonly #breaker: Breaker;
  readonly #tally: DeliveryTally;
  readonly #closing = new AbortController();
  readonly #attempts = new Set<Promise<void>>();
  /** Records refused alone since the last acknowledgement. */
  #refusedAlone = 0;

  constructor(parts: DeliveryParts, breaker: Breaker, tally: DeliveryTally) {
    this.#parts = parts;
    this.#breaker = breaker;
    this.#tally = tally;
    // One listener for each batch on its way, and no leak.
    setMaxListeners(parts.policy.maxInFlight, this.#closing.signal);
  }

  begin(sender: Sender): void {
    const records = sender.batch === undefined ? undefined : sender.records;
    const run = (sender.records = records ?? sender.lane.cut());
    sender.isBusy = true;
    sender.inFlight = run.count;
    const attempt = this.#attempt(sender, run)
      .catch(() => this.#onStorageFailed(sender))
      .finally(() => {
        this.#attempts.delete(attempt);
        sender.isBusy = false;
        sender.inFlight = 0;
        this.#parts.onSettled();
      });
    this.#attempts.add(attempt);
  }

  /** Makes the batch that comes next, where that is whole. */
  prepare(sender: Sender): void {
    const records = sender.prepared === undefined ? sender.lane.following() : undefined;
    if (records === undefined || !records.isReadable) return;
    const batch = this.#make(records);
    // Who needs it will hear of it.
    batch.catch(() => undefined);
    sender.prepared = { records, batch };
  }

  async close(): Promise<void> {
    this.isClosed = true;
    this.#closing.abort();
    await Promise.all(this.#attempts);
  }

  async #attempt(sender: Sender, records: RecordRun): Promise<void> {
    if (!records.isReadable) {
      this.#breaker.onAbandoned();
      await this.#bury(records, { reason: 'unreadable' });
      this.#settle(sender, records.count);
      return;
    }
    const { transport } = this.#parts;
    sender.batch ??= await this.#batchOf(sender, records);
    this.#tally.requests += 1;
    if (sender.failures > 0) this.#tally.retried += 1;
    const result = await delivered(transport, sender.batch, this.#closing.signal);
    // Nothing is known of an attempt that was given up, unless it was answered all the same.
    if (this.isClosed && result.status !== 'acknowledged') return;
    await this.#onResult(sender, records, result);
  }

  #batchOf(sender: Sender, records: RecordRun): Promise<RecordBatch> {
    const { prepared } = sender;
    // Halves of a batch that was refused come before it.
    if (prepared === undefined || prepared.records.chunk !== records.chunk) return this.#make(records);
    sender.prepared = undefined;
    const isIt = prepared.records.firstSequence === records.firstSequence && prepared.records.count === records.count;
    return isIt ? prepared.batch : this.#make(records);
  }

  #make(records: RecordRun): Promise<RecordBatch> {
    const { clock, source, transport, compress } = this.#parts;
    const { encoding = 'gzip' } = transport;
    return makeBatch(records, { source, timeMs: clock.nowMs(), encoding, compress });
  }

  async #onResult(sender: Sender, records: RecordRun, result: DeliveryResult): Promise<void> {
    const nowMs = this.#parts.clock.monotonicMs();
    const rejected = result.status === 'acknowledged' ? rejectedRecords(records, result.rejected) : [];
    if (rejected === undefined) return this.#onResult(sender, records, NOT_OF_THE_BATCH);
    if (result.status !== 'acknowledged') this.#tally.trouble = { ...result, atMs: this.#parts.clock.nowMs() };
    switch (result.status) {
      case 'acknowledged':
        this.#breaker.onAnswered();
        this.#refusedAlone = 0;
        await this.#onAcknowledged(sender, records.count, rejected);
        return;
      case 'refused':
        if (records.count === 1) this.#refusedAlone += 1;
        if (this.#refusedAlone > REFUSED_IN_A_ROW) this.#breaker.onBarred(nowMs);
        else this.#breaker.onAnswered();
        await this.#onRefused(sender, records, result);
        return;
      case 'unavailable':
        this.#breaker.onFailed(nowMs);
        this.#onUnavailable(sender, result, nowMs);
        return;
      case 'barred':
        sender.failures += 1;
        this.#breaker.onBarred(nowMs);
    }
  }

  async #onAcknowledged(sender: Sender, count: number, rejected: readonly RejectedRecord[]): Promise<void> {
    if (rejected.length > 0) await this.#parts.deadLetters.bury(rejected);
    this.#tally.dead += rejected.length;
    this.#tally.acknowledged += count - rejected.length;
    this.#tally.batches += 1;
    this.#tally.trouble = undefined;
    this.#settle(sender, count);
  }

  /** The batch is never sent again: halves of it are, until one record alone is left that is refused. */
  async #onRefused(
    sender: Sender,
    records: RecordRun,
    result: DeliveryResult & { readonly status: 'refused' },
  ): Promise<void> {
    this.#tally.batches += 1;
    if (records.count === 1) {
      const reason = result.reason === 'too-large' ? 'too-large' : 'refused';
      await this.#bury(records, { reason, ...aboutRefusal(result) });
      this.#settle(sender, 1);
      return;
    }
    sender.lane.split(records.count);
    sender.batch = undefined;
    sender.failures = 0;
    sender.notBeforeMs = 0;
  }

  #onUnavailable(sender: Sender, result: DeliveryResult & { readonly status: 'unavailable' }, nowMs: number): void {
    sender.failures += 1;
    const asked = result.retryAfterMs ?? 0;
    const { policy, random } = this.#parts;
    sender.notBeforeMs = nowMs + Math.max(fullJitterMs(sender.failures, policy.retry, random), asked);
    if (asked > 0 && HOLDS_ALL.has(result.httpStatus ?? 0))
      this.heldUntilMs = Math.max(this.heldUntilMs, nowMs + asked);
  }

  #settle(sender: Sender, count: number): void {
    sender.lane.settle(count);
    sender.inFlight = 0;
    sender.batch = undefined;
    sender.records = undefined;
    sender.failures = 0;
    sender.notBeforeMs = 0;
  }

  /** The batch stays, and is sent again: the receiver knows its records, and those that it rejects are buried then. */
  #onStorageFailed(sender: Sender): void {
    this.#tally.storageFailures += 1;
    this.#breaker.onAbandoned();
    sender.failures += 1;
    const { policy, random, clock } = this.#parts;
    // Never at once: a disk that is full stays so for a while.
    const waitMs = policy.retry.baseMs + fullJitterMs(sender.failures, policy.retry, random);
    sender.notBeforeMs = clock.monotonicMs() + waitMs;
  }

  async #bury(records: RecordRun, cause: DeadLetterCause): Promise<void> {
    await this.#parts.deadLetters.bury(
      Array.from({ length: records.count }, (_none, index) => ({ line: records.line(index), cause })),
    );
    this.#tally.dead += records.count;
  }
}

function aboutRefusal({
  reason,
  httpStatus,
  detail,
}: DeliveryResult & { readonly status: 'refused' }): Omit<DeadLetterCause, 'reason'> {
  return {
    code: reason,
    ...(httpStatus === undefined ? {} : { httpStatus }),
    ...(detail === undefined ? {} : { detail }),
  };
}

/** A transport promises not to reject; one that does must not stop the stream. */
async function delivered(transport: RecordTransport, batch: RecordBatch, signal: AbortSignal): Promise<DeliveryResult> {
  try {
    return await transport.deliver(batch, signal);
  } catch {
    return { status: 'unavailable', reason: 'connection-failed', detail: 'the transport threw' };
  }
}
