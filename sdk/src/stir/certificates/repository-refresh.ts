import { OVERLOADED_REVALIDATION_MS, outOfDateDelayMs, revalidationDelayMs } from './cache-lifetime.js';
import { notAfterOf, type AdmittedChain, type FetchedChain } from './chain-source.js';
import { sameChain, type CachedChain } from './repository-cache.js';
import { isOutOfDate, keepAndStore, type Repository } from './repository-state.js';
import type { CertificateLookup } from './repository.js';

/** A revalidation that came to its end. */
export interface Refreshed {
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
export function keepRefreshed(repository: Repository, { entry, fetched, startedMs }: Refreshed): CertificateLookup {
  // An import may have brought a newer chain meanwhile.
  const current = repository.cache.chain(entry.lookup.url) ?? entry;
  if (fetched === undefined) return postpone(repository, current);
  if (fetched.status === 'problem') return countFailure(repository, current);
  const nextReloadMs = startedMs + revalidationDelayMs(0);
  if (fetched.status === 'chain') {
    const { found, validators } = fetched;
    const unchanged = sameChain(current.lookup.chain, found.chain);
    if (!unchanged) repository.counts.rotations += 1;
    const kept = unchanged ? { ...found, chain: current.lookup.chain } : found;
    return keepFor(repository, { found: kept, validators }, { entry: current, startedMs, nextReloadMs });
  }
  // What was not modified is what was asked about, and no chain that came since.
  if (current.lookup.chain !== entry.lookup.chain) return current.lookup;
  const freshUntilMs = fetched.freshUntilMs(notAfterOf(current.lookup.chain));
  const found = { ...current.lookup, fetchedAtMs: repository.clock.nowMs(), freshUntilMs };
  // The file itself did not come: a failed signature may still have it fetched.
  const rest = { entry: current, startedMs, nextReloadMs: current.nextReloadMs };
  return keepFor(repository, { found, validators: current.validators }, rest);
}

function keepFor(
  repository: Repository,
  chain: AdmittedChain,
  { entry, startedMs, nextReloadMs }: Omit<Refreshed, 'fetched'> & { readonly nextReloadMs: number },
): CertificateLookup {
  const revalidationFailures = isOutOfDate(chain) ? entry.revalidationFailures + 1 : 0;
  const delayMs = isOutOfDate(chain) ? outOfDateDelayMs(revalidationFailures) : revalidationDelayMs(0);
  return keepAndStore(repository, chain, {
    nextRevalidationMs: startedMs + delayMs,
    nextReloadMs,
    revalidationFailures,
  });
}

/** Too many fetches here say nothing of the server: soon again, and no failure. */
function postpone(repository: Repository, current: CachedChain): CertificateLookup {
  const { cache, clock, closing, counts } = repository;
  if (!closing.signal.aborted) counts.overloaded += 1;
  const soonMs = clock.nowMs() + OVERLOADED_REVALIDATION_MS;
  cache.setChain(current.lookup.url, {
    ...current,
    nextRevalidationMs: Math.max(current.nextRevalidationMs, soonMs),
    nextReloadMs: Math.max(current.nextReloadMs, soonMs),
  });
  return current.lookup;
}

function countFailure(repository: Repository, current: CachedChain): CertificateLookup {
  const { cache, clock, counts } = repository;
  counts.fetchFailures += 1;
  const revalidationFailures = current.revalidationFailures + 1;
  const againMs = clock.nowMs() + revalidationDelayMs(revalidationFailures);
  cache.setChain(current.lookup.url, {
    ...current,
    revalidationFailures,
    nextRevalidationMs: againMs,
    nextReloadMs: againMs,
  });
  return current.lookup;
}
