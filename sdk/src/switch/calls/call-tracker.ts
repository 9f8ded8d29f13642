import { randomUUID } from 'node:crypto';
import { MACHINE_CLOCK, scheduleInBackground } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { passingMap } from '../../core/memo.js';
import type { PassingMap } from '../../core/memo.js';
import { createLegRecorder } from '../../records/ingest/formats/leg.js';
import { createPendingInserts } from '../../records/ingest/pending-inserts.js';
import type { CallRecord, RecordStore } from '../../records/index.js';
import type { LegMessage, LegRecorder, OwnSource } from '../../records/ingest/formats/leg.js';
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

/** What a tracker works with. */
export interface CallTrackerOptions {
  /** Name of the switch, part of every record id and never to be changed; numbers; providers by trunk and address; whether messages are kept. */
  readonly source: OwnSource;
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

/** How a tracker fares. */
export type CallTrackerStatistics = ReturnType<CallTracker['statistics']>;

/** Follows the calls of an application, and makes records of them. */
export interface CallTracker extends AsyncDisposable {
  /**
   * Follows a call that came in. The same request gives the same call; one within a dialog makes no record.
   * @param request - the INVITE
   * @param response - what the application answers it by
   */
  readonly begin: (request: SipRequestLike, response: unknown) => TrackedCall;
  /** Follows a call that the application places itself. It is over when all its legs are that were answered, or by `end`. */
  readonly place: (options?: { readonly customerId?: string }) => TrackedCall;
  /** For `srf.use('invite', …)`, before `verifyIdentity`: leaves the call at `req.locals.call`. Hands every call on at once. */
  readonly middleware: SipMiddleware;
  readonly statistics: () => {
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
  };
  /** Makes records without an end of the calls that are open, and tries once more to store what waits. Never rejects. */
  readonly close: () => Promise<void>;
}

/**
 * Makes a tracker: each call of an application of drachtio-srf becomes a {@link CallRecord} for each leg that it was sent on by, or one where it was
 * sent nowhere, when it is over. What the caller's signature was worth is taken from `req.locals.identity`. Nothing in it throws into a call, waits for
 * a disk, or loads drachtio-srf. What is not in the store when the process is killed is lost: the calls that were up, and a quarter of a second
 * of ended ones. Hence it claims no coverage.
 * @param options - name of the switch, and where records go
 * @returns the tracker; to be closed
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name
 * @see {@link createRecordFeed} for a sink that stores and streams
 * @example
 * ```ts
 * // As it stands in an application: srf.use('invite', tracker.middleware), and then
 * // srf.createB2BUA(req, res, uri, { headers }, req.locals.call.branch({ trunk, signing })).then(req.locals.call.connected);
 * const store = createMemoryRecordStore({ clock: { nowMs: Date.now } });
 * const tracker = createCallTracker({ source: { id: 'app-1' }, sink: store });
 * const call = tracker.begin({ raw: sampleInvite() }, {});
 * call.blocked('subscriber');
 * call.end();
 * console.log(tracker.statistics().records); // 1
 * await tracker.close();
 * ```
 */
export function createCallTracker(options: CallTrackerOptions): CallTracker {
  const tracker = trackerState(options);
  const byRequest = new WeakMap<object, TrackedCall>();
  const begin = (request: SipRequestLike, response: unknown): TrackedCall => {
    const known = byRequest.get(request);
    if (known !== undefined) return known;
    const tracked = follow(tracker, { request, response });
    byRequest.set(request, tracked);
    return tracked;
  };
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    for (const [, open] of tracker.open.entries()) giveUp(tracker, open);
    await tracker.outbox?.close();
  };
  const closeOnce = (): Promise<void> => (closing ??= close());
  return {
    begin,
    place: ({ customerId } = {}) => follow(tracker, { customerId }),
    middleware: (request, response, next) => {
      tracker.safely(() => {
        request.locals = { ...request.locals, call: begin(request, response) };
      });
      (next as () => unknown)();
    },
    statistics: () => statisticsOf(tracker),
    close: closeOnce,
    [Symbol.asyncDispose]: closeOnce,
  };
}

interface OpenCall {
  readonly call: CallState;
  readonly request?: SipRequestLike | undefined;
  /** Messages that were taken for it, in whichever record they stand. */
  readonly messages: LegMessage[];
}

interface TrackerState {
  /** Tells its calls from those of other trackers of the same name. */
  readonly instance: string;
  readonly options: CallTrackerOptions;
  readonly recorder: LegRecorder;
  readonly outbox: PendingInserts | undefined;
  readonly nextKey: () => number;
  readonly nowUs: () => number;
  readonly safely: (task: () => void) => void;
  /** By the key of the call, the oldest first. */
  readonly open: PassingMap<OpenCall>;
  readonly counts: {
    calls: number;
    givenUp: number;
    records: number;
    refused: number;
    troubles: number;
  };
}

function trackerState(options: CallTrackerOptions): TrackerState {
  const { sink, schedule = scheduleInBackground, onTrouble, clock = MACHINE_CLOCK } = options;
  const counts = {
    calls: 0,
    givenUp: 0,
    records: 0,
    refused: 0,
    troubles: 0,
  };
  let keys = 0;
  const trouble = (error: unknown): void => {
    counts.troubles += 1;
    reportTrouble(onTrouble, error);
  };
  return {
    options,
    counts,
    instance: randomUUID(),
    open: passingMap<OpenCall>(),
    recorder: createLegRecorder(options.source),
    outbox: 'insert' in sink ? createPendingInserts({ store: sink, schedule, onFailed: trouble }) : undefined,
    nextKey: () => (keys += 1),
    nowUs: () => Math.max(0, Math.floor(clock.nowMs())) * 1_000,
    safely: (task) => {
      try {
        task();
      } catch (error) {
        trouble(error);
      }
    },
  };
}

interface CallParts {
  readonly request?: SipRequestLike;
  readonly response?: unknown;
  readonly customerId?: string | undefined;
}

/** Begins to follow a call; one that cannot be followed, or is none, goes on as any other. */
function follow(tracker: TrackerState, parts: CallParts): TrackedCall {
  const { options, recorder, counts, nowUs, safely, open } = tracker;
  const { request, response } = parts;
  const plan = options.source.numbers?.plan;
  const messages: LegMessage[] = [];
  const message = (text: string): LegMessage => {
    const taken = recorder.message(text);
    messages.push(taken);
    return taken;
  };
  const call = newCall(tracker, parts, message);
  const followed: OpenCall = { call, request, messages };
  if (call.ingress?.isWithinDialog === true) {
    recorder.release(messages);
    callGivenUp(call);
  } else {
    counts.calls += 1;
    makeRoom(tracker);
    open.set(call.key, followed);
  }
  return trackCall(
    call,
    { request, response },
    {
      nowUs,
      safely,
      plan,
      message,
      onOver: () => finish(tracker, followed),
    },
  );
}

function newCall(
  { options, instance, nextKey, nowUs, safely }: TrackerState,
  { request, customerId }: CallParts,
  message: (text: string) => LegMessage,
): CallState {
  const asked = (question: ((request: SipRequestLike) => string | undefined) | undefined): string | undefined => {
    let answer: unknown;
    if (request !== undefined && question !== undefined)
      safely(() => {
        answer = question(request);
      });
    return recordWord(answer);
  };
  return beginCall({
    key: `${transactionOf(request) ?? instance} ${nextKey()}`,
    atUs: nowUs(),
    trunk: asked(options.trunkOf),
    customerId: recordWord(customerId) ?? asked(options.customerOf),
    ingress: request && readInvite(request, { message, plan: options.source.numbers?.plan }),
  });
}

/** The oldest call goes where there are too many, and where it is older than any is. */
function makeRoom(tracker: TrackerState): void {
  const { maxOpenCalls = MAX_OPEN_CALLS, maxCallAgeMs = MAX_CALL_AGE_MS } = tracker.options;
  const before = tracker.nowUs() - maxCallAgeMs * 1_000;
  for (let oldest = tracker.open.oldest(); oldest !== undefined; oldest = tracker.open.oldest()) {
    if (tracker.open.size() < maxOpenCalls && oldest[1].call.beganAtUs >= before) return;
    giveUp(tracker, oldest[1]);
  }
}

function giveUp(tracker: TrackerState, open: OpenCall): void {
  tracker.open.delete(open.call.key);
  if (!callGivenUp(open.call)) return;
  tracker.counts.givenUp += 1;
  finish(tracker, open);
}

/** Makes the records of a call and hands them over. */
function finish(tracker: TrackerState, { call, request, messages }: OpenCall): void {
  const { recorder, safely, open } = tracker;
  open.delete(call.key);
  safely(() => {
    const identity = request?.locals?.['identity'] as CallIdentity | undefined;
    const refusedFor = blockedByPolicy(call, identity);
    if (refusedFor !== undefined) call.blockedBy ??= refusedFor;
    const legs = legsOfCall(call, receivedOf(identity, call.ingress?.identities ?? []));
    for (const { parts, messages: own } of legs) safely(() => handOver(tracker, recorder.record(parts, own)));
  });
  recorder.release(messages);
  messages.length = 0;
}

function handOver({ options, outbox, counts }: TrackerState, record: CallRecord): void {
  counts.records += 1;
  counts.refused += 1;
  if (outbox?.take(record) === true) {
    counts.refused -= 1;
    outbox.commitLater();
  }
  if ('record' in options.sink && options.sink.record(record).accepted) counts.refused -= 1;
}

function statisticsOf({ counts, open, outbox }: TrackerState): CallTrackerStatistics {
  const { calls, givenUp, records, refused, troubles } = counts;
  const pending = outbox?.statistics().pending ?? 0;
  return {
    calls,
    givenUp,
    records,
    troubles,
    pending,
    open: open.size(),
    lost: refused,
  };
}
