import type { Suspicion } from '@hopback/sdk/records';
import type { CallNote, CallOutcome } from './call-note.js';
import { WAYS_OF_CALLING } from './campaign-policy.js';
import type { CampaignPolicy, WayOfCalling } from './campaign-policy.js';

/** What a call adds to the sum of a group that holds a campaign against one kind of ordinary caller. */
export interface KindTable {
  /** Logarithm of odds of a call with the mark, and of one without, by how often the group has it: as all, 3 or 9 times as often. */
  readonly marked: readonly number[];
  readonly unmarked: readonly number[];
  readonly outcomes: Readonly<Record<CallOutcome, number>>;
}

/** What a call adds to the sums of the groups that it is in, for one way of calling. */
export interface WayTables {
  /** As many as {@link KINDS} where how calls end is what tells, else one. */
  readonly kinds: readonly KindTable[];
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

type Outcomes = Readonly<Record<CallOutcome, number>>;

/** How calls of campaigns end: two thirds are not answered, and of those that are most are hung up on. */
const CAMPAIGN: Outcomes = { unanswered: 0.65, short: 0.2, listened: 0.13, conversation: 0.02, unknown: 1 };
/** People who call people. */
const PEOPLE: Outcomes = { unanswered: 0.4, short: 0.05, listened: 0.2, conversation: 0.35, unknown: 1 };
/**
 * Short dealings: reminders, notices of banks and schools, codes that are read out, drivers at the door. They are expected, so that they are answered and
 * listened to, and nobody talks for long.
 */
const DEALINGS: Outcomes = { unanswered: 0.35, short: 0.1, listened: 0.5, conversation: 0.05, unknown: 1 };
/** Polls, collectors and call centres are not answered either, and are hung up on, but one in ten talks with them. */
const CALL_CENTRES: Outcomes = { unanswered: 0.7, short: 0.1, listened: 0.1, conversation: 0.1, unknown: 1 };
/** Of people, of calls that were selected, many of them because they ended badly. */
const SELECTED: Outcomes = { unanswered: 0.55, short: 0.2, listened: 0.1, conversation: 0.15, unknown: 1 };

/**
 * Kinds of ordinary callers beside people, whom a group may consist of: those whose numbers are lent out of large pools, so that each is new as those of a
 * campaign are, and those whose every signature is broken on the way. What the mark does not tell then, how calls end has to.
 */
const ORDINARY_KINDS: Readonly<Record<'failed-verification' | 'snowshoe', readonly Kind[]>> = {
  'failed-verification': [
    { ordinary: 0.9, outcomes: DEALINGS },
    { ordinary: 0.9, outcomes: CALL_CENTRES },
  ],
  snowshoe: [
    { ordinary: 0.95, outcomes: DEALINGS },
    // Their numbers are their own, and come back.
    { ordinary: 0.3, outcomes: CALL_CENTRES },
  ],
};

interface Kind {
  /** Share of calls with the mark. */
  readonly ordinary: number;
  readonly outcomes: Outcomes;
}

/** Kinds of ordinary callers that a campaign has to be unlike: as many where how calls end is what tells, else people alone. */
export const KINDS = 3;

/** How many kinds a way of calling is held against, by the order of {@link WAYS_OF_CALLING}. */
export const KINDS_OF_WAY: readonly number[] = WAYS_OF_CALLING.map((way) => (countsOutcomeOf(way) ? KINDS : 1));

/** Ways that ordinary callers have as well: only how calls end tells them apart. */
function countsOutcomeOf(way: WayOfCalling): way is keyof typeof ORDINARY_KINDS {
  return way === 'failed-verification' || way === 'snowshoe';
}

/** Makes the tables of a policy. Never throws. */
export function evidenceTables({ marks }: CampaignPolicy): EvidenceTables {
  const tablesOf = (sharing: 'all' | 'selected'): WayTables[] =>
    WAYS_OF_CALLING.map((way) => {
      const { ordinary, campaign } = marks[sharing][way];
      const countsOutcome = countsOutcomeOf(way);
      const people = kindTable({ ordinary, outcomes: sharing === 'all' ? PEOPLE : SELECTED }, campaign, {
        isScaled: sharing === 'all' && !countsOutcome,
      });
      // Of what was selected it is the selection that tells how often calls are marked, and end badly.
      const others = !countsOutcomeOf(way)
        ? []
        : sharing === 'selected'
          ? [people, people]
          : ORDINARY_KINDS[way].map((kind) => kindTable(kind, campaign, { isScaled: false }));
      return { kinds: [people, ...others], ordinary, countsOutcome };
    });
  return { all: tablesOf('all'), selected: tablesOf('selected') };
}

function kindTable(
  { ordinary, outcomes }: Kind,
  campaign: number,
  { isScaled }: { readonly isScaled: boolean },
): KindTable {
  const scaled = SCALES.map((scale) => {
    const base = isScaled ? Math.max(ordinary, Math.min(MOST_ORDINARY, ordinary * scale)) : ordinary;
    return { base, raised: isScaled ? Math.min(MOST_CAMPAIGN, campaign * scale) : campaign };
  });
  return {
    marked: scaled.map(({ base, raised }) => Math.log(raised / base)),
    unmarked: scaled.map(({ base, raised }) => Math.log((1 - raised) / (1 - base))),
    outcomes: oddsOf(outcomes),
  };
}

function oddsOf(ordinary: Outcomes): Outcomes {
  const odds = (outcome: CallOutcome): number => Math.log(CAMPAIGN[outcome] / ordinary[outcome]);
  return {
    unanswered: odds('unanswered'),
    short: odds('short'),
    listened: odds('listened'),
    conversation: odds('conversation'),
    unknown: 0,
  };
}

const AGAINST_CALL_CENTRES = oddsOf(CALL_CENTRES);
const AGAINST_DEALINGS = oddsOf(DEALINGS);

/** Evidence of an outcome against its number alone, held against call centres and against short dealings, logarithm of odds. Never throws. */
export const numberEvidence = (outcome: CallOutcome): { readonly centres: number; readonly dealings: number } =>
  NUMBER_EVIDENCE[outcome];

const NUMBER_EVIDENCE: Readonly<Record<CallOutcome, { readonly centres: number; readonly dealings: number }>> = {
  unanswered: { centres: AGAINST_CALL_CENTRES.unanswered, dealings: AGAINST_DEALINGS.unanswered },
  short: { centres: AGAINST_CALL_CENTRES.short, dealings: AGAINST_DEALINGS.short },
  listened: { centres: AGAINST_CALL_CENTRES.listened, dealings: AGAINST_DEALINGS.listened },
  conversation: { centres: AGAINST_CALL_CENTRES.conversation, dealings: AGAINST_DEALINGS.conversation },
  unknown: { centres: 0, dealings: 0 },
};

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
