import { schedule, timeOf } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { Certificate } from '../certificates/certificate.js';
import type { CertificatePathResult } from '../certificates/path.js';
import type { CertificateLookup, CertificateRepository } from '../certificates/repository.js';
import { DEFAULT_SIGNATURE_ALGORITHMS } from '../certificates/parse-certificate.js';
import type { TrustStore } from '../certificates/trust-store.js';
import { createHeaderCache, PASSPORT_TYPES, passportTypeRegistry } from '../passport.js';
import type { PassportHeaderCache } from '../passport.js';
import type { PassportType } from '../passport-types/passport-type.js';
import { checkCertificates, concludeVerification, start } from './core.js';
import type { CertificateKnowledge, TokenJob } from './core.js';
import { createPathMemory, createReplayMemory, startCallSearches } from './memory.js';
import type { CallSearches, ReplayMemory } from './memory.js';
import type { CallVerdict } from './outcome.js';
import { replayWindowMs, verificationPolicy } from './policy.js';
import type { VerificationPolicy } from './policy.js';
import type { VerificationRequest } from './request.js';
import { INLINE_SIGNATURE_CHECKER, NO_RESULTS, checkInline, checkSafely } from './signature-checker.js';
import type { SignatureChecker, Signatures } from './signature-checker.js';
import { createStepNames } from './step.js';
import type { RequestContext } from './step.js';
import type { StartedVerification } from './verdict.js';
import type { SignatureJob } from '../es256.js';
import { attempt } from '../../core/runtime/deadline.js';

/** Calls that wait, each for the same time at most. */
type Deadlines = ReturnType<typeof createDeadlines>;

/** A call that waits, in the order of arrival; what is closed is in no list any more. */
interface OpenDeadline {
  readonly atMs: number;
  readonly onOver: () => void;
  isOpen: boolean;
  previous: OpenDeadline | undefined;
  next: OpenDeadline | undefined;
}

/**
 * Makes deadlines that share one timer. They are over in the order in which they were opened, so the timer follows the oldest; with
 * hundreds of calls waiting, a timer for each would be a good part of what such a call costs the event loop.
 * @param budgetMs - how long each may last, milliseconds
 */
export function createDeadlines(budgetMs: number) {
  let oldest: OpenDeadline | undefined;
  let youngest: OpenDeadline | undefined;
  let cancel: (() => void) | undefined;
  const remove = (deadline: OpenDeadline): void => {
    deadline.isOpen = false;
    if (deadline.previous === undefined) oldest = deadline.next;
    else deadline.previous.next = deadline.next;
    if (deadline.next === undefined) youngest = deadline.previous;
    else deadline.next.previous = deadline.previous;
    deadline.previous = undefined;
    deadline.next = undefined;
  };
  const ring = (): void => {
    cancel = undefined;
    const nowMs = performance.now();
    for (let due = oldest; due !== undefined && due.atMs <= nowMs; due = oldest) {
      remove(due);
      due.onOver();
    }
    if (oldest !== undefined) cancel = schedule(ring, oldest.atMs - nowMs);
  };
  return {
    /** Starts the clock for a call; `onOver` is called once, unless the call is closed before. */
    open(onOver: () => void): OpenDeadline {
      const deadline = {
        atMs: performance.now() + budgetMs,
        onOver,
        isOpen: true,
        previous: youngest,
        next: undefined,
      };
      if (youngest === undefined) oldest = deadline;
      else youngest.next = deadline;
      youngest = deadline;
      cancel ??= schedule(ring, budgetMs);
      return deadline;
    },
    /** Says whether the call was still waiting. */
    close(deadline: OpenDeadline): boolean {
      if (!deadline.isOpen) return false;
      remove(deadline);
      if (oldest === undefined) {
        cancel?.();
        cancel = undefined;
      }
      return true;
    },
  };
}

/** Resolves to undefined when the time is up. */
type Deadline = Promise<undefined>;

/** Works with a deadline that leaves no timer behind, however the work ends. */
async function withDeadline<T>(budgetMs: number, work: (deadline: Deadline) => Promise<T>): Promise<T> {
  let cancel = (): void => undefined;
  const deadline = new Promise<undefined>((resolve) => {
    cancel = schedule(() => resolve(undefined), budgetMs);
  });
  try {
    return await work(deadline);
  } finally {
    cancel();
  }
}

/** Waits for work as long as there is time; then for nothing. */
async function inTime<T>(work: T | Promise<T>, deadline: Deadline, otherwise: T): Promise<T> {
  return work instanceof Promise ? ((await Promise.race([work, deadline])) ?? otherwise) : work;
}

/** What a verification service works with, from its making on; everything but the trust store stays. */
interface Shell {
  readonly certificates: CertificateRepository;
  readonly checker: SignatureChecker;
  readonly policy: VerificationPolicy;
  readonly types: RequestContext['types'];
  readonly headerCache: PassportHeaderCache;
  readonly stepNames: ReturnType<typeof createStepNames>;
  readonly clock: Clock;
  readonly paths: ReturnType<typeof createPathMemory>;
  readonly replays: ReplayMemory;
  /** Milliseconds a call may wait, unless it says otherwise. */
  readonly budgetMs: number;
  readonly deadlines: Deadlines;
  trustStore: TrustStore;
}

/** What was known of the certificates of `pending.x5uUrls`, in the same order; undefined where nothing was. */
type Lookups = readonly (CertificateLookup | undefined)[];

/** A request that has been held against its certificates: what is missing for the verdict is the signatures. */
interface Judged {
  readonly pending: StartedVerification;
  readonly lookups: Lookups;
  readonly jobs: readonly SignatureJob[];
  /** The trust store that the paths were built to: it may have been replaced by the time of the verdict. */
  readonly trustStore: TrustStore;
}

/** First part of a verification, by the clock of the service. @throws {@link HopbackError} `invalid-configuration` for a clock without time */
function started(shell: Shell, request: VerificationRequest): StartedVerification {
  const { policy, types, headerCache, stepNames } = shell;
  const nowMs = timeOf(shell.clock);
  if (nowMs === undefined) throw new HopbackError('invalid-configuration', 'The clock gives no time.');
  return start(request, {
    policy,
    types,
    headerCache,
    stepNames,
    nowMs,
  });
}

/** A call that somebody waits for. */
interface Waiting {
  /** When the verdict is due, as `performance.now()` counts. */
  readonly untilMs: number;
  readonly searches: CallSearches;
}

/**
 * Second part: builds the paths and holds the tokens against them.
 * @param waiting - absent where everything was at hand: then the time budget has only begun, and what searches may cost is bounded
 */
function judge(shell: Shell, pending: StartedVerification, lookups: Lookups, waiting?: Waiting): Judged {
  const { trustStore } = shell;
  const { nowMs } = pending.context;
  let searches = waiting?.searches;
  const jobs = checkCertificates(pending, (url): CertificateKnowledge | undefined => {
    const lookup = lookups[pending.x5uUrls.indexOf(url)];
    if (lookup?.status !== 'found') return lookup === undefined ? undefined : { lookup };
    const { chain } = lookup;
    const path =
      shell.paths.remembered(chain, trustStore, nowMs) ??
      pathOf(shell, chain, { nowMs, untilMs: waiting?.untilMs, searches: (searches ??= startCallSearches()) });
    if (path === undefined) return { lookup };
    const { source } = trustStore;
    return source.kind === 'files' ? { lookup, path } : { lookup, path, trustListExpMs: source.expMs };
  });
  return { pending, lookups, jobs, trustStore };
}

/** The path of a chain, remembered or searched; undefined when time is up or searches have cost too much already. */
function pathOf(
  shell: Shell,
  chain: readonly Certificate[],
  search: {
    readonly nowMs: number;
    readonly untilMs: number | undefined;
    readonly searches: CallSearches;
  },
): CertificatePathResult | undefined {
  const { paths, trustStore } = shell;
  const { nowMs, untilMs, searches } = search;
  const remembered = paths.remembered(chain, trustStore, nowMs);
  if (remembered !== undefined) return remembered;
  if (untilMs !== undefined && performance.now() >= untilMs) return undefined;
  return paths.search(chain, { trustStore, nowMs, call: searches });
}

/** Last part: the verdict. */
function conclude(shell: Shell, { pending, jobs, trustStore }: Judged, signatures: Signatures): CallVerdict {
  return concludeVerification(pending, jobs, {
    signatures,
    observe: (callKey) => attempt(() => shell.replays.observe(callKey, pending.context.nowMs)),
    trustStore: trustStore.version,
  });
}

/** The certificates and memory of a shell are other people's code: what they throw is as if they knew nothing. */
const peek = ({ certificates }: Shell, url: string): CertificateLookup | undefined =>
  attempt(() => certificates.peek(url) ?? undefined);

async function lookUp({ certificates }: Shell, url: string): Promise<CertificateLookup | undefined> {
  try {
    return await certificates.lookup(url);
  } catch {
    return undefined;
  }
}

async function revalidate({ certificates }: Shell, url: string): Promise<CertificateLookup | undefined> {
  try {
    return await certificates.revalidate(url);
  } catch {
    return undefined;
  }
}

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
  /** Time that freshness and certificates are judged by: `{ nowMs: Date.now }`. */
  readonly clock: Clock;
  /** What is to differ from `DEFAULT_VERIFICATION_POLICY`. */
  readonly policy?: Partial<VerificationPolicy>;
  /** Per call, milliseconds; when it runs out the verdict is indeterminate, never late. Default 500. */
  readonly timeBudgetMs?: number;
  /** Default: in the calling thread. */
  readonly signatureChecker?: SignatureChecker;
  /** Default: shaken, div and the PASSporT without extension. */
  readonly passportTypes?: readonly PassportType[];
  /** Default: a memory of its own, for as long as a PASSporT can be accepted: eleven minutes, or two where policy requires fresh ones below a div. */
  readonly replayMemory?: ReplayMemory;
  /** Signature algorithms permitted in certification paths. Default ES256 and ES384. */
  readonly certificateAlgorithms?: readonly ('ES256' | 'ES384')[];
}

/** Answers for calls what their Identity headers are worth. */
export interface VerificationService {
  /**
   * Verifies the Identity headers of one request. With the certificate in memory this takes one signature check; a certificate
   * that is not is fetched within the time budget.
   * @returns the verdict, whatever a peer sends and however the repository, the signature checker or the replay memory fail;
   * rejects with `invalid-configuration` for a time budget out of range and for a clock that gives no time, with a TypeError
   * for what is no request, and never throws
   */
  readonly verify: (request: VerificationRequest, options?: { readonly timeBudgetMs?: number }) => Promise<CallVerdict>;
  /**
   * As `verify`, at once and with what is in memory. A certificate that is not is fetched in the background, for the calls that
   * follow, and this one is indeterminate. Signatures are checked in the calling thread. Throws what `verify` rejects with.
   */
  readonly verifyNow: (request: VerificationRequest) => CallVerdict;
  /** Judges all further calls by another trust store, as after a reload of the list of the STI-PA. */
  readonly useTrustStore: (trustStore: TrustStore) => void;
}

/**
 * Makes a verification service: the STI-VS of a provider.
 * @param options - certificates, trust and clock; policy and limits where the defaults do not fit
 * @returns the service. It owns no socket, file or timer beyond a call, so that nothing has to be closed
 * @throws {@link HopbackError} `invalid-configuration` when the policy or the time budget is out of range
 * @see RFC 8224 section 6.2, ATIS-1000074
 * @example
 * ```ts
 * // A provider whose certificate lies on a server, here on loopback, and what is trusted: a root and a CRL.
 * const pki = new TestPki({ nowMs: Date.now() });
 * const provider = pki.issueServiceProvider({ spc: '1234' });
 * await using server = await CertificateServer.start();
 * const x5u = server.publish('/1234.pem', provider.chainPem);
 * const [root, crlSigner, stiPaRoot] = [pki.root, pki.stiPaCrlIssuer, pki.stiPaRoot].map(({ der }) => {
 *   const parsed = parseCertificate(der);
 *   if (parsed.status === 'malformed') throw new Error(parsed.detail);
 *   return [parsed.certificate];
 * });
 * const crl = parseCrl(pki.crl().der);
 * if (crl.status === 'malformed' || !root) throw new Error('the PKI of the example does not parse');
 * const issuers = { issuers: root, signers: crlSigner ?? [], stiPaRoots: stiPaRoot ?? [] };
 * const revocation = createRevocationSet([crl.crl], { atMs: Date.now(), ...issuers });
 * const trustStore = createTrustStore({ anchors: root, revocation, source: { kind: 'files' } });
 *
 * const clock = { nowMs: Date.now };
 * // Nobody fetches from loopback, unless told to.
 * const allow = { addresses: ['127.0.0.0/8'], ports: [server.ports.https] };
 * await using certificates = createCertificateRepository({ clock, allow, ca: server.tlsRootPem });
 * const service = createVerificationService({ certificates, trustStore, clock });
 *
 * const { identityHeader } = createPassport({ signer: provider, x5u, iatSeconds: Math.floor(Date.now() / 1000) });
 * const verdict = await service.verify(
 *   { identity: identityHeader, from: '<sip:+12025550101@a.example>', to: '<sip:+12025550199@b.example>' },
 *   { timeBudgetMs: 10_000 },
 * );
 * console.log(verdict.verstat, verdict.attestation, verdict.signer?.spc); // TN-Validation-Passed A 1234
 * ```
 */
export function createVerificationService(options: VerificationServiceOptions): VerificationService {
  const shell = openShell(options);
  return {
    verify(request, { timeBudgetMs = shell.budgetMs } = NO_OPTIONS) {
      try {
        if (!isTimeBudget(timeBudgetMs)) throw timeBudgetOutOfRange();
        return verifyWithin(shell, request, timeBudgetMs);
      } catch (error) {
        return Promise.reject(error);
      }
    },
    verifyNow: (request) => verifyAtOnce(shell, request),
    useTrustStore(trustStore) {
      shell.trustStore = trustStore;
    },
  };
}

const NO_OPTIONS: NonNullable<Parameters<VerificationService['verify']>[1]> = {};

/** Longer than any call can wait, and what timers take. */
const MAX_TIME_BUDGET_MS = 60_000;

const isTimeBudget = (ms: number): boolean => Number.isFinite(ms) && ms >= 0 && ms <= MAX_TIME_BUDGET_MS;

const timeBudgetOutOfRange = (): HopbackError =>
  new HopbackError('invalid-configuration', `timeBudgetMs must be from 0 to ${String(MAX_TIME_BUDGET_MS)}`);

function openShell(options: VerificationServiceOptions): Shell {
  const policy = verificationPolicy(options.policy);
  const budgetMs = options.timeBudgetMs ?? DEFAULT_TIME_BUDGET_MS;
  if (!isTimeBudget(budgetMs)) throw timeBudgetOutOfRange();
  return {
    certificates: options.certificates,
    checker: options.signatureChecker ?? INLINE_SIGNATURE_CHECKER,
    policy,
    types: passportTypeRegistry(options.passportTypes ?? PASSPORT_TYPES),
    headerCache: createHeaderCache(),
    stepNames: createStepNames(),
    clock: options.clock,
    paths: createPathMemory(checkedAlgorithms(options.certificateAlgorithms)),
    replays: options.replayMemory ?? createReplayMemory({ windowMs: replayWindowMs(policy) }),
    budgetMs,
    deadlines: createDeadlines(budgetMs),
    trustStore: options.trustStore,
  };
}

/** A name that is none would come up in the middle of a call. */
function checkedAlgorithms(
  algorithms: VerificationServiceOptions['certificateAlgorithms'],
): VerificationServiceOptions['certificateAlgorithms'] {
  const names: readonly unknown[] = algorithms ?? DEFAULT_SIGNATURE_ALGORITHMS;
  if (names.length > 0 && names.every((name) => name === 'ES256' || name === 'ES384')) return algorithms;
  throw new HopbackError('invalid-configuration', 'certificateAlgorithms must name ES256, ES384 or both');
}

function verifyWithin(shell: Shell, request: VerificationRequest, budgetMs: number): Promise<CallVerdict> {
  const pending = started(shell, request);
  const lookups = pending.x5uUrls.map((url) => peek(shell, url));
  if (lookups.includes(undefined)) return fetchAndVerify(shell, { request, pending, lookups, budgetMs });
  const judged = judge(shell, pending, lookups);
  const checked = checkSafely(shell.checker, judged.jobs);
  if (checked instanceof Promise) return verifyElsewhere(shell, { request, judged, checked, budgetMs });
  if (!checked.includes(false)) return Promise.resolve(conclude(shell, judged, checked));
  const untilMs = performance.now() + budgetMs;
  return withDeadline(budgetMs, (deadline) =>
    secondChance(shell, {
      request,
      judged,
      signatures: checked,
      deadline,
      untilMs,
    }),
  );
}

function verifyAtOnce(shell: Shell, request: VerificationRequest): CallVerdict {
  const pending = started(shell, request);
  const lookups = pending.x5uUrls.map((url) => peek(shell, url));
  pending.x5uUrls.forEach((url, index) => {
    if (lookups[index] === undefined) void lookUp(shell, url);
  });
  const judged = judge(shell, pending, lookups);
  const signatures = checkInline(judged.jobs);
  for (const url of suspects(judged.jobs, signatures)) void revalidate(shell, url);
  return conclude(shell, judged, signatures);
}

/**
 * Waits for signatures that are checked in other threads. Every call comes this way where there are such threads, hundreds at a
 * time.
 */
function verifyElsewhere(
  shell: Shell,
  work: {
    readonly request: VerificationRequest;
    readonly judged: Judged;
    readonly checked: Promise<Signatures>;
    readonly budgetMs: number;
  },
): Promise<CallVerdict> {
  const { request, judged, checked, budgetMs } = work;
  const deadlines = budgetMs === shell.budgetMs ? shell.deadlines : createDeadlines(budgetMs);
  return new Promise((resolve) => {
    const waiting = deadlines.open(() => {
      resolve(conclude(shell, judged, NO_RESULTS));
    });
    void checked.then((signatures) => {
      // A second verdict would count the call once more.
      if (!deadlines.close(waiting)) return;
      if (signatures.includes(false)) {
        const untilMs = waiting.atMs;
        const leftMs = Math.max(0, untilMs - performance.now());
        resolve(
          withDeadline(leftMs, (deadline) =>
            secondChance(shell, {
              request,
              judged,
              signatures,
              deadline,
              untilMs,
            }),
          ),
        );
      } else {
        resolve(conclude(shell, judged, signatures));
      }
    });
  });
}

function fetchAndVerify(
  shell: Shell,
  work: {
    readonly request: VerificationRequest;
    readonly pending: StartedVerification;
    readonly lookups: Lookups;
    readonly budgetMs: number;
  },
): Promise<CallVerdict> {
  const { request, pending, budgetMs } = work;
  const untilMs = performance.now() + budgetMs;
  const waiting: Waiting = { untilMs, searches: startCallSearches() };
  return withDeadline(budgetMs, async (deadline) => {
    const fetched = [...work.lookups];
    const fetches = pending.x5uUrls.map(async (url, index) => {
      const lookup = fetched[index] ?? (await lookUp(shell, url));
      fetched[index] = lookup;
      // While others are still on their way: when time is up for them, this one has been searched.
      if (lookup?.status === 'found') pathOf(shell, lookup.chain, { nowMs: pending.context.nowMs, ...waiting });
    });
    await Promise.race([Promise.all(fetches), deadline]);
    // A fetch that comes in later must not change what this call is being judged by.
    const judged = judge(shell, pending, [...fetched], waiting);
    const signatures = await inTime(checkSafely(shell.checker, judged.jobs), deadline, NO_RESULTS);
    return secondChance(shell, {
      request,
      judged,
      signatures,
      deadline,
      untilMs,
    });
  });
}

/** Where a signature fails, a certificate rotated in place gets its second chance, as long as there is time. */
async function secondChance(
  shell: Shell,
  work: {
    readonly request: VerificationRequest;
    readonly judged: Judged;
    readonly signatures: Signatures;
    readonly deadline: Deadline;
    readonly untilMs: number;
  },
): Promise<CallVerdict> {
  const { request, judged, signatures, deadline, untilMs } = work;
  const urls = suspects(judged.jobs, signatures);
  if (urls.length === 0) return conclude(shell, judged, signatures);
  const renewed = [...judged.lookups];
  const isOutOfTime = await renew(shell, { urls, pending: judged.pending, renewed, deadline });
  if (judged.lookups.every((before, index) => isSameChain(before, renewed[index]))) {
    // Nobody knows yet whether the certificate is still the one that the provider signs with.
    return conclude(shell, judged, isOutOfTime ? signatures.map((valid) => valid === true || undefined) : signatures);
  }
  const again = judge(shell, started(shell, request), renewed, { untilMs, searches: startCallSearches() });
  return conclude(shell, again, await inTime(checkSafely(shell.checker, again.jobs), deadline, NO_RESULTS));
}

/** Asks for the certificates anew and writes what comes into `renewed`; says whether time ran out before all had come. */
async function renew(
  shell: Shell,
  work: {
    readonly urls: readonly string[];
    readonly pending: StartedVerification;
    readonly renewed: (CertificateLookup | undefined)[];
    readonly deadline: Deadline;
  },
): Promise<boolean> {
  const answers = work.urls.map((url) => revalidate(shell, url));
  const arrived = await Promise.race([Promise.all(answers), work.deadline]);
  arrived?.forEach((answer, index) => {
    const at = work.pending.x5uUrls.indexOf(work.urls[index] ?? '');
    if (answer?.status === 'found' && at >= 0) work.renewed[at] = answer;
  });
  return arrived === undefined;
}

function isSameChain(before: CertificateLookup | undefined, after: CertificateLookup | undefined): boolean {
  return before === after || (before?.status === 'found' && after?.status === 'found' && before.chain === after.chain);
}

/** URLs of the certificates whose key did not fit, each once. */
function suspects(jobs: readonly SignatureJob[], signatures: Signatures): readonly string[] {
  const urls = jobs.flatMap((job, index) => {
    const url = (job as TokenJob).token.identityHeader?.info;
    return signatures[index] === false && url !== undefined ? [url] : [];
  });
  return [...new Set(urls)];
}
