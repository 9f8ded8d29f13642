import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { defined, wellFormedText, wellFormedValue } from '../../core/text.js';
import type { TracebackRequest } from '../../contract/traceback-exchange.js';
import { HopbackError } from '../../errors.js';
import { FolderLock } from '../../log/index.js';
import type { TracebackRequestArrival, TracebackRequestSource } from '../../platform/traceback-request-source.js';
import { createBreaker } from '../../records/stream/stream-policy.js';
import { answerOfDecision } from '../review/answer-of-decision.js';
import type { DecisionProblem } from '../review/answer-of-decision.js';
import type { ReviewDecision } from '../review/review-decision.js';
import { reviewOf } from '../review/review-of.js';
import { createDecisionInbox, takeInbox } from './decision-inbox.js';
import { openEntryJournal } from './entry-journal.js';
import {
  dueNoticeEvents,
  isNoticeOpen,
  nextNoticeMs,
  nextStepMs,
  noticeAgain,
  noticeEscalated,
  noticeWithDone,
  stepPassed,
  trackedNotice,
} from './notices.js';
import { DEFAULT_ESCALATIONS, MAX_ESCALATIONS, lacksAnswer, stateOfEntry } from './responder-contract.js';
import type {
  Decided,
  EntrySummary,
  ResponderEntry,
  ResponderLimits,
  TracebackResponder,
  TracebackResponderOptions,
} from './responder-contract.js';
import {
  PORT_LIMITS_MS,
  StepFailure,
  createKeyedWork,
  createPlatformHealth,
  createResponderCounts,
  createRetries,
  inTime,
  noteProblem,
  pastRequestOf,
  statisticsOf,
  subjectOfEntry,
} from './responder-core.js';
import type { ResponderCore } from './responder-core.js';
import { advanceEntry, notifyReviewers } from './work-on-entry.js';
import { cancelledEntry, decidedEntry, escalatedEntry, receivedEntry } from './entry-steps.js';

/** Arrivals that are open at once: beyond, the source waits. */
const MOST_OPEN = 64;
/** The key of the one thing that is tried again here. */
const SOURCE = 'source';

/**
 * Takes what a source brings, and says so once it is durable. Nothing that goes wrong here goes back into the source: what could not be taken
 * comes again.
 * @returns ends it, the source included
 */
function consumeRequests(
  core: ResponderCore,
  requests: NonNullable<TracebackResponderOptions['requests']>,
  responder: Pick<TracebackResponder, 'submit' | 'cancel' | 'trackNotice'>,
): () => Promise<void> {
  const { stop } = core;
  const source: TracebackRequestSource =
    typeof requests === 'function' ? requests({ open: () => unansweredOf(core) }) : requests;
  const retries = createRetries(core, () => void (running = iterate()));
  const open = new Set<Promise<void>>();
  const iterate = async (): Promise<void> => {
    try {
      for await (const arrival of source) {
        retries.forget(SOURCE);
        const taken: Promise<void> = take(core, arrival, responder).finally(() => open.delete(taken));
        open.add(taken);
        if (open.size >= MOST_OPEN) await Promise.race(open);
      }
      // It has ended for good: what is in the journal is worked on all the same.
    } catch (cause) {
      if (stop.signal.aborted) return;
      noteProblem(core, { kind: 'source', cause });
      retries.later(SOURCE);
    }
  };
  let running = iterate();
  return async () => {
    retries.clear();
    await source.close();
    await running;
    retries.clear();
    await Promise.all(open);
  };
}

function unansweredOf({ journal }: ResponderCore): readonly string[] {
  return [...journal.open].filter((requestId) => {
    const summary = journal.summaries.get(requestId);
    return summary !== undefined && !summary.isCancelled && lacksAnswer(summary.state);
  });
}

async function take(
  core: ResponderCore,
  arrival: TracebackRequestArrival,
  { submit, cancel, trackNotice }: Pick<TracebackResponder, 'submit' | 'cancel' | 'trackNotice'>,
): Promise<void> {
  const { receivedAtMs, via } = arrival;
  try {
    if (arrival.kind === 'cancelled') await cancel(arrival.requestId);
    else if (arrival.kind === 'notice') await trackNotice(arrival.notice, receivedAtMs);
    else {
      const submitted = await submit(arrival.request, { receivedAtMs, via });
      if (submitted.status === 'refused') {
        noteProblem(core, { kind: 'source', requestId: arrival.request.requestId, cause: submitted.reason });
        arrival.release();
        return;
      }
    }
    await arrival.acknowledge();
  } catch (cause) {
    if (!core.stop.signal.aborted) noteProblem(core, { kind: 'storage', cause });
    arrival.release();
  }
}

/** Sees to it that somebody is told before a deadline is over. */
type Reminders = ReturnType<typeof createReminders>;

/** A timer is never set for longer: whoever sets the clock of the machine is noticed within the hour. */
const LONGEST_WAIT_MS = 3_600_000;
/** What could not be written or told is tried again so much later. */
const RETRY_MS = 30_000;

/** One timer for all of them. What is slow to be written or told holds up nothing else. */
function createReminders(core: ResponderCore) {
  const { clock, stop } = core;
  const running = new Set<string>();
  let cancel: (() => void) | undefined;

  const arm = (leastMs: number): void => {
    cancel?.();
    cancel = undefined;
    if (stop.signal.aborted) return;
    let atMs = Infinity;
    for (const [key, nextMs] of nextReminders(core)) if (nextMs < atMs && !running.has(key)) atMs = nextMs;
    if (!Number.isFinite(atMs)) return;
    const waitMs = Math.min(Math.max(atMs - clock.nowMs(), leastMs), LONGEST_WAIT_MS);
    cancel = clock.schedule(turn, waitMs);
  };
  const remind = async (key: string): Promise<void> => {
    running.add(key);
    let leastMs = 0;
    try {
      await remindOf(core, key);
    } catch (error) {
      leastMs = RETRY_MS;
      const { kind, cause } = error instanceof StepFailure ? error : new StepFailure('storage', error);
      if (!stop.signal.aborted) noteProblem(core, { kind, cause });
    }
    running.delete(key);
    arm(leastMs);
  };
  const turn = (): void => {
    const nowMs = clock.nowMs();
    for (const [key, atMs] of [...nextReminders(core)]) if (atMs <= nowMs && !running.has(key)) void remind(key);
    arm(0);
  };
  return {
    /** Looks anew for what is due next. */
    arm: () => arm(0),
    clear: () => cancel?.(),
  };
}

/** When the next one falls due of each request that lacks an answer, and of each notice. */
function* nextReminders({ journal, escalations }: ResponderCore): Generator<readonly [key: string, atMs: number]> {
  for (const requestId of journal.open) {
    const summary = journal.summaries.get(requestId);
    if (summary !== undefined && lacksAnswer(summary.state)) yield [`r/${requestId}`, nextStepMs(summary, escalations)];
  }
  for (const [noticeId, tracked] of journal.notices) yield [`n/${noticeId}`, nextNoticeMs(tracked, escalations)];
}

function remindOf(core: ResponderCore, key: string): Promise<void> {
  return key.startsWith('r/') ? remindOfRequest(core, key.slice(2)) : remindOfNotice(core, key.slice(2));
}

/** Written down first: whoever works on the request tells of it. */
async function remindOfRequest(core: ResponderCore, requestId: string): Promise<void> {
  const { journal, escalations, clock, work, counts } = core;
  await work.exclusively(requestId, async () => {
    const entry = await journal.durable(requestId);
    // It may have been answered while it was waited for.
    if (entry === undefined || !lacksAnswer(stateOfEntry(entry))) return;
    const due = stepPassed({ dueAtMs: entry.deadline.dueAtMs, escalated: entry.escalated }, escalations, clock.nowMs());
    if (due === undefined) return;
    try {
      await journal.save(escalatedEntry(entry, due.step, due.to));
      counts.totals.escalations += 1;
    } finally {
      // The journal may have taken it without being able to say that it is durable: then it is told once it is.
      work.enqueue(requestId, 'tell');
    }
  });
}

/** Told first, and written down then: at least once. What came of the notice while people were told is kept. */
async function remindOfNotice(core: ResponderCore, noticeId: string): Promise<void> {
  const { journal, escalations, clock, options, counts } = core;
  const { notify } = options;
  const before = journal.notices.get(noticeId);
  if (before === undefined) return;
  for (const { event, step } of dueNoticeEvents(before, escalations, clock.nowMs())) {
    if (notify !== undefined)
      await inTime(core, () => notify(event), { kind: 'notify', timeoutMs: PORT_LIMITS_MS.notify });
    const current = journal.notices.get(noticeId);
    if (current === undefined) return;
    await journal.saveNotice(noticeEscalated(current, event.part, step));
    counts.totals.escalations += 1;
  }
}

/** What came may be an e-mail; with its recording it belongs into the evidence of whoever read it. */
const MAX_ORIGINAL_BYTES: number = 256 * 1_024;

/** Takes a request in; repeats change nothing. @throws HopbackError as of `TracebackResponder.submit` */
async function submit(
  core: ResponderCore,
  reminders: Reminders,
  handedIn: { readonly request: TracebackRequest; readonly submission?: Parameters<TracebackResponder['submit']>[1] },
): ReturnType<TracebackResponder['submit']> {
  refuseClosed(core);
  const { journal, work, counts, clock, options } = core;
  const { submission = {} } = handedIn;
  const { receivedAtMs = clock.nowMs(), via = 'intake', original } = submission;
  // What cannot be written as UTF-8 could be neither kept as evidence nor signed.
  const request = wellFormedValue(handedIn.request);
  const { requestId } = request;
  return work.exclusively(requestId, async () => {
    // A repeat of one whose disk refused is what makes it durable.
    const known = await journal.durable(requestId);
    if (known !== undefined) {
      counts.totals.repeats += 1;
      // It may be one of which only now it is known that it is durable.
      work.enqueue(requestId, 'answer');
      return { status: 'known', state: stateOfEntry(known) };
    }
    if ((original?.bytes.byteLength ?? 0) > MAX_ORIGINAL_BYTES) return { status: 'refused', reason: 'too-large' };
    const received = receivedEntry(request, {
      receivedAtMs,
      via: wellFormedText(via),
      deadline: options.deadlineOf(request, receivedAtMs),
      ...(original !== undefined && {
        original: {
          base64: Buffer.from(original.bytes).toString('base64'),
          mediaType: wellFormedText(original.mediaType),
        },
      }),
    });
    const entry = journal.isCancelled(requestId) ? cancelledEntry(received, receivedAtMs) : received;
    const room = journal.room(entry);
    if (room !== 'free') return { status: 'refused', reason: room };
    await saveAndWork(core, entry).finally(() => reminders.arm());
    counts.totals.received += 1;
    return { status: 'accepted', dueAtMs: entry.deadline.dueAtMs };
  });
}

/** Nobody asks any longer. @throws HopbackError as of `TracebackResponder.cancel` */
async function cancel(core: ResponderCore, id: string): Promise<void> {
  refuseClosed(core);
  const { journal, work, counts, clock } = core;
  const requestId = wellFormedText(id);
  await work.exclusively(requestId, async () => {
    const entry = await journal.durable(requestId);
    if (entry === undefined) return journal.rememberCancelled(requestId, clock.nowMs());
    if (entry.cancelledAtMs !== undefined) {
      work.enqueue(requestId, 'answer');
      return undefined;
    }
    await saveAndWork(core, cancelledEntry(entry, clock.nowMs()));
    counts.totals.cancelled += 1;
    return undefined;
  });
}

/** Carries out what a person has decided. @throws HopbackError as of `TracebackResponder.decide` */
async function decide(core: ResponderCore, handedIn: ReviewDecision): Promise<Decided> {
  refuseClosed(core);
  const { journal, work, clock } = core;
  const decision = wellFormedValue(handedIn);
  const { requestId } = decision;
  return work.exclusively(requestId, async () => {
    const entry = await journal.durable(requestId);
    if (entry === undefined) return refused({ about: 'requestId', text: 'there is no such request' });
    if (entry.decisionIds.includes(decision.decisionId)) {
      // It may be one of which only now it is known that it is durable.
      work.enqueue(requestId, 'answer');
      return { status: 'repeated' };
    }
    if (entry.pending !== undefined) return refused({ about: 'state', text: 'an answer is being signed' });
    const { policy, trunks, provider } = core.options;
    const outcome = answerOfDecision(decision, subjectOfEntry(entry), { policy, directory: trunks, provider });
    if (outcome.status === 'refused') return outcome;
    const { draft, despite } = outcome;
    const next: ResponderEntry = decidedEntry(entry, decision, { draft, despite, atMs: clock.nowMs() });
    await saveAndWork(core, next);
    const { answerId = '', revision = 0 } = next.pending ?? {};
    return { status: 'accepted', answerId, revision };
  });
}

function refused(problem: DecisionProblem): Decided {
  return { status: 'refused', problems: [problem] };
}

/**
 * Worked on in any case: what the journal has taken without being able to say that it is durable is carried on once it is, though whoever
 * handed it in does not come back.
 */
async function saveAndWork({ journal, work }: ResponderCore, entry: ResponderEntry): Promise<void> {
  try {
    await journal.save(entry);
  } finally {
    work.enqueue(entry.requestId, 'answer');
  }
}

/** @throws HopbackError `closed` */
function refuseClosed({ stop }: ResponderCore): void {
  if (stop.signal.aborted) throw new HopbackError('closed', 'the responder is closed');
}

/** What a responder takes on where nothing else is said; each with its reason in {@link ResponderLimits}. */
export const DEFAULT_RESPONDER_LIMITS: ResponderLimits = Object.freeze({
  // The tracebacks of a large carrier of some years, a hundredfold of today's.
  requests: 10_000,
  // Look-ups share the store with the live traffic.
  concurrency: 4,
  // A store of 18 months answers within seconds.
  matchTimeoutMs: 60_000,
  // A person who has decided waits for it.
  inboxPollMs: 1_000,
});

/**
 * Opens the responder of a directory, goes on where the last one ended, and answers what comes in.
 * @param options - the policy and what it goes by, the way to the platform, and where requests come from
 * @returns the responder; it runs until it is closed
 * @throws {@link HopbackError} `storage-failed` when the directory cannot be used, or another process has it; `invalid-argument` for a limit
 * out of its bounds
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const us = { name: 'Example Telecom LLC', ocn: '0001' };
 * const responder = await createTracebackResponder({
 *   directory,
 *   provider: us,
 *   policy: DEFAULT_TRACEBACK_POLICY,
 *   trunks: createTrunkDirectory({ directoryId: 'trunks-7', providers: [], entries: [] }),
 *   findMatch: async () => ({ status: 'unreadable', because: ['no records are at hand'] }),
 *   deadlineOf: officeDeadline({ zone: 'America/New_York' }),
 *   signer: await createLocalAnswerSigner({ privateKeyPem: createTestKey().privateKeyPem, keyId: 'answers-2026' }),
 * });
 * const call = { called: '+12025550101', at: { asWritten: '9:41 AM', local: '2026-11-02T09:41', zone: 'UTC', precision: 'minute' } } as const;
 * await responder.submit({
 *   format: 'hopback.traceback-request.1', requestId: 'r-1', tracebackId: 't-1', direction: 'back', hop: 1,
 *   requester: { kind: 'itg', name: 'Industry Traceback Group' }, issuedAt: '2026-11-02T15:00:00Z', provider: us, call,
 * });
 * await responder.settled();
 * console.log(responder.list()[0]?.state); // review
 * await responder.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function createTracebackResponder(options: TracebackResponderOptions): Promise<TracebackResponder> {
  // Before anything is made or taken.
  checkedLimits(options);
  if (options.files !== undefined) return openResponder(options, { close: () => Promise.resolve() });
  const lock = await lockResponder(options.directory);
  try {
    return await openResponder(options, lock);
  } catch (error) {
    await lock.close();
    throw error;
  }
}

/**
 * Takes a directory for the responder of this process.
 * @throws HopbackError `storage-failed` where another process has it, or the disk refuses
 */
export function lockResponder(directory: string): Promise<FolderLock> {
  return FolderLock.take(directory, 'the responder');
}

/**
 * As {@link createTracebackResponder}, in a directory that was taken before.
 * @param lock - closed with the responder, after everything else; where this throws it is still the caller's
 * @throws HopbackError as {@link createTracebackResponder}
 */
export async function openResponder(options: TracebackResponderOptions, lock: FolderLock): Promise<TracebackResponder> {
  const core = await openCore(options, checkedLimits(options));
  try {
    return startedResponder(core, lock);
  } catch (error) {
    // A source that could not be made.
    core.stop.abort();
    await core.work.stop();
    await core.journal.close().catch(() => undefined);
    throw error;
  }
}

function checkedLimits({ limits, escalations = [] }: TracebackResponderOptions): ResponderLimits {
  const all = { ...DEFAULT_RESPONDER_LIMITS, ...limits };
  const bounds: Readonly<Record<keyof ResponderLimits, readonly [number, number]>> = {
    requests: [1, 100_000],
    concurrency: [1, 64],
    matchTimeoutMs: [1, 600_000],
    inboxPollMs: [10, 60_000],
  };
  for (const [name, [least, most]] of Object.entries(bounds) as [keyof ResponderLimits, readonly [number, number]][]) {
    if (Number.isInteger(all[name]) && all[name] >= least && all[name] <= most) continue;
    throw new HopbackError('invalid-argument', `${name} must be an integer from ${String(least)} to ${String(most)}`);
  }
  if (escalations.length > MAX_ESCALATIONS)
    throw new HopbackError('invalid-argument', `there are at most ${String(MAX_ESCALATIONS)} escalation steps`);
  return all;
}

/** A platform that takes a second to answer is given some tens of answers a second. */
const MOST_DELIVERIES = 32;
/** A mail server that hangs over some is asked for the others. */
const MOST_TELLING = 16;

async function openCore(options: TracebackResponderOptions, limits: ResponderLimits): Promise<ResponderCore> {
  const { clock = MACHINE_CLOCK, random = Math.random, escalations = DEFAULT_ESCALATIONS } = options;
  const { provider, policy, trunks, files } = options;
  const settings = JSON.stringify({ provider, policy, directoryId: trunks.directoryId });
  const journal = await openEntryJournal(
    { directory: join(options.directory, 'journal'), clock, schedule: clock.schedule, ...defined({ files }) },
    { requests: limits.requests, settings },
  );
  const counts = createResponderCounts();
  // Five failures in a row are an outage; half a minute to ten, so that a platform that comes back is noticed soon.
  const breaker = createBreaker({ failures: 5, open: { baseMs: 30_000, capMs: 600_000 }, random });
  const health = createPlatformHealth(breaker);
  const retries = createRetries({ clock, random }, (requestId) => core.work.enqueue(requestId, 'answer'));
  const noticeRetries = createRetries({ clock, random }, (requestId) => core.work.enqueue(requestId, 'tell'));
  const stop = new AbortController();
  // Every port that is asked listens.
  setMaxListeners(0, stop.signal);
  const core: ResponderCore = {
    options,
    limits,
    clock,
    random,
    journal,
    counts,
    breaker,
    health,
    retries,
    noticeRetries,
    escalations: escalations.toSorted((one, other) => other.beforeDueSeconds - one.beforeDueSeconds),
    stop,
    attached: new Set(),
    work: createKeyedWork({
      answer: {
        concurrency: limits.concurrency,
        isExclusive: true,
        run: (requestId) => advanceEntry(core, requestId, 'answer'),
      },
      deliver: {
        concurrency: MOST_DELIVERIES,
        isExclusive: true,
        run: (requestId) => advanceEntry(core, requestId, 'deliver'),
      },
      tell: { concurrency: MOST_TELLING, isExclusive: false, run: (requestId) => notifyReviewers(core, requestId) },
    }),
  };
  return core;
}

function startedResponder(core: ResponderCore, lock: FolderLock): TracebackResponder {
  const reminders = createReminders(core);
  const { options, journal, work, counts, breaker, clock } = core;
  const responder: TracebackResponder = {
    submit: (request, submission) => submit(core, reminders, { request, submission }),
    cancel: (requestId) => cancel(core, requestId),
    decide: (decision) => decide(core, decision),
    entry: (requestId) => journal.get(requestId),
    review: (requestId, { showNumbers = false } = {}) => {
      const entry = journal.get(requestId);
      return entry === undefined
        ? undefined
        : reviewOf(subjectOfEntry(entry), { nowMs: clock.nowMs(), policy: options.policy, showNumbers });
    },
    // Those without an answer first, the most urgent before the others.
    list: () =>
      [...journal.summaries.values()].toSorted(
        (one, other) => Number(isDone(one)) - Number(isDone(other)) || one.dueAtMs - other.dueAtMs,
      ),
    past: () =>
      [...journal.summaries.keys()].flatMap((requestId) => {
        const entry = journal.get(requestId);
        return entry?.matchedAtMs === undefined ? [] : [pastRequestOf(entry)];
      }),
    trackNotice: async (notice, receivedAtMs = clock.nowMs()) => {
      refuseClosed(core);
      const tracked = trackedNotice(notice, receivedAtMs);
      const before = journal.notices.get(notice.noticeId);
      await journal.saveNotice(before === undefined ? tracked : noticeAgain(before, tracked));
      reminders.arm();
    },
    noticeAnswered: async (noticeId, part) => {
      refuseClosed(core);
      const tracked = journal.notices.get(noticeId);
      if (tracked !== undefined) await journal.saveNotice(noticeWithDone(tracked, part, clock.nowMs()));
      return tracked !== undefined;
    },
    notices: () =>
      [...journal.notices.values()].toSorted((one, other) => one.mitigation.dueAtMs - other.mitigation.dueAtMs),
    statistics: () =>
      statisticsOf(counts, {
        summaries: journal.summaries.values(),
        nowMs: clock.nowMs(),
        breaker: breaker.state(),
        journalBytes: journal.sizeBytes(),
        openNotices: [...journal.notices.values()].filter(isNoticeOpen).length,
      }),
    settled: () => work.idle(),
    close: () => (closing ??= close(core, reminders, lock, [endInbox, endIntake])),
    [Symbol.asyncDispose]: () => responder.close(),
  };
  let closing: Promise<void> | undefined;
  const endIntake = options.requests === undefined ? undefined : consumeRequests(core, options.requests, responder);
  const endInbox =
    options.files === undefined
      ? takeInbox(core, { inbox: createDecisionInbox(options.directory), decide: responder.decide })
      : undefined;
  for (const requestId of journal.open) work.enqueue(requestId, 'answer');
  reminders.arm();
  return responder;
}

function isDone({ state }: EntrySummary): boolean {
  return state === 'sent' || state === 'acknowledged' || state === 'cancelled';
}

async function close(
  core: ResponderCore,
  reminders: Reminders,
  lock: FolderLock,
  ends: readonly ((() => Promise<void>) | undefined)[],
): Promise<void> {
  core.stop.abort();
  core.retries.clear();
  core.noticeRetries.clear();
  reminders.clear();
  for (const end of ends) await end?.();
  await core.work.stop();
  core.retries.clear();
  core.noticeRetries.clear();
  // What could not be written is no more durable for being complained about: nobody was told that it was.
  await core.journal.close().catch(() => undefined);
  await lock.close();
}
