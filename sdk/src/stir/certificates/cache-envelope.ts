import { createHash } from 'node:crypto';
import type { CacheValidators } from './bounded-fetch.js';
import type { Certificate } from './certificate.js';
import { writePemBlock } from './pem.js';
import type { CachedChainEnvelope } from './repository.js';
import { MAX_VALIDATOR_LENGTH, MAX_X5U_BODY_BYTES } from './x5u-fetch.js';
import { MAX_X5U_LENGTH } from './x5u-url-policy.js';

/** Marks the form of an envelope; a reader ignores others. */
export const CACHE_ENVELOPE_FORMAT = 'hopback.certificate-chain.1';

/** What an envelope is made of. */
export interface EnvelopeInput {
  readonly url: string;
  readonly chain: readonly Certificate[];
  readonly fetchedAtMs: number;
  readonly freshUntilMs: number;
  readonly validators: CacheValidators;
}

/**
 * Writes the envelope of one chain as plain PEM.
 * @returns the envelope; `undefined` where the chain, rewritten with lines of 64 characters, would exceed what a reader accepts
 */
export function writeEnvelope(input: EnvelopeInput): CachedChainEnvelope | undefined {
  const { url, chain, fetchedAtMs, freshUntilMs, validators } = input;
  const body = chain.map((certificate) => writePemBlock(certificate.der, 'CERTIFICATE')).join('');
  if (body.length > MAX_X5U_BODY_BYTES) return undefined;
  return {
    format: CACHE_ENVELOPE_FORMAT,
    url,
    body,
    bodySha256: sha256Hex(body),
    fetchedAtMs,
    freshUntilMs,
    ...validators,
  };
}

/**
 * Reads an envelope out of parsed JSON. Checks form, bounds and the digest; chain, policy and times in relation to now are for the
 * repository. Never throws.
 * @param value - anything that came out of `JSON.parse`
 * @returns the envelope, or `undefined` when it is damaged
 */
export function readEnvelope(value: unknown): CachedChainEnvelope | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { format, url, body, bodySha256, fetchedAtMs, freshUntilMs, etag, lastModified } = value as Record<
    keyof CachedChainEnvelope,
    unknown
  >;
  if (format !== CACHE_ENVELOPE_FORMAT || !isText(url, MAX_X5U_LENGTH) || !isText(body, MAX_X5U_BODY_BYTES))
    return undefined;
  if (!isInstant(fetchedAtMs) || !isInstant(freshUntilMs) || bodySha256 !== sha256Hex(body)) return undefined;
  const optional = { ...(isValidator(etag) ? { etag } : {}), ...(isValidator(lastModified) ? { lastModified } : {}) };
  return { format, url, body, bodySha256, fetchedAtMs, freshUntilMs, ...optional };
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

/** Goes back into a request header, hence printable ASCII only. */
function isValidator(value: unknown): value is string {
  return isText(value, MAX_VALIDATOR_LENGTH) && /^[\x20-\x7e]+$/.test(value);
}
