import { hash } from 'node:crypto';
import type { Draft } from '../../core/draft.js';
import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';
import { isHeardOf } from './known-facts.js';
import type { KnownFacts } from './known-facts.js';
import { contactKey, providerKey } from './provider-identity.js';

/** A question to a provider, and how the traceback came to it. */
export interface HopRequest {
  readonly requestId: string;
  /** 1 for the first hop. */
  readonly hop: number;
  /** Absent where somebody named one that no registry has, and no person has found out who it is. */
  readonly provider?: ProviderReference;
  /** The name that was given in its place. */
  readonly contact?: ContactDetails;
  /** To whom it is said to have sent the call. */
  readonly downstream?: ProviderReference;
  /** Who led here: the start, the answer of the hop before, or a neighbour of a silent one. */
  readonly namedBy: 'start' | 'answer' | 'neighbour';
  /** Of the hop before. */
  readonly fromRequestId?: string;
  /** The answer or report that named it; of the first hop the record that it shared itself, `record:` before its id. */
  readonly basedOn?: string;
}

/** What a request asks, before it has an id. */
export type HopQuestion = Omit<HopRequest, 'requestId'>;

/** Digits of a hash that tell the requests of one traceback apart: among 2,000 of them two are alike once in 10^8 tracebacks. */
const HASH_DIGITS = 12;
/** How often a provider is asked the same again after its request was cancelled; a traceback that turns more often stays with the last. */
const MAX_GENERATIONS = 16;

/**
 * The request that asks a question now. Its id follows from the question, so that whoever computes it anew after a crash, or hears of things in another
 * order, asks the same request and not a second one. An answer to it stands; where the provider was told before it answered that its answer is
 * not needed, it is asked by a request of its own.
 */
export function hopRequest(question: HopQuestion, facts: KnownFacts): HopRequest {
  return currentRequest(generations(question, facts), facts);
}

/** Of requests with one question the one that stands: one that was answered, or else the last. */
export function currentRequest(requests: Generations, { statements }: KnownFacts): HopRequest {
  return requests.find(({ requestId }) => statements.has(requestId)) ?? requests.at(-1) ?? requests[0];
}

/** Requests with one question, in the order in which they are asked: the next one when the one before was cancelled. */
export type Generations = readonly [HopRequest, ...HopRequest[]];

/** All requests with a question that there are so far. */
export function generations(question: HopQuestion, facts: KnownFacts): Generations {
  const first = requestWith(firstIdOf(question, facts), question);
  const requests: [HopRequest, ...HopRequest[]] = [first];
  let before = first.requestId;
  for (let generation = 2; generation <= MAX_GENERATIONS; generation += 1) {
    const requestId = `${first.requestId}-r${generation}`;
    // What was heard of is there, also where the word that led to it is heard of later.
    if (!wasCancelled(before, facts) && !isHeardOf(requestId, facts)) break;
    requests.push(requestWith(requestId, question));
    before = requestId;
  }
  return requests;
}

/** Written out: questions are of many forms, and to spread them takes longer than to find out what is asked. */
function requestWith(requestId: string, question: HopQuestion): HopRequest {
  const { provider, contact, downstream, fromRequestId, basedOn } = question;
  const request: Draft<HopRequest> = { requestId, hop: question.hop, namedBy: question.namedBy };
  if (provider !== undefined) request.provider = provider;
  if (contact !== undefined) request.contact = contact;
  if (downstream !== undefined) request.downstream = downstream;
  if (fromRequestId !== undefined) request.fromRequestId = fromRequestId;
  if (basedOn !== undefined) request.basedOn = basedOn;
  return request;
}

/** Whether the provider was told that its answer is not needed, for another reason than that the whole traceback ended. */
function wasCancelled(requestId: string, { done, cancelled }: KnownFacts): boolean {
  const told = done.get(`cancel:${requestId}`);
  return told !== undefined && (cancelled === undefined || told.atMs < cancelled.atMs);
}

/** Id of the first request with a question. */
function firstIdOf({ provider, contact, downstream, hop }: HopQuestion, facts: KnownFacts): string {
  const asked = provider !== undefined ? providerKey(provider) : contact !== undefined ? contactKey(contact) : '';
  const digits = hashOf(`${asked}\n${downstream === undefined ? '' : providerKey(downstream)}`, facts);
  return `${facts.state.tracebackId}-${hop}-${digits}`;
}

function hashOf(text: string, { questionHashes }: KnownFacts): string {
  const known = questionHashes.get(text);
  if (known !== undefined) return known;
  const digits = hash('sha256', text, 'hex').slice(0, HASH_DIGITS);
  questionHashes.set(text, digits);
  return digits;
}
