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
  preloadChains,
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
import type { CertificateLookup, CertificateRepositoryService } from './repository.js';
import { notesOf, validatorsOf } from './x5u-fetch.js';
import { checkX5uUrl } from './x5u-url-policy.js';

/** A fetch as the repository sees it: its body is a chain, or it failed. */
type FetchedChain =
  | ({ readonly status: 'chain' } & AdmittedChain)
  | (BoundedFetchResult & { readonly status: 'not-modified' | 'refused' | 'failed' });

/** A revalidation that came to its end. */
interface Refreshed {
  /** What was in memory when it began. */
  readonly entry: CachedChain;
  /** What was fetched; `undefined` when it did not come to a fetch. */
  readonly fetched: FetchedChain | undefined;
  readonly startedMs: number;
}

/**
 * Keeps what a revalidation brought: a new chain, the same one for longer, or the old one where the fetch failed or there was
 * no room for it.
 * @returns what is in memory then
 */
function keepRefreshed(repository: Repository, { entry, fetched, startedMs }: Refreshed): CertificateLookup {
  // An import may have brought a newer chain meanwhile.
  const current = repository.chains.get(entry.lookup.url) ?? entry;
  const keepFor = (admitted: AdmittedChain, nextReloadMs: number): CertificateLookup => {
    const revalidationFailures = isOutOfDate(admitted) ? current.revalidationFailures + 1 : 0;
    const delayMs = isOutOfDate(admitted) ? outOfDateDelayMs(revalidationFailures) : revalidationDelayMs(0);
    const nextRevalidationMs = startedMs + delayMs;
    return keepAndStore(repository, admitted, { nextRevalidationMs, nextReloadMs, revalidationFailures });
  };
  if (fetched === undefined) return postpone(repository, current);
  if (fetched.status === 'refused' || fetched.status === 'failed') return countFailure(repository, current);
  const { chain } = current.lookup;
  if (fetched.status === 'chain') {
    const isUnchanged = sameChain(chain, fetched.found.chain);
    if (!isUnchanged) repository.counts.rotations += 1;
    const found = isUnchanged ? { ...fetched.found, chain } : fetched.found;
    return keepFor({ ...fetched, found }, startedMs + revalidationDelayMs(0));
  }
  // What was not modified is what was asked about, and no chain that came since.
  if (chain !== entry.lookup.chain) return current.lookup;
  const fetchedAtMs = repository.clock.nowMs();
  const freshUntilMs = freshUntil({ headers: fetched.headers, fetchedAtMs, notAfterMs: notAfterOf(chain) });
  const found = { ...current.lookup, fetchedAtMs, freshUntilMs };
  // The file itself did not come: a failed signature may still have it fetched.
  return keepFor({ found, validators: current.validators }, current.nextReloadMs);
}

/** Too many fetches here say nothing of the server: soon again, and no failure. */
function postpone(repository: Repository, current: CachedChain): CertificateLookup {
  const { clock, closing, counts } = repository;
  if (!closing.signal.aborted) counts.overloaded += 1;
  const soonMs = clock.nowMs() + OVERLOADED_REVALIDATION_MS;
  const nextRevalidationMs = Math.max(current.nextRevalidationMs, soonMs);
  put(repository, { ...current, nextRevalidationMs, nextReloadMs: Math.max(current.nextReloadMs, soonMs) });
  return current.lookup;
}

function countFailure(repository: Repository, current: CachedChain): CertificateLookup {
  repository.counts.fetchFailures += 1;
  const revalidationFailures = current.revalidationFailures + 1;
  const againMs = repository.clock.nowMs() + revalidationDelayMs(revalidationFailures);
  put(repository, { ...current, revalidationFailures, nextRevalidationMs: againMs, nextReloadMs: againMs });
  return current.lookup;
}

/** Lookups under way at a time, the disk included; further ones are told `overloaded` at once. */
const MAX_LOOKUPS_IN_FLIGHT = 2_048;

/**
 * Makes the repository that a verification service gets its certificates from: memory, optionally disk, and the network
 * behind both. One fetch per URL at a time; stale chains are served while they are revalidated in the background; URLs that fail
 * are left alone for a doubling time; memory, sockets and queue are bounded. It owns no timers; the sockets of fetches
 * under way end by their deadline or at `close()`.
 * @param options - clock, policy, limits
 * @returns an empty repository, to be closed by `close()` or `await using`; none of its methods rejects for what servers and files do
 * @throws {@link HopbackError} `invalid-argument` when a limit, the deadline or an allowed network makes no sense
 * @see ATIS-1000074, RFC 9111
 * @example
 * ```ts
 * const pki = new TestPki({ nowMs: Date.now() });
 * await using server = await CertificateServer.start();
 * const x5u = server.publish('/1234.pem', pki.issueServiceProvider({ spc: '1234' }).chainPem);
 * await using repository = createCertificateRepository({
 *   clock: { nowMs: () => Date.now() },
 *   // For a server on loopback; repositories of providers need neither.
 *   allow: { addresses: ['127.0.0.1'], ports: [server.ports.https] },
 *   ca: server.tlsRootPem,
 * });
 * const found = await repository.lookup(x5u);
 * if (found.status === 'found') console.log(found.chain.length); // 2
 * console.log(repository.peek(x5u) === found); // true
 * ```
 */
export function createCertificateRepository(options: CertificateRepositoryOptions): CertificateRepositoryService {
  const repository = repositoryOf(options);
  const lookup = (url: string): Promise<CertificateLookup> => lookupChain(repository, url);
  const close = (): Promise<void> => closeRepository(repository);
  return {
    peek: (url) => peekChain(repository, url),
    lookup,
    revalidate: (url) => revalidateChain(repository, url),
    preload: (urls) => preloadChains(lookup, urls),
    export: () => exportChains(repository),
    import: (data) => importChains(repository, data),
    restore: () => restoreChains(repository),
    stats: () => statsOf(repository),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** What memory knows; a stale chain is handed out and refreshed behind the caller's back. */
function peekChain(repository: Repository, url: string): CertificateLookup | undefined {
  const { chains, negatives, clock, counts } = repository;
  const nowMs = clock.nowMs();
  const entry = chains.get(url);
  if (entry !== undefined) {
    const standing = standingOf(entry, nowMs);
    if (standing === 'fresh') counts.hits += 1;
    if (standing === 'stale') {
      counts.staleHits += 1;
      if (nowMs >= entry.nextRevalidationMs) void refresh(repository, entry, {});
    }
    if (standing !== 'expired') return entry.lookup;
  }
  const negative = negatives.get(url);
  if (negative !== undefined && nowMs < negative.retryAtMs) {
    counts.negativeHits += 1;
    return lookupOfNegative(url, negative, nowMs);
  }
  const checked = checkX5uUrl(url, repository.policy);
  return checked.status === 'refused' ? checked : undefined;
}

function lookupChain(repository: Repository, url: string): Promise<CertificateLookup> {
  const known = peekChain(repository, url);
  if (known !== undefined) return Promise.resolve(known);
  return inFlight(repository, url, { start: () => load(repository, url) });
}

/** A signature failed: fetch anew, unless that was done within the last minute or is being done. */
async function revalidateChain(repository: Repository, url: string): Promise<CertificateLookup> {
  const entry = repository.chains.get(url);
  const nowMs = repository.clock.nowMs();
  if (entry === undefined || standingOf(entry, nowMs) === 'expired') return lookupChain(repository, url);
  const underWay = repository.flights.get(url);
  if (underWay?.conditional === true) {
    const refreshed = await underWay.result;
    const isNew = refreshed.status === 'found' && refreshed.chain !== entry.lookup.chain;
    // Not modified says no more than that the validators still fit.
    return isNew ? refreshed : revalidateChain(repository, url);
  }
  if (underWay !== undefined) return underWay.result;
  if (nowMs < entry.nextReloadMs) return entry.lookup;
  // Without validators and past every cache: a rotated file must come, even from a server whose ETag did not move.
  return refresh(repository, entry, { noCache: true });
}

/** What a URL is asked for, and what stands in for the answer where there is no room to ask. */
interface FlightPlan {
  readonly start: () => Promise<CertificateLookup>;
  readonly cached?: CachedChain;
  readonly conditional?: boolean;
}

/** Single flight: whoever asks while the URL is under way gets the same promise. */
function inFlight(repository: Repository, url: string, plan: FlightPlan): Promise<CertificateLookup> {
  const { flights } = repository;
  const underWay = flights.get(url);
  if (underWay !== undefined) return underWay.result;
  if (flights.size >= MAX_LOOKUPS_IN_FLIGHT || repository.closing.signal.aborted) {
    return Promise.resolve(plan.cached?.lookup ?? rejectLoad(repository, url));
  }
  const result = plan.start().finally(() => flights.delete(url));
  flights.set(url, { result, conditional: plan.conditional === true });
  return result;
}

/** A URL that memory does not know: from disk, else from the network. */
async function load(repository: Repository, url: string): Promise<CertificateLookup> {
  repository.counts.misses += 1;
  const stored = await repository.disk?.load(url);
  const admitted = stored === undefined ? undefined : admitEnvelope(stored, repository);
  if (admitted !== undefined) {
    const entry = keep(repository, admitted);
    const nowMs = repository.clock.nowMs();
    // What is stale is served now; the next peek revalidates it.
    if (standingOf(entry, nowMs) !== 'expired') return entry.lookup;
  }
  const fetched = await fetchInTurn(repository, url, {});
  if (fetched === undefined) return rejectLoad(repository, url);
  if (fetched.status === 'chain') return keepAndStore(repository, fetched);
  return rememberProblem(repository, url, fetched);
}

/** A URL whose chain is in memory: by a conditional request, unless it is to come past every cache. */
function refresh(
  repository: Repository,
  entry: CachedChain,
  request: { readonly noCache?: boolean },
): Promise<CertificateLookup> {
  const { url } = entry.lookup;
  const { validators } = entry;
  const conditional = request.noCache !== true && Object.keys(validators).length > 0;
  const start = async (): Promise<CertificateLookup> => {
    // The minute counts from here, so that a slow fetch is the revalidation of this minute.
    const startedMs = repository.clock.nowMs();
    repository.counts.revalidations += 1;
    const fetched = await fetchInTurn(repository, url, { ...request, ...(conditional ? { validators } : {}) });
    return keepRefreshed(repository, { entry, fetched, startedMs });
  };
  return inFlight(repository, url, { start, cached: entry, conditional });
}

/**
 * Fetches when it is this URL's turn; `undefined` when that did not come within the deadline of the fetch, there was no room to wait,
 * or the repository was closed.
 */
async function fetchInTurn(
  repository: Repository,
  url: string,
  request: ChainRequest,
): Promise<FetchedChain | undefined> {
  const checked = checkX5uUrl(url, repository.policy);
  if (checked.status === 'refused') return checked;
  const { signal, stop } = startDeadline(repository.deadlineMs, repository.closing.signal);
  try {
    const release = await repository.slots.acquire(siteOf(checked.host), signal);
    if (release === undefined) return undefined;
    return await fetchNow(repository, url, { ...request, signal }).finally(release);
  } finally {
    stop();
  }
}

async function fetchNow(repository: Repository, url: string, request: ChainRequest): Promise<FetchedChain | undefined> {
  const { counts, closing, clock, parseChain } = repository;
  try {
    counts.fetches += 1;
    const result = await repository.fetch(url, request);
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

function rememberProblem(
  { negatives, clock, counts }: Repository,
  url: string,
  fetched: FetchedChain & { readonly status: 'not-modified' | 'refused' | 'failed' },
): CertificateLookup {
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

function rejectLoad(repository: Repository, url: string): CertificateLookup {
  if (repository.closing.signal.aborted) return overloaded(url, 'the repository is closed');
  repository.counts.overloaded += 1;
  return overloaded(url, 'too many certificate fetches at a time');
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

async function closeRepository(repository: Repository): Promise<void> {
  repository.closing.abort();
  repository.slots.close();
  await Promise.allSettled([...repository.flights.values()].map(({ result }) => result));
  await repository.disk?.settled();
}
