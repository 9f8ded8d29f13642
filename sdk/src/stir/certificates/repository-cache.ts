import { LRUCache } from 'lru-cache';
import type { CacheValidators } from './bounded-fetch.js';
import { servedUntil } from './cache-lifetime.js';
import { estimatedBytes } from './certificate-memory.js';
import type { Certificate } from './certificate.js';
import type { CertificateLookup, X5uFailure, X5uRefusal } from './repository.js';
import { createSiteFairCache } from './site-fair-cache.js';
import { siteOfUrl } from './site.js';

/** Chains in memory: several times the providers that sign calls in the US and Canada, rotated certificates included. */
export const MAX_CACHED_CHAINS = 8_192;

/** Bytes of chains in memory, by estimate: room for as many chains of two, and no more for a flood of long ones. */
export const MAX_CACHED_BYTES = 150_994_944;

/**
 * URLs remembered as not working. Kept apart from chains, so that a flood of URLs that do not work pushes out no chain. URLs that
 * work, with chains that nobody trusts, push out those of their own site; those of another site only once the flood comes from so
 * many sites that an equal part for each is less than that site has. One chain a site thus outlasts a flood from thousands of domains.
 */
export const MAX_NEGATIVE_ENTRIES = 16_384;

/** A lookup that found a chain. */
export type FoundChain = CertificateLookup & { readonly status: 'found' };

/** One chain in memory and when it may be asked for again. */
export interface CachedChain {
  /** Handed out as it is: the same object until the entry changes. */
  readonly lookup: FoundChain;
  readonly validators: CacheValidators;
  /** Not before this is the URL revalidated again, milliseconds since the epoch. */
  readonly nextRevalidationMs: number;
  /** Not before this is it fetched without validators, past every cache; milliseconds since the epoch. */
  readonly nextReloadMs: number;
  /** Revalidations in a row that failed, or brought a chain that was out of date when it came. */
  readonly revalidationFailures: number;
}

/** One URL that does not work. */
export interface NegativeEntry {
  readonly problem:
    | { readonly status: 'refused'; readonly reason: X5uRefusal; readonly detail: string }
    | { readonly status: 'unavailable'; readonly reason: X5uFailure; readonly detail: string };
  /** Failures in a row. */
  readonly failures: number;
  readonly retryAtMs: number;
}

/** Bounds of a repository cache. */
export interface RepositoryCacheLimits {
  /** Chains. Default 8,192. */
  readonly maxEntries: number;
  /** Memory that chains take by estimate, bytes. Default 150,994,944 (144 MiB). */
  readonly maxBytes: number;
  /** URLs remembered as not working. Default 16,384. */
  readonly maxNegativeEntries: number;
}

/** Memory of a repository, keyed by the exact URL text; shared fairly by sites. */
export interface RepositoryCache {
  readonly chain: (url: string) => CachedChain | undefined;
  readonly setChain: (url: string, entry: CachedChain) => void;
  readonly negative: (url: string) => NegativeEntry | undefined;
  readonly setNegative: (url: string, entry: NegativeEntry) => void;
  readonly clearNegative: (url: string) => void;
  /** The oldest first. */
  readonly chains: () => readonly CachedChain[];
  readonly size: () => { readonly entries: number; readonly sizeBytes: number; readonly negativeEntries: number };
}

/** Makes an empty memory. */
export function createRepositoryCache(limits: RepositoryCacheLimits): RepositoryCache {
  const chains = createSiteFairCache<CachedChain>(limits);
  const negatives = new LRUCache<string, NegativeEntry>({ max: limits.maxNegativeEntries });
  return {
    chain: (url) => chains.get(url),
    setChain: (url, entry) => chains.set(url, entry, { site: siteOfUrl(url), sizeBytes: sizeOf(entry, url) }),
    negative: (url) => negatives.get(url),
    setNegative: (url, entry) => void negatives.set(url, entry),
    clearNegative: (url) => void negatives.delete(url),
    chains: () => chains.values(),
    size: () => ({ ...chains.size(), negativeEntries: negatives.size }),
  };
}

/** How an entry stands at an instant: as fresh, as stale but still served, or as too old to be served. */
export function standingOf(entry: CachedChain, nowMs: number): 'fresh' | 'stale' | 'expired' {
  if (nowMs < entry.lookup.freshUntilMs) return 'fresh';
  return nowMs < servedUntil(entry.lookup) ? 'stale' : 'expired';
}

/** What callers are told about a URL that does not work. */
export function lookupOfNegative(url: string, entry: NegativeEntry, nowMs: number): CertificateLookup {
  if (entry.problem.status === 'refused') return { ...entry.problem, url };
  return { ...entry.problem, url, retryAfterMs: Math.max(0, entry.retryAtMs - nowMs) };
}

/** Whether two chains hold the same certificates in the same order. */
export function sameChain(left: readonly Certificate[], right: readonly Certificate[]): boolean {
  return (
    left.length === right.length && left.every((certificate, index) => certificate.sha256 === right[index]?.sha256)
  );
}

function sizeOf(entry: CachedChain, url: string): number {
  const certificates = entry.lookup.chain.reduce((sum, certificate) => sum + estimatedBytes(certificate), 0);
  return certificates + 2 * url.length;
}
