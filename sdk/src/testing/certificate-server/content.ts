import { createHash } from 'node:crypto';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';

/** Content codings that a server of certificates may apply. @see RFC 9110 section 8.4.1 */
export type ContentCoding = 'identity' | 'gzip' | 'br' | 'deflate';

/** How a body is served. */
export interface PublishOptions {
  /** Default `application/pem-certificate-chain`; `'absent'` sends none. */
  readonly contentType?: string;
  /** Value of Cache-Control; none by default. */
  readonly cacheControl?: string;
  /** Entity tag with its quotes, or `'hash'` for one made of the body. With one, `If-None-Match` is answered 304. */
  readonly etag?: string;
  /** Milliseconds since the epoch. With it, `If-Modified-Since` is answered 304. */
  readonly lastModifiedMs?: number;
  /** Default 200. */
  readonly status?: number;
  /** Applied whether or not the client accepts it; `'identity'` is said aloud. Default none. */
  readonly contentEncoding?: ContentCoding;
  /** Sends no Content-Length. */
  readonly chunked?: boolean;
  /** Further header fields. */
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * A way for a server to misbehave.
 * - `status`: an error status. `redirect`, `meta-refresh`, `refresh-header`: sends the client elsewhere.
 * - `stall`: never answers. `stall-after-headers`, `stall-after`: goes silent later. `drip`: a few octets at a time.
 * - `oversized`: a body of that size. `endless`: a body without end. `compression-bomb`: small on the wire, huge inside.
 * - `truncated`: ends before Content-Length. `reset`: RST after so many octets of the body, before any answer where not
 *   given. `hang-up`: closes without an answer. `not-http`: other octets. `huge-headers`: a header section of that size.
 * - `false-encoding`: says gzip and sends plain text. `unknown-encoding`: a coding that nobody knows.
 */
export type ServerFault =
  | { readonly kind: 'status'; readonly status: number; readonly body?: string; readonly retryAfterSeconds?: number }
  | { readonly kind: 'redirect'; readonly status: 301 | 302 | 303 | 307 | 308; readonly location: string }
  | { readonly kind: 'meta-refresh' | 'refresh-header'; readonly location: string }
  | { readonly kind: 'stall' | 'stall-after-headers' }
  | { readonly kind: 'stall-after'; readonly body: string; readonly octets: number }
  | { readonly kind: 'drip'; readonly body?: string; readonly octets?: number; readonly intervalMs?: number }
  | { readonly kind: 'oversized'; readonly sizeBytes: number; readonly chunked?: boolean }
  | { readonly kind: 'endless' }
  | {
      readonly kind: 'compression-bomb';
      readonly sizeBytes: number;
      readonly encoding?: Exclude<ContentCoding, 'identity'>;
    }
  | { readonly kind: 'truncated'; readonly body: string; readonly octets?: number }
  | { readonly kind: 'reset'; readonly body?: string; readonly afterOctets?: number }
  | { readonly kind: 'hang-up' | 'not-http' }
  | { readonly kind: 'huge-headers'; readonly sizeBytes: number }
  | { readonly kind: 'false-encoding' | 'unknown-encoding'; readonly body: string };

/** One answer of a path: a body, or a fault. */
export type ServerAnswer =
  { readonly kind: 'body'; readonly body: string | Uint8Array; readonly options?: PublishOptions } | ServerFault;

/** The media type of an x5u body. @see RFC 8226 section 7, RFC 8555 section 9.1 */
export const CERTIFICATE_CHAIN_TYPE = 'application/pem-certificate-chain';

/** Header fields and octets of a published body. */
export function preparedBody(
  body: string | Uint8Array,
  options: PublishOptions,
): { readonly octets: Buffer; readonly headers: Readonly<Record<string, string>> } {
  const plain = Buffer.from(body as string);
  const octets = encode(plain, options.contentEncoding);
  const contentType = options.contentType ?? CERTIFICATE_CHAIN_TYPE;
  const etag = options.etag === 'hash' ? hashTag(plain) : options.etag;
  return {
    octets,
    headers: {
      ...(contentType === 'absent' ? {} : { 'content-type': contentType }),
      ...(options.cacheControl === undefined ? {} : { 'cache-control': options.cacheControl }),
      ...(etag === undefined ? {} : { etag }),
      ...(options.lastModifiedMs === undefined
        ? {}
        : { 'last-modified': new Date(options.lastModifiedMs).toUTCString() }),
      ...(options.contentEncoding === undefined ? {} : { 'content-encoding': options.contentEncoding }),
      ...(options.chunked === true ? {} : { 'content-length': String(octets.length) }),
      ...options.headers,
    },
  };
}

function encode(octets: Buffer, coding: ContentCoding | undefined): Buffer {
  if (coding === 'gzip') return gzipSync(octets);
  if (coding === 'br') return brotliCompressSync(octets);
  return coding === 'deflate' ? deflateSync(octets) : octets;
}

function hashTag(octets: Buffer): string {
  return `"${createHash('sha256').update(octets).digest('hex').slice(0, 32)}"`;
}
