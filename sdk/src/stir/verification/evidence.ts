import { hash } from 'node:crypto';
import type { Draft } from '../../core/draft.js';
import type { Verstat } from '../../core/terms.js';
import type { EvidenceException, PassportEvidence, VerdictEvidence } from '../../core/call-record.js';
import type { ParsedPassport } from '../passport.js';
import type { PassportParty } from '../passport-types/passport-type.js';
import type { Conclusion, PendingVerification } from './core.js';
import type { VerificationOutcome } from './outcome.js';
import type { RequestParties } from './request.js';
import type { RequestContext, Token } from './token.js';

/** What the evidence record is made of. */
export interface EvidenceInput {
  readonly pending: PendingVerification;
  readonly outcomes: readonly VerificationOutcome[];
  readonly conclusion: Conclusion;
  /** The PASSporT that decided. */
  readonly caller: Token | undefined;
  readonly verstat: Verstat;
}

/** Writes down what was checked, against which values and certificate, and when. */
export function composeEvidence(input: EvidenceInput): VerdictEvidence {
  const { pending, outcomes, conclusion, caller, verstat } = input;
  const { policy, parties, nowMs } = pending.context;
  const out: Draft<VerdictEvidence> = {
    format: 'hopback.verdict-evidence.1',
    checkedAtMs: nowMs,
    profile: policy.profile,
    freshnessSeconds: policy.freshnessSeconds,
    verstat,
    request: requestEvidence(parties),
    passports: pending.tokens.map((token, index) =>
      passportEvidence(token, outcomes[index]?.status ?? 'ignored', pending.context),
    ),
  };
  if (pending.surplus > 0) out.surplusHeaders = pending.surplus;
  if (conclusion.trustStore !== undefined) out.trustStore = conclusion.trustStore;
  if (caller?.callKey !== undefined) out.callKey = caller.callKey;
  if (caller?.seen !== undefined) {
    out.seenCount = caller.seen.count;
    out.firstSeenMs = caller.seen.firstSeenMs;
  }
  return out;
}

function requestEvidence(parties: RequestParties): VerdictEvidence['request'] {
  const out: Draft<VerdictEvidence['request']> = {};
  if (parties.orig !== undefined) out.orig = parties.orig.value;
  if (parties.origSource !== undefined) out.origSource = parties.origSource;
  if (parties.dest[0] !== undefined)
    out.dest = parties.dest.length === 1 ? parties.dest[0].value : valuesOf(parties.dest).join(' ');
  if (parties.destSource !== undefined) out.destSource = parties.destSource;
  if (parties.target !== undefined) out.target = parties.target.value;
  if (parties.dateSeconds !== undefined) out.dateSeconds = parties.dateSeconds;
  return out;
}

function passportEvidence(token: Token, status: PassportEvidence['status'], context: RequestContext): PassportEvidence {
  const { identityHeader, passport, claims, path, lookup } = token;
  const out: Draft<PassportEvidence> = {
    index: token.index,
    status,
    passed: context.stepNames(token.passed),
    exceptions: token.exceptions.length === 0 ? NO_EXCEPTIONS : token.exceptions.map(exceptionEvidence),
  };
  if (identityHeader?.ppt !== undefined) out.ppt = identityHeader.ppt;
  if (identityHeader?.info !== undefined) out.x5u = identityHeader.info;
  if (passport !== undefined) out.signingInputSha256 = signingInputHash(token, passport);
  if (claims !== undefined) {
    out.orig = claims.orig.value;
    out.dest = valuesOf(claims.dest);
    out.iatSeconds = claims.iatSeconds;
    if (claims.div !== undefined) out.div = claims.div.value;
    if (claims.attestation !== undefined) out.attestation = claims.attestation;
    if (claims.origId !== undefined) out.origId = claims.origId;
  }
  const leaf = lookup?.status === 'found' ? lookup.chain[0] : undefined;
  if (leaf !== undefined) out.certificateSha256 = leaf.sha256;
  if (path?.status === 'trusted') {
    out.trustAnchorSha256 = path.path.trustAnchorSha256;
    if (path.path.spc !== undefined) out.spc = path.path.spc;
  }
  return out;
}

/** SHA-256 of what was signed, made once for a token. */
export function signingInputHash(token: Token, passport: ParsedPassport): string {
  token.signingInputSha256 ??= sha256Hex(passport.signingInput);
  return token.signingInputSha256;
}

/** Lower-case hex. */
export const sha256Hex = (text: string): string => hash('sha256', text, 'hex');

const NO_EXCEPTIONS: readonly EvidenceException[] = Object.freeze([]);

function exceptionEvidence(exception: Token['exceptions'][number]): EvidenceException {
  const { step, result, reason, expected, actual } = exception;
  return {
    step,
    result,
    reason,
    ...(expected === undefined ? undefined : { expected }),
    ...(actual === undefined ? undefined : { actual }),
  };
}

const valuesOf = (parties: readonly PassportParty[]): readonly string[] => parties.map((party) => party.value);
