import type { IncomingHttpHeaders } from 'node:http';
import type { SecureContext } from 'node:tls';
import { defined } from '../../core/text.js';
import { HopbackError } from '../../errors.js';
import { errorMessage, fetchBounded, webServerContext } from './bounded-fetch.js';
import type { BoundedFetchOptions, BoundedFetchResult } from './bounded-fetch.js';
import {
  CERTIFICATE_CHAIN_MAX_BYTES,
  CERTIFICATE_CHAIN_MAX_CERTIFICATES,
  parseCertificateBody,
} from './parse-certificate.js';
import type { Certificate } from './certificate.js';
import { parseNetworkSet } from './x5u-url-policy.js';

// Certificate chains (x5u), the list of STI-CAs, its signer, CRLs and their signers come in the same way: by one bounded GET under the
// URL and address policy, read by the parser of their kind, kept in a file over a restart, and asked for again after a wait. A kind is
// its limits and its parser; what is trusted, and what replaces what, is decided by the certificate repository and the trust store.

/** A kind of resource: the limits of its request, and how its body is read. */
export interface ResourceKind<Value> {
  readonly limits: Pick<BoundedFetchOptions, 'maxBytes' | 'accept' | 'schemes'>;
  readonly read: (body: Uint8Array) => { readonly value: Value } | { readonly detail: string };
}

/** What differs between two requests for one kind. */
export type ResourceRequest = Pick<BoundedFetchOptions, 'validators' | 'noCache' | 'signal'>;

/** A resource that was fetched and read, not verified, or why there is none. */
export type FetchedResource<Value> =
  | {
      readonly status: 'read';
      readonly url: string;
      readonly value: Value;
      readonly headers: IncomingHttpHeaders;
    }
  | Exclude<BoundedFetchResult, { readonly status: 'fetched' }>;

/** Why there is no resource. */
export type ResourceProblem = BoundedFetchResult & { readonly status: 'refused' | 'failed' };

/** Fetches one resource. Never rejects. */
export type ResourceFetcher = <Value>(
  kind: ResourceKind<Value>,
  url: string,
  request: ResourceRequest,
) => Promise<FetchedResource<Value>>;

/**
 * Checks the settings that all kinds share, and makes the fetcher.
 * @throws {@link HopbackError} `invalid-argument` when the deadline or an allowed network makes no sense
 */
export function resourceFetcher(
  settings: Pick<BoundedFetchOptions, 'allow' | 'ca'> & {
    readonly lookup?: BoundedFetchOptions['lookup'];
    readonly deadlineMs: number;
    readonly fetch?: (url: string, options: BoundedFetchOptions) => Promise<BoundedFetchResult>;
  },
): ResourceFetcher {
  const { allow, lookup, ca, deadlineMs } = settings;
  const networks = parseNetworkSet(allow?.addresses ?? []);
  if (networks.status === 'malformed')
    throw new HopbackError('invalid-argument', `allow.addresses: ${networks.cidr} is no address or network`);
  if (!(deadlineMs >= 1 && deadlineMs <= 60_000))
    throw new HopbackError('invalid-argument', 'deadlineMs must be 1 to 60,000 milliseconds');
  const connection = defined({
    allow,
    lookup,
    ca,
    deadlineMs,
  });
  const { fetch = fetchInOneContext(ca) } = settings;
  return async ({ limits, read }, url, request) => {
    try {
      const fetched: unknown = await fetch(url, { ...connection, ...limits, ...request });
      if (!isResult(fetched)) return failed(url, 'connect-failed', 'no result');
      if (fetched.status !== 'fetched') return fetched;
      const parsed = read(fetched.body);
      if (!('value' in parsed)) return failed(url, 'body-malformed', parsed.detail.slice(0, 300));
      return {
        status: 'read',
        url,
        value: parsed.value,
        headers: fetched.headers,
      };
    } catch (error) {
      // Ours neither rejects nor throws; a stand-in that does has failed like every other fetch.
      return failed(url, 'connect-failed', errorMessage(error));
    }
  };
}

/** Nothing was asked for conditionally; should a stand-in say "not modified" all the same, it has brought nothing. */
export function problemOf<Value>(
  fetched: Exclude<FetchedResource<Value>, { readonly status: 'read' }>,
): ResourceProblem {
  return fetched.status === 'not-modified' ? failed(fetched.url, 'http-status', 'HTTP 304') : fetched;
}

/** With TLS settings that are made once, at the first fetch. */
function fetchInOneContext(ca: BoundedFetchOptions['ca']): typeof fetchBounded {
  let secureContext: SecureContext | undefined;
  return (url, options) => {
    secureContext ??= webServerContext(ca);
    return fetchBounded(url, { ...options, secureContext });
  };
}

function isResult(result: unknown): result is BoundedFetchResult {
  if (typeof result !== 'object' || result === null || !('status' in result)) return false;
  if (result.status === 'fetched') return 'body' in result && result.body instanceof Uint8Array;
  return result.status === 'refused' || result.status === 'failed' || result.status === 'not-modified';
}

function failed(
  url: string,
  reason: 'connect-failed' | 'body-malformed' | 'http-status',
  detail: string,
): ResourceProblem {
  return {
    status: 'failed',
    url,
    reason,
    detail,
  };
}

/** Media type of a certificate chain. @see RFC 8555 section 9.1, ATIS-1000074 */
export const CERTIFICATE_CHAIN_TYPE = 'application/pem-certificate-chain';

/** Limits of every request for certificates. Another content type is accepted, since many repositories send one. */
export const CERTIFICATE_CHAIN_LIMITS = {
  maxBytes: CERTIFICATE_CHAIN_MAX_BYTES,
  accept: `${CERTIFICATE_CHAIN_TYPE}, */*;q=0.5`,
} as const;

/** Certificates of the signer of a list or CRL: PEM with one or more, or bare DER with one. */
export const SIGNER_CERTIFICATES: ResourceKind<readonly Certificate[]> = {
  limits: CERTIFICATE_CHAIN_LIMITS,
  read: (body) => {
    const limits = {
      maxBytes: CERTIFICATE_CHAIN_MAX_BYTES,
      maxCertificates: CERTIFICATE_CHAIN_MAX_CERTIFICATES,
    };
    const parsed = parseCertificateBody(body, limits);
    return parsed.status === 'parsed' ? { value: parsed.chain } : parsed;
  },
};
