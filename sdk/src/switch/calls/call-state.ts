import {
  headerValues,
  parseNameAddr,
  parseSipRequest,
  splitHeaderList,
  splitIdentityHeader,
} from '../../core/sip-request.js';
import type { SipRequestText } from '../../core/sip-request.js';
import { parseSipUri, telephoneNumberOfUri } from '../../core/sip-uri.js';
import type { NumberingPlan } from '../../core/telephone-number.js';
import type { OwnSigning, Release } from '../../contract/call-record.js';
import type { LegMessage } from '../../records/ingest/formats/leg.js';
import type { SipRequestLike } from '../call-facts.js';

/** What an INVITE tells about its leg. Untrusted text throughout. */
export interface CallInvite {
  readonly callId?: string | undefined;
  /** URI of From. */
  readonly calling?: string | undefined;
  /** First URI of P-Asserted-Identity. */
  readonly asserted?: string | undefined;
  /** The Request-URI where it has a number, else the URI of To where that has one, else the Request-URI. */
  readonly called?: string | undefined;
  /** Address of the other end, with its port. */
  readonly address?: string | undefined;
  /** Values of Identity header fields, one PASSporT each. */
  readonly identities: readonly string[];
  /** It belongs to a dialog that is there already. @see RFC 3261 section 12.2 */
  readonly isWithinDialog: boolean;
  /** Absent where it was not seen. */
  readonly message?: LegMessage;
}

/** Identity header fields of a request that are kept: shaken, rph and some diversions. */
const MAX_IDENTITIES = 8;

/** Octets of an INVITE that are taken for one: what is read of a request at most. */
const MAX_RAW_CHARS = 65_536;

/**
 * Reads what a record is to say of an INVITE. What cannot be read is left out: an INVITE that is none makes a record too.
 * Never throws for peer input.
 * @param message - what makes the hash of it
 */
export function readInvite(
  invite: SipRequestLike,
  { message, plan }: { readonly message: (text: string) => LegMessage; readonly plan?: NumberingPlan | undefined },
): CallInvite {
  const raw = typeof invite.raw === 'string' ? invite.raw : '';
  const taken = message(raw.slice(0, MAX_RAW_CHARS));
  const parsed = parseSipRequest(raw);
  const address = addressOf(invite);
  if (parsed.status === 'malformed') return { address, identities: [], isWithinDialog: false, message: taken };
  const { request } = parsed;
  const asserted = splitHeaderList(headerValues(request, 'p-asserted-identity')[0] ?? '')[0];
  const to = parseNameAddr(headerValues(request, 'to')[0] ?? '');
  return {
    callId: headerValues(request, 'call-id')[0],
    calling: uriIn(headerValues(request, 'from')[0]),
    asserted: uriIn(asserted),
    called: calledUri(request, to.status === 'parsed' ? to.uri : undefined, plan),
    address,
    identities: headerValues(request, 'identity')
      .flatMap((value) => splitIdentityHeader(value))
      .slice(0, MAX_IDENTITIES),
    isWithinDialog: to.status === 'parsed' && to.params.has('tag'),
    message: taken,
  };
}

function calledUri({ requestUri }: SipRequestText, to: string | undefined, plan: NumberingPlan | undefined): string {
  return !hasNumber(requestUri, plan) && to !== undefined && hasNumber(to, plan) ? to : requestUri;
}

function hasNumber(uri: string, plan: NumberingPlan | undefined): boolean {
  const parsed = parseSipUri(uri);
  return parsed.status === 'parsed' && telephoneNumberOfUri(parsed.uri, plan).kind !== 'none';
}

function uriIn(value: string | undefined): string | undefined {
  const address = value === undefined ? undefined : parseNameAddr(value);
  return address?.status === 'parsed' ? address.uri : undefined;
}

/** Address and port of whoever sent a request, as a record has them. */
export function addressOf({ source_address: address, source_port: port }: SipRequestLike): string | undefined {
  if (typeof address !== 'string' || address === '') return undefined;
  if (port === undefined || port === '') return address;
  return address.includes(':') && !address.startsWith('[') ? `[${address}]:${port}` : `${address}:${port}`;
}

/**
 * The server's own name of the transaction, which no peer can choose: whoever sends two INVITEs with one Call-ID at the same instant does not get the
 * record of one for both.
 */
export function transactionOf(request: SipRequestLike | undefined): string | undefined {
  const { stackTxnId } = (request ?? {}) as { readonly stackTxnId?: unknown };
  return typeof stackTxnId === 'string' && stackTxnId !== '' ? stackTxnId : undefined;
}

/** What an end is told by. */
export interface CallEnd {
  /** Absent where nobody can tell. */
  readonly party?: Release['party'] | undefined;
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
const MAX_CALL_BRANCHES = 70;

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

/** A dialog as drachtio-srf makes it: as much of it as is used here. */
export interface DialogLike {
  /** False when it is over. */
  readonly connected?: boolean;
  readonly sip?: { readonly callId?: string };
  /** The INVITE that it came of. */
  readonly req?: unknown;
}

interface Emitter {
  readonly on: (event: string, listener: (...parts: readonly unknown[]) => void) => unknown;
  readonly removeListener?: (event: string, listener: (...parts: readonly unknown[]) => void) => unknown;
}

function isEmitter(value: unknown): value is Emitter {
  return typeof value === 'object' && value !== null && typeof (value as Partial<Emitter>).on === 'function';
}

/** Listens to what can be listened to. @returns whether it can be */
export function listen(emitter: unknown, event: string, listener: (...parts: readonly unknown[]) => void): boolean {
  if (!isEmitter(emitter)) return false;
  emitter.on(event, listener);
  return true;
}

/** Watches whether the caller gives up. Of a request that cannot be listened to nobody knows. */
export function watchCancel(request: unknown) {
  let isCancelled = false;
  const onCancel = (): void => {
    isCancelled = true;
  };
  listen(request, 'cancel', onCancel);
  return {
    isCancelled: () => isCancelled,
    /** Listens no longer. */
    stop: () => void (request as Partial<Emitter> | null)?.removeListener?.('cancel', onCancel),
  };
}

/** Text of a message as it was on the wire, of a request, a response, or what drachtio-srf tells of a CANCEL. */
export function messageText(carrier: unknown): string | undefined {
  const { raw } = (typeof carrier === 'object' ? (carrier ?? {}) : {}) as { readonly raw?: unknown };
  return typeof raw === 'string' && raw !== '' ? raw : undefined;
}

/**
 * Tells, once, how a dialog ended: the BYE that came; `hung-up-here` where the application ended it, of which drachtio-srf tells nobody but by taking
 * its listeners off when the BYE was answered; `over-before` where it had ended before it was watched.
 */
export function watchDialog(
  dialog: DialogLike,
  tell: (how: unknown) => void,
  later: (task: () => void) => void = queueMicrotask,
): void {
  let isTold = false;
  const once = (how: unknown): void => {
    if (isTold) return;
    isTold = true;
    tell(how);
  };
  const watch = (): void => {
    const onDestroy = (bye: unknown): void => once(typeof bye === 'object' && bye !== null ? bye : 'hung-up-here');
    const onRemoved = (event: unknown, listener: unknown): void => {
      if (event !== 'destroy' || listener !== onDestroy || isTold) return;
      if (dialog.connected === false) once('hung-up-here');
      // Somebody took all listeners off a dialog that goes on. While that is done none can be put back.
      else later(watch);
    };
    listen(dialog, 'destroy', onDestroy);
    listen(dialog, 'removeListener', onRemoved);
  };
  if (dialog.connected === false) once('over-before');
  else watch();
}
