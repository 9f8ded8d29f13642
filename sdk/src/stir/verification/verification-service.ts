import { MACHINE_CLOCK, schedule, timeOf } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import type { Certificate } from '../certificates/certificate.js';
import type { CertificatePathResult } from '../certificates/path.js';
import type { CertificateLookup } from '../certificates/repository.js';
import { DEFAULT_SIGNATURE_ALGORITHMS } from '../certificates/parse-certificate.js';
import type { TrustStore } from '../certificates/trust-store.js';
import { createHeaderCache, PASSPORT_TYPES, passportTypeRegistry } from '../passport.js';
import type { PassportType } from '../passport-types/passport-type.js';
import { checkCertificates, concludeVerification, start } from './core.js';
import type { TokenJob } from './core.js';
import { ReplayMemory, createPathMemory, startCallSearches } from './memory.js';
import type { CallSearches } from './memory.js';
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

/** The end of the time that a call may take. */
interface Deadline {
  /** As `performance.now()` counts. */
  readonly untilMs: number;
  /** Resolves to undefined when the time is up. */
  readonly over: Promise<undefined>;
}

/** Works with a deadline that leaves no timer behind, however the work ends. */
async function withDeadline<T>(budgetMs: number, work: (deadline: Deadline) => Promise<T>): Promise<T> {
  const untilMs = performance.now() + budgetMs;
  let cancel = (): void => undefined;
  const over = new Promise<undefined>((resolve) => {
    cancel = schedule(() => resolve(undefined), budgetMs);
  });
  try {
    return await work({ untilMs, over });
  } finally {
    cancel();
  }
}

/** Waits for work as long as there is time; then for nothing. */
async function inTime<T>(work: T | Promise<T>, { over }: Deadline, otherwise: T): Promise<T> {
  return work instanceof Promise ? ((await Promise.race([work, over])) ?? otherwise) : work;
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

/** A call that somebody waits for. */
interface Waiting {
  /** When the verdict is due, as `performance.now()` counts. */
  readonly untilMs: number;
  readonly searches: CallSearches;
}

/**
 * Time a call may spend waiting for certificates and signature threads. A caller hears ringing after one to two seconds
 * without the call being thought dead; half of that is left to everything else.
 */
export const DEFAULT_TIME_BUDGET_MS = 500;

/** What a verification service is made of. */
export interface VerificationServiceOptions {
  /** Where certificates come from; owned by the caller, who closes it. */
  readonly certificates: {
    /** What is known now, without waiting; undefined where `lookup` is to be called. A stale entry is given, and fetched anew behind it. */
    readonly peek: (url: string) => CertificateLookup | undefined;
    /** Fetches where needed; calls for one URL at the same time share one fetch. Never rejects. */
    readonly lookup: (url: string) => Promise<CertificateLookup>;
    /** Asks for a fresh copy, at most once per URL and minute, because a signature failed against the one that is known. Never rejects. */
    readonly revalidate: (url: string) => Promise<CertificateLookup>;
  };
  /** Who may issue them: a store, or a {@link TrustStoreRefresh}, whose store in force judges each call. */
  readonly trustStore: TrustStore | { readonly current: () => TrustStore | undefined };
  /** The time by which freshness and certificates are judged. Default: the machine's. */
  readonly clock?: Clock;
  /** What is to differ from `DEFAULT_VERIFICATION_POLICY`. */
  readonly policy?: Partial<VerificationPolicy>;
  /** Per call, milliseconds; when it runs out the verdict is indeterminate, never late. Default 500. */
  readonly timeBudgetMs?: number;
  /** Default: in the calling thread. */
  readonly signatureChecker?: SignatureChecker;
  /** Default: shaken, div and the PASSporT without extension. */
  readonly passportTypes?: readonly PassportType[];
  /**
   * Default: a memory of its own, for as long as a PASSporT can be accepted: eleven minutes, or two where policy requires fresh
   * ones below a div. One of your own should not throw: the service goes on without the count where it does.
   */
  readonly replayMemory?: Pick<ReplayMemory, 'observe'>;
  /** Signature algorithms permitted in certification paths. Default ES256 and ES384. */
  readonly certificateAlgorithms?: readonly ('ES256' | 'ES384')[];
}

/**
 * Answers for calls what their Identity headers are worth: the STI-VS of a provider. It owns no socket, file or timer beyond a call, so
 * that nothing has to be closed.
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
 * // Nobody fetches from loopback, unless told to.
 * const allow = { addresses: ['127.0.0.0/8'], ports: [server.ports.https] };
 * await using certificates = new CertificateRepository({ allow, ca: server.tlsRootPem });
 * const service = new VerificationService({ certificates, trustStore });
 *
 * const { identityHeader } = createPassport({ signer: provider, x5u, iatSeconds: Math.floor(Date.now() / 1000) });
 * const verdict = await service.verify(
 *   { identity: identityHeader, from: '<sip:+12025550101@a.example>', to: '<sip:+12025550199@b.example>' },
 *   { timeBudgetMs: 10_000 },
 * );
 * console.log(verdict.verstat, verdict.attestation, verdict.signer?.spc); // TN-Validation-Passed A 1234
 * ```
 */
export class VerificationService {
  readonly #certificates: VerificationServiceOptions['certificates'];
  readonly #checker: SignatureChecker;
  /** What stays from call to call. */
  readonly #remembered: Omit<RequestContext, 'parties' | 'nowMs'>;
  readonly #clock: Clock;
  readonly #paths: ReturnType<typeof createPathMemory>;
  readonly #replays: Pick<ReplayMemory, 'observe'>;
  /** Milliseconds a call may wait, unless it says otherwise. */
  readonly #budgetMs: number;
  readonly #deadlines: Deadlines;
  #trustStore: () => TrustStore;

  /**
   * @param options - certificates, trust and clock; policy and limits where the defaults do not fit
   * @throws {@link HopbackError} `invalid-configuration` when the policy or the time budget is out of range, and for a
   *   {@link TrustStoreRefresh} that has no store yet
   */
  constructor(options: VerificationServiceOptions) {
    const policy = verificationPolicy(options.policy);
    this.#budgetMs = options.timeBudgetMs ?? DEFAULT_TIME_BUDGET_MS;
    if (!isTimeBudget(this.#budgetMs)) throw timeBudgetOutOfRange();
    this.#certificates = options.certificates;
    this.#checker = options.signatureChecker ?? INLINE_SIGNATURE_CHECKER;
    this.#remembered = {
      policy,
      types: passportTypeRegistry(options.passportTypes ?? PASSPORT_TYPES),
      headerCache: createHeaderCache(),
      stepNames: createStepNames(),
    };
    this.#clock = options.clock ?? MACHINE_CLOCK;
    this.#paths = createPathMemory(checkedAlgorithms(options.certificateAlgorithms));
    this.#replays = options.replayMemory ?? new ReplayMemory({ windowMs: replayWindowMs(policy) });
    this.#deadlines = createDeadlines(this.#budgetMs);
    this.#trustStore = trustStoreInForce(options.trustStore);
  }

  /**
   * Verifies the Identity headers of one request. With the certificate in memory this takes one signature check; a certificate
   * that is not is fetched within the time budget.
   * @returns the verdict, whatever a peer sends and however the repository, the signature checker or the replay memory fail;
   * rejects with `invalid-configuration` for a time budget out of range and for a clock that gives no time, with a TypeError
   * for what is no request, and never throws
   */
  verify(
    request: VerificationRequest,
    { timeBudgetMs = this.#budgetMs }: { readonly timeBudgetMs?: number } = {},
  ): Promise<CallVerdict> {
    try {
      if (!isTimeBudget(timeBudgetMs)) throw timeBudgetOutOfRange();
      return this.#verifyWithin(request, timeBudgetMs);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * As `verify`, at once and with what is in memory. A certificate that is not is fetched in the background, for the calls that
   * follow, and this one is indeterminate. Signatures are checked in the calling thread. Throws what `verify` rejects with.
   */
  verifyNow(request: VerificationRequest): CallVerdict {
    const pending = this.#start(request);
    const lookups = pending.x5uUrls.map((url) => this.#peek(url));
    pending.x5uUrls.forEach((url, index) => {
      if (lookups[index] === undefined) void this.#asked('lookup', url);
    });
    const judged = this.#judge(pending, lookups);
    const signatures = checkInline(judged.jobs);
    for (const url of suspects(judged.jobs, signatures)) void this.#asked('revalidate', url);
    return this.#conclude(judged, signatures);
  }

  /** Judges all further calls by another trust store, as after a reload of the list of the STI-PA. Throws for a {@link TrustStoreRefresh} that has none yet. */
  useTrustStore(trustStore: VerificationServiceOptions['trustStore']): void {
    this.#trustStore = trustStoreInForce(trustStore);
  }

  #verifyWithin(request: VerificationRequest, budgetMs: number): Promise<CallVerdict> {
    const pending = this.#start(request);
    const lookups = pending.x5uUrls.map((url) => this.#peek(url));
    if (lookups.includes(undefined)) return this.#fetchAndVerify(request, pending, lookups, budgetMs);
    const judged = this.#judge(pending, lookups);
    const checked = checkSafely(this.#checker, judged.jobs);
    if (checked instanceof Promise) return this.#verifyElsewhere(request, judged, checked, budgetMs);
    if (!checked.includes(false)) return Promise.resolve(this.#conclude(judged, checked));
    return withDeadline(budgetMs, (deadline) => this.#secondChance(request, judged, checked, deadline));
  }

  /**
   * Waits for signatures that are checked in other threads. Every call comes this way where there are such threads, hundreds at a
   * time.
   */
  #verifyElsewhere(
    request: VerificationRequest,
    judged: Judged,
    checked: Promise<Signatures>,
    budgetMs: number,
  ): Promise<CallVerdict> {
    const deadlines = budgetMs === this.#budgetMs ? this.#deadlines : createDeadlines(budgetMs);
    return new Promise((resolve) => {
      const waiting = deadlines.open(() => {
        resolve(this.#conclude(judged, NO_RESULTS));
      });
      void checked.then((signatures) => {
        // A second verdict would count the call once more.
        if (!deadlines.close(waiting)) return;
        if (signatures.includes(false)) {
          const leftMs = Math.max(0, waiting.atMs - performance.now());
          resolve(withDeadline(leftMs, (deadline) => this.#secondChance(request, judged, signatures, deadline)));
        } else {
          resolve(this.#conclude(judged, signatures));
        }
      });
    });
  }

  #fetchAndVerify(
    request: VerificationRequest,
    pending: StartedVerification,
    lookups: Lookups,
    budgetMs: number,
  ): Promise<CallVerdict> {
    return withDeadline(budgetMs, async (deadline) => {
      const waiting: Waiting = { untilMs: deadline.untilMs, searches: startCallSearches() };
      const fetched = [...lookups];
      const fetches = pending.x5uUrls.map(async (url, index) => {
        const lookup = fetched[index] ?? (await this.#asked('lookup', url));
        fetched[index] = lookup;
        // While others are still on their way: when time is up for them, this one has been searched.
        if (lookup?.status === 'found') {
          const { nowMs } = pending.context;
          this.#pathOf(lookup.chain, { trustStore: this.#trustStore(), nowMs, ...waiting });
        }
      });
      await Promise.race([Promise.all(fetches), deadline.over]);
      // A fetch that comes in later must not change what this call is being judged by.
      const judged = this.#judge(pending, [...fetched], waiting);
      const signatures = await inTime(checkSafely(this.#checker, judged.jobs), deadline, NO_RESULTS);
      return this.#secondChance(request, judged, signatures, deadline);
    });
  }

  /** Where a signature fails, a certificate rotated in place gets its second chance, as long as there is time. */
  async #secondChance(
    request: VerificationRequest,
    judged: Judged,
    signatures: Signatures,
    deadline: Deadline,
  ): Promise<CallVerdict> {
    const urls = suspects(judged.jobs, signatures);
    if (urls.length === 0) return this.#conclude(judged, signatures);
    const renewed = [...judged.lookups];
    const arrived = await Promise.race([Promise.all(urls.map((url) => this.#asked('revalidate', url))), deadline.over]);
    arrived?.forEach((answer, index) => {
      const at = judged.pending.x5uUrls.indexOf(urls[index] ?? '');
      if (answer?.status === 'found' && at >= 0) renewed[at] = answer;
    });
    if (judged.lookups.every((before, index) => isSameChain(before, renewed[index]))) {
      // Out of time, nobody knows yet whether the certificate is still the one that the provider signs with.
      const known = arrived === undefined ? signatures.map((valid) => valid === true || undefined) : signatures;
      return this.#conclude(judged, known);
    }
    const waiting: Waiting = { untilMs: deadline.untilMs, searches: startCallSearches() };
    const again = this.#judge(this.#start(request), renewed, waiting);
    return this.#conclude(again, await inTime(checkSafely(this.#checker, again.jobs), deadline, NO_RESULTS));
  }

  /** First part of a verification. @throws {@link HopbackError} `invalid-configuration` for a clock without time */
  #start(request: VerificationRequest): StartedVerification {
    const nowMs = timeOf(this.#clock);
    if (nowMs === undefined) throw new HopbackError('invalid-configuration', 'The clock gives no time.');
    return start(request, this.#remembered, nowMs);
  }

  /**
   * Second part: builds the paths and holds the tokens against them.
   * @param waiting - absent where everything was at hand: then the time budget has only begun, and what searches may cost is bounded
   */
  #judge(pending: StartedVerification, lookups: Lookups, waiting?: Waiting): Judged {
    const trustStore = this.#trustStore();
    const { nowMs } = pending.context;
    let searches = waiting?.searches;
    const jobs = checkCertificates(pending, (url) => {
      const lookup = lookups[pending.x5uUrls.indexOf(url)];
      if (lookup?.status !== 'found') return lookup === undefined ? undefined : { lookup };
      const { chain } = lookup;
      const path =
        this.#paths.remembered(chain, trustStore, nowMs) ??
        this.#pathOf(chain, {
          trustStore,
          nowMs,
          untilMs: waiting?.untilMs,
          searches: (searches ??= startCallSearches()),
        });
      if (path === undefined) return { lookup };
      const { source } = trustStore;
      return source.kind === 'files' ? { lookup, path } : { lookup, path, trustListExpMs: source.expMs };
    });
    return { pending, lookups, jobs, trustStore };
  }

  /** The path of a chain, remembered or searched; undefined when time is up or searches have cost too much already. */
  #pathOf(
    chain: readonly Certificate[],
    search: {
      readonly trustStore: TrustStore;
      readonly nowMs: number;
      readonly untilMs: number | undefined;
      readonly searches: CallSearches;
    },
  ): CertificatePathResult | undefined {
    const { trustStore, nowMs, untilMs, searches } = search;
    const remembered = this.#paths.remembered(chain, trustStore, nowMs);
    if (remembered !== undefined) return remembered;
    if (untilMs !== undefined && performance.now() >= untilMs) return undefined;
    return this.#paths.search(chain, { trustStore, nowMs, call: searches });
  }

  /** Last part: the verdict. */
  #conclude({ pending, jobs, trustStore }: Judged, signatures: Signatures): CallVerdict {
    return concludeVerification(pending, jobs, {
      signatures,
      observe: (callKey) => attempt(() => this.#replays.observe(callKey, pending.context.nowMs)),
      trustStore: trustStore.version,
    });
  }

  /** The certificates and the memory of a service are other people's code: what they throw is as if they knew nothing. */
  #peek(url: string): CertificateLookup | undefined {
    return attempt(() => this.#certificates.peek(url) ?? undefined);
  }

  async #asked(question: 'lookup' | 'revalidate', url: string): Promise<CertificateLookup | undefined> {
    try {
      return await this.#certificates[question](url);
    } catch {
      return undefined;
    }
  }
}

/** Longer than any call can wait, and what timers take. */
const MAX_TIME_BUDGET_MS = 60_000;

function trustStoreInForce(given: VerificationServiceOptions['trustStore']): () => TrustStore {
  if (!('current' in given)) return () => given;
  const first = given.current();
  if (first === undefined)
    throw new HopbackError('invalid-configuration', 'There is no trust store yet: await TrustStoreRefresh.start.');
  let last = first;
  // Other people's code: what it throws must not end a call.
  return () => (last = attempt(() => given.current()) ?? last);
}

const isTimeBudget = (ms: number): boolean => Number.isFinite(ms) && ms >= 0 && ms <= MAX_TIME_BUDGET_MS;

const timeBudgetOutOfRange = (): HopbackError =>
  new HopbackError('invalid-configuration', `timeBudgetMs must be from 0 to ${String(MAX_TIME_BUDGET_MS)}`);

/** A name that is none would come up in the middle of a call. */
function checkedAlgorithms(
  algorithms: VerificationServiceOptions['certificateAlgorithms'],
): VerificationServiceOptions['certificateAlgorithms'] {
  const names: readonly unknown[] = algorithms ?? DEFAULT_SIGNATURE_ALGORITHMS;
  if (names.length > 0 && names.every((name) => name === 'ES256' || name === 'ES384')) return algorithms;
  throw new HopbackError('invalid-configuration', 'certificateAlgorithms must name ES256, ES384 or both');
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
