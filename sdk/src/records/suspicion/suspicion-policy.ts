import { z } from 'zod';
import { configurationError } from '../configuration-error.schema.js';
import type { CallCounts, GroupMemory } from './call-counts.js';
import { NOT_JUDGED_REASONS, SUSPICION_SIGNALS } from './suspicion.js';
import type {
  CallFacts,
  InvalidCallingFinding,
  JudgedRecord,
  NotJudgedReason,
  Suspicion,
  SuspicionSignal,
  SuspicionSignalName,
} from './suspicion.js';

/** A number that no count of calls within a week reaches. */
const MAX_COUNT = 1_000_000_000;

/** Different numbers beyond which the count of one number's calls stops being one. */
export const MAX_FAN_OUT = 400;

/** Numbers, trunks, signers or rows: some gigabytes at most. */
const remembered = z.int().min(16).max(8_388_608);
const portion = z.number().min(0).max(1);
const count = z.number().min(1).max(MAX_COUNT);

/** From where on a signal counts, and where it is as strong as it gets. Between them strength grows evenly from 0.5 to 1. */
function ramp<Rest extends z.ZodRawShape>(direction: 'rising' | 'falling', most: number, rest: Rest) {
  const end = z.number().min(0).max(most);
  const [least, greatest] = direction === 'rising' ? (['from', 'full'] as const) : (['full', 'from'] as const);
  return z
    .object({ from: end, full: end, ...rest })
    .refine((given: Readonly<Record<string, unknown>>) => Number(given[least]) <= Number(given[greatest]), {
      path: [greatest],
      error: `must not be less than ${least}`,
    });
}

const SuspicionPolicy = z
  .object({
    /** Name and version: stands in every judgement. 1 to 128 characters. */
    id: z.string().min(1).max(128),
    /** How long calls count, hours, 1 to 168: as least half of it and at most all of it, since it moves on by halves. */
    windowHours: z.number().min(1).max(168),
    /** Scores from which a call is on watch, and suspicious. */
    levels: z.object({ watch: portion, suspicious: portion }).refine(({ watch, suspicious }) => watch <= suspicious, {
      path: ['suspicious'],
      error: 'must not be less than watch',
    }),
    /**
     * How much each signal says at full strength, 0 (not at all) to 1 (enough alone). Scores add up as independent doubts do:
     * 1 - (1 - weight × strength) × …
     */
    weights: z.record(z.enum(SUSPICION_SIGNALS), portion),
    /** An answered call that lasts less is short, seconds. */
    shortCallSeconds: z.number().min(0).max(3_600),
    /** An answered call that lasts as long is a conversation, seconds. */
    conversationSeconds: z.number().max(86_400),
    /**
     * Share of its answered calls from which on a calling number is one that people talk with, 0 to 1: then it is not held against it
     * that others hang up or do not answer.
     */
    conversationShare: portion,
    /** How few calls of a number say nothing about it, and of a trunk or signer about that. */
    leastCalls: z.object({ number: count, group: count }),
    /** Seconds, falling: the shorter the stronger. */
    veryShortCall: ramp('falling', 3_600, {}),
    /** Share of the answered calls that were no conversation that are short, rising. */
    shortCallShare: ramp('rising', 1, {}),
    /** Share of calls that are answered, falling. */
    lowAnswerRatio: ramp('falling', 1, {}),
    /** Different numbers called by one number, rising. At most 400: more cannot be told apart. */
    fanOut: ramp('rising', MAX_FAN_OUT, {}),
    /**
     * Share of the calls that were no conversation that came to nothing (unanswered or short), rising; how few calls a number has on
     * average, and how many numbers there are at least.
     */
    snowshoe: ramp('rising', 1, { callsPerNumber: count, leastNumbers: count }),
    /**
     * Called numbers in a row, rising; how far apart neighbours in a row are at most, in numbers and in seconds. Every number nearer than a
     * step is looked for at every call.
     */
    sequentialDialling: ramp('rising', MAX_COUNT, {
      step: z.number().min(1).max(10),
      gapSeconds: z.number().min(1).max(86_400),
    }),
    /** Share of a trunk's calls that show a neighbour's number, rising; and from which portion of its callers an area is the trunk's own. */
    neighbourSpoofing: ramp('rising', 1, { localShare: portion }),
    /** How often the same PASSporT has come, rising. */
    replayedPassport: ramp('rising', MAX_COUNT, {}),
    /** How many times as often as with all others a signer's calls speak against themselves, rising; of how many at least. */
    signerConcentration: ramp('rising', MAX_COUNT, { leastMarked: count }),
    /** Whether 555-01XX is `invalid` as calling number or, in laboratories, whose numbers are all of these, `accepted`. */
    fictionalNumbers: z.enum(['invalid', 'accepted']),
    /**
     * How much is remembered at most: calling numbers, trunks, signers, calls whose further legs are recognised, and blocks of
     * eight called numbers of which rows are made.
     */
    limits: z.object({
      numbers: remembered,
      trunks: remembered,
      signers: remembered,
      calls: remembered,
      rows: remembered,
    }),
  })
  .refine(({ shortCallSeconds, conversationSeconds }) => shortCallSeconds <= conversationSeconds, {
    path: ['conversationSeconds'],
    error: 'must not be less than shortCallSeconds',
  });

/** How calls are judged, as data. */
export type SuspicionPolicy = Readonly<z.infer<typeof SuspicionPolicy>>;

/**
 * The policy that holds where none is given. Its thresholds were set on generated traffic and on what courts and regulators have
 * published; a carrier that knows better changes them. Nothing in it lowers a score: full attestation (A) is no proof of innocence,
 * since most calls of the most prolific robocall signers carry it.
 */
export const DEFAULT_SUSPICION_POLICY: SuspicionPolicy = Object.freeze({
  id: 'hopback-suspicion-1',
  // A campaign works through a list within a day; a business that called yesterday starts anew.
  windowHours: 24,
  // Watch: a doubt worth counting. Suspicious: several doubts that go together, or one that the rules themselves forbid.
  levels: Object.freeze({ watch: 0.4, suspicious: 0.65 }),
  weights: Object.freeze({
    // Whoever holds the number says that nobody calls from it; every provider has to block such calls (47 CFR 64.1200(k)).
    'do-not-originate': 0.95,
    // Enough alone at full strength: no telephone has such a number. Extensions of badly set-up exchanges are weaker.
    'invalid-calling-number': 0.8,
    // Not enough alone: forwarding and rewriting on the way break honest signatures every day.
    'failed-verification': 0.5,
    'replayed-passport': 0.75,
    // All calls from abroad are signed so; it says more where the number is a domestic one.
    'gateway-attestation': 0.3,
    // On a trunk that does little else it is enough; where it happens now and then, people have moved and kept their number.
    'neighbour-spoofing': 0.75,
    'sequential-dialling': 0.75,
    // Schools, pharmacies and call centres do the same with every right.
    'fan-out': 0.3,
    // Of the group, not of the call: enough only together with a doubt about what became of the answered calls.
    snowshoe: 0.6,
    // A wrong number, a voice mail that nobody wants to speak to: one short call says little.
    'very-short-call': 0.25,
    'short-call-share': 0.6,
    // Polls and debt collection are not answered either.
    'low-answer-ratio': 0.35,
    'signer-concentration': 0.4,
  }),
  // Hung up at the first words. In one injunction case 59 % of 720 million calls lasted less than one second.
  shortCallSeconds: 6,
  // Longer than a recorded message is listened to: two people were talking.
  conversationSeconds: 60,
  // Polls and call centres are hung up on as often as robocalls, but some people stay; with a recording one in twenty does.
  conversationShare: 0.2,
  // Ten calls of a number, a hundred of a trunk: fewer have a share of anything by chance.
  leastCalls: Object.freeze({ number: 10, group: 100 }),
  veryShortCall: Object.freeze({ from: 6, full: 1 }),
  // Of ordinary calls that are answered and no conversation one in five is that short, of a recording's more than half.
  shortCallShare: Object.freeze({ from: 0.35, full: 0.55 }),
  // Of ordinary calls more than half are answered, of call centres' one in three.
  lowAnswerRatio: Object.freeze({ from: 0.3, full: 0.1 }),
  // A household calls ten different numbers on a busy day, a shop fifty.
  fanOut: Object.freeze({ from: 80, full: 320 }),
  // Of ordinary calls that are no conversation two in three come to nothing, of a campaign's nine in ten.
  snowshoe: Object.freeze({ from: 0.75, full: 0.9, callsPerNumber: 4, leastNumbers: 40 }),
  // Six of one row, in order and within two minutes of each other, hardly come about by chance; fifteen do not.
  sequentialDialling: Object.freeze({ from: 6, full: 15, step: 3, gapSeconds: 120 }),
  // One exchange has 10,000 of a country's numbers: without intent one call in thousands is a neighbour's.
  neighbourSpoofing: Object.freeze({ from: 0.02, full: 0.2, localShare: 0.15 }),
  // Forks and second routes bring a PASSporT two or three times.
  replayedPassport: Object.freeze({ from: 4, full: 10 }),
  signerConcentration: Object.freeze({ from: 2.5, full: 6, leastMarked: 30 }),
  fictionalNumbers: 'invalid',
  // 45 MB where trunks and signers are few, 130 MB when every table is full. Of the numbers those that call
  // most stay; more trunks or signers than that no carrier has.
  limits: Object.freeze({
    numbers: 131_072,
    trunks: 4_096,
    signers: 4_096,
    calls: 65_536,
    rows: 65_536,
  }),
});

/**
 * Checks that a policy can be followed.
 * @throws {@link HopbackError} `invalid-configuration`, with `details.member`, for what is out of its bounds
 */
export function checkSuspicionPolicy(policy: SuspicionPolicy): void {
  const read = SuspicionPolicy.safeParse(policy);
  if (!read.success) throw configurationError('the suspicion policy', { error: read.error, value: policy });
}

/** Half an hour, microseconds, which is half of a window of one hour. */
export const HALF_HOUR_US = 1_800_000_000;

/** What a tracker is made with: its policy and the lists that a carrier brings. */
export interface SuspicionTrackerOptions {
  /** Default {@link DEFAULT_SUSPICION_POLICY}. */
  readonly policy?: SuspicionPolicy;
  /** Numbers from which nobody calls, canonical (`12025550101`). */
  readonly doNotOriginate?: ReadonlySet<string>;
  /** Area codes (`202`), or area codes with exchange (`202456`), that are in use. Without it only the plan's own rules hold. */
  readonly allocated?: ReadonlySet<string>;
  /** Area codes of which a trunk is, by the trunk's name. Of a trunk that is not here it is learned from its callers. */
  readonly trunkAreas?: Readonly<Record<string, readonly string[]>>;
}

export type SuspicionLists = Omit<SuspicionTrackerOptions, 'policy'>;

/** All that signals of one call are made of. */
export interface SignalContext {
  readonly policy: SuspicionPolicy;
  readonly lists: SuspicionLists;
  readonly record: JudgedRecord;
  readonly facts: CallFacts;
  readonly calling: CallingReading;
  readonly number: CallCounts | undefined;
  readonly trunk: GroupMemory | undefined;
  readonly signer: GroupMemory | undefined;
  /** All calls of signers known by name. */
  readonly signed: CallCounts;
  /** Length of the row of called numbers that the call is in; 0 where it cannot be told. */
  readonly row: number;
  /** From when calls count. */
  readonly sinceUs: number;
}

/** What is to be said of the calling numbers of a record by the numbering plan and the lists. */
export interface CallingReading {
  readonly isOnList: boolean;
  /** The worst finding, with how bad it is, 0 to 1. */
  readonly finding?: InvalidCallingFinding;
  readonly strength: number;
}

/** Collects what speaks against a call and what cannot be judged, each in the order of the list of signals. */
export interface Findings {
  readonly signals: SuspicionSignal[];
  readonly notJudged: Suspicion['notJudged'][number][];
}

/** Trunk and signer that speak about a call. */
export type Groups = readonly (GroupMemory | undefined)[];

/** Strength at the threshold: what is worth naming is worth something. */
const STRENGTH_AT_THRESHOLD = 0.5;

/** Strength of a value on a ramp that rises or falls; 0 where the threshold is not reached. */
export function rampStrength(value: number, { from, full }: SuspicionPolicy['fanOut']): number {
  const isRising = full >= from;
  if (!(isRising ? value >= from : value <= from)) return 0;
  if (full === from) return 1;
  const way = Math.min(1, (value - from) / (full - from));
  return STRENGTH_AT_THRESHOLD + (1 - STRENGTH_AT_THRESHOLD) * way;
}

/** Adds what speaks against a call. */
export function add(
  found: Findings,
  name: SuspicionSignalName,
  about: SuspicionSignal['about'],
  rest: Pick<SuspicionSignal, 'strength' | 'observed' | 'threshold' | 'evidence'>,
): void {
  found.signals.push({ name, about, ...rest });
}

/** Adds what cannot be judged, and why. */
export function cannot(found: Findings, name: SuspicionSignalName, why: NotJudgedReason): void {
  found.notJudged.push(NOT_JUDGED[name][why]);
}

/** Made once: most records have several of them. */
const NOT_JUDGED = Object.fromEntries(
  SUSPICION_SIGNALS.map((name) => [
    name,
    Object.fromEntries(Object.keys(NOT_JUDGED_REASONS).map((why) => [why, Object.freeze({ name, why })])),
  ]),
) as Readonly<Record<SuspicionSignalName, Readonly<Record<NotJudgedReason, Suspicion['notJudged'][number]>>>>;

/**
 * Says in English why a call was judged as it was: the level, a sentence for each signal, and one for each that could not be judged.
 * Holds no telephone number. Never throws.
 * @param suspicion - from {@link SuspicionTracker.judge}
 * @returns the sentences, the level first
 * @see {@link SUSPICION_SIGNALS}
 * @example
 * ```ts
 * const suspicion: Suspicion = { score: 0, level: 'none', policyId: 'example-1', signals: [], notJudged: [] };
 * console.log(explainSuspicion(suspicion)[0]);
 * ```
 */
export function explainSuspicion(suspicion: Suspicion): readonly string[] {
  const score = suspicion.score.toFixed(2);
  const level = {
    none: `Nothing that matters speaks against the call (score ${score}, policy ${suspicion.policyId}).`,
    watch: `The call is to be watched (score ${score}, policy ${suspicion.policyId}).`,
    suspicious: `The call looks like a robocall (score ${score}, policy ${suspicion.policyId}).`,
  }[suspicion.level];
  return [level, ...suspicion.signals.map(describeSignal), ...suspicion.notJudged.map(describeNotJudged)];
}

/**
 * One sentence for a signal, with what was seen and from where on it counts. Never throws.
 * @param signal - of a judgement
 * @returns the sentence, with a full stop
 * @see {@link SUSPICION_SIGNALS}
 * @example
 * ```ts
 * console.log(
 *   describeSignal({
 *     name: 'very-short-call',
 *     about: 'call',
 *     strength: 1,
 *     observed: 1,
 *     threshold: 6,
 *     evidence: { recordIds: [] },
 *   }),
 * ); // The call was answered and ended after 1 s; up to 6 s count as very short.
 * ```
 */
export function describeSignal(signal: SuspicionSignal): string {
  return SENTENCES[signal.name](signal);
}

/**
 * One sentence for a signal that could not be judged. Never throws.
 * @param signal - of a judgement
 * @returns the sentence, with a full stop
 * @see {@link NOT_JUDGED_REASONS}
 * @example
 * ```ts
 * console.log(describeNotJudged({ name: 'do-not-originate', why: 'no-list' }));
 * // Not judged, do-not-originate: no list was given.
 * ```
 */
export function describeNotJudged(signal: Suspicion['notJudged'][number]): string {
  const { name, why } = signal;
  return `Not judged, ${name}: ${NOT_JUDGED_REASONS[why]}.`;
}

const SUBJECTS: Readonly<Record<SuspicionSignal['about'], string>> = {
  call: 'the call',
  'calling-number': 'the calling number',
  trunk: 'the trunk it came in by',
  signer: 'its signer',
};

const share = (value: number | string): string =>
  typeof value === 'number' ? `${(value * 100).toFixed(value < 0.1 ? 1 : 0)} %` : value;
const plain = (value: number | string): string =>
  typeof value === 'number' ? String(Math.round(value * 10) / 10) : value;

/** `12 of 340 calls since 2026-11-25T00:00Z`. */
function counts({ evidence }: SuspicionSignal): string {
  if (!('counts' in evidence)) return 'this call';
  const { calls, matching, sinceUs } = evidence.counts;
  return `${String(matching)} of ${String(calls)} calls since ${instant(sinceUs)}`;
}

/** `340 calls since 2026-11-25T00:00Z`. */
function calls({ evidence }: SuspicionSignal): string {
  return 'counts' in evidence
    ? `${String(evidence.counts.calls)} calls since ${instant(evidence.counts.sinceUs)}`
    : 'this call';
}

/** How many numbers: beyond a limit they are not counted any more. */
function numbersCalled(observed: number | string): string {
  return observed === MAX_FAN_OUT ? `${plain(observed)} or more` : `about ${plain(observed)}`;
}

function instant(atUs: number): string {
  const date = new Date(atUs / 1_000);
  return Number.isNaN(date.getTime()) ? 'a time that is none' : `${date.toISOString().slice(0, 16)}Z`;
}

const SENTENCES: Readonly<Record<SuspicionSignalName, (signal: SuspicionSignal) => string>> = {
  'do-not-originate': () => 'The calling number is on the do-not-originate list: its holder makes no calls from it.',
  'invalid-calling-number': ({ observed }) =>
    `No telephone has the calling number: ${String(observed).replaceAll('-', ' ')}.`,
  'failed-verification': ({ observed }) => `The signature of the call failed verification: ${String(observed)}.`,
  'replayed-passport': ({ observed, threshold }) =>
    `The same PASSporT has come ${plain(observed)} times; from ${plain(threshold)} times on it counts as replayed.`,
  'gateway-attestation': () =>
    'The call carries gateway attestation (C): its signer knows where the call entered the network and not who calls.',
  'neighbour-spoofing': (signal) =>
    `The caller shows area code and exchange of whom it calls, and the trunk is not of that area; so do ${share(signal.observed)} of the trunk's calls (${counts(signal)}); from ${share(signal.threshold)} on it counts.`,
  'sequential-dialling': ({ observed, threshold }) =>
    `The trunk has called at least ${plain(observed)} numbers in a row shortly after one another; from ${plain(threshold)} on it counts.`,
  'fan-out': (signal) =>
    `The calling number has called ${numbersCalled(signal.observed)} different numbers (${calls(signal)}); from ${plain(signal.threshold)} on it counts.`,
  snowshoe: ({ about, observed, threshold, evidence }) =>
    'counts' in evidence
      ? `About ${String(evidence.counts.matching)} numbers made the ${String(evidence.counts.calls)} calls of ${SUBJECTS[about]} since ${instant(evidence.counts.sinceUs)}, few each, and of those that were no conversation ${share(observed)} came to nothing; from ${share(threshold)} on it counts.`
      : `Many numbers with few calls each: ${share(observed)} came to nothing.`,
  'very-short-call': ({ observed, threshold }) =>
    `The call was answered and ended after ${plain(observed)} s; up to ${plain(threshold)} s count as very short.`,
  'short-call-share': (signal) =>
    `Of the answered calls of ${SUBJECTS[signal.about]} that were no conversation ${share(signal.observed)} ended within seconds (${counts(signal)}); from ${share(signal.threshold)} on it counts.`,
  'low-answer-ratio': (signal) =>
    `Of the calls of ${SUBJECTS[signal.about]} ${share(signal.observed)} were answered (${counts(signal)}); up to ${share(signal.threshold)} count as few.`,
  'signer-concentration': (signal) =>
    `Calls that speak against themselves come with this signer ${plain(signal.observed)} times as often as with others (${counts(signal)}); from ${plain(signal.threshold)} times on it counts.`,
};
