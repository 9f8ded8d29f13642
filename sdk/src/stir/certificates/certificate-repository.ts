import { startDeadline } from './bounded-fetch.js';
import type { BoundedFetchResult } from './bounded-fetch.js';
import {
  OVERLOADED_REVALIDATION_MS,
  freshUntil,
  notAfterOf,
  outOfDateDelayMs,
  retryDelayMs,
  revalidationDelayMs,
  sameChain,
  standingOf,
} from './certificate-cache.js';
import type { CachedChain } from './certificate-cache.js';
import {
  admitEnvelope,
  exportChains,
  importChains,
  isOutOfDate,
  keep,
  keepAndStore,
  put,
  repositoryOf,
  restoreChains,
  statsOf,
} from './repository-state.js';
import type {
  AdmittedChain,
  CertificateRepositoryOptions,
  ChainRequest,
  NegativeEntry,
  Repository,
} from './repository-state.js';
import { siteOf } from './repository.js';
import type { CertificateCacheExport, CertificateLookup, RepositoryStats } from './repository.js';
import { notesOf, validatorsOf } from './x5u-fetch.js';
import { checkX5uUrl } from './x5u-url-policy.js';

/** A fetch as the repository sees it: its body is a chain, or it failed. */
type FetchedChain =
  | ({ readonly status: 'chain' } & AdmittedChain)
  | (BoundedFetchResult & { readonly status: 'not-modified' | 'refused' | 'failed' });

/** A lookup under way. */
interface Flight {
  readonly result: Promise<CertificateLookup>;
  /** Asks only for what differs from the validators at hand. */
  readonly conditional: boolean;
}

/** What a URL is asked for, and what stands in for the answer where there is no room to ask. */
interface FlightPlan {
  readonly start: () => Promise<CertificateLookup>;
  readonly cached?: CachedChain;
  readonly conditional?: boolean;
}

/** Lookups under way at a time, the disk included; further ones are told `overloaded` at once. */
const MAX_LOOKUPS_IN_FLIGHT = 2_048;

/** Lookups that run at a time in a preload: fast enough for some hundred URLs, and calls still find free sockets. */
const PRELOAD_CONCURRENCY = 16;

/**
 * Where a verification service gets its certificates from: memory, optionally disk, and the network behind both. One fetch per URL at a
 * time; stale chains are served while they are revalidated in the background; URLs that fail are left alone for a doubling time; memory,
 * sockets and queue are bounded. It owns no timers; the sockets of fetches under way end by their deadline or at `close()`. None of its
 * methods rejects for what servers and files do.
 * @see ATIS-1000074, RFC 9111
 * @example
 * ```ts
 * const pki = new TestPki({ nowMs: Date.now() });
 * await using server = await CertificateServer.start();
 * const x5u = server.publish('/1234.pem', pki.issueServiceProvider({ spc: '1234' }).chainPem);
 * await using repository = new CertificateRepository({
 *   // For a server on loopback; repositories of providers need neither.
 *   allow: { addresses: ['127.0.0.1'], ports: [server.ports.https] },
 *   ca: server.tlsRootPem,
 * });
 * const found = await repository.lookup(x5u);
 * if (found.status === 'found') console.log(found.chain.length); // 2
 * console.log(repository.peek(x5u) === found); // true
 * ```
 */
export class CertificateRepository implements AsyncDisposable {
  readonly #state: Repository;
  readonly #flights = new Map<string, Flight>();

  /**
   * Makes an empty repository, to be closed by `close()` or `await using`.
   * @param options - policy and limits, where the defaults do not fit
   * @throws {@link HopbackError} `invalid-argument` when a limit, the deadline or an allowed network makes no sense
   */
  constructor(options: CertificateRepositoryOptions = {}) {
    this.#state = repositoryOf(options);
  }

  /**
   * What is known now, without waiting. `undefined` when nothing is: call `lookup`.
   * A stale entry is returned and revalidated in the background.
   */
  peek(url: string): CertificateLookup | undefined {
    const { chains, negatives, clock, counts, policy } = this.#state;
    const nowMs = clock.nowMs();
    const entry = chains.get(url);
    if (entry !== undefined) {
      const standing = standingOf(entry, nowMs);
      if (standing === 'fresh') counts.hits += 1;
      if (standing === 'stale') {
        counts.staleHits += 1;
        if (nowMs >= entry.nextRevalidationMs) void this.#refresh(entry, {});
      }
      if (standing !== 'expired') return entry.lookup;
    }
    const negative = negatives.get(url);
    if (negative !== undefined && nowMs < negative.retryAtMs) {
      counts.negativeHits += 1;
      return lookupOfNegative(url, negative, nowMs);
    }
    const checked = checkX5uUrl(url, policy);
    return checked.status === 'refused' ? checked : undefined;
  }

  /** Fetches where needed; concurrent calls for one URL share one fetch. Never rejects. */
  lookup(url: string): Promise<CertificateLookup> {
    const known = this.peek(url);
    if (known !== undefined) return Promise.resolve(known);
    return this.#inFlight(url, { start: () => this.#load(url) });
  }

  /**
   * Asks for a fresh copy because a signature failed against the cached one (a certificate may be rotated in place).
   * Single flight, at most once per URL per minute; between, resolves to what is cached. Never rejects.
   */
  async revalidate(url: string): Promise<CertificateLookup> {
    const entry = this.#state.chains.get(url);
    const nowMs = this.#state.clock.nowMs();
    if (entry === undefined || standingOf(entry, nowMs) === 'expired') return this.lookup(url);
    const underWay = this.#flights.get(url);
    if (underWay?.conditional === true) {
      const refreshed = await underWay.result;
      const isNew = refreshed.status === 'found' && refreshed.chain !== entry.lookup.chain;
      // Not modified says no more than that the validators still fit.
      return isNew ? refreshed : this.revalidate(url);
    }
    if (underWay !== undefined) return underWay.result;
    if (nowMs < entry.nextReloadMs) return entry.lookup;
    // Without validators and past every cache: a rotated file must come, even from a server whose ETag did not move.
    return this.#refresh(entry, { noCache: true });
  }

  /** Looks up many URLs, a few at a time, before calls need them; each counts once. Never rejects. */
  async preload(urls: readonly string[]): Promise<{
    /** URLs that a chain was found for. */
    readonly found: number;
    /** The other URLs. */
    readonly failures: readonly (CertificateLookup & { readonly status: 'refused' | 'unavailable' })[];
  }> {
    const failures: (CertificateLookup & { readonly status: 'refused' | 'unavailable' })[] = [];
    const waiting = [...new Set(urls)].values();
    let found = 0;
    const worker = async (): Promise<void> => {
      for (const url of waiting) {
        const result = await this.lookup(url);
        if (result.status === 'found') found += 1;
        else failures.push(result);
      }
    };
    await Promise.all(Array.from({ length: PRELOAD_CONCURRENCY }, worker));
    return { found, failures };
  }

  /** Every chain in memory, as plain JSON, the oldest first. */
  export(): CertificateCacheExport {
    return exportChains(this.#state);
  }

  /**
   * Takes over what another repository exported. Every entry is checked as if it had been fetched; nothing becomes trusted by it.
   * Calls are answered meanwhile. Resolves when the entries are in memory and on disk. Never rejects. `rejected` counts the entries that
   * were damaged, not permitted, too old, older than what was there, or more than there is room for.
   * @param data - parsed JSON; anything that is no export is counted as rejected
   */
  import(data: unknown): Promise<{ readonly imported: number; readonly rejected: number }> {
    return importChains(this.#state, data);
  }

  /** Takes what the cache directory holds into memory, checked like an import, before calls need it. Never rejects. */
  restore(): Promise<{ readonly imported: number; readonly rejected: number }> {
    return restoreChains(this.#state);
  }

  /** What it holds and has done since it was made. */
  stats(): RepositoryStats {
    return statsOf(this.#state);
  }

  /** Ends what is under way and closes every socket; what is in memory is still handed out. Never rejects. */
  async close(): Promise<void> {
    const { closing, slots, disk } = this.#state;
    closing.abort();
    slots.close();
    await Promise.allSettled([...this.#flights.values()].map(({ result }) => result));
    await disk?.settled();
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Single flight: whoever asks while the URL is under way gets the same promise. */
  #inFlight(url: string, plan: FlightPlan): Promise<CertificateLookup> {
    const underWay = this.#flights.get(url);
    if (underWay !== undefined) return underWay.result;
    if (this.#flights.size >= MAX_LOOKUPS_IN_FLIGHT || this.#state.closing.signal.aborted) {
      return Promise.resolve(plan.cached?.lookup ?? this.#rejectLoad(url));
    }
    const result = plan.start().finally(() => this.#flights.delete(url));
    this.#flights.set(url, { result, conditional: plan.conditional === true });
    return result;
  }

  /** A URL that memory does not know: from disk, else from the network. */
  async #load(url: string): Promise<CertificateLookup> {
    const state = this.#state;
    state.counts.misses += 1;
    const stored = await state.disk?.load(url);
    const admitted = stored === undefined ? undefined : admitEnvelope(stored, state);
    if (admitted !== undefined) {
      const entry = keep(state, admitted);
      const nowMs = state.clock.nowMs();
      // What is stale is served now; the next peek revalidates it.
      if (standingOf(entry, nowMs) !== 'expired') return entry.lookup;
    }
    const fetched = await this.#fetchInTurn(url, {});
    if (fetched === undefined) return this.#rejectLoad(url);
    if (fetched.status === 'chain') return keepAndStore(state, fetched);
    return this.#rememberProblem(url, fetched);
  }

  /** A URL whose chain is in memory: by a conditional request, unless it is to come past every cache. */
  #refresh(entry: CachedChain, request: { readonly noCache?: boolean }): Promise<CertificateLookup> {
    const { url } = entry.lookup;
    const { validators } = entry;
    const conditional = request.noCache !== true && Object.keys(validators).length > 0;
    const start = async (): Promise<CertificateLookup> => {
      // The minute counts from here, so that a slow fetch is the revalidation of this minute.
      const startedMs = this.#state.clock.nowMs();
      this.#state.counts.revalidations += 1;
      const fetched = await this.#fetchInTurn(url, { ...request, ...(conditional ? { validators } : {}) });
      return this.#keepRefreshed(entry, fetched, startedMs);
    };
    return this.#inFlight(url, { start, cached: entry, conditional });
  }

  /**
   * Keeps what a revalidation brought: a new chain, the same one for longer, or the old one where the fetch failed or there was
   * no room for it.
   * @param entry - what was in memory when it began
   * @param fetched - `undefined` when it did not come to a fetch
   * @returns what is in memory then
   */
  #keepRefreshed(entry: CachedChain, fetched: FetchedChain | undefined, startedMs: number): CertificateLookup {
    const state = this.#state;
    // An import may have brought a newer chain meanwhile.
    const current = state.chains.get(entry.lookup.url) ?? entry;
    const keepFor = (admitted: AdmittedChain, nextReloadMs: number): CertificateLookup => {
      const revalidationFailures = isOutOfDate(admitted) ? current.revalidationFailures + 1 : 0;
      const delayMs = isOutOfDate(admitted) ? outOfDateDelayMs(revalidationFailures) : revalidationDelayMs(0);
      const nextRevalidationMs = startedMs + delayMs;
      return keepAndStore(state, admitted, { nextRevalidationMs, nextReloadMs, revalidationFailures });
    };
    if (fetched === undefined) return this.#postpone(current);
    if (fetched.status === 'refused' || fetched.status === 'failed') return this.#countFailure(current);
    const { chain } = current.lookup;
    if (fetched.status === 'chain') {
      const isUnchanged = sameChain(chain, fetched.found.chain);
      if (!isUnchanged) state.counts.rotations += 1;
      const found = isUnchanged ? { ...fetched.found, chain } : fetched.found;
      return keepFor({ ...fetched, found }, startedMs + revalidationDelayMs(0));
    }
    // What was not modified is what was asked about, and no chain that came since.
    if (chain !== entry.lookup.chain) return current.lookup;
    const fetchedAtMs = state.clock.nowMs();
    const freshUntilMs = freshUntil({ headers: fetched.headers, fetchedAtMs, notAfterMs: notAfterOf(chain) });
    const found = { ...current.lookup, fetchedAtMs, freshUntilMs };
    // The file itself did not come: a failed signature may still have it fetched.
    return keepFor({ found, validators: current.validators }, current.nextReloadMs);
  }

  /** Too many fetches here say nothing of the server: soon again, and no failure. */
  #postpone(current: CachedChain): CertificateLookup {
    const { clock, closing, counts } = this.#state;
    if (!closing.signal.aborted) counts.overloaded += 1;
    const soonMs = clock.nowMs() + OVERLOADED_REVALIDATION_MS;
    const nextRevalidationMs = Math.max(current.nextRevalidationMs, soonMs);
    put(this.#state, { ...current, nextRevalidationMs, nextReloadMs: Math.max(current.nextReloadMs, soonMs) });
    return current.lookup;
  }

  #countFailure(current: CachedChain): CertificateLookup {
    this.#state.counts.fetchFailures += 1;
    const revalidationFailures = current.revalidationFailures + 1;
    const againMs = this.#state.clock.nowMs() + revalidationDelayMs(revalidationFailures);
    put(this.#state, { ...current, revalidationFailures, nextRevalidationMs: againMs, nextReloadMs: againMs });
    return current.lookup;
  }

  /**
   * Fetches when it is this URL's turn; `undefined` when that did not come within the deadline of the fetch, there was no room to wait,
   * or the repository was closed.
   */
  async #fetchInTurn(url: string, request: ChainRequest): Promise<FetchedChain | undefined> {
    const { policy, deadlineMs, closing, slots } = this.#state;
    const checked = checkX5uUrl(url, policy);
    if (checked.status === 'refused') return checked;
    const { signal, stop } = startDeadline(deadlineMs, closing.signal);
    try {
      const release = await slots.acquire(siteOf(checked.host), signal);
      if (release === undefined) return undefined;
      return await this.#fetchNow(url, { ...request, signal }).finally(release);
    } finally {
      stop();
    }
  }

  async #fetchNow(url: string, request: ChainRequest): Promise<FetchedChain | undefined> {
    const { counts, closing, clock, parseChain } = this.#state;
    try {
      counts.fetches += 1;
      const result = await this.#state.fetch(url, request);
      if (closing.signal.aborted) return undefined;
      if (result.status !== 'fetched') return result;
      const parsed = parseChain(result.body);
      if (parsed.status === 'malformed') {
        const detail = `${parsed.reason}: ${parsed.detail}`.slice(0, 300);
        return { status: 'failed', url, reason: 'body-malformed', detail };
      }
      const { headers } = result;
      const { chain } = parsed;
      const fetchedAtMs = clock.nowMs();
      const freshUntilMs = freshUntil({ headers, fetchedAtMs, notAfterMs: notAfterOf(chain) });
      const found = {
        status: 'found',
        url,
        chain,
        fetchedAtMs,
        freshUntilMs,
        notes: notesOf(headers),
      } as const;
      return { status: 'chain', found, validators: validatorsOf(headers) };
    } catch (error) {
      // Ours neither reject nor throw; a stand-in that does is remembered like every other failure.
      const detail = error instanceof Error ? error.message.slice(0, 200) : 'unknown error';
      return { status: 'failed', url, reason: 'connect-failed', detail };
    }
  }

  #rememberProblem(
    url: string,
    fetched: FetchedChain & { readonly status: 'not-modified' | 'refused' | 'failed' },
  ): CertificateLookup {
    const { negatives, clock, counts } = this.#state;
    counts.fetchFailures += 1;
    // No 304 is taken to a request without validators; should one come from a stand-in, it is no chain either.
    const { status, reason, detail } =
      fetched.status === 'not-modified'
        ? ({ status: 'failed', reason: 'http-status', detail: 'HTTP 304' } as const)
        : fetched;
    const nowMs = clock.nowMs();
    const failures = (negatives.get(url)?.failures ?? 0) + 1;
    const retryAfter = fetched.status === 'failed' ? fetched.retryAfter : undefined;
    // Without the octets of the peer: there may be entries of 16,384 URLs.
    const problem = { status, url, reason, detail } as NegativeEntry['problem'];
    const entry = { problem, failures, retryAtMs: nowMs + retryDelayMs(failures, retryAfter, { nowMs }) };
    negatives.set(url, entry);
    return lookupOfNegative(url, entry, nowMs);
  }

  #rejectLoad(url: string): CertificateLookup {
    if (this.#state.closing.signal.aborted) return overloaded(url, 'the repository is closed');
    this.#state.counts.overloaded += 1;
    return overloaded(url, 'too many certificate fetches at a time');
  }
}

/** What callers are told about a URL that does not work. */
function lookupOfNegative(url: string, { problem, retryAtMs }: NegativeEntry, nowMs: number): CertificateLookup {
  if (problem.status === 'refused') return { ...problem, url };
  const { reason, detail } = problem;
  return {
    status: 'unavailable',
    url,
    reason,
    detail,
    retryAfterMs: Math.max(0, retryAtMs - nowMs),
  };
}

function overloaded(url: string, detail: string): CertificateLookup {
  return {
    status: 'unavailable',
    url,
    reason: 'overloaded',
    detail,
    retryAfterMs: 0,
  };
}
