import type { BoundedFetchOptions, BoundedFetchResult } from './bounded-fetch.js';
import type { Certificate } from './certificate.js';
import { CRL_MAX_BYTES, parseCrl } from './crl.js';
import type { CertificateRevocationList } from './crl.js';
import {
  CERTIFICATE_CHAIN_MAX_BYTES,
  CERTIFICATE_CHAIN_MAX_CERTIFICATES,
  parseCertificate,
  parseCertificateBody,
} from './parse-certificate.js';
import { REVOCATION_SET_MAX_CRLS } from './revocation.js';
import type { RevocationSet } from './revocation.js';
import { STI_PA_LIST_MAX_CHARS, stiPaListSignerUrl } from './sti-pa-list.js';
import { verifyTrustAnchors, verifyTrustStore } from './trust-store.js';
import type { TrustStore, TrustStoreMaterial, TrustStoreProblem, TrustStoreVerification } from './trust-store.js';
import { CERTIFICATE_CHAIN_TYPE } from './x5u-fetch.js';

/** One deadline of each fetch, milliseconds: no call waits for it, and a CRL may have 2 MB. */
export const TRUST_STORE_FETCH_DEADLINE_MS = 10_000;

/** Most CRL signers that are looked for in one refresh: the policy administrator's, and those of a few CAs. */
const CRL_SIGNER_MAX_FETCHES = 8;

/** How the parts of a trust store are fetched: with what, and with which connection, deadline and signal. */
export interface FetchSettings {
  readonly fetch: (url: string, options: BoundedFetchOptions) => Promise<BoundedFetchResult>;
  readonly request: Omit<BoundedFetchOptions, 'maxBytes' | 'accept' | 'schemes'>;
}

/** One part that was fetched and parsed, not verified; or the problem. */
type FetchedPart<Part> =
  { readonly url: string; readonly part: Part } | { readonly url: string; readonly problem: TrustStoreProblem };

const CHAIN_REQUEST = { maxBytes: CERTIFICATE_CHAIN_MAX_BYTES, accept: `${CERTIFICATE_CHAIN_TYPE}, */*;q=0.5` };

/** A CRL and a certificate may come over http: they are signed by who is known, and a distribution point is often http. */
const SCHEMES = ['https', 'http'] as const;

const REQUESTS: Readonly<Record<FetchedKind, BoundedFetchOptions>> = {
  list: { maxBytes: STI_PA_LIST_MAX_CHARS },
  'signer-chain': CHAIN_REQUEST,
  'crl-signer': { ...CHAIN_REQUEST, schemes: SCHEMES },
  crl: { maxBytes: CRL_MAX_BYTES, schemes: SCHEMES },
};

type FetchedKind = 'list' | 'signer-chain' | 'crl-signer' | 'crl';

/** Fetches one part and takes it apart. Never rejects. */
async function fetchPart<Part>(
  { settings, kind }: { readonly settings: FetchSettings; readonly kind: FetchedKind },
  url: string,
  read: (body: Uint8Array) => { readonly part: Part } | { readonly status: 'malformed'; readonly detail: string },
): Promise<FetchedPart<Part>> {
  const fetched = await fetchSafely(settings, url, REQUESTS[kind]);
  if (fetched.status === 'fetched') {
    const parsed = read(fetched.body);
    if ('part' in parsed) return { url, part: parsed.part };
    const problem = { part: kind, reason: 'body-malformed', url, detail: parsed.detail } as TrustStoreProblem;
    return { url, problem };
  }
  // Nothing was asked for conditionally; should a stand-in say so, it has brought nothing.
  const { reason, detail } =
    fetched.status === 'not-modified' ? ({ reason: 'http-status', detail: 'HTTP 304' } as const) : fetched;
  return { url, problem: { part: kind, reason, url, detail } as TrustStoreProblem };
}

/** Fetches the certificates of a signer: of the list, by its `x5u`, or of a CRL, by its AuthorityInfoAccess. */
function fetchSigner(
  settings: FetchSettings,
  url: string,
  kind: 'signer-chain' | 'crl-signer',
): Promise<FetchedPart<readonly Certificate[]>> {
  return fetchPart({ settings, kind }, url, (body) => {
    const limits = { maxBytes: CERTIFICATE_CHAIN_MAX_BYTES, maxCertificates: CERTIFICATE_CHAIN_MAX_CERTIFICATES };
    const parsed = parseCertificateBody(body, limits);
    return parsed.status === 'parsed' ? { part: parsed.chain } : parsed;
  });
}

function fetchCrl(settings: FetchSettings, url: string): Promise<FetchedPart<CertificateRevocationList>> {
  return fetchPart({ settings, kind: 'crl' }, url, (body) => {
    const parsed = parseCrl(body);
    return parsed.status === 'parsed' ? { part: parsed.crl } : parsed;
  });
}

/** The parts that came, and what became of the others. */
function sortParts<Part>(parts: readonly FetchedPart<Part>[]) {
  return {
    fetched: parts.filter((part) => 'part' in part),
    problems: parts.flatMap((part) => ('problem' in part ? [part.problem] : [])),
  };
}

/** Ours neither rejects nor throws; a stand-in that does has failed like every other fetch. */
async function fetchSafely(
  { fetch, request }: FetchSettings,
  url: string,
  part: BoundedFetchOptions,
): Promise<BoundedFetchResult> {
  try {
    const result: unknown = await fetch(url, { ...request, ...part });
    return isResult(result) ? result : { status: 'failed', url, reason: 'connect-failed', detail: 'no result' };
  } catch (error) {
    const detail = error instanceof Error ? error.message.slice(0, 200) : 'unknown error';
    return { status: 'failed', url, reason: 'connect-failed', detail };
  }
}

function isResult(result: unknown): result is BoundedFetchResult {
  if (typeof result !== 'object' || result === null || !('status' in result)) return false;
  if (result.status === 'fetched') return 'body' in result && result.body instanceof Uint8Array;
  return result.status === 'refused' || result.status === 'failed' || result.status === 'not-modified';
}

/** Marks the form of a record; a reader ignores others. */
const RECORD_FORMAT = 'hopback.sti-pa-list.1';

/** Most characters of a record: a list of 1 MiB, and the largest CRLs of the policy administrator and of a few CAs in base64. */
export const TRUST_STORE_RECORD_MAX_CHARS: number = 16 * 1024 * 1024;

/** Most certificates of a kind in a record. */
const RECORD_MAX_CERTIFICATES = 64;

/** The list in use as its signer signed it, with what it was verified by. Says what was published, not that it is trusted. */
export interface SignedList {
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
  return JSON.stringify({
    format: RECORD_FORMAT,
    jws,
    ...(signerChain && { signerChain: signerChain.map(base64Of) }),
    crls: crls.map(base64Of),
    crlSigners: crlSigners.map(base64Of),
  });
}

/**
 * Reads a record. Checks form and bounds; signatures, ends and sequence are for `verifyTrustStore`. Never throws.
 * @param text - a file, at most {@link TRUST_STORE_RECORD_MAX_CHARS}
 * @returns the record, or `undefined` where any part of it is not what it should be
 */
export function readTrustStoreRecord(text: string): TrustStoreRecord | undefined {
  const value = text.length > TRUST_STORE_RECORD_MAX_CHARS ? undefined : parsedJson(text);
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<keyof TrustStoreRecord | 'format', unknown>;
  if (fields.format !== RECORD_FORMAT || typeof fields.jws !== 'string') return undefined;
  if (fields.jws.length > STI_PA_LIST_MAX_CHARS) return undefined;
  const signerChain = fields.signerChain === undefined ? undefined : readCertificates(fields.signerChain);
  const crlSigners = readCertificates(fields.crlSigners);
  const crls = readAll(fields.crls, REVOCATION_SET_MAX_CRLS, readCrl);
  if (crlSigners === undefined || crls === undefined) return undefined;
  if (fields.signerChain !== undefined && signerChain === undefined) return undefined;
  return { jws: fields.jws, ...(signerChain && { signerChain }), crls, crlSigners };
}

function base64Of({ der }: { readonly der: Uint8Array }): string {
  return Buffer.from(der).toString('base64');
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function readCertificates(value: unknown): readonly Certificate[] | undefined {
  return readAll(value, RECORD_MAX_CERTIFICATES, (text) => {
    const result = parseCertificate(Buffer.from(text, 'base64'));
    return result.status === 'parsed' ? result.certificate : undefined;
  });
}

function readCrl(text: string): CertificateRevocationList | undefined {
  // Base64 takes four characters for three octets.
  if (text.length > CRL_MAX_BYTES * 1.5) return undefined;
  const result = parseCrl(Buffer.from(text, 'base64'));
  return result.status === 'parsed' ? result.crl : undefined;
}

/** All or nothing: a part that cannot be read is damage. */
function readAll<Part>(
  value: unknown,
  most: number,
  read: (text: string) => Part | undefined,
): readonly Part[] | undefined {
  if (!Array.isArray(value) || value.length > most) return undefined;
  const parts = value.map((text: unknown) => (typeof text === 'string' ? read(text) : undefined));
  const whole = parts.filter((part) => part !== undefined);
  return whole.length === parts.length ? whole : undefined;
}

/** Where the parts of a trust store come from, and what they are verified by. */
export interface TrustStoreOrigin {
  readonly listUrl: string;
  readonly crlUrls: readonly string[];
  readonly stiPaRoots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly crlSigners: readonly Certificate[];
}

/** What a renewal starts from. */
interface RenewalContext {
  readonly settings: FetchSettings;
  readonly atMs: number;
  /** The store in use. */
  readonly previous: TrustStore | undefined;
  /** Signers of CRLs that were fetched before, by URL. */
  readonly foundSigners: FoundSigners;
}

/** Certificates by the URL that they were found at. */
export type FoundSigners = ReadonlyMap<string, readonly Certificate[]>;

/** What was made of what was there. */
interface Renewal {
  /** Undefined where there is no list, new or in use. */
  readonly trustStore: TrustStore | undefined;
  /** The list that was fetched and accepted; undefined where the one in use stays. */
  readonly list: SignedList | undefined;
  readonly foundSigners: FoundSigners;
  readonly problems: readonly TrustStoreProblem[];
}

/**
 * Fetches list and CRLs and makes a store of what is good. A list that is not leaves the one in use, beside which new CRLs still count;
 * a CRL that is not leaves the one in use. Never rejects.
 */
export async function renewTrustStore(origin: TrustStoreOrigin, context: RenewalContext): Promise<Renewal> {
  const { settings } = context;
  const [list, crls] = await Promise.all([
    fetchSignedList(origin, context),
    Promise.all(origin.crlUrls.map((url) => fetchCrl(settings, url))).then(sortParts),
  ]);
  const first = await renewalFrom(list, crls, origin, context);
  if (list.accepted === undefined || first.trustStore === undefined) return first;
  // The list came beside the CRLs, and only with these is it known whether its signer is revoked.
  const judged = await judgeList(list.accepted.list, origin, context, first.trustStore.revocation);
  if (judged.accepted !== undefined) return first;
  return renewalFrom(judged, crls, origin, { ...context, foundSigners: first.foundSigners });
}

async function renewalFrom(
  list: FetchedList,
  crls: FetchedCrls,
  origin: TrustStoreOrigin,
  context: RenewalContext,
): Promise<Renewal> {
  const { previous, foundSigners } = context;
  const problems = [...list.problems, ...crls.problems];
  const anchors = list.accepted?.anchors ?? anchorsOf(previous);
  if (anchors === undefined) return { trustStore: undefined, list: undefined, foundSigners, problems };
  const made = await withCrlSigners({ anchors, crls: crls.fetched.map(({ part }) => part) }, origin, context);
  const urls = new Map(crls.fetched.map(({ url, part }) => [part.sha256, url]));
  return {
    trustStore: made.trustStore,
    list: list.accepted?.list,
    foundSigners: made.foundSigners,
    problems: [...problems, ...made.problems, ...refusedCrls(made.trustStore, urls)],
  };
}

/** Makes a store of what a cache holds, every part of it verified as if it had been fetched now. Never rejects. */
export function restoreTrustStore(
  origin: TrustStoreOrigin,
  record: TrustStoreRecord,
  context: Pick<RenewalContext, 'atMs' | 'previous'>,
): Promise<TrustStoreVerification> {
  const { stiPaRoots, intermediates } = origin;
  const { crls } = record;
  const crlSigners = [...origin.crlSigners, ...record.crlSigners];
  return verifyTrustStore(
    {
      anchors: listAnchors(record),
      stiPaRoots,
      intermediates,
      crls,
      crlSigners,
    },
    context,
  );
}

type FetchedCrls = ReturnType<typeof sortParts<CertificateRevocationList>>;

interface FetchedList {
  readonly accepted?: { readonly list: SignedList; readonly anchors: TrustStoreMaterial['anchors'] };
  readonly problems: readonly TrustStoreProblem[];
}

/** The list with what it verifies by. Its signer's chain is fetched only where it does not carry it. @see RFC 7515 section 4.1.5 */
async function fetchSignedList(origin: TrustStoreOrigin, context: RenewalContext): Promise<FetchedList> {
  const { settings } = context;
  const fetched = await fetchPart({ settings, kind: 'list' }, origin.listUrl, (body) => ({
    part: Buffer.from(body).toString('latin1'),
  }));
  if ('problem' in fetched) return { problems: [fetched.problem] };
  const jws = fetched.part;
  const first = await judgeList({ jws }, origin, context);
  const signerUrl = stiPaListSignerUrl(jws);
  if (signerUrl === undefined || first.problems[0]?.reason !== 'signer-missing') return first;
  const chain = await fetchSigner(settings, signerUrl, 'signer-chain');
  if ('problem' in chain) return { problems: [chain.problem] };
  return judgeList({ jws, signerChain: chain.part }, origin, context);
}

async function judgeList(
  list: SignedList,
  { listUrl, stiPaRoots }: TrustStoreOrigin,
  { atMs, previous }: RenewalContext,
  revocation: RevocationSet | undefined = previous?.revocation,
): Promise<FetchedList> {
  const result = await verifyTrustAnchors({ anchors: listAnchors(list), stiPaRoots }, { atMs, previous, revocation });
  if (result.status === 'accepted') {
    const { anchors, source } = result;
    return { accepted: { list, anchors: { kind: 'certificates', certificates: anchors, source } }, problems: [] };
  }
  const { reason, detail } = result;
  return { problems: [{ part: 'list', reason, url: listUrl, detail }] };
}

/** Makes the store; where a CRL has a signer that nobody knows, fetches it and makes the store again. @see RFC 5280 section 5.2.7 */
async function withCrlSigners(
  parts: Pick<TrustStoreMaterial, 'anchors' | 'crls'>,
  origin: TrustStoreOrigin,
  context: RenewalContext,
): Promise<Pick<Renewal, 'trustStore' | 'foundSigners' | 'problems'>> {
  const { settings, previous, foundSigners } = context;
  const make = async (found: FoundSigners): Promise<TrustStore | undefined> => {
    // The signers of CRLs in use stay known, whatever becomes of where they were found.
    const crlSigners = [...origin.crlSigners, ...signersOf(previous), ...[...found.values()].flat()];
    const { stiPaRoots, intermediates } = origin;
    const result = await verifyTrustStore({ ...parts, stiPaRoots, intermediates, crlSigners }, context);
    return result.status === 'accepted' ? result.trustStore : undefined;
  };
  const first = await make(foundSigners);
  const wanted = signerUrlsOf(first);
  if (wanted.length === 0) return { trustStore: first, foundSigners, problems: [] };
  const { fetched, problems } = sortParts(
    await Promise.all(wanted.map((url) => fetchSigner(settings, url, 'crl-signer'))),
  );
  const news = fetched.map(({ url, part }) => [url, part] as const);
  const found = new Map([...foundSigners, ...news].slice(-FOUND_SIGNERS_MAX_URLS));
  return { trustStore: await make(found), foundSigners: found, problems };
}

/** Most URLs whose certificates are remembered: those of two refreshes in full. */
const FOUND_SIGNERS_MAX_URLS: number = CRL_SIGNER_MAX_FETCHES * 2;

/** Where the CRLs whose signer is missing say that it is. */
function signerUrlsOf(trustStore: TrustStore | undefined): readonly string[] {
  const urls = (trustStore?.revocation.refused ?? []).flatMap(({ crl, reason }) =>
    reason === 'signer-not-found' || reason === 'signer-not-trusted' ? crl.caIssuers : [],
  );
  return [...new Set(urls)].slice(0, CRL_SIGNER_MAX_FETCHES);
}

/** Who signed the CRLs of a store. */
export function signersOf(trustStore: TrustStore | undefined): readonly Certificate[] {
  return (trustStore?.revocation.crls ?? []).map(({ signer }) => signer);
}

function listAnchors({ jws, signerChain }: SignedList): TrustStoreMaterial['anchors'] {
  return { kind: 'sti-pa-list', jws, ...(signerChain && { signerChain }) };
}

/** The anchors in use were verified when they came. */
function anchorsOf(previous: TrustStore | undefined): TrustStoreMaterial['anchors'] | undefined {
  if (previous === undefined) return undefined;
  return { kind: 'certificates', certificates: previous.anchors, source: previous.source };
}

function refusedCrls(
  trustStore: TrustStore | undefined,
  urls: ReadonlyMap<string, string>,
): readonly TrustStoreProblem[] {
  return (trustStore?.revocation.refused ?? []).map(({ crl, reason, detail }) => {
    const url = urls.get(crl.sha256);
    return { part: 'crl', reason, detail, ...(url !== undefined && { url }) };
  });
}
