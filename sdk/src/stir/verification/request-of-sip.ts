import { headerValues } from '../../core/sip-request.js';
import type { SipRequestText } from '../../core/sip-request.js';
import type { VerificationRequest } from './request.js';

/**
 * Picks out of a SIP request what a verification service needs. Of From, To and Date the first counts. Never throws for peer
 * input.
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
export function verificationRequestOf(request: SipRequestText): VerificationRequest {
  const [from] = headerValues(request, 'from');
  const [to] = headerValues(request, 'to');
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
