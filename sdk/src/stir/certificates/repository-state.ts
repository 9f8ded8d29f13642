import { setMaxListeners } from 'node:events';
import type { SecureContext } from 'node:tls';
import { nextTurn } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { DEFAULT_FETCH_DEADLINE_MS, webServerContext } from './bounded-fetch.js';
import type { HostLookup } from './bounded-fetch.js';
import {
  MAX_CACHED_BYTES,
  MAX_CACHED_CHAINS,
  MAX_NEGATIVE_ENTRIES,
  admitEnvelope,
  createRepositoryCache,
  outOfDateDelayMs,
} from './certificate-cache.js';
import type {
  AdmittedChain,
  CachedChain,
  ParseChain,
  RepositoryCache,
  RepositoryCacheLimits,
} from './certificate-cache.js';
import { createDiskCache, writeEnvelope } from './disk-cache.js';
import type { DiskCache } from './disk-cache.js';
import { parseCertificateChain } from './parse-certificate.js';
import type {
  CachedChainEnvelope,
  CertificateCacheExport,
  CertificateLookup,
  ImportReport,
  PreloadReport,
} from './repository.js';
import {
  MAX_CONCURRENT_FETCHES,
  MAX_CONCURRENT_FETCHES_PER_SITE,
  MAX_QUEUED_FETCHES,
  MAX_QUEUED_FETCHES_PER_SITE,
  createFetchSlots,
  fetchX5u,
} from './x5u-fetch.js';
import type { FetchSlotLimits, FetchSlots, FetchX5uOptions, FetchX5uResult } from './x5u-fetch.js';
import { parseNetworkSet } from './x5u-url-policy.js';
import type { X5uAllowList, X5uUrlPolicy } from './x5u-url-policy.js';

/** Settings of {@link createCertificateRepository}. */
export interface CertificateRepositoryOptions {
  /** Says what is fresh and when a URL is asked again; deadlines are kept by timers of the platform. */
  readonly clock: Clock;
  /** Laboratory exceptions of the URL and address policy; default none. */
  readonly allow?: X5uAllowList;
  /** Resolves host names; default DNS. */
  readonly lookup?: HostLookup;
  /** PEM trust anchors for the web servers' certificates; default those of Node. */
  readonly ca?: string | readonly string[];
  /** One deadline for a whole fetch, the wait for a socket included, milliseconds, 1 to 60,000; default 2,000. */
  readonly deadlineMs?: number;
  /** Bounds of memory, sockets and queue, where they differ from the defaults. */
  readonly limits?: Partial<RepositoryCacheLimits & FetchSlotLimits>;
  /** Directory of the disk cache; default none. Made when missing; several processes may share it. */
  readonly directory?: string;
  /** Default `parseCertificateChain`. */
  readonly parseChain?: ParseChain;
  /** Default `fetchX5u`. */
  readonly fetch?: (url: string, options: FetchX5uOptions) => Promise<FetchX5uResult>;
}

/** What has happened since the repository was made. */
type RepositoryCounts = {
  -readonly [
    Name in
      | 'hits'
      | 'staleHits'
      | 'negativeHits'
      | 'misses'
      | 'fetches'
      | 'fetchFailures'
      | 'revalidations'
      | 'rotations'
      | 'overloaded'
  ]: number;
};

/** A lookup under way. */
interface Flight {
  readonly result: Promise<CertificateLookup>;
  /** Asks only for what differs from the validators at hand. */
  readonly conditional: boolean;
}

/** State of one repository. */
export interface Repository {
  readonly clock: Clock;
  readonly policy: X5uUrlPolicy;
  readonly parseChain: ParseChain;
  readonly fetch: (
    url: string,
    request: Pick<FetchX5uOptions, 'validators' | 'noCache' | 'signal'>,
  ) => Promise<FetchX5uResult>;
  /** For a whole fetch, the wait for its turn included. */
  readonly deadlineMs: number;
  readonly maxEntries: number;
  readonly cache: RepositoryCache;
  readonly slots: FetchSlots;
  readonly disk: DiskCache | undefined;
  readonly flights: Map<string, Flight>;
  readonly counts: RepositoryCounts;
  readonly closing: AbortController;
}

/**
 * Checks the settings and makes an empty repository.
 * @throws {@link HopbackError} `invalid-argument` when a limit, the deadline or an allowed network makes no sense
 */
export function repositoryOf(options: CertificateRepositoryOptions): Repository {
  const { clock, allow, lookup, ca, directory } = options;
  const deadlineMs = options.deadlineMs ?? DEFAULT_FETCH_DEADLINE_MS;
  const limits = checkedLimits(options.limits ?? {});
  if (!(deadlineMs >= 1 && deadlineMs <= 60_000))
    throw new HopbackError('invalid-argument', 'deadlineMs must be 1 to 60,000 milliseconds');
  const networks = parseNetworkSet(allow?.addresses ?? []);
  if (networks.status === 'malformed')
    throw new HopbackError('invalid-argument', `allow.addresses: ${networks.cidr} is no address or network`);
  const closing = new AbortController();
  // Every lookup in flight listens, of which the number is bounded; Node would take more than ten for a leak.
  setMaxListeners(0, closing.signal);
  const policy: X5uUrlPolicy = allow === undefined ? {} : { allow };
  const settings: FetchX5uOptions = {
    ...policy,
    ...(lookup === undefined ? {} : { lookup }),
    ...(ca === undefined ? {} : { ca }),
    deadlineMs,
  };
  const fetch = options.fetch ?? fetchInOneContext(ca);
  return {
    clock,
    policy,
    parseChain: options.parseChain ?? parseCertificateChain,
    fetch: (url, request) => fetch(url, { ...settings, ...request }),
    deadlineMs,
    maxEntries: limits.maxEntries,
    cache: createRepositoryCache(limits),
    slots: createFetchSlots(limits),
    disk: directory === undefined ? undefined : createDiskCache({ directory, clock }),
    flights: new Map(),
    counts: {
      hits: 0,
      staleHits: 0,
      negativeHits: 0,
      misses: 0,
      fetches: 0,
      fetchFailures: 0,
      revalidations: 0,
      rotations: 0,
      overloaded: 0,
    },
    closing,
  };
}

/** `fetchX5u` with TLS settings that are made once, at the first fetch. */
function fetchInOneContext(ca: CertificateRepositoryOptions['ca']): typeof fetchX5u {
  let secureContext: SecureContext | undefined;
  return (url, options) => {
    secureContext ??= webServerContext(ca);
    return fetchX5u(url, { ...options, secureContext });
  };
}

const DEFAULT_LIMITS: RepositoryCacheLimits & FetchSlotLimits = {
  maxEntries: MAX_CACHED_CHAINS,
  maxBytes: MAX_CACHED_BYTES,
  maxNegativeEntries: MAX_NEGATIVE_ENTRIES,
  maxConcurrent: MAX_CONCURRENT_FETCHES,
  maxConcurrentPerSite: MAX_CONCURRENT_FETCHES_PER_SITE,
  maxQueued: MAX_QUEUED_FETCHES,
  maxQueuedPerSite: MAX_QUEUED_FETCHES_PER_SITE,
};

function checkedLimits(
  given: Partial<RepositoryCacheLimits & FetchSlotLimits>,
): RepositoryCacheLimits & FetchSlotLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new HopbackError('invalid-argument', `limits.${name} must be a whole number of 1 or more`);
  }
  return limits;
}

/** Whether a chain had stopped being fresh when it came: its end-entity certificate has expired. */
export function isOutOfDate({ found }: AdmittedChain): boolean {
  return found.freshUntilMs <= found.fetchedAtMs;
}

/** What an entry knows of its revalidations. */
type RevalidationState = Pick<CachedChain, 'nextRevalidationMs' | 'nextReloadMs' | 'revalidationFailures'>;

/** Takes a chain into memory; the URL works again. */
export function keep(repository: Repository, chain: AdmittedChain, state?: RevalidationState): CachedChain {
  const entry: CachedChain = {
    lookup: chain.found,
    validators: chain.validators,
    ...(state ?? {
      nextRevalidationMs: isOutOfDate(chain) ? chain.found.fetchedAtMs + outOfDateDelayMs(1) : 0,
      nextReloadMs: 0,
      revalidationFailures: isOutOfDate(chain) ? 1 : 0,
    }),
  };
  repository.cache.setChain(chain.found.url, entry);
  repository.cache.clearNegative(chain.found.url);
  return entry;
}

/** Takes a chain into memory and, where there is one, to disk in the background. */
export function keepAndStore(
  repository: Repository,
  chain: AdmittedChain,
  state?: RevalidationState,
): CertificateLookup {
  const entry = keep(repository, chain, state);
  const envelope = repository.disk === undefined ? undefined : envelopeOf(entry);
  if (envelope !== undefined) repository.disk?.store(envelope);
  return entry.lookup;
}

/** What is written of an entry; `undefined` where it would be too long. */
function envelopeOf(entry: CachedChain): CachedChainEnvelope | undefined {
  const { url, chain, fetchedAtMs, freshUntilMs } = entry.lookup;
  return writeEnvelope({ url, chain, fetchedAtMs, freshUntilMs, validators: entry.validators });
}

/** Lookups that run at a time in a preload: fast enough for some hundred URLs, and calls still find free sockets. */
const PRELOAD_CONCURRENCY = 16;

/** Entries of an import that are parsed before calls have their turn and the disk is waited for: some ten milliseconds of work. */
const IMPORT_BATCH = 8;

/** Looks up every URL once, some at a time. */
export async function preloadChains(
  lookup: (url: string) => Promise<CertificateLookup>,
  urls: readonly string[],
): Promise<PreloadReport> {
  const failures: PreloadReport['failures'][number][] = [];
  const waiting = [...new Set(urls)].values();
  let found = 0;
  const worker = async (): Promise<void> => {
    for (const url of waiting) {
      const result = await lookup(url);
      if (result.status === 'found') found += 1;
      else failures.push(result);
    }
  };
  await Promise.all(Array.from({ length: PRELOAD_CONCURRENCY }, worker));
  return { found, failures };
}

/** Every chain in memory as an envelope. */
export function exportChains(repository: Repository): CertificateCacheExport {
  const entries = [...repository.cache.chains()].flatMap((entry) => envelopeOf(entry) ?? []);
  return { format: 'hopback.certificate-cache.1', exportedAtMs: repository.clock.nowMs(), entries };
}

/**
 * Admits what another repository exported, at most as many entries as fit (the last ones, which are the newest);
 * what is here and newer stays.
 * @param data - anything out of `JSON.parse`
 */
export async function importChains(repository: Repository, data: unknown): Promise<ImportReport> {
  const document =
    typeof data === 'object' && data !== null ? (data as Partial<Record<keyof CertificateCacheExport, unknown>>) : {};
  if (document.format !== 'hopback.certificate-cache.1' || !Array.isArray(document.entries))
    return { imported: 0, rejected: 1 };
  const given = document.entries as readonly unknown[];
  let imported = 0;
  for (const [index, value] of given.slice(-repository.maxEntries).entries()) {
    if (index % IMPORT_BATCH === IMPORT_BATCH - 1) await takeTurn(repository);
    if (repository.closing.signal.aborted) break;
    const admitted = admitEnvelope(value, repository);
    if (admitted === undefined) continue;
    const { url, fetchedAtMs } = admitted.found;
    const present = repository.cache.chain(url)?.lookup ?? (await repository.disk?.load(url));
    if (present !== undefined && present.fetchedAtMs >= fetchedAtMs) continue;
    keepAndStore(repository, admitted);
    imported += 1;
  }
  await takeTurn(repository);
  return { imported, rejected: given.length - imported };
}

/** Takes into memory what the disk holds, where memory has nothing newer. */
export async function restoreChains(repository: Repository): Promise<ImportReport> {
  const report = { imported: 0, rejected: 0 };
  for await (const envelope of repository.disk?.loadAll() ?? []) {
    if (repository.closing.signal.aborted) break;
    const admitted = admitEnvelope(envelope, repository);
    const present = admitted === undefined ? undefined : repository.cache.chain(admitted.found.url);
    if (admitted === undefined || (present?.lookup.fetchedAtMs ?? -1) >= admitted.found.fetchedAtMs) {
      report.rejected += 1;
      continue;
    }
    keep(repository, admitted);
    report.imported += 1;
  }
  return report;
}

/** Lets calls be answered and files be written: no more of them may wait than the disk cache takes. */
async function takeTurn(repository: Repository): Promise<void> {
  await repository.disk?.settled();
  await nextTurn();
}
