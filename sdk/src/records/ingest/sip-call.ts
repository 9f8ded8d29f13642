import {
  headerValues,
  MAX_REQUEST_SIZE,
  parseNameAddr,
  parseSipRequest,
  splitHeaderList,
} from '../../core/sip-request.js';
import type { SipRequestText } from '../../core/sip-request.js';
import { parseSipUri } from '../../core/sip-uri.js';
import type { Verstat } from '../../core/telephone-number.js';
import { writtenVerstat } from './formats/leg.js';
import type { WaitingRaw } from './record-reader.js';

/** What a captured SIP message tells about a call. Untrusted text throughout. */
export type SipFacts = Extract<ReturnType<typeof readSipFacts>, { readonly status: 'read' }>['facts'];

/** Longest Call-ID, tag or branch that is kept; those of real switches stay below 200 characters. */
const MAX_ID_CHARS = 256;
/** Most Via branches that are looked at: Max-Forwards begins at 70. */
const MAX_BRANCHES = 70;
/** Most Identity headers of a request that are kept: shaken, rph and some diversions. */
const MAX_IDENTITIES = 8;

/**
 * Reads what a SIP request or response tells about its call. A message whose Call-ID, From, To or CSeq cannot be read is malformed:
 * it could be put to no call. Never throws for peer input.
 * @param payload - at most 65,536 bytes
 * @see RFC 3261 sections 7 and 8.1.1
 */
export function readSipFacts(payload: Uint8Array) {
  if (payload.length > MAX_REQUEST_SIZE) return malformed('length');
  const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    .toString('utf8')
    .replace(/^[\r\n\0]+/, '');
  // Nothing but line ends: what keeps a way through a NAT open.
  if (text === '') return { status: 'empty' } as const;
  const statusLine = STATUS_LINE.exec(text);
  // The header fields of a response are read as those of a request, hence behind the start line of one.
  const parsed = parseSipRequest(
    statusLine === null ? text : `RESPONSE sip:response SIP/2.0\r\n${text.slice(statusLine[0].length)}`,
  );
  if (parsed.status === 'malformed') return malformed(parsed.reason);
  return factsOf(parsed.request, statusLine === null ? undefined : Number(statusLine[1]));
}

const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: [^\r\n]*)?\r?\n/i;

function factsOf(message: SipRequestText, status: number | undefined) {
  const callId = headerValues(message, 'call-id')[0];
  const [cseqNumber, cseqMethod] = (headerValues(message, 'cseq')[0] ?? '').split(/[ \t]+/, 2);
  const from = partyOf(headerValues(message, 'from')[0]);
  const to = partyOf(headerValues(message, 'to')[0]);
  if (callId === undefined || callId === '' || callId.length > MAX_ID_CHARS) return malformed('Call-ID');
  if (cseqMethod === undefined || cseqNumber === undefined || !/^\d{1,10}$/.test(cseqNumber)) return malformed('CSeq');
  if (from === undefined || from.tag === undefined) return malformed('From');
  if (to === undefined) return malformed('To');
  const assertedUri = partyOf(splitHeaderList(headerValues(message, 'p-asserted-identity')[0] ?? '')[0])?.uri;
  const facts = {
    /** Of a response the one in CSeq. */
    method: (status === undefined ? message.method : cseqMethod).toUpperCase(),
    callId,
    cseq: Number(cseqNumber),
    fromTag: from.tag,
    /** The branch of each Via, that of the last hop first; a Via without one is left out. */
    branches: branchesOf(headerValues(message, 'via')),
    fromUri: from.uri,
    toUri: to.uri,
    /** Identity header values, not looked into. */
    identities: headerValues(message, 'identity')
      .flatMap((value) => splitHeaderList(value))
      .slice(0, MAX_IDENTITIES),
    /** 100 to 699; undefined in a request. */
    status,
    /** Undefined in a response. */
    requestUri: status === undefined ? message.requestUri : undefined,
    /** Undefined in a request outside a dialog. */
    toTag: to.tag,
    /** First URI of P-Asserted-Identity. */
    assertedUri,
    /** `verstat` of the asserted number, else of that in From: whoever sent the message put it there. */
    verstat: verstatOf(assertedUri) ?? verstatOf(from.uri),
    /** Cause of a Reason header of protocol Q.850. */
    q850Cause: q850CauseOf(headerValues(message, 'reason')),
  };
  return { status: 'read', facts } as const;
}

/** @param field - in which words of SIP the facts are missing */
function malformed(field: string) {
  return { status: 'malformed', field } as const;
}

function partyOf(value: string | undefined): { readonly uri: string; readonly tag?: string } | undefined {
  const party = value === undefined ? undefined : parseNameAddr(value);
  if (party?.status !== 'parsed') return undefined;
  const tag = party.params.get('tag');
  if (typeof tag !== 'string' || tag === '') return { uri: party.uri };
  return tag.length > MAX_ID_CHARS ? undefined : { uri: party.uri, tag };
}

function branchesOf(values: readonly string[]): readonly string[] {
  const branches: string[] = [];
  for (const value of values) {
    for (const via of splitHeaderList(value)) {
      const branch = /;\s{0,8}branch\s{0,8}=\s{0,8}([^;,\s]{1,256})/i.exec(via)?.[1];
      if (branch !== undefined && branches.length < MAX_BRANCHES) branches.push(branch);
    }
  }
  return branches;
}

/** @see 3GPP TS 24.229 section 7.2A.20 */
function verstatOf(uri: string | undefined): Verstat | undefined {
  const parsed = uri === undefined || !/verstat/i.test(uri) ? undefined : parseSipUri(uri);
  if (parsed?.status !== 'parsed') return undefined;
  const value = parsed.uri.userParams.get('verstat') ?? parsed.uri.params.get('verstat');
  return typeof value === 'string' ? writtenVerstat(value) : undefined;
}

/** The highest cause of Q.850; a record has no others. */
const LAST_Q850_CAUSE = 127;

/**
 * The Q.850 cause that Reason header fields give. Never throws for peer input.
 * @param values - of the header fields, each with one reason or several
 * @returns 0 to 127; undefined where none is given
 * @see RFC 3326, ITU-T Q.850 section 2.2.7
 */
export function q850CauseOf(values: readonly string[]): number | undefined {
  for (const value of values) {
    const cause = /(?:^|,)\s{0,8}Q\.850\s{0,8};[^,]{0,64}?cause\s{0,8}=\s{0,8}(\d{1,3})/i.exec(value)?.[1];
    if (cause !== undefined && Number(cause) <= LAST_Q850_CAUSE) return Number(cause);
  }
  return undefined;
}

/** Which way a message crossed the border of the switch: in from a peer's transaction, out to one, or from one part of it to another. */
export type SipSide = 'ingress' | 'egress' | 'internal';

/** A SIP message of a call, where it passed and when. */
interface CallMessage {
  readonly facts: SipFacts;
  /** The side on which the request of its transaction passed. */
  readonly side: SipSide;
  /** Signalling address of the other end, with its port. */
  readonly peer: string;
  /** Microseconds since the epoch. */
  readonly atUs: number;
  /** SHA-256 of the packet that carried it, lower-case hexadecimal. */
  readonly sha256: string;
}

/** A 2xx to an INVITE: each To tag is a dialog of its own. */
interface SipAnswer {
  readonly toTag: string;
  readonly atUs: number;
}

/** An INVITE on one hop and what became of it. Fields are filled from whatever was captured, in whatever order. */
export interface InviteTransaction {
  /** Branch of the top Via. */
  readonly branch: string;
  readonly side: SipSide;
  readonly peer: string;
  /** From the request where it was captured, else from a response, which lacks some. */
  facts: SipFacts;
  hasInvite: boolean;
  /** The INVITE carried a To tag: it belongs to a call that stands already. */
  isInDialog: boolean;
  /** The earliest message of it. */
  atUs: number;
  /** To tags of all responses. */
  readonly toTags: string[];
  readonly answers: SipAnswer[];
  /** Final status other than 2xx. */
  finalStatus?: number;
  finalAtUs?: number;
  finalCause?: number;
  cancelledAtUs?: number;
  cancelCause?: number;
}

/** An ACK or BYE within a dialog. */
interface DialogRequest {
  readonly method: 'ACK' | 'BYE';
  readonly fromTag: string;
  readonly toTag: string;
  readonly branch: string | undefined;
  readonly atUs: number;
  readonly q850Cause: number | undefined;
}

/** All that was captured under one Call-ID. */
export interface SipCall {
  readonly callId: string;
  readonly transactions: InviteTransaction[];
  readonly dialogRequests: DialogRequest[];
  /** SHA-256 of each packet; one that came twice, byte for byte, is one. */
  readonly packets: Set<string>;
  /** The same packets; undefined where they are not kept. */
  raw: WaitingRaw<Uint8Array> | undefined;
  correlationId?: string;
  /** When the first packet was received. */
  readonly firstUs: number;
  /** When the packet was received with which the call was over; absent while it is not. */
  overAtUs?: number;
}

/** Most INVITE transactions under one Call-ID: a call that is forked to 60 phones is a hunt group of the largest kind. */
const MAX_TRANSACTIONS = 64;
/** Most To tags and answers of a transaction. */
const MAX_TAGS = 32;
/** Most ACKs and BYEs that are kept; repeats are not. */
const MAX_DIALOG_REQUESTS = 64;
/** Most packets whose hashes are kept: a call with PRACK, forks and a repeat of everything has a hundred. */
const MAX_PACKETS = 512;

/** Begins a call with its first message. */
export function beginSipCall(callId: string, atUs: number): SipCall {
  return {
    callId,
    transactions: [],
    dialogRequests: [],
    packets: new Set(),
    raw: undefined,
    firstUs: atUs,
  };
}

/**
 * Adds a message to its call: the same whatever the order of messages, and a repeat changes nothing but an earlier time.
 * @returns false where the call has as many parts already as a call may have, and the message was left out
 */
export function addToSipCall(call: SipCall, message: CallMessage): boolean {
  if (call.packets.size < MAX_PACKETS) call.packets.add(message.sha256);
  const { facts } = message;
  if (facts.method === 'ACK' || facts.method === 'BYE') return addDialogRequest(call, message, facts.method);
  const transaction = transactionOf(call, message);
  if (transaction === undefined) return false;
  if (message.atUs < transaction.atUs) transaction.atUs = message.atUs;
  if (facts.method === 'CANCEL') addCancel(transaction, message);
  else if (facts.status === undefined) addInvite(transaction, message);
  else addResponse(transaction, message, facts.status);
  return true;
}

/** Branches of all transactions and dialog requests: by them a late repeat is known when the call is gone. */
export function branchesOfCall({ transactions, dialogRequests }: SipCall): ReadonlySet<string> {
  const branches = new Set(transactions.map(({ branch }) => branch));
  for (const { branch } of dialogRequests) if (branch !== undefined) branches.add(branch);
  return branches;
}

function addDialogRequest(call: SipCall, { facts, atUs }: CallMessage, method: 'ACK' | 'BYE'): boolean {
  const { fromTag, toTag, q850Cause } = facts;
  // Responses to a BYE tell nothing that the BYE does not, and may be the only trace of it.
  if (toTag === undefined) return true;
  const branch = facts.branches[0];
  const known = call.dialogRequests.findIndex(
    (one) => one.method === method && one.fromTag === fromTag && one.toTag === toTag,
  );
  const earlier = call.dialogRequests[known];
  if (earlier !== undefined && earlier.atUs <= atUs) return true;
  const request: DialogRequest = {
    method,
    fromTag,
    toTag,
    branch,
    atUs,
    q850Cause: q850Cause ?? earlier?.q850Cause,
  };
  if (earlier !== undefined) call.dialogRequests[known] = request;
  else if (call.dialogRequests.length < MAX_DIALOG_REQUESTS) call.dialogRequests.push(request);
  else return false;
  return true;
}

function transactionOf(call: SipCall, { facts, side, peer, atUs }: CallMessage): InviteTransaction | undefined {
  // Clients before RFC 3261 had no branch: the tag and the number in order stand for it.
  const branch = facts.branches[0] ?? `${facts.fromTag} ${facts.cseq}`;
  const known = call.transactions.find((one) => one.branch === branch && one.side === side);
  if (known !== undefined || call.transactions.length >= MAX_TRANSACTIONS) return known;
  const begun: InviteTransaction = {
    branch,
    side,
    peer,
    facts,
    atUs,
    hasInvite: false,
    isInDialog: false,
    toTags: [],
    answers: [],
  };
  call.transactions.push(begun);
  return begun;
}

function addInvite(transaction: InviteTransaction, { facts }: CallMessage): void {
  if (transaction.hasInvite) return;
  transaction.hasInvite = true;
  transaction.facts = facts;
  transaction.isInDialog = facts.toTag !== undefined;
}

function addCancel(transaction: InviteTransaction, { facts, atUs }: CallMessage): void {
  if (facts.status !== undefined) return;
  transaction.cancelledAtUs = Math.min(transaction.cancelledAtUs ?? atUs, atUs);
  if (facts.q850Cause !== undefined) transaction.cancelCause = facts.q850Cause;
}

function addResponse(transaction: InviteTransaction, { facts, atUs }: CallMessage, status: number): void {
  const { toTag } = facts;
  if (toTag !== undefined && transaction.toTags.length < MAX_TAGS && !transaction.toTags.includes(toTag)) {
    transaction.toTags.push(toTag);
  }
  if (status < 200) return;
  if (status < 300) addAnswer(transaction.answers, { toTag: toTag ?? '', atUs });
  else if (transaction.finalAtUs === undefined || atUs < transaction.finalAtUs) {
    transaction.finalStatus = status;
    transaction.finalAtUs = atUs;
    if (facts.q850Cause !== undefined) transaction.finalCause = facts.q850Cause;
  }
}

function addAnswer(answers: SipAnswer[], answer: SipAnswer): void {
  const known = answers.findIndex(({ toTag }) => toTag === answer.toTag);
  const earlier = answers[known];
  if (earlier === undefined) {
    if (answers.length < MAX_TAGS) answers.push(answer);
  } else if (answer.atUs < earlier.atUs) answers[known] = answer;
}

/** An INVITE that came in, one that went out for it, and the dialog that came of them: what one record is made of. */
export interface SipLeg {
  /** Absent where the switch placed the call itself, or joined two Call-IDs. */
  readonly ingress?: InviteTransaction;
  /** Absent where the switch sent the call nowhere under this Call-ID. */
  readonly egress?: InviteTransaction;
  /** Absent where nobody answered, or the answer was not captured: then `isAnswered` tells. */
  readonly answer?: SipAnswer;
  readonly isAnswered: boolean;
  readonly bye?: DialogRequest;
}

/**
 * The legs of a call: one for each branch that went out, with the INVITE that came in for it; one for each further dialog where several
 * phones behind a branch answered; one for an INVITE that came in and was sent nowhere. INVITEs that were challenged for
 * credentials and sent again are none, nor are those within a dialog. The same whatever the order in which messages were taken.
 */
export function legsOfSipCall(call: SipCall): readonly SipLeg[] {
  const begun = beginnings(call);
  const ingress = begun.filter(({ side }) => side === 'ingress');
  const egress = begun.filter(({ side }) => side === 'egress');
  const childrenOf = new Map<InviteTransaction | undefined, InviteTransaction[]>();
  for (const one of egress) {
    const parent = parentOf(one, ingress);
    const children = childrenOf.get(parent);
    if (children === undefined) childrenOf.set(parent, [one]);
    else children.push(one);
  }
  const legs: SipLeg[] = [];
  for (const parent of [...ingress, undefined]) {
    const children = childrenOf.get(parent) ?? [];
    for (const child of children) legs.push(...legsOf(call, parent, child, children));
    const isAnswered = legs.some((leg) => leg.ingress === parent && leg.isAnswered);
    if (parent !== undefined && (children.length === 0 || (parent.answers.length > 0 && !isAnswered))) {
      legs.push(...legsOf(call, parent, undefined, []));
    }
  }
  return legs;
}

/**
 * Whether nothing more is to come of a call: every dialog has its BYE; or there is none, and every INVITE that came in (where none did,
 * that went out) has its final response.
 */
export function isSipCallOver(call: SipCall): boolean {
  const legs = legsOfSipCall(call);
  if (legs.length === 0) return false;
  const answered = legs.filter(({ isAnswered }) => isAnswered);
  if (answered.length > 0) return answered.every(({ bye }) => bye !== undefined);
  const begun = call.transactions.filter((one) => !one.isInDialog && one.side !== 'internal');
  const ingress = begun.filter(({ side }) => side === 'ingress');
  return (ingress.length > 0 ? ingress : begun).every(({ finalStatus }) => finalStatus !== undefined);
}

/** The INVITEs that began a call, in the order of time. */
function beginnings({ transactions }: SipCall): readonly InviteTransaction[] {
  const begun = transactions.filter(
    (one) => one.side !== 'internal' && !one.isInDialog && !isWithinDialog(one, transactions),
  );
  return begun
    .filter((one) => !isChallenged(one) || !begun.some((other) => isRepeatWithCredentials(other, one)))
    .sort((a, b) => a.atUs - b.atUs || (a.branch < b.branch ? -1 : 1));
}

/** A re-INVITE of which only responses were captured: its tags are those of a dialog that another transaction began. */
function isWithinDialog(one: InviteTransaction, transactions: readonly InviteTransaction[]): boolean {
  if (one.hasInvite) return false;
  const { fromTag, cseq } = one.facts;
  return transactions.some((other) => {
    if (other === one || other.side === 'internal' || !(other.hasInvite || other.atUs < one.atUs)) return false;
    const isAnswered = (tag: string): boolean => other.answers.some(({ toTag }) => toTag === tag);
    if (other.facts.fromTag === fromTag && other.side === one.side) {
      return cseq > other.facts.cseq && one.toTags.some(isAnswered);
    }
    return isAnswered(fromTag) && one.toTags.includes(other.facts.fromTag);
  });
}

function isChallenged({ finalStatus, answers }: InviteTransaction): boolean {
  return answers.length === 0 && (finalStatus === 401 || finalStatus === 407);
}

function isRepeatWithCredentials(other: InviteTransaction, challenged: InviteTransaction): boolean {
  return (
    other.side === challenged.side &&
    other.peer === challenged.peer &&
    other.facts.fromTag === challenged.facts.fromTag &&
    other.facts.cseq > challenged.facts.cseq
  );
}

/**
 * The INVITE that came in for one that went out: a proxy leaves the Via of it below its own, so that the nearest known branch tells,
 * also where a call crosses the switch twice; a switch that hides it leaves the last INVITE before.
 */
function parentOf(child: InviteTransaction, ingress: readonly InviteTransaction[]): InviteTransaction | undefined {
  for (const branch of child.facts.branches.slice(1)) {
    const parent = ingress.find((one) => one.branch === branch);
    if (parent !== undefined) return parent;
  }
  return ingress.findLast((one) => one.atUs <= child.atUs) ?? ingress[0];
}

function legsOf(
  call: SipCall,
  ingress: InviteTransaction | undefined,
  egress: InviteTransaction | undefined,
  siblings: readonly InviteTransaction[],
): readonly SipLeg[] {
  const main = egress ?? ingress;
  if (main === undefined) return [];
  const sides = { ...(ingress && { ingress }), ...(egress && { egress }) };
  const answers = main.answers.length > 0 ? main.answers : inferredAnswers(main, ingress, siblings);
  if (answers.length > 0) {
    return answers.map((answer) => {
      const bye = byeOf(call, main, answer.toTag);
      return {
        ...sides,
        answer,
        isAnswered: true,
        ...(bye && { bye }),
      };
    });
  }
  const confirmed = main.finalStatus === undefined ? confirmedTag(call, main, siblings) : undefined;
  if (confirmed === undefined) return [{ ...sides, isAnswered: false }];
  const bye = byeOf(call, main, confirmed);
  return [{ ...sides, isAnswered: true, ...(bye && { bye }) }];
}

/** Answers of a branch whose 2xx was lost, by what the switch passed on to where the call came from. */
function inferredAnswers(
  main: InviteTransaction,
  ingress: InviteTransaction | undefined,
  siblings: readonly InviteTransaction[],
): readonly SipAnswer[] {
  if (ingress === undefined || ingress === main || main.finalStatus !== undefined) return [];
  const isSiblings = (tag: string): boolean =>
    siblings.some(
      (one) => one !== main && (one.answers.some(({ toTag }) => toTag === tag) || one.toTags.includes(tag)),
    );
  const isOnlyOneOpen = siblings.every(
    (one) => one === main || one.finalStatus !== undefined || one.answers.length > 0,
  );
  return ingress.answers.filter(({ toTag }) => main.toTags.includes(toTag) || (isOnlyOneOpen && !isSiblings(toTag)));
}

/** To tag of a dialog whose 2xx was lost on both sides, by the ACK or BYE that only an answered call sees. */
function confirmedTag(
  call: SipCall,
  main: InviteTransaction,
  siblings: readonly InviteTransaction[],
): string | undefined {
  const isOnlyOneOpen = siblings.every(
    (one) => one === main || one.finalStatus !== undefined || one.answers.length > 0,
  );
  for (const { method, fromTag, toTag, branch } of call.dialogRequests) {
    // The ACK of a failure has the branch of its INVITE; that of an answer has its own.
    if (method === 'ACK' && call.transactions.some((one) => one.branch === branch)) continue;
    const tag = fromTag === main.facts.fromTag ? toTag : toTag === main.facts.fromTag ? fromTag : undefined;
    if (tag === undefined) continue;
    if (main.toTags.includes(tag)) return tag;
    const isKnown = call.transactions.some(
      (one) => one !== main && (one.toTags.includes(tag) || one.answers.some((answer) => answer.toTag === tag)),
    );
    if (isOnlyOneOpen && !isKnown) return tag;
  }
  return undefined;
}

/** The first BYE of a dialog, from either end. */
function byeOf({ dialogRequests }: SipCall, { facts }: InviteTransaction, toTag: string): DialogRequest | undefined {
  let first: DialogRequest | undefined;
  for (const one of dialogRequests) {
    const isForward = one.fromTag === facts.fromTag && one.toTag === toTag;
    const isBackward = one.fromTag === toTag && one.toTag === facts.fromTag;
    if (one.method !== 'BYE' || !(isForward || isBackward)) continue;
    if (first === undefined || one.atUs < first.atUs) first = one;
  }
  return first;
}
