import type { Clock } from '../../core/clock.js';
import { HopbackError } from '../../errors.js';
import type { CertificateLookup, CertificateRepository } from '../certificates/repository.js';
import type { TrustStore } from '../certificates/trust-store.js';
import { createHeaderCache } from '../passport-header.js';
import type { PassportHeaderCache } from '../passport-header.js';
import type { PassportType } from '../passport-types/passport-type.js';
import { PASSPORT_TYPES, passportTypeRegistry } from '../passport-types/registry.js';
import { checkCertificates, concludeVerification, startVerification } from './core.js';
import type { CertificateKnowledge, PendingVerification, TokenSignatureJob, VerificationCoreOptions } from './core.js';
import type { CallVerdict } from './outcome.js';
import { createPathMemory } from './path-memory.js';
import { verificationPolicy } from './policy.js';
import type { VerificationPolicy } from './policy.js';
import { createReplayMemory } from './replay-memory.js';
import type { ReplayMemory, Seen } from './replay-memory.js';
import type { VerificationRequest } from './request.js';
import { checkInline, INLINE_SIGNATURE_CHECKER } from './signature-checker.js';
import type { SignatureChecker } from './signature-checker.js';

/**
 * Time a call may spend waiting for certificates and signature threads. A caller hears ringing after one to two seconds
 * without the call being thought dead; half of that is left to everything else.
 */
export const DEFAULT_TIME_BUDGET_MS = 500;

/** What a verification service is made of. */
export interface VerificationServiceOptions {
  /** Where certificates come from; owned by the caller, who closes it. */
  readonly certificates: CertificateRepository;
  /** Who may issue them. */
  readonly trustStore: TrustStore;
  readonly clock: Clock;
  readonly policy?: Partial<VerificationPolicy>;
  /** Per call, milliseconds; when it runs out the verdict is indeterminate, never late. Default {@link DEFAULT_TIME_BUDGET_MS}. */
  readonly timeBudgetMs?: number;
  /** Default: in the calling thread. */
  readonly signatureChecker?: SignatureChecker;
  /** Default: shaken, div and the PASSporT without extension. */
  readonly passportTypes?: readonly PassportType[];
  /** Default: a memory of its own, for as long as PASSporTs stay fresh. */
  readonly replayMemory?: ReplayMemory;
  /** Signature algorithms permitted in certification paths. Default ES256 and ES384. */
  readonly certificateAlgorithms?: readonly ('ES256' | 'ES384')[];
}

/** Answers for calls what their Identity headers are worth. */
export interface VerificationService {
  /**
   * Verifies the Identity headers of one request. With the certificate in memory this takes one signature check; a certificate
   * that is not is fetched within the time budget.
   * @returns the verdict; never rejects and never throws for peer input
   */
  readonly verify: (request: VerificationRequest, options?: VerifyOptions) => Promise<CallVerdict>;
  /**
   * As `verify`, at once and with what is in memory. A certificate that is not is fetched in the background, for the calls that
   * follow, and this one is indeterminate. Signatures are checked in the calling thread.
   */
  readonly verifyNow: (request: VerificationRequest) => CallVerdict;
  /** Judges all further calls by another trust store, as after a reload of the list of the STI-PA. */
  readonly useTrustStore: (trustStore: TrustStore) => void;
}

/** Per call. */
export interface VerifyOptions {
  /** Milliseconds; instead of that of the service. */
  readonly timeBudgetMs?: number;
}

/**
 * Makes a verification service: the STI-VS of a provider.
 * @param options - certificates, trust and clock; policy and limits where the defaults do not fit
 * @throws {@link HopbackError} `invalid-configuration` when the policy or the time budget is out of range
 * @see RFC 8224 section 6.2, ATIS-1000074
 * @example
 * ```ts
 * const service = createVerificationService({ certificates, trustStore, clock: { nowMs: Date.now } });
 * const verdict = await service.verify({ identity, from, to, requestUri });
 * ```
 */
export function createVerificationService(options: VerificationServiceOptions): VerificationService {
  const shell = openShell(options);
  const budgetMs = timeBudget(options.timeBudgetMs ?? DEFAULT_TIME_BUDGET_MS);
  return {
    verify: (request, call) =>
      verifyWithin(shell, request, call?.timeBudgetMs === undefined ? budgetMs : timeBudget(call.timeBudgetMs)),
    verifyNow: (request) => verifyAtOnce(shell, request),
    useTrustStore(trustStore) {
      shell.trustStore = trustStore;
    },
  };
}

interface Shell {
  readonly certificates: CertificateRepository;
  readonly checker: SignatureChecker;
  readonly policy: VerificationPolicy;
  readonly types: VerificationCoreOptions['types'];
  readonly headerCache: PassportHeaderCache;
  readonly clock: Clock;
  readonly paths: ReturnType<typeof createPathMemory>;
  readonly replays: ReplayMemory;
  trustStore: TrustStore;
}

type Lookups = Map<string, CertificateLookup>;

/** Longer than any call can wait, and what timers take. */
const MAX_TIME_BUDGET_MS = 60_000;

function openShell(options: VerificationServiceOptions): Shell {
  const policy = verificationPolicy(options.policy);
  return {
    certificates: options.certificates,
    checker: options.signatureChecker ?? INLINE_SIGNATURE_CHECKER,
    policy,
    types: passportTypeRegistry(options.passportTypes ?? PASSPORT_TYPES),
    headerCache: createHeaderCache(),
    clock: options.clock,
    paths: createPathMemory(options.certificateAlgorithms),
    // Fresh in either direction: a token dated a window ahead stays fresh for two.
    replays: options.replayMemory ?? createReplayMemory({ windowMs: 2000 * policy.freshnessSeconds }),
    trustStore: options.trustStore,
  };
}

function timeBudget(ms: number): number {
  if (Number.isFinite(ms) && ms >= 0 && ms <= MAX_TIME_BUDGET_MS) return ms;
  throw new HopbackError('invalid-configuration', `timeBudgetMs must be from 0 to ${String(MAX_TIME_BUDGET_MS)}`);
}

function verifyWithin(shell: Shell, request: VerificationRequest, budgetMs: number): Promise<CallVerdict> {
  const pending = start(shell, request);
  const lookups: Lookups = new Map();
  const missing = peekAll(shell, pending.x5uUrls, lookups);
  if (missing.length > 0) return fetchAndVerify(shell, { request, pending, lookups, missing, budgetMs });
  const jobs = jobsOf(shell, pending, lookups);
  if (jobs.length === 0) return Promise.resolve(conclude(shell, { pending, jobs, signatures: NO_RESULTS }));
  const signatures = checkSignatures(shell, jobs);
  if (signatures instanceof Promise) {
    return awaitSignatures(shell, { request, pending, lookups, jobs, budgetMs }, signatures);
  }
  if (!signatures.includes(false)) return Promise.resolve(conclude(shell, { pending, jobs, signatures }));
  return finishWithin(shell, { request, pending, lookups, jobs, signatures, deadline: openDeadline(budgetMs) });
}

/**
 * Waits for signatures that are checked in other threads. Every call comes this way where there are such threads, so it costs
 * one timer and two promises and no more.
 */
function awaitSignatures(
  shell: Shell,
  work: Omit<Unfinished, 'signatures' | 'deadline'> & { readonly budgetMs: number },
  checked: Promise<readonly (boolean | undefined)[]>,
): Promise<CallVerdict> {
  const { pending, jobs, budgetMs } = work;
  return new Promise((resolve) => {
    const startedMs = performance.now();
    let isOpen = true;
    const timer = setTimeout(() => {
      isOpen = false;
      resolve(conclude(shell, { pending, jobs, signatures: NO_RESULTS }));
    }, budgetMs);
    const answer = (signatures: readonly (boolean | undefined)[]): void => {
      if (!isOpen) return;
      clearTimeout(timer);
      if (signatures.includes(false)) {
        const deadline = openDeadline(Math.max(0, budgetMs - (performance.now() - startedMs)));
        resolve(finishWithin(shell, { ...work, signatures, deadline }));
      } else {
        resolve(conclude(shell, { pending, jobs, signatures }));
      }
    };
    // A checker that fails has checked nothing, and nothing is not false.
    checked.then(answer, () => {
      answer(NO_RESULTS);
    });
  });
}

function verifyAtOnce(shell: Shell, request: VerificationRequest): CallVerdict {
  const pending = start(shell, request);
  const lookups: Lookups = new Map();
  for (const url of peekAll(shell, pending.x5uUrls, lookups)) void shell.certificates.lookup(url);
  const jobs = jobsOf(shell, pending, lookups);
  const signatures = checkInline(jobs);
  for (const url of suspects(jobs, signatures)) void shell.certificates.revalidate(url);
  return conclude(shell, { pending, jobs, signatures });
}

function start(shell: Shell, request: VerificationRequest): PendingVerification {
  const { policy, types, headerCache } = shell;
  return startVerification(request, { policy, types, headerCache, nowMs: shell.clock.nowMs() });
}

/** Puts what is in memory into `lookups` and returns the URLs that are not. */
function peekAll(shell: Shell, urls: readonly string[], lookups: Lookups): readonly string[] {
  const missing: string[] = [];
  for (const url of urls) {
    const lookup = shell.certificates.peek(url);
    if (lookup === undefined) missing.push(url);
    else lookups.set(url, lookup);
  }
  return missing;
}

async function fetchAndVerify(
  shell: Shell,
  work: {
    readonly request: VerificationRequest;
    readonly pending: PendingVerification;
    readonly lookups: Lookups;
    readonly missing: readonly string[];
    readonly budgetMs: number;
  },
): Promise<CallVerdict> {
  const { request, pending, lookups, missing } = work;
  const deadline = openDeadline(work.budgetMs);
  const fetched = missing.map(async (url) => {
    lookups.set(url, await shell.certificates.lookup(url));
  });
  await Promise.race([Promise.all(fetched), deadline.over]);
  // A fetch that comes in later must not change what this call is being judged by.
  const known: Lookups = new Map(lookups);
  const jobs = jobsOf(shell, pending, known);
  const signatures = checkSignatures(shell, jobs);
  return finishWithin(shell, { request, pending, lookups: known, jobs, signatures, deadline });
}

interface Unfinished {
  readonly request: VerificationRequest;
  readonly pending: PendingVerification;
  readonly lookups: Lookups;
  readonly jobs: readonly TokenSignatureJob[];
  readonly signatures: ReturnType<SignatureChecker['check']>;
  readonly deadline: Deadline;
}

/** Waits for signatures as long as there is time; where one fails, a certificate rotated in place gets its second chance. */
async function finishWithin(shell: Shell, work: Unfinished): Promise<CallVerdict> {
  const { pending, jobs, deadline } = work;
  try {
    const signatures = await inTime(work.signatures, deadline);
    const renewed = await renewedLookups(shell, work, signatures);
    if (renewed === undefined) return conclude(shell, { pending, jobs, signatures });
    const again = start(shell, work.request);
    const jobsAgain = jobsOf(shell, again, renewed);
    const signaturesAgain = await inTime(checkSignatures(shell, jobsAgain), deadline);
    return conclude(shell, { pending: again, jobs: jobsAgain, signatures: signaturesAgain });
  } finally {
    deadline.close();
  }
}

async function inTime(
  signatures: ReturnType<SignatureChecker['check']>,
  deadline: Deadline,
): Promise<readonly (boolean | undefined)[]> {
  if (!(signatures instanceof Promise)) return signatures;
  // A checker that fails has checked nothing, and nothing is not false.
  const settled = signatures.catch(() => NO_RESULTS);
  return (await Promise.race([settled, deadline.over])) ?? NO_RESULTS;
}

/** A checker that throws has checked nothing either, and a call must not fail for it. */
function checkSignatures(shell: Shell, jobs: readonly TokenSignatureJob[]): ReturnType<SignatureChecker['check']> {
  try {
    return shell.checker.check(jobs);
  } catch {
    return NO_RESULTS;
  }
}

/** Lookups after a revalidation of what signatures failed against; undefined when nothing changed. */
async function renewedLookups(
  shell: Shell,
  work: Unfinished,
  signatures: readonly (boolean | undefined)[],
): Promise<Lookups | undefined> {
  const urls = suspects(work.jobs, signatures);
  if (urls.length === 0) return undefined;
  const answers = await Promise.race([Promise.all(urls.map(shell.certificates.revalidate)), work.deadline.over]);
  const renewed: Lookups = new Map(work.lookups);
  let isChanged = false;
  for (const answer of answers ?? []) {
    const before = work.lookups.get(answer.url);
    if (answer.status !== 'found' || before?.status !== 'found' || answer.chain === before.chain) continue;
    renewed.set(answer.url, answer);
    isChanged = true;
  }
  return isChanged ? renewed : undefined;
}

function suspects(jobs: readonly TokenSignatureJob[], signatures: readonly (boolean | undefined)[]): readonly string[] {
  const urls = jobs.flatMap((job, index) => {
    const url = job.token.identityHeader?.info;
    return signatures[index] === false && url !== undefined ? [url] : [];
  });
  return [...new Set(urls)];
}

function jobsOf(shell: Shell, pending: PendingVerification, lookups: Lookups): readonly TokenSignatureJob[] {
  const { nowMs } = pending.context;
  const { trustStore } = shell;
  return checkCertificates(pending, (url): CertificateKnowledge | undefined => {
    const lookup = lookups.get(url);
    if (lookup?.status !== 'found') return lookup === undefined ? undefined : { lookup };
    const path = shell.paths.pathOf(lookup.chain, trustStore, nowMs);
    const { source } = trustStore;
    return source.kind === 'files' ? { lookup, path } : { lookup, path, trustListExpMs: source.expMs };
  });
}

function conclude(
  shell: Shell,
  work: {
    readonly pending: PendingVerification;
    readonly jobs: readonly TokenSignatureJob[];
    readonly signatures: readonly (boolean | undefined)[];
  },
): CallVerdict {
  const { nowMs } = work.pending.context;
  return concludeVerification(work.pending, work.jobs, {
    signatures: work.signatures,
    observe: (callKey) => observeSafely(shell, callKey, nowMs),
    trustStore: shell.trustStore.version,
  });
}

/** A replay memory that fails has counted nothing; the verdict does not hang on it. */
function observeSafely(shell: Shell, callKey: string, nowMs: number): Seen | undefined {
  try {
    return shell.replays.observe(callKey, nowMs);
  } catch {
    return undefined;
  }
}

const NO_RESULTS: readonly (boolean | undefined)[] = [];

interface Deadline {
  /** Resolves to undefined when the time is up. */
  readonly over: Promise<undefined>;
  readonly close: () => void;
}

function openDeadline(budgetMs: number): Deadline {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => {
      resolve(undefined);
    }, budgetMs);
  });
  return {
    over,
    close() {
      clearTimeout(timer);
    },
  };
}
