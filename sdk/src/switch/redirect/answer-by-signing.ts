import { headerValues } from '../../core/sip-request.js';
import type { SipRequestText } from '../../core/sip-request.js';
import { verificationRequestOf } from '../../stir/index.js';
import type { Attestation, AuthenticationService, SigningOutcome, SigningRequest } from '../../stir/index.js';
import type { SipRequestLike } from '../sip-request-like.js';
import { nothingToSay, redirected, unavailable } from './answer.js';
import type { RedirectAnswer } from './answer.js';
import type { ReadyRule } from './rule.js';

/** A rule for calls to be signed. */
type Rule = Extract<ReadyRule, { readonly mode: 'sign' }>;

/** A request to be signed. */
export interface CallToSign {
  readonly request: SipRequestLike;
  readonly text: SipRequestText;
  readonly rule: Rule;
}

/**
 * Refusals for what the SBC asks: another server would say the same. All others are of the key, the certificate or the signer here.
 * @see RFC 3261 section 21.5.4 for what a 503 has the SBC do
 */
const OF_THE_REQUEST: ReadonlySet<string> = new Set([
  ...['attestation-not-permitted', 'attestation-basis-missing', 'iat-not-current', 'request-invalid'],
  'claim-constraint',
]);

/**
 * Has a call signed, and answers with its signature.
 * @returns the answer, with what became of the signature; rejects with what the facts or the service throw
 * @internal
 */
export async function answerBySigning(
  call: CallToSign,
  service: Pick<AuthenticationService, 'sign'>,
): Promise<RedirectAnswer> {
  const signing = await service.sign(signingRequest(call));
  return { ...answerOf(signing, call), signing };
}

function answerOf(signing: SigningOutcome, { request, text, rule }: CallToSign): RedirectAnswer {
  const { profile } = rule;
  if (signing.status === 'not-signed') return nothingToSay(signing.reason, profile);
  if (signing.status === 'refused')
    return OF_THE_REQUEST.has(signing.reason) ? nothingToSay(signing.reason, profile) : unavailable(signing.reason);
  const [date] = signing.date === undefined ? headerValues(text, 'date') : [signing.date];
  const headers = {
    // drachtio-srf would join several by commas, and no verifier has to take a list apart.
    [profile.identityField]: signing.identityHeaders.join(`\r\n${profile.identityField}: `),
    ...(date !== undefined && { [profile.dateField]: date }),
  };
  return redirected('signed', headers, { requestUri: text.requestUri, profile, request });
}

function signingRequest({ request, text, rule }: CallToSign): SigningRequest {
  const facts = typeof rule.facts === 'function' ? rule.facts(request) : rule.facts;
  const { profile } = rule;
  const asked = firstField(text, profile.attestationFields);
  const origId = firstField(text, profile.origIdFields)?.value;
  // Whether it is one of the three the service finds out, and says so.
  const level = (asked?.value ?? rule.attestation?.level) as Attestation | undefined;
  const basis = asked === undefined ? rule.attestation?.basis : askedBy(asked.name, rule.name);
  return {
    ...verificationRequestOf(text),
    facts: { trunk: rule.name, ...facts },
    ...(level !== undefined && { attestation: level }),
    ...(basis !== undefined && { attestationBasis: basis }),
    ...(origId !== undefined && { origId }),
  };
}

/** For the record: what the level rests on. */
const askedBy = (field: string, rule: string): string =>
  `The SBC of trunk ${rule} asked for this level by the header field ${field} of the call.`;

function firstField(
  text: SipRequestText,
  names: readonly string[],
): { readonly name: string; readonly value: string } | undefined {
  for (const name of names) {
    const values = headerValues(text, name);
    // Two of them ask for nothing that is one level.
    if (values.length > 0) return { name, value: values.join(',').trim() };
  }
  return undefined;
}
