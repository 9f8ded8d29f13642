import { escalatedEntry } from './entry-steps.js';
import { dueEscalation, nextEscalationMs } from './escalation.js';
import { inTime, PORT_LIMITS_MS } from './in-time.js';
import { dueNoticeEvents, nextNoticeMs, noticeEscalated } from './notices.js';
import { noteProblem, StepFailure } from './responder-core.js';
import type { ResponderCore } from './responder-core.js';
import { summaryOf } from './responder-entry.js';

/** Sees to it that somebody is told before a deadline is over. */
export interface Reminders {
  /** Looks anew for what is due next. */
  readonly arm: () => void;
  readonly clear: () => void;
}

/** A timer is never set for longer: whoever sets the clock of the machine is noticed within the hour. */
const LONGEST_WAIT_MS = 3_600_000;
/** What could not be written or told is tried again so much later. */
const RETRY_MS = 30_000;

/** One timer for all of them. What is slow to be written or told holds up nothing else. */
export function createReminders(core: ResponderCore): Reminders {
  const { clock, stop } = core;
  const running = new Set<string>();
  let cancel: (() => void) | undefined;

  const arm = (leastMs: number): void => {
    cancel?.();
    cancel = undefined;
    if (stop.signal.aborted) return;
    const atMs = nextReminderMs(core, running);
    if (!Number.isFinite(atMs)) return;
    const waitMs = Math.min(Math.max(atMs - clock.nowMs(), leastMs), LONGEST_WAIT_MS);
    cancel = clock.schedule(turn, waitMs);
  };
  const remind = async (key: string, run: () => Promise<void>): Promise<void> => {
    running.add(key);
    let leastMs = 0;
    try {
      await run();
    } catch (error) {
      leastMs = RETRY_MS;
      const { kind, cause } = error instanceof StepFailure ? error : new StepFailure('storage', error);
      if (!stop.signal.aborted) noteProblem(core, { kind, cause });
    }
    running.delete(key);
    arm(leastMs);
  };
  const turn = (): void => {
    for (const [key, run] of dueReminders(core)) if (!running.has(key)) void remind(key, run);
    arm(0);
  };
  return { arm: () => arm(0), clear: () => cancel?.() };
}

const keyOfRequest = (requestId: string): string => `r/${requestId}`;
const keyOfNotice = (noticeId: string): string => `n/${noticeId}`;

/** When the next one falls due of those that are not under way; Infinity where there is none. */
function nextReminderMs({ journal, escalations }: ResponderCore, running: ReadonlySet<string>): number {
  let next = Number.POSITIVE_INFINITY;
  const consider = (key: string, atMs: number | undefined): void => {
    if (atMs !== undefined && atMs < next && !running.has(key)) next = atMs;
  };
  for (const requestId of journal.open) {
    const summary = journal.summaries.get(requestId);
    if (summary !== undefined) consider(keyOfRequest(requestId), nextEscalationMs(summary, escalations));
  }
  for (const [noticeId, tracked] of journal.notices)
    consider(keyOfNotice(noticeId), nextNoticeMs(tracked, escalations));
  return next;
}

/** What is to be done now, by key. */
function dueReminders(core: ResponderCore): readonly (readonly [key: string, run: () => Promise<void>])[] {
  const { journal, escalations, clock } = core;
  const nowMs = clock.nowMs();
  const requestIds = [...journal.open].filter((requestId) => {
    const summary = journal.summaries.get(requestId);
    return summary !== undefined && dueEscalation(summary, escalations, nowMs) !== undefined;
  });
  const noticeIds = [...journal.notices].flatMap(([noticeId, tracked]) =>
    dueNoticeEvents(tracked, escalations, nowMs).length > 0 ? [noticeId] : [],
  );
  return [
    ...requestIds.map((requestId) => [keyOfRequest(requestId), () => remindOfRequest(core, requestId)] as const),
    ...noticeIds.map((noticeId) => [keyOfNotice(noticeId), () => remindOfNotice(core, noticeId)] as const),
  ];
}

/** Written down first: whoever works on the request tells of it. */
async function remindOfRequest(core: ResponderCore, requestId: string): Promise<void> {
  const { journal, escalations, clock, work, counts } = core;
  await work.exclusively(requestId, async () => {
    const entry = await journal.durable(requestId);
    // It may have been answered while it was waited for.
    const due = entry === undefined ? undefined : dueEscalation(summaryOf(entry), escalations, clock.nowMs());
    if (entry === undefined || due === undefined) return;
    try {
      await journal.save(escalatedEntry(entry, due.step, due.to));
      counts.escalations += 1;
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
    counts.escalations += 1;
  }
}
