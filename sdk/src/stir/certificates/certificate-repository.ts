import { setMaxListeners } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import type { LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import { MACHINE_CLOCK, nextTurn, scheduleInBackground } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { attempt, attemptDeadline } from '../../core/runtime/deadline.js';
import { defined, membersOf } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { DEFAULT_FETCH_DEADLINE_MS } from './bounded-fetch.js';
import type { BoundedFetchOptions, BoundedFetchResult } from './bounded-fetch.js';
import {
  boundFreshUntil,
  estimatedBytes,
  freshUntil,
  notAfterOf,
  notesOf,
  outOfDateDelayMs,
  readEnvelope,
  retryDelayMs,
  revalidationDelayMs,
  servedUntil,
  standingOf,
  validatorsOf,
  writeEnvelope,
} from './certificate-cache.js';
import type { CachedChain } from './certificate-cache.js';
import { sameChain } from './certificate.js';
import type { Certificate, CertificateChainParseResult } from './certificate.js';
import { NO_DISK_COUNTS, createDiskCache } from './disk-cache.js';
import { CERTIFICATE_CHAIN_LIMITS, problemOf, resourceFetcher } from './fetched-resource.js';
import type { FetchedResource, ResourceFetcher, ResourceKind, ResourceProblem } from './fetched-resource.js';
import { parseCertificateChain } from './parse-certificate.js';
import type { CertificateCacheExport, CertificateLookup, RepositoryStats } from './repository.js';
import { createFetchSlots, createSiteFairCache, siteOf, siteOfUrl } from './site-shares.js';
import { checkX5uUrl } from './x5u-url-policy.js';
import type { X5uAllowList } from './x5u-url-policy.js';

/** Settings of {@link CertificateRepository}. */
export interface CertificateRepositoryOptions {
  /** Says what is fresh and when a URL is asked again. Default: the machine's. Deadlines always run on the timers of the machine. */
  readonly clock?: Clock;
  /** Laboratory exceptions of the URL and address policy; default none. */
  readonly allow?: X5uAllowList;
  /** Resolves host names; default DNS. */
  readonly lookup?: LookupFunction;
  /** PEM trust anchors for the web servers' certificates; default those of Node. */
  readonly ca?: string | readonly string[];
  /** One deadline for a whole fetch, the wait for a socket included, milliseconds, 1 to 60,000; default 2,000. */
  readonly deadlineMs?: number;
  /** Bounds of memory, sockets and queue, where they differ from the defaults. */
  readonly limits?: {
    /** Chains. Default 8,192. */
    readonly maxEntries?: number;
    /** Memory that chains take by estimate, bytes. Default 150,994,944 (144 MiB). */
    readonly maxBytes?: number;
    /** URLs remembered as not working. Default 16,384. */
    readonly maxNegativeEntries?: number;
    /** Sockets open at a time. Default 64. */
    readonly maxConcurrent?: number;
    /** Of these for one site. Default 8. */
    readonly maxConcurrentPerSite?: number;
    /** Fetches that wait for a socket. Default 512. */
    readonly maxQueued?: number;
    /** Of these for one site. Default 64. */
    readonly maxQueuedPerSite?: number;
  };
  /** Directory of the disk cache; default none. Made when missing; several processes may share it. */
  readonly directory?: string;
  /** Default `parseCertificateChain`. */
  readonly parseChain?: (body: Uint8Array | string) => CertificateChainParseResult;
  /** Default: one bounded GET without redirects, to an address that the policy permits. */
  readonly fetch?: (url: string, options: Partial<BoundedFetchOptions>) => Promise<BoundedFetchResult>;
}

/** Chains in memory: several times the providers that sign calls in the US and Canada, rotated certificates included. */
const MAX_CACHED_CHAINS = 8_192;

/** Bytes of chains in memory, by estimate: room for as many chains of two, and no more for a flood of long ones. */
export const MAX_CACHED_BYTES = 150_994_944;

/**
 * URLs remembered as not working. Kept apart from chains, so that a flood of URLs that do not work pushes out no chain. URLs that
 * work, with chains that nobody trusts, push out those of their own site; those of another site only once the flood comes from so
 * many sites that an equal part for each is less than that site has. One chain a site thus outlasts a flood from thousands of domains.
 */
const MAX_NEGATIVE_ENTRIES = 16_384;

/**
 * Sockets open at a time for certificates. A carrier meets a few hundred repositories, of which few are cold at once; what is
 * more only helps whoever floods us.
 */
export const MAX_CONCURRENT_FETCHES = 64;

const DEFAULT_LIMITS: Required<NonNullable<CertificateRepositoryOptions['limits']>> = {
  maxEntries: MAX_CACHED_CHAINS,
  maxBytes: MAX_CACHED_BYTES,
  maxNegativeEntries: MAX_NEGATIVE_ENTRIES,
  maxConcurrent: MAX_CONCURRENT_FETCHES,
  // One slow site leaves seven eighths of the sockets to the others, and cannot fill the queue.
  maxConcurrentPerSite: 8,
  // Eight a socket; further lookups are told `overloaded` at once instead of far too late.
  maxQueued: 512,
  maxQueuedPerSite: 64,
};

/** Lookups under way at a time, the disk included; further ones are told `overloaded` at once. */
const MAX_LOOKUPS_IN_FLIGHT = 2_048;

/** Lookups that run at a time in a preload: fast enough for some hundred URLs, and calls still find free sockets. */
const PRELOAD_CONCURRENCY = 16;

/** Entries of an import that are parsed before calls have their turn and the disk is waited for: some ten milliseconds of work. */
const IMPORT_BATCH = 8;

/** Wait after a revalidation that found no socket here, milliseconds: its server has not failed, and sockets are soon free. */
const OVERLOADED_REVALIDATION_MS = 5_000;

/** Marks the form of an export; a reader ignores others. */
const EXPORT_FORMAT = 'hopback.certificate-cache.1';

/** What was fetched or restored, before it is known when it is asked for again. */
type PublishedChain = Pick<CachedChain, 'lookup' | 'validators'>;

type FetchedChain = FetchedResource<readonly Certificate[]>;

/** When an entry may be asked for again. */
type Waits = Omit<CachedChain, keyof PublishedChain>;

/** One URL that does not work. */
interface NegativeEntry {
  readonly problem: ResourceProblem;
  /** Failures in a row. */
  readonly failures: number;
  readonly retryAtMs: number;
}

/** A lookup under way. */
interface Flight {
  readonly result: Promise<CertificateLookup>;
  /** Asks only for what differs from the validators at hand. */
  readonly conditional: boolean;
}

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
  readonly #clock: Clock;
  readonly #policy: { readonly allow?: X5uAllowList };
  readonly #parseChain: (body: Uint8Array | string) => CertificateChainParseResult;
  readonly #kind: ResourceKind<readonly Certificate[]>;
  readonly #fetch: ResourceFetcher;
  /** For a whole fetch, the wait for its turn included. */
  readonly #deadlineMs: number;
  readonly #maxEntries: number;
  /** Chains by the exact URL text; shared fairly by sites. */
  readonly #chains: ReturnType<typeof createSiteFairCache<CachedChain>>;
  readonly #negatives: LRUCache<string, NegativeEntry>;
  readonly #slots: ReturnType<typeof createFetchSlots>;
  readonly #disk: ReturnType<typeof createDiskCache> | undefined;
  readonly #closing = new AbortController();
  readonly #flights = new Map<string, Flight>();
  readonly #counts = {
    hits: 0,
    staleHits: 0,
    negativeHits: 0,
    misses: 0,
    fetches: 0,
    fetchFailures: 0,
    revalidations: 0,
    rotations: 0,
    overloaded: 0,
  };

  /**
   * Makes an empty repository, to be closed by `close()` or `await using`.
   * @param options - policy and limits, where the defaults do not fit
   * @throws {@link HopbackError} `invalid-argument` when a limit, the deadline or an allowed network makes no sense
   */
  constructor(options: CertificateRepositoryOptions = {}) {
    const { clock = MACHINE_CLOCK, allow, directory, parseChain = parseCertificateChain } = options;
    const { deadlineMs = DEFAULT_FETCH_DEADLINE_MS } = options;
    const limits = checkedLimits(options.limits);
    this.#clock = clock;
    this.#policy = allow === undefined ? {} : { allow };
    this.#parseChain = parseChain;
    this.#kind = { limits: CERTIFICATE_CHAIN_LIMITS, read: (body) => readChain(parseChain(body)) };
    this.#fetch = resourceFetcher({ ...options, deadlineMs });
    this.#deadlineMs = deadlineMs;
    this.#maxEntries = limits.maxEntries;
    this.#chains = createSiteFairCache<CachedChain>(limits);
    this.#negatives = new LRUCache<string, NegativeEntry>({ max: limits.maxNegativeEntries });
    this.#slots = createFetchSlots(limits);
    this.#disk = directory === undefined ? undefined : createDiskCache({ directory, clock });
    // Every lookup in flight listens, of which the number is bounded; Node would take more than ten for a leak.
    setMaxListeners(0, this.#closing.signal);
  }

  /**
   * What is known now, without waiting. `undefined` when nothing is: call `lookup`.
   * A stale entry is returned and revalidated in the background.
   */
  peek(url: string): CertificateLookup | undefined {
    const counts = this.#counts;
    const nowMs = this.#clock.nowMs();
    const entry = this.#chains.get(url);
    if (entry !== undefined) {
      const standing = standingOf(entry, nowMs);
      if (standing === 'fresh') counts.hits += 1;
      if (standing === 'stale') {
        counts.staleHits += 1;
        if (nowMs >= entry.nextRevalidationMs) void this.#refresh(entry, {});
      }
      if (standing !== 'expired') return entry.lookup;
    }
    const negative = this.#negatives.get(url);
    if (negative !== undefined && nowMs < negative.retryAtMs) {
      counts.negativeHits += 1;
      return lookupOfNegative(url, negative, nowMs);
    }
    const checked = checkX5uUrl(url, this.#policy);
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
    const entry = this.#chains.get(url);
    const nowMs = this.#clock.nowMs();
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
    const entries = this.#chains.values().flatMap((entry) => writeEnvelope(entry) ?? []);
    return { format: EXPORT_FORMAT, exportedAtMs: this.#clock.nowMs(), entries };
  }

  /**
   * Takes over what another repository exported. Every entry is checked as if it had been fetched; nothing becomes trusted by it.
   * Calls are answered meanwhile. Resolves when the entries are in memory and on disk. Never rejects. `rejected` counts the entries that
   * were damaged, not permitted, too old, older than what was there, or more than there is room for.
   * @param data - parsed JSON; anything that is no export is counted as rejected
   */
  async import(data: unknown): Promise<{ readonly imported: number; readonly rejected: number }> {
    const { format, entries } = membersOf(data);
    if (format !== EXPORT_FORMAT || !Array.isArray(entries)) return { imported: 0, rejected: 1 };
    let imported = 0;
    // The last ones are the newest.
    for (const [index, value] of entries.slice(-this.#maxEntries).entries()) {
      if (index % IMPORT_BATCH === IMPORT_BATCH - 1) await this.#takeTurn();
      if (this.#closing.signal.aborted) break;
      const admitted = this.#admit(value);
      if (admitted === undefined) continue;
      const { url } = admitted.lookup;
      const present = this.#chains.get(url)?.lookup ?? (await this.#disk?.load(url));
      if (present !== undefined && present.fetchedAtMs >= admitted.lookup.fetchedAtMs) continue;
      this.#keepAndStore(admitted);
      imported += 1;
    }
    await this.#takeTurn();
    return { imported, rejected: entries.length - imported };
  }

  /** Takes what the cache directory holds into memory, checked like an import, before calls need it. Never rejects. */
  async restore(): Promise<{ readonly imported: number; readonly rejected: number }> {
    const report = { imported: 0, rejected: 0 };
    for await (const envelope of this.#disk?.loadAll() ?? []) {
      if (this.#closing.signal.aborted) break;
      const admitted = this.#admit(envelope);
      const present = admitted && this.#chains.get(admitted.lookup.url);
      const isNewer = admitted !== undefined && (present?.lookup.fetchedAtMs ?? -1) < admitted.lookup.fetchedAtMs;
      if (isNewer) this.#keep(admitted);
      report[isNewer ? 'imported' : 'rejected'] += 1;
    }
    return report;
  }

  /** What it holds and has done since it was made. */
  stats(): RepositoryStats {
    return {
      ...this.#chains.size(),
      negativeEntries: this.#negatives.size,
      activeFetches: this.#slots.active(),
      queuedFetches: this.#slots.queued(),
      ...this.#counts,
      ...(this.#disk?.counts ?? NO_DISK_COUNTS),
    };
  }

  /** Ends what is under way and closes every socket; what is in memory is still handed out. Never rejects. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#slots.close();
    await Promise.allSettled([...this.#flights.values()].map(({ result }) => result));
    await this.#disk?.settled();
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Single flight: whoever asks while the URL is under way gets the same promise. Without room to ask, `cached` is the answer. */
  #inFlight(
    url: string,
    plan: {
      readonly start: () => Promise<CertificateLookup>;
      readonly cached?: CachedChain;
      readonly conditional?: boolean;
    },
  ): Promise<CertificateLookup> {
    const underWay = this.#flights.get(url);
    if (underWay !== undefined) return underWay.result;
    if (this.#flights.size >= MAX_LOOKUPS_IN_FLIGHT || this.#closing.signal.aborted)
      return Promise.resolve(plan.cached?.lookup ?? this.#rejectLoad(url));
    const result = plan.start().finally(() => this.#flights.delete(url));
    this.#flights.set(url, { result, conditional: plan.conditional === true });
    return result;
  }

  /** A URL that memory does not know: from disk, else from the network. */
  async #load(url: string): Promise<CertificateLookup> {
    this.#counts.misses += 1;
    const admitted = this.#admit(await this.#disk?.load(url));
    if (admitted !== undefined) {
      const entry = this.#keep(admitted);
      // What is stale is served now; the next peek revalidates it.
      if (standingOf(entry, this.#clock.nowMs()) !== 'expired') return entry.lookup;
    }
    const fetched = await this.#fetchInTurn(url, {});
    if (fetched === undefined) return this.#rejectLoad(url);
    if (fetched.status === 'read') return this.#keepAndStore(this.#published(url, fetched.value, fetched.headers));
    return this.#rememberProblem(url, problemOf(fetched));
  }

  /** A URL whose chain is in memory: by a conditional request, unless it is to come past every cache. */
  #refresh(entry: CachedChain, request: { readonly noCache?: boolean }): Promise<CertificateLookup> {
    const { url } = entry.lookup;
    const { validators } = entry;
    const conditional = request.noCache !== true && Object.keys(validators).length > 0;
    const start = async (): Promise<CertificateLookup> => {
      // The minute counts from here, so that a slow fetch is the revalidation of this minute.
      const startedMs = this.#clock.nowMs();
      this.#counts.revalidations += 1;
      const fetched = await this.#fetchInTurn(url, { ...request, ...(conditional ? { validators } : {}) });
      return this.#keepRefreshed(entry, fetched, startedMs);
    };
    return this.#inFlight(url, { start, cached: entry, conditional });
  }

  /** Keeps a new chain, the same one for longer, or the old one where the fetch failed or there was no room for it (`undefined`). */
  #keepRefreshed(entry: CachedChain, fetched: FetchedChain | undefined, startedMs: number): CertificateLookup {
    // An import may have brought a newer chain meanwhile.
    const current = this.#chains.get(entry.lookup.url) ?? entry;
    const { chain } = current.lookup;
    if (fetched === undefined) return this.#postpone(current);
    if (fetched.status === 'refused' || fetched.status === 'failed') return this.#countFailure(current);
    const isRead = fetched.status === 'read';
    // What was not modified is what was asked about, and no chain that came since.
    if (!isRead && chain !== entry.lookup.chain) return current.lookup;
    const isRotated = isRead && !sameChain(chain, fetched.value);
    if (isRotated) this.#counts.rotations += 1;
    const renewed = this.#published(current.lookup.url, isRotated ? fetched.value : chain, fetched.headers);
    const { fetchedAtMs, freshUntilMs } = renewed.lookup;
    // Of a file that did not come, notes and validators stay.
    const published = isRead ? renewed : { ...current, lookup: { ...current.lookup, fetchedAtMs, freshUntilMs } };
    const revalidationFailures = isOutOfDate(published) ? current.revalidationFailures + 1 : 0;
    const delayMs = isOutOfDate(published) ? outOfDateDelayMs(revalidationFailures) : revalidationDelayMs(0);
    return this.#keepAndStore(published, {
      nextRevalidationMs: startedMs + delayMs,
      // Where the file itself did not come, a failed signature may still have it fetched.
      nextReloadMs: isRead ? startedMs + revalidationDelayMs(0) : current.nextReloadMs,
      revalidationFailures,
    });
  }

  /** Too many fetches here say nothing of the server: soon again, and no failure. */
  #postpone(current: CachedChain): CertificateLookup {
    if (!this.#closing.signal.aborted) this.#counts.overloaded += 1;
    const soonMs = this.#clock.nowMs() + OVERLOADED_REVALIDATION_MS;
    const nextRevalidationMs = Math.max(current.nextRevalidationMs, soonMs);
    return this.#put({ ...current, nextRevalidationMs, nextReloadMs: Math.max(current.nextReloadMs, soonMs) });
  }

  #countFailure(current: CachedChain): CertificateLookup {
    this.#counts.fetchFailures += 1;
    const revalidationFailures = current.revalidationFailures + 1;
    const againMs = this.#clock.nowMs() + revalidationDelayMs(revalidationFailures);
    return this.#put({
      ...current,
      revalidationFailures,
      nextRevalidationMs: againMs,
      nextReloadMs: againMs,
    });
  }

  /**
   * Fetches when it is this URL's turn; `undefined` when that did not come within the deadline of the fetch, there was no room to wait,
   * or the repository was closed.
   */
  async #fetchInTurn(
    url: string,
    request: Pick<BoundedFetchOptions, 'validators' | 'noCache'>,
  ): Promise<FetchedChain | undefined> {
    const checked = checkX5uUrl(url, this.#policy);
    if (checked.status === 'refused') return checked;
    const { signal, end } = attemptDeadline(this.#deadlineMs, this.#closing.signal, scheduleInBackground);
    try {
      const release = await this.#slots.acquire(siteOf(checked.host), signal);
      if (release === undefined) return undefined;
      this.#counts.fetches += 1;
      const fetched = await this.#fetch(this.#kind, url, { ...request, signal }).finally(release);
      return this.#closing.signal.aborted ? undefined : fetched;
    } finally {
      end();
    }
  }

  #published(url: string, chain: readonly Certificate[], headers: IncomingHttpHeaders): PublishedChain {
    const fetchedAtMs = this.#clock.nowMs();
    const freshUntilMs = freshUntil({ headers, fetchedAtMs, notAfterMs: notAfterOf(chain) });
    const lookup = {
      status: 'found',
      url,
      chain,
      fetchedAtMs,
      freshUntilMs,
      notes: notesOf(headers),
    } as const;
    return { lookup, validators: validatorsOf(headers) };
  }

  /**
   * Checks an envelope from disk or import as if its chain had been fetched: URL policy, parsing, and times that are neither in the
   * future nor past what is still served. Never throws.
   */
  #admit(value: unknown): PublishedChain | undefined {
    const envelope = readEnvelope(value);
    if (envelope === undefined || checkX5uUrl(envelope.url, this.#policy).status === 'refused') return undefined;
    const { url, body, fetchedAtMs, etag, lastModified } = envelope;
    const nowMs = this.#clock.nowMs();
    // Ours does not throw; a stand-in that does has no chain.
    const parsed = attempt(() => this.#parseChain(body));
    if (parsed?.status !== 'parsed' || fetchedAtMs > nowMs) return undefined;
    const { chain } = parsed;
    const freshUntilMs = boundFreshUntil(envelope.freshUntilMs, { fetchedAtMs, notAfterMs: notAfterOf(chain) });
    if (nowMs >= servedUntil({ fetchedAtMs, freshUntilMs })) return undefined;
    const lookup = {
      status: 'found',
      url,
      chain,
      fetchedAtMs,
      freshUntilMs,
      notes: [],
    } as const;
    return { lookup, validators: defined({ etag, lastModified }) };
  }

  /** Takes a chain into memory and, where there is one, to disk in the background. */
  #keepAndStore(published: PublishedChain, waits?: Waits): CertificateLookup {
    const entry = this.#keep(published, waits);
    const envelope = this.#disk && writeEnvelope(entry);
    if (envelope !== undefined) this.#disk?.store(envelope);
    return entry.lookup;
  }

  /** Takes a chain into memory; the URL works again. */
  #keep(published: PublishedChain, waits: Waits = firstWaits(published)): CachedChain {
    const entry = { ...published, ...waits };
    this.#put(entry);
    this.#negatives.delete(entry.lookup.url);
    return entry;
  }

  /** Puts an entry in the place of the one that its URL has. */
  #put(entry: CachedChain): CertificateLookup {
    const { url, chain } = entry.lookup;
    const certificateBytes = chain.reduce((sum, certificate) => sum + estimatedBytes(certificate), 0);
    this.#chains.set(url, entry, { site: siteOfUrl(url), sizeBytes: certificateBytes + 2 * url.length });
    return entry.lookup;
  }

  #rememberProblem(url: string, fetched: ResourceProblem): CertificateLookup {
    this.#counts.fetchFailures += 1;
    const { status, reason, detail } = fetched;
    const nowMs = this.#clock.nowMs();
    const failures = (this.#negatives.get(url)?.failures ?? 0) + 1;
    const retryAfter = fetched.status === 'failed' ? fetched.retryAfter : undefined;
    // Without the octets of the peer: there may be entries of 16,384 URLs.
    const problem = {
      status,
      url,
      reason,
      detail,
    } as ResourceProblem;
    const entry = { problem, failures, retryAtMs: nowMs + retryDelayMs(failures, retryAfter, nowMs) };
    this.#negatives.set(url, entry);
    return lookupOfNegative(url, entry, nowMs);
  }

  #rejectLoad(url: string): CertificateLookup {
    const isClosed = this.#closing.signal.aborted;
    if (!isClosed) this.#counts.overloaded += 1;
    const detail = isClosed ? 'the repository is closed' : 'too many certificate fetches at a time';
    return {
      status: 'unavailable',
      url,
      reason: 'overloaded',
      detail,
      retryAfterMs: 0,
    };
  }

  /** Lets calls be answered and files be written: no more of them may wait than the disk cache takes. */
  async #takeTurn(): Promise<void> {
    await this.#disk?.settled();
    await nextTurn();
  }
}

function checkedLimits(given: CertificateRepositoryOptions['limits']): typeof DEFAULT_LIMITS {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new HopbackError('invalid-argument', `limits.${name} must be a whole number of 1 or more`);
  }
  return limits;
}

function readChain(parsed: CertificateChainParseResult): ReturnType<ResourceKind<readonly Certificate[]>['read']> {
  return parsed.status === 'parsed' ? { value: parsed.chain } : { detail: `${parsed.reason}: ${parsed.detail}` };
}

/** Whether a chain had stopped being fresh when it came: its end-entity certificate has expired. */
function isOutOfDate({ lookup }: PublishedChain): boolean {
  return lookup.freshUntilMs <= lookup.fetchedAtMs;
}

function firstWaits(published: PublishedChain): Waits {
  return isOutOfDate(published)
    ? {
        nextRevalidationMs: published.lookup.fetchedAtMs + outOfDateDelayMs(1),
        nextReloadMs: 0,
        revalidationFailures: 1,
      }
    : { nextRevalidationMs: 0, nextReloadMs: 0, revalidationFailures: 0 };
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
