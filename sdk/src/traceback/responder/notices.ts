import type { FccNotice } from '../../platform/wire/notice.js';
import type { EscalationStep } from './escalation.js';
import type { ResponderEvent } from './ports.js';

/** A notice of the Commission of suspected illegal traffic, and what has been done about it. @see 47 CFR 64.1200(n)(2) */
export interface TrackedNotice {
  readonly notice: FccNotice;
  /** Milliseconds since the epoch. */
  readonly receivedAtMs: number;
  readonly mitigation: NoticePart;
  readonly report: NoticePart;
}

/** One of the two things that are due. */
export interface NoticePart {
  readonly dueAtMs: number;
  /** When it was given. */
  readonly doneAtMs?: number;
  /** Escalation steps that have been taken. */
  readonly escalated: number;
}

const HOUR_MS = 3_600_000;
/** Details of the mitigation. 47 CFR 64.1200(n)(2) */
const MITIGATION_MS: number = 48 * HOUR_MS;
/** The report of the investigation. */
const REPORT_MS: number = 14 * 24 * HOUR_MS;

/** Begins to track a notice: what it says is due counts, where it is earlier than the rule; what was answered is done. */
export function trackedNotice(notice: FccNotice, receivedAtMs: number): TrackedNotice {
  const part = (kind: 'mitigation' | 'report', stated: string, afterMs: number): NoticePart => {
    const statedMs = Date.parse(stated);
    const dueAtMs = Math.min(Number.isNaN(statedMs) ? Number.POSITIVE_INFINITY : statedMs, receivedAtMs + afterMs);
    const given = notice.responses.find((response) => response.kind === kind)?.respondedAt;
    const doneAtMs = given === undefined ? Number.NaN : Date.parse(given);
    return { dueAtMs, escalated: 0, ...(Number.isNaN(doneAtMs) ? {} : { doneAtMs }) };
  };
  return {
    notice,
    receivedAtMs,
    mitigation: part('mitigation', notice.mitigationDueAt, MITIGATION_MS),
    report: part('report', notice.reportDueAt, REPORT_MS),
  };
}

/** What is known of a notice that comes again: parts that were done stay so, deadlines do not move back. */
export function noticeAgain(before: TrackedNotice, again: TrackedNotice): TrackedNotice {
  const part = (kind: 'mitigation' | 'report'): NoticePart => ({
    ...again[kind],
    ...before[kind],
    dueAtMs: Math.min(before[kind].dueAtMs, again[kind].dueAtMs),
  });
  return { ...again, receivedAtMs: before.receivedAtMs, mitigation: part('mitigation'), report: part('report') };
}

/** A part was given. */
export function noticeWithDone(tracked: TrackedNotice, part: 'mitigation' | 'report', atMs: number): TrackedNotice {
  return { ...tracked, [part]: { ...tracked[part], doneAtMs: tracked[part].doneAtMs ?? atMs } };
}

/** Whether something is still due. */
export function isNoticeOpen({ notice, mitigation, report }: TrackedNotice): boolean {
  return notice.state !== 'withdrawn' && (mitigation.doneAtMs === undefined || report.doneAtMs === undefined);
}

const PARTS = ['mitigation', 'report'] as const;

/** An escalation step of a notice. */
export interface NoticeStep {
  readonly event: Extract<ResponderEvent, { kind: 'notice-due' }>;
  /** Its number from 1. */
  readonly step: number;
}

/** What people are to be told now. */
export function dueNoticeEvents(
  tracked: TrackedNotice,
  steps: readonly EscalationStep[],
  nowMs: number,
): readonly NoticeStep[] {
  if (tracked.notice.state === 'withdrawn') return [];
  return PARTS.flatMap((part): readonly NoticeStep[] => {
    const { dueAtMs, doneAtMs, escalated } = tracked[part];
    const passed = steps.filter(({ beforeDueSeconds }) => dueAtMs - beforeDueSeconds * 1_000 <= nowMs).length;
    const last = steps[passed - 1];
    if (doneAtMs !== undefined || last === undefined || passed <= escalated) return [];
    const { noticeId } = tracked.notice;
    const eventId = `${noticeId}/${part}/${String(passed)}`;
    return [{ event: { kind: 'notice-due', eventId, noticeId, part, dueAtMs, to: last.to }, step: passed }];
  });
}

/** People have been told of a step. Never goes back. */
export function noticeEscalated(tracked: TrackedNotice, part: 'mitigation' | 'report', step: number): TrackedNotice {
  return { ...tracked, [part]: { ...tracked[part], escalated: Math.max(tracked[part].escalated, step) } };
}

/** When the next of them falls due; undefined where none is left. */
export function nextNoticeMs(tracked: TrackedNotice, steps: readonly EscalationStep[]): number | undefined {
  if (tracked.notice.state === 'withdrawn') return undefined;
  const times = PARTS.flatMap((part) => {
    const { dueAtMs, doneAtMs, escalated } = tracked[part];
    const step = steps[escalated];
    return doneAtMs !== undefined || step === undefined ? [] : [dueAtMs - step.beforeDueSeconds * 1_000];
  });
  return times.length === 0 ? undefined : Math.min(...times);
}
