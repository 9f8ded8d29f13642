import type { JsonValue } from '../../core/json-text.js';
import { tnAuthListCovers } from '../certificates/tn-auth-list.js';
import { ES256_SIGNATURE_OCTETS } from '../es256.js';
import { canonicalJson } from '../passport.js';
import { claimedParty } from './request.js';
import { fail, note, numbered, unknown } from './step.js';
import type { NumberedStep, StepException, StepResult } from './step.js';
import type { RequestContext, Token } from './token.js';

/** The rules about the certificate; they need what a repository and a trust store know. */
export const CERTIFICATE_STEPS: readonly NumberedStep[] = numbered([
  {
    name: 'certificate-fetched',
    section: 'RFC 8224 section 6.2 step 3; ATIS-1000082 rows 7 and 8',
    rule: 'The certificate chain could be had from the x5u URL.',
    check: checkFetched,
  },
  {
    name: 'certificate-path',
    section: 'RFC 5280 section 6; RFC 8226; RFC 9060; ATIS-1000082 row 17',
    rule: 'A valid path leads from the certificate to a trust anchor.',
    check: checkPath,
  },
  {
    name: 'revocation',
    section: 'RFC 5280 section 6.3; ATIS-1000080',
    rule: 'No certificate of the path is revoked, as far as current CRLs tell.',
    check: checkRevocation,
  },
  {
    name: 'number-authority',
    section: 'RFC 8226 section 9; RFC 8946 section 4.1',
    rule: 'The TNAuthList of the certificate has the provider or covers the number that is spoken for.',
    check: checkAuthority,
  },
  {
    name: 'claim-constraints',
    section: 'RFC 8226 section 8; RFC 9118',
    rule: 'The claims keep to the constraints of the certificate.',
    check: checkConstraints,
  },
]);

/** The signature itself, and what is only looked at once it is good. */
export const SIGNATURE_STEPS: readonly NumberedStep[] = numbered([
  {
    name: 'signature',
    section: 'RFC 8224 section 6.2 step 5; ATIS-1000082 row 18',
    rule: 'The ES256 signature verifies with the key of the certificate.',
    check: checkSignature,
  },
]);

/** Made last, over the PASSporT that speaks for the caller. */
export const REPLAY_STEPS: readonly NumberedStep[] = numbered([
  {
    name: 'replay',
    section: 'RFC 8224 section 12.1',
    rule: 'The PASSporT has not been seen before, or policy takes repeats as evidence only.',
    check: checkReplay,
  },
]);

function checkFetched(token: Token, context: RequestContext): StepResult {
  const { lookup } = token;
  if (lookup === undefined) return unknown('certificate-fetched', 'time-budget-spent');
  if (lookup.status === 'refused') {
    return fail('certificate-fetched', 'info-invalid', { actual: lookup.reason, detail: lookup.detail });
  }
  if (lookup.status === 'unavailable') {
    return unknown('certificate-fetched', 'x5u-unreachable', { actual: lookup.reason, detail: lookup.detail });
  }
  if (context.nowMs > lookup.freshUntilMs) {
    return note('certificate-fetched', 'certificate-stale', { expected: context.nowMs, actual: lookup.freshUntilMs });
  }
  const [deviation] = lookup.notes;
  return deviation === undefined
    ? undefined
    : note('certificate-fetched', 'certificate-host-deviates', { detail: deviation });
}

function checkPath(token: Token, context: RequestContext): StepResult {
  if (token.path === undefined) {
    // Time was up, or chains that lead nowhere, in this call or in others, have used up what searches may cost.
    return token.lookup?.status === 'found'
      ? unknown('certificate-path', 'time-budget-spent', { detail: 'no time left to search the chain for a path' })
      : 'does-not-apply';
  }
  const expMs = token.trustListExpMs;
  // An expired list says nothing against the certificate: it is the verifier that has to fetch a new one.
  if (expMs !== undefined && context.nowMs >= expMs) {
    return unknown('certificate-path', 'trust-list-expired', { expected: context.nowMs, actual: expMs });
  }
  if (token.path.status === 'trusted') return undefined;
  return token.path.failures.map(({ reason, certificateSha256, expected, actual }): StepException =>
    fail('certificate-path', reason, {
      ...(expected === undefined ? undefined : { expected }),
      ...(actual === undefined ? undefined : { actual }),
      detail: `certificate ${certificateSha256}`,
    }),
  );
}

function checkRevocation(token: Token, context: RequestContext): StepResult {
  if (token.path?.status !== 'trusted') return 'does-not-apply';
  const { revocation } = token.path.path;
  if (revocation.status === 'good') return undefined;
  if (revocation.status === 'revoked') {
    const detail = `certificate ${revocation.certificateSha256}`;
    return fail('revocation', 'certificate-revoked', { actual: revocation.revokedAtMs, detail });
  }
  return context.policy.revocationUnknown === 'accept'
    ? note('revocation', 'revocation-unknown-accepted', { detail: revocation.detail })
    : unknown('revocation', 'revocation-unknown', { detail: revocation.detail });
}

/** An SPC speaks for all numbers of its provider, which no certificate lists; without one the number itself must be listed. */
function checkAuthority(token: Token, context: RequestContext): StepResult {
  if (token.path?.status !== 'trusted' || token.claims === undefined) return 'does-not-apply';
  const { tnAuthList } = token.path.path;
  if (tnAuthList.some((entry) => entry.kind === 'spc')) return undefined;
  const party = token.claims.div ?? token.claims.orig;
  const number = claimedParty(party, context.policy.numberingPlan);
  if (number?.kind === 'tn' && tnAuthListCovers(tnAuthList, number.value)) return undefined;
  return fail('number-authority', 'tn-not-authorized', { expected: 'a number of the TNAuthList', actual: party.value });
}

/** @see RFC 8226 section 8: claims that must be there, values that are permitted; RFC 9118: claims that must not be there */
function checkConstraints(token: Token): StepResult {
  const constraints = token.path?.status === 'trusted' ? token.path.path.jwtClaimConstraints : undefined;
  const payload = token.passport?.payload;
  if (constraints === undefined || payload === undefined) return 'does-not-apply';
  const broken: StepException[] = [];
  const violated = (expected: string, actual: string): void => {
    broken.push(fail('claim-constraints', 'claim-constraint-violated', { expected, actual }));
  };
  for (const claim of constraints.mustInclude) {
    if (!Object.hasOwn(payload, claim)) violated(`${claim} present`, 'absent');
  }
  for (const claim of constraints.mustExclude) {
    if (Object.hasOwn(payload, claim)) violated(`${claim} absent`, 'present');
  }
  for (const { claim, permitted } of constraints.permittedValues) {
    const value = Object.hasOwn(payload, claim) ? payload[claim] : undefined;
    if (value !== undefined && !permitted.includes(claimText(value))) {
      violated(`${claim}: ${permitted.join(' | ')}`, claimText(value));
    }
  }
  return broken.length === 0 ? undefined : broken;
}

const claimText = (value: JsonValue): string => (typeof value === 'string' ? value : canonicalJson(value));

function checkSignature(token: Token): StepResult {
  if (token.signatureValid === true) return undefined;
  if (token.signatureValid === undefined || token.passport === undefined)
    return unknown('signature', 'signature-unchecked');
  const octets = token.passport.signature.length;
  return octets === ES256_SIGNATURE_OCTETS
    ? fail('signature', 'signature-invalid')
    : fail('signature', 'signature-invalid', { expected: '64 octets (r, s)', actual: `${String(octets)} octets` });
}

function checkReplay(token: Token, context: RequestContext): StepResult {
  if (token.seen === undefined) return 'does-not-apply';
  if (token.seen.count <= 1) return undefined;
  const values = { expected: 1, actual: token.seen.count };
  return context.policy.rejectReplay ? fail('replay', 'replayed', values) : note('replay', 'seen-before', values);
}
