import { headerValues } from '../../core/sip-request.js';
import type { SipRequestText } from '../../core/sip-request.js';
import type { VerificationRequest } from './request.js';

/**
 * Picks out of a SIP request what a verification service needs. A From or To that is there twice is handed
 * on as the list that nobody can read; of Date the first counts. Never throws for peer input.
 * @param request - as read by {@link parseSipRequest}
 * @returns the header values, untrusted text; members that the request lacks are absent
 * @see RFC 8224 section 6.2
 * @example
 * ```ts
 * const parsed = parseSipRequest(sampleInvite({ origTn: '12025550101' }));
 * if (parsed.status === 'malformed') throw new Error(parsed.reason);
 * const request = verificationRequestOf(parsed.request);
 * console.log(readParties(request, DEFAULT_VERIFICATION_POLICY).orig?.value); // 12025550101
 * ```
 */
export function verificationRequestOf(
  request: SipRequestText,
): VerificationRequest & { readonly identity: readonly string[] } {
  const from = onlyValue(headerValues(request, 'from'));
  const to = onlyValue(headerValues(request, 'to'));
  const [date] = headerValues(request, 'date');
  return {
    identity: headerValues(request, 'identity'),
    pAssertedIdentity: headerValues(request, 'p-asserted-identity'),
    requestUri: request.requestUri,
    ...(from === undefined ? undefined : { from }),
    ...(to === undefined ? undefined : { to }),
    ...(date === undefined ? undefined : { date }),
  };
}

/** One value per request is what the protocol allows; which of two a switch goes by is anybody's guess. @see RFC 3261 section 7.3.1 */
function onlyValue(values: readonly string[]): string | undefined {
  return values.length > 1 ? values.join(', ') : values[0];
}
