import CachePolicy from 'http-cache-semantics';

/** Response headers by lower-case name, as Node hands them out. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

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
export const FIRST_RETRY_MS = 1_000;

/** Longest wait between fetches of a URL that fails, milliseconds: a repaired server is noticed within ten minutes. */
export const MAX_RETRY_MS = 600_000;

/** Least time between two revalidations of one URL, milliseconds: forged signatures must not become a stream of fetches. */
export const REVALIDATION_INTERVAL_MS = 60_000;

/** Longest wait between revalidations that fail, milliseconds. */
export const MAX_REVALIDATION_INTERVAL_MS = 3_600_000;

/** Wait after a revalidation that found no socket here, milliseconds: its server has not failed, and sockets are soon free. */
export const OVERLOADED_REVALIDATION_MS = 5_000;

/** What a lifetime is made of. */
export interface LifetimeInput {
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
  const backoff = doubled(FIRST_RETRY_MS, failures, MAX_RETRY_MS);
  return Math.min(Math.max(backoff, retryAfterMs(retryAfter, options.nowMs)), MAX_RETRY_MS);
}

/**
 * How long until a chain may be revalidated again, milliseconds.
 * @param failures - in a row, revalidations that failed or brought a chain out of date; 0 after a good one
 */
export function revalidationDelayMs(failures: number): number {
  return doubled(REVALIDATION_INTERVAL_MS, Math.max(failures, 1), MAX_REVALIDATION_INTERVAL_MS);
}

/**
 * How long until a URL is asked again whose chain was out of date when it came, milliseconds: as a repaired server, a renewed
 * certificate is noticed within ten minutes.
 * @param times - in a row, 1 for the first
 */
export function outOfDateDelayMs(times: number): number {
  return doubled(REVALIDATION_INTERVAL_MS, times, MAX_RETRY_MS);
}

function doubled(firstMs: number, failures: number, mostMs: number): number {
  // 2^30 is past every cap; beyond, the power would only lose precision.
  return Math.min(firstMs * 2 ** Math.min(Math.max(failures, 1) - 1, 30), mostMs);
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
