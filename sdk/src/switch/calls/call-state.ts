import type { LegMessage, OwnSigning, Release } from '../../records/index.js';
import type { CallInvite } from './call-invite.js';

/** Who ended something, as a record says it. */
export type EndingParty = NonNullable<Release['party']>;

/** What an end is told by. */
export interface CallEnd {
  /** Absent where nobody can tell. */
  readonly party?: EndingParty | undefined;
  /** The switch's own word for it. */
  readonly cause?: string | undefined;
  readonly q850Cause?: number | undefined;
  /** The request that ended it. */
  readonly message?: LegMessage | undefined;
}

/** A final response: one that came, or one that was given. */
export interface FinalAnswer {
  readonly status: number;
  readonly reasonPhrase?: string | undefined;
  readonly q850Cause?: number | undefined;
  readonly message?: LegMessage | undefined;
}

/** A leg that was sent out for a call. */
export interface CallBranch {
  /** In the order of sending, from 0. */
  readonly index: number;
  readonly trunk: string | undefined;
  readonly signed: OwnSigning | undefined;
  sent: CallInvite | undefined;
  /** The INVITE could not be sent. */
  isUnsent: boolean;
  final: FinalAnswer | undefined;
  answeredAtUs: number | undefined;
  endedAtUs: number | undefined;
  end: CallEnd | undefined;
}

/** A call as far as it is known. Changed by the functions of this file alone. */
export interface CallState {
  /** Tells this call from every other of the tracker. */
  readonly key: string;
  readonly beganAtUs: number;
  /** Absent where the application places the call itself. */
  readonly ingress: CallInvite | undefined;
  readonly trunk: string | undefined;
  readonly customerId: string | undefined;
  readonly branches: CallBranch[];
  /** What the caller was answered. */
  final: FinalAnswer | undefined;
  isCancelled: boolean;
  blockedBy: string | undefined;
  answeredAtUs: number | undefined;
  endedAtUs: number | undefined;
  end: CallEnd | undefined;
  /** The last instant that was taken: none is before the one before it, whatever is done to the clock. */
  lastUs: number;
  /** Nothing more is taken in: its records are made. */
  isOver: boolean;
}

/**
 * Branches of one call: as many as Max-Forwards begins at. A hunt that goes on beyond them is a loop.
 * @see RFC 3261 section 8.1.1.6
 */
export const MAX_CALL_BRANCHES = 70;

/** Begins a call. */
export function beginCall(
  parts: Pick<CallState, 'key' | 'ingress' | 'trunk' | 'customerId'> & { readonly atUs: number },
): CallState {
  // All members from the start: what calls have in common they share in memory.
  return {
    key: parts.key,
    beganAtUs: parts.atUs,
    ingress: parts.ingress,
    trunk: parts.trunk,
    customerId: parts.customerId,
    branches: [],
    final: undefined,
    isCancelled: false,
    blockedBy: undefined,
    answeredAtUs: undefined,
    endedAtUs: undefined,
    end: undefined,
    lastUs: parts.atUs,
    isOver: false,
  };
}

/** An instant of the call, which is not before the last one. */
function at(call: CallState, atUs: number): number {
  call.lastUs = Math.max(call.lastUs, atUs);
  return call.lastUs;
}

/** A leg is about to be sent out. @returns undefined where the call is over, or has too many */
export function addBranch(
  call: CallState,
  parts: Partial<Pick<CallBranch, 'trunk' | 'signed'>> = {},
): CallBranch | undefined {
  if (call.isOver || call.branches.length >= MAX_CALL_BRANCHES) return undefined;
  const branch: CallBranch = {
    index: call.branches.length,
    trunk: parts.trunk,
    signed: parts.signed,
    sent: undefined,
    isUnsent: false,
    final: undefined,
    answeredAtUs: undefined,
    endedAtUs: undefined,
    end: undefined,
  };
  call.branches.push(branch);
  return branch;
}

/** The INVITE of a branch was sent, or could not be. */
export function branchSent(call: CallState, branch: CallBranch, sent: CallInvite | undefined): void {
  if (call.isOver) return;
  if (sent === undefined) branch.isUnsent = branch.sent === undefined;
  else branch.sent ??= sent;
}

/** A branch has its final response. Of several 2xx the first counts. */
export function branchFinal(call: CallState, branch: CallBranch, final: FinalAnswer, atUs: number): void {
  if (call.isOver || branch.final !== undefined) return;
  branch.final = final;
  if (final.status < 300) branch.answeredAtUs = at(call, atUs);
  else branch.endedAtUs = at(call, atUs);
}

/** The dialog of a branch is over. */
export function branchEnded(call: CallState, branch: CallBranch, end: CallEnd, atUs: number): void {
  if (call.isOver || branch.endedAtUs !== undefined) return;
  branch.endedAtUs = at(call, atUs);
  branch.end = end;
}

/** The caller has a final response. @returns whether the call is over by it */
export function callFinal(call: CallState, final: FinalAnswer, atUs: number): boolean {
  if (call.isOver || call.final !== undefined) return false;
  call.final = final;
  if (final.status >= 300) return callEnded(call, {}, atUs);
  call.answeredAtUs = at(call, atUs);
  return false;
}

/** The caller gave up before an answer: the server has told him 487. @returns whether the call is over by it */
export function callCancelled(call: CallState, message: LegMessage | undefined, atUs: number): boolean {
  if (call.isOver || call.final !== undefined) return false;
  call.isCancelled = true;
  call.final = { status: 487, reasonPhrase: 'Request Terminated' };
  return callEnded(call, { party: 'calling', message }, atUs);
}

/** The application will refuse the call, or has. */
export function callBlocked(call: CallState, by: string): void {
  if (!call.isOver && by !== '') call.blockedBy ??= by;
}

/** The call is over, and every branch with it. @returns whether it was not before */
export function callEnded(call: CallState, end: CallEnd, atUs: number): boolean {
  if (call.isOver) return false;
  call.endedAtUs = at(call, atUs);
  call.end = end;
  for (const branch of call.branches) branchEnded(call, branch, end, atUs);
  call.isOver = true;
  return true;
}

/** The call is not followed any further, and goes on for all that is known. @returns whether it was followed */
export function callGivenUp(call: CallState): boolean {
  if (call.isOver) return false;
  call.isOver = true;
  return true;
}

/**
 * Whether all legs of a call that the application placed itself have come to an end, one of them after an answer. Where none was answered there may
 * be another attempt.
 */
export function isPlacedCallOver(call: CallState): boolean {
  if (call.ingress !== undefined) return false;
  const isAnswered = call.branches.some(({ answeredAtUs }) => answeredAtUs !== undefined);
  return isAnswered && call.branches.every(({ endedAtUs, isUnsent }) => endedAtUs !== undefined || isUnsent);
}
