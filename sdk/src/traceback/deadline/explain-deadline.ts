import type { ReceiptTime } from './clock-run.js';
import type { ClosedDay } from './business-days.js';
import { weekdayOf } from './calendar-date.js';
import type { OfficeTime } from './office-clock.js';
import type { ComputedDeadline, DeadlineReading } from './traceback-deadline.js';

/** Tells a deadline in sentences: receipt, what stood still, when it is due, and what else could have been read. */
export function explainDeadline(deadline: Omit<ComputedDeadline, 'explanation'>): readonly string[] {
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
