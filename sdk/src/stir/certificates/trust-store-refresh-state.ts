import type { Clock } from '../../core/runtime/clock.js';
import { HopbackError } from '../../errors.js';
import { parseNetworkSet } from './address-policy.js';
import type { HostLookup } from './bounded-connection.js';
import { fetchBounded } from './bounded-fetch.js';
import type { Certificate } from './certificate.js';
import { TRUST_STORE_FETCH_DEADLINE_MS } from './trust-store-fetch.js';
import type { BoundedFetch, FetchSettings } from './trust-store-fetch.js';
import type { TrustStoreProblem } from './trust-store-problem.js';
import type { SignedList } from './trust-store-record.js';
import type { FoundSigners, TrustStoreOrigin } from './trust-store-renewal.js';
import { TRUST_STORE_REFRESH_MAX_MS, TRUST_STORE_RETRY_MS } from './trust-store-schedule.js';
import type { TrustStore } from './trust-store.js';
import { checkUrlText } from './x5u-url-policy.js';
import type { X5uAllowList } from './x5u-url-policy.js';

/** Most CRLs of one trust store refresh: the policy administrator's one, and room for CAs that have their own. */
export const TRUST_STORE_MAX_CRL_URLS = 8;

/** Settings of {@link createTrustStoreRefresh}. */
export interface TrustStoreRefreshOptions {
  /** Where the policy administrator publishes its signed list of STI-CAs (JWS compact): an https URL. */
  readonly listUrl: string;
  /** The policy administrator's own roots, obtained out of band, at least one; they are no trust anchors for calls. */
  readonly stiPaRoots: readonly Certificate[];
  /** Where CRLs are published, https or http, at most {@link TRUST_STORE_MAX_CRL_URLS}; default none, so that nothing is known of revocation. */
  readonly crlUrls?: readonly string[];
  /** Certificates of CRL signers; default those that the CRLs' AuthorityInfoAccess names. */
  readonly crlSigners?: readonly Certificate[];
  /** CA certificates that a path may go through beside those of its chain; default those of `current`. */
  readonly intermediates?: readonly Certificate[];
  /** The store in use, if there is one: nothing older replaces it. */
  readonly current?: TrustStore;
  /** Told of every other store that is in force from now on, to be handed to `useTrustStore`. What it throws or rejects with is dropped. */
  readonly onTrustStore: (trustStore: TrustStore) => void;
  /** Told of every problem, each time anew. What it throws or rejects with is dropped. */
  readonly onProblem?: (problem: TrustStoreProblem) => void;
  /** The instant that lists and CRLs are judged at. */
  readonly clock: Clock;
  /** Runs a callback once after a delay in milliseconds, at most a day; the returned function cancels it. */
  readonly schedule: (callback: () => void, delayMs: number) => () => void;
  /** A number from 0 to 1, new each time, such as `Math.random`: shortens each wait by up to a tenth. */
  readonly random: () => number;
  /** Between two refreshes, milliseconds, a minute to a day; default an hour. Shorter before a list or CRL ends and after a failure. */
  readonly intervalMs?: number;
  /** File that the last good list and CRLs are kept in over a restart; its directory has to be there. Default none. */
  readonly cachePath?: string;
  /** Laboratory exceptions of the URL and address policy; default none. */
  readonly allow?: X5uAllowList;
  /** Resolves host names; default DNS. */
  readonly lookup?: HostLookup;
  /** PEM trust anchors for the web servers' certificates; default those of Node. */
  readonly ca?: string | readonly string[];
  /** One deadline of each fetch, milliseconds, 1 to 60,000; default 10,000. */
  readonly deadlineMs?: number;
  /** Default {@link fetchBounded}. A stand-in keeps the limits that it is given, and may add what a server asks for, such as a login. */
  readonly fetch?: BoundedFetch;
}

/** State of one service. */
export interface Refresh {
  readonly origin: TrustStoreOrigin;
  readonly settings: FetchSettings;
  readonly clock: Clock;
  readonly onTrustStore: (trustStore: TrustStore) => void;
  readonly cachePath: string | undefined;
  readonly closing: AbortController;
  current: TrustStore | undefined;
  /** The text of the list in use, as far as it came through this service. */
  list: SignedList | undefined;
  foundSigners: FoundSigners;
  /** In a row. */
  failures: number;
  isRestored: boolean;
  /** The cache file holds what is in force. */
  isStored: boolean;
}

/**
 * Checks the settings and makes the state of a service that has done nothing yet.
 * @throws {@link HopbackError} `invalid-argument` when a URL is refused, no root is given, or an interval, deadline or allowed network makes
 *   no sense
 */
export function refreshOf(options: TrustStoreRefreshOptions): Refresh {
  checkOptions(options);
  const { listUrl, stiPaRoots, allow, lookup, ca, clock, onTrustStore, cachePath, current } = options;
  const { crlUrls = [], crlSigners = [] } = options;
  const intermediates = options.intermediates ?? current?.intermediates ?? [];
  const closing = new AbortController();
  const connection = { ...(allow && { allow }), ...(lookup && { lookup }), ...(ca !== undefined && { ca }) };
  return {
    origin: { listUrl, crlUrls, stiPaRoots, intermediates, crlSigners },
    settings: {
      fetch: options.fetch ?? fetchBounded,
      connection,
      deadlineMs: options.deadlineMs ?? TRUST_STORE_FETCH_DEADLINE_MS,
      signal: closing.signal,
    },
    clock,
    onTrustStore,
    cachePath,
    closing,
    current,
    list: undefined,
    foundSigners: new Map(),
    failures: 0,
    isRestored: false,
    isStored: false,
  };
}

function checkOptions(options: TrustStoreRefreshOptions): void {
  const { listUrl, crlUrls = [], stiPaRoots, allow, intervalMs, deadlineMs } = options;
  const networks = parseNetworkSet(allow?.addresses ?? []);
  if (networks.status === 'malformed') throw wrong(`allow.addresses: ${networks.cidr} is no address or network`);
  checkUrl(listUrl, ['https'], allow);
  for (const url of crlUrls) checkUrl(url, ['https', 'http'], allow);
  if (crlUrls.length > TRUST_STORE_MAX_CRL_URLS) throw wrong(`more than ${TRUST_STORE_MAX_CRL_URLS} CRL URLs`);
  if (stiPaRoots.length === 0) throw wrong('without a root of the policy administrator no list can be verified');
  if (intervalMs !== undefined && !(intervalMs >= TRUST_STORE_RETRY_MS && intervalMs <= TRUST_STORE_REFRESH_MAX_MS))
    throw wrong('intervalMs must be a minute to a day in milliseconds');
  if (deadlineMs !== undefined && !(deadlineMs >= 1 && deadlineMs <= 60_000))
    throw wrong('deadlineMs must be 1 to 60,000 milliseconds');
}

function checkUrl(url: string, schemes: readonly ('https' | 'http')[], allow: X5uAllowList | undefined): void {
  const checked = checkUrlText(url, { schemes, ...(allow && { allow }) });
  if (checked.status === 'refused')
    throw wrong(`${url.slice(0, 200)} is not fetched: ${checked.reason} (${checked.detail})`);
}

function wrong(message: string): HopbackError {
  return new HopbackError('invalid-argument', message);
}
