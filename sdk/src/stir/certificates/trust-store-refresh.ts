import { MACHINE_CLOCK, scheduleInBackground, timeOf } from '../../core/runtime/clock.js';
import type { Clock } from '../../core/runtime/clock.js';
import { attempt, backoffBoundMs, tell } from '../../core/runtime/deadline.js';
import { defined, membersOf } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import type { BoundedFetchOptions, BoundedFetchResult } from './bounded-fetch.js';
import type { Certificate } from './certificate.js';
import { CRL_MAX_BYTES, parseCrl } from './crl.js';
import type { CertificateRevocationList } from './crl.js';
import { readCacheFile, writeCacheFile } from './disk-cache.js';
import { SIGNER_CERTIFICATES, problemOf, resourceFetcher } from './fetched-resource.js';
import type { ResourceFetcher, ResourceKind } from './fetched-resource.js';
import { parseCertificate } from './parse-certificate.js';
import { REVOCATION_SET_MAX_CRLS } from './revocation.js';
import type { RevocationSet } from './revocation.js';
import { STI_PA_LIST_MAX_CHARS, stiPaListSignerUrl } from './sti-pa-list.js';
import { readCertificates, saysTheSame, trustStoreOf, verifyTrustAnchors, verifyTrustStore } from './trust-store.js';
import type { TrustStore, TrustStoreMaterial, TrustStoreProblem, VerifiedAnchors } from './trust-store.js';
import { checkUrlText } from './x5u-url-policy.js';
import type { X5uAllowList } from './x5u-url-policy.js';

/** How often list and CRLs are fetched unless told otherwise, milliseconds: a revoked certificate signs for so long at most. */
const TRUST_STORE_REFRESH_MS = 3_600_000;

/** Shortest time between two fetches, and the wait after the first failure, milliseconds; it doubles up to the interval. */
const TRUST_STORE_RETRY_MS = 60_000;

/** Longest interval, milliseconds: a day, for which the timers of every platform are good. */
const TRUST_STORE_REFRESH_MAX_MS = 86_400_000;

/** Share of a wait that chance may take off, so that verifiers started together do not stay together. */
const TRUST_STORE_JITTER = 0.1;

/** One deadline of each fetch, milliseconds: no call waits for it, and a CRL may have 2 MB. */
const TRUST_STORE_FETCH_DEADLINE_MS = 10_000;

/** Longest wait for the disk, milliseconds: no call waits for it, and what is lost can be fetched again. */
const TRUST_STORE_DISK_TIMEOUT_MS = 2_000;

/** Most CRL signers that are looked for in one refresh: the policy administrator's, and those of a few CAs. */
const CRL_SIGNER_MAX_FETCHES = 8;

/** Most URLs whose certificates are remembered: those of two refreshes in full. */
const FOUND_SIGNERS_MAX_URLS: number = CRL_SIGNER_MAX_FETCHES * 2;

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

/** A kind of resource that is part of a trust store, by the name that problems have. */
interface PartKind<Value> extends ResourceKind<Value> {
  readonly part: 'list' | 'signer-chain' | 'crl' | 'crl-signer';
}

/** A CRL and a certificate may come over http: they are signed by who is known, and a distribution point is often http. */
const SCHEMES = ['https', 'http'] as const;

const LIST: PartKind<string> = {
  part: 'list',
  limits: { maxBytes: STI_PA_LIST_MAX_CHARS },
  read: (body) => ({ value: Buffer.from(body).toString('latin1') }),
};

const SIGNER_CHAIN: PartKind<readonly Certificate[]> = { ...SIGNER_CERTIFICATES, part: 'signer-chain' };

const CRL_SIGNER: PartKind<readonly Certificate[]> = {
  ...SIGNER_CERTIFICATES,
  part: 'crl-signer',
  limits: { ...SIGNER_CERTIFICATES.limits, schemes: SCHEMES },
};

const CRL: PartKind<CertificateRevocationList> = {
  part: 'crl',
  limits: { maxBytes: CRL_MAX_BYTES, schemes: SCHEMES },
  read: (body) => {
    const parsed = parseCrl(body);
    return parsed.status === 'parsed' ? { value: parsed.crl } : parsed;
  },
};

/** The parts that came, not verified, and what became of the others. */
interface FetchedParts<Value> {
  readonly fetched: readonly { readonly url: string; readonly value: Value }[];
  readonly problems: readonly TrustStoreProblem[];
}

interface JudgedList {
  readonly accepted?: { readonly list: SignedList; readonly anchors: VerifiedAnchors };
  readonly problems: readonly TrustStoreProblem[];
}

/** What was made of what was published. */
interface Renewal {
  /** Undefined where there is no list, new or in use. */
  readonly trustStore?: TrustStore;
  /** The list that was fetched and accepted; undefined where the one in use stays. */
  readonly list?: SignedList | undefined;
  readonly problems: readonly TrustStoreProblem[];
}

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
  readonly #options: TrustStoreRefreshOptions & Required<Pick<TrustStoreRefreshOptions, 'clock' | 'schedule'>>;
  /** What list and CRLs are verified by. */
  readonly #known: Pick<TrustStoreMaterial, 'stiPaRoots' | 'intermediates' | 'crlSigners'>;
  readonly #fetch: ResourceFetcher;
  readonly #closing = new AbortController();
  #current: TrustStore | undefined;
  /** The text of the list in use, as far as it came through this service. */
  #list: SignedList | undefined;
  /** Signers of CRLs that were fetched, by URL. */
  #foundSigners: ReadonlyMap<string, readonly Certificate[]> = new Map();
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
    const { stiPaRoots, crlSigners = [], current, deadlineMs = TRUST_STORE_FETCH_DEADLINE_MS } = options;
    const { clock = MACHINE_CLOCK, schedule = scheduleInBackground } = options;
    this.#fetch = resourceFetcher({ ...options, deadlineMs });
    checkOptions(options);
    this.#options = { ...options, clock, schedule };
    this.#known = { stiPaRoots, crlSigners, intermediates: options.intermediates ?? current?.intermediates ?? [] };
    this.#current = current;
    if (current !== undefined) this.#tellAtHand();
    this.#cancel = schedule(() => void this.refresh(), 0);
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
    const { clock, schedule, intervalMs = TRUST_STORE_REFRESH_MS, random = Math.random, onProblem } = this.#options;
    const delayMs = refreshDelayMs({
      nowMs: timeOf(clock),
      trustStore: this.#current,
      failures: this.#failures,
      intervalMs,
      chance: attempt(random) ?? 0,
    });
    this.#cancel = schedule(() => void this.refresh(), delayMs);
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
    if (problems.length > 0) return { status: 'kept', trustStore: current, problems };
    return { status: 'unchanged', trustStore: current, problems: [] };
  }

  /** What the cache holds first, so that calls need not wait for the network; then what is published. */
  async #refreshAt(atMs: number): Promise<readonly TrustStoreProblem[]> {
    const { signal } = this.#closing;
    const restored = await this.#restore(atMs);
    if (signal.aborted) return [];
    const { trustStore, list, problems } = await this.#renew(atMs);
    if (signal.aborted) return [];
    if (trustStore !== undefined) this.#install(trustStore, list);
    const written = await this.#store();
    const lapses = this.#current && lapsesOf(this.#current, { nowMs: atMs, url: this.#options.listUrl });
    return [...restored, ...problems, ...(lapses ?? []), ...written];
  }

  #install(trustStore: TrustStore, list: SignedList | undefined): void {
    this.#list = list ?? this.#list;
    if (this.#current !== undefined && saysTheSame(this.#current, trustStore)) return;
    this.#current = trustStore;
    this.#isStored = false;
    tell(this.#options.onTrustStore, trustStore);
  }

  /** Once, before the first fetch. Every part of the record is verified as if it had been fetched now. */
  async #restore(atMs: number): Promise<readonly TrustStoreProblem[]> {
    const { cachePath } = this.#options;
    if (cachePath === undefined || this.#isRestored) return [];
    this.#isRestored = true;
    const limits = { maxBytes: TRUST_STORE_RECORD_MAX_CHARS, timeoutMs: TRUST_STORE_DISK_TIMEOUT_MS };
    const file = await readCacheFile(cachePath, limits);
    if (file.status === 'missing' || this.#closing.signal.aborted) return [];
    if (file.status === 'unreadable') return [{ part: 'cache', reason: 'unreadable', detail: file.detail }];
    if (file.status === 'too-long')
      return [{ part: 'cache', reason: 'unreadable', detail: `${file.sizeBytes} bytes are more than are read` }];
    const record = readTrustStoreRecord(file.text);
    if (record === undefined)
      return [{ part: 'cache', reason: 'malformed', detail: `${cachePath} holds something else` }];
    const crlSigners = [...this.#known.crlSigners, ...record.crlSigners];
    const material = {
      ...this.#known,
      anchors: listAnchors(record),
      crls: record.crls,
      crlSigners,
    };
    const result = await verifyTrustStore(material, { atMs, previous: this.#current });
    if (result.status === 'rejected') return [{ part: 'cache', reason: result.reason, detail: result.detail }];
    this.#foundSigners = new Map([[cachePath, record.crlSigners]]);
    if (this.#closing.signal.aborted) return [];
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
    const text = writeTrustStoreRecord({ ...list, crls, crlSigners });
    const detail =
      text.length > TRUST_STORE_RECORD_MAX_CHARS
        ? `${text.length} characters are more than are read back`
        : await writeCacheFile(cachePath, text, TRUST_STORE_DISK_TIMEOUT_MS);
    this.#isStored = detail === undefined;
    return detail === undefined ? [] : [{ part: 'cache', reason: 'not-written', detail }];
  }

  /**
   * Fetches list and CRLs and makes a store of what is good. A list that is not leaves the one in use, beside which new CRLs still count;
   * a CRL that is not leaves the one in use.
   */
  async #renew(atMs: number): Promise<Renewal> {
    const [list, crls] = await Promise.all([this.#fetchList(atMs), this.#fetchParts(CRL, this.#options.crlUrls ?? [])]);
    const first = await this.#renewFrom(list, crls, atMs);
    if (list.accepted === undefined || first.trustStore === undefined) return first;
    // The list came beside the CRLs, and only with these is it known whether its signer is revoked.
    const judged = await this.#judgeList(list.accepted.list, atMs, first.trustStore.revocation);
    return judged.accepted === undefined ? this.#renewFrom(judged, crls, atMs) : first;
  }

  /** Makes the store; where a CRL has a signer that nobody knows, fetches it and makes the store again. @see RFC 5280 section 5.2.7 */
  async #renewFrom(list: JudgedList, crls: FetchedParts<CertificateRevocationList>, atMs: number): Promise<Renewal> {
    const problems = [...list.problems, ...crls.problems];
    // The anchors in use were verified when they came.
    const anchors = list.accepted?.anchors ?? this.#current;
    if (anchors === undefined) return { problems };
    const make = (): TrustStore => {
      // The signers of CRLs in use stay known, whatever becomes of where they were found.
      const found = [...signersOf(this.#current), ...[...this.#foundSigners.values()].flat()];
      const crlSigners = [...this.#known.crlSigners, ...found];
      const material = { ...this.#known, crlSigners, crls: crls.fetched.map(({ value }) => value) };
      return trustStoreOf(anchors, material, { atMs, previous: this.#current });
    };
    let trustStore = make();
    const wanted = signerUrlsOf(trustStore);
    if (wanted.length > 0) {
      const signers = await this.#fetchParts(CRL_SIGNER, wanted);
      problems.push(...signers.problems);
      const news = signers.fetched.map(({ url, value }) => [url, value] as const);
      this.#foundSigners = new Map([...this.#foundSigners, ...news].slice(-FOUND_SIGNERS_MAX_URLS));
      trustStore = make();
    }
    const urls = new Map(crls.fetched.map(({ url, value }) => [value.sha256, url]));
    const refused = trustStore.revocation.refused.map(({ crl, reason, detail }): TrustStoreProblem => {
      return {
        part: 'crl',
        reason,
        detail,
        ...defined({ url: urls.get(crl.sha256) }),
      };
    });
    return { trustStore, list: list.accepted?.list, problems: [...problems, ...refused] };
  }

  /** The list with what it verifies by. Its signer's chain is fetched only where it does not carry it. @see RFC 7515 section 4.1.5 */
  async #fetchList(atMs: number): Promise<JudgedList> {
    const { fetched, problems } = await this.#fetchParts(LIST, [this.#options.listUrl]);
    const [list] = fetched;
    if (list === undefined) return { problems };
    const jws = list.value;
    const first = await this.#judgeList({ jws }, atMs);
    const signerUrl = stiPaListSignerUrl(jws);
    if (signerUrl === undefined || first.problems[0]?.reason !== 'signer-missing') return first;
    const signer = await this.#fetchParts(SIGNER_CHAIN, [signerUrl]);
    const [chain] = signer.fetched;
    return chain === undefined ? signer : this.#judgeList({ jws, signerChain: chain.value }, atMs);
  }

  async #judgeList(
    list: SignedList,
    atMs: number,
    revocation: RevocationSet | undefined = this.#current?.revocation,
  ): Promise<JudgedList> {
    const { stiPaRoots } = this.#known;
    const context = { atMs, previous: this.#current, revocation };
    const result = await verifyTrustAnchors({ anchors: listAnchors(list), stiPaRoots }, context);
    if (result.status === 'accepted') return { accepted: { list, anchors: result }, problems: [] };
    const { reason, detail } = result;
    return {
      problems: [
        {
          part: 'list',
          reason,
          url: this.#options.listUrl,
          detail,
        },
      ],
    };
  }

  async #fetchParts<Value>(kind: PartKind<Value>, urls: readonly string[]): Promise<FetchedParts<Value>> {
    const { signal } = this.#closing;
    const parts = await Promise.all(urls.map((url) => this.#fetch(kind, url, { signal })));
    return {
      fetched: parts.filter((part) => part.status === 'read'),
      problems: parts.flatMap((part, at) => {
        if (part.status === 'read') return [];
        const { reason, detail } = problemOf(part);
        return [
          {
            part: kind.part,
            reason,
            url: urls[at],
            detail,
          } as TrustStoreProblem,
        ];
      }),
    };
  }
}

const CLOSED: TrustStoreRefreshOutcome = { status: 'closed', problems: [] };

const NO_TIME: TrustStoreProblem = { part: 'clock', reason: 'no-time', detail: 'the clock gives no time' };

function checkOptions({ listUrl, crlUrls = [], stiPaRoots, allow, intervalMs }: TrustStoreRefreshOptions): void {
  const wrong = (message: string): HopbackError => new HopbackError('invalid-argument', message);
  const checkUrl = (url: string, schemes: readonly ('https' | 'http')[]): void => {
    const checked = checkUrlText(url, { schemes, ...(allow && { allow }) });
    if (checked.status === 'refused')
      throw wrong(`${url.slice(0, 200)} is not fetched: ${checked.reason} (${checked.detail})`);
  };
  checkUrl(listUrl, ['https']);
  for (const url of crlUrls) checkUrl(url, SCHEMES);
  if (crlUrls.length > TRUST_STORE_MAX_CRL_URLS) throw wrong(`more than ${TRUST_STORE_MAX_CRL_URLS} CRL URLs`);
  if (stiPaRoots.length === 0) throw wrong('without a root of the policy administrator no list can be verified');
  if (intervalMs !== undefined && !(intervalMs >= TRUST_STORE_RETRY_MS && intervalMs <= TRUST_STORE_REFRESH_MAX_MS))
    throw wrong('intervalMs must be a minute to a day in milliseconds');
}

async function certificatesIn(given: readonly (Certificate | string)[]): Promise<readonly Certificate[]> {
  const read = given.map(async (one) => (typeof one === 'string' ? readCertificates([one]) : [one]));
  return (await Promise.all(read)).flat();
}

/** Where the CRLs whose signer is missing say that it is. */
function signerUrlsOf({ revocation }: TrustStore): readonly string[] {
  const urls = revocation.refused.flatMap(({ crl, reason }) =>
    reason === 'signer-not-found' || reason === 'signer-not-trusted' ? crl.caIssuers : [],
  );
  return [...new Set(urls)].slice(0, CRL_SIGNER_MAX_FETCHES);
}

/** Who signed the CRLs of a store. */
function signersOf(trustStore: TrustStore | undefined): readonly Certificate[] {
  return (trustStore?.revocation.crls ?? []).map(({ signer }) => signer);
}

function listAnchors({ jws, signerChain }: SignedList): TrustStoreMaterial['anchors'] {
  return { kind: 'sti-pa-list', jws, ...(signerChain && { signerChain }) };
}

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
      ? [
          {
            part: 'list',
            reason: 'expired',
            url,
            detail: `the list in use ended at ${timeText(source.expMs)}`,
          },
        ]
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

/** Marks the form of a record; a reader ignores others. */
const RECORD_FORMAT = 'hopback.sti-pa-list.1';

/** Most characters of a record: a list of 1 MiB, and the largest CRLs of the policy administrator and of a few CAs in base64. */
export const TRUST_STORE_RECORD_MAX_CHARS: number = 16 * 1024 * 1024;

/** Most CRLs, and most certificates of a kind, in a record. */
const RECORD_MAX_PARTS: number = REVOCATION_SET_MAX_CRLS;

/** The list in use as its signer signed it, with what it was verified by. Says what was published, not that it is trusted. */
interface SignedList {
  readonly jws: string;
  /** Where the list does not carry it. */
  readonly signerChain?: readonly Certificate[];
}

/** What a trust store was made of, to be kept over a restart. All of it is signed, and verified again when it is read. */
export interface TrustStoreRecord extends SignedList {
  readonly crls: readonly CertificateRevocationList[];
  /** Those that were fetched; those that were configured still are. */
  readonly crlSigners: readonly Certificate[];
}

/** Writes a record as JSON. */
export function writeTrustStoreRecord({ jws, signerChain, crls, crlSigners }: TrustStoreRecord): string {
  const base64 = (parts: readonly { readonly der: Uint8Array }[]): readonly string[] =>
    parts.map(({ der }) => Buffer.from(der).toString('base64'));
  const signer = signerChain && { signerChain: base64(signerChain) };
  return JSON.stringify({
    format: RECORD_FORMAT,
    jws,
    ...signer,
    crls: base64(crls),
    crlSigners: base64(crlSigners),
  });
}

/**
 * Reads a record, or `undefined` where any part of it is not what it should be. Checks form and bounds; signatures, ends and sequence are
 * for `verifyTrustStore`.
 */
export function readTrustStoreRecord(text: string): TrustStoreRecord | undefined {
  if (text.length > TRUST_STORE_RECORD_MAX_CHARS) return undefined;
  const fields = membersOf(attempt(() => JSON.parse(text) as unknown));
  const { format, jws } = fields;
  if (format !== RECORD_FORMAT || typeof jws !== 'string' || jws.length > STI_PA_LIST_MAX_CHARS) return undefined;
  const signerChain = fields['signerChain'] === undefined ? [] : readAll(fields['signerChain'], readCertificate);
  const crlSigners = readAll(fields['crlSigners'], readCertificate);
  const crls = readAll(fields['crls'], readCrl);
  if (signerChain === undefined || crlSigners === undefined || crls === undefined) return undefined;
  return {
    jws,
    ...(fields['signerChain'] !== undefined && { signerChain }),
    crls,
    crlSigners,
  };
}

function readCertificate(text: string): Certificate | undefined {
  const result = parseCertificate(Buffer.from(text, 'base64'));
  return result.status === 'parsed' ? result.certificate : undefined;
}

function readCrl(text: string): CertificateRevocationList | undefined {
  // Base64 takes four characters for three octets.
  if (text.length > CRL_MAX_BYTES * 1.5) return undefined;
  const result = parseCrl(Buffer.from(text, 'base64'));
  return result.status === 'parsed' ? result.crl : undefined;
}

/** All or nothing: a part that cannot be read is damage. */
function readAll<Part>(value: unknown, read: (text: string) => Part | undefined): readonly Part[] | undefined {
  if (!Array.isArray(value) || value.length > RECORD_MAX_PARTS) return undefined;
  const parts = value.map((text: unknown) => (typeof text === 'string' ? read(text) : undefined));
  const whole = parts.filter((part) => part !== undefined);
  return whole.length === parts.length ? whole : undefined;
}
