import type { FccNotice } from '../../contract/alert.js';
import { defined } from '../../core/text.js';
import type { EscalationStep, ResponderEvent, TrackedNotice } from './responder-contract.js';

type Part = 'mitigation' | 'report';
type NoticePart = TrackedNotice[Part];

const PARTS: readonly Part[] = ['mitigation', 'report'];

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
export function noticeEscalated(tracked: TrackedNotice, part: Part, step: number): TrackedNotice {
  return { ...tracked, [part]: { ...tracked[part], escalated: Math.max(tracked[part].escalated, step) } };
}

function openParts(tracked: TrackedNotice): readonly Part[] {
  return tracked.notice.state === 'withdrawn' ? [] : PARTS.filter((part) => tracked[part].doneAtMs === undefined);
}

/** Whether something is still due. */
export function isNoticeOpen(tracked: TrackedNotice): boolean {
  return openParts(tracked).length > 0;
}

/** What people are to be told now, each with the number of its step from 1. */
export function dueNoticeEvents(
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
export function nextNoticeMs(tracked: TrackedNotice, steps: readonly EscalationStep[]): number {
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
export function stepPassed(
  { dueAtMs, escalated }: Due,
  steps: readonly EscalationStep[],
  nowMs: number,
): { readonly step: number; readonly to: string } | undefined {
  const passed = steps.filter(({ beforeDueSeconds }) => dueAtMs - beforeDueSeconds * 1_000 <= nowMs).length;
  const last = steps[passed - 1];
  return last === undefined || passed <= escalated ? undefined : { step: passed, to: last.to };
}

/** When the next step falls due, milliseconds since the epoch; Infinity where none is left. */
export function nextStepMs({ dueAtMs, escalated }: Due, steps: readonly EscalationStep[]): number {
  const step = steps[escalated];
  return step === undefined ? Infinity : dueAtMs - step.beforeDueSeconds * 1_000;
}
