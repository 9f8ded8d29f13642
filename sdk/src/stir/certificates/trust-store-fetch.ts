import type { ConnectionOptions } from './bounded-connection.js';
import type { BoundedFetchOptions, BoundedFetchResult } from './bounded-fetch.js';
import { parseCertificateBody } from './certificate-body.js';
import type { Certificate } from './certificate.js';
import { CRL_MAX_BYTES, parseCrl } from './crl.js';
import type { CertificateRevocationList } from './crl.js';
import { CERTIFICATE_CHAIN_MAX_BYTES, CERTIFICATE_CHAIN_MAX_CERTIFICATES } from './parse-certificate.js';
import { STI_PA_LIST_MAX_CHARS } from './sti-pa-list.js';
import type { TrustStoreProblem } from './trust-store-problem.js';
import { CERTIFICATE_CHAIN_TYPE } from './x5u-fetch.js';
import type { UrlTextRules } from './x5u-url-policy.js';

/** One deadline of each fetch, milliseconds: no call waits for it, and a CRL may have 2 MB. */
export const TRUST_STORE_FETCH_DEADLINE_MS = 10_000;

/** Most CRL signers that are looked for in one refresh: the policy administrator's, and those of a few CAs. */
export const CRL_SIGNER_MAX_FETCHES = 8;

/** A CRL and a certificate may come over http: they are signed by who is known, and a distribution point is often http. */
const SIGNED_OBJECT_RULES: UrlTextRules = { schemes: ['https', 'http'] };

/** `fetchBounded`, or a stand-in. */
export type BoundedFetch = (url: string, options: BoundedFetchOptions) => Promise<BoundedFetchResult>;

/** How the parts of a trust store are fetched. */
export interface FetchSettings {
  readonly fetch: BoundedFetch;
  readonly connection: Pick<ConnectionOptions, 'allow' | 'lookup' | 'ca'>;
  readonly deadlineMs: number;
  /** Ends every fetch. */
  readonly signal: AbortSignal;
}

/** One part that was fetched and parsed, not verified; or the problem. */
export type FetchedPart<Part> =
  | { readonly status: 'fetched'; readonly url: string; readonly part: Part }
  | { readonly status: 'problem'; readonly problem: TrustStoreProblem };

/** Fetches the signed list. Never rejects. */
export async function fetchList(settings: FetchSettings, url: string): Promise<FetchedPart<string>> {
  const fetched = await fetchSafely(settings, url, { maxBytes: STI_PA_LIST_MAX_CHARS });
  if (fetched.status !== 'fetched') return { status: 'problem', problem: { part: 'list', ...problemOf(fetched) } };
  return { status: 'fetched', url, part: Buffer.from(fetched.body).toString('latin1') };
}

/** Fetches the certificates of a signer: of the list, by its `x5u`, or of a CRL, by its AuthorityInfoAccess. Never rejects. */
export async function fetchSigner(
  settings: FetchSettings,
  url: string,
  part: 'signer-chain' | 'crl-signer',
): Promise<FetchedPart<readonly Certificate[]>> {
  const fetched = await fetchSafely(settings, url, {
    maxBytes: CERTIFICATE_CHAIN_MAX_BYTES,
    accept: `${CERTIFICATE_CHAIN_TYPE}, */*;q=0.5`,
    ...(part === 'crl-signer' && SIGNED_OBJECT_RULES),
  });
  if (fetched.status !== 'fetched') return { status: 'problem', problem: { part, ...problemOf(fetched) } };
  const parsed = parseCertificateBody(fetched.body, {
    maxBytes: CERTIFICATE_CHAIN_MAX_BYTES,
    maxCertificates: CERTIFICATE_CHAIN_MAX_CERTIFICATES,
  });
  if (parsed.status === 'parsed') return { status: 'fetched', url, part: parsed.chain };
  return { status: 'problem', problem: { part, reason: 'body-malformed', url, detail: parsed.detail } };
}

/** Fetches one CRL. Never rejects. */
export async function fetchCrl(settings: FetchSettings, url: string): Promise<FetchedPart<CertificateRevocationList>> {
  const fetched = await fetchSafely(settings, url, { maxBytes: CRL_MAX_BYTES, ...SIGNED_OBJECT_RULES });
  if (fetched.status !== 'fetched') return { status: 'problem', problem: { part: 'crl', ...problemOf(fetched) } };
  const parsed = parseCrl(fetched.body);
  if (parsed.status === 'parsed') return { status: 'fetched', url, part: parsed.crl };
  return { status: 'problem', problem: { part: 'crl', reason: 'body-malformed', url, detail: parsed.detail } };
}

/** The parts that came, and what became of the others. */
export function sortParts<Part>(parts: readonly FetchedPart<Part>[]): {
  readonly fetched: readonly { readonly url: string; readonly part: Part }[];
  readonly problems: readonly TrustStoreProblem[];
} {
  return {
    fetched: parts.filter((part) => part.status === 'fetched'),
    problems: parts.flatMap((part) => (part.status === 'problem' ? [part.problem] : [])),
  };
}

/** Ours neither rejects nor throws; a stand-in that does has failed like every other fetch. */
async function fetchSafely(
  { fetch, connection, deadlineMs, signal }: FetchSettings,
  url: string,
  request: BoundedFetchOptions,
): Promise<BoundedFetchResult> {
  try {
    const result: unknown = await fetch(url, { ...connection, ...request, deadlineMs, signal });
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

type FetchProblem = Pick<BoundedFetchResult & { readonly status: 'refused' | 'failed' }, 'reason' | 'url' | 'detail'>;

function problemOf(result: Exclude<BoundedFetchResult, { readonly status: 'fetched' }>): FetchProblem {
  const { url } = result;
  // Nothing was asked for conditionally; should a stand-in say so, it has brought nothing.
  if (result.status === 'not-modified') return { reason: 'http-status', url, detail: 'HTTP 304' };
  return { reason: result.reason, url, detail: result.detail };
}
