import { createHash, generateKeyPairSync } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Certificate } from '../../sdk/src/stir/certificates/certificate.js';
import { CertificateRepository } from '../../sdk/src/stir/certificates/certificate-repository.js';
import type { CertificateRepositoryOptions } from '../../sdk/src/stir/certificates/certificate-repository.js';
import type { CertificateLookup } from '../../sdk/src/stir/certificates/repository.js';
import type { BoundedFetchOptions, BoundedFetchResult } from '../../sdk/src/stir/certificates/bounded-fetch.js';
import { ManualClock } from '../../sdk/src/testing/index.js';

export const URL_1 = 'https://cert.example.com/1234.pem';
export const MINUTE = 60_000;
export const DAY = 86_400_000;

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

/** A certificate as far as a repository looks at it: its hash is the body's text. */
export function certificate(text: string, notAfterMs = Number.MAX_SAFE_INTEGER): Certificate {
  const name = { text, canonical: text, attributes: [] };
  return {
    der: new TextEncoder().encode(text),
    sha256: text,
    version: 3,
    serialNumber: '1',
    subject: name,
    issuer: name,
    notBeforeMs: 0,
    notAfterMs,
    publicKey,
    publicKeyType: 'EC P-256',
    signatureAlgorithm: '1.2.840.10045.4.3.2',
    isCa: false,
    certificatePolicies: [],
    crlDistributionPoints: [],
    caIssuers: [],
    extensions: [],
    unknownCriticalExtensions: [],
  };
}

export const fetched = (body: string, headers: Record<string, string> = {}): Answer => ({
  status: 'fetched',
  body: new TextEncoder().encode(body),
  headers,
  remoteAddress: '192.0.2.1',
});
export const NOT_MODIFIED: Answer = { status: 'not-modified', headers: {}, remoteAddress: '192.0.2.1' };
export const failed = (reason: 'timeout' | 'http-status' = 'timeout', retryAfter?: string): Answer => ({
  status: 'failed',
  reason,
  detail: reason,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

type WithoutUrl<Result> = Result extends unknown ? Omit<Result, 'url'> : never;
export type Answer = WithoutUrl<BoundedFetchResult>;
export interface Request {
  readonly url: string;
  readonly options: Partial<BoundedFetchOptions>;
  readonly answer: (answer: Answer) => void;
}

/** A repository whose network is the test: every fetch waits in `requests` until it is answered. */
export function laboratory(options: Partial<CertificateRepositoryOptions> = {}, automatic?: (url: string) => Answer) {
  const clock: ManualClock = new ManualClock();
  const requests: Request[] = [];
  const repository = new CertificateRepository({
    clock,
    // As long as it may be: the clock of these tests is the manual one.
    deadlineMs: 60_000,
    parseChain: (body) => {
      const text = typeof body === 'string' ? body : new TextDecoder().decode(body);
      if (text.startsWith('bad')) return { status: 'malformed', reason: 'not-pem', detail: text };
      const [leaf = '', until] = text.split(' until ');
      return {
        status: 'parsed',
        chain: [certificate(leaf, until === undefined ? undefined : Number(until)), certificate('intermediate')],
      };
    },
    fetch: (url, fetchOptions) =>
      new Promise((resolve) => {
        const abort = (): void => answer(failed());
        const answer = (given: Answer): void => {
          fetchOptions.signal?.removeEventListener('abort', abort);
          resolve({ ...given, url });
        };
        requests.push({ url, options: fetchOptions, answer });
        fetchOptions.signal?.addEventListener('abort', abort);
        if (automatic !== undefined) answer(automatic(url));
      }),
    ...options,
  });
  return { clock, repository, requests };
}

/** The same with one chain in its cache, fetched from `URL_1`. */
export async function warmLaboratory(
  { body = 'one', etag }: { readonly body?: string; readonly etag?: string } = {},
  options: Partial<CertificateRepositoryOptions> = {},
) {
  const made = laboratory(options);
  const cold = made.repository.lookup(URL_1);
  await settle();
  made.requests[0]?.answer(fetched(body, etag === undefined ? {} : { etag }));
  return { ...made, first: await cold };
}

/** Lets everything that needs no network proceed. */
export const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate();
};

export const leafOf = (lookup: CertificateLookup | undefined): string | undefined =>
  lookup?.status === 'found' ? lookup.chain[0]?.sha256 : lookup?.status;

/** An export of one chain. */
export function exportOf(fetchedAtMs: number, url: string, body: string): unknown {
  const digest = createHash('sha256').update(body).digest('hex');
  const entry = { format: 'hopback.certificate-chain.1', url, body, bodySha256: digest };
  const entries = [{ ...entry, fetchedAtMs, freshUntilMs: fetchedAtMs + DAY }];
  return { format: 'hopback.certificate-cache.1', exportedAtMs: fetchedAtMs, entries };
}
