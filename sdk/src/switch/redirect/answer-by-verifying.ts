import type { SipRequestText } from '../../core/sip-request.js';
import type { CallTreatment } from '../treat-call.js';
import type { SipRequestLike } from '../sip-request-like.js';
import { withoutParameters } from '../outbound-headers.js';
import { identify } from '../verify-identity.js';
import type { CallIdentity, VerifyIdentityOptions } from '../verify-identity.js';
import { nothingToSay, redirected, unavailable } from './answer.js';
import type { RedirectAnswer } from './answer.js';
import type { RedirectProfile } from './profile.js';
import type { ReadyRule } from './rule.js';

/** A request to be verified. */
export interface CallToVerify {
  readonly request: SipRequestLike;
  /** Absent where it cannot be read. */
  readonly text: SipRequestText | undefined;
  readonly rule: Extract<ReadyRule, { readonly mode: 'verify' }>;
}

/**
 * Verifies a call, and answers with what was found.
 * @param trouble - hears of what went wrong
 * @returns the answer, with what it rests on; `unavailable` where verification itself failed
 * @internal
 */
export async function answerByVerifying(
  call: CallToVerify,
  options: Omit<VerifyIdentityOptions, 'policyOf' | 'onTrouble'>,
  trouble: (error: unknown) => void,
): Promise<RedirectAnswer> {
  let hasFailed = false;
  const service: VerifyIdentityOptions['service'] = {
    async verify(request) {
      try {
        return await options.service.verify(request);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    },
  };
  const identity = await identify({ ...options, service, policyOf: () => call.rule.policy }, call.request, trouble);
  const { treatment } = identity;
  // A call that policy refuses whatever its verdict is, such as one from a number of nobody, ends all the same.
  if (hasFailed && treatment.action === 'continue') return { ...unavailable('verification-failed'), identity };
  const answer =
    treatment.action === 'reject' ? blocked(treatment, identity, call.rule.profile) : goesOn(identity, call);
  return { ...answer, identity };
}

function goesOn({ caller, verdict, treatment }: CallIdentity, { request, text, rule }: CallToVerify): RedirectAnswer {
  const { profile } = rule;
  const reason = profile.reason === 'told' ? treatment.reasonHeaders.join(', ') : '';
  if (text === undefined) return nothingToSay('unreadable', profile);
  const { callerField, attestationIndicatorField: attestationField, origIdIndicatorField: origIdField } = profile;
  const { attestation, origId } = verdict ?? {};
  const told = {
    ...(caller !== undefined && { [callerField]: withoutParameters(caller.value) }),
    ...(attestationField !== undefined && attestation !== undefined && { [attestationField]: attestation }),
    ...(origIdField !== undefined && origId !== undefined && { [origIdField]: origId }),
  };
  const headers = reason === '' ? {} : { Reason: reason };
  if (Object.keys(told).length === 0) {
    const answer = nothingToSay(verdict === undefined ? 'not-verified' : 'no-caller', profile);
    return { ...answer, headers: { ...answer.headers, ...headers } };
  }
  return redirected('verified', { ...told, ...headers }, { requestUri: text.requestUri, profile, request });
}

type Refusal = Extract<CallTreatment, { readonly action: 'reject' }>;

function blocked(refusal: Refusal, identity: CallIdentity, profile: RedirectProfile): RedirectAnswer {
  const { status, reasonPhrase, reasonHeaders, because } = refusal;
  const isKept = profile.refusals === 'as-decided' || status === 603;
  const reasons = isKept ? reasonHeaders : reasonsOf(refusal, identity);
  return {
    ...{ outcome: 'blocked', because },
    ...(isKept ? { status, reasonPhrase } : { status: 603, reasonPhrase: 'Decline' }),
    // The redress of a network block is not for a profile to leave out. @see 47 CFR 64.1200(k)(9)
    headers: reasons.length > 0 && (isKept || profile.reason === 'told') ? { Reason: reasons.join(', ') } : {},
  };
}

/** What the response would have been. @see RFC 9410 section 4, RFC 3326 section 2 */
function reasonsOf({ status, reasonPhrase, because }: Refusal, { verdict }: CallIdentity): readonly string[] {
  const isVerdict = because === 'failed' || because === 'unsigned' || because === 'indeterminate';
  const ofVerdict = isVerdict ? (verdict?.reasonHeaders ?? []) : [];
  return ofVerdict.length > 0 ? ofVerdict : [`SIP;cause=${String(status)};text="${reasonPhrase}"`];
}
