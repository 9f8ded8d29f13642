import {
  answeredOf,
  callsOf,
  distinctCalled,
  markedOf,
  neighboursOf,
  shortOf,
  talkedOf,
  timedOf,
} from './call-counts.js';
import type { CallCounts } from './call-counts.js';
import type { CallFacts, JudgedRecord } from './call-facts.js';
import { areaShare } from './call-groups.js';
import type { GroupMemory } from './call-groups.js';
import { northAmericanNumber, northAmericanPrefix } from './north-american-number.js';
import type { NorthAmericanReading } from './north-american-number.js';
import type { SignalRamp, SuspicionPolicy } from './suspicion-policy.js';
import { NOT_JUDGED_REASONS, SUSPICION_SIGNALS } from './suspicion.js';
import type {
  InvalidCallingFinding,
  NotJudgedReason,
  NotJudgedSignal,
  SuspicionEvidence,
  SuspicionSignal,
  SuspicionSignalName,
  SuspicionSubject,
} from './suspicion.js';

/** Lists that a carrier brings, all optional. */
export interface SuspicionLists {
  /** Numbers from which nobody calls, canonical (`12025550101`). */
  readonly doNotOriginate?: ReadonlySet<string>;
  /** Area codes (`202`), or area codes with exchange (`202456`), that are in use. Without it only the plan's own rules hold. */
  readonly allocated?: ReadonlySet<string>;
  /** Area codes of which a trunk is, by the trunk's name. Of a trunk that is not here it is learned from its callers. */
  readonly trunkAreas?: Readonly<Record<string, readonly string[]>>;
}

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

/** Reads the calling numbers, asserted and claimed, of a record. Never throws. */
export function readCalling(record: JudgedRecord, policy: SuspicionPolicy, lists: SuspicionLists): CallingReading {
  let worst = NOTHING_FOUND;
  for (const party of [record.calling, record.asserted]) {
    if (party === undefined) continue;
    if ('tn' in party && party.tn !== undefined) {
      if (lists.doNotOriginate?.has(party.tn) === true) return ON_LIST;
      worst = worseOf(worst, northAmericanNumber(party.tn, lists.allocated), policy);
    } else if ('npaNxx' in party && party.npaNxx !== undefined) {
      worst = worseOf(worst, northAmericanPrefix(party.npaNxx, lists.allocated), policy);
    }
  }
  return worst;
}

const NOTHING_FOUND: CallingReading = Object.freeze({ isOnList: false, strength: 0 });
const ON_LIST: CallingReading = Object.freeze({ isOnList: true, strength: 0 });

/** Lists of what codes are given lag behind; the form of a number does not. */
const UNALLOCATED_STRENGTH = 0.9;
/** Extensions of exchanges that were set up wrongly reach the network every day. */
const SHORT_STRENGTH = 0.4;

function worseOf(worst: CallingReading, read: NorthAmericanReading, policy: SuspicionPolicy): CallingReading {
  const { kind } = read;
  if (kind === 'geographic' || kind === 'foreign' || kind === 'toll-free' || kind === 'non-geographic') return worst;
  if (kind === 'fictional' && policy.fictionalNumbers === 'accepted') return worst;
  const strength = kind === 'short' ? SHORT_STRENGTH : kind === 'unallocated' ? UNALLOCATED_STRENGTH : 1;
  if (strength <= worst.strength) return worst;
  const finding = kind === 'short' || kind === 'fictional' ? kind : read.fault;
  return finding === undefined ? worst : { isOnList: false, finding, strength };
}

/** Collects what speaks against a call and what cannot be judged, each in the order of the list of signals. */
export interface Findings {
  readonly signals: SuspicionSignal[];
  readonly notJudged: NotJudgedSignal[];
}

/** Goes through all signals. Never throws. */
export function findSignals(context: SignalContext): Findings {
  const found: Findings = { signals: [], notJudged: [] };
  callingSignals(context, found);
  verdictSignals(context, found);
  neighbourSignal(context, found);
  rowSignal(context, found);
  fanOutSignal(context, found);
  // Trunk and signer speak only against calls that do not speak for themselves: no conversation of the number is known.
  const isHeard = context.number !== undefined && talkedOf(context.number) > 0;
  const isConversation = context.facts.seconds >= context.policy.conversationSeconds;
  const groups = isHeard || isConversation ? NO_GROUPS : [context.trunk, context.signer];
  snowshoeSignal(context, groups, found);
  veryShortSignal(context, found);
  shortShareSignal(context, groups, found);
  answerRatioSignal(context, groups, found);
  concentrationSignal(context, groups, found);
  return found;
}

type Groups = readonly (GroupMemory | undefined)[];
const NO_GROUPS: Groups = [];

/** Strength at the threshold: what is worth naming is worth something. */
const STRENGTH_AT_THRESHOLD = 0.5;

/** Strength of a value on a ramp that rises or falls; 0 where the threshold is not reached. */
export function rampStrength(value: number, { from, full }: SignalRamp): number {
  const isRising = full >= from;
  if (!(isRising ? value >= from : value <= from)) return 0;
  if (full === from) return 1;
  const way = Math.min(1, (value - from) / (full - from));
  return STRENGTH_AT_THRESHOLD + (1 - STRENGTH_AT_THRESHOLD) * way;
}

function add(
  found: Findings,
  name: SuspicionSignalName,
  about: SuspicionSubject,
  rest: Pick<SuspicionSignal, 'strength' | 'observed' | 'threshold' | 'evidence'>,
): void {
  found.signals.push({
    name,
    about,
    strength: rest.strength,
    observed: rest.observed,
    threshold: rest.threshold,
    evidence: rest.evidence,
  });
}

function cannot(found: Findings, name: SuspicionSignalName, why: NotJudgedReason): void {
  found.notJudged.push(NOT_JUDGED[name][why]);
}

/** Made once: most records have several of them. */
const NOT_JUDGED = Object.fromEntries(
  SUSPICION_SIGNALS.map((name) => [
    name,
    Object.fromEntries(NOT_JUDGED_REASONS.map((why) => [why, Object.freeze({ name, why })])),
  ]),
) as Readonly<Record<SuspicionSignalName, Readonly<Record<NotJudgedReason, NotJudgedSignal>>>>;

function callingSignals({ facts, calling, lists, record }: SignalContext, found: Findings): void {
  const evidence: SuspicionEvidence = { recordIds: [facts.recordId] };
  if (calling.isOnList) {
    add(found, 'do-not-originate', 'call', { strength: 1, observed: 'listed', threshold: '', evidence });
  } else if (lists.doNotOriginate === undefined) cannot(found, 'do-not-originate', 'no-list');
  else if (facts.callingMissing !== undefined) cannot(found, 'do-not-originate', facts.callingMissing);
  else if (facts.isCallingVeiled) cannot(found, 'do-not-originate', 'calling-number-withheld');
  if (calling.finding !== undefined) {
    const { strength, finding } = calling;
    add(found, 'invalid-calling-number', 'call', { strength, observed: finding, threshold: '', evidence });
  } else if (facts.callingMissing !== undefined) {
    cannot(found, 'invalid-calling-number', facts.callingMissing);
  } else if (facts.isCallingVeiled) {
    // Area code and exchange are fine; the line, or all of a foreign number, is not shown.
    cannot(found, 'invalid-calling-number', 'calling-number-withheld');
  } else if (facts.callingNpaNxx < 0 && record.called !== undefined) {
    cannot(found, 'invalid-calling-number', 'calling-number-foreign');
  }
}

function verdictSignals({ facts, record, policy }: SignalContext, found: Findings): void {
  const received = record.received;
  const evidence: SuspicionEvidence = { recordIds: [facts.recordId] };
  if (received?.verstat === undefined) cannot(found, 'failed-verification', 'no-verification');
  else if (received.verstat === 'TN-Validation-Failed') {
    add(found, 'failed-verification', 'call', { strength: 1, observed: failure(received), threshold: '', evidence });
  }
  const seen = received?.evidence?.seenCount;
  if (seen === undefined) cannot(found, 'replayed-passport', 'no-verification');
  else {
    const strength = rampStrength(seen, policy.replayedPassport);
    const threshold = policy.replayedPassport.from;
    if (strength > 0) add(found, 'replayed-passport', 'call', { strength, observed: seen, threshold, evidence });
  }
  // Of a signature that is not good, nothing is believed.
  if (received?.verstat !== 'TN-Validation-Passed' || received.attestation === undefined) {
    cannot(found, 'gateway-attestation', received?.verstat === undefined ? 'no-verification' : 'no-verified-signer');
  } else if (received.attestation === 'C') {
    // Foreign numbers have to come in so; a domestic one that does is roaming, or spoofed abroad.
    const strength = facts.callingNpaNxx < 0 ? FOREIGN_GATEWAY_STRENGTH : 1;
    add(found, 'gateway-attestation', 'call', { strength, observed: 'C', threshold: '', evidence });
  }
}

/** A foreign number with gateway attestation is what every call from abroad has. */
const FOREIGN_GATEWAY_STRENGTH = 0.3;

/** The first reason for which a PASSporT failed. */
function failure(received: NonNullable<JudgedRecord['received']>): string {
  for (const { exceptions } of received.evidence?.passports ?? []) {
    for (const { result, reason } of exceptions) if (result === 'failed') return reason;
  }
  return 'failed';
}

function neighbourSignal(context: SignalContext, found: Findings): void {
  const { facts, trunk, lists, policy } = context;
  const name = 'neighbour-spoofing';
  if (facts.callingMissing !== undefined) return cannot(found, name, facts.callingMissing);
  if (facts.callingNpaNxx < 0) {
    return cannot(found, name, facts.isCallingVeiled ? 'calling-number-withheld' : 'calling-number-foreign');
  }
  if (facts.calledKey === undefined) return cannot(found, name, 'no-called-number');
  if (facts.calledNpaNxx < 0) return cannot(found, name, 'called-number-not-north-american');
  if (facts.calledNpaNxx !== facts.callingNpaNxx) return undefined;
  if (trunk === undefined || facts.trunk === undefined) return cannot(found, name, 'no-trunk');
  const calls = callsOf(trunk.counts);
  const least = policy.leastCalls.group;
  const declared = Object.hasOwn(lists.trunkAreas ?? {}, facts.trunk) ? lists.trunkAreas?.[facts.trunk] : undefined;
  if (declared?.includes(String(Math.trunc(facts.callingNpaNxx / 1_000))) === true) return undefined;
  if (calls < least) return cannot(found, name, 'too-few-calls');
  const { localShare } = policy.neighbourSpoofing;
  if (declared === undefined && areaShare(trunk, facts.callingNpaNxx, least) >= localShare) return undefined;
  const matching = neighboursOf(trunk.counts);
  const observed = matching / calls;
  const strength = rampStrength(observed, policy.neighbourSpoofing);
  if (strength === 0) return undefined;
  const evidence = { counts: { calls, matching, sinceUs: context.sinceUs } };
  return add(found, name, 'call', { strength, observed, threshold: policy.neighbourSpoofing.from, evidence });
}

function rowSignal({ facts, row, policy, sinceUs }: SignalContext, found: Findings): void {
  const name = 'sequential-dialling';
  if (facts.calledKey === undefined) return cannot(found, name, 'no-called-number');
  if (facts.isCalledVeiled) return cannot(found, name, 'called-number-pseudonymous');
  if (facts.calledNational < 0) return cannot(found, name, 'called-number-not-north-american');
  if (facts.trunk === undefined) return cannot(found, name, 'no-trunk');
  const strength = rampStrength(row, policy.sequentialDialling);
  if (strength === 0) return undefined;
  const gapUs = policy.sequentialDialling.gapSeconds * 1_000_000;
  const evidence = { counts: { calls: row, matching: row, sinceUs: Math.max(sinceUs, facts.atUs - row * gapUs) } };
  return add(found, name, 'trunk', { strength, observed: row, threshold: policy.sequentialDialling.from, evidence });
}

function fanOutSignal({ facts, number, policy, sinceUs }: SignalContext, found: Findings): void {
  if (number === undefined) return cannot(found, 'fan-out', facts.callingMissing ?? 'no-calling-number');
  if (facts.calledKey === undefined) return cannot(found, 'fan-out', 'no-called-number');
  const calls = callsOf(number);
  if (calls < policy.fanOut.from) return undefined;
  const observed = Math.min(distinctCalled(number), calls);
  const strength = rampStrength(observed, policy.fanOut);
  if (strength === 0) return undefined;
  const evidence = { counts: { calls, matching: observed, sinceUs } };
  return add(found, 'fan-out', 'calling-number', { strength, observed, threshold: policy.fanOut.from, evidence });
}

/** What a signal says of the subject for which it is strongest. */
interface Strongest {
  about: SuspicionSubject;
  strength: number;
  observed: number;
  calls: number;
  matching: number;
}

function addStrongest(
  found: Findings,
  name: SuspicionSignalName,
  strongest: Strongest,
  rest: { readonly threshold: number; readonly sinceUs: number },
): void {
  if (strongest.strength === 0) return;
  const { about, strength, observed, calls, matching } = strongest;
  const evidence = { counts: { calls, matching, sinceUs: rest.sinceUs } };
  add(found, name, about, { strength, observed, threshold: rest.threshold, evidence });
}

const nothingYet = (): Strongest => ({ about: 'call', strength: 0, observed: 0, calls: 0, matching: 0 });

function snowshoeSignal(
  { facts, policy, sinceUs, trunk, signer }: SignalContext,
  groups: Groups,
  found: Findings,
): void {
  if (trunk === undefined && signer === undefined) return cannot(found, 'snowshoe', 'no-trunk');
  if (facts.callingKey === undefined) return cannot(found, 'snowshoe', facts.callingMissing ?? 'no-calling-number');
  const strongest = nothingYet();
  let isJudged = groups.length === 0;
  for (const group of groups) {
    if (group === undefined) continue;
    // Numbers are counted by halves, so that those of both halves are not counted twice.
    const { now, before } = group.counts;
    const half = now.calls >= policy.leastCalls.group ? now : before;
    if (half.calls < policy.leastCalls.group || half.callers === undefined) continue;
    isJudged = true;
    const numbers = half.callers.count();
    if (numbers < policy.snowshoe.leastNumbers || half.calls / numbers > policy.snowshoe.callsPerNumber) continue;
    // Conversations are left out: what campaigns share a trunk with must not hide them.
    const silent = half.calls - half.talked;
    const observed = silent <= 0 ? 0 : half.poor / silent;
    const strength = rampStrength(observed, policy.snowshoe);
    if (strength <= strongest.strength) continue;
    strongest.about = group === trunk ? 'trunk' : 'signer';
    strongest.strength = strength;
    strongest.observed = observed;
    strongest.calls = half.calls;
    strongest.matching = Math.round(numbers);
  }
  if (!isJudged) return cannot(found, 'snowshoe', 'too-few-calls');
  return addStrongest(found, 'snowshoe', strongest, { threshold: policy.snowshoe.from, sinceUs });
}

function veryShortSignal({ facts, policy }: SignalContext, found: Findings): void {
  const name = 'very-short-call';
  if (!facts.isAnswered) return cannot(found, name, 'not-answered');
  if (Number.isNaN(facts.seconds)) return cannot(found, name, 'no-duration');
  const strength = rampStrength(facts.seconds, policy.veryShortCall);
  if (strength === 0) return undefined;
  const evidence = { recordIds: [facts.recordId] };
  const threshold = policy.veryShortCall.from;
  return add(found, name, 'call', { strength, observed: facts.seconds, threshold, evidence });
}

/** Of how many of the least calls a duration has to be known before their share says something: a campaign's are seldom answered. */
const LEAST_TIMED = 0.1;

function shortShareSignal(context: SignalContext, groups: Groups, found: Findings): void {
  const { policy } = context;
  shareSignal(context, groups, {
    found,
    name: 'short-call-share',
    ramp: policy.shortCallShare,
    // Conversations are left out: what campaigns share a trunk with must not hide them.
    of: silentOf,
    matching: shortOf,
    leastShare: LEAST_TIMED,
  });
}

function answerRatioSignal(context: SignalContext, groups: Groups, found: Findings): void {
  const { policy } = context;
  shareSignal(context, groups, {
    found,
    name: 'low-answer-ratio',
    ramp: policy.lowAnswerRatio,
    of: callsOf,
    matching: answeredOf,
    leastShare: 1,
  });
}

/** Answered calls that were no conversation. */
const silentOf = (counts: CallCounts): number => timedOf(counts) - talkedOf(counts);

interface ShareQuestion {
  readonly found: Findings;
  readonly name: SuspicionSignalName;
  readonly ramp: SignalRamp;
  /** How many calls are looked at, and how many of them match. */
  readonly of: (counts: CallCounts) => number;
  readonly matching: (counts: CallCounts) => number;
  /** How many of the least calls have to be among those looked at, 0 to 1. */
  readonly leastShare: number;
}

/** A share of the calls of number, trunk and signer: the one that says most. */
function shareSignal(context: SignalContext, groups: Groups, question: ShareQuestion): void {
  const { number, trunk, policy, sinceUs } = context;
  const { found, name, ramp } = question;
  const strongest = nothingYet();
  const isNumberJudged =
    isTalkedWith(number, policy) || isStronger(strongest, number, policy.leastCalls.number, question);
  if (strongest.strength > 0) strongest.about = 'calling-number';
  let isJudged = isNumberJudged || groups.length === 0;
  for (const group of groups) {
    if (group === undefined) continue;
    const before = strongest.strength;
    if (isStronger(strongest, group.counts, policy.leastCalls.group, question)) isJudged = true;
    if (strongest.strength > before) strongest.about = group === trunk ? 'trunk' : 'signer';
  }
  if (!isJudged) return cannot(found, name, 'too-few-calls');
  return addStrongest(found, name, strongest, { threshold: ramp.from, sinceUs });
}

/** Whether people talk with a number, so that it tells nothing that others do not. */
function isTalkedWith(number: CallCounts | undefined, { leastCalls, conversationShare }: SuspicionPolicy): boolean {
  if (number === undefined) return false;
  const timed = timedOf(number);
  return timed >= leastCalls.number && talkedOf(number) >= timed * conversationShare;
}

/** Puts the share of one subject in the place of a weaker one; says whether there were enough calls to judge by. */
function isStronger(
  strongest: Strongest,
  counts: CallCounts | undefined,
  least: number,
  { ramp, of, matching, leastShare }: ShareQuestion,
): boolean {
  if (counts === undefined || callsOf(counts) < least) return false;
  const calls = of(counts);
  if (calls < least * leastShare || calls === 0) return false;
  const matched = matching(counts);
  const strength = rampStrength(matched / calls, ramp);
  if (strength <= strongest.strength) return true;
  strongest.strength = strength;
  strongest.observed = matched / calls;
  strongest.calls = calls;
  strongest.matching = matched;
  return true;
}

/** However good the others are: with no more than this a signer is compared. */
const LEAST_MARKED_SHARE = 0.02;

function concentrationSignal(context: SignalContext, groups: Groups, found: Findings): void {
  const { signer, signed, policy, sinceUs } = context;
  const name = 'signer-concentration';
  if (signer === undefined) return cannot(found, name, 'no-verified-signer');
  const calls = callsOf(signer.counts);
  const others = callsOf(signed) - calls;
  if (calls < policy.leastCalls.group || others < policy.leastCalls.group) {
    return cannot(found, name, 'too-few-calls');
  }
  const matching = markedOf(signer.counts);
  if (groups.length === 0 || matching < policy.signerConcentration.leastMarked) return undefined;
  const othersMarked = (markedOf(signed) - matching) / others;
  const observed = matching / calls / Math.max(othersMarked, LEAST_MARKED_SHARE);
  const strength = rampStrength(observed, policy.signerConcentration);
  if (strength === 0) return undefined;
  const evidence = { counts: { calls, matching, sinceUs } };
  return add(found, name, 'signer', { strength, observed, threshold: policy.signerConcentration.from, evidence });
}
