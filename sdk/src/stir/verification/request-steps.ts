import type { PassportParty } from '../passport-types/passport-type.js';
import { MAX_INNER_AGE_SECONDS } from './policy.js';
import { isSameParty } from './request.js';
import { fail, note, numbered, unknown } from './step.js';
import type { NumberedStep, StepName, StepResult, VerificationStep } from './step.js';
import type { RequestContext, Token } from './token.js';

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
export const nowSeconds = (context: RequestContext): number => Math.floor(context.nowMs / 1000);

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
export function findSame(
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
