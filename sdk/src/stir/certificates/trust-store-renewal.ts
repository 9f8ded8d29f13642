import type { Certificate } from './certificate.js';
import type { CertificateRevocationList } from './crl.js';
import type { RevocationSet } from './revocation.js';
import { stiPaListSignerUrl } from './sti-pa-list.js';
import { CRL_SIGNER_MAX_FETCHES, fetchCrl, fetchList, fetchSigner, sortParts } from './trust-store-fetch.js';
import type { FetchSettings } from './trust-store-fetch.js';
import { verifyTrustAnchors, verifyTrustStore } from './trust-store-material.js';
import type { TrustStoreMaterial, TrustStoreVerification } from './trust-store-material.js';
import type { TrustStoreProblem } from './trust-store-problem.js';
import type { SignedList, TrustStoreRecord } from './trust-store-record.js';
import type { TrustStore } from './trust-store.js';

/** Where the parts of a trust store come from, and what they are verified by. */
export interface TrustStoreOrigin {
  readonly listUrl: string;
  readonly crlUrls: readonly string[];
  readonly stiPaRoots: readonly Certificate[];
  readonly intermediates: readonly Certificate[];
  readonly crlSigners: readonly Certificate[];
}

/** What a renewal starts from. */
export interface RenewalContext {
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
export interface Renewal {
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
  return verifyTrustStore({ anchors: listAnchors(record), stiPaRoots, intermediates, crls, crlSigners }, context);
}

type FetchedCrls = ReturnType<typeof sortParts<CertificateRevocationList>>;

interface FetchedList {
  readonly accepted?: { readonly list: SignedList; readonly anchors: TrustStoreMaterial['anchors'] };
  readonly problems: readonly TrustStoreProblem[];
}

/** The list with what it verifies by. Its signer's chain is fetched only where it does not carry it. @see RFC 7515 section 4.1.5 */
async function fetchSignedList(origin: TrustStoreOrigin, context: RenewalContext): Promise<FetchedList> {
  const { settings } = context;
  const fetched = await fetchList(settings, origin.listUrl);
  if (fetched.status === 'problem') return { problems: [fetched.problem] };
  const jws = fetched.part;
  const first = await judgeList({ jws }, origin, context);
  const signerUrl = stiPaListSignerUrl(jws);
  if (signerUrl === undefined || first.problems[0]?.reason !== 'signer-missing') return first;
  const chain = await fetchSigner(settings, signerUrl, 'signer-chain');
  if (chain.status === 'problem') return { problems: [chain.problem] };
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
