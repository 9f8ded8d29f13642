import {
  answeredOf,
  areaShare,
  callsOf,
  distinctCalled,
  markedOf,
  neighboursOf,
  shortOf,
  talkedOf,
  timedOf,
} from './call-counts.js';
import type { CallCounts } from './call-counts.js';
import { HALF_HOUR_US, MAX_FAN_OUT, add, cannot, rampStrength } from './suspicion-policy.js';
import type {
  CallingReading,
  Findings,
  Groups,
  SignalContext,
  SuspicionLists,
  SuspicionPolicy,
} from './suspicion-policy.js';
import { northAmericanNumber, northAmericanPrefix } from './suspicion.js';
import type { JudgedRecord, NorthAmericanReading, SuspicionSignal, SuspicionSignalName } from './suspicion.js';

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

/** The list of numbers from which nobody calls, and numbers that cannot be. */
function callingSignals({ facts, calling, lists, record }: SignalContext, found: Findings): void {
  if (calling.isOnList) {
    const evidence = ofItself(facts);
    add(found, 'do-not-originate', 'call', { strength: 1, observed: 'listed', threshold: '', evidence });
  } else if (lists.doNotOriginate === undefined) cannot(found, 'do-not-originate', 'no-list');
  else if (facts.callingMissing !== undefined) cannot(found, 'do-not-originate', facts.callingMissing);
  else if (facts.isCallingVeiled) cannot(found, 'do-not-originate', 'calling-number-withheld');
  if (calling.finding !== undefined) {
    const { strength, finding } = calling;
    const evidence = ofItself(facts);
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

/** What the signatures were worth, a PASSporT that was seen before, and gateway attestation. */
function verdictSignals({ facts, record, policy }: SignalContext, found: Findings): void {
  const received = record.received;
  if (received?.verstat === undefined) cannot(found, 'failed-verification', 'no-verification');
  else if (received.verstat === 'TN-Validation-Failed') {
    const evidence = ofItself(facts);
    add(found, 'failed-verification', 'call', { strength: 1, observed: failure(received), threshold: '', evidence });
  }
  const seen = received?.evidence?.seenCount;
  if (seen === undefined) cannot(found, 'replayed-passport', 'no-verification');
  else {
    const strength = rampStrength(seen, policy.replayedPassport);
    const threshold = policy.replayedPassport.from;
    if (strength > 0)
      add(found, 'replayed-passport', 'call', { strength, observed: seen, threshold, evidence: ofItself(facts) });
  }
  // Of a signature that is not good, nothing is believed.
  if (received?.verstat !== 'TN-Validation-Passed' || received.attestation === undefined) {
    cannot(found, 'gateway-attestation', received?.verstat === undefined ? 'no-verification' : 'no-verified-signer');
  } else if (received.attestation === 'C') {
    // Foreign numbers have to come in so; a domestic one that does is roaming, or spoofed abroad.
    const strength = facts.callingNpaNxx < 0 ? FOREIGN_GATEWAY_STRENGTH : 1;
    const evidence = ofItself(facts);
    add(found, 'gateway-attestation', 'call', { strength, observed: 'C', threshold: '', evidence });
  }
}

/** Made where something is found alone: most calls are judged without. */
function ofItself({ recordId }: SignalContext['facts']): SuspicionSignal['evidence'] {
  return { recordIds: [recordId] };
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

/** A caller with area code and exchange of the called, where that is not what calls of the trunk are like. */
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

/** A call that was hung up as soon as it was answered. */
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

/** Called numbers one after the other. */
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

/** One number that calls many. */
function fanOutSignal({ facts, number, policy, sinceUs }: SignalContext, found: Findings): void {
  if (number === undefined) return cannot(found, 'fan-out', facts.callingMissing ?? 'no-calling-number');
  if (facts.calledKey === undefined) return cannot(found, 'fan-out', 'no-called-number');
  const calls = callsOf(number);
  if (calls < policy.fanOut.from) return undefined;
  // Beyond that the count is none.
  const observed = Math.min(distinctCalled(number), calls, MAX_FAN_OUT);
  const strength = rampStrength(observed, policy.fanOut);
  if (strength === 0) return undefined;
  const evidence = { counts: { calls, matching: observed, sinceUs } };
  return add(found, 'fan-out', 'calling-number', { strength, observed, threshold: policy.fanOut.from, evidence });
}

/** What a signal says of the subject for which it is strongest. */
interface Strongest {
  about: SuspicionSignal['about'];
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

const nothingYet = (): Strongest => ({
  about: 'call',
  strength: 0,
  observed: 0,
  calls: 0,
  matching: 0,
});

/** Many numbers with few calls each, few of them worth anybody's time. */
function snowshoeSignal({ facts, policy, trunk, signer }: SignalContext, groups: Groups, found: Findings): void {
  if (trunk === undefined && signer === undefined) return cannot(found, 'snowshoe', 'no-trunk');
  if (facts.callingKey === undefined) return cannot(found, 'snowshoe', facts.callingMissing ?? 'no-calling-number');
  const strongest = nothingYet();
  let sinceUs = 0;
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
    sinceUs = (half === now ? group.counts.half : group.counts.half - 1) * policy.windowHours * HALF_HOUR_US;
  }
  if (!isJudged) return cannot(found, 'snowshoe', 'too-few-calls');
  return addStrongest(found, 'snowshoe', strongest, { threshold: policy.snowshoe.from, sinceUs });
}

/** Of how many of the least calls a duration has to be known before their share says something: a campaign's are seldom answered. */
const LEAST_TIMED = 0.1;

/** The share of short ones among answered calls. */
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

/** The share of calls that are answered. */
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
  readonly ramp: SuspicionPolicy['fanOut'];
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

/** A signer of whose calls more look bad than of those of others. */
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

const NO_GROUPS: Groups = [];
