import type { WaitingRaw } from './raw-rows.js';
import type { SipFacts } from './sip-facts.js';

/** Which way a message crossed the border of the switch: in from a peer's transaction, out to one, or from one part of it to another. */
export type SipSide = 'ingress' | 'egress' | 'internal';

/** A SIP message of a call, where it passed and when. */
export interface CallMessage {
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
export interface SipAnswer {
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
export interface DialogRequest {
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
export const MAX_TRANSACTIONS = 64;
/** Most To tags and answers of a transaction. */
const MAX_TAGS = 32;
/** Most ACKs and BYEs that are kept; repeats are not. */
const MAX_DIALOG_REQUESTS = 64;
/** Most packets whose hashes are kept: a call with PRACK, forks and a repeat of everything has a hundred. */
const MAX_PACKETS = 512;

/** Begins a call with its first message. */
export function beginSipCall(callId: string, atUs: number): SipCall {
  return { callId, transactions: [], dialogRequests: [], packets: new Set(), raw: undefined, firstUs: atUs };
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
  const request: DialogRequest = { method, fromTag, toTag, branch, atUs, q850Cause: q850Cause ?? earlier?.q850Cause };
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
    ...{ branch, side, peer, facts, atUs },
    ...{ hasInvite: false, isInDialog: false, toTags: [], answers: [] },
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
