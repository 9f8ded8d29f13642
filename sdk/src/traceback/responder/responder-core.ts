import { defined } from '../../core/text.js';
import { attempt, fullJitterMs } from '../../core/runtime/deadline.js';
import type { Backoff } from '../../core/runtime/deadline.js';
import { isHopbackError } from '../../errors.js';
import type { Breaker, StreamClock } from '../../records/stream/stream-policy.js';
import type { PastRequest } from '../policy/decide-traceback.js';
import type { ReviewSubject } from '../review/review-view.js';
import type { EntryJournal } from './entry-journal.js';
import { lacksAnswer, stateOfEntry } from './responder-contract.js';
import type {
  EntryState,
  EntrySummary,
  EscalationStep,
  ResponderEntry,
  ResponderProblem,
  ResponderStatistics,
  TracebackResponderOptions,
} from './responder-contract.js';

/** Work by key, in lanes: never two pieces for the same key of a lane at once, and not too many of a lane in all. */
type KeyedWork<Lane extends string> = ReturnType<typeof createKeyedWork<Lane>>;

/** Pieces of work that wait for the same thing, such as the store, the platform or people: where that is slow the others go on. */
interface WorkLane {
  /** Pieces at once. */
  readonly concurrency: number;
  /** Whether nothing else runs for the key meanwhile. */
  readonly isExclusive: boolean;
  /** What is done for a key: it may not reject. */
  readonly run: (key: string) => Promise<void>;
}

interface OpenLane extends WorkLane {
  readonly queued: Set<string>;
  readonly running: Set<string>;
}

/** Makes the queues. */
export function createKeyedWork<Lane extends string>(options: Readonly<Record<Lane, WorkLane>>) {
  const lanes = new Map<Lane, OpenLane>();
  for (const [name, lane] of Object.entries(options) as [Lane, WorkLane][])
    lanes.set(name, { ...lane, queued: new Set(), running: new Set() });
  const tails = new Map<string, Promise<unknown>>();
  const waiters: (() => void)[] = [];
  let isStopped = false;

  const exclusively = <Value>(key: string, piece: () => Promise<Value>): Promise<Value> => {
    const before = tails.get(key) ?? Promise.resolve();
    const result = before.then(piece);
    const tail = result.then(
      () => undefined,
      () => undefined,
    );
    tails.set(key, tail);
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key);
      moveOn();
    });
    return result;
  };
  const isIdle = (): boolean =>
    tails.size === 0 && [...lanes.values()].every(({ queued, running }) => queued.size === 0 && running.size === 0);
  const pump = (lane: OpenLane): void => {
    const { concurrency, isExclusive, queued, running, run } = lane;
    for (const key of queued) {
      if (running.size >= concurrency || isStopped) return;
      // One that would only wait for its turn takes no place from the others.
      if (running.has(key) || (isExclusive && tails.has(key))) continue;
      queued.delete(key);
      running.add(key);
      void (isExclusive ? exclusively(key, () => run(key)) : run(key)).finally(() => {
        running.delete(key);
        moveOn();
      });
    }
  };
  const moveOn = (): void => {
    for (const lane of lanes.values()) pump(lane);
    if (isIdle()) for (const waiter of waiters.splice(0)) waiter();
  };
  const idle = (): Promise<void> =>
    new Promise((resolve) => {
      waiters.push(resolve);
      moveOn();
    });
  return {
    /** Has the worker of a lane called for a key; what is asked for while it runs, it runs once more. */
    enqueue: (key: string, name: Lane) => {
      const lane = lanes.get(name);
      if (isStopped || lane === undefined) return;
      lane.queued.add(key);
      pump(lane);
    },
    /** Runs when nothing else does for this key, but for lanes that are not exclusive. Rejects as `run` does. */
    exclusively,
    /** Resolves when nothing is queued or running. */
    idle,
    /** What is queued is dropped; resolves when what is running has ended. */
    stop: async () => {
      isStopped = true;
      for (const { queued } of lanes.values()) queued.clear();
      await idle();
    },
  };
}

/**
 * What becomes of attempts to deliver, request by request: one that the platform always says no to, or fails over, while it takes those of
 * others, is its own matter and keeps no other waiting.
 */
type PlatformHealth = ReturnType<typeof createPlatformHealth>;

/** @param breaker - is told of what concerns all of them */
export function createPlatformHealth(breaker: Breaker) {
  /** How many answers there were when a request failed last, or was barred first. */
  const failedAt = new Map<string, number>();
  let answers = 0;

  /** Whether others were answered since. */
  const isItsOwn = (requestId: string): boolean => {
    const before = failedAt.get(requestId);
    return before !== undefined && before < answers;
  };
  return {
    answered: (requestId: string) => {
      answers += 1;
      failedAt.delete(requestId);
      breaker.onAnswered();
    },
    failed: (requestId: string, nowMs: number) => {
      if (isItsOwn(requestId)) breaker.onAbandoned();
      else breaker.onFailed(nowMs);
      // Outages come and go: what was answered before this one says nothing of the next.
      failedAt.set(requestId, answers);
    },
    barred: (requestId: string, nowMs: number) => {
      if (isItsOwn(requestId)) return breaker.onAbandoned();
      breaker.onBarred(nowMs);
      failedAt.set(requestId, answers);
    },
    /** Whether its last attempt failed: when the platform is tried anew, others go first. */
    hasFailed: (requestId: string) => failedAt.has(requestId),
    /** Nothing more is to be delivered of it. */
    forget: (requestId: string) => void failedAt.delete(requestId),
  };
}

/** Counts what a responder does. */
type ResponderCounts = ReturnType<typeof createResponderCounts>;

/** Nothing has happened yet. */
export function createResponderCounts() {
  return {
    totals: {
      received: 0,
      repeats: 0,
      cancelled: 0,
      automatic: 0,
      byPerson: 0,
      amended: 0,
      escalations: 0,
    },
    failures: {
      match: 0,
      evidence: 0,
      signing: 0,
      storage: 0,
      delivery: 0,
      receipt: 0,
      notify: 0,
      source: 0,
      inbox: 0,
    } satisfies Record<ResponderProblem['kind'], number>,
    arms: new Map<string, number>(),
    margin: createHistogram([0, 900, 3_600, 14_400, 43_200, 86_400, 172_800]),
    automaticMs: createHistogram([10, 25, 50, 100, 250, 500, 1_000, 5_000, 60_000]),
  };
}

/** A histogram with the given upper bounds, and one for everything above. */
function createHistogram(bounds: readonly number[]) {
  const counts = [...bounds, Number.POSITIVE_INFINITY].map((le) => ({ le, count: 0 }));
  let [count, sum] = [0, 0];
  return {
    observe: (value: number) => {
      count += 1;
      sum += value;
      for (const bucket of counts) if (value <= bucket.le) bucket.count += 1;
    },
    read: () => ({ buckets: counts.map((bucket) => ({ ...bucket })), count, sum }),
  };
}

/** The figures as they stand. */
export function statisticsOf(
  { totals, failures, arms, margin, automaticMs }: ResponderCounts,
  standing: Pick<ResponderStatistics, 'breaker' | 'journalBytes' | 'openNotices'> & {
    readonly summaries: Iterable<EntrySummary>;
    readonly nowMs: number;
  },
): ResponderStatistics {
  const { summaries, nowMs, ...figures } = standing;
  const requests: Record<EntryState, number> = {
    received: 0,
    review: 0,
    decided: 0,
    signed: 0,
    sent: 0,
    acknowledged: 0,
    blocked: 0,
    cancelled: 0,
  };
  let [backlog, overdue] = [0, 0];
  for (const { state, dueAtMs } of summaries) {
    requests[state] += 1;
    if (!lacksAnswer(state)) continue;
    backlog += 1;
    if (dueAtMs < nowMs) overdue += 1;
  }
  const answers = totals.automatic + totals.byPerson;
  return {
    requests,
    backlog,
    overdue,
    ...totals,
    ...(answers > 0 && { automaticRate: totals.automatic / answers }),
    answersByArm: Object.fromEntries(arms),
    deadlineMarginSeconds: margin.read(),
    automaticAnswerMs: automaticMs.read(),
    failures: { ...failures },
    ...figures,
  };
}

/**
 * What a person decides about, of an entry of the journal. Pure; never throws.
 * @param entry - as the responder keeps it
 * @returns for `reviewOf` and `answerOfDecision`
 * @see `readResponder`, by which entries are read beside a running responder
 */
export function subjectOfEntry(entry: ResponderEntry): ReviewSubject {
  const { request, deadline, outcome, decision, sources, answers } = entry;
  return {
    request,
    state: stateOfEntry(entry),
    dueAtMs: deadline.dueAtMs,
    ...defined({ outcome, decision, sources }),
    answers: answers.map(({ answer, delivery }) => ({
      answer,
      delivery: delivery.state,
      ...('detail' in delivery ? { detail: delivery.detail } : {}),
    })),
  };
}

/**
 * What a policy is tried on, of an entry that was looked up. Pure; never throws.
 * @param entry - as the responder keeps it
 * @returns for {@link tryTracebackPolicy}
 * @see `readResponder`, by which entries are read beside a running responder
 */
export function pastRequestOf(entry: ResponderEntry): PastRequest {
  const { request, outcome, hold = 'unknown', sources = [], matchedAtMs = entry.receivedAtMs, answers } = entry;
  const last = answers.at(-1)?.answer;
  return {
    request,
    ...defined({ outcome }),
    hold,
    sources,
    nowUs: matchedAtMs * 1_000,
    ...(last !== undefined && { given: { finding: last.finding, by: last.answeredBy.kind } }),
  };
}

export type ResponderLimits = Required<NonNullable<TracebackResponderOptions['limits']>>;

/** What the parts of a responder share. */
export interface ResponderCore {
  readonly options: TracebackResponderOptions;
  readonly limits: ResponderLimits;
  readonly clock: StreamClock;
  readonly random: () => number;
  readonly journal: EntryJournal;
  readonly counts: ResponderCounts;
  readonly breaker: Breaker;
  /** Tells failures of the platform from those of a single request. */
  readonly health: PlatformHealth;
  /** By time, the earliest first. */
  readonly escalations: readonly EscalationStep[];
  readonly retries: Retries;
  /** As `retries`, of telling people: who cannot be told is no reason to deliver sooner or later. */
  readonly noticeRetries: Retries;
  /** Aborted when the responder is closed. */
  readonly stop: AbortController;
  /** Answers whose evidence has been told of the signature, by this process, and not yet of what became of it. */
  readonly attached: Set<string>;
  /** Made last: it runs what is made of all the rest. */
  work: KeyedWork<ResponderLane>;
}

/** Looking up and signing wait for store and keys, delivering for the platform, telling for people. */
export type ResponderLane = 'answer' | 'deliver' | 'tell';

/** Attempts of a request that failed: a second to begin with, ten minutes at most, so that a request of the night is tried until morning. */
const RETRY: Backoff = { baseMs: 1_000, capMs: 600_000 };

/** Later attempts, one for each key at most. */
export type Retries = ReturnType<typeof createRetries>;

/** @param again - is called for a key when its time has come */
export function createRetries(
  { clock, random }: Pick<ResponderCore, 'clock' | 'random'>,
  again: (key: string) => void,
) {
  const failures = new Map<string, number>();
  const timers = new Map<string, () => void>();
  const at = (key: string, delayMs: number): void => {
    timers.get(key)?.();
    const cancel = clock.schedule(() => {
      timers.delete(key);
      again(key);
    }, delayMs);
    timers.set(key, cancel);
  };
  return {
    /** After so many milliseconds. */
    at,
    /** After a wait that grows with each failure in a row. */
    later: (key: string) => {
      const count = (failures.get(key) ?? 0) + 1;
      failures.set(key, count);
      // At least something: a wait of none would be a loop.
      at(key, LEAST_WAIT_MS + fullJitterMs(count, RETRY, random));
    },
    /** It went well: the next failure is the first. */
    forget: (key: string) => {
      failures.delete(key);
      timers.get(key)?.();
      timers.delete(key);
    },
    clear: () => {
      for (const cancel of timers.values()) cancel();
      timers.clear();
      failures.clear();
    },
  };
}

const LEAST_WAIT_MS = 20;

/** Something failed, and is tried again; leaves no responder. */
export class StepFailure extends Error {
  readonly kind: ResponderProblem['kind'];
  constructor(kind: ResponderProblem['kind'], cause: unknown) {
    super(kind, { cause });
    this.kind = kind;
  }
}

/** Counts a problem, and tells whoever writes logs. Never throws. */
export function noteProblem(
  { counts, options }: Pick<ResponderCore, 'counts' | 'options'>,
  problem: {
    readonly kind: ResponderProblem['kind'];
    readonly requestId?: string;
    readonly cause: unknown;
  },
): void {
  counts.failures[problem.kind] += 1;
  const { kind, requestId, cause } = problem;
  // A log that cannot be written is no reason to stop answering.
  attempt(() => options.onProblem?.(defined({ kind, requestId, detail: detailOf(cause) })));
}

/** What of an error is for people: messages of ours are free of telephone numbers, those of others may not be. */
function detailOf(cause: unknown): string {
  if (typeof cause === 'string') return cause.slice(0, MAX_DETAIL_CHARS);
  if (isHopbackError(cause)) return `${cause.code}: ${cause.message}`.slice(0, MAX_DETAIL_CHARS);
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code.slice(0, MAX_DETAIL_CHARS) : 'it threw';
}

const MAX_DETAIL_CHARS = 300;

/**
 * How long what a responder is made of may take, milliseconds, beside a look-up, which has its own limit. What hangs is given up and tried again
 * later: it would hold up its own request for ever, and the others as soon as as many hang as are worked on at once.
 */
export const PORT_LIMITS_MS: Readonly<Record<'evidence' | 'signing' | 'delivery' | 'receipt' | 'notify', number>> =
  Object.freeze({
    // A pack of megabytes onto a disk that others use.
    evidence: 60_000,
    // A hardware module that somebody else has just started anew.
    signing: 30_000,
    // Above what a client of the platform waits for by itself.
    delivery: 120_000,
    // A signature over a kilobyte, where the keys may have to be fetched.
    receipt: 30_000,
    // A mail server that looks up whom it speaks to.
    notify: 30_000,
  });

/** What is asked, and how long it may take. */
interface TimedPort {
  readonly kind: ResponderProblem['kind'];
  readonly timeoutMs: number;
}

/**
 * Asks a port, and gives it up after a time, or when the responder is closed. Rejects with `StepFailure` of the kind, whatever it was.
 */
export async function inTime<Value>(
  { clock, stop }: Pick<ResponderCore, 'clock' | 'stop'>,
  ask: () => Promise<Value> | Value,
  { kind, timeoutMs }: TimedPort,
): Promise<Value> {
  if (stop.signal.aborted) throw new StepFailure(kind, 'the responder was closed');
  let end = (): void => undefined;
  try {
    return await new Promise<Value>((resolve, reject) => {
      const giveUp = (): void => reject(new StepFailure(kind, 'the responder was closed'));
      const cancel = clock.schedule(
        () => reject(new StepFailure(kind, `no outcome in ${String(timeoutMs)} ms`)),
        timeoutMs,
      );
      stop.signal.addEventListener('abort', giveUp, { once: true });
      end = () => {
        cancel();
        stop.signal.removeEventListener('abort', giveUp);
      };
      Promise.resolve(ask()).then(resolve, reject);
    });
  } catch (cause) {
    throw cause instanceof StepFailure ? cause : new StepFailure(kind, cause);
  } finally {
    end();
  }
}

/**
 * Whether the same attempt would fail again, since it is for what is in the answer: no disk, no network, no end of the responder. Such an
 * answer is tried no more; a person looks at it.
 */
export function isForGood(cause: unknown): cause is Error {
  if (cause instanceof StepFailure) return isForGood(cause.cause);
  return isHopbackError(cause) && !cause.retryable && !PASSING.has(cause.code);
}

const PASSING: ReadonlySet<string> = new Set(['storage-failed', 'closed', 'aborted']);
