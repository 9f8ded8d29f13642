import { attempt } from '../core/runtime/deadline.js';
import { headerValues, isAnonymousUri, parseNameAddr, parseSipRequest, splitHeaderList } from '../core/sip-request.js';
import type { SipRequestResult, SipRequestText } from '../core/sip-request.js';
import { parseSipUri, telephoneNumberOfUri } from '../core/sip-uri.js';
import type { SipUri } from '../core/sip-uri.js';
import type { NumberingPlan, CanonicalTn } from '../core/telephone-number.js';
import { HopbackError } from '../errors.js';
import { verificationRequestOf } from '../stir/index.js';
import { DEFAULT_VERIFICATION_POLICY } from '../stir/verification/policy.js';
import { readParties } from '../stir/verification/request.js';
import type { PartyOptions } from '../stir/index.js';

/** A request as an application of drachtio-srf has it: as much of it as is used here. */
export interface SipRequestLike {
  /**
   * The request as it came. What `get` gives is not enough: two Identity header fields are one there, joined by a comma, folded ones keep
   * their line ends, and the compact `y` goes by that name.
   */
  readonly raw: string;
  /** Address, port and transport that it came from: what trunks are told by. */
  readonly source_address?: string;
  readonly source_port?: number | string;
  readonly protocol?: string;
  /** Where middleware leaves what others want to know. */
  locals?: Record<string, unknown>;
}

/** A response as an application of drachtio-srf sends it: as much of it as is used here. */
export interface SipResponseLike {
  /** Whether the caller has its final response. */
  readonly finalResponseSent?: boolean;
  readonly send: (
    status: number,
    reasonPhrase: string,
    options: { readonly headers: Readonly<Record<string, string>> },
  ) => unknown;
}

/** Reads what came, and not what was made of it. Never throws for peer input. */
export const readRequestLike = ({ raw }: SipRequestLike): SipRequestResult =>
  typeof raw === 'string' ? parseSipRequest(raw) : { status: 'malformed', reason: 'request-empty', line: 1 };

/** A response as text, taken apart but not understood. */
interface SipResponseText {
  /** 100 to 699. */
  readonly status: number;
  /** As it came; may be empty. */
  readonly reasonPhrase: string;
  /** Values of all header fields of one name, in their order. */
  readonly values: (name: string) => readonly string[];
}

/** @see RFC 3261 section 7.2 */
const STATUS_LINE = /^SIP\/2\.0 ([1-6]\d\d)(?: ([^\r\n]*))?\r?\n/i;
/** A phrase is a few words. */
const MAX_PHRASE_CHARS = 256;

/**
 * Reads a response by its text, and not by what `get` gives: two Reason header fields are one there. Never throws for peer input.
 * @returns undefined where it is none
 * @see RFC 3261 section 7.2
 */
export function readResponseLike({ raw }: { readonly raw?: unknown }): SipResponseText | undefined {
  const text = typeof raw === 'string' ? raw.trimStart() : '';
  const line = STATUS_LINE.exec(text);
  if (line === null) return undefined;
  // The header fields of a response are read as those of a request, hence behind the start line of one.
  const parsed = parseSipRequest(`RESPONSE sip:response SIP/2.0\r\n${text.slice(line[0].length)}`);
  if (parsed.status === 'malformed') return undefined;
  const request: SipRequestText = parsed.request;
  return {
    status: Number(line[1]),
    reasonPhrase: (line[2] ?? '').slice(0, MAX_PHRASE_CHARS).trim(),
    values: (name) => headerValues(request, name),
  };
}

/** Tells somebody, if there is anybody, what went wrong with a call that goes on. Whoever listens makes no trouble for it. */
export function reportTrouble(onTrouble: ((error: unknown) => void) | undefined, error: unknown): void {
  // What is wrong with the listener is no matter of the call.
  attempt(() => onTrouble?.(error));
}

/** What is told of a request that cannot be read: why, and in which line. */
export const unreadableInvite = ({
  reason,
  line,
}: Extract<SipRequestResult, { readonly status: 'malformed' }>): HopbackError =>
  new HopbackError('invalid-argument', 'an INVITE cannot be read', { details: { reason, line } });

/** What a request says of itself that decides how its call may be treated. Nothing of it is verified. */
export interface CallFacts {
  /** The number that calls, as a verification service reads it; absent where there is none, or none without doubt. */
  readonly calling?: string;
  /** Every number that From and P-Asserted-Identity state, whichever of them counts. */
  readonly statedNumbers: readonly string[];
  /** Headed to an emergency service. */
  readonly isEmergency: boolean;
  /** Header fields say that it is an emergency call, or one by which an answering point calls back. Anybody can write them. */
  readonly isMarkedEmergency: boolean;
  /** The caller does not want to be named: by Privacy, or by a From that names nobody. */
  readonly isAnonymous: boolean;
  /** Whether there is any Identity header. */
  readonly isSigned: boolean;
}

/**
 * A URI of 911 or 112, whatever else is in it: an emergency call is one also where the rest cannot be read.
 * @see RFC 3261 section 19.1.1, RFC 3966
 */
const EMERGENCY_URI = /^\s*(?:sips?|tel):(?:\+?1)?(?:911|112)(?:$|[@;?:>\s])/i;
/** @see RFC 5031 section 4.2 */
const EMERGENCY_SERVICE = /^\s*urn:service:sos(?:\.|$)/i;
/** Kinds of privacy that hide who calls. @see RFC 3323 section 4.2, RFC 3325 section 9.3 */
const HIDDEN = /(?:^|[;,\s])(?:id|user)(?:$|[;,\s])/i;
/** @see RFC 4412 section 12.6, RFC 7135 */
const EMERGENCY_NAMESPACE = /(?:^|,)\s*esnet\.[0-4]\s*(?:,|$)/i;

/**
 * Looks through a request for what its treatment depends on. Never throws for peer input: what cannot be read is not there.
 * @param request - as read by `parseSipRequest`
 * @param options - which header names the caller, and the numbering plan: as the verification service has them
 * @returns the facts, as the peer states them
 * @see RFC 3323 section 4.2, RFC 3325 section 9.3, RFC 5031 section 4.2, RFC 7090
 * @example
 * ```ts
 * const parsed = parseSipRequest(sampleInvite({ origTn: '12025550101' }));
 * if (parsed.status === 'malformed') throw new Error(parsed.reason);
 * const facts = callFacts(parsed.request);
 * console.log(facts.calling, facts.isEmergency); // 12025550101 false
 * ```
 */
export function callFacts(request: SipRequestText, options: PartyOptions = DEFAULT_VERIFICATION_POLICY): CallFacts {
  const { orig } = readParties(verificationRequestOf(request), options);
  const plan = options.numberingPlan;
  const from = headerValues(request, 'from').map(uriIn);
  const asserted = headerValues(request, 'p-asserted-identity').flatMap((value) => splitHeaderList(value));
  const numbers = [...from, ...asserted.map(uriIn)].map((uri) => (uri === undefined ? undefined : numberOf(uri, plan)));
  return {
    ...(orig?.kind === 'tn' && { calling: orig.value }),
    statedNumbers: [...new Set(numbers.filter((number) => number !== undefined))],
    isEmergency: isEmergencyUri(request.requestUri, plan),
    isMarkedEmergency: isMarkedEmergency(request, plan),
    isAnonymous:
      headerValues(request, 'privacy').some((value) => HIDDEN.test(value)) ||
      from.some((uri) => uri !== undefined && isAnonymousUri(uri)),
    isSigned: headerValues(request, 'identity').some((value) => value.trim() !== ''),
  };
}

/**
 * What can be told of a request that cannot be read: whether its first line is headed to an emergency service.
 * @param raw - may be anything
 * @internal
 */
export function factsOfUnreadable(raw: unknown, plan: NumberingPlan): CallFacts {
  const [, requestUri = ''] = typeof raw === 'string' ? raw.slice(0, MAX_FIRST_LINE).trimStart().split(/\s/, 2) : [];
  return {
    statedNumbers: [],
    isEmergency: isEmergencyUri(requestUri, plan),
    isMarkedEmergency: false,
    isAnonymous: false,
    isSigned: false,
  };
}

/** More than any Request-URI that leads somewhere. */
const MAX_FIRST_LINE = 2_048;

function isEmergencyUri(text: string, plan: NumberingPlan): boolean {
  if (EMERGENCY_URI.test(text) || EMERGENCY_SERVICE.test(text)) return true;
  const read = parseSipUri(text);
  return read.status === 'parsed' && telephoneNumberOfUri(read.uri, plan).kind === 'emergency';
}

function isMarkedEmergency(request: SipRequestText, plan: NumberingPlan): boolean {
  // The To stays as it was dialled where the Request-URI has become that of an answering point, which is no number of somebody else.
  const target = parseSipUri(request.requestUri);
  const isNumber = target.status === 'parsed' && numberOf(target.uri, plan) !== undefined;
  const to = headerValues(request, 'to').map(addressIn)[0];
  if (!isNumber && to !== undefined && isEmergencyUri(to, plan)) return true;
  if (headerValues(request, 'priority').some((value) => value.trim().toLowerCase() === 'psap-callback')) return true;
  return headerValues(request, 'resource-priority').some((value) => EMERGENCY_NAMESPACE.test(value));
}

function numberOf(uri: SipUri, plan: NumberingPlan): CanonicalTn | undefined {
  if (isAnonymousUri(uri)) return undefined;
  const number = telephoneNumberOfUri(uri, plan);
  return number.kind === 'none' ? undefined : number.tn;
}

function addressIn(value: string): string | undefined {
  const address = parseNameAddr(value);
  return address.status === 'parsed' ? address.uri : undefined;
}

function uriIn(value: string): SipUri | undefined {
  const address = addressIn(value);
  const read = address === undefined ? undefined : parseSipUri(address);
  return read?.status === 'parsed' ? read.uri : undefined;
}
