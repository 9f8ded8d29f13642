import { splitIdentityHeader } from '../../core/sip-request.js';
import type { CertificatePathResult } from '../certificates/path.js';
import type { CertificateLookup } from '../certificates/repository.js';
import type { PassportHeaderCache } from '../passport-header.js';
import type { PassportType } from '../passport-types/passport-type.js';
import { ES256_SIGNATURE_OCTETS } from '../es256.js';
import type { SignatureJob } from '../es256.js';
import { CERTIFICATE_STEPS, SIGNATURE_STEPS } from './certificate-steps.js';
import { layDivChains, mendDivChains } from './div-chain.js';
import { HEADER_STEPS } from './header-steps.js';
import type { CallVerdict } from './outcome.js';
import type { VerificationPolicy } from './policy.js';
import type { Seen } from './replay-memory.js';
import { readParties } from './request.js';
import type { VerificationRequest } from './request.js';
import { REQUEST_STEPS } from './request-steps.js';
import { fail, namesOfSteps, runSteps } from './step.js';
import { openToken } from './token.js';
import type { RequestContext, Token } from './token.js';
import { composeVerdict } from './verdict.js';

/**
 * Most Identity headers that are looked at in one request. A call with five diversions and an rcd has seven; each further one
 * may cost a certificate fetch and a signature check.
 */
export const MAX_IDENTITY_HEADERS = 16;

/** What the verification core is told. */
export interface VerificationCoreOptions {
  readonly policy: VerificationPolicy;
  readonly types: ReadonlyMap<string | undefined, PassportType>;
  readonly nowMs: number;
  readonly headerCache?: PassportHeaderCache;
  /** Where lists of step names are remembered from call to call. */
  readonly stepNames?: RequestContext['stepNames'];
}

/** A verification under way: which certificates it needs, and its tokens. No IO happens in here. */
export interface PendingVerification {
  /** The x5u URLs whose certificates are needed, each once. Empty when nothing is left to check. */
  readonly x5uUrls: readonly string[];
  readonly tokens: readonly Token[];
  readonly context: RequestContext;
  /** Identity header values that were not looked at because there were too many. */
  readonly surplus: number;
}

/** What is known of a certificate: the look-up, and the path built from its chain. */
export interface CertificateKnowledge {
  readonly lookup: CertificateLookup;
  /** Present when `lookup` is `found`. */
  readonly path?: CertificatePathResult;
  /** When the signed list of trust anchors behind the path runs out, milliseconds since the epoch. */
  readonly trustListExpMs?: number;
}

/** A signature that is worth checking, and whose it is. */
export interface TokenSignatureJob extends SignatureJob {
  readonly token: Token;
}

/** First part of a verification: everything that needs neither certificate nor key. Never throws for peer input. */
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

/** Second part: the certificates. Returns the signatures that are worth checking. Never throws for peer input. */
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

/** Last part: signatures, div chains over what proved good, and the verdict. Never throws for peer input. */
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

function identityValues(identity: string | readonly string[]): readonly string[] {
  if (typeof identity === 'string') return identity === '' ? [] : valuesIn(identity);
  return identity.length === 1 && identity[0] !== undefined ? valuesIn(identity[0]) : identity.flatMap(valuesIn);
}

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
