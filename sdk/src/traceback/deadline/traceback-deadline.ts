import { createNamedMemo } from '../../core/memo.js';
import type { ClosedDay } from './business-days.js';
import { clockEnd, clockRun } from './clock-run.js';
import type { ClockRun, ReceiptTime } from './clock-run.js';
import { DEADLINE_QUESTIONS } from './deadline-policy.js';
import type { DeadlinePolicy, DeadlineQuestion, DeadlineReadings } from './deadline-policy.js';
import { explainDeadline } from './explain-deadline.js';
import { NEVER_OPEN, officeCalendar } from './office-calendar.js';
import type { DeadlineRefusal, OfficeCalendar, RespondingOffice } from './office-calendar.js';
import type { OfficeTime } from './office-clock.js';

/** What the deadline is under one way to read the rule. */
export interface DeadlineReading {
  /** How the questions are answered that make a difference to this request. Empty where none does. */
  readonly answers: Partial<DeadlineReadings>;
  readonly deemedReceivedAt: OfficeTime;
  readonly dueAt: OfficeTime;
}

/** A deadline that says how it came about. */
export interface ComputedDeadline {
  readonly status: 'deadline';
  /** IANA name of the office's zone. */
  readonly zone: string;
  readonly receivedAt: OfficeTime;
  /** When the request counts as received: the clock starts then. */
  readonly deemedReceivedAt: OfficeTime;
  /** Why it is that time. */
  readonly receipt: ReceiptTime;
  readonly dueAt: OfficeTime;
  /** Stretches in which the clock ran, one after the other. */
  readonly ran: readonly { readonly from: OfficeTime; readonly to: OfficeTime }[];
  /** Days between them on which it did not. */
  readonly stoodStill: readonly ClosedDay[];
  /** All readings that were compared, the earliest first: that one binds. */
  readonly readings: readonly DeadlineReading[];
  /** All of that in sentences, for people and for evidence. */
  readonly explanation: readonly string[];
}

/** By when a traceback request has to be answered, or why that cannot be said. */
export type TracebackDeadline = ComputedDeadline | DeadlineRefusal;

/**
 * Computes by when a traceback request has to be answered in full: 24 hours after it was received within the business hours of the responding
 * office, or is deemed to have been, less weekends and federal holidays. Where the rule can be read in several ways the earliest deadline binds.
 * @param receivedAtMs - when the request came, whole milliseconds since the epoch, 1990 to 2199
 * @param office - whose local time counts, and the policy by which the rule is read
 * @returns the deadline with everything that led to it; `refused` for a zone that there is not, a time out of range, or an office that its
 * policy never opens; never throws
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const deadline = tracebackDeadline(Date.parse('2026-11-20T15:00:00-05:00'), { zone: 'America/New_York' });
 * if (deadline.status === 'deadline') console.log(deadline.dueAt.local); // 2026-11-23T15:00:00-05:00
 * ```
 */
export function tracebackDeadline(receivedAtMs: number, office: RespondingOffice): TracebackDeadline {
  const runs = runsOf(receivedAtMs, office);
  if ('status' in runs) return runs;
  const { calendar, binding, possible } = runs;
  return computed(receivedAtMs, calendar, { binding: binding.run, readings: compared(possible, calendar) });
}

/**
 * The same deadline without what led to it, for whoever computes many of them.
 * @param receivedAtMs - as for {@link tracebackDeadline}
 * @param office - as for {@link tracebackDeadline}
 * @returns the zone and the instant; `refused` as {@link tracebackDeadline} is; never throws
 */
export function tracebackDueTime(
  receivedAtMs: number,
  office: RespondingOffice,
): { readonly status: 'due'; readonly zone: string; readonly dueAtMs: number } | DeadlineRefusal {
  const calendar = officeCalendar(office, receivedAtMs);
  if ('status' in calendar) return calendar;
  const wall = calendar.clock.wallAt(receivedAtMs);
  let earliestMs = Infinity;
  for (const reading of readingsOf(calendar.policy)) {
    const dueAtMs = clockEnd(receivedAtMs, wall, { calendar, reading });
    // As under all readings together: see runsOf.
    if (dueAtMs === undefined) return NEVER_OPEN;
    earliestMs = Math.min(earliestMs, dueAtMs);
  }
  return { status: 'due', zone: calendar.clock.zone, dueAtMs: earliestMs };
}

interface ComparedRuns {
  readonly calendar: OfficeCalendar;
  readonly binding: ReadRun;
  readonly possible: readonly ReadRun[];
}

function runsOf(receivedAtMs: number, office: RespondingOffice): ComparedRuns | DeadlineRefusal {
  const calendar = officeCalendar(office, receivedAtMs);
  if ('status' in calendar) return calendar;
  const runs = readingsOf(calendar.policy).map((reading) => ({
    reading,
    run: clockRun(receivedAtMs, calendar, reading),
  }));
  const possible = runs.filter((entry): entry is ReadRun => entry.run !== undefined);
  const binding = earliest(possible);
  // Under one reading the office may open where it does not under another; then nobody can say which deadline is the earliest.
  if (binding === undefined || possible.length < runs.length) return NEVER_OPEN;
  return { calendar, binding, possible };
}

interface ReadRun {
  readonly reading: DeadlineReadings;
  readonly run: ClockRun;
}

function earliest(runs: readonly ReadRun[]): ReadRun | undefined {
  return runs.reduce<ReadRun | undefined>(
    (first, entry) => (first === undefined || entry.run.dueAtMs < first.run.dueAtMs ? entry : first),
    undefined,
  );
}

function computed(
  receivedAtMs: number,
  { clock }: OfficeCalendar,
  { binding, readings }: { readonly binding: ClockRun; readonly readings: readonly DeadlineReading[] },
): ComputedDeadline {
  const facts: Omit<ComputedDeadline, 'explanation'> = {
    status: 'deadline',
    zone: clock.zone,
    receivedAt: clock.timeAt(receivedAtMs),
    deemedReceivedAt: clock.timeAt(binding.deemedAtMs),
    receipt: binding.receipt,
    dueAt: clock.timeAt(binding.dueAtMs),
    ran: binding.ran.map(({ fromMs, toMs }) => ({ from: clock.timeAt(fromMs), to: clock.timeAt(toMs) })),
    stoodStill: binding.stoodStill,
    readings,
  };
  return { ...facts, explanation: explainDeadline(facts) };
}

const readingsFor = createNamedMemo<readonly DeadlineReadings[]>(1_000);

/** Every way to read the rule that a policy leaves open; in the order of the questions, so that among equals the first is the same. */
const readingsOf = (policy: DeadlinePolicy): readonly DeadlineReadings[] =>
  readingsFor(QUESTIONS.map((question) => policy[question]).join(' '), () => openReadings(policy));

function openReadings(policy: DeadlinePolicy): readonly DeadlineReadings[] {
  let open: readonly Partial<DeadlineReadings>[] = [{}];
  for (const question of QUESTIONS) {
    const choice = policy[question];
    const answers = choice === 'earliest' ? Object.keys(DEADLINE_QUESTIONS[question].readings) : [choice];
    open = open.flatMap((reading) => answers.map((answer) => ({ ...reading, [question]: answer })));
  }
  return open as readonly DeadlineReadings[];
}

const QUESTIONS = Object.keys(DEADLINE_QUESTIONS) as readonly DeadlineQuestion[];

/** The readings that lead to different deadlines, each told by the answers that make the difference. */
function compared(runs: readonly ReadRun[], { clock }: OfficeCalendar): readonly DeadlineReading[] {
  const decisive = QUESTIONS.filter((question) => isDecisive(question, runs));
  const distinct = new Map<string, DeadlineReading & { readonly dueAtMs: number }>();
  for (const { reading, run } of runs) {
    const key = `${run.deemedAtMs} ${run.dueAtMs}`;
    if (distinct.has(key)) continue;
    distinct.set(key, {
      answers: Object.fromEntries(decisive.map((question) => [question, reading[question]])),
      deemedReceivedAt: clock.timeAt(run.deemedAtMs),
      dueAt: clock.timeAt(run.dueAtMs),
      dueAtMs: run.dueAtMs,
    });
  }
  return [...distinct.values()]
    .sort((one, other) => one.dueAtMs - other.dueAtMs)
    .map(({ answers, deemedReceivedAt, dueAt }) => ({ answers, deemedReceivedAt, dueAt }));
}

/** Whether two readings that differ in this question alone differ in what comes of them. */
function isDecisive(question: DeadlineQuestion, runs: readonly ReadRun[]): boolean {
  const outcomes = new Map<string, string>();
  return runs.some(({ reading, run }) => {
    const others = QUESTIONS.filter((other) => other !== question)
      .map((other) => reading[other])
      .join(' ');
    const outcome = `${run.deemedAtMs} ${run.dueAtMs}`;
    const known = outcomes.get(others);
    if (known === undefined) outcomes.set(others, outcome);
    return known !== undefined && known !== outcome;
  });
}
