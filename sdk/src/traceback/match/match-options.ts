import type { SourceNumbers } from '../../records/ingest/record-reader.js';

/** How requests are read and calls looked for. */
export interface MatchOptions {
  /**
   * Zone of times that were stated without one: IANA name, offset or `UTC`. Where it is not given such a time is taken for UTC, and
   * never answered without a person.
   */
  readonly defaultZone?: string;
  /**
   * How far the clock of whoever stated the time, and that of the switch, may be apart together, milliseconds. What lies as far outside
   * the stated step is still consistent with it. Default {@link CLOCK_ALLOWANCE_MS}.
   */
  readonly clockAllowanceMs?: number;
  /** How far around what would be consistent with the stated time is looked where nothing is, milliseconds. Default {@link WIDEN_MS}. */
  readonly widenMs?: number;
  /** How numbers of a request are read: the numbering plan and technical prefixes without `#`. */
  readonly numbers?: SourceNumbers;
}

/**
 * Clocks of switches, phones and people are within a minute of each other as a rule; and a minute may be cut off or rounded.
 */
export const CLOCK_ALLOWANCE_MS = 60_000;

/** Requests are looked for an hour around the stated time on the first try, as whoever sends them does. */
export const WIDEN_MS = 3_600_000;

/**
 * How long after the INVITE the time that is stated may be, milliseconds: people note when a call rang, was answered or ended, or its
 * message was left, which of the calls that are asked about is seconds or minutes later. Of longer ones their beginning is stated.
 */
export const LONGEST_LAG_MS = 900_000;

/** Most calls that an outcome carries: a person looks at the first few, and each is kept with the answer. */
export const MAX_MATCH_CANDIDATES = 100;

/** Options with their defaults, microseconds. */
export interface MatchLimits {
  readonly allowanceUs: number;
  readonly widenUs: number;
  readonly lagUs: number;
}

/** The times of the options. What is no time of 0 or more is the default. Never throws. */
export function matchLimits({ clockAllowanceMs, widenMs }: MatchOptions): MatchLimits {
  const us = (ms: number | undefined, otherwise: number): number =>
    ms !== undefined && Number.isFinite(ms) && ms >= 0 && ms <= MOST_MS ? Math.round(ms * 1_000) : otherwise * 1_000;
  const allowanceUs = us(clockAllowanceMs, CLOCK_ALLOWANCE_MS);
  const lagUs = LONGEST_LAG_MS * 1_000;
  return { allowanceUs, lagUs, widenUs: us(widenMs, WIDEN_MS) };
}

/** A week: beyond it nothing of a stated time is left. */
const MOST_MS = 604_800_000;

/**
 * How far around the stated time a record is looked for by its id, microseconds: times and zones that are mixed up are within it, and so few
 * days of a store are read that the look-up takes no longer than others.
 */
export const LONGEST_SEARCH_US: number = MOST_MS * 1_000;
