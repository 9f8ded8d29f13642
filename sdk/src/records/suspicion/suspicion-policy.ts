import { HopbackError } from '../../errors.js';
import { SUSPICION_SIGNALS } from './suspicion.js';
import type { SuspicionSignalName } from './suspicion.js';

/** From where on a signal counts, and where it is as strong as it gets. Between them strength grows evenly from 0.5 to 1. */
export interface SignalRamp {
  readonly from: number;
  readonly full: number;
}

/** How calls are judged, as data. */
export interface SuspicionPolicy {
  /** Name and version: stands in every judgement. 1 to 128 characters. */
  readonly id: string;
  /** How long calls count, hours, 1 to 168: as least half of it and at most all of it, since it moves on by halves. */
  readonly windowHours: number;
  /** Scores from which a call is on watch, and suspicious. */
  readonly levels: { readonly watch: number; readonly suspicious: number };
  /**
   * How much each signal says at full strength, 0 (not at all) to 1 (enough alone). Scores add up as independent doubts do:
   * 1 - (1 - weight × strength) × …
   */
  readonly weights: Readonly<Record<SuspicionSignalName, number>>;
  /** An answered call that lasts less is short, seconds. */
  readonly shortCallSeconds: number;
  /** An answered call that lasts as long is a conversation, seconds. */
  readonly conversationSeconds: number;
  /**
   * Share of its answered calls from which on a calling number is one that people talk with, 0 to 1: then it is not held against it
   * that others hang up or do not answer.
   */
  readonly conversationShare: number;
  /** How few calls of a number say nothing about it, and of a trunk or signer about that. */
  readonly leastCalls: { readonly number: number; readonly group: number };
  /** Seconds, falling: the shorter the stronger. */
  readonly veryShortCall: SignalRamp;
  /** Share of the answered calls that were no conversation that are short, rising. */
  readonly shortCallShare: SignalRamp;
  /** Share of calls that are answered, falling. */
  readonly lowAnswerRatio: SignalRamp;
  /** Different numbers called by one number, rising. At most 400: more cannot be told apart. */
  readonly fanOut: SignalRamp;
  /**
   * Share of the calls that were no conversation that came to nothing (unanswered or short), rising; how few calls a number has on
   * average, and how many numbers there are at least.
   */
  readonly snowshoe: SignalRamp & { readonly callsPerNumber: number; readonly leastNumbers: number };
  /** Called numbers in a row, rising; how far apart neighbours in a row are at most, in numbers and in seconds. */
  readonly sequentialDialling: SignalRamp & { readonly step: number; readonly gapSeconds: number };
  /** Share of a trunk's calls that show a neighbour's number, rising; and from which share of its callers an area is the trunk's own. */
  readonly neighbourSpoofing: SignalRamp & { readonly localShare: number };
  /** How often the same PASSporT has come, rising. */
  readonly replayedPassport: SignalRamp;
  /** How many times as often as with all others a signer's calls speak against themselves, rising; of how many at least. */
  readonly signerConcentration: SignalRamp & { readonly leastMarked: number };
  /** Whether 555-01XX is `invalid` as calling number or, in laboratories, whose numbers are all of these, `accepted`. */
  readonly fictionalNumbers: 'invalid' | 'accepted';
  /**
   * How much is remembered at most: calling numbers, trunks, signers, calls whose further legs are recognised, and blocks of
   * eight called numbers of which rows are made.
   */
  readonly limits: {
    readonly numbers: number;
    readonly trunks: number;
    readonly signers: number;
    readonly calls: number;
    readonly rows: number;
  };
}

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
  limits: Object.freeze({ numbers: 131_072, trunks: 4_096, signers: 4_096, calls: 65_536, rows: 65_536 }),
});

/** Most numbers, trunks, signers or rows that a policy may ask to remember: some gigabytes. */
export const MAX_SUSPICION_LIMIT = 8_388_608;

/** Different numbers beyond which the count of one number's calls stops being one. */
export const MAX_FAN_OUT = 400;

/**
 * Checks that a policy can be followed.
 * @throws {@link HopbackError} `invalid-configuration`, with `details.member`, for what is out of its bounds
 */
export function checkSuspicionPolicy(policy: SuspicionPolicy): void {
  const idLength = typeof policy.id === 'string' ? policy.id.length : 0;
  if (idLength < 1 || idLength > 128) throw wrong('id');
  within('windowHours', policy.windowHours, 1, 168);
  within('levels.watch', policy.levels.watch, 0, 1);
  within('levels.suspicious', policy.levels.suspicious, policy.levels.watch, 1);
  for (const name of SUSPICION_SIGNALS) within(`weights.${name}`, policy.weights[name], 0, 1);
  within('shortCallSeconds', policy.shortCallSeconds, 0, 3_600);
  within('conversationSeconds', policy.conversationSeconds, policy.shortCallSeconds, 86_400);
  within('conversationShare', policy.conversationShare, 0, 1);
  within('leastCalls.number', policy.leastCalls.number, 1, MAX_COUNT);
  within('leastCalls.group', policy.leastCalls.group, 1, MAX_COUNT);
  falling('veryShortCall', policy.veryShortCall, 3_600);
  rising('shortCallShare', policy.shortCallShare, 1);
  falling('lowAnswerRatio', policy.lowAnswerRatio, 1);
  rising('fanOut', policy.fanOut, MAX_FAN_OUT);
  rising('snowshoe', policy.snowshoe, 1);
  within('snowshoe.callsPerNumber', policy.snowshoe.callsPerNumber, 1, MAX_COUNT);
  within('snowshoe.leastNumbers', policy.snowshoe.leastNumbers, 1, MAX_COUNT);
  rising('sequentialDialling', policy.sequentialDialling, MAX_COUNT);
  // Every number nearer than a step is looked for at every call.
  within('sequentialDialling.step', policy.sequentialDialling.step, 1, 10);
  within('sequentialDialling.gapSeconds', policy.sequentialDialling.gapSeconds, 1, 86_400);
  rising('neighbourSpoofing', policy.neighbourSpoofing, 1);
  within('neighbourSpoofing.localShare', policy.neighbourSpoofing.localShare, 0, 1);
  rising('replayedPassport', policy.replayedPassport, MAX_COUNT);
  rising('signerConcentration', policy.signerConcentration, MAX_COUNT);
  within('signerConcentration.leastMarked', policy.signerConcentration.leastMarked, 1, MAX_COUNT);
  if (policy.fictionalNumbers !== 'invalid' && policy.fictionalNumbers !== 'accepted') throw wrong('fictionalNumbers');
  for (const name of ['numbers', 'trunks', 'signers', 'calls', 'rows'] as const) {
    if (!Number.isInteger(policy.limits[name])) throw wrong(`limits.${name}`);
    within(`limits.${name}`, policy.limits[name], 16, MAX_SUSPICION_LIMIT);
  }
}

/** Half an hour, microseconds, which is half of a window of one hour. */
export const HALF_HOUR_US = 1_800_000_000;

/** A number that no count of calls within a week reaches. */
const MAX_COUNT = 1_000_000_000;

function rising(member: string, { from, full }: SignalRamp, most: number): void {
  within(`${member}.from`, from, 0, most);
  within(`${member}.full`, full, from, most);
}

function falling(member: string, { from, full }: SignalRamp, most: number): void {
  within(`${member}.full`, full, 0, most);
  within(`${member}.from`, from, full, most);
}

function within(member: string, value: number, least: number, most: number): void {
  if (typeof value !== 'number' || !(value >= least && value <= most)) throw wrong(member);
}

function wrong(member: string): HopbackError {
  return new HopbackError('invalid-configuration', `the suspicion policy: ${member} is missing or out of its bounds`, {
    details: { member },
  });
}
