import { timeOf } from '../../core/runtime/clock.js';
import { readRecordFile, writeRecordFile } from './trust-store-cache.js';
import type { TrustStoreProblem } from './trust-store-problem.js';
import { readTrustStoreRecord, writeTrustStoreRecord } from './trust-store-record.js';
import type { SignedList } from './trust-store-record.js';
import { refreshOf } from './trust-store-refresh-state.js';
import type { Refresh, TrustStoreRefreshOptions } from './trust-store-refresh-state.js';
import { renewTrustStore, restoreTrustStore, signersOf } from './trust-store-renewal.js';
import { lapsesOf, refreshDelayMs, TRUST_STORE_REFRESH_MS } from './trust-store-schedule.js';
import type { TrustStore } from './trust-store.js';

export { TRUST_STORE_MAX_CRL_URLS } from './trust-store-refresh-state.js';
export type { TrustStoreRefreshOptions } from './trust-store-refresh-state.js';

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
  | { readonly status: 'unchanged'; readonly trustStore: TrustStore; readonly problems: readonly [] }
  | { readonly status: 'unavailable'; readonly problems: readonly TrustStoreProblem[] }
  | { readonly status: 'closed'; readonly problems: readonly [] };

/** Keeps a trust store up to date: what `createTrustStoreRefresh` makes. */
export interface TrustStoreRefreshService extends AsyncDisposable {
  /** The store in force; undefined while there is none. */
  readonly current: () => TrustStore | undefined;
  /** Refreshes now; calls during a refresh share it. The next one of itself is planned anew from its end. Never rejects. */
  readonly refresh: () => Promise<TrustStoreRefreshOutcome>;
  /** Ends what is under way, and every timer and socket with it; the store stays. Never rejects. */
  readonly close: () => Promise<void>;
}

/**
 * Keeps a trust store up to date from where the policy administrator publishes it: fetches the signed list, its signer's chain where the list
 * names one by `x5u`, and the CRLs, verifies them as {@link loadTrustStore} does, and hands on what is newer. What cannot be reached, is
 * refused, is older or is empty leaves the store in use and is told as a problem. With a cache file a restart begins with the
 * last good list, verified again. The first refresh is due at once, by `schedule` as all others.
 * @param options - where, verified by what, and whom to tell
 * @returns the service, to be closed by `close()` or `await using`; none of its methods rejects for what servers and files do
 * @throws {@link HopbackError} `invalid-argument` when a URL is refused, no root is given, or an interval, deadline or allowed network makes
 *   no sense
 * @see ATIS-1000084, ATIS-1000080 section 6.3.3, RFC 5280 section 6.3
 * @example
 * ```ts
 * const pki = await createTestPki();
 * const root = parseCertificate(pki.stiPaRoot.der);
 * await using server = await startCertificateServer();
 * const { jws } = pki.trustList({ x5u: server.publish('/signer.pem', pki.stiPaSigner.chainPem) });
 * const clock = createManualClock();
 * await using trust = createTrustStoreRefresh({
 *   listUrl: server.publish('/list.jws', jws),
 *   stiPaRoots: root.status === 'parsed' ? [root.certificate] : [],
 *   onTrustStore: (trustStore) => console.log(trustStore.anchors.length), // 1
 *   clock,
 *   schedule: clock.schedule,
 *   random: () => 0,
 *   // For a server on loopback; the policy administrator's needs neither.
 *   allow: { addresses: ['127.0.0.1'], ports: [server.ports.https] },
 *   ca: server.tlsRootPem,
 * });
 * console.log((await trust.refresh()).status); // renewed
 * ```
 */
export function createTrustStoreRefresh(options: TrustStoreRefreshOptions): TrustStoreRefreshService {
  const refresh = refreshOf(options);
  let running: Promise<TrustStoreRefreshOutcome> | undefined;
  let cancel: () => void = () => undefined;

  const run = async (): Promise<TrustStoreRefreshOutcome> => {
    const outcome = await refreshOnce(refresh);
    // Given up before anybody is told, so that who asks again from there gets a refresh of its own.
    running = undefined;
    // Asked again: it may have been closed since the outcome was made.
    if (refresh.closing.signal.aborted) return CLOSED;
    cancel = options.schedule(() => void start(), nextDelayMs(refresh, options));
    for (const problem of outcome.problems) tell(options.onProblem, problem);
    return outcome;
  };
  const start = (): Promise<TrustStoreRefreshOutcome> => {
    if (refresh.closing.signal.aborted) return Promise.resolve(CLOSED);
    cancel();
    running ??= run();
    return running;
  };
  const close = async (): Promise<void> => {
    refresh.closing.abort();
    cancel();
    await running;
  };
  cancel = options.schedule(() => void start(), 0);
  return { current: () => refresh.current, refresh: start, close, [Symbol.asyncDispose]: close };
}

const CLOSED: TrustStoreRefreshOutcome = { status: 'closed', problems: [] };

async function refreshOnce(refresh: Refresh): Promise<TrustStoreRefreshOutcome> {
  const { closing } = refresh;
  const before = refresh.current;
  const atMs = timeOf(refresh.clock);
  const problems = atMs === undefined ? [NO_TIME] : await refreshAt(refresh, atMs);
  if (closing.signal.aborted) return CLOSED;
  refresh.failures = problems.every(({ part }) => part === 'cache') ? 0 : refresh.failures + 1;
  const { current } = refresh;
  if (current === undefined) return { status: 'unavailable', problems };
  if (current !== before) return { status: 'renewed', trustStore: current, problems };
  const [first, ...others] = problems;
  if (first === undefined) return { status: 'unchanged', trustStore: current, problems: [] };
  return { status: 'kept', trustStore: current, problems: [first, ...others] };
}

const NO_TIME: TrustStoreProblem = { part: 'clock', reason: 'no-time', detail: 'the clock gives no time' };

/** What the cache holds first, so that calls need not wait for the network; then what is published. */
async function refreshAt(refresh: Refresh, atMs: number): Promise<readonly TrustStoreProblem[]> {
  const { origin, settings, closing } = refresh;
  const restored = await restore(refresh, atMs);
  if (closing.signal.aborted) return [];
  const previous = refresh.current;
  const renewal = await renewTrustStore(origin, { settings, atMs, previous, foundSigners: refresh.foundSigners });
  if (closing.signal.aborted) return [];
  refresh.foundSigners = renewal.foundSigners;
  const { trustStore, list, problems } = renewal;
  if (trustStore !== undefined) install(refresh, trustStore, list);
  const written = await store(refresh);
  const lapses = refresh.current === undefined ? [] : lapsesOf(refresh.current, { nowMs: atMs, url: origin.listUrl });
  return [...restored, ...problems, ...lapses, ...written];
}

function install(refresh: Refresh, trustStore: TrustStore, list: SignedList | undefined): void {
  refresh.list = list ?? refresh.list;
  if (refresh.current !== undefined && saysTheSame(refresh.current, trustStore)) return;
  refresh.current = trustStore;
  refresh.isStored = false;
  tell(refresh.onTrustStore, trustStore);
}

/** The version is that of the content; a list that was signed anew with the same content lasts longer, and so may a CRL by its signer. */
function saysTheSame(one: TrustStore, other: TrustStore): boolean {
  const terms = ({ version, source, revocation }: TrustStore): string =>
    JSON.stringify([
      version,
      source,
      revocation.crls.map(({ crl, usableUntilMs }) => `${crl.sha256} ${usableUntilMs}`).sort(),
    ]);
  return terms(one) === terms(other);
}

/** Once, before the first fetch. */
async function restore(refresh: Refresh, atMs: number): Promise<readonly TrustStoreProblem[]> {
  const { cachePath, origin } = refresh;
  if (cachePath === undefined || refresh.isRestored) return [];
  refresh.isRestored = true;
  const file = await readRecordFile(cachePath);
  if (file.status === 'missing' || refresh.closing.signal.aborted) return [];
  if (file.status === 'unreadable') return [{ part: 'cache', reason: 'unreadable', detail: file.detail }];
  if (file.status === 'too-long')
    return [{ part: 'cache', reason: 'unreadable', detail: `${file.sizeBytes} bytes are more than are read` }];
  const record = readTrustStoreRecord(file.text);
  if (record === undefined)
    return [{ part: 'cache', reason: 'malformed', detail: `${cachePath} holds something else` }];
  const result = await restoreTrustStore(origin, record, { atMs, previous: refresh.current });
  if (result.status === 'rejected') return [{ part: 'cache', reason: result.reason, detail: result.detail }];
  refresh.foundSigners = new Map([[cachePath, record.crlSigners]]);
  if (refresh.closing.signal.aborted) return [];
  install(refresh, result.trustStore, record);
  refresh.isStored = true;
  return [];
}

/** Keeps what is in force. A store whose list did not come through here cannot be kept: its signature is not at hand. */
async function store(refresh: Refresh): Promise<readonly TrustStoreProblem[]> {
  const { cachePath, current, list, foundSigners, isStored } = refresh;
  if (cachePath === undefined || current === undefined || list === undefined || isStored) return [];
  const crls = current.revocation.crls.map(({ crl }) => crl);
  const crlSigners = [...signersOf(current), ...[...foundSigners.values()].flat()];
  const written = await writeRecordFile(cachePath, writeTrustStoreRecord({ ...list, crls, crlSigners }));
  refresh.isStored = written.status === 'written';
  return written.status === 'written' ? [] : [{ part: 'cache', reason: 'not-written', detail: written.detail }];
}

function nextDelayMs(
  { clock, current, failures }: Refresh,
  { intervalMs = TRUST_STORE_REFRESH_MS, random }: TrustStoreRefreshOptions,
): number {
  return refreshDelayMs({ nowMs: timeOf(clock), trustStore: current, failures, intervalMs, chance: chanceOf(random) });
}

/** A generator that fails shortens nothing. */
function chanceOf(random: () => number): number {
  try {
    const chance = random();
    return chance >= 0 && chance <= 1 ? chance : 0;
  } catch {
    return 0;
  }
}

/** What a listener does with the news is its own affair. */
function tell<News>(listener: ((news: News) => void) | undefined, news: News): void {
  try {
    const returned: unknown = listener?.(news);
    // An async function fits the type of a listener; its rejection would end the process.
    if (returned instanceof Promise) returned.catch(() => undefined);
  } catch {
    // A listener that throws must not stop the refreshes after it.
  }
}
