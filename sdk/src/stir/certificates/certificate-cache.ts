import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import CachePolicy from 'http-cache-semantics';
import { attempt, backoffBoundMs } from '../../core/runtime/deadline.js';
import type { Backoff } from '../../core/runtime/deadline.js';
import { membersOf } from '../../core/text.js';
import type { BoundedFetchOptions } from './bounded-fetch.js';
import { writePemBlock } from './certificate.js';
import type { Certificate } from './certificate.js';
import { CERTIFICATE_CHAIN_TYPE } from './fetched-resource.js';
import { CERTIFICATE_CHAIN_MAX_BYTES } from './parse-certificate.js';
import type { CachedChainEnvelope, FoundChain } from './repository.js';
import { MAX_X5U_LENGTH } from './x5u-url-policy.js';

// One certificate chain in a cache: how long it is good, when it may be asked for again, and how it is written down.

/** What a cached copy is compared by. */
type CacheValidators = NonNullable<BoundedFetchOptions['validators']>;

/** One chain in memory and when it may be asked for again. */
export interface CachedChain {
  /** Handed out as it is: the same object until the entry changes. */
  readonly lookup: FoundChain;
  readonly validators: CacheValidators;
  /** Not before this is the URL revalidated again, milliseconds since the epoch. */
  readonly nextRevalidationMs: number;
  /** Not before this is it fetched without validators, past every cache; milliseconds since the epoch. */
  readonly nextReloadMs: number;
  /** Revalidations in a row that failed, or brought a chain that was out of date when it came. */
  readonly revalidationFailures: number;
}

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

/** Longest wait between fetches of a URL that fails, milliseconds: a repaired server is noticed within ten minutes. */
export const MAX_RETRY_MS = 600_000;

const RETRY_WAITS: Backoff = { baseMs: 1_000, capMs: MAX_RETRY_MS };

/** From a minute on: forged signatures must not become a stream of fetches. */
const REVALIDATION_WAITS: Backoff = { baseMs: 60_000, capMs: 3_600_000 };

/** As a repaired server, a renewed certificate is noticed within ten minutes. */
const OUT_OF_DATE_WAITS: Backoff = { baseMs: 60_000, capMs: MAX_RETRY_MS };

/**
 * Until when a fetched chain is fresh: the lifetime of RFC 9111, but at least 24 hours and at most seven days, and never past the
 * end-entity certificate's notAfter. It is not after `fetchedAtMs` where the certificate has expired. Never throws for peer input.
 * @see RFC 9111 section 4.2, ATIS-1000074
 */
export function freshUntil(input: {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly fetchedAtMs: number;
  readonly notAfterMs: number;
}): number {
  const directed = directedLifetimeMs(input.headers, input.fetchedAtMs);
  return boundFreshUntil(input.fetchedAtMs + Math.max(directed, MIN_FRESH_MS), input);
}

/** Bounds a fresh-until that comes from a file or an import in the same way. */
export function boundFreshUntil(
  freshUntilMs: number,
  bounds: { readonly fetchedAtMs: number; readonly notAfterMs: number },
): number {
  return Math.min(freshUntilMs, bounds.fetchedAtMs + MAX_FRESH_MS, bounds.notAfterMs);
}

/** The lifetime that the response's own directives give it, less the age it came with. */
function directedLifetimeMs(headers: Parameters<typeof freshUntil>[0]['headers'], fetchedAtMs: number): number {
  const { age: ageText, date: dateText } = headers;
  const age = typeof ageText === 'string' && /^\d{1,10}$/.test(ageText) ? Number(ageText) : 0;
  // With a Date the policy reads no clock of its own; a missing or senseless one is replaced by ours.
  const isDate = typeof dateText === 'string' && Number.isFinite(Date.parse(dateText));
  const date = isDate ? dateText : new Date(fetchedAtMs).toUTCString();
  // No guess from Last-Modified: without a directive the lifetime is the 24 hours of the profile.
  const lifetimeMs = attempt(() => {
    const response = { status: 200, headers: { ...headers, date } };
    const policy = new CachePolicy({ method: 'GET', headers: {} }, response, { cacheHeuristic: 0 });
    return (policy.maxAge() - age) * 1_000;
  });
  return lifetimeMs !== undefined && Number.isFinite(lifetimeMs) ? lifetimeMs : 0;
}

/**
 * Until when a chain is served although it is stale: {@link MAX_STALE_MS} longer, and at least {@link MIN_FRESH_MS} after it was
 * fetched. A file server that still publishes an expired certificate is thus not asked at every call: that the
 * certificate has expired is for the path check to say.
 */
export function servedUntil(chain: { readonly fetchedAtMs: number; readonly freshUntilMs: number }): number {
  return Math.max(chain.freshUntilMs + MAX_STALE_MS, chain.fetchedAtMs + MIN_FRESH_MS);
}

/** How an entry stands at an instant: as fresh, as stale but still served, or as too old to be served. */
export function standingOf(entry: CachedChain, nowMs: number): 'fresh' | 'stale' | 'expired' {
  if (nowMs < entry.lookup.freshUntilMs) return 'fresh';
  return nowMs < servedUntil(entry.lookup) ? 'stale' : 'expired';
}

/**
 * How long nobody asks again after so many failures in a row. `Retry-After`, in seconds or as a date, can lengthen the wait up to
 * {@link MAX_RETRY_MS}.
 * @see RFC 9110 section 10.2.3
 */
export function retryDelayMs(failures: number, retryAfter: string | undefined, nowMs: number): number {
  return Math.min(Math.max(backoffBoundMs(failures, RETRY_WAITS), retryAfterMs(retryAfter, nowMs)), MAX_RETRY_MS);
}

function retryAfterMs(retryAfter: string | undefined, nowMs: number): number {
  if (retryAfter === undefined) return 0;
  if (/^\d{1,10}$/.test(retryAfter)) return Number(retryAfter) * 1_000;
  const date = retryAfter.length <= 40 ? Date.parse(retryAfter) : Number.NaN;
  return Number.isFinite(date) ? Math.max(0, date - nowMs) : 0;
}

/** How long until a chain may be revalidated again, after so many revalidations in a row that failed; 0 after a good one. */
export function revalidationDelayMs(failures: number): number {
  return backoffBoundMs(failures, REVALIDATION_WAITS);
}

/** How long until a URL is asked again whose chain was out of date when it came, so many times in a row. */
export function outOfDateDelayMs(times: number): number {
  return backoffBoundMs(times, OUT_OF_DATE_WAITS);
}

/** Longest validator that is kept and sent back; a longer one is dropped, which only costs an unconditional fetch. */
const MAX_VALIDATOR_LENGTH = 256;

/** Validators of a response that are fit to be stored and sent back. */
export function validatorsOf({ etag, 'last-modified': lastModified }: IncomingHttpHeaders): CacheValidators {
  return soundValidators(etag, lastModified);
}

/** Printable ASCII of bounded length may go back into a request header. */
function soundValidators(etag: unknown, lastModified: unknown): CacheValidators {
  const isSound = (value: unknown): value is string =>
    typeof value === 'string' && value.length <= MAX_VALIDATOR_LENGTH && /^[\x20-\x7e]+$/.test(value);
  return { ...(isSound(etag) && { etag }), ...(isSound(lastModified) && { lastModified }) };
}

/** Deviations of a response that are worth a note: the content type. */
export function notesOf({ 'content-type': contentType = 'absent' }: IncomingHttpHeaders): readonly string[] {
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase();
  return mediaType === CERTIFICATE_CHAIN_TYPE
    ? []
    : [`content-type ${contentType.slice(0, 80)} instead of ${CERTIFICATE_CHAIN_TYPE}`];
}

/** End of validity of the end entity; an empty chain is not valid at all. */
export function notAfterOf(chain: readonly Certificate[]): number {
  return chain[0]?.notAfterMs ?? 0;
}

/**
 * Memory of one certificate beside its DER and what its fields hold, bytes: the key object with what OpenSSL keeps of it, digests, the
 * object itself. Measured over 20,000 parsed certificates of the SHAKEN profile whose keys had been used.
 */
const CERTIFICATE_OVERHEAD_BYTES = 4_096;

/** Header, length and pointer of a string, an object or a list, bytes, rounded up. */
const VALUE_BYTES = 48;

/**
 * Memory that a parsed certificate takes, by estimate, rather too much than too little: its DER, and every string and list made of it. A
 * certificate of a few hundred authorities takes several times what its bytes suggest, and whoever serves it chooses how many.
 */
export function estimatedBytes(certificate: Certificate): number {
  const { der, subject, issuer, extensions, certificatePolicies, crlDistributionPoints, caIssuers } = certificate;
  const { tnAuthList, jwtClaimConstraints, extendedKeyUsage, unknownCriticalExtensions } = certificate;
  const held = [subject, issuer, extensions, certificatePolicies, crlDistributionPoints, caIssuers];
  const optional = [tnAuthList, jwtClaimConstraints, extendedKeyUsage, unknownCriticalExtensions];
  return der.length + CERTIFICATE_OVERHEAD_BYTES + heldBytes([...held, ...optional]);
}

/** What plain data takes: parsed fields are no deeper than a few levels. */
function heldBytes(value: unknown): number {
  // Text beyond Latin takes two octets a character.
  if (typeof value === 'string') return VALUE_BYTES + value.length * 2;
  if (typeof value !== 'object' || value === null) return 8;
  return Object.values(value).reduce<number>((sum, item) => sum + heldBytes(item), VALUE_BYTES);
}

/** Marks the form of an envelope; a reader ignores others. */
const CACHE_ENVELOPE_FORMAT = 'hopback.certificate-chain.1';

/** The envelope of a chain, as plain PEM; `undefined` where that, with its lines of 64 characters, would exceed what a reader accepts. */
export function writeEnvelope({
  lookup,
  validators,
}: Pick<CachedChain, 'lookup' | 'validators'>): CachedChainEnvelope | undefined {
  const { url, chain, fetchedAtMs, freshUntilMs } = lookup;
  const body = chain.map((certificate) => writePemBlock(certificate.der, 'CERTIFICATE')).join('');
  if (body.length > CERTIFICATE_CHAIN_MAX_BYTES) return undefined;
  const bodySha256 = sha256Hex(body);
  return {
    format: CACHE_ENVELOPE_FORMAT,
    url,
    body,
    bodySha256,
    fetchedAtMs,
    freshUntilMs,
    ...validators,
  };
}

/**
 * Reads an envelope out of parsed JSON, or `undefined` when it is damaged. Checks form, bounds and the digest; chain, policy and times in
 * relation to now are for the repository.
 */
export function readEnvelope(value: unknown): CachedChainEnvelope | undefined {
  const { format, url, body, bodySha256, fetchedAtMs, freshUntilMs, etag, lastModified } = membersOf(value);
  if (format !== CACHE_ENVELOPE_FORMAT) return undefined;
  if (!isText(url, MAX_X5U_LENGTH) || !isText(body, CERTIFICATE_CHAIN_MAX_BYTES)) return undefined;
  if (!isInstant(fetchedAtMs) || !isInstant(freshUntilMs) || bodySha256 !== sha256Hex(body)) return undefined;
  return {
    format,
    url,
    body,
    bodySha256,
    fetchedAtMs,
    freshUntilMs,
    ...soundValidators(etag, lastModified),
  };
}

/** SHA-256 of UTF-8 text, lower-case hex. */
export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function isText(value: unknown, maxLength: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxLength;
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
