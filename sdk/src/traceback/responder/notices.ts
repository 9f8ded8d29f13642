import type { FccNotice } from '../../contract/alert.js';
import { defined } from '../../core/text.js';
import { escalatedEntry } from './entry-steps.js';
import { lacksAnswer, openParts, stateOfEntry } from './responder-contract.js';
import type { EscalationStep, ResponderEvent, TrackedNotice } from './responder-contract.js';
import { PORT_LIMITS_MS, StepFailure, inTime, noteProblem } from './responder-core.js';
import type { ResponderCore } from './responder-core.js';

type Part = 'mitigation' | 'report';
type NoticePart = TrackedNotice[Part];

const HOUR_MS = 3_600_000;
/** How long after the receipt details of the mitigation, and the report of the investigation, are due. 47 CFR 64.1200(n)(2) */
const ALLOWED_MS: Readonly<Record<Part, number>> = { mitigation: 48 * HOUR_MS, report: 14 * 24 * HOUR_MS };

/** Begins to track a notice: what it says is due counts, where it is earlier than the rule; what was answered is done. */
export function trackedNotice(notice: FccNotice, receivedAtMs: number): TrackedNotice {
  const part = (kind: Part, stated: string): NoticePart => {
    const given = notice.responses.find((response) => response.kind === kind)?.respondedAt;
    const doneAtMs = Date.parse(given ?? '');
    const statedMs = Date.parse(stated);
    const ruleMs = receivedAtMs + ALLOWED_MS[kind];
    return {
      dueAtMs: Number.isNaN(statedMs) ? ruleMs : Math.min(statedMs, ruleMs),
      escalated: 0,
      ...defined({ doneAtMs: Number.isNaN(doneAtMs) ? undefined : doneAtMs }),
    };
  };
  return {
    notice,
    receivedAtMs,
    mitigation: part('mitigation', notice.mitigationDueAt),
    report: part('report', notice.reportDueAt),
  };
}

/** What is known of a notice that comes again: parts that were done stay so, deadlines do not move back. */
export function noticeAgain(before: TrackedNotice, again: TrackedNotice): TrackedNotice {
  const part = (kind: Part): NoticePart => ({
    ...again[kind],
    ...before[kind],
    dueAtMs: Math.min(before[kind].dueAtMs, again[kind].dueAtMs),
  });
  return { ...again, receivedAtMs: before.receivedAtMs, mitigation: part('mitigation'), report: part('report') };
}

/** A part was given. */
export function noticeWithDone(tracked: TrackedNotice, part: Part, atMs: number): TrackedNotice {
  return { ...tracked, [part]: { ...tracked[part], doneAtMs: tracked[part].doneAtMs ?? atMs } };
}

/** People have been told of a step. Never goes back. */
function noticeEscalated(tracked: TrackedNotice, part: Part, step: number): TrackedNotice {
  return { ...tracked, [part]: { ...tracked[part], escalated: Math.max(tracked[part].escalated, step) } };
}

/** What people are to be told now, each with the number of its step from 1. */
function dueNoticeEvents(
  tracked: TrackedNotice,
  steps: readonly EscalationStep[],
  nowMs: number,
): readonly { readonly event: Extract<ResponderEvent, { kind: 'notice-due' }>; readonly step: number }[] {
  const { noticeId } = tracked.notice;
  return openParts(tracked).flatMap((part) => {
    const due = stepPassed(tracked[part], steps, nowMs);
    if (due === undefined) return [];
    const { step, to } = due;
    const eventId = `${noticeId}/${part}/${String(step)}`;
    return [
      {
        event: {
          kind: 'notice-due',
          eventId,
          noticeId,
          part,
          dueAtMs: tracked[part].dueAtMs,
          to,
        },
        step,
      },
    ];
  });
}

/** When the next of them falls due; Infinity where none is left. */
function nextNoticeMs(tracked: TrackedNotice, steps: readonly EscalationStep[]): number {
  return Math.min(Infinity, ...openParts(tracked).map((part) => nextStepMs(tracked[part], steps)));
}

/** Something that is due, and how many escalation steps of it have been taken. */
interface Due {
  readonly dueAtMs: number;
  readonly escalated: number;
}

/**
 * The step that something has come to: of several that have passed meanwhile the last, since those before it say less.
 * @param steps - by time, the earliest first
 * @returns its number from 1, and whom it tells; undefined where none is due
 */
function stepPassed(
  { dueAtMs, escalated }: Due,
  steps: readonly EscalationStep[],
  nowMs: number,
): { readonly step: number; readonly to: string } | undefined {
  const passed = steps.filter(({ beforeDueSeconds }) => dueAtMs - beforeDueSeconds * 1_000 <= nowMs).length;
  const last = steps[passed - 1];
  return last === undefined || passed <= escalated ? undefined : { step: passed, to: last.to };
}

/** When the next step falls due, milliseconds since the epoch; Infinity where none is left. */
function nextStepMs({ dueAtMs, escalated }: Due, steps: readonly EscalationStep[]): number {
  const step = steps[escalated];
  return step === undefined ? Infinity : dueAtMs - step.beforeDueSeconds * 1_000;
}

/** A timer is never set for longer: whoever sets the clock of the machine is noticed within the hour. */
const LONGEST_WAIT_MS = 3_600_000;
/** What could not be written or told is tried again so much later. */
const RETRY_MS = 30_000;

/** Sees to it that somebody is told before a deadline is over. One timer for all of them; what is slow to be written or told holds up nothing else. */
export function createReminders(core: ResponderCore) {
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
