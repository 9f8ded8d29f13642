import CachePolicy from 'http-cache-semantics';
import { backoffBoundMs } from '../../core/runtime/deadline.js';
import type { Certificate } from './certificate.js';
import type { FoundChain } from './repository.js';
import type { CacheValidators } from './x5u-fetch.js';

/** Bounds of {@link createSiteFairCache}. */
interface SiteFairLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** What a cache is told of an entry beside its value. */
export interface SiteFairPlace {
  readonly site: string;
  readonly sizeBytes: number;
}

interface Slot<Value> {
  readonly value: Value;
  readonly sizeBytes: number;
  readonly site: Site<Value>;
  used: boolean;
}

interface Site<Value> {
  readonly name: string;
  /** In the order of their turns. */
  readonly slots: Map<string, Slot<Value>>;
  /** Counts uses of the whole cache. */
  usedAt: number;
}

/**
 * Creates a bounded cache that sites share fairly. Without room, the site with the most entries (of several, the one used least recently)
 * gives up its oldest entry that was not used since its last turn. A use costs two writes, and no list is sorted at every call.
 */
export function createSiteFairCache<Value>(limits: SiteFairLimits) {
  const slots = new Map<string, Slot<Value>>();
  const sites = new Map<string, Site<Value>>();
  let sizeBytes = 0;
  let uses = 0;

  const get = (key: string): Value | undefined => {
    const slot = slots.get(key);
    if (slot === undefined) return undefined;
    uses += 1;
    slot.used = true;
    slot.site.usedAt = uses;
    return slot.value;
  };

  const remove = (key: string): void => {
    const slot = slots.get(key);
    if (slot === undefined) return;
    slots.delete(key);
    sizeBytes -= slot.sizeBytes;
    slot.site.slots.delete(key);
    if (slot.site.slots.size === 0) sites.delete(slot.site.name);
  };

  const set = (key: string, value: Value, place: SiteFairPlace): void => {
    remove(key);
    if (place.sizeBytes > limits.maxBytes) return;
    const site = sites.get(place.site) ?? { name: place.site, slots: new Map<string, Slot<Value>>(), usedAt: 0 };
    const slot = { value, sizeBytes: place.sizeBytes, site, used: false };
    uses += 1;
    site.usedAt = uses;
    sites.set(site.name, site);
    site.slots.set(key, slot);
    slots.set(key, slot);
    sizeBytes += slot.sizeBytes;
    while (slots.size > limits.maxEntries || sizeBytes > limits.maxBytes)
      remove(nextToGo(largestOf(sites.values()), key));
  };

  return {
    /** Counts as a use. */
    get,
    /** Takes an entry, and gives up others for it; one that alone is larger than everything permitted is not taken. */
    set,
    /** The oldest first. */
    values: (): readonly Value[] => [...slots.values()].map(({ value }) => value),
    size: (): { readonly entries: number; readonly sizeBytes: number } => ({ entries: slots.size, sizeBytes }),
  };
}

/** A walk over all sites; a fetch, which comes before every entry, costs far more. */
function largestOf<Value>(sites: Iterable<Site<Value>>): Map<string, Slot<Value>> {
  let largest: Site<Value> | undefined;
  for (const site of sites) {
    const lead = site.slots.size - (largest?.slots.size ?? 0);
    if (largest === undefined || lead > 0 || (lead === 0 && site.usedAt < largest.usedAt)) largest = site;
  }
  return largest?.slots ?? new Map<string, Slot<Value>>();
}

/**
 * Whose turn it is to go: not the newcomer's while there is another, and those that were used meanwhile are spared until all
 * others had their turn.
 */
function nextToGo<Value>(slots: Map<string, Slot<Value>>, newcomer: string): string {
  for (const [key, slot] of slots) {
    if (key === newcomer) continue;
    if (!slot.used) return key;
    slot.used = false;
    slots.delete(key);
    slots.set(key, slot);
  }
  return slots.keys().next().value ?? newcomer;
}

/**
 * Memory of one certificate beside its DER and what its fields hold, bytes: the key object with what OpenSSL keeps of it, digests, the
 * object itself. Measured over 20,000 parsed certificates of the SHAKEN profile whose keys had been used.
 */
const CERTIFICATE_OVERHEAD_BYTES = 4_096;

/** Header, length and pointer of a string, an object or a list, bytes, rounded up. */
const VALUE_BYTES = 48;

/**
 * Memory that a parsed certificate takes, by estimate: its DER, and every string and list made of it. A certificate of a few hundred
 * authorities takes several times what its bytes suggest, and whoever serves it chooses how many.
 * @returns bytes, rather too many than too few; pure, never throws
 */
export function estimatedBytes(certificate: Certificate): number {
  const { der, subject, issuer, extensions, certificatePolicies, crlDistributionPoints, caIssuers } = certificate;
  const { tnAuthList, jwtClaimConstraints, extendedKeyUsage, unknownCriticalExtensions } = certificate;
  const held = [subject, issuer, extensions, certificatePolicies, crlDistributionPoints, caIssuers];
  const optional = [tnAuthList, jwtClaimConstraints, extendedKeyUsage, unknownCriticalExtensions];
  return der.length + CERTIFICATE_OVERHEAD_BYTES + heldBytes([...held, ...optional]);
}

/** What plain data takes: parsed fields are no deeper than a few levels. */
function heldBytes(value: unknown): number {
  // Text beyond Latin takes two octets a character.
  if (typeof value === 'string') return VALUE_BYTES + value.length * 2;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce<number>((sum, item) => sum + heldBytes(item), VALUE_BYTES);
}

/** Response headers by lower-case name, as Node hands them out. */
type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Least time that a chain counts as fresh, milliseconds, whatever shorter directive (or none) its server sends. @see ATIS-1000074 */
export const MIN_FRESH_MS = 86_400_000;

/**
 * Most time that a chain counts as fresh, milliseconds: a withdrawn certificate should not live on for a year because a file server
 * says so; within a week every provider's renewal is seen without a failed call.
 */
export const MAX_FRESH_MS: number = 7 * 86_400_000;

/**
 * How long a chain is still served after it stopped being fresh while its server does not answer, milliseconds. The certificate
 * itself is checked for validity and revocation at every call; this only bounds how long an unreachable server is trusted to
 * have nothing new.
 */
export const MAX_STALE_MS: number = 7 * 86_400_000;

/** Wait after the first failed fetch of a URL, milliseconds; doubles with every further one. */
const FIRST_RETRY_MS = 1_000;

/** Longest wait between fetches of a URL that fails, milliseconds: a repaired server is noticed within ten minutes. */
export const MAX_RETRY_MS = 600_000;

/** Least time between two revalidations of one URL, milliseconds: forged signatures must not become a stream of fetches. */
const REVALIDATION_INTERVAL_MS = 60_000;

/** Longest wait between revalidations that fail, milliseconds. */
const MAX_REVALIDATION_INTERVAL_MS = 3_600_000;

/** Wait after a revalidation that found no socket here, milliseconds: its server has not failed, and sockets are soon free. */
export const OVERLOADED_REVALIDATION_MS = 5_000;

/** What a lifetime is made of. */
interface LifetimeInput {
  readonly headers: ResponseHeaders;
  /** When the response came, milliseconds since the epoch. */
  readonly fetchedAtMs: number;
  /** End of validity of the end-entity certificate, milliseconds since the epoch. */
  readonly notAfterMs: number;
}

/**
 * Until when a fetched chain is fresh: the lifetime of RFC 9111, but at least 24 hours and at most seven days, and never
 * past the end-entity certificate's notAfter. Never throws for peer input.
 * @param input - headers, time of fetching, end of validity
 * @returns milliseconds since the epoch; not after `fetchedAtMs` where the certificate has expired
 * @see RFC 9111 section 4.2, ATIS-1000074
 */
export function freshUntil(input: LifetimeInput): number {
  const directed = directedLifetimeMs(input.headers, input.fetchedAtMs);
  return boundFreshUntil(input.fetchedAtMs + Math.max(directed, MIN_FRESH_MS), input);
}

/**
 * Until when a chain is served although it is stale: {@link MAX_STALE_MS} longer, and at least {@link MIN_FRESH_MS} after it was
 * fetched. A file server that still publishes an expired certificate is thus not asked at every call: that the
 * certificate has expired is for the path check to say.
 * @param chain - its times, milliseconds since the epoch
 * @returns milliseconds since the epoch
 */
export function servedUntil(chain: { readonly fetchedAtMs: number; readonly freshUntilMs: number }): number {
  return Math.max(chain.freshUntilMs + MAX_STALE_MS, chain.fetchedAtMs + MIN_FRESH_MS);
}

/** Bounds a fresh-until that comes from a file or an import in the same way. */
export function boundFreshUntil(
  freshUntilMs: number,
  bounds: { readonly fetchedAtMs: number; readonly notAfterMs: number },
): number {
  return Math.min(freshUntilMs, bounds.fetchedAtMs + MAX_FRESH_MS, bounds.notAfterMs);
}

/**
 * How long nobody asks again after so many failures in a row, milliseconds.
 * @param failures - failures in a row, 1 for the first
 * @param retryAfter - `Retry-After` of the response: seconds or a date; it can lengthen the wait up to {@link MAX_RETRY_MS}
 * @param options - `nowMs` to read a date against
 * @see RFC 9110 section 10.2.3
 */
export function retryDelayMs(
  failures: number,
  retryAfter: string | undefined,
  options: { readonly nowMs: number },
): number {
  const backoff = backoffBoundMs(failures, { baseMs: FIRST_RETRY_MS, capMs: MAX_RETRY_MS });
  return Math.min(Math.max(backoff, retryAfterMs(retryAfter, options.nowMs)), MAX_RETRY_MS);
}

/**
 * How long until a chain may be revalidated again, milliseconds.
 * @param failures - in a row, revalidations that failed or brought a chain out of date; 0 after a good one
 */
export function revalidationDelayMs(failures: number): number {
  return backoffBoundMs(failures, { baseMs: REVALIDATION_INTERVAL_MS, capMs: MAX_REVALIDATION_INTERVAL_MS });
}

/**
 * How long until a URL is asked again whose chain was out of date when it came, milliseconds: as a repaired server, a renewed
 * certificate is noticed within ten minutes.
 * @param times - in a row, 1 for the first
 */
export function outOfDateDelayMs(times: number): number {
  return backoffBoundMs(times, { baseMs: REVALIDATION_INTERVAL_MS, capMs: MAX_RETRY_MS });
}

function retryAfterMs(retryAfter: string | undefined, nowMs: number): number {
  if (retryAfter === undefined) return 0;
  if (/^\d{1,10}$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const date = retryAfter.length <= 40 ? Date.parse(retryAfter) : Number.NaN;
  return Number.isFinite(date) ? Math.max(0, date - nowMs) : 0;
}

/** The lifetime that the response's own directives give it, less the age it came with. */
function directedLifetimeMs(headers: ResponseHeaders, fetchedAtMs: number): number {
  const age = typeof headers['age'] === 'string' && /^\d{1,10}$/.test(headers['age']) ? Number(headers['age']) : 0;
  // With a Date the policy reads no clock of its own; a missing or senseless one is replaced by ours.
  const date =
    typeof headers['date'] === 'string' && Number.isFinite(Date.parse(headers['date']))
      ? headers['date']
      : new Date(fetchedAtMs).toUTCString();
  try {
    // No guess from Last-Modified: without a directive the lifetime is the 24 hours of the profile.
    const policy = new CachePolicy(
      { method: 'GET', headers: {} },
      { status: 200, headers: { ...headers, date } },
      { cacheHeuristic: 0 },
    );
    const lifetimeMs = (policy.maxAge() - age) * 1_000;
    return Number.isFinite(lifetimeMs) ? lifetimeMs : 0;
  } catch {
    return 0;
  }
}

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

/** How an entry stands at an instant: as fresh, as stale but still served, or as too old to be served. */
export function standingOf(entry: CachedChain, nowMs: number): 'fresh' | 'stale' | 'expired' {
  if (nowMs < entry.lookup.freshUntilMs) return 'fresh';
  return nowMs < servedUntil(entry.lookup) ? 'stale' : 'expired';
}

/** Whether two chains hold the same certificates in the same order. */
export function sameChain(left: readonly Certificate[], right: readonly Certificate[]): boolean {
  return (
    left.length === right.length && left.every((certificate, index) => certificate.sha256 === right[index]?.sha256)
  );
}

/** End of validity of the end entity; an empty chain is not valid at all. */
export function notAfterOf(chain: readonly Certificate[]): number {
  return chain[0]?.notAfterMs ?? 0;
}
