import type { Disposition, OwnSigning, ReceivedVerification, Release, TimeBasis } from '../../core/call-record.js';
import { joinedSha256 } from './joined-sha256.js';
import type { LegParts, LegSide } from './leg.js';
import { shakenClaims } from './passport-claims.js';
import type { SourceNumbers, SourceRow } from './record-reader.js';
import { legsOfSipCall } from './sip-call-legs.js';
import type { SipLeg } from './sip-call-legs.js';
import type { InviteTransaction, SipCall } from './sip-call.js';
import { blockedByStatus, dispositionOfStatus } from './sip-dispositions.js';
import { writtenCaller } from './written-number.js';

/** Times are those of who captured the packets. */
const OBSERVED: TimeBasis = Object.freeze({ written: 'observed', resolutionUs: 1 });

/**
 * The parts of all records of a call.
 *
 * - `ingress` is who sent the INVITE to the switch, `egress` whom the switch sent it on to.
 * - `received.attestation`, `origId` and `iatSeconds` are copied out of the shaken PASSporT that came in. **Nobody has verified it.**
 *   `received.verstat` is the verdict that the switch itself wrote into the INVITE it sent on, and absent where it wrote none: what a
 *   peer claims by a verstat of its own is left aside. `received.spc` stays absent, since only the certificate names it.
 * - `signed` is a shaken PASSporT that went out and had not come in.
 */
export function sipCallParts(call: SipCall, numbers: SourceNumbers): readonly LegParts[] {
  return legsOfSipCall(call).map((leg) => legParts(call, leg, numbers));
}

/** The row that stands for the packets of a call. */
export function packetsRow(call: SipCall): SourceRow {
  return { text: '', sha256: joinedSha256([...call.packets]), line: 0 };
}

function legParts(call: SipCall, leg: SipLeg, numbers: SourceNumbers): LegParts {
  const { ingress, egress, answer } = leg;
  // One of the two is there.
  const first = (ingress ?? egress) as InviteTransaction;
  const last = (egress ?? ingress) as InviteTransaction;
  const status = finalStatus(leg);
  const sentTo = ingress === undefined ? undefined : egress?.facts.requestUri;
  return {
    legId: [call.callId, last.branch, ...(answer === undefined ? [] : [answer.toTag])].join(' '),
    callGroupId: call.correlationId ?? call.callId,
    invite: { status: 'instant', atUs: begunAtUs(leg), basis: OBSERVED },
    answeredAtUs: answer?.atUs,
    endedAtUs: endedAtUs(leg),
    calling: first.facts.fromUri,
    asserted: first.facts.assertedUri,
    called: first.facts.requestUri ?? first.facts.toUri,
    sentTo: sentTo === undefined || writtenCaller(sentTo, numbers)?.tn === undefined ? undefined : sentTo,
    ingress: ingress === undefined ? undefined : side(call, ingress),
    egress: egress === undefined ? undefined : side(call, egress),
    disposition: dispositionOf(leg, status),
    release: releaseOf(leg, status),
    received: receivedOf(leg),
    signed: signedOf(leg),
    blockedBy: leg.isAnswered ? undefined : blockedByStatus(status),
  };
}

/** When the INVITE came in; where it was not captured, when the first message was that follows from it. */
function begunAtUs({ ingress, egress }: SipLeg): number {
  const ingressUs = ingress?.atUs ?? Number.POSITIVE_INFINITY;
  return ingress?.hasInvite === true ? ingressUs : Math.min(ingressUs, egress?.atUs ?? Number.POSITIVE_INFINITY);
}

function side(call: SipCall, { peer }: InviteTransaction): LegSide {
  return { address: peer, callId: call.callId };
}

function endedAtUs({ isAnswered, bye, ingress, egress }: SipLeg): number | undefined {
  if (isAnswered) return bye?.atUs;
  return egress?.finalAtUs ?? egress?.cancelledAtUs ?? ingress?.finalAtUs ?? ingress?.cancelledAtUs;
}

function finalStatus({ ingress, egress }: SipLeg): number | undefined {
  if (egress?.finalStatus !== undefined) return egress.finalStatus;
  // A branch that was called off need not have said anything any more, whatever became of the call.
  return egress?.cancelledAtUs === undefined ? ingress?.finalStatus : undefined;
}

function dispositionOf({ isAnswered, ingress, egress }: SipLeg, status: number | undefined): Disposition {
  if (isAnswered) return 'answered';
  if (status !== undefined) return dispositionOfStatus(status);
  return (egress ?? ingress)?.cancelledAtUs === undefined ? 'no-answer' : 'cancelled';
}

function releaseOf({ isAnswered, ingress, egress, bye }: SipLeg, status: number | undefined): Release | undefined {
  const first = ingress ?? egress;
  const isCalledOff = status === 487 && ingress?.cancelledAtUs !== undefined;
  const party = bye === undefined ? (isCalledOff ? 'calling' : undefined) : partyOf(bye.fromTag, first);
  const sipStatus = isAnswered ? undefined : status;
  const cause = isAnswered ? bye?.q850Cause : (egress?.finalCause ?? egress?.cancelCause ?? ingress?.finalCause);
  if (party === undefined && sipStatus === undefined && cause === undefined) return undefined;
  return {
    ...(sipStatus === undefined ? undefined : { sipStatus }),
    ...(cause === undefined ? undefined : { q850Cause: cause }),
    ...(party === undefined ? undefined : { party }),
  };
}

function partyOf(byeFromTag: string, first: InviteTransaction | undefined): 'calling' | 'called' {
  return byeFromTag === first?.facts.fromTag ? 'calling' : 'called';
}

function receivedOf({ ingress, egress }: SipLeg): ReceivedVerification | undefined {
  if (ingress === undefined) return undefined;
  const claims = shakenClaims(ingress.facts.identities);
  const verstat = egress?.facts.verstat;
  if (claims === undefined && verstat === undefined) return undefined;
  return { ...(verstat === undefined ? undefined : { verstat }), ...claims };
}

function signedOf({ ingress, egress }: SipLeg): OwnSigning | undefined {
  // Where the INVITE that came in was not captured, nobody can tell whose signature goes out.
  if (ingress?.hasInvite !== true || egress === undefined) return undefined;
  const came = new Set(ingress.facts.identities);
  const claims = shakenClaims(egress.facts.identities.filter((identity) => !came.has(identity)));
  if (claims?.attestation === undefined) return undefined;
  const { attestation, origId } = claims;
  return origId === undefined ? { attestation } : { attestation, origId };
}
