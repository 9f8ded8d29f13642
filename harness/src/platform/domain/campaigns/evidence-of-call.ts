import type { Suspicion } from '@hopback/sdk/records';
import type { CallNote, CallOutcome } from './call-note.js';
import { WAYS_OF_CALLING } from './campaign-policy.js';
import type { CampaignPolicy, WayOfCalling } from './campaign-policy.js';

/** What a call adds to the sums of the groups that it is in. */
export interface WayTables {
  /** Logarithm of odds of a call with the mark, and of one without, by how often the group has it: as all, 3 or 9 times as often. */
  readonly marked: readonly number[];
  readonly unmarked: readonly number[];
  readonly ordinary: number;
  /** Whether how calls end is what tells, so that it counts of calls without the mark too. */
  readonly countsOutcome: boolean;
}

/** Tables of both ways of sharing. */
export interface EvidenceTables {
  readonly all: readonly WayTables[];
  readonly selected: readonly WayTables[];
}

/** How many times as often a group may have a mark, and what is then expected of a campaign in it. */
export const SCALES: readonly number[] = [1, 3, 9];
/** A group in which more than that is marked is unlike others anyway. */
const MOST_ORDINARY = 0.45;
const MOST_CAMPAIGN = 0.95;

/** Makes the tables of a policy. Never throws. */
export function evidenceTables({ marks }: CampaignPolicy): EvidenceTables {
  const tablesOf = (sharing: 'all' | 'selected'): WayTables[] =>
    WAYS_OF_CALLING.map((way) => {
      const { ordinary, campaign } = marks[sharing][way];
      const scaled = SCALES.map((scale) => {
        const isScaled = sharing === 'all' && !OUTCOME_WAYS.has(way);
        const base = isScaled ? Math.max(ordinary, Math.min(MOST_ORDINARY, ordinary * scale)) : ordinary;
        return { base, raised: isScaled ? Math.min(MOST_CAMPAIGN, campaign * scale) : campaign };
      });
      return {
        marked: scaled.map(({ base, raised }) => Math.log(raised / base)),
        unmarked: scaled.map(({ base, raised }) => Math.log((1 - raised) / (1 - base))),
        ordinary,
        countsOutcome: OUTCOME_WAYS.has(way),
      };
    });
  return { all: tablesOf('all'), selected: tablesOf('selected') };
}

/** Ways that ordinary callers have as well: only how calls end tells them apart. */
const OUTCOME_WAYS: ReadonlySet<WayOfCalling> = new Set(['failed-verification', 'snowshoe']);

/**
 * How much an outcome says for a campaign. Of ordinary calls four in ten are not answered, one in twenty is short, a third is a
 * conversation; of recordings two thirds are not answered, and of those that are most are hung up on.
 */
const OUTCOMES_OF_ALL: Readonly<Record<CallOutcome, number>> = {
  unanswered: Math.log(0.65 / 0.4),
  short: Math.log(0.2 / 0.05),
  listened: Math.log(0.13 / 0.2),
  conversation: Math.log(0.02 / 0.35),
  unknown: 0,
};

/** The same of calls that were selected, many of them because they ended badly. */
const OUTCOMES_OF_SELECTED: Readonly<Record<CallOutcome, number>> = {
  unanswered: Math.log(0.65 / 0.55),
  short: 0,
  listened: Math.log(0.13 / 0.1),
  conversation: Math.log(0.02 / 0.15),
  unknown: 0,
};

/**
 * How much an outcome says against an honest number that calls very many: polls, reminders and call centres are not answered either, and are
 * hung up on, but one in ten talks with them.
 */
const OUTCOMES_OF_ONE_NUMBER: Readonly<Record<CallOutcome, number>> = {
  unanswered: Math.log(0.65 / 0.7),
  short: Math.log(0.2 / 0.1),
  listened: Math.log(0.13 / 0.1),
  conversation: Math.log(0.02 / 0.1),
  unknown: 0,
};

/** Evidence of an outcome, logarithm of odds. Never throws. */
export const outcomeEvidence = (outcome: CallOutcome, isSelected: boolean): number =>
  (isSelected ? OUTCOMES_OF_SELECTED : OUTCOMES_OF_ALL)[outcome];

/** Evidence of an outcome against its number alone, logarithm of odds. Never throws. */
export const numberEvidence = (outcome: CallOutcome): number => OUTCOMES_OF_ONE_NUMBER[outcome];

/** A number that called no more than so often before may be a number of the moment. */
const YOUNG_CALLS = 1;

/**
 * Marks of a call, bits by the order of {@link WAYS_OF_CALLING}. Never throws.
 * @param suspicion - of the platform's own judgement
 * @param by - calls of the same number before, whether its carrier shares suspected calls alone, and whether it is known long enough to say
 * which numbers are new
 */
export function marksOf(
  note: CallNote,
  suspicion: Suspicion,
  by: {
    readonly callsBefore: number;
    readonly isSelected: boolean;
    readonly knowsNumbers: boolean;
    /** What the carrier says of its own judgement. */
    readonly told: readonly string[] | undefined;
  },
): number {
  let marks = 0;
  const isYoung = note.callingKey >= 0 && by.callsBefore <= YOUNG_CALLS;
  if (isYoung && note.callingNpaNxx >= 0 && note.callingNpaNxx === note.calledNpaNxx) marks |= NEIGHBOUR;
  if (note.isFailed) marks |= FAILED;
  let isSnowshoe = !by.isSelected;
  for (const { name, observed } of suspicion.signals) {
    // What has too few digits is an extension of an exchange that was set up badly.
    if (name === 'invalid-calling-number' && observed !== 'short') marks |= INVALID;
    else if (name === 'do-not-originate') marks |= LISTED;
    else if (name === 'replayed-passport') marks |= REPLAYED;
    else if (name === 'sequential-dialling') marks |= SEQUENTIAL;
    else if (name === 'snowshoe') isSnowshoe = true;
  }
  if (by.told !== undefined) {
    for (const name of by.told) {
      // Seen by the carrier before it veiled the numbers.
      if (name === 'sequential-dialling') marks |= SEQUENTIAL;
      else if (name === 'invalid-calling-number' && note.callingKey >= 0) marks |= INVALID;
      else if (name === 'do-not-originate') marks |= LISTED;
      else if (name === 'snowshoe') isSnowshoe = true;
    }
  }
  if (isSnowshoe && isYoung && by.knowsNumbers) marks |= SNOWSHOE;
  return marks;
}

/** Bit of a way of calling. Never throws. */
export const bitOf = (way: WayOfCalling): number => 1 << WAYS_OF_CALLING.indexOf(way);

const NEIGHBOUR = bitOf('neighbour-spoofing');
const INVALID = bitOf('invalid-calling-number');
const LISTED = bitOf('do-not-originate');
const FAILED = bitOf('failed-verification');
const REPLAYED = bitOf('replayed-passport');
const SEQUENTIAL = bitOf('sequential-dialling');
const SNOWSHOE = bitOf('snowshoe');
