import { setMaxListeners } from 'node:events';
import { fullJitterMs } from '../../core/runtime/deadline.js';
import type { DeliveryResult, RecordBatch, RecordTransport } from '../../contract/record-batch.js';
import { rejectedRecords } from './dead-letters.js';
import type { DeadLetterCause, DeadLetters, RejectedRecord } from './dead-letters.js';
import { encodeFrameOfLine, frameLaneHash, lineCallGroup, lineText } from './packed-spool.js';
import type { Pack, ReadPack } from './packed-spool.js';
import { createChunkPool, decompress, Lane, makeBatch, unpackedLines } from './record-chunk.js';
import type { Compress, ReadablePack, RecordRun } from './record-chunk.js';
import { createBreaker } from './stream-policy.js';
import type { Breaker, StreamClock, StreamPolicy, StreamStatus } from './stream-policy.js';

/** What becomes of records on their way; counts of records unless they say otherwise. */
type DeliveryTally = ReturnType<typeof newTally>;

/** What a delivery works with. */
interface DeliveryParts {
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
interface PreparedBatch {
  readonly records: RecordRun;
  readonly batch: Promise<RecordBatch>;
}

/** A lane and the batch that it is about. */
interface Sender {
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

/** The answer rejects records that we did not send, so we resend the batch. */
const NOT_OF_THE_BATCH: DeliveryResult = {
  status: 'unavailable',
  reason: 'answer-unreadable',
  detail: 'the answer rejects records that are not in the batch',
};

/** Sends the batch at the head of a lane, and does what its answer asks for. */
class DeliveryAttempts {
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

function aboutRefusal(result: DeliveryResult & { readonly status: 'refused' }): Omit<DeadLetterCause, 'reason'> {
  const { status: _status, reason: code, ...rest } = result;
  return { code, ...rest };
}

/** A transport promises not to reject; one that does must not stop the stream. */
async function delivered(transport: RecordTransport, batch: RecordBatch, signal: AbortSignal): Promise<DeliveryResult> {
  try {
    return await transport.deliver(batch, signal);
  } catch {
    return { status: 'unavailable', reason: 'connection-failed', detail: 'the transport threw' };
  }
}

/** A record that is not settled. */
type OldestRecord = Pick<Lane, 'headSequence' | 'headAcceptedAtMs'>;

/** Records that do not wait for others to fill their batch. */
interface Urgency {
  /** Those up to this sequence number. */
  readonly throughSequence: number;
  /** All: no more can be read until some are settled. */
  readonly isFull: boolean;
}

/** Sends what is in the lanes, of which there are as many as batches may be on their way. */
export class Delivery {
  readonly tally = newTally();
  readonly breaker: Breaker;
  readonly #parts: DeliveryParts;
  readonly #senders: readonly Sender[];
  readonly #attempts: DeliveryAttempts;
  /** Of each lane: what is below and was pushed from the spool is settled. */
  readonly #settledBelow: number[];
  /** Groups of which records stand in the lanes by themselves: under their places, which say nothing of the spool. */
  #partedGroups: readonly Pick<Pack, 'groupFirst' | 'groupLast'>[] = [];
  /** Whose turn it is first: in a half-open breaker the same batch must not be the only one that is ever tried. */
  #turn = 0;

  constructor(parts: DeliveryParts) {
    const { policy, clock, random } = parts;
    const chunkLimits = { records: policy.batchRecords, bytes: policy.batchBytes };
    const chunks = policy.maxInFlight * (BATCHES_AHEAD + 1);
    const pool = createChunkPool(chunkLimits, { chunks, bytes: policy.windowBytes });
    this.#parts = parts;
    this.#senders = Array.from({ length: policy.maxInFlight }, () => newSender(new Lane(pool, clock)));
    this.#settledBelow = this.#senders.map(() => 0);
    this.breaker = createBreaker({ failures: policy.breakerFailures, open: policy.breakerOpen, random });
    this.#attempts = new DeliveryAttempts(parts, this.breaker, this.tally);
  }

  /** Takes a record as spooled: what `bytes` has from `from` to before `to`, of which it keeps a copy. */
  readonly push = (sequence: number, bytes: Uint8Array, from: number, to: number): void => {
    const lane = this.#laneOf(bytes, from);
    if (sequence >= (this.#settledBelow[lane] ?? 0)) this.#senders[lane]?.lane.push(sequence, bytes, from, to);
  };

  /** Whether a record as spooled, which `bytes` has from `from` on, was settled before its lane forgot what comes behind it. */
  readonly isSettled = (sequence: number, bytes: Uint8Array, from: number): boolean =>
    sequence < (this.#settledBelow[this.#laneOf(bytes, from)] ?? 0);

  /**
   * Takes a pack, which is sent as it is where it is what would be sent; else its records go to their lanes one by one.
   * @param unreadableAt - sequence number of a pack that cannot be read
   * @param through - up to where the spool is packed: none of its records has a higher number, lest it be taken for one of those behind
   * @throws Error when there is no memory for it
   */
  async pushPack({ pack, payload }: ReadPack, unreadableAt: number, through: number): Promise<void> {
    if (pack === undefined) this.#pushFrame(unreadableAt, payload);
    else if (!isReadable(pack)) {
      this.#part(pack, through);
      this.#pushFrame(Math.min(pack.first, through), pack.body);
    } else if (this.#isAsSent(pack)) this.#senders[pack.lane]?.lane.pushPack(pack);
    else await this.#unpack(pack, through);
  }

  /** Begins every attempt whose time has come. */
  start(urgency: Urgency): void {
    const { policy, clock } = this.#parts;
    const senders = this.#senders;
    const nowMs = clock.monotonicMs();
    if (this.#attempts.isClosed || this.#attempts.heldUntilMs > nowMs) return;
    const first = this.#turn;
    for (let count = 0; count < senders.length; count += 1) {
      const index = (first + count) % senders.length;
      const sender = senders[index];
      if (sender === undefined) continue;
      if (readyAtMs(sender, urgency, policy.lingerMs) <= nowMs) {
        if (!this.breaker.permit(nowMs)) return;
        this.#attempts.begin(sender);
        this.#turn = index + 1;
      }
      if (sender.inFlight > 0) this.#attempts.prepare(sender);
    }
  }

  /** When `start` should be called again if nothing else happens, monotonic milliseconds; Infinity where only others know. */
  dueAtMs(urgency: Urgency): number {
    const { lingerMs } = this.#parts.policy;
    const ready = Math.min(...this.#senders.map((sender) => readyAtMs(sender, urgency, lingerMs)));
    return Math.max(ready, this.#attempts.heldUntilMs, this.breaker.permittedAtMs());
  }

  inFlight(): number {
    return sum(this.#senders, (sender) => sender.inFlight);
  }

  queued(): number {
    return sum(this.#senders, ({ lane, inFlight }) => lane.size - inFlight);
  }

  sizeBytes(): number {
    return sum(this.#senders, ({ lane }) => lane.sizeBytes);
  }

  /** Whether some lane has fewer batches behind the one on its way than are read before their turn. */
  isHungry(): boolean {
    return this.#senders.some(({ lane, inFlight }) => lane.batches() - (inFlight > 0 ? 1 : 0) < BATCHES_AHEAD);
  }

  /** No record that is not settled has a lower sequence number; Infinity where all are. While records of a parted group are unsettled, its first sequence number counts. */
  floorSequence(): number {
    const floor = Math.min(...this.#senders.map(({ lane }) => lane.floorSequence()));
    if (this.#partedGroups.length === 0) return floor;
    this.#partedGroups = this.#partedGroups.filter(({ groupLast }) => groupLast >= floor);
    return Math.min(floor, ...this.#partedGroups.map(({ groupFirst }) => groupFirst));
  }

  /** The lane with the oldest record that is not settled. */
  oldest(): OldestRecord | undefined {
    return oldestOf(this.#senders);
  }

  /**
   * Gives up records up to a sequence number, but for those that are being sent this moment.
   * @returns how many
   */
  dropThrough(sequence: number): number {
    return sum(this.#senders, (sender) => dropOf(sender, sequence));
  }

  /**
   * Takes all records with a higher sequence number out of the lanes, unless a batch is on its way. They may be pushed again: those among
   * them that are settled are not taken a second time.
   * @param readThrough - how far records had been pushed
   * @returns whether it did
   */
  forgetAbove(sequence: number, readThrough: number): boolean {
    if (this.#senders.some(({ isBusy }) => isBusy)) return false;
    for (const [index, sender] of this.#senders.entries()) {
      const unsettled = Math.min(sender.lane.forgetAbove(sequence), readThrough + 1);
      this.#settledBelow[index] = Math.max(this.#settledBelow[index] ?? 0, unsettled);
      sender.batch = sender.prepared = undefined;
    }
    return true;
  }

  /** Gives up what is on its way and waits until it has ended. */
  close(): Promise<void> {
    return this.#attempts.close();
  }

  /** Octets that are no frame of this release may go to any lane: they are never sent. */
  #laneOf(bytes: Uint8Array, from: number): number {
    return frameLaneHash(bytes, from) % this.#senders.length;
  }

  #pushFrame(sequence: number, frame: Uint8Array): void {
    this.#senders[this.#laneOf(frame, 0)]?.lane.push(sequence, frame, 0, frame.length);
  }

  #isAsSent(pack: ReadablePack): boolean {
    const { transport, policy } = this.#parts;
    return (
      pack.encoding === (transport.encoding ?? 'gzip') &&
      pack.lanes === this.#senders.length &&
      pack.count <= policy.batchRecords &&
      (pack.lineBytes <= policy.batchBytes || pack.count === 1)
    );
  }

  #part(pack: Pack, through: number): void {
    const [groupFirst, groupLast] = [Math.min(pack.groupFirst, through), Math.min(pack.groupLast, through)];
    const last = this.#partedGroups.at(-1);
    // A group that was packed again begins where the torn one did.
    if (last?.groupFirst !== groupFirst || last.groupLast !== groupLast)
      this.#partedGroups = [...this.#partedGroups, { groupFirst, groupLast }];
  }

  async #unpack(pack: ReadablePack, through: number): Promise<void> {
    const { body, encoding, lineBytes, first, acceptedAtMs } = pack;
    const lines = unpackedLines(await decompress(body, encoding, lineBytes));
    // Now: the lanes may have had nothing of its group meanwhile, and whatever settled then has let go of it.
    this.#part(pack, through);
    for (let index = 0; index < lines.count; index += 1) {
      const line = lines.from(index, index + 1);
      const frame = encodeFrameOfLine(lineText(line), lineCallGroup(line), acceptedAtMs);
      this.#pushFrame(Math.min(first + index, through), frame);
    }
  }
}

const isReadable = (pack: Pack): pack is ReadablePack => pack.encoding !== undefined;

/** Batches of a lane that are read before their turn, so that reading and sending go on beside each other. */
const BATCHES_AHEAD = 3;

function newTally() {
  return {
    acknowledged: 0,
    batches: 0,
    requests: 0,
    retried: 0,
    dead: 0,
    storageFailures: 0,
    trouble: undefined as StreamStatus['trouble'],
  };
}

function newSender(lane: Lane): Sender {
  const nothing = { batch: undefined, records: undefined, prepared: undefined };
  return {
    lane,
    isBusy: false,
    inFlight: 0,
    ...nothing,
    failures: 0,
    notBeforeMs: 0,
  };
}

/** When the lane's next batch may go. */
function readyAtMs({ lane, isBusy, batch, notBeforeMs }: Sender, urgency: Urgency, lingerMs: number): number {
  if (lane.size === 0 || isBusy) return Number.POSITIVE_INFINITY;
  const isDue =
    batch !== undefined || urgency.isFull || lane.isNextWhole() || lane.headSequence() <= urgency.throughSequence;
  return isDue ? notBeforeMs : Math.max(notBeforeMs, lane.headQueuedAtMs() + lingerMs);
}

function dropOf(sender: Sender, sequence: number): number {
  if (sender.isBusy) return 0;
  const dropped = sender.lane.dropThrough(sequence);
  if (dropped > 0) sender.batch = sender.prepared = undefined;
  return dropped;
}

function oldestOf(senders: readonly Sender[]): Lane | undefined {
  let oldest: Lane | undefined;
  for (const { lane } of senders) {
    if (lane.size > 0 && (oldest === undefined || lane.headSequence() < oldest.headSequence())) oldest = lane;
  }
  return oldest;
}

const sum = <Item>(items: readonly Item[], of: (item: Item) => number): number =>
  items.reduce((total, item) => total + of(item), 0);
