import { randomUUID } from 'node:crypto';
import { MACHINE_CLOCK, scheduleInBackground } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { passingMap } from '../../core/memo.js';
import { createLegRecorder } from '../../records/ingest/formats/leg.js';
import { createPendingInserts } from '../../records/ingest/pending-inserts.js';
import type { CallRecord, RecordStore, SourceDescription } from '../../records/index.js';
import type { LegMessage, LegRecorder } from '../../records/ingest/formats/leg.js';
import type { PendingInserts } from '../../records/ingest/pending-inserts.js';
import type { SipRequestLike } from '../call-facts.js';
import { reportTrouble } from '../call-facts.js';
import type { CallIdentity, SipMiddleware } from '../verify-identity.js';
import { beginCall, callGivenUp, readInvite, transactionOf } from './call-state.js';
import { blockedByPolicy, legsOfCall, receivedOf, recordWord, trackCall } from './tracked-call.js';
import type { CallState } from './call-state.js';
import type { TrackedCall } from './tracked-call.js';

/**
 * Where records go. A store, or a feed before a store and a stream, which gets them some at a time; or whoever takes them one by one and says at once
 * whether. A record holds everything that a carrier knows of a call: what may leave the carrier, a feed decides.
 */
export type CallRecordSink =
  Pick<RecordStore, 'insert'> | { readonly record: (record: CallRecord) => { readonly accepted: boolean } };

/** What a {@link CallTracker} works with. */
export interface CallTrackerOptions {
  /** Name of the switch, part of every record id and never to be changed; numbers; providers by trunk and address; whether messages are kept. */
  readonly source: Omit<SourceDescription, 'format' | 'time'>;
  readonly sink: CallRecordSink;
  /** Name of the trunk that a call came in by. Default none: the provider is found by the address then. */
  readonly trunkOf?: (request: SipRequestLike) => string | undefined;
  /** The customer whose call it is, where it begins here. */
  readonly customerOf?: (request: SipRequestLike) => string | undefined;
  /** Calls that are followed at a time. Default 250,000. */
  readonly maxOpenCalls?: number;
  /** How long a call is followed, milliseconds. Default 86,400,000. */
  readonly maxCallAgeMs?: number;
  /** Default the clock of the machine. */
  readonly clock?: Clock;
  /** Runs something later; the returned function cancels it. Default the timers of Node, which keep no process alive. */
  readonly schedule?: (callback: () => void, delayMs: number) => () => void;
  /** Hears of what went wrong here: the call went on. Default nobody. */
  readonly onTrouble?: (error: unknown) => void;
}

/** A thousand calls a second of three minutes each are 180,000; one takes some 4 KB, and 3 KB more with its verdict. */
export const MAX_OPEN_CALLS = 250_000;

/** Longer calls than a day are nobody's any more: nobody has told of their end. */
export const MAX_CALL_AGE_MS = 86_400_000;

interface OpenCall {
  readonly call: CallState;
  readonly request?: SipRequestLike | undefined;
  /** Messages that were taken for it, in whichever record they stand. */
  readonly messages: LegMessage[];
}

interface CallParts {
  readonly request?: SipRequestLike;
  readonly response?: unknown;
  readonly customerId?: string | undefined;
}

/**
 * Follows the calls of an application of drachtio-srf: each becomes a {@link CallRecord} for each leg that it was sent on by, or one where it was
 * sent nowhere, when it is over. What the caller's signature was worth is taken from `req.locals.identity`. Nothing in it throws into a call, waits for
 * a disk, or loads drachtio-srf. What is not in the store when the process is killed is lost: the calls that were up, and a quarter of a second
 * of ended ones. Hence it claims no coverage. To be closed.
 * @see {@link RecordFeed} for a sink that stores and streams
 * @example
 * ```ts
 * // As it stands in an application: srf.use('invite', tracker.middleware), and then
 * // srf.createB2BUA(req, res, uri, { headers }, req.locals.call.branch({ trunk, signing })).then(req.locals.call.connected);
 * const store = createMemoryRecordStore();
 * const tracker = new CallTracker({ source: { id: 'app-1' }, sink: store });
 * const call = tracker.begin({ raw: sampleInvite() }, {});
 * call.blocked('subscriber');
 * call.end();
 * console.log(tracker.statistics().records); // 1
 * await tracker.close();
 * ```
 */
export class CallTracker implements AsyncDisposable {
  readonly #options: CallTrackerOptions;
  readonly #clock: Clock;
  /** Tells its calls from those of other trackers of the same name. */
  readonly #instance = randomUUID();
  readonly #recorder: LegRecorder;
  readonly #outbox: PendingInserts | undefined;
  readonly #byRequest = new WeakMap<object, TrackedCall>();
  /** By the key of the call, the oldest first. */
  readonly #open = passingMap<OpenCall>();
  readonly #counts = {
    calls: 0,
    givenUp: 0,
    records: 0,
    refused: 0,
    troubles: 0,
  };
  #keys = 0;
  #closing: Promise<void> | undefined;

  /**
   * @param options - name of the switch, and where records go
   * @throws {@link HopbackError} `invalid-configuration` where the source has no name
   */
  constructor(options: CallTrackerOptions) {
    const { sink, schedule = scheduleInBackground, clock = MACHINE_CLOCK } = options;
    this.#options = { ...options };
    this.#clock = clock;
    this.#recorder = createLegRecorder(options.source);
    const onFailed = (error: unknown): void => this.#trouble(error);
    this.#outbox = 'insert' in sink ? createPendingInserts({ store: sink, schedule, onFailed }) : undefined;
  }

  /**
   * Follows a call that came in. The same request gives the same call; one within a dialog makes no record.
   * @param request - the INVITE
   * @param response - what the application answers it by
   */
  begin(request: SipRequestLike, response: unknown): TrackedCall {
    const known = this.#byRequest.get(request);
    if (known !== undefined) return known;
    const tracked = this.#follow({ request, response });
    this.#byRequest.set(request, tracked);
    return tracked;
  }

  /** Follows a call that the application places itself. It is over when all its legs are that were answered, or by `end`. */
  place(options: { readonly customerId?: string } = {}): TrackedCall {
    return this.#follow({ customerId: options.customerId });
  }

  /** For `srf.use('invite', …)`, before `verifyIdentity`: leaves the call at `req.locals.call`. Hands every call on at once. */
  readonly middleware: SipMiddleware = (request, response, next) => {
    this.#safely(() => {
      request.locals = { ...request.locals, call: this.begin(request, response) };
    });
    (next as () => unknown)();
  };

  /** How it fares. */
  statistics(): {
    /** Calls that were begun. */
    readonly calls: number;
    /** Calls that are up, or wait for an answer. */
    readonly open: number;
    /** Calls of which a record was made without their end: there were too many, or they took too long. */
    readonly givenUp: number;
    /** Records that were made. */
    readonly records: number;
    /** Records that the sink did not take, and that are nowhere else. */
    readonly lost: number;
    /** Records that wait for the store. */
    readonly pending: number;
    /** What went wrong here. */
    readonly troubles: number;
  } {
    const { refused, ...counts } = this.#counts;
    const pending = this.#outbox?.statistics().pending ?? 0;
    return { ...counts, pending, open: this.#open.size(), lost: refused };
  }

  /** Makes records without an end of the calls that are open, and tries once more to store what waits. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #end(): Promise<void> {
    for (const [, open] of this.#open.entries()) this.#giveUp(open);
    await this.#outbox?.close();
  }

  #trouble(error: unknown): void {
    this.#counts.troubles += 1;
    reportTrouble(this.#options.onTrouble, error);
  }

  // One function for all calls.
  readonly #safely = (task: () => void): void => {
    try {
      task();
    } catch (error) {
      this.#trouble(error);
    }
  };

  readonly #nowUs = (): number => Math.max(0, Math.floor(this.#clock.nowMs())) * 1_000;

  /** Begins to follow a call; one that cannot be followed, or is none, goes on as any other. */
  #follow(parts: CallParts): TrackedCall {
    const { request, response } = parts;
    const messages: LegMessage[] = [];
    const message = (text: string): LegMessage => {
      const taken = this.#recorder.message(text);
      messages.push(taken);
      return taken;
    };
    const call = this.#newCall(parts, message);
    const followed: OpenCall = { call, request, messages };
    if (call.ingress?.isWithinDialog === true) {
      this.#recorder.release(messages);
      callGivenUp(call);
    } else {
      this.#counts.calls += 1;
      this.#makeRoom();
      this.#open.set(call.key, followed);
    }
    const around = {
      nowUs: this.#nowUs,
      safely: this.#safely,
      plan: this.#options.source.numbers?.plan,
      message,
      onOver: () => this.#finish(followed),
    };
    return trackCall(call, { request, response }, around);
  }

  #newCall({ request, customerId }: CallParts, message: (text: string) => LegMessage): CallState {
    const { trunkOf, customerOf, source } = this.#options;
    const asked = (question: ((request: SipRequestLike) => string | undefined) | undefined): string | undefined => {
      let answer: unknown;
      if (request !== undefined && question !== undefined)
        this.#safely(() => {
          answer = question(request);
        });
      return recordWord(answer);
    };
    this.#keys += 1;
    return beginCall({
      key: `${transactionOf(request) ?? this.#instance} ${this.#keys}`,
      atUs: this.#nowUs(),
      trunk: asked(trunkOf),
      customerId: recordWord(customerId) ?? asked(customerOf),
      ingress: request && readInvite(request, { message, plan: source.numbers?.plan }),
    });
  }

  /** The oldest call goes where there are too many, and where it is older than any is. */
  #makeRoom(): void {
    const { maxOpenCalls = MAX_OPEN_CALLS, maxCallAgeMs = MAX_CALL_AGE_MS } = this.#options;
    const before = this.#nowUs() - maxCallAgeMs * 1_000;
    for (let oldest = this.#open.oldest(); oldest !== undefined; oldest = this.#open.oldest()) {
      if (this.#open.size() < maxOpenCalls && oldest[1].call.beganAtUs >= before) return;
      this.#giveUp(oldest[1]);
    }
  }

  #giveUp(open: OpenCall): void {
    this.#open.delete(open.call.key);
    if (!callGivenUp(open.call)) return;
    this.#counts.givenUp += 1;
    this.#finish(open);
  }

  /** Makes the records of a call and hands them over. */
  #finish({ call, request, messages }: OpenCall): void {
    this.#open.delete(call.key);
    this.#safely(() => {
      const identity = request?.locals?.['identity'] as CallIdentity | undefined;
      const refusedFor = blockedByPolicy(call, identity);
      if (refusedFor !== undefined) call.blockedBy ??= refusedFor;
      const legs = legsOfCall(call, receivedOf(identity, call.ingress?.identities ?? []));
      for (const { parts, messages: own } of legs)
        this.#safely(() => this.#handOver(this.#recorder.record(parts, own)));
    });
    this.#recorder.release(messages);
    messages.length = 0;
  }

  #handOver(record: CallRecord): void {
    const { sink } = this.#options;
    this.#counts.records += 1;
    this.#counts.refused += 1;
    if (this.#outbox?.take(record) === true) {
      this.#counts.refused -= 1;
      this.#outbox.commitLater();
    }
    if ('record' in sink && sink.record(record).accepted) this.#counts.refused -= 1;
  }
}
