import { wellFormedText } from '../../core/text.js';
import { blockedByStatus, dispositionOfStatus, shakenClaims } from '../../records/index.js';
import type {
  Disposition,
  LegMessage,
  LegParts,
  LegSide,
  OwnSigning,
  ReceivedVerification,
  Release,
  TimeBasis,
} from '../../records/index.js';
import type { SigningOutcome } from '../../stir/index.js';
import type { CallIdentity } from '../verify-identity.js';
import type { CallInvite } from './call-invite.js';
import type { CallBranch, CallEnd, CallState, FinalAnswer } from './call-state.js';

/** The clock of the application counts milliseconds. */
const OBSERVED: TimeBasis = Object.freeze({ written: 'observed', resolutionUs: 1_000 });

/** A record that is to be made, and the messages that its leg was known by. */
export interface LegToRecord {
  readonly parts: LegParts;
  readonly messages: readonly LegMessage[];
}

/**
 * The legs of a call: one for each branch that went out, with the INVITE that came in for it; and one for an INVITE that came in and was sent nowhere,
 * or of which no branch tells what became of it: that the application answered it itself, or refused it after others had.
 * @param received - what its signatures were worth
 */
export function legsOfCall(call: CallState, received: Received): readonly LegToRecord[] {
  const legs = call.branches.map((branch) => branchLeg(call, branch, received));
  const { ingress } = call;
  if (ingress === undefined) return legs;
  const isTold =
    legs.length > 0 &&
    (call.answeredAtUs === undefined || call.branches.some(({ answeredAtUs }) => answeredAtUs !== undefined)) &&
    (call.blockedBy === undefined || legs.some(({ parts }) => parts.blockedBy === call.blockedBy));
  return isTold ? legs : [...legs, ingressLeg(call, ingress, received)];
}

type Received = ReceivedVerification | undefined;

/** What the legs of a call have in common, and the call group is named by. */
function groupOf(call: CallState): string {
  const callId = firstInvite(call)?.callId ?? '';
  return callId === '' ? call.key : callId;
}

function firstInvite({ ingress, branches }: CallState): CallInvite | undefined {
  return ingress ?? branches.find(({ sent }) => sent !== undefined)?.sent;
}

function sideOf({ address, callId }: CallInvite, trunk: string | undefined): LegSide {
  return { trunk, address, callId };
}

function branchLeg(call: CallState, branch: CallBranch, received: Received): LegToRecord {
  const { sent, final, end, answeredAtUs } = branch;
  const callGroupId = groupOf(call);
  const { disposition, blockedBy } = fateOfBranch(call, branch);
  const isAnswered = answeredAtUs !== undefined;
  const parts: LegParts = {
    legId: `${callGroupId} ${call.key} ${branch.index}`,
    callGroupId,
    invite: { status: 'instant', atUs: call.beganAtUs, basis: OBSERVED },
    answeredAtUs,
    endedAtUs: branch.endedAtUs,
    calling: firstInvite(call)?.calling,
    asserted: firstInvite(call)?.asserted,
    called: firstInvite(call)?.called,
    sentTo: call.ingress === undefined ? undefined : sent?.called,
    ingress: call.ingress && sideOf(call.ingress, call.trunk),
    egress: sent === undefined ? { trunk: branch.trunk } : sideOf(sent, branch.trunk),
    disposition,
    release: releaseOf(isAnswered ? undefined : final, causeOfBranch(call, branch)),
    received,
    signed: branch.signed,
    customerId: call.customerId,
    blockedBy,
  };
  return { parts, messages: kept([call.ingress?.message, sent?.message, final?.message, end?.message]) };
}

function ingressLeg(call: CallState, ingress: CallInvite, received: Received): LegToRecord {
  const callGroupId = groupOf(call);
  const { disposition, blockedBy } = fateOfIngress(call);
  const parts: LegParts = {
    legId: `${callGroupId} ${call.key}`,
    callGroupId,
    invite: { status: 'instant', atUs: call.beganAtUs, basis: OBSERVED },
    answeredAtUs: call.answeredAtUs,
    endedAtUs: call.endedAtUs,
    calling: ingress.calling,
    asserted: ingress.asserted,
    called: ingress.called,
    ingress: sideOf(ingress, call.trunk),
    disposition,
    release: releaseOf(call.answeredAtUs === undefined ? call.final : undefined, call.end),
    received,
    customerId: call.customerId,
    blockedBy,
  };
  return { parts, messages: kept([ingress.message, call.end?.message]) };
}

const kept = (messages: readonly (LegMessage | undefined)[]): readonly LegMessage[] =>
  messages.filter((message) => message !== undefined);

interface Fate {
  readonly disposition: Disposition;
  readonly blockedBy?: string | undefined;
}

function fateOfBranch(call: CallState, { answeredAtUs, final, sent, isUnsent, endedAtUs }: CallBranch): Fate {
  if (answeredAtUs !== undefined) return { disposition: 'answered' };
  if (final !== undefined) return fateOfFinal(final);
  if (call.blockedBy !== undefined) return { disposition: 'blocked', blockedBy: call.blockedBy };
  // Before anybody is told that it could not be sent, drachtio-srf has answered the caller with 500.
  if (isUnsent || (sent === undefined && call.final !== undefined && !call.isCancelled))
    return { disposition: 'failed' };
  // What was called off need not have said anything any more.
  return { disposition: endedAtUs === undefined ? 'no-answer' : 'cancelled' };
}

function fateOfIngress({ blockedBy, answeredAtUs, isCancelled, final }: CallState): Fate {
  if (answeredAtUs !== undefined) return { disposition: 'answered' };
  if (blockedBy !== undefined) return { disposition: 'blocked', blockedBy };
  if (isCancelled) return { disposition: 'cancelled' };
  return final === undefined ? { disposition: 'no-answer' } : fateOfFinal(final);
}

/** @see 47 CFR 64.1200(k)(9), ATIS-1000099 */
const NETWORK_BLOCKED = /^network blocked$/i;

function fateOfFinal({ status, reasonPhrase = '' }: FinalAnswer): Fate {
  if (status === 603 && NETWORK_BLOCKED.test(reasonPhrase.trim()))
    return { disposition: 'blocked', blockedBy: 'analytics engine (603 Network Blocked)' };
  return { disposition: dispositionOfStatus(status), blockedBy: blockedByStatus(status) };
}

function causeOfBranch(call: CallState, { isUnsent, end, final }: CallBranch): CallEnd | undefined {
  if (isUnsent) return { party: 'network', cause: 'the INVITE could not be sent' };
  return end ?? (final?.status === 487 && call.isCancelled ? { party: 'calling' } : undefined);
}

function releaseOf(final: FinalAnswer | undefined, end: CallEnd | undefined): Release | undefined {
  const q850Cause = final?.q850Cause ?? end?.q850Cause;
  const cause = recordWord(end?.cause) ?? '';
  if (final === undefined && q850Cause === undefined && cause === '' && end?.party === undefined) return undefined;
  const release: Writable<Release> = {};
  if (final !== undefined) release.sipStatus = final.status;
  if (q850Cause !== undefined) release.q850Cause = q850Cause;
  if (cause !== '') release.cause = cause;
  if (end?.party !== undefined) release.party = end.party;
  return release;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** A word of a record at most. */
const MAX_CAUSE_CHARS = 256;

/** A word of the application or of a peer, as far as a record holds it; undefined where it is none. */
export function recordWord(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.trim().slice(0, MAX_CAUSE_CHARS) : '';
  // A pair may be cut in two.
  return text === '' ? undefined : wellFormedText(text);
}

/**
 * What the signatures of a call were worth. Where nobody verified them, the claims stand for themselves: there is no verstat then.
 * @param identities - Identity header field values as they came
 */
export function receivedOf(identity: CallIdentity | undefined, identities: readonly string[]): Received {
  const verdict = identity?.verdict;
  const claims = shakenClaims(identities);
  if (verdict === undefined) return claims;
  const { attestation = claims?.attestation, origId = claims?.origId, signer } = verdict;
  const received: Writable<ReceivedVerification> = { verstat: verdict.verstat };
  if (attestation !== undefined) received.attestation = attestation;
  if (origId !== undefined && origId !== '') received.origId = origId.slice(0, MAX_CAUSE_CHARS);
  if (claims?.iatSeconds !== undefined) received.iatSeconds = claims.iatSeconds;
  if (signer?.spc !== undefined) received.spc = signer.spc;
  received.evidence = verdict.evidence;
  return received;
}

/** What refused a call that was refused as the policy of its trunk has it; undefined where it was not. */
export function blockedByPolicy({ final }: CallState, identity: CallIdentity | undefined): string | undefined {
  const treatment = identity?.treatment;
  if (treatment?.action !== 'reject' || final?.status !== treatment.status) return undefined;
  return `policy of the trunk (${treatment.because})`;
}

/** What is kept of our own signature; undefined where there is none. */
export function ownSigningOf(signing: SigningOutcome | undefined): OwnSigning | undefined {
  if (signing?.status !== 'signed') return undefined;
  const { claims, record } = signing;
  return {
    attestation: claims.attestation,
    ...(claims.origId !== '' && { origId: claims.origId.slice(0, MAX_CAUSE_CHARS) }),
    ...(record.basis !== '' && { basis: record.basis.slice(0, MAX_BASIS_CHARS) }),
  };
}

/** A word of a policy at most. */
const MAX_BASIS_CHARS = 1_024;
