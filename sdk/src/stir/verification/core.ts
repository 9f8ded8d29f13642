import { hash } from 'node:crypto';
import type { EvidenceException, PassportEvidence, VerdictEvidence } from '../../core/verdict-evidence.js';
import type { Draft } from '../../core/text.js';
import { splitIdentityHeader } from '../../core/sip-request.js';
import type { Verstat } from '../../core/terms.js';
import { HopbackError } from '../../errors.js';
import type { CertificatePathResult } from '../certificates/path.js';
import type { CertificateLookup } from '../certificates/repository.js';
import { ES256_SIGNATURE_OCTETS } from '../es256.js';
import type { SignatureJob } from '../es256.js';
import type { PassportHeaderCache, ParsedPassport } from '../passport.js';
import type { PassportParty, PassportType } from '../passport-types/passport-type.js';
import { canonicalSigningInput } from '../passport.js';
import { chainOf, layDivChains, mendDivChains } from './div-chain.js';
import type { Seen } from './memory.js';
import { formatReasonHeader, formatReasonHeaders } from './outcome.js';
import type {
  CallVerdict,
  PassportSigner,
  ReasonHeaderOptions,
  VerificationFailure,
  VerificationOutcome,
  VerifiedPassport,
} from './outcome.js';
import type { VerificationPolicy } from './policy.js';
import { readParties } from './request.js';
import type { RequestParties, VerificationRequest } from './request.js';
import { FAILURE_REASONS, fail, namesOfSteps, openToken, runSteps } from './step.js';
import type { FailureReason, RequestContext, SipResponse, StepException, Token } from './step.js';
import { CERTIFICATE_STEPS, REPLAY_STEPS, REQUEST_STEPS, SIGNATURE_STEPS } from './steps.js';
import { HEADER_STEPS } from './header-steps.js';

/** Makes the one answer for a request out of what was found of each Identity header. */
function composeVerdict(pending: PendingVerification, conclusion: Conclusion): CallVerdict {
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

/**
 * Most Identity headers that are looked at in one request. A call with five diversions and an rcd has seven; each further one
 * may cost a certificate fetch and a signature check.
 */
export const MAX_IDENTITY_HEADERS = 16;

/** What the verification core is told. */
export interface VerificationCoreOptions {
  /** As {@link verificationPolicy} makes it. */
  readonly policy: VerificationPolicy;
  /** PASSporT types by ppt: those of {@link PASSPORT_TYPES} as a rule. */
  readonly types: ReadonlyMap<string | undefined, PassportType>;
  /** The instant that freshness is measured at, milliseconds since the epoch. */
  readonly nowMs: number;
  /** Where decoded header segments are remembered from call to call; without it each is decoded anew. */
  readonly headerCache?: PassportHeaderCache;
  /** Where lists of step names are remembered from call to call. */
  readonly stepNames?: RequestContext['stepNames'];
}

/**
 * A verification under way: which certificates it needs, and its tokens. It belongs to one run through the three parts, which
 * write what they find into the tokens. No IO happens in here.
 */
export interface PendingVerification {
  /** The x5u URLs whose certificates are needed, each once. Empty when nothing is left to check. */
  readonly x5uUrls: readonly string[];
  /** One per Identity header that is looked at, in the order of the request. For the next two parts; nothing else need look. */
  readonly tokens: readonly Token[];
  /** What the tokens share. For the next two parts. */
  readonly context: RequestContext;
  /** Identity header values that were not looked at because there were too many. */
  readonly surplus: number;
}

/** What is known of a certificate: the look-up, and the path built from its chain. */
export interface CertificateKnowledge {
  /** The chain that the URL yielded, not yet trusted, or why there is none. */
  readonly lookup: CertificateLookup;
  /** Of what was `found`; absent where no path could be searched for, which makes the verdict indeterminate. */
  readonly path?: CertificatePathResult;
  /** When the signed list of trust anchors behind the path runs out, milliseconds since the epoch. */
  readonly trustListExpMs?: number;
}

/** A signature that is worth checking, and whose it is. */
export interface TokenSignatureJob extends SignatureJob {
  /** The token that it decides about. */
  readonly token: Token;
}

/**
 * First part of a verification: everything that needs neither certificate nor key. For those who fetch in their own way, or
 * replay captures; {@link createVerificationService} makes all three parts, in this order, with the fetching between:
 * `startVerification`, {@link checkCertificates}, {@link concludeVerification}. Never throws for peer input.
 * @param request - header values of one SIP request; of more than {@link MAX_IDENTITY_HEADERS} Identity headers the first ones
 * are looked at
 * @param options - policy, PASSporT types and time
 * @returns what is under way. Its `x5uUrls` are the URLs that were permitted as text and not yet looked up
 * @see RFC 8224 section 6.2
 * @example
 * ```ts
 * const signer = (await createTestPki()).issueServiceProvider({ spc: '1234' });
 * const identity = createPassport({ signer, x5u: 'https://certs.example/1234.pem' }).identityHeader;
 * const request = { identity, from: '<sip:+12025550101@a.example>', to: '<sip:+12025550199@b.example>' };
 * const types = new Map(PASSPORT_TYPES.map((type) => [type.ppt, type]));
 * const pending = startVerification(request, { policy: verificationPolicy(), types, nowMs: TEST_NOW_MS });
 * console.log(pending.x5uUrls[0]); // https://certs.example/1234.pem
 * ```
 */
export function startVerification(request: VerificationRequest, options: VerificationCoreOptions): PendingVerification {
  const { policy, types, nowMs, headerCache, stepNames = namesOfSteps } = options;
  const parties = readParties(request, policy);
  const context: RequestContext = { policy, types, nowMs, headerCache, stepNames, parties };
  const values = identityValues(request.identity);
  const looked = values.length > MAX_IDENTITY_HEADERS ? values.slice(0, MAX_IDENTITY_HEADERS) : values;
  const tokens: Token[] = [];
  for (const value of looked) {
    const token = openToken(tokens.length, value);
    runSteps(HEADER_STEPS, token, context);
    tokens.push(token);
  }
  setAsideUnknownTypes(tokens, policy);
  layDivChains(tokens, context);
  const urls: string[] = [];
  for (const token of tokens) {
    if (token.ignored) continue;
    runSteps(REQUEST_STEPS, token, context);
    const info = token.identityHeader?.info;
    if (!token.isStopped && info !== undefined && !urls.includes(info)) urls.push(info);
  }
  return { x5uUrls: urls, tokens, context, surplus: Math.max(0, values.length - MAX_IDENTITY_HEADERS) };
}

/**
 * Second part: holds each token against the certificate that its x5u yielded: path, revocation, authority over the number,
 * claim constraints. Writes what it finds into the tokens of `pending`: call it once. Never throws for peer input.
 * @param pending - of {@link startVerification}
 * @param knowledge - what is known of a URL of `pending.x5uUrls`; undefined where nothing is, which makes the verdict
 * indeterminate. Called once per token; must not throw
 * @returns the signatures that are worth checking, for a {@link SignatureChecker}. Empty where nothing is left to check
 * @see RFC 8224 section 6.2 steps 3 and 4, RFC 8226, ATIS-1000080
 * @example
 * ```ts
 * const signer = (await createTestPki()).issueServiceProvider({ spc: '1234' });
 * const identity = createPassport({ signer, x5u: 'https://certs.example/1234.pem' }).identityHeader;
 * const request = { identity, from: '<sip:+12025550101@a.example>', to: '<sip:+12025550199@b.example>' };
 * const types = new Map(PASSPORT_TYPES.map((type) => [type.ppt, type]));
 * const pending = startVerification(request, { policy: verificationPolicy(), types, nowMs: TEST_NOW_MS });
 * // Nobody could fetch the certificate, so that there is no signature to check.
 * const jobs = checkCertificates(pending, () => undefined);
 * console.log(jobs.length); // 0
 * ```
 */
export function checkCertificates(
  pending: PendingVerification,
  knowledge: (x5u: string) => CertificateKnowledge | undefined,
): readonly TokenSignatureJob[] {
  const jobs: TokenSignatureJob[] = [];
  for (const token of pending.tokens) {
    const info = token.identityHeader?.info;
    if (token.isStopped || token.ignored || info === undefined) continue;
    const known = knowledge(info);
    token.lookup = known?.lookup;
    token.path = known?.path;
    token.trustListExpMs = known?.trustListExpMs;
    runSteps(CERTIFICATE_STEPS, token, pending.context);
    if (isWorthChecking(token)) addJob(jobs, token);
  }
  return jobs;
}

/** What the last part is told. */
export interface Conclusion {
  /** Result per job, in order; undefined where a check was not made in time. */
  readonly signatures: readonly (boolean | undefined)[];
  /** Counts a call key; absent when repeats are not counted. */
  readonly observe?: (callKey: string) => Seen | undefined;
  /** Name of the set of trust anchors, for the evidence. */
  readonly trustStore?: string;
}

/**
 * Last part: signatures, div chains over what proved good, and the verdict. Never throws for peer input.
 * @param pending - of {@link startVerification}, and through {@link checkCertificates} since
 * @param jobs - what {@link checkCertificates} returned
 * @param conclusion - one result per job, in order; how repeats are counted
 * @returns the verdict. `passed` rests on what `knowledge` and `signatures` said: whoever made them up made it up
 * @see RFC 8224 section 6.2 step 5, RFC 8946 section 5
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const provider = pki.issueServiceProvider({ spc: '1234' });
 * const [root, leaf, between] = [pki.root, provider, pki.intermediate].map(({ der }) => {
 *   const parsed = parseCertificate(der);
 *   if (parsed.status === 'malformed') throw new Error(parsed.detail);
 *   return parsed.certificate;
 * });
 * if (root === undefined || leaf === undefined || between === undefined) throw new Error('three were asked for');
 * const identity = createPassport({ signer: provider, x5u: 'https://certs.example/1234.pem' }).identityHeader;
 * const request = { identity, from: '<sip:+12025550101@a.example>', to: '<sip:+12025550199@b.example>' };
 * const types = new Map(PASSPORT_TYPES.map((type) => [type.ppt, type]));
 * // No CRL at hand: this policy lets the call pass with a note.
 * const policy = verificationPolicy({ revocationUnknown: 'accept' });
 * const pending = startVerification(request, { policy, types, nowMs: TEST_NOW_MS });
 * const jobs = checkCertificates(pending, (url) => {
 *   const chain = [leaf, between];
 *   const path = buildCertificatePath(chain, { trustAnchors: [root], atMs: TEST_NOW_MS });
 *   const freshUntilMs = TEST_NOW_MS + 3_600_000;
 *   return { lookup: { status: 'found', url, chain, fetchedAtMs: TEST_NOW_MS, freshUntilMs, notes: [] }, path };
 * });
 * const signatures = INLINE_SIGNATURE_CHECKER.check(jobs);
 * const verdict = concludeVerification(pending, jobs, { signatures });
 * console.log(verdict.verstat, verdict.attestation, verdict.signer?.spc); // TN-Validation-Passed A 1234
 * ```
 */
export function concludeVerification(
  pending: PendingVerification,
  jobs: readonly TokenSignatureJob[],
  conclusion: Conclusion,
): CallVerdict {
  for (let index = 0; index < jobs.length; index += 1) {
    const token = jobs[index]?.token;
    if (token !== undefined) token.signatureValid = conclusion.signatures[index];
  }
  for (const token of pending.tokens) {
    if (!token.ignored && (!token.isStopped || token.signatureValid !== undefined))
      runSteps(SIGNATURE_STEPS, token, pending.context);
  }
  mendDivChains(pending.tokens, pending.context);
  return composeVerdict(pending, conclusion);
}

function identityValues(identity: string | readonly string[] | undefined): readonly string[] {
  if (typeof identity === 'string') return identity === '' ? [] : valuesIn(identity);
  // What a header look-up gives where there is none, in JavaScript; whatever else is no text is no header either.
  if (!Array.isArray(identity)) return [];
  const values: readonly string[] = identity;
  return values.length === 1 && typeof values[0] === 'string'
    ? valuesIn(values[0])
    : values.filter(isText).flatMap(valuesIn);
}

const isText = (value: unknown): value is string => typeof value === 'string';

/** Nearly every request carries one header, and base64url has no commas. */
const valuesIn = (text: string): readonly string[] => (text.includes(',') ? splitIdentityHeader(text) : [text]);

/**
 * An unknown ppt is ignored, not failed, in profile rfc8224; in profile shaken too, as long as another header is of a known type:
 * a request signed with nothing but unknown types is row 5 of the table.
 * @see RFC 8224 section 6.2 step 1
 */
function setAsideUnknownTypes(tokens: readonly Token[], policy: VerificationPolicy): void {
  if (tokens.every(isOfKnownType)) return;
  const hasKnown = tokens.some(isOfKnownType);
  for (const token of tokens) {
    const isUnknown = token.type === undefined && token.identityHeader?.ppt !== undefined;
    token.ignored = isUnknown && (hasKnown || policy.profile === 'rfc8224');
  }
}

const isOfKnownType = (token: Token): boolean => token.type !== undefined;

/** A forged signature is a finding also where nobody knows what was revoked. */
function isWorthChecking(token: Token): boolean {
  return !token.isStopped || token.exceptions.every(({ result, step }) => result === 'noted' || step === 'revocation');
}

function addJob(jobs: TokenSignatureJob[], token: Token): void {
  const leaf = token.path?.status === 'trusted' ? token.path.path.certificates[0] : undefined;
  if (leaf === undefined || token.passport === undefined) return;
  const { signingInput, signature } = token.passport;
  if (leaf.publicKeyType !== ES256_KEY_TYPE) {
    const values = { expected: ES256_KEY_TYPE, actual: leaf.publicKeyType };
    token.exceptions.push(fail('certificate-path', 'public-key-not-permitted', values));
    token.isStopped = true;
  } else if (signature.length === ES256_SIGNATURE_OCTETS) {
    jobs.push({ publicKey: leaf.publicKey, signingInput, signature, token });
  } else {
    token.signatureValid = false;
  }
}

/** ES256 is ECDSA on P-256 and nothing else. @see RFC 7518 section 3.4 */
const ES256_KEY_TYPE = 'EC P-256';

/** What the evidence record is made of. */
interface EvidenceInput {
  readonly pending: PendingVerification;
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
