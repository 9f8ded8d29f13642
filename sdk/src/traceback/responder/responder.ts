import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { HopbackError } from '../../errors.js';
import { lockFolder } from '../../log/index.js';
import type { FolderLock } from '../../log/index.js';
import { createBreaker } from '../../records/stream/breaker.js';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { reviewOf } from '../review/review-of.js';
import { advanceEntry, tellPeople } from './advance-entry.js';
import { createDecisionInbox } from './decision-inbox.js';
import { openEntryJournal } from './entry-journal.js';
import { DEFAULT_ESCALATIONS, MAX_ESCALATIONS } from './escalation.js';
import { takeInbox } from './inbox-turn.js';
import { createKeyedWork } from './keyed-work.js';
import { isNoticeOpen, noticeAgain, noticeWithDone, trackedNotice } from './notices.js';
import { createPlatformHealth } from './platform-health.js';
import { consumeRequests } from './request-intake.js';
import { createReminders } from './reminders.js';
import type { Reminders } from './reminders.js';
import { cancel, decide, refuseClosed, submit } from './responder-commands.js';
import type { ResponderLimits, TracebackResponder, TracebackResponderOptions } from './responder-contract.js';
import { createRetries } from './responder-core.js';
import type { ResponderCore } from './responder-core.js';
import { createResponderCounts, statisticsOf } from './responder-statistics.js';
import { pastRequestOf, subjectOfEntry } from './responder-views.js';

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
  return lockFolder(directory, 'the responder');
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
    {
      directory: join(options.directory, 'journal'),
      clock,
      schedule: clock.schedule,
      ...(files === undefined ? {} : { files }),
    },
    { requests: limits.requests, settings },
  );
  const counts = createResponderCounts();
  // Five failures in a row are an outage; half a minute to ten, so that a platform that comes back is noticed soon.
  const breaker = createBreaker({ failures: 5, open: { baseMs: 30_000, capMs: 600_000 }, random });
  const health = createPlatformHealth(breaker);
  const retries = createRetries({ clock, random }, (requestId) => core.work.enqueue(requestId, 'answer'));
  const tellRetries = createRetries({ clock, random }, (requestId) => core.work.enqueue(requestId, 'tell'));
  const stop = new AbortController();
  // Every port that is asked listens.
  setMaxListeners(0, stop.signal);
  const core: ResponderCore = {
    ...{ options, limits, clock, random, journal, counts, breaker, health, retries, tellRetries },
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
      tell: { concurrency: MOST_TELLING, isExclusive: false, run: (requestId) => tellPeople(core, requestId) },
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
    list: () => [...journal.summaries.values()].toSorted(byNeed),
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

/** Those without an answer first, the most urgent before the others. */
function byNeed(
  one: { readonly state: string; readonly dueAtMs: number },
  other: { readonly state: string; readonly dueAtMs: number },
): number {
  const isDone = (state: string): number => (DONE.has(state) ? 1 : 0);
  return isDone(one.state) - isDone(other.state) || one.dueAtMs - other.dueAtMs;
}

const DONE: ReadonlySet<string> = new Set(['sent', 'acknowledged', 'cancelled']);

async function close(
  core: ResponderCore,
  reminders: Reminders,
  lock: FolderLock,
  ends: readonly ((() => Promise<void>) | undefined)[],
): Promise<void> {
  core.stop.abort();
  core.retries.clear();
  core.tellRetries.clear();
  reminders.clear();
  for (const end of ends) await end?.();
  await core.work.stop();
  core.retries.clear();
  core.tellRetries.clear();
  // What could not be written is no more durable for being complained about: nobody was told that it was.
  await core.journal.close().catch(() => undefined);
  await lock.close();
}
