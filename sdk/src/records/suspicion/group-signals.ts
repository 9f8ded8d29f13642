import { answeredOf, callsOf, distinctCalled, markedOf, shortOf, talkedOf, timedOf } from './call-counts.js';
import type { CallCounts } from './call-counts.js';
import { add, cannot, rampStrength } from './signal-findings.js';
import type { Findings, Groups, SignalContext } from './signal-findings.js';
import { HALF_HOUR_US, MAX_FAN_OUT } from './suspicion-policy.js';
import type { SignalRamp, SuspicionPolicy } from './suspicion-policy.js';
import type { SuspicionSignalName, SuspicionSubject } from './suspicion.js';

/** Called numbers one after the other. */
export function rowSignal({ facts, row, policy, sinceUs }: SignalContext, found: Findings): void {
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
export function fanOutSignal({ facts, number, policy, sinceUs }: SignalContext, found: Findings): void {
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

/** Many numbers with few calls each, few of them worth anybody's time. */
export function snowshoeSignal({ facts, policy, trunk, signer }: SignalContext, groups: Groups, found: Findings): void {
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
export function shortShareSignal(context: SignalContext, groups: Groups, found: Findings): void {
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
export function answerRatioSignal(context: SignalContext, groups: Groups, found: Findings): void {
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

/** A signer of whose calls more look bad than of those of others. */
export function concentrationSignal(context: SignalContext, groups: Groups, found: Findings): void {
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
