import { headerValues } from '../../core/sip-request.js';
import type { SipRequestText } from '../../core/sip-request.js';
import type { VerificationRequest } from './request.js';

/**
 * Picks out of a SIP request what a verification service needs.
 * @param request - as read by `parseSipRequest`
 * @see RFC 8224 section 6.2
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
