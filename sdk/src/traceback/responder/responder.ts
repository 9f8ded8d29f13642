import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { MACHINE_CLOCK } from '../../core/runtime/clock.js';
import { defined, wellFormedText, wellFormedValue } from '../../core/text.js';
import type { FccNotice } from '../../contract/alert.js';
import type { TracebackRequest } from '../../contract/traceback-exchange.js';
import { HopbackError } from '../../errors.js';
import { FolderLock } from '../../log/index.js';
import type { TracebackRequestArrival, TracebackRequestSource } from '../../platform/traceback-request-source.js';
import { createBreaker } from '../../records/stream/stream-policy.js';
import { answerOfDecision } from '../review/answer-of-decision.js';
import type { PastRequest } from '../policy/decide-traceback.js';
import type { Decided, ReviewDecision } from '../review/review-decision.js';
import { reviewOf } from '../review/review-of.js';
import type { ReviewView } from '../review/review-view.js';
import { createDecisionInbox, takeInbox } from './decision-inbox.js';
import { openEntryJournal } from './entry-journal.js';
import { createReminders, noticeAgain, noticeWithDone, trackedNotice } from './notices.js';
import { DEFAULT_ESCALATIONS, MAX_ESCALATIONS, isNoticeOpen, lacksAnswer, stateOfEntry } from './responder-contract.js';
import type {
  EntryState,
  EntrySummary,
  ResponderEntry,
  ResponderStatistics,
  TracebackResponderOptions,
  TrackedNotice,
} from './responder-contract.js';
import {
  createKeyedWork,
  createPlatformHealth,
  createResponderCounts,
  createRetries,
  noteProblem,
  pastRequestOf,
  statisticsOf,
  subjectOfEntry,
} from './responder-core.js';
import type { ResponderCore, ResponderLimits } from './responder-core.js';
import { advanceEntry, notifyReviewers } from './work-on-entry.js';
import { cancelledEntry, decidedEntry, receivedEntry } from './entry-steps.js';

/**
 * Answers traceback requests: exactly one answer to each, whatever dies. What it has acknowledged is durable, what it has signed is sent in the same
 * bytes under the same key until the platform's receipt is there.
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const us = { name: 'Example Telecom LLC', ocn: '0001' };
 * const responder = await TracebackResponder.open({
 *   directory,
 *   provider: us,
 *   policy: DEFAULT_TRACEBACK_POLICY,
 *   trunks: new TrunkDirectory({ directoryId: 'trunks-7', providers: [], entries: [] }),
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
export class TracebackResponder implements AsyncDisposable {
  readonly #core: ResponderCore;
  readonly #lock: Pick<FolderLock, 'close'> | undefined;
  readonly #reminders: ReturnType<typeof createReminders>;
  readonly #ends: readonly ((() => Promise<void>) | undefined)[];
  #closing: Promise<void> | undefined;

  /**
   * Opens the responder of a directory, goes on where the last one ended, and answers what comes in.
   * @param options - the policy and what it goes by, the way to the platform, and where requests come from
   * @param taken - the lock of the directory, where the caller has it already: closed with the responder, after everything else; where this
   * throws it is still the caller's. Default: it is taken by `FolderLock.take` of `@hopback/sdk/log`, unless the files are handed in
   * @returns the responder; it runs until it is closed
   * @throws {@link HopbackError} `storage-failed` when the directory cannot be used, or another process has it; `invalid-argument` for a limit
   * out of its bounds
   */
  static async open(
    options: TracebackResponderOptions,
    taken?: Pick<FolderLock, 'close'>,
  ): Promise<TracebackResponder> {
    // Before anything is made or taken.
    const limits = checkedLimits(options);
    const lock = taken ?? (options.files === undefined ? await lockResponder(options.directory) : undefined);
    try {
      const core = await openCore(options, limits);
      try {
        return new TracebackResponder(core, lock);
      } catch (error) {
        // A source that could not be made.
        core.stop.abort();
        await core.work.stop();
        await core.journal.close().catch(() => undefined);
        throw error;
      }
    } catch (error) {
      if (taken === undefined) await lock?.close();
      throw error;
    }
  }

  private constructor(core: ResponderCore, lock: Pick<FolderLock, 'close'> | undefined) {
    const { options, journal, work } = core;
    this.#core = core;
    this.#lock = lock;
    this.#reminders = createReminders(core);
    const endIntake = options.requests === undefined ? undefined : consumeRequests(core, options.requests, this);
    const inbox = options.files === undefined ? createDecisionInbox(options.directory) : undefined;
    const endInbox = inbox && takeInbox(core, { inbox, decide: (decision) => this.decide(decision) });
    this.#ends = [endInbox, endIntake];
    for (const requestId of journal.open) work.enqueue(requestId, 'answer');
    this.#reminders.arm();
  }

  /**
   * Takes a request. Resolved means durable, where it was accepted or is known.
   * @throws HopbackError `storage-failed` (retryable): hand it in again; `closed`
   */
  async submit(
    request: TracebackRequest,
    submission: {
      /** When, milliseconds since the epoch. Default now. */
      readonly receivedAtMs?: number;
      /** `webhook`, `event-stream`, `poll`, `intake`. Default `intake`. */
      readonly via?: string;
      /** As it came, where that is not the JSON of the request: at most 256 KiB. */
      readonly original?: { readonly bytes: Uint8Array; readonly mediaType: string };
    } = {},
  ): Promise<
    | { readonly status: 'accepted'; readonly dueAtMs: number }
    /** It is there already: repeats change nothing. */
    | { readonly status: 'known'; readonly state: EntryState }
    /** `full`: as many are open as may be; `too-large`: it does not fit in the journal. */
    | { readonly status: 'refused'; readonly reason: 'full' | 'too-large' }
  > {
    refuseClosed(this.#core);
    const { journal, work, counts, clock, options } = this.#core;
    const { receivedAtMs = clock.nowMs(), via = 'intake', original } = submission;
    // What cannot be written as UTF-8 could be neither kept as evidence nor signed.
    const wellFormed = wellFormedValue(request);
    const { requestId } = wellFormed;
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
      const received = receivedEntry(wellFormed, {
        receivedAtMs,
        via: wellFormedText(via),
        deadline: options.deadlineOf(wellFormed, receivedAtMs),
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
      await saveAndWork(this.#core, entry).finally(() => this.#reminders.arm());
      counts.totals.received += 1;
      return { status: 'accepted', dueAtMs: entry.deadline.dueAtMs };
    });
  }

  /**
   * Nobody asks any longer. A request that is not there yet is remembered as cancelled.
   * @throws HopbackError as `submit`
   */
  async cancel(requestId: string): Promise<void> {
    refuseClosed(this.#core);
    const { journal, work, counts, clock } = this.#core;
    const id = wellFormedText(requestId);
    await work.exclusively(id, async () => {
      const entry = await journal.durable(id);
      if (entry === undefined) return journal.rememberCancelled(id, clock.nowMs());
      if (entry.cancelledAtMs !== undefined) {
        work.enqueue(id, 'answer');
        return undefined;
      }
      await saveAndWork(this.#core, cancelledEntry(entry, clock.nowMs()));
      counts.totals.cancelled += 1;
      return undefined;
    });
  }

  /**
   * Carries out what a person has decided.
   * @throws HopbackError as `submit`
   */
  async decide(decision: ReviewDecision): Promise<Decided> {
    refuseClosed(this.#core);
    const { journal, work, clock, options } = this.#core;
    const wellFormed = wellFormedValue(decision);
    const { requestId } = wellFormed;
    return work.exclusively(requestId, async () => {
      const entry = await journal.durable(requestId);
      if (entry === undefined) return refused('requestId', 'there is no such request');
      if (entry.decisionIds.includes(wellFormed.decisionId)) {
        // It may be one of which only now it is known that it is durable.
        work.enqueue(requestId, 'answer');
        return { status: 'repeated' };
      }
      if (entry.pending !== undefined) return refused('state', 'an answer is being signed');
      const { policy, trunks, provider } = options;
      const outcome = answerOfDecision(wellFormed, subjectOfEntry(entry), { policy, directory: trunks, provider });
      if (outcome.status === 'refused') return outcome;
      const { draft, despite } = outcome;
      const next: ResponderEntry = decidedEntry(entry, wellFormed, { draft, despite, atMs: clock.nowMs() });
      await saveAndWork(this.#core, next);
      const { answerId = '', revision = 0 } = next.pending ?? {};
      return { status: 'accepted', answerId, revision };
    });
  }

  /** What a person sees of a request; undefined where it is not there. Never throws. */
  review(requestId: string, { showNumbers = false }: { readonly showNumbers?: boolean } = {}): ReviewView | undefined {
    const { clock, options } = this.#core;
    const entry = this.entry(requestId);
    return entry && reviewOf(subjectOfEntry(entry), { nowMs: clock.nowMs(), policy: options.policy, showNumbers });
  }

  /** All that is kept of a request. Never throws. */
  entry(requestId: string): ResponderEntry | undefined {
    return this.#core.journal.get(requestId);
  }

  /** By deadline, those without an answer first. Never throws. */
  list(): readonly EntrySummary[] {
    return [...this.#core.journal.summaries.values()].toSorted(
      (one, other) => Number(isDone(one)) - Number(isDone(other)) || one.dueAtMs - other.dueAtMs,
    );
  }

  /** Requests of the past, for {@link tryTracebackPolicy}. Never throws. */
  past(): readonly PastRequest[] {
    return [...this.#core.journal.summaries.keys()].flatMap((requestId) => {
      const entry = this.entry(requestId);
      return entry?.matchedAtMs === undefined ? [] : [pastRequestOf(entry)];
    });
  }

  /**
   * Tracks a notice of the Commission: details of mitigation within 48 hours, a report within 14 days.
   * @throws HopbackError as `submit`
   */
  async trackNotice(notice: FccNotice, receivedAtMs: number = this.#core.clock.nowMs()): Promise<void> {
    refuseClosed(this.#core);
    const { journal } = this.#core;
    const tracked = trackedNotice(notice, receivedAtMs);
    const before = journal.notices.get(notice.noticeId);
    await journal.saveNotice(before === undefined ? tracked : noticeAgain(before, tracked));
    this.#reminders.arm();
  }

  /**
   * A part of the answer to a notice was given.
   * @returns false where no such notice is tracked
   * @throws HopbackError as `submit`
   */
  async noticeAnswered(noticeId: string, part: 'mitigation' | 'report'): Promise<boolean> {
    refuseClosed(this.#core);
    const { journal, clock } = this.#core;
    const tracked = journal.notices.get(noticeId);
    if (tracked !== undefined) await journal.saveNotice(noticeWithDone(tracked, part, clock.nowMs()));
    return tracked !== undefined;
  }

  /** By what is due next. Never throws. */
  notices(): readonly TrackedNotice[] {
    const { notices } = this.#core.journal;
    return [...notices.values()].toSorted((one, other) => one.mitigation.dueAtMs - other.mitigation.dueAtMs);
  }

  /** Never throws. */
  statistics(): ResponderStatistics {
    const { counts, journal, clock, breaker } = this.#core;
    return statisticsOf(counts, {
      summaries: journal.summaries.values(),
      nowMs: clock.nowMs(),
      breaker: breaker.state(),
      journalBytes: journal.sizeBytes(),
      openNotices: [...journal.notices.values()].filter(isNoticeOpen).length,
    });
  }

  /** Resolves when nothing is left that can be done now: what waits for a person, a later attempt or the platform waits on. */
  settled(): Promise<void> {
    return this.#core.work.idle();
  }

  /** Ends what is running, and closes the journal; nothing durable is lost. May be called again. Never rejects. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { stop, retries, noticeRetries, work, journal } = this.#core;
    stop.abort();
    retries.clear();
    noticeRetries.clear();
    this.#reminders.clear();
    for (const end of this.#ends) await end?.();
    await work.stop();
    retries.clear();
    noticeRetries.clear();
    // What could not be written is no more durable for being complained about: nobody was told that it was.
    await journal.close().catch(() => undefined);
    await this.#lock?.close();
  }
}

/**
 * Takes a directory for the responder of this process.
 * @throws HopbackError `storage-failed` where another process has it, or the disk refuses
 */
export function lockResponder(directory: string): Promise<FolderLock> {
  return FolderLock.take(directory, 'the responder');
}

function isDone({ state }: EntrySummary): boolean {
  return state === 'sent' || state === 'acknowledged' || state === 'cancelled';
}

/** What a responder takes on where nothing else is said; see the options. */
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
  responder: TracebackResponder,
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
  responder: TracebackResponder,
): Promise<void> {
  const { receivedAtMs, via } = arrival;
  try {
    if (arrival.kind === 'cancelled') await responder.cancel(arrival.requestId);
    else if (arrival.kind === 'notice') await responder.trackNotice(arrival.notice, receivedAtMs);
    else {
      const submitted = await responder.submit(arrival.request, { receivedAtMs, via });
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

/** What came may be an e-mail; with its recording it belongs into the evidence of whoever read it. */
const MAX_ORIGINAL_BYTES: number = 256 * 1_024;

function refused(about: string, text: string): Decided {
  return { status: 'refused', problems: [{ about, text }] };
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
