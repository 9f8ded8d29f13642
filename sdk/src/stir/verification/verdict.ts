import type { PassportParty } from '../passport-types/passport-type.js';
import { claimedParty } from './request.js';
import { chainTargets, STEPS_OUTSIDE_CHAINS, REPLAY_STEPS } from './steps.js';
import { forgetSteps, runSteps, FAILURE_REASONS } from './step.js';
import type {
  RequestContext,
  Token,
  FailureMeaning,
  FailureReason,
  StepException,
  VerificationFailure,
} from './step.js';
import { hash } from 'node:crypto';
import type { EvidenceException, PassportEvidence, VerdictEvidence } from '../../core/verdict-evidence.js';
import type { Draft } from '../../core/text.js';
import type { Verstat } from '../../core/telephone-number.js';
import { HopbackError } from '../../errors.js';
import type { ParsedPassport } from '../passport.js';
import { canonicalSigningInput } from '../passport.js';
import type { ReplayMemory } from './memory.js';
import { formatReasonHeader, formatReasonHeaders } from './outcome.js';
import type { CallVerdict, ReasonHeaderOptions, VerificationOutcome, VerifiedPassport } from './outcome.js';
import type { RequestParties } from './request.js';

/** A verification under way: its tokens, one per Identity header that is looked at, and what they share. */
export interface StartedVerification {
  readonly x5uUrls: readonly string[];
  readonly tokens: readonly Token[];
  readonly context: RequestContext;
  /** Identity header values that were not looked at because there were too many. */
  readonly surplus: number;
}

/** What the last part is told. */
export interface Conclusion {
  /** Result per job, in order; undefined where a check was not made in time. */
  readonly signatures: readonly (boolean | undefined)[];
  /** Counts a call key; absent when repeats are not counted. */
  readonly observe?: (callKey: string) => ReturnType<ReplayMemory['observe']> | undefined;
  /** Name of the set of trust anchors, for the evidence. */
  readonly trustStore?: string;
}

/** Makes the one answer for a request out of what was found of each Identity header. */
export function composeVerdict(pending: StartedVerification, conclusion: Conclusion): CallVerdict {
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
    evidence: composeEvidence({
      pending,
      outcomes,
      conclusion,
      caller,
      verstat,
    }),
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
  readonly sip: FailureMeaning['sip'];
}

function chainsOf(pending: StartedVerification): readonly Chain[] {
  const active = pending.tokens.every(isActive) ? pending.tokens : pending.tokens.filter(isActive);
  // One header, and whatever policy says of several: as nearly every call has it.
  if (active.length < 2) return active.map((token) => chainFrom([token]));
  const callers = active.filter((token) => token.type?.role === 'caller');
  if (pending.context.policy.verstatPriority === 'worst-of-all') {
    // The first one answers for the call, wherever its header stood.
    return [chainFrom([...callers, ...active.filter((token) => token.type?.role !== 'caller')])];
  }
  // Headers that no known type speaks through decide only where nothing else does.
  if (callers.length === 0) return active.map((token) => chainFrom([token]));
  return callers.map((caller) => chainFrom(chainOf(caller)));
}

const isActive = (token: Token): boolean => !token.ignored;

function chainFrom(tokens: readonly Token[]): Chain {
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
function decide(chains: readonly Chain[], pending: StartedVerification): Decision {
  const best = chains.length < 2 ? chains[0] : chains.toSorted((a, b) => rank(a) - rank(b))[0];
  if (best === undefined) return decideWithoutChain(pending);
  const { tokens, status } = best;
  if (status === 'passed' && pending.surplus > 0 && pending.context.policy.verstatPriority === 'worst-of-all') {
    return { tokens, status: 'failed', ...meaning('too-many-identity-headers') };
  }
  if (status === 'passed')
    return {
      tokens,
      status,
      verstat: 'TN-Validation-Passed',
      reason: undefined,
      sip: undefined,
    };
  const reason = primaryOf(best);
  if (reason === undefined) return { tokens, status, ...meaning('identity-absent') };
  const isTnFailed = tokens.some((token) =>
    failuresOf(token).some((failure) => FAILURE_REASONS[failure.reason].verstat === 'TN-Validation-Failed'),
  );
  const verstat = status === 'failed' && isTnFailed ? 'TN-Validation-Failed' : 'No-TN-Validation';
  return {
    tokens,
    status,
    reason,
    verstat,
    sip: responseFor(reason, pending),
  };
}

/** No header that applies: none at all, all of unknown types, or a good one may have been among those not looked at. */
function decideWithoutChain(pending: StartedVerification): Decision {
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
function responseFor(reason: FailureReason, pending: StartedVerification): FailureMeaning['sip'] {
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
): {
  readonly verstat: Verstat;
  readonly reason: FailureReason;
  readonly sip: FailureMeaning['sip'];
} => ({
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
function countRepeat(caller: Token, counted: Token[], { context }: StartedVerification, conclusion: Conclusion): void {
  if (caller.passport === undefined || caller.path?.status !== 'trusted') return;
  const callKey = callKeyOf(caller, caller.passport);
  caller.callKey = callKey;
  const twin = counted.find((token) => token.callKey === callKey);
  const seen = twin?.seen ?? conclusion.observe?.(callKey);
  if (seen === undefined) return;
  caller.seen = seen;
  counted.push(caller);
  runSteps(REPLAY_STEPS, caller, context);
}

function callKeyOf(token: Token, passport: ParsedPassport): string {
  return passport.isCanonical ? signingInputHash(token, passport) : sha256Hex(canonicalSigningInput(passport));
}

/**
 * Counts every call that a good chain speaks for, once however many headers of this request repeat it. Says whether policy
 * refused one.
 */
function countRepeats(chains: readonly Chain[], pending: StartedVerification, conclusion: Conclusion): boolean {
  const counted: Token[] = [];
  let hasRefused = false;
  for (const { tokens, status } of chains) {
    if (status !== 'passed') continue;
    for (const token of tokens) {
      if (token.type?.role !== 'caller') continue;
      countRepeat(token, counted, pending, conclusion);
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
  if (status !== 'passed')
    return {
      status,
      index,
      ppt,
      failures: failuresOf(token),
      notes,
    };
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

function signerOf(token: Token): CallVerdict['signer'] {
  const path = token.path?.status === 'trusted' ? token.path.path : undefined;
  const leaf = path?.certificates[0];
  const x5u = token.identityHeader?.info;
  if (path === undefined || leaf === undefined || x5u === undefined) return undefined;
  const signer = { certificateSha256: leaf.sha256, subject: leaf.subject.text, x5u };
  return path.spc === undefined ? signer : { spc: path.spc, ...signer };
}

/** One Reason per header that did not verify, also beside a good one; all of them short enough to arrive. @see RFC 9410 section 5 */
function reasonHeaders(decided: Decision, pending: StartedVerification): readonly string[] {
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

function reasonsOf(decided: Decision, pending: StartedVerification): readonly FailureReason[] {
  if (decided.status === 'passed' && pending.tokens.every((token) => !token.isStopped)) return [];
  const first = decided.reason === undefined ? [] : [decided.reason];
  const own = decided.tokens.flatMap(failuresOf);
  const others = pending.tokens
    .filter((token) => !token.ignored && !decided.tokens.includes(token))
    .flatMap(failuresOf);
  const surplus: readonly FailureReason[] = pending.surplus > 0 ? ['too-many-identity-headers'] : [];
  return [...new Set([...first, ...[...own, ...others].map((failure) => failure.reason), ...surplus])];
}

/** What the evidence record is made of. */
interface EvidenceInput {
  readonly pending: StartedVerification;
  readonly outcomes: readonly VerificationOutcome[];
  readonly conclusion: Conclusion;
  /** The PASSporT that decided. */
  readonly caller: Token | undefined;
  readonly verstat: Verstat;
}

/** Writes down what was checked, against which values and certificate, and when. */
function composeEvidence(input: EvidenceInput): VerdictEvidence {
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
function signingInputHash(token: Token, passport: ParsedPassport): string {
  token.signingInputSha256 ??= sha256Hex(passport.signingInput);
  return token.signingInputSha256;
}

/** Lower-case hex. */
const sha256Hex = (text: string): string => hash('sha256', text, 'hex');

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

/**
 * Lays the div chains of a request: from each PASSporT that speaks for the caller outwards, each div continuing the dest of
 * the one below and naming the same orig, until one reaches the target of the request. Writes `position` and `divChain`. Several
 * callers may stand below one div: which of them is good is not known yet. A div that could stand in a chain but does not gets a
 * position all the same: it is looked at, and may take the place of one that proves bad.
 *
 * Breadth first over at most as many tokens as a request may carry, so that headers made to branch cost little.
 * @param tokens - all of a request; those that are ignored or whose claims could not be read are left as they are
 * @see RFC 8946 section 4.2
 */
export function layDivChains(tokens: readonly Token[], context: RequestContext): void {
  const divs = tokens.filter(isReadableDiv);
  if (divs.length === 0) return;
  const isReadableCaller = (token: Token): boolean =>
    !token.ignored && token.type?.role === 'caller' && token.claims !== undefined;
  const callers = tokens.filter(isReadableCaller);
  const links = linksOf([...callers, ...divs], context);
  for (const caller of callers) {
    const chain = reachTarget(caller, divs, links);
    if (chain === undefined) continue;
    caller.position = 'innermost';
    caller.divChain = chain;
  }
  placeDivs(callers, divs, links);
}

/**
 * The chains were laid before signatures were known. Where a bad div stands in one, it is laid again over the good ones; a caller
 * whose dest is the target anyway needs none. Where neither helps, the first laying stands and says what is wrong.
 *
 * Each caller is looked at by itself, and none leaves its chain without having its dest checked.
 */
export function mendDivChains(tokens: readonly Token[], context: RequestContext): void {
  const broken = tokens.filter(isBroken);
  if (broken.length === 0) return;
  const divs = tokens.filter((token) => isReadableDiv(token) && !token.isStopped);
  const links = linksOf([...broken, ...divs], context);
  for (const caller of broken) {
    const chain = reachTarget(caller, divs, links);
    if (chain !== undefined) caller.divChain = chain;
    else if (links.isAtTarget(caller)) {
      caller.position = 'alone';
      caller.divChain = [];
      // Below a div its age was only noted and its dest not looked at: without the div both have to stand by themselves.
      forgetSteps(STEPS_OUTSIDE_CHAINS, caller);
      runSteps(STEPS_OUTSIDE_CHAINS, caller, context);
    }
  }
}

const isReadableDiv = (token: Token): boolean => !token.ignored && token.claims?.div !== undefined;

/** The tokens of a chain from the caller's PASSporT outwards. */
export function chainOf(caller: Token): readonly Token[] {
  return caller.divChain.length === 0 ? [caller] : [caller, ...caller.divChain];
}

const isBroken = (token: Token): boolean => !token.isStopped && token.divChain.some((div) => div.isStopped);

type Links = ReturnType<typeof linksOf>;

/** Canonical once: a dest may list hundreds of numbers, and tokens are compared each with each. */
function linksOf(tokens: readonly Token[], context: RequestContext) {
  const keys = new Map(tokens.map((token) => [token, keysOf(token, context)]));
  const targets = keysOfParties(chainTargets(context), context);
  return {
    /** Whether the div PASSporT diverts the call that the token below it speaks of. */
    continues(div: Token, below: Token): boolean {
      const upper = keys.get(div);
      const lower = keys.get(below);
      if (upper?.div === undefined || lower?.orig === undefined) return false;
      // A number that diverts to itself diverts nothing: it would only lend an old PASSporT a new date.
      return lower.dest.has(upper.div) && !upper.dest.has(upper.div) && lower.orig === upper.orig;
    },
    /** Whether the div leads back to a number that has diverted the call before: such a chain lends an old PASSporT a new date. */
    returns: (div: Token, below: readonly Token[]) =>
      below.some((earlier) => {
        const diverted = keys.get(earlier)?.div;
        return diverted !== undefined && keys.get(div)?.dest.has(diverted) === true;
      }),
    /** Whether the dest is where the request is headed. */
    isAtTarget: (token: Token) => targets.some((target) => keys.get(token)?.dest.has(target) === true),
  };
}

interface Keys {
  readonly orig: string | undefined;
  readonly dest: ReadonlySet<string>;
  readonly div: string | undefined;
}

function keysOf({ claims }: Token, context: RequestContext): Keys {
  const [orig] = claims === undefined ? [] : keysOfParties([claims.orig], context);
  const [div] = claims?.div === undefined ? [] : keysOfParties([claims.div], context);
  return { orig, div, dest: new Set(keysOfParties(claims?.dest ?? [], context)) };
}

function keysOfParties(parties: readonly PassportParty[], context: RequestContext): readonly string[] {
  return parties.flatMap((party) => {
    const canonical = claimedParty(party, context.policy.numberingPlan);
    return canonical === undefined ? [] : [`${canonical.kind} ${canonical.value}`];
  });
}

interface Reached {
  readonly div: Token;
  readonly below: Reached | undefined;
}

/** The shortest chain of divs from a caller's PASSporT to the target, from the inside out. */
function reachTarget(caller: Token, divs: readonly Token[], links: Links): readonly Token[] | undefined {
  const free = new Set(divs);
  let frontier: readonly (Reached | undefined)[] = [undefined];
  while (frontier.length > 0) {
    const next: Reached[] = [];
    for (const below of frontier) {
      for (const div of free) {
        if (!links.continues(div, below?.div ?? caller) || links.returns(div, insideOut(below))) continue;
        free.delete(div);
        const reached = { div, below };
        if (links.isAtTarget(div)) return insideOut(reached);
        next.push(reached);
      }
    }
    frontier = next;
  }
  return undefined;
}

function insideOut(outermost: Reached | undefined): readonly Token[] {
  const chain: Token[] = [];
  for (let at = outermost; at !== undefined; at = at.below) chain.push(at.div);
  return chain.reverse();
}

/** Every div on some way from a caller to the target; one that is at the target is the outermost of its chain. */
function placeDivs(callers: readonly Token[], divs: readonly Token[], links: Links): void {
  const fromCaller = closure(callers, divs, (next, at) => links.continues(next, at));
  const last = divs.filter(links.isAtTarget);
  const toTarget = closure(last, divs, (next, at) => links.continues(at, next));
  for (const div of divs) {
    if (!fromCaller.has(div)) continue;
    if (last.includes(div)) div.position = 'outermost';
    else if (toTarget.has(div)) div.position = 'between';
  }
}

/** All divs that can be reached from the given tokens, step by step. */
function closure(
  from: readonly Token[],
  divs: readonly Token[],
  isStep: (next: Token, at: Token) => boolean,
): ReadonlySet<Token> {
  const reached = new Set<Token>();
  const queue = [...from];
  for (let at = queue.pop(); at !== undefined; at = queue.pop()) {
    for (const div of divs) {
      if (reached.has(div) || !isStep(div, at)) continue;
      reached.add(div);
      queue.push(div);
    }
  }
  return reached;
}
