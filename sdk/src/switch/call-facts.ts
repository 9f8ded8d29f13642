import { isAnonymousUri, parseNameAddr } from '../core/name-addr.js';
import { headerValues } from '../core/sip-request.js';
import type { SipRequestText } from '../core/sip-request.js';
import { parseSipUri, telephoneNumberOfUri } from '../core/sip-uri.js';
import type { SipUri } from '../core/sip-uri.js';
import type { NumberingPlan } from '../core/telephone-number.js';
import type { CanonicalTn } from '../core/terms.js';
import { DEFAULT_VERIFICATION_POLICY, readParties, verificationRequestOf } from '../stir/index.js';
import type { PartyOptions } from '../stir/index.js';

/** What a request says of itself that decides how its call may be treated. Nothing of it is verified. */
export interface CallFacts {
  /** The number that calls, as a verification service reads it; absent where there is none, or none without doubt. */
  readonly calling?: CanonicalTn;
  /** A call to an emergency service, or one by which that calls back. */
  readonly isEmergency: boolean;
  /** The caller does not want to be named: by Privacy, or by a From that names nobody. */
  readonly isAnonymous: boolean;
  /** Whether there is any Identity header. */
  readonly isSigned: boolean;
}

/** Emergency numbers of the countries that SHAKEN is spoken in, and of GSM. */
const EMERGENCY_NUMBERS: ReadonlySet<string> = new Set(['911', '112']);
/** @see RFC 5031 section 4.2 */
const EMERGENCY_SERVICE = /^urn:service:sos(?:\.|$)/i;
/** Kinds of privacy that hide who calls. @see RFC 3323 section 4.2, RFC 3325 section 9.3 */
const HIDDEN = /(?:^|[;,\s])(?:id|user|header)(?:$|[;,\s])/i;
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
  const from = headerValues(request, 'from').map(uriIn);
  return {
    ...(orig?.kind === 'tn' && { calling: orig.value }),
    isEmergency: isEmergency(request, options.numberingPlan),
    isAnonymous:
      headerValues(request, 'privacy').some((value) => HIDDEN.test(value)) ||
      from.some((uri) => uri !== undefined && isAnonymousUri(uri)),
    isSigned: headerValues(request, 'identity').some((value) => value.trim() !== ''),
  };
}

function isEmergency(request: SipRequestText, plan: NumberingPlan): boolean {
  const { requestUri } = request;
  if (EMERGENCY_SERVICE.test(requestUri)) return true;
  const target = parseSipUri(requestUri);
  if (target.status === 'parsed' && isEmergencyNumber(target.uri, plan)) return true;
  // The To stays as it was dialled where the Request-URI has become that of an answering point.
  const to = headerValues(request, 'to').map(addressIn)[0];
  if (to !== undefined && EMERGENCY_SERVICE.test(to)) return true;
  const dialled = to === undefined ? undefined : parseSipUri(to);
  if (dialled?.status === 'parsed' && isEmergencyNumber(dialled.uri, plan)) return true;
  if (headerValues(request, 'priority').some((value) => value.trim().toLowerCase() === 'psap-callback')) return true;
  return headerValues(request, 'resource-priority').some((value) => EMERGENCY_NAMESPACE.test(value));
}

function isEmergencyNumber(uri: SipUri, plan: NumberingPlan): boolean {
  const number = telephoneNumberOfUri(uri, plan);
  if (number.kind !== 'none') return EMERGENCY_NUMBERS.has(number.tn);
  return uri.user !== undefined && EMERGENCY_NUMBERS.has(uri.user.split(';', 1)[0] ?? '');
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
