import { callsOf, neighboursOf } from './call-counts.js';
import type { JudgedRecord } from './call-facts.js';
import { areaShare } from './call-groups.js';
import { add, cannot, rampStrength } from './signal-findings.js';
import type { Findings, SignalContext } from './signal-findings.js';
import type { SuspicionEvidence } from './suspicion.js';

/** The list of numbers from which nobody calls, and numbers that cannot be. */
export function callingSignals({ facts, calling, lists, record }: SignalContext, found: Findings): void {
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
export function verdictSignals({ facts, record, policy }: SignalContext, found: Findings): void {
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
function ofItself({ recordId }: SignalContext['facts']): SuspicionEvidence {
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
export function neighbourSignal(context: SignalContext, found: Findings): void {
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
export function veryShortSignal({ facts, policy }: SignalContext, found: Findings): void {
  const name = 'very-short-call';
  if (!facts.isAnswered) return cannot(found, name, 'not-answered');
  if (Number.isNaN(facts.seconds)) return cannot(found, name, 'no-duration');
  const strength = rampStrength(facts.seconds, policy.veryShortCall);
  if (strength === 0) return undefined;
  const evidence = { recordIds: [facts.recordId] };
  const threshold = policy.veryShortCall.from;
  return add(found, name, 'call', { strength, observed: facts.seconds, threshold, evidence });
}
