import { createNamedMemo } from '../../core/memo.js';
import { DEADLINE_QUESTIONS, weekdayOf } from './deadline-policy.js';
import type { ClosedDay, ComputedDeadline, DeadlinePolicy, DeadlineReadings, OfficeTime } from './deadline-policy.js';
import { NEVER_OPEN, OUT_OF_RANGE, clockEnd, clockRun, isOfficeTime, officeCalendar } from './office-clock.js';
import type { ClockRun, DeadlineRefusal, OfficeCalendar, ReceiptTime, RespondingOffice } from './office-clock.js';

type DeadlineReading = ComputedDeadline['readings'][number];

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
export function tracebackDeadline(receivedAtMs: number, office: RespondingOffice): ComputedDeadline | DeadlineRefusal {
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
):
  | {
      readonly status: 'due';
      readonly zone: string;
      readonly dueAtMs: number;
    }
  | DeadlineRefusal {
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

/** Those about requests. */
const QUESTIONS = (Object.keys(DEADLINE_QUESTIONS) as readonly (keyof DeadlineReadings)[]).filter(
  (question) => question !== 'noticeReport',
);

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
function isDecisive(question: keyof DeadlineReadings, runs: readonly ReadRun[]): boolean {
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

/** Tells a deadline in sentences: receipt, what stood still, when it is due, and what else could have been read. */
function explainDeadline(deadline: Omit<ComputedDeadline, 'explanation'>): readonly string[] {
  const { zone, receivedAt, deemedReceivedAt, receipt, dueAt, stoodStill, readings } = deadline;
  const [binding, ...others] = readings;
  const lines = [
    receipt === 'within-business-hours'
      ? `Received ${told(receivedAt)} in ${zone}, within business hours (8:00 to 17:30): the clock starts then.`
      : `Received ${told(receivedAt)} in ${zone}, ${WHEN[receipt]}: deemed received ${told(deemedReceivedAt)}.`,
  ];
  if (stoodStill.length > 0) {
    lines.push(`The clock does not run on ${stoodStill.map(dayTold).join(', ')}.`);
  }
  lines.push(`Due ${told(dueAt)}${binding === undefined ? '' : answersTold(binding)}.`);
  for (const other of others) {
    lines.push(`Another reading${answersTold(other)} has it due ${told(other.dueAt)}: the earlier one binds.`);
  }
  return lines;
}

const WHEN: Readonly<Record<Exclude<ReceiptTime, 'within-business-hours'>, string>> = {
  'before-opening': 'before business begins at 8:00',
  'after-closing': 'after business ends at 17:30',
  weekend: 'on a weekend',
  'federal-holiday': 'on a federal holiday',
  'other-holiday': 'on a day that is configured as a holiday',
};

const WEEKDAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'] as const;
const DAY_MS = 86_400_000;

function told({ local }: OfficeTime): string {
  return `${weekdayTold(local)} ${local}`;
}

function weekdayTold(local: string): string {
  return WEEKDAYS[weekdayOf(Date.parse(`${local.slice(0, 10)}T00:00:00Z`) / DAY_MS)] ?? '';
}

function dayTold({ date, because, name }: ClosedDay): string {
  return `${weekdayTold(date)} ${date} (${because === 'weekend' ? 'weekend' : name})`;
}

function answersTold({ answers }: DeadlineReading): string {
  const lines = Object.entries(answers).map(([question, answer]) => `${question}: ${answer}`);
  return lines.length === 0 ? '' : ` (${lines.join(', ')})`;
}

const HOUR_MS = 3_600_000;
/** "effectively mitigate such traffic within 48 hours". 47 CFR 64.1200(k)(4) */
const MITIGATION_MS = 48 * HOUR_MS;
/** A notice gives "no fewer than 14 days". 47 CFR 64.1200(n) */
const REPORT_DAYS = 14;

/**
 * Computes when an FCC notice of suspected illegal traffic has to be acted upon: mitigated within 48 hours, reported on within 14 days. Neither
 * clock waits for business hours.
 * @param receivedAtMs - when the notice came, whole milliseconds since the epoch, 1990 to 2199
 * @param office - whose local time counts, the policy, and until when the report is due in the words of the notice, milliseconds since the epoch:
 * where it says so, that holds
 * @returns both deadlines and how the days were counted; `refused` for a zone that there is not, a time out of range, or an office that its
 * policy never opens; never throws
 * @see 47 CFR 64.1200(k)(4), 47 CFR 64.1200(n), 47 CFR 1.4
 * @example
 * ```ts
 * const clocks = noticeDeadlines(Date.parse('2026-12-18T16:00:00-06:00'), { zone: 'America/Chicago' });
 * if (clocks.status === 'deadlines') console.log(clocks.mitigationDueAt.local); // 2026-12-20T16:00:00-06:00
 * ```
 */
export function noticeDeadlines(
  receivedAtMs: number,
  office: RespondingOffice & { readonly statedReportDueAtMs?: number },
):
  | {
      readonly status: 'deadlines';
      readonly zone: string;
      readonly receivedAt: ComputedDeadline['receivedAt'];
      /** Until when the traffic is mitigated: 48 hours as they pass, weekends and holidays included. */
      readonly mitigationDueAt: ComputedDeadline['dueAt'];
      /** Until when the investigation is reported. */
      readonly reportDueAt: ComputedDeadline['dueAt'];
      /** How the 14 days were counted, the earliest first: that one binds. `stated` is the only one where the notice names a date. */
      readonly reportReadings: readonly {
        readonly reading: Exclude<DeadlinePolicy['noticeReport'], 'earliest'> | 'stated';
        readonly dueAt: ComputedDeadline['dueAt'];
      }[];
    }
  | DeadlineRefusal {
  const calendar = officeCalendar(office, receivedAtMs);
  if ('status' in calendar) return calendar;
  const { clock } = calendar;
  if (office.statedReportDueAtMs !== undefined && !isOfficeTime(office.statedReportDueAtMs)) return OUT_OF_RANGE;
  const counted = reportReadings(receivedAtMs, calendar, office.statedReportDueAtMs);
  const [binding] = counted;
  if (binding === undefined) return NEVER_OPEN;
  return {
    status: 'deadlines',
    zone: clock.zone,
    receivedAt: clock.timeAt(receivedAtMs),
    mitigationDueAt: clock.timeAt(receivedAtMs + MITIGATION_MS),
    reportDueAt: binding.dueAt,
    reportReadings: counted,
  };
}

function reportReadings(
  receivedAtMs: number,
  calendar: OfficeCalendar,
  statedMs: number | undefined,
): readonly { readonly reading: DeadlineReadings['noticeReport'] | 'stated'; readonly dueAt: OfficeTime }[] {
  const { clock, policy } = calendar;
  if (statedMs !== undefined) return [{ reading: 'stated', dueAt: clock.timeAt(statedMs) }];
  const every = Object.keys(DEADLINE_QUESTIONS.noticeReport.readings) as DeadlineReadings['noticeReport'][];
  return (policy.noticeReport === 'earliest' ? every : [policy.noticeReport])
    .flatMap((reading) => {
      const dueAtMs = reportDue(receivedAtMs, calendar, reading);
      return dueAtMs === undefined ? [] : [{ reading, dueAt: clock.timeAt(dueAtMs) }];
    })
    .sort((one, other) => one.dueAt.atMs - other.dueAt.atMs);
}

function reportDue(
  receivedAtMs: number,
  { clock, days, policy }: OfficeCalendar,
  reading: DeadlineReadings['noticeReport'],
): number | undefined {
  const { day, timeOfDayMs } = clock.wallAt(receivedAtMs);
  const last = day + REPORT_DAYS;
  const endOf = (which: number): number => clock.instantOf({ day: which, timeOfDayMs: DAY_MS - 1 });
  if (reading === 'to-the-hour') return clock.instantOf({ day: last, timeOfDayMs });
  if (reading === 'end-of-fourteenth-day') return endOf(last);
  // Of the two the calendar's own date makes for the earlier end, where it is left to be compared.
  const observance = policy.observance === 'observed-day' ? 'observed-day' : 'calendar-date';
  const business = days.closedOn(last, observance) === undefined ? last : days.nextAfter(last, observance);
  return business === undefined ? undefined : endOf(business);
}
