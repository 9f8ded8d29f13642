import { splitIdentityHeader } from '../../core/sip-request.js';
import type { CertificatePathResult } from '../certificates/path.js';
import type { CertificateLookup } from '../certificates/repository.js';
import { ES256_SIGNATURE_OCTETS } from '../es256.js';
import type { SignatureJob } from '../es256.js';
import type { PassportType } from '../passport-types/passport-type.js';
import { layDivChains, mendDivChains, composeVerdict } from './verdict.js';
import { HEADER_STEPS } from './header-steps.js';
import type { CallVerdict } from './outcome.js';
import type { VerificationPolicy } from './policy.js';
import { readParties } from './request.js';
import type { VerificationRequest } from './request.js';
import { fail, namesOfSteps, openToken, runSteps } from './step.js';
import type { RequestContext, Token } from './step.js';
import { CERTIFICATE_STEPS, REQUEST_STEPS, SIGNATURE_STEPS } from './steps.js';
import type { Conclusion, StartedVerification } from './verdict.js';

/**
 * Most Identity headers that are looked at in one request. A call with five diversions and an rcd has seven; each further one
 * may cost a certificate fetch and a signature check.
 */
export const MAX_IDENTITY_HEADERS = 16;

/**
 * A verification under way: which certificates it needs. It belongs to one run through the three parts, which write what they find
 * into it. No IO happens in here.
 */
export interface PendingVerification {
  /** The x5u URLs whose certificates are needed, each once. Empty when nothing is left to check. */
  readonly x5uUrls: readonly string[];
}

/**
 * First part of a verification: everything that needs neither certificate nor key. For those who fetch in their own way, or
 * replay captures; {@link VerificationService} makes all three parts, in this order, with the fetching between:
 * `startVerification`, {@link checkCertificates}, {@link concludeVerification}. Never throws for peer input.
 * @param request - header values of one SIP request; of more than 16 Identity headers the first ones
 * are looked at
 * @param options - policy, PASSporT types and time
 * @returns what is under way. Its `x5uUrls` are the URLs that were permitted as text and not yet looked up
 * @see RFC 8224 section 6.2
 * @example
 * ```ts
 * const signer = new TestPki().issueServiceProvider({ spc: '1234' });
 * const identity = createPassport({ signer, x5u: 'https://certs.example/1234.pem' }).identityHeader;
 * const request = { identity, from: '<sip:+12025550101@a.example>', to: '<sip:+12025550199@b.example>' };
 * const types = new Map(PASSPORT_TYPES.map((type) => [type.ppt, type]));
 * const pending = startVerification(request, { policy: verificationPolicy(), types, nowMs: TEST_NOW_MS });
 * console.log(pending.x5uUrls[0]); // https://certs.example/1234.pem
 * ```
 */
export function startVerification(
  request: VerificationRequest,
  options: {
    /** As {@link verificationPolicy} makes it. */
    readonly policy: VerificationPolicy;
    /** PASSporT types by ppt: those of {@link PASSPORT_TYPES} as a rule. */
    readonly types: ReadonlyMap<string | undefined, PassportType>;
    /** The instant that freshness is measured at, milliseconds since the epoch. */
    readonly nowMs: number;
  },
): PendingVerification {
  const { policy, types, nowMs } = options;
  return start(request, { policy, types, headerCache: undefined, stepNames: namesOfSteps }, nowMs);
}

/** As {@link startVerification}, with what a service remembers from call to call. */
export function start(
  request: VerificationRequest,
  remembered: Omit<RequestContext, 'parties' | 'nowMs'>,
  nowMs: number,
): StartedVerification {
  const { policy, types, headerCache, stepNames } = remembered;
  const parties = readParties(request, policy);
  const context: RequestContext = {
    policy,
    types,
    nowMs,
    headerCache,
    stepNames,
    parties,
  };
  const values = identityValues(request.identity);
  const tokens: Token[] = [];
  for (const value of values.slice(0, MAX_IDENTITY_HEADERS)) {
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
 * const signer = new TestPki().issueServiceProvider({ spc: '1234' });
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
  knowledge: (x5u: string) =>
    | {
        /** The chain that the URL yielded, not yet trusted, or why there is none. */
        readonly lookup: CertificateLookup;
        /** Of what was `found`; absent where no path could be searched for, which makes the verdict indeterminate. */
        readonly path?: CertificatePathResult;
        /** When the signed list of trust anchors behind the path runs out, milliseconds since the epoch. */
        readonly trustListExpMs?: number;
      }
    | undefined,
): readonly SignatureJob[] {
  const { tokens, context } = pending as StartedVerification;
  const jobs: TokenJob[] = [];
  for (const token of tokens) {
    const info = token.identityHeader?.info;
    if (token.isStopped || token.ignored || info === undefined) continue;
    const known = knowledge(info);
    token.lookup = known?.lookup;
    token.path = known?.path;
    token.trustListExpMs = known?.trustListExpMs;
    runSteps(CERTIFICATE_STEPS, token, context);
    if (isWorthChecking(token)) addJob(jobs, token);
  }
  return jobs;
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
 * const pki = new TestPki();
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
  jobs: readonly SignatureJob[],
  conclusion: Conclusion,
): CallVerdict {
  const { tokens, context } = pending as StartedVerification;
  for (let index = 0; index < jobs.length; index += 1) {
    const job = jobs[index] as Partial<TokenJob> | undefined;
    if (job?.token !== undefined) job.token.signatureValid = conclusion.signatures[index];
  }
  for (const token of tokens) {
    if (!token.ignored && (!token.isStopped || token.signatureValid !== undefined))
      runSteps(SIGNATURE_STEPS, token, context);
  }
  mendDivChains(tokens, context);
  return composeVerdict(pending as StartedVerification, conclusion);
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

/** A signature job that knows whose it is. */
export interface TokenJob extends SignatureJob {
  readonly token: Token;
}

function addJob(jobs: TokenJob[], token: Token): void {
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
