import type { RowInstant } from './row-time.js';

/** Times of one call are cut off or rounded to seconds, each by itself: that far apart two of them still agree. */
export const ROUNDING_US = 1_000_000;

/** When a leg began, was answered and ended, microseconds since the epoch. */
interface LegTimes {
  readonly beganAtUs: number;
  readonly answeredAtUs: number | undefined;
  readonly endedAtUs: number | undefined;
}

/**
 * What is wrong with the order of a leg's times: a clock that was set back, columns that were taken for each other, milliseconds taken for
 * seconds. Never throws.
 * @returns undefined where each comes behind the one before it, or in the same second
 */
export function disorderOf({ beganAtUs, answeredAtUs, endedAtUs }: LegTimes): string | undefined {
  if (answeredAtUs !== undefined && answeredAtUs < beganAtUs - ROUNDING_US)
    return 'the call was answered before it began';
  if (endedAtUs === undefined) return undefined;
  if (endedAtUs < beganAtUs - ROUNDING_US) return 'the call ended before it began';
  if (answeredAtUs !== undefined && endedAtUs < answeredAtUs - ROUNDING_US)
    return 'the call ended before it was answered';
  return undefined;
}

/**
 * Of a start in the hour that comes twice, the instant that is not behind what followed it: an answer, an end. Where both or neither may
 * be meant, the start as it is. Never throws.
 */
export function startNotAfter(start: RowInstant, followed: readonly (RowInstant | undefined)[]): RowInstant {
  return onlyFit(start, (atUs) =>
    followed.every((later) => later === undefined || latestOf(later) >= atUs - ROUNDING_US),
  );
}

/**
 * Of a start in the hour that comes twice, the instant from which the duration leads to the end. Where both or neither does, the start
 * as it is. Never throws.
 * @param durationUs - from start to end, microseconds
 */
export function startByDuration(start: RowInstant, end: RowInstant, durationUs: number): RowInstant {
  return onlyFit(start, (atUs) => leadsTo(end, atUs + durationUs));
}

/** Whether a time is, in either meaning, where another account of the call puts it. */
export function leadsTo({ atUs, otherUs = atUs }: RowInstant, expectedUs: number): boolean {
  return Math.abs(atUs - expectedUs) <= ROUNDING_US || Math.abs(otherUs - expectedUs) <= ROUNDING_US;
}

function latestOf({ atUs, otherUs = atUs }: RowInstant): number {
  return Math.max(atUs, otherUs);
}

function onlyFit(start: RowInstant, fits: (atUs: number) => boolean): RowInstant {
  const { atUs, otherUs, basis } = start;
  if (otherUs === undefined || fits(atUs) === fits(otherUs)) return start;
  return { status: 'instant', atUs: fits(atUs) ? atUs : otherUs, basis };
}
