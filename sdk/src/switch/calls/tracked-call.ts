import type { NumberingPlan } from '../../core/telephone-number.js';
import { wellFormedText } from '../../core/text.js';
import { blockedByStatus, dispositionOfStatus, shakenClaims } from '../../records/ingest/formats/leg.js';
import { q850CauseOf } from '../../records/ingest/sip-call.js';
import type { Disposition } from '../../records/index.js';
import type { OwnSigning, ReceivedVerification, Release, TimeBasis } from '../../contract/call-record.js';
import type { LegMessage, LegParts, LegSide } from '../../records/ingest/formats/leg.js';
import type { SigningOutcome } from '../../stir/index.js';
import { readResponseLike } from '../call-facts.js';
import type { SipRequestLike } from '../call-facts.js';
import type { CallIdentity } from '../verify-identity.js';
import {
  addBranch,
  addressOf,
  branchEnded,
  branchFinal,
  branchSent,
  callBlocked,
  callCancelled,
  callEnded,
  callFinal,
  callGivenUp,
  isPlacedCallOver,
  listen,
  messageText,
  readInvite,
  watchDialog,
} from './call-state.js';
import type { CallBranch, CallEnd, CallInvite, CallState, DialogLike, FinalAnswer } from './call-state.js';

/** The clock of the application counts milliseconds. */
const OBSERVED: TimeBasis = Object.freeze({ written: 'observed', resolutionUs: 1_000 });

/** A record that is to be made, and the messages that its leg was known by. */
interface LegToRecord {
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
function ownSigningOf(signing: SigningOutcome | undefined): OwnSigning | undefined {
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

/** What an application knows of a leg that it is about to send out. */
export interface BranchOptions {
  /** Name of the trunk that it leaves by. */
  readonly trunk?: string | undefined;
  /** What became of our own signature: `signing` of {@link outboundHeaders}. */
  readonly signing?: SigningOutcome | undefined;
}

/** What `proxyRequest` resolves with: as much of it as is used here. */
export interface ProxyResultLike {
  readonly responses?: readonly {
    readonly address?: string;
    readonly port?: number | string;
    readonly msgs?: readonly { readonly status?: number; readonly msg?: unknown }[];
  }[];
}

/** Follows one call. Nothing in it throws, waits, or answers the call. */
export interface TrackedCall {
  /**
   * A leg is about to be sent out: one call of this for each `createB2BUA` or `createUAC`, whose progress callbacks it gives: what these take beside
   * their options. `cbRequest` takes the error or the request, as drachtio-srf hands them over. A redirection that is followed makes a branch of its own.
   */
  readonly branch: (options?: BranchOptions) => {
    readonly cbRequest: (...parts: readonly unknown[]) => void;
  };
  /** The application refuses the call: to be said before the response is sent. @param by - a rule, an engine, the subscriber */
  readonly blocked: (by: string) => void;
  /**
   * The call was answered.
   * @param dialogs - as `createB2BUA` resolves with them: `uas` towards the caller, `uac` towards the callee
   * @returns what it was given, so that it can stand in a chain of promises
   */
  readonly connected: <Dialogs extends { readonly uas?: DialogLike; readonly uac?: DialogLike }>(
    dialogs: Dialogs,
  ) => Dialogs;
  /**
   * The server has proxied the call by itself, and `proxyRequest` says with which final responses: one branch for each callee. Of the end of such a call
   * nobody tells an application, hence its record has none.
   */
  readonly proxied: (result: ProxyResultLike) => void;
  /**
   * Whether the caller has given up. drachtio-srf tells of it once: an application that has waited for something, a signature for one, asks before it
   * sends a leg out, which would ring for nobody otherwise.
   */
  readonly isCancelled: () => boolean;
  /** Nothing more will come of the call: for one that ends in a way that its dialogs do not tell. */
  readonly end: (end?: {
    /** Absent where nobody can tell. */
    readonly party?: 'calling' | 'called' | 'network' | undefined;
    /** The switch's own word for it. */
    readonly cause?: string | undefined;
  }) => void;
}

/** What a call is followed with. */
interface CallSurroundings {
  readonly nowUs: () => number;
  readonly message: (text: string) => LegMessage;
  readonly plan: NumberingPlan | undefined;
  /** Runs something that must make no trouble for the call. */
  readonly safely: (task: () => void) => void;
  /** The call is over: its records are to be made. */
  readonly onOver: () => void;
}

/** Follows a call that was begun. `response` is what the application answers it by. */
export function trackCall(
  call: CallState,
  { request, response }: { readonly request?: SipRequestLike | undefined; readonly response?: unknown },
  around: CallSurroundings,
): TrackedCall {
  const { nowUs, safely, onOver } = around;
  const over = (isOver: boolean): void => {
    if (isOver) onOver();
  };
  safely(() => {
    listen(request, 'cancel', (cancel) =>
      safely(() => over(callCancelled(call, messageOf(call, cancel, around), nowUs()))),
    );
    listen(response, 'end', (told) => safely(() => over(callFinal(call, toldFinal(told), nowUs()))));
  });
  return {
    // Applications are written in JavaScript, too: what is no word costs the word, and not the record.
    branch: (options) => branchCallbacks(call, options ?? {}, around),
    blocked: (by) => safely(() => callBlocked(call, by === '' ? by : (recordWord(by) ?? 'the application'))),
    connected: (dialogs) => {
      safely(() => connect(call, dialogs, around));
      return dialogs;
    },
    proxied: (result) =>
      safely(() => {
        takeProxied(call, result, around);
        over(callGivenUp(call));
      }),
    isCancelled: () => call.isCancelled,
    end: (end) => safely(() => over(callEnded(call, saidEnd(end ?? {}), nowUs()))),
  };
}

function saidEnd({ party, cause }: Pick<CallEnd, 'party' | 'cause'>): CallEnd {
  return { party: ENDING_PARTIES.find((one) => one === party), cause: recordWord(cause) };
}

const ENDING_PARTIES = ['calling', 'called', 'network'] as const;

/** @returns undefined also of a call whose records are made */
function messageOf(call: CallState, carrier: unknown, { message }: CallSurroundings): LegMessage | undefined {
  const text = call.isOver ? undefined : messageText(carrier);
  return text === undefined ? undefined : message(text);
}

/** What a response of ours says when it has gone. */
function toldFinal(told: unknown): FinalAnswer {
  const { status, reason } = (told ?? {}) as { readonly status?: unknown; readonly reason?: unknown };
  return {
    status: isFinal(status) ? status : 500,
    reasonPhrase: typeof reason === 'string' ? reason : undefined,
  };
}

function isFinal(status: unknown): status is number {
  return typeof status === 'number' && Number.isInteger(status) && status >= 200 && status <= 699;
}

/** One branch for each request that is sent: a redirection that is followed sends another. */
function branchCallbacks(
  call: CallState,
  { trunk, signing }: BranchOptions,
  around: CallSurroundings,
): ReturnType<TrackedCall['branch']> {
  const { safely } = around;
  const add = (): CallBranch | undefined =>
    addBranch(call, { trunk: recordWord(trunk), signed: ownSigningOf(signing) });
  let waiting: CallBranch | undefined;
  safely(() => {
    waiting = add();
  });
  return {
    cbRequest: (...parts) =>
      safely(() => {
        const branch = waiting ?? add();
        waiting = undefined;
        if (branch !== undefined && !call.isOver) followBranch(call, branch, { sent: parts.find(isRequest), around });
      }),
  };
}

function isRequest(part: unknown): part is SipRequestLike {
  return typeof part === 'object' && part !== null && !(part instanceof Error) && messageText(part) !== undefined;
}

function followBranch(
  call: CallState,
  branch: CallBranch,
  { sent, around }: { readonly sent: SipRequestLike | undefined; readonly around: CallSurroundings },
): void {
  const { nowUs, safely } = around;
  branchSent(call, branch, sent === undefined ? undefined : readInvite(sent, around));
  listen(sent, 'response', (response) =>
    safely(() => {
      const final = cameFinal(call, response, around);
      if (final === undefined) return;
      branchFinal(call, branch, final, nowUs());
      settlePlaced(call, around);
    }),
  );
}

function takeProxied(call: CallState, { responses = [] }: ProxyResultLike, around: CallSurroundings): void {
  for (const { address = '', port = '', msgs = [] } of responses)
    for (const [index, { status = 0, msg }] of msgs.entries()) {
      const branch = status < 200 ? undefined : addBranch(call);
      if (branch === undefined) continue;
      // drachtio-srf puts what came from another port of the same address behind the first, whose port it names.
      const from = { raw: '', source_address: address, source_port: index === 0 ? port : '' };
      const { ingress } = call;
      const callId = ingress?.callId;
      branchSent(call, branch, { callId, address: addressOf(from), identities: [], isWithinDialog: false });
      branchFinal(call, branch, cameFinal(call, msg, around) ?? { status }, around.nowUs());
    }
}

/** A final response that came; undefined for a provisional one. */
function cameFinal(call: CallState, response: unknown, around: CallSurroundings): FinalAnswer | undefined {
  const read = readResponseLike({ raw: messageText(response) });
  if (read === undefined) {
    // One header field that cannot be read makes no other status of it.
    const { status } = (response ?? {}) as { readonly status?: unknown };
    return isFinal(status) ? { status, message: messageOf(call, response, around) } : undefined;
  }
  const { status, reasonPhrase, values } = read;
  if (status < 200) return undefined;
  return { status, reasonPhrase, q850Cause: q850CauseOf(values('reason')), message: messageOf(call, response, around) };
}

function settlePlaced(call: CallState, { nowUs, onOver }: CallSurroundings): void {
  if (!isPlacedCallOver(call)) return;
  const last = call.branches.findLast(({ end }) => end !== undefined);
  if (callEnded(call, last?.end ?? {}, nowUs())) onOver();
}

function connect(
  call: CallState,
  { uas, uac }: { readonly uas?: DialogLike; readonly uac?: DialogLike },
  around: CallSurroundings,
): void {
  const { nowUs, safely, onOver } = around;
  if (call.isOver) return;
  if (uac !== undefined) {
    const branch = branchOfDialog(call, uac, around);
    if (branch !== undefined) {
      branchFinal(call, branch, { status: 200 }, nowUs());
      watchDialog(uac, (ended) =>
        safely(() => {
          branchEnded(call, branch, endOf(call, { ended, other: 'called' }, around), nowUs());
          settlePlaced(call, around);
        }),
      );
    }
  }
  if (uas === undefined) return;
  callFinal(call, { status: 200 }, nowUs());
  watchDialog(uas, (ended) =>
    safely(() => {
      if (callEnded(call, endOf(call, { ended, other: 'calling' }, around), nowUs())) onOver();
    }),
  );
}

/** The branch that a dialog came of; one that nobody has told of is added. */
function branchOfDialog(call: CallState, uac: DialogLike, around: CallSurroundings): CallBranch | undefined {
  const callId = uac.sip?.callId;
  const open = call.branches.filter(({ endedAtUs, isUnsent }) => endedAtUs === undefined && !isUnsent);
  const known = open.find(({ sent }) => sent !== undefined && sent.callId === callId);
  if (known !== undefined) return known;
  const untold = open.find(({ sent }) => sent === undefined) ?? addBranch(call);
  if (untold !== undefined && isRequest(uac.req)) branchSent(call, untold, readInvite(uac.req, around));
  return untold;
}

/** Who ended a dialog: the other end by a BYE, the server by one of its own, or the application. */
function endOf(
  call: CallState,
  { ended, other }: { readonly ended: unknown; readonly other: 'calling' | 'called' },
  around: CallSurroundings,
): CallEnd {
  if (ended === 'hung-up-here') return { party: 'network' };
  if (ended === 'over-before') return { party: other };
  const { source } = ended as { readonly source?: unknown };
  const text = messageText(ended);
  const reasons = text === undefined ? [] : reasonsIn(text);
  const cause = /text="([^"]+)"/.exec(reasons.join(','))?.[1];
  const party = source === 'application' ? 'network' : other;
  return { party, cause, q850Cause: q850CauseOf(reasons), message: messageOf(call, ended, around) };
}

function reasonsIn(text: string): readonly string[] {
  // The header fields of a request are read as those of a response, behind a status line.
  const headers = text.slice(text.indexOf('\n') + 1);
  return readResponseLike({ raw: `SIP/2.0 200 OK\r\n${headers}` })?.values('reason') ?? [];
}
