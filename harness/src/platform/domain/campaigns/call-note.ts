import type { SharedRecord, Suspicion } from '@hopback/sdk/records';
import type { CampaignCall, LiveRecord } from '../../core/index.js';
import type { CampaignPolicy, WayOfCalling } from './campaign-policy.js';
import { WAYS_OF_CALLING } from './campaign-policy.js';
import { keyHash, keyHashOf } from './key-tables.js';

/** How a call went, as far as it tells people from recordings. */
type CallOutcome = 'unanswered' | 'short' | 'listened' | 'conversation' | 'unknown';

/** A call as the detection of campaigns sees it. Holds no telephone number. */
export interface CallNote {
  readonly atMs: number;
  readonly reporterId: string;
  readonly recordId: string;
  /** Hash of number or pseudonym; -1 where there is none. */
  readonly callingKey: number;
  /** Whether `callingKey` is of the number itself, and so the same with every carrier. */
  readonly isCallingShown: boolean;
  readonly calledKey: number;
  readonly isCalledShown: boolean;
  /** Six digits, -1 where they are not known. */
  readonly callingNpaNxx: number;
  readonly calledNpaNxx: number;
  /** The switch that wrote the record, and its name of the call: hashes. Legs of one call share both. */
  readonly sourceKey: number;
  readonly groupKey: number;
  /** Of a signature that was found good. */
  readonly signer: string | undefined;
  /** Of signer, origid and `iat`: of one PASSporT; -1 where one of them is not known. */
  readonly passportKey: number;
  readonly attestation: 'A' | 'B' | 'C' | undefined;
  readonly isFailed: boolean;
  /** Name of the provider that sent it to the reporter, and the trunk by which it came. */
  readonly upstream: string | undefined;
  readonly trunk: string | undefined;
  readonly outcome: CallOutcome;
  readonly durationSeconds: number | undefined;
  /** Smallest step of the times of the switch, milliseconds. */
  readonly resolutionMs: number;
  /** Bits, by the order of `WAYS_OF_CALLING`. */
  marks: number;
  /** Calls of the same number before it, as far as they are remembered. */
  callsBefore: number;
  /** The call that it is a record of. */
  placed: PlacedCall | undefined;
  /** Campaign that detection takes it for. */
  campaignId: string | undefined;
}

/** A report of an application as evidence of a call. */
export interface ReportedCall {
  readonly call: CallEvidence;
  readonly callingKey: number;
  /** Of the number called; -1 where the application does not show it. */
  readonly calledKey: number;
  reasons: readonly string[];
  /** The call that it is a report of. */
  placed: PlacedCall;
  isCounted: boolean;
}

/** A record or report without the call that it is evidence of. */
export type CallEvidence = Omit<CampaignCall, 'placedCallId'>;

/** A call that somebody placed, with all records and reports of it that have come. */
export interface PlacedCall {
  /** Name of the first record or report of it; undefined until somebody asks for it by `placedCallId`. */
  name: string | undefined;
  /** By its first record, else by its first report. */
  atMs: number;
  /** Of carriers, in the order in which they came. */
  records: readonly CallNote[];
  reports: readonly ReportedCall[];
  /** The one campaign for which it is counted, and why. */
  campaignId: string | undefined;
  reasons: readonly string[];
}

/** A switch that writes minutes does not make every call of the minute one. */
const MAX_RESOLUTION_MS = 1_000;

/**
 * Takes a live record apart. Never throws for what a record holds.
 * @param live - in the form of its schema
 */
export function callNote(live: LiveRecord, policy: CampaignPolicy): CallNote {
  const { record, providerId } = live;
  const { received, source } = record;
  const caller = numberOf(record.asserted) === undefined ? record.calling : record.asserted;
  const calling = numberOf(caller);
  const called = record.called === undefined ? undefined : numberOf(record.called);
  const seconds = secondsOf(record);
  return {
    atMs: atOf(live),
    reporterId: providerId,
    recordId: record.recordId,
    callingKey: partyKey(calling, caller?.shown === 'pseudonym', live),
    isCallingShown: calling !== undefined && caller?.shown !== 'pseudonym',
    calledKey: partyKey(called, record.called?.shown === 'pseudonym', live),
    isCalledShown: called !== undefined && record.called?.shown !== 'pseudonym',
    callingNpaNxx: npaNxxOfParty(caller),
    calledNpaNxx: npaNxxOfParty(record.called),
    sourceKey: keyHashOf('source', providerId, source.id ?? ''),
    groupKey: keyHashOf(providerId, source.id ?? '', record.callGroupId),
    signer: signerOf(received),
    passportKey: passportKeyOf(received),
    attestation: received?.attestation,
    isFailed: received?.verstat === 'TN-Validation-Failed',
    upstream: record.ingress.provider,
    trunk: record.ingress.trunk ?? record.ingress.address,
    outcome: outcomeOf(record, seconds, policy),
    durationSeconds: seconds,
    resolutionMs: Math.min(MAX_RESOLUTION_MS, record.time.resolutionUs / 1_000),
    marks: 0,
    callsBefore: 0,
    placed: undefined,
    campaignId: undefined,
  };
}

/** Name of a call that a carrier has shared. Never throws. */
export const recordCallId = (providerId: string, recordId: string): string => `record:${providerId}:${recordId}`;

/** Name of a call that an application has reported. Never throws. */
export const reportCallId = (appId: string, reportId: string): string => `report:${appId}:${reportId}`;

/** Key of a canonical number, the same whoever shows it. Never throws. */
export const numberKey = (tn: string): number => keyHash(tn);

/** A record as other areas know the evidence of calls. Never throws. */
export function recordEvidence(note: CallNote): CallEvidence {
  const { atMs, reporterId, recordId, signer, attestation, durationSeconds } = note;
  const exchange = exchangeText(note.calledNpaNxx);
  return {
    callId: recordCallId(reporterId, recordId),
    atMs,
    reporterId,
    recordId,
    ...(exchange !== undefined && { calledNpaNxx: exchange }),
    ...(signer !== undefined && { signer }),
    ...(attestation !== undefined && { attestation }),
    ...(durationSeconds !== undefined && { durationSeconds }),
  };
}

/** Six digits of an area code and exchange; undefined where they are not known. Never throws. */
export const exchangeText = (npaNxx: number): string | undefined =>
  npaNxx < 0 ? undefined : String(npaNxx).padStart(6, '0');

/** Area code and exchange of a canonical number as a whole number, -1 where it is not North American. Never throws. */
export function npaNxxOfTn(tn: string): number {
  if (tn.length !== 11 || tn.charCodeAt(0) !== 0x31) return -1;
  const prefix = Number(tn.slice(1, 7));
  return prefix >= 0 && Number.isInteger(prefix) ? prefix : -1;
}

type Party = SharedRecord['calling'] | SharedRecord['called'];

function numberOf(party: Party): string | undefined {
  if (party === undefined || party.shown === 'no-number') return undefined;
  return party.shown === 'pseudonym' ? party.pseudonym : party.tn;
}

function npaNxxOfParty(party: Party): number {
  if (party === undefined || party.shown === 'no-number') return -1;
  if (party.shown === 'pseudonym') return party.npaNxx === undefined ? -1 : Number(party.npaNxx);
  return party.tn === undefined ? -1 : npaNxxOfTn(party.tn);
}

/** Pseudonyms of different carriers and rotations have nothing in common. */
function partyKey(value: string | undefined, isVeiled: boolean, { providerId, record }: LiveRecord): number {
  if (value === undefined) return -1;
  return isVeiled ? keyHashOf(providerId, record.sharing.rotationId, value) : keyHash(value);
}

function signerOf(received: SharedRecord['received']): string | undefined {
  return received?.verstat === 'TN-Validation-Passed' ? received.spc : undefined;
}

/** Origid alone is not enough: a signer may use one for a customer. */
function passportKeyOf(received: SharedRecord['received']): number {
  const signer = signerOf(received);
  if (signer === undefined || received?.origId === undefined || received.iatSeconds === undefined) return -1;
  return keyHashOf(signer, received.origId, String(received.iatSeconds));
}

/** By the switch, but never later than it was received: a clock that is ahead must not make a campaign live tomorrow. */
function atOf({ record, receivedAtMs }: LiveRecord): number {
  const atMs = Math.floor(record.inviteAtUs / 1_000);
  return Number.isFinite(atMs) ? Math.min(atMs, receivedAtMs) : receivedAtMs;
}

function secondsOf({ disposition, answeredAtUs, endedAtUs }: SharedRecord): number | undefined {
  if (disposition !== 'answered' || answeredAtUs === undefined || endedAtUs === undefined) return undefined;
  return Math.max(0, (endedAtUs - answeredAtUs) / 1_000_000);
}

function outcomeOf(record: SharedRecord, seconds: number | undefined, policy: CampaignPolicy): CallOutcome {
  // What was blocked says nothing of who would have answered.
  if (record.disposition === 'blocked') return 'unknown';
  if (record.disposition !== 'answered') return 'unanswered';
  if (seconds === undefined) return 'unknown';
  if (seconds < policy.shortCallSeconds) return 'short';
  return seconds >= policy.conversationSeconds ? 'conversation' : 'listened';
}

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
const CAMPAIGN: Outcomes = {
  unanswered: 0.65,
  short: 0.2,
  listened: 0.13,
  conversation: 0.02,
  unknown: 1,
};
/** People who call people. */
const PEOPLE: Outcomes = {
  unanswered: 0.4,
  short: 0.05,
  listened: 0.2,
  conversation: 0.35,
  unknown: 1,
};
/**
 * Short dealings: reminders, notices of banks and schools, codes that are read out, drivers at the door. They are expected, so that they are answered and
 * listened to, and nobody talks for long.
 */
const DEALINGS: Outcomes = {
  unanswered: 0.35,
  short: 0.1,
  listened: 0.5,
  conversation: 0.05,
  unknown: 1,
};
/** Polls, collectors and call centres are not answered either, and are hung up on, but one in ten talks with them. */
const CALL_CENTRES: Outcomes = {
  unanswered: 0.7,
  short: 0.1,
  listened: 0.1,
  conversation: 0.1,
  unknown: 1,
};
/** Of people, of calls that were selected, many of them because they ended badly. */
const SELECTED: Outcomes = {
  unanswered: 0.55,
  short: 0.2,
  listened: 0.1,
  conversation: 0.15,
  unknown: 1,
};

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

/** For each outcome what a function makes of it; of one that is not known there is no evidence. */
const byOutcome = <Value>(of: (outcome: Exclude<CallOutcome, 'unknown'>) => Value, unknown: Value) => ({
  unanswered: of('unanswered'),
  short: of('short'),
  listened: of('listened'),
  conversation: of('conversation'),
  unknown,
});

const oddsOf = (ordinary: Outcomes): Outcomes =>
  byOutcome((outcome) => Math.log(CAMPAIGN[outcome] / ordinary[outcome]), 0);

const AGAINST_CALL_CENTRES = oddsOf(CALL_CENTRES);
const AGAINST_DEALINGS = oddsOf(DEALINGS);

/** Evidence of an outcome against its number alone, held against call centres and against short dealings, logarithm of odds. Never throws. */
export const numberEvidence = (outcome: CallOutcome): { readonly centres: number; readonly dealings: number } =>
  NUMBER_EVIDENCE[outcome];

const NUMBER_EVIDENCE = byOutcome(
  (outcome) => ({ centres: AGAINST_CALL_CENTRES[outcome], dealings: AGAINST_DEALINGS[outcome] }),
  { centres: 0, dealings: 0 },
);

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
