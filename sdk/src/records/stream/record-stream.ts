import { join } from 'node:path';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { SegmentLog, ValueJournal } from '../../log/index.js';
import type { BatchEncoding, RecordTransport } from '../../contract/record-batch.js';
import type { DurableValues, DeadLetter } from './dead-letters.js';
import { createAcknowledgedCursor, createSpoolLimits, createWatermark } from './acknowledged-cursor.js';
import { BacklogPacker } from './backlog-packer.js';
import { ACKNOWLEDGED_KEY, createDeadLetters, keptSequence, knownSequence } from './dead-letters.js';
import { Delivery } from './delivery.js';
import { encodeFrame, encodeFrameOfLine, FRAME_HEADER_BYTES, openPackedSpool, SpoolReader } from './packed-spool.js';
import type { PackedSpool } from './packed-spool.js';
import { compressFast } from './record-chunk.js';
import { createStatusFeed, createStreamTime, streamPolicy } from './stream-policy.js';
import type { StreamClock, StreamPolicy, StreamStatus } from './stream-policy.js';

/** Why a record was not accepted. */
export type RecordRefusal =
  /** The spool holds as many octets as it may. */
  | 'spool-full'
  /** The oldest record waits longer than any may. */
  | 'spool-too-old'
  /** The disk does not keep up, or refuses: what was accepted is waiting for it. */
  | 'disk-behind'
  /** The record is larger than any may be. */
  | 'too-large'
  /** It is no plain JSON. */
  | 'not-json'
  | 'closed';

/** What became of a record that was handed in. Accepted is not yet durable: that is `durableSequence`. */
export type RecordAcceptance =
  { readonly accepted: true; readonly sequence: number } | { readonly accepted: false; readonly reason: RecordRefusal };

/** What became of a drain. */
export type Drained =
  | { readonly status: 'drained' }
  /** Time was up, or the stream was closed; the records are still in the spool. */
  | { readonly status: 'incomplete'; readonly remaining: number };

/** What a stream is opened with. */
export interface RecordStreamOptions {
  /** For its files alone; made where it is not there. One process at a time. */
  readonly directory: string;
  /** Octets of a segment of the spool, which is freed as a whole. Default that of the segment log. */
  readonly segmentBytes?: number;
  readonly transport: RecordTransport;
  /** CloudEvents source of the batches: names the stream to the receiver, 1 to 256 characters of visible ASCII. */
  readonly source: string;
  /** What differs from `DEFAULT_STREAM_POLICY`. */
  readonly policy?: Partial<StreamPolicy>;
  /** Default the clock of the machine. */
  readonly clock?: StreamClock;
  /** A number from 0 up to, not including, 1, which spreads waits. Default `Math.random`. */
  readonly random?: () => number;
  /** Compresses the lines of a batch as the transport has it. Default a fast level of zlib or brotli, off the main thread. */
  readonly compress?: (lines: Uint8Array, encoding: BatchEncoding) => Promise<Uint8Array>;
}

/** What a stream runs on once its files are open. */
export interface RecordStreamParts extends Omit<RecordStreamOptions, 'directory' | 'segmentBytes'> {
  /** The spool. Its owner closes it, after the stream. */
  readonly log: SegmentLog;
  /** Another log, for records that cannot be delivered. Its owner closes it. */
  readonly deadLetters: SegmentLog;
  /** Where the stream keeps how far it has come. */
  readonly values: DurableValues;
}

/** What a stream tells its parts. */
interface StreamEvents {
  /** There may be more to do. */
  readonly changed: () => void;
  readonly onStorageFailed: () => void;
}

type StreamParts = ReturnType<typeof streamParts>;

function streamParts(options: RecordStreamParts, packed: PackedSpool | undefined, events: StreamEvents) {
  const { log, values, transport, source } = options;
  const { changed, onStorageFailed } = events;
  const policy = streamPolicy(options.policy);
  const clock = options.clock ?? MACHINE_CLOCK;
  const random = options.random ?? Math.random;
  const compress = options.compress ?? compressFast;
  const time = createStreamTime(clock);
  const known = knownSequence(values, ACKNOWLEDGED_KEY);
  const kept = known ?? 0;
  // A position past the end is that of a spool that is no more, or was cut: what this one holds was not sent as far as anybody knows.
  const settled = kept > log.lastSequence ? 0 : kept;
  packed?.meet(log, known === settled ? settled : undefined);
  if (packed !== undefined && packed.isWhole() && settled >= packed.through()) packed.passAll();
  // What the spool has not is settled, unless it was packed.
  const acknowledged = packed?.hasUnread() === true ? settled : Math.max(settled, log.firstSequence - 1);

  const letters = createDeadLetters({
    ...{ log: options.deadLetters, values, nowMs: clock.nowMs, maxBytes: policy.maxSpoolBytes },
  });
  const delivery = new Delivery({
    ...{ transport, policy, clock, random, source, deadLetters: letters, compress, onSettled: changed },
  });
  const reader: SpoolReader = new SpoolReader({
    ...{ log, clock, fromSequence: acknowledged + 1, push: delivery.push, onFailed: onStorageFailed, onRead: changed },
    ...(packed && {
      packs: {
        packed,
        push: (read, unreadableAt) => delivery.pushPack(read, unreadableAt, packed.through()),
        isSpoolTaken: () => packer?.isBusy() === true,
      },
    }),
  });
  const trim = async (throughSequence: number): Promise<void> => {
    await log.trim(throughSequence);
    await packed?.trim(throughSequence);
  };
  const cursor = createAcknowledgedCursor({
    ...{ values, clock, trim, onFailed: onStorageFailed },
    ...{ from: acknowledged, isStale: kept > log.lastSequence },
  });
  const watermark = createWatermark({ from: acknowledged, delivery, reader });
  const limits = createSpoolLimits({
    ...{ log, packed, policy, time, delivery, reader, watermark },
    isPacking: () => packer?.isBusy() === true,
  });
  const packer: BacklogPacker | undefined =
    packed &&
    new BacklogPacker({
      ...{ log, packed, reader, policy, compress, clock, encoding: transport.encoding ?? 'gzip' },
      ...{ waitingBytes: limits.unpackedBytes, settledThrough: watermark.sequence, keepSettled: cursor.keep },
      rewind: (fromSequence) => {
        const isForgotten = delivery.forgetAbove(fromSequence - 1, reader.spoolSequence() - 1);
        if (isForgotten) reader.rewind(fromSequence);
        return isForgotten;
      },
      ...{ isSettled: delivery.isSettled, onFailed: onStorageFailed, onEnded: changed },
    });
  return { log, packed, policy, clock, time, letters, delivery, reader, cursor, watermark, limits, packer };
}

/**
 * Sends records to the platform, each at least once in the order of its call; the receiver knows repetitions by their id. What waits while
 * the receiver is away is packed on the disk.
 * @see https://opentelemetry.io/docs/specs/otlp/#failures for what is tried again
 * @example
 * ```ts
 * import { mkdtemp, rm } from 'node:fs/promises';
 * import { tmpdir } from 'node:os';
 * import { join } from 'node:path';
 *
 * const directory = await mkdtemp(join(tmpdir(), 'hopback-'));
 * const stream = await RecordStream.open({
 *   directory,
 *   source: '/carriers/example/switches/1',
 *   transport: { deliver: async () => ({ status: 'acknowledged', rejected: [] }), close: async () => {} },
 * });
 * console.log(stream.record({ recordId: 'd546c842a20f26164092a1e15ac8fa4e', callGroupId: 'call-1' }).accepted); // true
 * console.log((await stream.drain()).status); // drained
 * await stream.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export class RecordStream implements AsyncDisposable {
  /** The spool: what the disk has refused or lost, and how much room it takes, is in its `state()`. */
  readonly spool: Pick<SegmentLog, 'state' | 'onDurable'>;
  readonly #parts: StreamParts;
  readonly #feed: ReturnType<typeof createStatusFeed>;
  readonly #unsubscribe: () => void;
  #isClosed = false;
  #refused = 0;
  #storageFailures = 0;
  #hurryThrough = 0;
  #cancelTimer: (() => void) | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;
  #closing: Promise<void> | undefined;
  readonly #closeFiles: (() => Promise<void>) | undefined;

  /**
   * Opens spool, dead letters and position in a directory, whatever state a killed process left them in, and makes the stream on them.
   * @param options - directory, transport, source, limits
   * @returns the stream; closing it closes the files and the transport
   * @throws {@link HopbackError} `storage-failed` when the disk refuses, `invalid-configuration` when a limit is out of its bounds
   */
  static async open(options: RecordStreamOptions): Promise<RecordStream> {
    const { directory, segmentBytes, ...parts } = options;
    const opened: { readonly close: () => Promise<void> }[] = [];
    const keep = <Part extends { readonly close: () => Promise<void> }>(part: Part): Part => {
      opened.unshift(part);
      return part;
    };
    const closeAll = async (): Promise<void> => {
      for (const part of opened.splice(0)) await part.close();
    };
    try {
      const values = keep(await ValueJournal.open({ directory: join(directory, 'values') }));
      const sized = segmentBytes === undefined ? {} : { segmentBytes };
      const packs = await SegmentLog.open({
        directory: join(directory, 'packed'),
        maxRecordBytes: LONGEST_PACK_BYTES,
        ...sized,
      });
      // What it could not write is lost to nobody: the spool has it still.
      keep({ close: () => packs.close().catch(() => undefined) });
      const packed = await openPackedSpool(packs);
      const settledThrough = keptSequence(values, ACKNOWLEDGED_KEY);
      const log = keep(
        await SegmentLog.open({
          directory: join(directory, 'spool'),
          // A spool that lost its end gives no number again of which the position says that it was delivered, or that was packed.
          afterSequence: Math.max(settledThrough, packed.through()),
          ...sized,
        }),
      );
      const deadLetters = keep(
        // A pack that this release cannot read is put aside whole: were there no room for it, its lane would wait for ever.
        await SegmentLog.open({ directory: join(directory, 'dead-letters'), maxRecordBytes: LONGEST_PACK_BYTES }),
      );
      keep(options.transport);
      return new RecordStream({ ...parts, log, deadLetters, values }, packed, closeAll);
    } catch (error) {
      await closeAll();
      throw error;
    }
  }

  /** @param closeFiles - called when the stream has ended, where it owns its files */
  private constructor(options: RecordStreamParts, packed?: PackedSpool, closeFiles?: () => Promise<void>) {
    const parts = streamParts(options, packed, {
      changed: () => this.#pump(),
      onStorageFailed: () => void (this.#storageFailures += 1),
    });
    this.#parts = parts;
    this.#closeFiles = closeFiles;
    this.spool = packed === undefined ? options.log : spoolOf(options.log, packed);
    this.#feed = createStatusFeed(() => this.status(), parts.clock);
    this.#unsubscribe = parts.log.onDurable(() => {
      parts.limits.onDurable();
      this.#pump();
    });
    this.#wakeAt(parts.clock.monotonicMs());
  }

  /**
   * Takes a record for delivery. Synchronous, in bounded time, never waits, never throws: it may be called while a call is set up.
   * @param record - as it may leave the carrier: what may not has been taken out before. What else it has goes through unread
   */
  record(record: {
    /** What the receiver knows repetitions by: 32 lower-case hexadecimal digits. */
    readonly recordId: string;
    /** Records that share it are delivered in the order in which they were handed in. */
    readonly callGroupId: string;
  }): RecordAcceptance {
    return this.#accept((nowMs) => encodeFrame(record, nowMs));
  }

  /** Records up to it are on disk: they will be delivered, whatever dies. */
  get durableSequence(): number {
    return this.#parts.log.durableSequence;
  }

  /**
   * Waits until all that has been accepted so far is on disk.
   * @returns `durableSequence` then
   * @throws HopbackError `storage-failed` (retryable) when the disk refuses; `closed`
   */
  flush(): Promise<number> {
    return this.#parts.log.flush();
  }

  /**
   * Sends what has been accepted so far without waiting for batches to fill, and waits until it is settled: delivered, a dead letter or
   * dropped. New records go on being accepted.
   * @param options - `timeoutMs`, default without end
   * @throws HopbackError `storage-failed` (retryable) when the disk refuses what was pending
   */
  async drain({ timeoutMs }: { readonly timeoutMs?: number } = {}): Promise<Drained> {
    const { log, clock, watermark } = this.#parts;
    const target = log.lastSequence;
    this.#hurryThrough = Math.max(this.#hurryThrough, target);
    if (log.durableSequence < target) await log.flush();
    this.#pump();
    const isDone = await watermark.reached(target, { clock, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
    return isDone ? { status: 'drained' } : { status: 'incomplete', remaining: target - watermark.sequence() };
  }

  /** How things stand. */
  status(): StreamStatus {
    const { log, packed, time, letters, delivery, reader, watermark, limits } = this.#parts;
    const { tally } = delivery;
    const oldest = delivery.oldest();
    return {
      queued: reader.unread(log.lastSequence) + delivery.queued(),
      packed: packed?.hasUnread() === true ? reader.unread(packed.through()) : 0,
      inFlight: delivery.inFlight(),
      acknowledged: tally.acknowledged,
      batches: tally.batches,
      requests: tally.requests,
      retried: tally.retried,
      dead: tally.dead,
      deadLetters: letters.count(),
      dropped: limits.dropped(),
      refused: this.#refused,
      breaker: delivery.breaker.state(),
      oldestAgeMs: oldest === undefined ? 0 : Math.max(0, Math.round(time.nowMs() - oldest.headAcceptedAtMs())),
      acknowledgedSequence: watermark.sequence(),
      durableSequence: log.durableSequence,
      lastSequence: log.lastSequence,
      storageFailures: this.#storageFailures + tally.storageFailures,
      ...(tally.trouble === undefined ? {} : { trouble: tally.trouble }),
    };
  }

  /** How things stand, now and whenever that has changed, some times a second at most; ends when the stream is closed. */
  statuses(): AsyncIterableIterator<StreamStatus> {
    return this.#feed.statuses();
  }

  /** Records that could not be delivered, with reasons, oldest first. */
  deadLetters(): AsyncIterable<DeadLetter> {
    return this.#parts.letters.read();
  }

  /**
   * Deals with all dead letters.
   * @param decide - what to do with each; default is to hand all in again
   * @returns how many letters went which way; `remaining` could not be looked at, since the spool or the disk would take no more, and are as
   * before
   * @throws HopbackError `storage-failed` (retryable) when the disk refuses; letters may then be there twice, with the same record id
   */
  settleDeadLetters(decide: (letter: DeadLetter) => 'requeue' | 'keep' | 'discard' = () => 'requeue'): Promise<{
    readonly requeued: number;
    readonly kept: number;
    readonly discarded: number;
    readonly remaining: number;
  }> {
    return this.#parts.letters.settle(
      decide,
      (line, callGroupId) => this.#accept((nowMs) => encodeFrameOfLine(line, callGroupId, nowMs)).accepted,
      () => this.flush(),
    );
  }

  /** Gives up what is on its way, which stays in the spool, keeps how far it came, and closes the files and the transport. */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { reader, packer, delivery, watermark, cursor } = this.#parts;
    this.#isClosed = true;
    this.#unsubscribe();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await Promise.all([reader.close(), packer?.close(), delivery.close()]);
    if (watermark.advance()) cursor.advance(watermark.sequence());
    watermark.close();
    await cursor.close();
    this.#feed.close();
    await this.#closeFiles?.();
  }

  /** Does whatever there is to do now, and sets one timer for what comes next. */
  #pump(): void {
    if (this.#isClosed) return;
    const { policy, delivery, reader, cursor, watermark, limits, packer } = this.#parts;
    limits.enforce();
    const isFull = delivery.sizeBytes() >= policy.windowBytes;
    const isReading = !isFull && delivery.isHungry();
    if (isReading) reader.read();
    const urgency = { throughSequence: this.#hurryThrough, isFull };
    delivery.start(urgency);
    if (watermark.advance()) cursor.advance(watermark.sequence());
    if (delivery.breaker.state() !== 'closed') packer?.run();
    this.#feed.changed();
    // Where nobody wants more, a read that the disk refused is not due: whatever changes that calls here.
    this.#wakeAt(Math.min(delivery.dueAtMs(urgency), isReading ? reader.dueAtMs() : Number.POSITIVE_INFINITY));
  }

  #wakeAt(dueAtMs: number): void {
    const { clock } = this.#parts;
    if (dueAtMs === this.#timerAtMs && this.#cancelTimer !== undefined) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#timerAtMs = dueAtMs;
    if (dueAtMs === Number.POSITIVE_INFINITY) return;
    const wake = (): void => {
      this.#cancelTimer = undefined;
      this.#pump();
    };
    this.#cancelTimer = clock.schedule(wake, Math.max(0, dueAtMs - clock.monotonicMs()));
  }

  #accept(encode: (nowMs: number) => Uint8Array): RecordAcceptance {
    if (this.#isClosed) return this.#refuse('closed');
    const { log, policy, time, limits } = this.#parts;
    let reason: RecordRefusal = 'disk-behind';
    try {
      const over = limits.refusal();
      if (over !== undefined) return this.#refuse(over);
      reason = 'not-json';
      const frame = encode(time.nowMs());
      if (frame.length - FRAME_HEADER_BYTES - 1 > policy.maxRecordBytes) return this.#refuse('too-large');
      reason = 'disk-behind';
      const appended = log.append(frame);
      return appended.accepted ? appended : this.#refuse(APPEND_REFUSALS[appended.reason]);
    } catch {
      // A call is being set up: whatever it was, the caller must not be the one who pays for it.
      return this.#refuse(reason);
    }
  }

  #refuse(reason: RecordRefusal): RecordAcceptance {
    this.#refused += 1;
    return { accepted: false, reason };
  }
}

const APPEND_REFUSALS = {
  full: 'disk-behind',
  failed: 'disk-behind',
  'too-large': 'too-large',
  closed: 'closed',
} as const;

/** Octets of a pack at most: a batch of the largest size that grows when it is compressed. */
const LONGEST_PACK_BYTES = 16 * 1_048_576;

/** Both logs as one: what was packed is in the spool still, for those who look at its room and its losses. */
function spoolOf(log: SegmentLog, packed: PackedSpool): RecordStream['spool'] {
  return {
    onDurable: (listener) => log.onDurable(listener),
    state: () => {
      const state = log.state();
      const lost = { ...state.lost, records: state.lost.records + packed.lost() };
      return { ...state, sizeBytes: state.sizeBytes + packed.sizeBytes(), lost };
    },
  };
}
