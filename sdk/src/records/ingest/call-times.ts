import type { RowReading } from './record-reader.js';
import { startByDuration, startNotAfter } from './call-order.js';
import { instantNearest, isNoTime } from './row-time.js';
import type { RowClock, RowInstant, RowTimeFault } from './row-time.js';
import type { TimeLayout } from './time-layouts.js';

/** The times of a call as a row has them; a member that is undefined is in no column. */
export interface WrittenCallTimes {
  readonly layout: TimeLayout;
  readonly start: string;
  readonly answer: string | undefined;
  readonly end: string | undefined;
  /** Whole seconds from start to end, by which a time that comes twice is told. */
  readonly durationSeconds?: string | undefined;
  /** Whole seconds from answer to end. */
  readonly answeredSeconds?: string | undefined;
}

/** The times of a call as instants, microseconds since the epoch. */
export interface CallTimes {
  readonly status: 'times';
  readonly start: RowInstant;
  readonly answeredAtUs: number | undefined;
  readonly endedAtUs: number | undefined;
}

/** Which of the times cannot be read, and why. */
export interface CallTimesFault extends RowTimeFault {
  readonly of: 'start' | 'answer' | 'end';
}

/**
 * Reads the times of a call. What is empty or a zero date never happened, save for the start. In the hour that comes twice the end is
 * where the duration puts it, and the answer where the time talked puts it; the start keeps both instants unless the other times or the
 * duration of the row leave only one. Never throws.
 * @param refine - what else the row says about the start, where that may be either of two instants
 */
export function callTimes<Written extends WrittenCallTimes>(
  written: Written,
  clock: RowClock,
  refine?: (start: RowInstant, written: Written) => RowInstant,
): CallTimes | CallTimesFault {
  const { layout } = written;
  const read = clock.read(written.start, layout);
  if (read.status === 'rejected') return { ...read, of: 'start' };
  const answer = optional(written.answer, layout, clock);
  if (answer?.status === 'rejected') return { ...answer, of: 'answer' };
  const end = optional(written.end, layout, clock);
  if (end?.status === 'rejected') return { ...end, of: 'end' };
  const start = startOf(read, { written, answer, end, refine });
  const endedAtUs =
    end === undefined ? undefined : instantNearest(end, start.atUs + secondsUs(written.durationSeconds));
  if (answer === undefined) return { status: 'times', start, answeredAtUs: undefined, endedAtUs };
  const answeredFromUs = endedAtUs === undefined ? start.atUs : endedAtUs - secondsUs(written.answeredSeconds);
  return { status: 'times', start, answeredAtUs: instantNearest(answer, answeredFromUs), endedAtUs };
}

/** The reading of a row whose times cannot be read, under the names that the format has for them. */
export function rejectedTimes(
  { reason, detail, of }: CallTimesFault,
  names: Readonly<Record<CallTimesFault['of'], string>>,
): readonly RowReading[] {
  return [{ status: 'rejected', reason, field: names[of], detail }];
}

interface StartEvidence<Written> {
  readonly written: Written;
  readonly answer: RowInstant | undefined;
  readonly end: RowInstant | undefined;
  readonly refine: ((start: RowInstant, written: Written) => RowInstant) | undefined;
}

/** The start by all that the row says about it. */
function startOf<Written extends WrittenCallTimes>(
  read: RowInstant,
  { written, answer, end, refine }: StartEvidence<Written>,
): RowInstant {
  if (read.otherUs === undefined) return read;
  const ordered = startNotAfter(refine === undefined ? read : refine(read, written), [answer, end]);
  const durationUs = secondsUs(written.durationSeconds);
  return end === undefined || durationUs === 0 ? ordered : startByDuration(ordered, end, durationUs);
}

function optional(
  text: string | undefined,
  layout: TimeLayout,
  clock: RowClock,
): ReturnType<RowClock['read']> | undefined {
  return text === undefined || isNoTime(text) ? undefined : clock.read(text, layout);
}

/** 0 where it is no number of seconds. */
function secondsUs(text: string | undefined): number {
  const seconds = Number(text);
  return seconds > 0 && seconds < MAX_DURATION_SECONDS ? seconds * 1_000_000 : 0;
}

/** Ten days: calls that nobody hung up. */
const MAX_DURATION_SECONDS = 864_000;
