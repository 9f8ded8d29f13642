import { MACHINE_CLOCK, scheduleInBackground, timeOf } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { attempt, backoffBoundMs, tell, valueWithin } from '../../core/runtime/deadline.js';
import { writeWholeFile } from '../../core/runtime/whole-file.js';
import { HopbackError } from '../../errors.js';
import { checkUrlText, parseNetworkSet } from './x5u-url-policy.js';
import { errorText, fetchBounded } from './bounded-fetch.js';
import type { BoundedFetchOptions, BoundedFetchResult } from './bounded-fetch.js';
import type { Certificate } from './certificate.js';
import { readCacheFile } from './disk-cache.js';
import type { CacheFileRead } from './disk-cache.js';
import {
  TRUST_STORE_FETCH_DEADLINE_MS,
  TRUST_STORE_RECORD_MAX_CHARS,
  readTrustStoreRecord,
  renewTrustStore,
  restoreTrustStore,
  signersOf,
  writeTrustStoreRecord,
} from './trust-store-renewal.js';
import type { FetchSettings, FoundSigners, SignedList, TrustStoreOrigin } from './trust-store-renewal.js';
import { readCertificates, saysTheSame } from './trust-store.js';
import type { TrustStore, TrustStoreProblem } from './trust-store.js';
import type { X5uAllowList } from './x5u-url-policy.js';

/** Longest wait for the disk, milliseconds: no call waits for it, and what is lost can be fetched again. */
const TRUST_STORE_DISK_TIMEOUT_MS = 2_000;

/** Reads the record in a cache file. Never rejects. */
function readRecordFile(path: string): Promise<CacheFileRead> {
  const late: CacheFileRead = { status: 'unreadable', detail: NO_ANSWER };
  const reading = readCacheFile(path, TRUST_STORE_RECORD_MAX_CHARS);
  return valueWithin(reading, { timeoutMs: TRUST_STORE_DISK_TIMEOUT_MS, late });
}

/** Writes a record to a cache file. Never rejects. @returns why it was not written; undefined when it was */
function writeRecordFile(path: string, text: string): Promise<string | undefined> {
  if (text.length > TRUST_STORE_RECORD_MAX_CHARS)
    return Promise.resolve(`${text.length} characters are more than are read back`);
  const written = writeWholeFile(path, text).then(() => undefined, errorText);
  return valueWithin(written, { timeoutMs: TRUST_STORE_DISK_TIMEOUT_MS, late: NO_ANSWER });
}

const NO_ANSWER = 'the disk does not answer';

/** How often list and CRLs are fetched unless told otherwise, milliseconds: a revoked certificate signs for so long at most. */
const TRUST_STORE_REFRESH_MS = 3_600_000;

/** Shortest time between two fetches, and the wait after the first failure, milliseconds; it doubles up to the interval. */
const TRUST_STORE_RETRY_MS = 60_000;

/** Longest interval, milliseconds: a day, for which the timers of every platform are good. */
const TRUST_STORE_REFRESH_MAX_MS = 86_400_000;

/** Share of a wait that chance may take off, so that verifiers started together do not stay together. */
const TRUST_STORE_JITTER = 0.1;

/** What the next refresh is planned by. */
export interface RefreshPlan {
  /** The present, milliseconds since the epoch; undefined where the clock gives none. */
  readonly nowMs: number | undefined;
  /** The store in use. */
  readonly trustStore: TrustStore | undefined;
  /** Refreshes in a row that met a problem. */
  readonly failures: number;
  readonly intervalMs: number;
  /** 0 to 1, new for every plan. */
  readonly chance: number;
}

/**
 * How long to wait for the next refresh, milliseconds: the interval, or half of what is left until the list or a CRL in use ends, so that
 * there is time for several tries; after a failure a wait that begins short and doubles. Pure.
 */
export function refreshDelayMs({ nowMs, trustStore, failures, intervalMs, chance }: RefreshPlan): number {
  const retryMs =
    failures === 0 ? intervalMs : backoffBoundMs(failures, { baseMs: TRUST_STORE_RETRY_MS, capMs: intervalMs });
  const left = nowMs === undefined ? [] : endsOf(trustStore).map((endMs) => endMs - nowMs);
  // What has ended already is a problem, which has its own wait.
  const halfLeftMs = Math.min(...left.filter((ms) => ms > 0)) / 2;
  const waitMs = Math.max(Math.min(intervalMs, retryMs, halfLeftMs), TRUST_STORE_RETRY_MS);
  const share = chance >= 0 && chance <= 1 ? chance : 0;
  return Math.round(waitMs * (1 - TRUST_STORE_JITTER * share));
}

/** What of a store no longer counts: its list has ended, or one of its CRLs. Pure. */
export function lapsesOf(
  trustStore: TrustStore,
  at: { readonly nowMs: number; readonly url: string },
): readonly TrustStoreProblem[] {
  const { source, revocation } = trustStore;
  const { nowMs, url } = at;
  const list: readonly TrustStoreProblem[] =
    source.kind === 'sti-pa-list' && nowMs >= source.expMs
      ? [{ part: 'list', reason: 'expired', url, detail: `the list in use ended at ${timeText(source.expMs)}` }]
      : [];
  const crls = revocation.crls
    .filter(({ usableUntilMs }) => nowMs >= usableUntilMs)
    .map(({ crl, usableUntilMs }): TrustStoreProblem => {
      const detail = `the CRL of ${crl.issuer.text} in use ended at ${timeText(usableUntilMs)}`;
      return { part: 'crl', reason: 'out-of-date', detail };
    });
  return [...list, ...crls];
}

function endsOf(trustStore: TrustStore | undefined): readonly number[] {
  if (trustStore === undefined) return [];
  const { source, revocation } = trustStore;
  const ofList = source.kind === 'sti-pa-list' ? [source.expMs] : [];
  return [...ofList, ...revocation.crls.map(({ usableUntilMs }) => usableUntilMs)];
}

/** An instant that a list states may lie beyond what a Date holds. */
function timeText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${String(ms)} ms` : date.toISOString();
}

/** Most CRLs of one trust store refresh: the policy administrator's one, and room for CAs that have their own. */
export const TRUST_STORE_MAX_CRL_URLS = 8;

/** Settings of {@link TrustStoreRefresh}. */
export interface TrustStoreRefreshOptions {
  /** Where the policy administrator publishes its signed list of STI-CAs (JWS compact): an https URL. */
  readonly listUrl: string;
  /** The policy administrator's own roots, obtained out of band, at least one; they are no trust anchors for calls. */
  readonly stiPaRoots: readonly Certificate[];
  /** Where CRLs are published, https or http, at most 8; default none, so that nothing is known of revocation. */
  readonly crlUrls?: readonly string[];
  /** Certificates of CRL signers; default those that the CRLs' AuthorityInfoAccess names. */
  readonly crlSigners?: readonly Certificate[];
  /** CA certificates that a path may go through beside those of its chain; default those of `current`. */
  readonly intermediates?: readonly Certificate[];
  /** The store in use, if there is one: nothing older replaces it. */
  readonly current?: TrustStore;
  /** Told of every other store that is in force from now on. What it throws or rejects with is dropped. */
  readonly onTrustStore?: (trustStore: TrustStore) => void;
  /** Told of every problem, each time anew. What it throws or rejects with is dropped. */
  readonly onProblem?: (problem: TrustStoreProblem) => void;
  /** Says at which instant lists and CRLs are judged. Default: the machine's. */
  readonly clock?: Clock;
  /** Runs a callback once after a delay in milliseconds; the returned function cancels it. Default: timers that do not keep the process alive. */
  readonly schedule?: (callback: () => void, delayMs: number) => () => void;
  /** A number from 0 to 1, new each time: shortens each wait by up to a tenth. Default `Math.random`. */
  readonly random?: () => number;
  /** Between two refreshes, milliseconds, a minute to a day; default an hour. Shorter before a list or CRL ends and after a failure. */
  readonly intervalMs?: number;
  /** File that the last good list and CRLs are kept in over a restart; its directory has to be there. Default none. */
  readonly cachePath?: string;
  /** Laboratory exceptions of the URL and address policy; default none. */
  readonly allow?: X5uAllowList;
  /** Resolves host names; default DNS. */
  readonly lookup?: BoundedFetchOptions['lookup'];
  /** PEM trust anchors for the web servers' certificates; default those of Node. */
  readonly ca?: string | readonly string[];
  /** One deadline of each fetch, milliseconds, 1 to 60,000; default 10,000. */
  readonly deadlineMs?: number;
  /** Default: one bounded GET without redirects, to an address that the policy permits. A stand-in keeps the limits that it is given, and may add what a server asks for, such as a login. */
  readonly fetch?: (url: string, options: BoundedFetchOptions) => Promise<BoundedFetchResult>;
}

/** Settings of {@link TrustStoreRefresh.start}: a certificate may also be the path of a PEM or DER file, or of a directory with such files. */
export interface TrustStoreStartOptions extends Omit<
  TrustStoreRefreshOptions,
  'stiPaRoots' | 'crlSigners' | 'intermediates'
> {
  /** The policy administrator's own roots, obtained out of band, at least one. */
  readonly stiPaRoots: readonly (Certificate | string)[];
  /** Certificates of CRL signers; default those that the CRLs' AuthorityInfoAccess names. */
  readonly crlSigners?: readonly (Certificate | string)[];
  /** CA certificates that a path may go through beside those of its chain; default those of `current`. */
  readonly intermediates?: readonly (Certificate | string)[];
}

async function certificatesIn(given: readonly (Certificate | string)[]): Promise<readonly Certificate[]> {
  return (
    await Promise.all(given.map(async (one) => (typeof one === 'string' ? readCertificates([one]) : [one])))
  ).flat();
}

/** With what is used where nothing is given. */
type Settings = TrustStoreRefreshOptions & Required<Pick<TrustStoreRefreshOptions, 'clock' | 'schedule' | 'random'>>;

/**
 * What became of a refresh.
 * - `renewed`: another store is in force; `problems` tells what of it is still as it was.
 * - `unchanged`: all is well and as it was.
 * - `kept`: there were problems, and the store in use stays.
 * - `unavailable`: there were problems, and there is no store yet: nothing can be verified.
 * - `closed`: the service was closed before it came to an end.
 */
export type TrustStoreRefreshOutcome =
  | {
      readonly status: 'renewed' | 'kept';
      readonly trustStore: TrustStore;
      readonly problems: readonly TrustStoreProblem[];
    }
  | {
      readonly status: 'unchanged';
      readonly trustStore: TrustStore;
      readonly problems: readonly [];
    }
  | { readonly status: 'unavailable'; readonly problems: readonly TrustStoreProblem[] }
  | { readonly status: 'closed'; readonly problems: readonly [] };

/**
 * Keeps a trust store up to date from where the policy administrator publishes it: fetches the signed list, its signer's chain where the list
 * names one by `x5u`, and the CRLs, verifies them as {@link loadTrustStore} does, and hands on what is newer. What cannot be reached, is
 * refused, is older or is empty leaves the store in use and is told as a problem. With a cache file a restart begins with the
 * last good list, verified again. The first refresh is due at once. To be closed by `close()` or `await using`; but for
 * `start`, nothing rejects for what servers and files do.
 * @see ATIS-1000084, ATIS-1000080 section 6.3.3, RFC 5280 section 6.3
 * @example
 * ```ts
 * const pki = new TestPki({ nowMs: Date.now() });
 * const root = parseCertificate(pki.stiPaRoot.der);
 * await using server = await CertificateServer.start();
 * const { jws } = pki.trustList({ x5u: server.publish('/signer.pem', pki.stiPaSigner.chainPem) });
 * await using trust = await TrustStoreRefresh.start({
 *   listUrl: server.publish('/list.jws', jws),
 *   stiPaRoots: root.status === 'parsed' ? [root.certificate] : [], // or the paths of their files
 *   onTrustStore: (trustStore) => console.log(trustStore.anchors.length), // 1
 *   // For a server on loopback; the policy administrator's needs neither.
 *   allow: { addresses: ['127.0.0.1'], ports: [server.ports.https] },
 *   ca: server.tlsRootPem,
 * });
 * console.log((await trust.refresh()).status); // unchanged
 * ```
 */
export class TrustStoreRefresh implements AsyncDisposable {
  readonly #options: Settings;
  readonly #origin: TrustStoreOrigin;
  readonly #settings: FetchSettings;
  readonly #closing = new AbortController();
  #current: TrustStore | undefined;
  /** The text of the list in use, as far as it came through this service. */
  #list: SignedList | undefined;
  #foundSigners: FoundSigners = new Map();
  /** In a row. */
  #failures = 0;
  #isRestored = false;
  /** The cache file holds what is in force. */
  #isStored = false;
  #running: Promise<TrustStoreRefreshOutcome> | undefined;
  #cancel: () => void = () => undefined;
  #tellAtHand: () => void = () => undefined;
  /** Settles when there is a store that need not be fetched: it was given, or is in the cache. */
  readonly #atHand = new Promise<{ readonly problems: readonly [] }>((resolve) => {
    this.#tellAtHand = () => resolve({ problems: [] });
  });

  /**
   * @param options - where, verified by what, and whom to tell
   * @throws {@link HopbackError} `invalid-argument` when a URL is refused, no root is given, or an interval, deadline or allowed network makes
   *   no sense
   */
  constructor(options: TrustStoreRefreshOptions) {
    checkOptions(options);
    const { listUrl, stiPaRoots, allow, lookup, ca, current } = options;
    const { crlUrls = [], crlSigners = [], fetch = fetchBounded, deadlineMs = TRUST_STORE_FETCH_DEADLINE_MS } = options;
    const connection = { ...(allow && { allow }), ...(lookup && { lookup }), ...(ca !== undefined && { ca }) };
    const { clock = MACHINE_CLOCK, schedule = scheduleInBackground, random = Math.random } = options;
    this.#options = { ...options, clock, schedule, random };
    this.#origin = {
      listUrl,
      crlUrls,
      stiPaRoots,
      intermediates: options.intermediates ?? current?.intermediates ?? [],
      crlSigners,
    };
    this.#settings = { fetch, request: { ...connection, deadlineMs, signal: this.#closing.signal } };
    this.#current = current;
    if (current !== undefined) this.#tellAtHand();
    this.#cancel = this.#options.schedule(() => void this.refresh(), 0);
  }

  /**
   * Begins to refresh, and waits for a store: the one in the cache file, or else the published one. Silent servers may take half a minute.
   * @param options - where, verified by what, and whom to tell
   * @returns the running service, to be closed, with a store in force
   * @throws {@link HopbackError} what the constructor throws; `storage-failed` or `trust-list-rejected` for a file that cannot be used;
   *   `unavailable` where there is neither a cached nor a published list that can be trusted
   */
  static async start(options: TrustStoreStartOptions): Promise<TrustStoreRefresh> {
    const { stiPaRoots, crlSigners, intermediates, ...others } = options;
    const trust = new TrustStoreRefresh({
      ...others,
      stiPaRoots: await certificatesIn(stiPaRoots),
      ...(crlSigners && { crlSigners: await certificatesIn(crlSigners) }),
      ...(intermediates && { intermediates: await certificatesIn(intermediates) }),
    });
    const { problems } = await Promise.race([trust.refresh(), trust.#atHand]);
    if (trust.#current !== undefined) return trust;
    await trust.close();
    const why = problems.map(({ part, reason, detail }) => `${part} ${reason} (${detail})`).join('; ');
    throw new HopbackError('unavailable', `There is no list of STI-CAs to verify by: ${why}`, { retryable: true });
  }

  /** The store in force; undefined while there is none. */
  current(): TrustStore | undefined {
    return this.#current;
  }

  /** Refreshes now; calls during a refresh share it. The next one of itself is planned anew from its end. Never rejects. */
  refresh(): Promise<TrustStoreRefreshOutcome> {
    if (this.#closing.signal.aborted) return Promise.resolve(CLOSED);
    this.#cancel();
    this.#running ??= this.#run();
    return this.#running;
  }

  /** Ends what is under way, and every timer and socket with it; the store stays. Never rejects. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#cancel();
    await this.#running;
  }

  /** As `close`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<TrustStoreRefreshOutcome> {
    const outcome = await this.#refreshOnce();
    // Given up before anybody is told, so that who asks again from there gets a refresh of its own.
    this.#running = undefined;
    // Asked again: it may have been closed since the outcome was made.
    if (this.#closing.signal.aborted) return CLOSED;
    const { clock, intervalMs = TRUST_STORE_REFRESH_MS, random, onProblem } = this.#options;
    const delayMs = refreshDelayMs({
      nowMs: timeOf(clock),
      trustStore: this.#current,
      failures: this.#failures,
      intervalMs,
      chance: attempt(random) ?? 0,
    });
    this.#cancel = this.#options.schedule(() => void this.refresh(), delayMs);
    for (const problem of outcome.problems) tell(onProblem, problem);
    return outcome;
  }

  async #refreshOnce(): Promise<TrustStoreRefreshOutcome> {
    const before = this.#current;
    const atMs = timeOf(this.#options.clock);
    const problems = atMs === undefined ? [NO_TIME] : await this.#refreshAt(atMs);
    if (this.#closing.signal.aborted) return CLOSED;
    this.#failures = problems.every(({ part }) => part === 'cache') ? 0 : this.#failures + 1;
    const current = this.#current;
    if (current === undefined) return { status: 'unavailable', problems };
    if (current !== before) return { status: 'renewed', trustStore: current, problems };
    const [first, ...others] = problems;
    if (first === undefined) return { status: 'unchanged', trustStore: current, problems: [] };
    return { status: 'kept', trustStore: current, problems: [first, ...others] };
  }

  /** What the cache holds first, so that calls need not wait for the network; then what is published. */
  async #refreshAt(atMs: number): Promise<readonly TrustStoreProblem[]> {
    const { signal } = this.#closing;
    const restored = await this.#restore(atMs);
    if (signal.aborted) return [];
    const renewal = await renewTrustStore(this.#origin, {
      settings: this.#settings,
      atMs,
      previous: this.#current,
      foundSigners: this.#foundSigners,
    });
    if (signal.aborted) return [];
    this.#foundSigners = renewal.foundSigners;
    const { trustStore, list, problems } = renewal;
    if (trustStore !== undefined) this.#install(trustStore, list);
    const written = await this.#store();
    const { listUrl } = this.#origin;
    const lapses = this.#current === undefined ? [] : lapsesOf(this.#current, { nowMs: atMs, url: listUrl });
    return [...restored, ...problems, ...lapses, ...written];
  }

  #install(trustStore: TrustStore, list: SignedList | undefined): void {
    this.#list = list ?? this.#list;
    if (this.#current !== undefined && saysTheSame(this.#current, trustStore)) return;
    this.#current = trustStore;
    this.#isStored = false;
    tell(this.#options.onTrustStore, trustStore);
  }

  /** Once, before the first fetch. */
  async #restore(atMs: number): Promise<readonly TrustStoreProblem[]> {
    const { cachePath } = this.#options;
    const { signal } = this.#closing;
    if (cachePath === undefined || this.#isRestored) return [];
    this.#isRestored = true;
    const file = await readRecordFile(cachePath);
    if (file.status === 'missing' || signal.aborted) return [];
    if (file.status === 'unreadable') return [{ part: 'cache', reason: 'unreadable', detail: file.detail }];
    if (file.status === 'too-long')
      return [{ part: 'cache', reason: 'unreadable', detail: `${file.sizeBytes} bytes are more than are read` }];
    const record = readTrustStoreRecord(file.text);
    if (record === undefined)
      return [{ part: 'cache', reason: 'malformed', detail: `${cachePath} holds something else` }];
    const result = await restoreTrustStore(this.#origin, record, { atMs, previous: this.#current });
    if (result.status === 'rejected') return [{ part: 'cache', reason: result.reason, detail: result.detail }];
    this.#foundSigners = new Map([[cachePath, record.crlSigners]]);
    if (signal.aborted) return [];
    this.#install(result.trustStore, record);
    this.#isStored = true;
    this.#tellAtHand();
    return [];
  }

  /** Keeps what is in force. A store whose list did not come through here cannot be kept: its signature is not at hand. */
  async #store(): Promise<readonly TrustStoreProblem[]> {
    const { cachePath } = this.#options;
    const current = this.#current;
    const list = this.#list;
    if (cachePath === undefined || current === undefined || list === undefined || this.#isStored) return [];
    const crls = current.revocation.crls.map(({ crl }) => crl);
    const crlSigners = [...signersOf(current), ...[...this.#foundSigners.values()].flat()];
    const detail = await writeRecordFile(cachePath, writeTrustStoreRecord({ ...list, crls, crlSigners }));
    this.#isStored = detail === undefined;
    return detail === undefined ? [] : [{ part: 'cache', reason: 'not-written', detail }];
  }
}

const CLOSED: TrustStoreRefreshOutcome = { status: 'closed', problems: [] };

const NO_TIME: TrustStoreProblem = { part: 'clock', reason: 'no-time', detail: 'the clock gives no time' };

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
