import { setMaxListeners } from 'node:events';
import type { SecureContext } from 'node:tls';
import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { parseNetworkSet } from './address-policy.js';
import { webServerContext, type HostLookup } from './bounded-connection.js';
import { DEFAULT_FETCH_DEADLINE_MS } from './bounded-fetch.js';
import { writeEnvelope } from './cache-envelope.js';
import { outOfDateDelayMs } from './cache-lifetime.js';
import type { AdmittedChain, ParseChain } from './chain-source.js';
import { createDiskCache, type DiskCache } from './disk-cache.js';
import {
  createFetchSlots,
  MAX_CONCURRENT_FETCHES,
  MAX_CONCURRENT_FETCHES_PER_SITE,
  MAX_QUEUED_FETCHES,
  MAX_QUEUED_FETCHES_PER_SITE,
  type FetchSlotLimits,
  type FetchSlots,
} from './fetch-slots.js';
import { parseCertificateChain } from './parse-certificate.js';
import {
  createRepositoryCache,
  MAX_CACHED_BYTES,
  MAX_CACHED_CHAINS,
  MAX_NEGATIVE_ENTRIES,
  type CachedChain,
  type RepositoryCache,
  type RepositoryCacheLimits,
} from './repository-cache.js';
import type { CachedChainEnvelope, CertificateLookup } from './repository.js';
import { fetchX5u, type FetchX5uOptions, type FetchX5uResult } from './x5u-fetch.js';
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
export type RepositoryCounts = {
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
export interface Flight {
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
export type RevalidationState = Pick<CachedChain, 'nextRevalidationMs' | 'nextReloadMs' | 'revalidationFailures'>;

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
export function envelopeOf(entry: CachedChain): CachedChainEnvelope | undefined {
  const { url, chain, fetchedAtMs, freshUntilMs } = entry.lookup;
  return writeEnvelope({ url, chain, fetchedAtMs, freshUntilMs, validators: entry.validators });
}
