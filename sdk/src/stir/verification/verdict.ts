import type { Draft } from '../../core/draft.js';
import type { Verstat } from '../../core/terms.js';
import { HopbackError } from '../../errors.js';
import { canonicalSigningInput } from '../passport.js';
import type { ParsedPassport } from '../passport.js';
import { REPLAY_STEPS } from './certificate-steps.js';
import type { Conclusion, PendingVerification } from './core.js';
import { chainOf } from './div-chain.js';
import { composeEvidence, sha256Hex, signingInputHash } from './evidence.js';
import { FAILURE_REASONS } from './failure-reasons.js';
import type { FailureReason, SipResponse } from './failure-reasons.js';
import type {
  CallVerdict,
  PassportSigner,
  VerificationFailure,
  VerificationOutcome,
  VerifiedPassport,
} from './outcome.js';
import { formatReasonHeader, formatReasonHeaders } from './reason-header.js';
import type { ReasonHeaderOptions } from './reason-header.js';
import { runSteps } from './step.js';
import type { StepException } from './step.js';
import type { Token } from './token.js';

/** Makes the one answer for a request out of what was found of each Identity header. */
export function composeVerdict(pending: PendingVerification, conclusion: Conclusion): CallVerdict {
  const chains = chainsOf(pending);
  const hasRefused = countRepeats(chains, pending, conclusion);
  // A repeat that policy refuses makes a good chain a bad one.
  const decided = decide(hasRefused ? chainsOf(pending) : chains, pending);
  const outcomes = pending.tokens.map(outcomeOf);
  const caller = decided.tokens[0];
  const { status, verstat } = decided;
  const out: Draft<CallVerdict> = {
    status,
    verstat,
    reasonHeaders: reasonHeaders(decided, pending),
    reasons: reasonsOf(decided, pending),
    outcomes,
    evidence: composeEvidence({ pending, outcomes, conclusion, caller, verstat }),
  };
  if (decided.sip !== undefined) out.sipResponse = decided.sip;
  if (status === 'passed' && caller !== undefined) addCaller(out, outcomes[caller.index]);
  return out;
}

function addCaller(out: Draft<CallVerdict>, outcome: VerificationOutcome | undefined): void {
  if (outcome?.status !== 'passed') return;
  const { attestation, origId, signer } = outcome.passport;
  if (attestation !== undefined) out.attestation = attestation;
  if (origId !== undefined) out.origId = origId;
  out.signer = signer;
}

/** PASSporTs that stand or fall together: one that speaks for the caller, and the div PASSporTs bound to it. */
interface Chain {
  readonly tokens: readonly Token[];
  readonly status: CallVerdict['status'];
}

interface Decision extends Chain {
  readonly verstat: Verstat;
  readonly reason: FailureReason | undefined;
  readonly sip: SipResponse | undefined;
}

function chainsOf(pending: PendingVerification): readonly Chain[] {
  const active = pending.tokens.every(isActive) ? pending.tokens : pending.tokens.filter(isActive);
  // One header, and whatever policy says of several: as nearly every call has it.
  if (active.length < 2) return active.map((token) => chain([token]));
  const callers = active.filter((token) => token.type?.role === 'caller');
  if (pending.context.policy.verstatPriority === 'worst-of-all') {
    // The first one answers for the call, wherever its header stood.
    return [chain([...callers, ...active.filter((token) => token.type?.role !== 'caller')])];
  }
  // Headers that no known type speaks through decide only where nothing else does.
  if (callers.length === 0) return active.map((token) => chain([token]));
  return callers.map((caller) => chain(chainOf(caller)));
}

const isActive = (token: Token): boolean => !token.ignored;

function chain(tokens: readonly Token[]): Chain {
  let status: CallVerdict['status'] = 'indeterminate';
  for (const token of tokens) if (token.type?.role === 'caller') status = 'passed';
  for (const token of tokens) {
    if (!token.isStopped || status === 'failed') continue;
    status = statusOf(token);
  }
  return { tokens, status };
}

function statusOf(token: Token): CallVerdict['status'] {
  if (!token.isStopped) return 'passed';
  return token.exceptions.some((exception) => exception.result === 'failed') ? 'failed' : 'indeterminate';
}

/** A request fails only if all its chains fail; a good one decides. @see RFC 8224 section 6.2.1 */
function decide(chains: readonly Chain[], pending: PendingVerification): Decision {
  const best = chains.length < 2 ? chains[0] : chains.toSorted((a, b) => rank(a) - rank(b))[0];
  if (best === undefined) return decideWithoutChain(pending);
  const { tokens, status } = best;
  if (status === 'passed' && pending.surplus > 0 && pending.context.policy.verstatPriority === 'worst-of-all') {
    return { tokens, status: 'failed', ...meaning('too-many-identity-headers') };
  }
  if (status === 'passed')
    return { tokens, status, verstat: 'TN-Validation-Passed', reason: undefined, sip: undefined };
  const reason = primaryOf(best);
  if (reason === undefined) return { tokens, status, ...meaning('identity-absent') };
  const isTnFailed = tokens.some((token) =>
    failuresOf(token).some((failure) => FAILURE_REASONS[failure.reason].verstat === 'TN-Validation-Failed'),
  );
  const verstat = status === 'failed' && isTnFailed ? 'TN-Validation-Failed' : 'No-TN-Validation';
  return { tokens, status, reason, verstat, sip: responseFor(reason, pending) };
}

/** No header that applies: none at all, all of unknown types, or a good one may have been among those not looked at. */
function decideWithoutChain(pending: PendingVerification): Decision {
  const reason = pending.surplus > 0 ? 'too-many-identity-headers' : 'identity-absent';
  return { tokens: [], status: FAILURE_REASONS[reason].outcome, ...meaning(reason) };
}

/** What decides for a chain: of a failed one something that was found wrong, not something that could not be checked. */
function primaryOf({ tokens, status }: Chain): FailureReason | undefined {
  const reasons = tokens.flatMap(failuresOf).map((failure) => failure.reason);
  return reasons.find((reason) => FAILURE_REASONS[reason].outcome === status) ?? reasons[0];
}

function rank(candidate: Chain): number {
  const base = { passed: 0, indeterminate: 2, failed: 4 }[candidate.status];
  const primary = primaryOf(candidate);
  return primary !== undefined && FAILURE_REASONS[primary].sip?.status === BAD_IDENTITY_INFO ? base + 1 : base;
}

/**
 * 436 answers for the request only when none of its certificates could be had; else what was wrong with one that could.
 * @see RFC 8224 section 6.2.2
 */
function responseFor(reason: FailureReason, pending: PendingVerification): SipResponse | undefined {
  const { sip } = FAILURE_REASONS[reason];
  if (sip?.status !== BAD_IDENTITY_INFO) return sip;
  for (const token of pending.tokens) {
    const [primary] = token.lookup?.status === 'found' ? failuresOf(token) : [];
    const other = primary === undefined ? undefined : FAILURE_REASONS[primary.reason].sip;
    if (other !== undefined) return other;
  }
  return sip;
}

const BAD_IDENTITY_INFO = 436;

const meaning = (
  reason: FailureReason,
): { readonly verstat: Verstat; readonly reason: FailureReason; readonly sip: SipResponse | undefined } => ({
  reason,
  verstat: FAILURE_REASONS[reason].verstat,
  sip: FAILURE_REASONS[reason].sip,
});

/** Failures of a token, the one first that stands first in the table of ATIS-1000082; findings before open questions. */
function failuresOf(token: Token): readonly VerificationFailure[] {
  const failures = token.exceptions.filter((exception) => exception.result !== 'noted');
  if (failures.length < 2) return failures.map(failureOf);
  return failures.toSorted((a, b) => order(a) - order(b)).map(failureOf);
}

function order(exception: StepException): number {
  if (exception.result === 'noted') return Number.MAX_SAFE_INTEGER;
  return (exception.result === 'failed' ? 0 : 100) + (FAILURE_REASONS[exception.reason].condition ?? 0);
}

function failureOf(exception: StepException): VerificationFailure {
  const { result: _result, ...failure } = exception as Exclude<StepException, { result: 'noted' }>;
  return failure;
}

/**
 * The same header and claims are the same call, whatever the token looks like: spelled otherwise, signed once more, or with the
 * twin signature that anybody can make of a good one.
 */
function countRepeat(caller: Token, counted: Token[], work: RepeatWork): void {
  if (caller.passport === undefined || caller.path?.status !== 'trusted') return;
  const callKey = callKeyOf(caller, caller.passport);
  caller.callKey = callKey;
  const twin = counted.find((token) => token.callKey === callKey);
  const seen = twin?.seen ?? work.conclusion.observe?.(callKey);
  if (seen === undefined) return;
  caller.seen = seen;
  counted.push(caller);
  runSteps(REPLAY_STEPS, caller, work.pending.context);
}

function callKeyOf(token: Token, passport: ParsedPassport): string {
  return passport.isCanonical ? signingInputHash(token, passport) : sha256Hex(canonicalSigningInput(passport));
}

interface RepeatWork {
  readonly pending: PendingVerification;
  readonly conclusion: Conclusion;
}

/**
 * Counts every call that a good chain speaks for, once however many headers of this request repeat it. Says whether policy
 * refused one.
 */
function countRepeats(chains: readonly Chain[], pending: PendingVerification, conclusion: Conclusion): boolean {
  const counted: Token[] = [];
  let hasRefused = false;
  for (const { tokens, status } of chains) {
    if (status !== 'passed') continue;
    for (const token of tokens) {
      if (token.type?.role !== 'caller') continue;
      countRepeat(token, counted, { pending, conclusion });
      hasRefused ||= token.isStopped;
    }
  }
  return hasRefused;
}

function outcomeOf(token: Token): VerificationOutcome {
  const { index } = token;
  const ppt = token.identityHeader?.ppt;
  if (token.ignored) return { status: 'ignored', index, ppt };
  const notes = token.exceptions.length === 0 ? NO_NOTES : token.exceptions.filter(({ result }) => result === 'noted');
  const status = statusOf(token);
  if (status !== 'passed') return { status, index, ppt, failures: failuresOf(token), notes };
  return { status, index, passport: verifiedPassport(token), notes };
}

const NO_NOTES: readonly StepException[] = Object.freeze([]);

/** The one place where a {@link VerifiedPassport} is made: every step has passed. */
function verifiedPassport(token: Token): VerifiedPassport {
  const { claims, identityHeader } = token;
  const signer = signerOf(token);
  if (claims === undefined || identityHeader === undefined || signer === undefined || token.signatureValid !== true) {
    throw new HopbackError('internal', 'a PASSporT passed without claims, certificate or signature');
  }
  return { ppt: identityHeader.ppt, ...claims, signer } as unknown as VerifiedPassport;
}

function signerOf(token: Token): PassportSigner | undefined {
  const path = token.path?.status === 'trusted' ? token.path.path : undefined;
  const leaf = path?.certificates[0];
  const x5u = token.identityHeader?.info;
  if (path === undefined || leaf === undefined || x5u === undefined) return undefined;
  const signer = { certificateSha256: leaf.sha256, subject: leaf.subject.text, x5u };
  return path.spc === undefined ? signer : { spc: path.spc, ...signer };
}

/** One Reason per header that did not verify, also beside a good one; all of them short enough to arrive. @see RFC 9410 section 5 */
function reasonHeaders(decided: Decision, pending: PendingVerification): readonly string[] {
  if (decided.tokens.length === 0 && decided.sip !== undefined) {
    return [formatReasonHeader({ response: decided.sip, ppi: 'none' })];
  }
  if (pending.tokens.every((token) => !token.isStopped)) return NO_HEADERS;
  const { ppi } = pending.context.policy;
  const reasons = pending.tokens.flatMap((token): readonly ReasonHeaderOptions[] => {
    if (token.ignored) return [];
    const [primary] = failuresOf(token);
    const response = primary === undefined ? undefined : FAILURE_REASONS[primary.reason].sip;
    if (response === undefined) return [];
    const text = token.identityHeader?.token;
    return [{ response, ppi, ...(text === undefined ? undefined : { token: text }) }];
  });
  return formatReasonHeaders(reasons);
}

const NO_HEADERS: readonly string[] = Object.freeze([]);

function reasonsOf(decided: Decision, pending: PendingVerification): readonly FailureReason[] {
  if (decided.status === 'passed' && pending.tokens.every((token) => !token.isStopped)) return [];
  const first = decided.reason === undefined ? [] : [decided.reason];
  const own = decided.tokens.flatMap(failuresOf);
  const others = pending.tokens
    .filter((token) => !token.ignored && !decided.tokens.includes(token))
    .flatMap(failuresOf);
  const surplus: readonly FailureReason[] = pending.surplus > 0 ? ['too-many-identity-headers'] : [];
  return [...new Set([...first, ...[...own, ...others].map((failure) => failure.reason), ...surplus])];
}
