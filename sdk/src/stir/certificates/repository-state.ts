import { setMaxListeners } from 'node:events';
import type { LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import { MACHINE_CLOCK, nextTurn } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { DEFAULT_FETCH_DEADLINE_MS, webServerContext } from './bounded-fetch.js';
import type { BoundedFetchOptions, BoundedFetchResult } from './bounded-fetch.js';
import {
  MAX_CACHED_BYTES,
  MAX_CACHED_CHAINS,
  MAX_NEGATIVE_ENTRIES,
  boundFreshUntil,
  createSiteFairCache,
  estimatedBytes,
  notAfterOf,
  outOfDateDelayMs,
  servedUntil,
} from './certificate-cache.js';
import type { CachedChain } from './certificate-cache.js';
import type { CertificateChainParseResult } from './certificate.js';
import { NO_DISK_COUNTS, createDiskCache, readEnvelope, writeEnvelope } from './disk-cache.js';
import { parseCertificateChain } from './parse-certificate.js';
import { siteOfUrl } from './repository.js';
import type { CertificateCacheExport, CertificateLookup, FoundChain, RepositoryStats } from './repository.js';
import {
  MAX_CONCURRENT_FETCHES,
  MAX_CONCURRENT_FETCHES_PER_SITE,
  MAX_QUEUED_FETCHES,
  MAX_QUEUED_FETCHES_PER_SITE,
  createFetchSlots,
  fetchX5u,
} from './x5u-fetch.js';
import type { CacheValidators } from './x5u-fetch.js';
import { checkX5uUrl, parseNetworkSet } from './x5u-url-policy.js';
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

/** What a repository asks a URL for. */
export type ChainRequest = Pick<BoundedFetchOptions, 'validators' | 'noCache' | 'signal'>;

/** One URL that does not work. */
export interface NegativeEntry {
  readonly problem: BoundedFetchResult & { readonly status: 'refused' | 'failed' };
  /** Failures in a row. */
  readonly failures: number;
  readonly retryAtMs: number;
}

/** State of one repository. */
export type Repository = ReturnType<typeof repositoryOf>;

/**
 * Checks the settings and makes an empty repository.
 * @throws {@link HopbackError} `invalid-argument` when a limit, the deadline or an allowed network makes no sense
 */
export function repositoryOf(options: CertificateRepositoryOptions) {
  const { clock = MACHINE_CLOCK, allow, lookup, ca, directory, deadlineMs = DEFAULT_FETCH_DEADLINE_MS } = options;
  const { parseChain = parseCertificateChain, fetch = fetchInOneContext(ca) } = options;
  const limits = checkedLimits(options.limits ?? {});
  if (!(deadlineMs >= 1 && deadlineMs <= 60_000))
    throw new HopbackError('invalid-argument', 'deadlineMs must be 1 to 60,000 milliseconds');
  const networks = parseNetworkSet(allow?.addresses ?? []);
  if (networks.status === 'malformed')
    throw new HopbackError('invalid-argument', `allow.addresses: ${networks.cidr} is no address or network`);
  const closing = new AbortController();
  // Every lookup in flight listens, of which the number is bounded; Node would take more than ten for a leak.
  setMaxListeners(0, closing.signal);
  const policy = { ...(allow && { allow }) };
  const settings = { ...policy, ...(lookup && { lookup }), ...(ca !== undefined && { ca }), deadlineMs };
  return {
    clock,
    policy,
    parseChain,
    fetch: (url: string, request: ChainRequest) => fetch(url, { ...settings, ...request }),
    /** For a whole fetch, the wait for its turn included. */
    deadlineMs,
    maxEntries: limits.maxEntries,
    /** Chains by the exact URL text; shared fairly by sites. */
    chains: createSiteFairCache<CachedChain>(limits),
    negatives: new LRUCache<string, NegativeEntry>({ max: limits.maxNegativeEntries }),
    slots: createFetchSlots(limits),
    disk: directory === undefined ? undefined : createDiskCache({ directory, clock }),
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

const DEFAULT_LIMITS: Required<NonNullable<CertificateRepositoryOptions['limits']>> = {
  maxEntries: MAX_CACHED_CHAINS,
  maxBytes: MAX_CACHED_BYTES,
  maxNegativeEntries: MAX_NEGATIVE_ENTRIES,
  maxConcurrent: MAX_CONCURRENT_FETCHES,
  maxConcurrentPerSite: MAX_CONCURRENT_FETCHES_PER_SITE,
  maxQueued: MAX_QUEUED_FETCHES,
  maxQueuedPerSite: MAX_QUEUED_FETCHES_PER_SITE,
};

function checkedLimits(given: Partial<typeof DEFAULT_LIMITS>): typeof DEFAULT_LIMITS {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1)
      throw new HopbackError('invalid-argument', `limits.${name} must be a whole number of 1 or more`);
  }
  return limits;
}

/** What a repository holds and has done since it was made. */
export function statsOf({ chains, negatives, slots, disk, counts }: Repository): RepositoryStats {
  return {
    ...chains.size(),
    negativeEntries: negatives.size,
    activeFetches: slots.active(),
    queuedFetches: slots.queued(),
    ...counts,
    ...(disk?.counts ?? NO_DISK_COUNTS),
  };
}

/** A chain that may be kept. */
export interface AdmittedChain {
  readonly found: FoundChain;
  readonly validators: CacheValidators;
}

/**
 * Checks an envelope from disk or import as if its chain had been fetched: URL policy, parsing, and times that are neither in the future
 * nor past what is still served. Never throws.
 * @param value - an envelope, or anything out of `JSON.parse`
 * @returns the chain, or `undefined` where it is not admitted
 */
export function admitEnvelope(value: unknown, { policy, clock, parseChain }: Repository): AdmittedChain | undefined {
  const envelope = readEnvelope(value);
  if (envelope === undefined || checkX5uUrl(envelope.url, policy).status === 'refused') return undefined;
  const { url, body, fetchedAtMs, etag, lastModified } = envelope;
  const nowMs = clock.nowMs();
  const chain = chainIn(body, parseChain);
  if (chain === undefined || fetchedAtMs > nowMs) return undefined;
  const freshUntilMs = boundFreshUntil(envelope.freshUntilMs, { fetchedAtMs, notAfterMs: notAfterOf(chain) });
  if (nowMs >= servedUntil({ fetchedAtMs, freshUntilMs })) return undefined;
  return {
    found: {
      status: 'found',
      url,
      chain,
      fetchedAtMs,
      freshUntilMs,
      notes: [],
    },
    validators: { ...(etag !== undefined && { etag }), ...(lastModified !== undefined && { lastModified }) },
  };
}

/** Ours does not throw; a stand-in that does has no chain. */
function chainIn(body: string, parseChain: Repository['parseChain']): FoundChain['chain'] | undefined {
  try {
    const parsed = parseChain(body);
    return parsed.status === 'parsed' ? parsed.chain : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a chain had stopped being fresh when it came: its end-entity certificate has expired. */
export function isOutOfDate({ found }: AdmittedChain): boolean {
  return found.freshUntilMs <= found.fetchedAtMs;
}

/** What an entry knows of its revalidations. */
type RevalidationState = Pick<CachedChain, 'nextRevalidationMs' | 'nextReloadMs' | 'revalidationFailures'>;

/** Takes a chain into memory; the URL works again. */
export function keep(repository: Repository, admitted: AdmittedChain, state?: RevalidationState): CachedChain {
  const { found, validators } = admitted;
  const first: RevalidationState = isOutOfDate(admitted)
    ? { nextRevalidationMs: found.fetchedAtMs + outOfDateDelayMs(1), nextReloadMs: 0, revalidationFailures: 1 }
    : { nextRevalidationMs: 0, nextReloadMs: 0, revalidationFailures: 0 };
  const entry: CachedChain = { lookup: found, validators, ...(state ?? first) };
  put(repository, entry);
  repository.negatives.delete(found.url);
  return entry;
}

/** Puts an entry in the place of the one that its URL has. */
export function put({ chains }: Repository, entry: CachedChain): void {
  const { url, chain } = entry.lookup;
  const certificateBytes = chain.reduce((sum, certificate) => sum + estimatedBytes(certificate), 0);
  chains.set(url, entry, { site: siteOfUrl(url), sizeBytes: certificateBytes + 2 * url.length });
}

/** Takes a chain into memory and, where there is one, to disk in the background. */
export function keepAndStore(
  repository: Repository,
  admitted: AdmittedChain,
  state?: RevalidationState,
): CertificateLookup {
  const { lookup, validators } = keep(repository, admitted, state);
  const envelope = repository.disk && writeEnvelope(lookup, validators);
  if (envelope !== undefined) repository.disk?.store(envelope);
  return lookup;
}

/** Entries of an import that are parsed before calls have their turn and the disk is waited for: some ten milliseconds of work. */
const IMPORT_BATCH = 8;

/** Every chain in memory as an envelope. */
export function exportChains(repository: Repository): CertificateCacheExport {
  const entries = repository.chains
    .values()
    .flatMap(({ lookup, validators }) => writeEnvelope(lookup, validators) ?? []);
  return { format: 'hopback.certificate-cache.1', exportedAtMs: repository.clock.nowMs(), entries };
}

/** What came of an import or a restoration. */
interface ImportReport {
  readonly imported: number;
  readonly rejected: number;
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
    const present = repository.chains.get(url)?.lookup ?? (await repository.disk?.load(url));
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
    const present = admitted === undefined ? undefined : repository.chains.get(admitted.found.url);
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
