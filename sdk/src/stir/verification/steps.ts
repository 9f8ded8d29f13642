import type { JsonValue } from '../../core/json-text.js';
import { tnAuthListCovers } from '../certificates/tn-auth-list.js';
import { ES256_SIGNATURE_OCTETS } from '../es256.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import { canonicalJson } from '../passport.js';
import { HEADER_STEPS } from './header-steps.js';
import { MAX_INNER_AGE_SECONDS } from './policy.js';
import { claimedParty, isSameParty } from './request.js';
import { fail, note, numbered, unknown } from './step.js';
import type {
  NumberedStep,
  RequestContext,
  StepException,
  StepName,
  StepResult,
  Token,
  VerificationStep,
} from './step.js';

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

/** Apart from the others, since it is made late where a PASSporT that seemed to stand below a div stands alone after all. */
const DEST_STEP: VerificationStep = {
  name: 'dest',
  section: 'RFC 8224 section 6.2 step 2; RFC 8946 section 4.2; ATIS-1000082 row 16',
  rule: 'The dest claim has the called party of the request.',
  check: checkDest,
};

const DATE_STEP: VerificationStep = {
  name: 'date-fresh',
  section: 'RFC 8224 section 6.2 step 4; ATIS-1000082 row 3',
  rule: 'The Date of the request, if there is one, is fresh; a fresh iat makes up for it.',
  check: checkDate,
};

const IAT_STEP: VerificationStep = {
  name: 'iat-fresh',
  section: 'RFC 8224 section 6.2 step 4; RFC 8946 section 4.2; ATIS-1000082 row 15',
  rule: 'The PASSporT was issued within the freshness window.',
  check: checkIat,
};

/** The rules that are milder for a PASSporT below a div. */
export const STEPS_OUTSIDE_CHAINS: readonly NumberedStep[] = numbered([DATE_STEP, IAT_STEP, DEST_STEP]);

/** The rules that hold the claims against the request and the clock. The div chain has been laid before. */
export const REQUEST_STEPS: readonly NumberedStep[] = numbered([
  DATE_STEP,
  IAT_STEP,
  {
    name: 'orig',
    section: 'RFC 8224 section 6.2 step 2; ATIS-1000082 row 16',
    rule: 'The orig claim is the caller of the request.',
    check: checkOrig,
  },
  DEST_STEP,
  {
    name: 'div-chain',
    section: 'RFC 8946 section 4.2',
    rule: 'Each div PASSporT continues another one of the same call, the outermost up to the target of the request.',
    check: checkChain,
  },
]);

/** Whole seconds of the verifier's clock. */
const nowSeconds = (context: RequestContext): number => Math.floor(context.nowMs / 1000);

function checkDate(token: Token, context: RequestContext): StepResult {
  const { dateSeconds } = context.parties;
  if (dateSeconds === undefined) return 'does-not-apply';
  const now = nowSeconds(context);
  const limit = context.policy.freshnessSeconds;
  if (Math.abs(now - dateSeconds) <= limit) return undefined;
  const values = { expected: now, actual: dateSeconds, detail: `within ${String(limit)} s` };
  if (context.policy.dateFreshness === 'strict') return fail('date-fresh', 'date-stale', values);
  const iat = token.claims?.iatSeconds;
  if (iat !== undefined && Math.abs(now - iat) <= limit) return note('date-fresh', 'date-differs-from-iat', values);
  // What is forgiven the iat of a PASSporT below a div is forgiven the Date that goes with it: retargeting renews neither.
  return iat !== undefined && dateSeconds < now && isNotedOnly(token, iat, context)
    ? note('date-fresh', 'inner-iat-not-fresh', values)
    : fail('date-fresh', 'date-stale', values);
}

/** Whether the PASSporT stands below a div and policy takes its age as a remark. */
function isNotedOnly(token: Token, iatSeconds: number, context: RequestContext): boolean {
  const isInner = token.position === 'innermost' || token.position === 'between';
  const ageSeconds = nowSeconds(context) - iatSeconds;
  return isInner && context.policy.innerFreshness === 'note' && ageSeconds > 0 && ageSeconds <= MAX_INNER_AGE_SECONDS;
}

function checkIat(token: Token, context: RequestContext): StepResult {
  if (token.claims === undefined) return 'does-not-apply';
  const { iatSeconds } = token.claims;
  const now = nowSeconds(context);
  const limit = context.policy.freshnessSeconds;
  if (Math.abs(now - iatSeconds) <= limit) return undefined;
  const values = { expected: now, actual: iatSeconds, detail: `within ${String(limit)} s` };
  if (isNotedOnly(token, iatSeconds, context)) return note('iat-fresh', 'inner-iat-not-fresh', values);
  return fail('iat-fresh', iatSeconds < now ? 'iat-stale' : 'iat-in-future', values);
}

function checkOrig(token: Token, context: RequestContext): StepResult {
  if (token.claims === undefined) return 'does-not-apply';
  const actual = context.parties.orig;
  if (actual === undefined) return unknown('orig', 'orig-unusable', { actual: token.claims.orig.value });
  const claimed = token.claims.orig;
  if (!isSameParty(claimed, actual, context.policy.numberingPlan)) {
    return fail('orig', 'orig-mismatch', { expected: actual.value, actual: claimed.value });
  }
  return claimed.value === actual.value
    ? undefined
    : note('orig', 'orig-tn-not-canonical', { expected: actual.value, actual: claimed.value });
}

/** For a div PASSporT and what it covers, dest is a matter of the chain, not of the To header. */
function checkDest(token: Token, context: RequestContext): StepResult {
  if (token.claims === undefined || token.type?.role === 'diversion' || token.position === 'innermost') {
    return 'does-not-apply';
  }
  const { dest, target, isTargetUnreadable } = context.parties;
  const claimed = token.claims.dest;
  if (dest.length === 0) return unknown('dest', 'dest-unusable', { actual: listed(claimed) });
  const match = findSame(claimed, dest, context);
  if (match === undefined) return fail('dest', 'dest-mismatch', { expected: listed(dest), actual: listed(claimed) });
  if (isTargetUnreadable && context.policy.retargeting === 'require-div') {
    return unknown('dest', 'dest-unusable', { expected: 'a readable Request-URI', actual: listed(claimed) });
  }
  if (isRetargeted(claimed, target, context)) {
    return fail('dest', 'retarget-without-div', { expected: target?.value ?? '', actual: listed(claimed) });
  }
  return dest.some((party) => party.value === match.value)
    ? undefined
    : note('dest', 'dest-tn-not-canonical', { expected: listed(dest), actual: match.value });
}

/** Only numbers are compared: a Request-URI that names a user or a host is routing, not retargeting. */
function isRetargeted(
  claimed: readonly PassportParty[],
  target: PassportParty | undefined,
  context: RequestContext,
): boolean {
  if (context.policy.retargeting === 'accept' || target?.kind !== 'tn') return false;
  if (context.parties.dest.every((party) => party.kind === 'uri')) return false;
  return findSame(claimed, [target], context) === undefined;
}

function checkChain(token: Token, context: RequestContext): StepResult {
  if (token.claims?.div === undefined) return 'does-not-apply';
  if (token.position !== 'alone') return undefined;
  const values = { expected: listed(chainTargets(context)), actual: listed(token.claims.dest) };
  const step: StepName = 'div-chain';
  return findSame(token.claims.dest, chainTargets(context), context) === undefined
    ? fail(step, 'div-target-mismatch', values)
    : fail(step, 'div-chain-broken', { expected: token.claims.div.value, actual: 'no PASSporT with this dest' });
}

/** What the dest of the outermost div PASSporT has to be. @see RFC 8946 section 4.2 */
export function chainTargets(context: RequestContext): readonly PassportParty[] {
  const { target, dest } = context.parties;
  return target === undefined ? dest : [target];
}

/** The first claimed party that is one of the actual (canonical) ones. */
function findSame(
  claimed: readonly PassportParty[],
  actual: readonly PassportParty[],
  context: RequestContext,
): PassportParty | undefined {
  for (const party of claimed) {
    for (const other of actual) if (isSameParty(party, other, context.policy.numberingPlan)) return party;
  }
  return undefined;
}

const listed = (parties: readonly PassportParty[]): string => parties.map((party) => party.value).join(' ');

/** Every rule of the verification service with its source, in the order they are applied. */
export const VERIFICATION_STEPS: readonly VerificationStep[] = [
  ...HEADER_STEPS,
  ...REQUEST_STEPS,
  ...CERTIFICATE_STEPS,
  ...SIGNATURE_STEPS,
  ...REPLAY_STEPS,
];
