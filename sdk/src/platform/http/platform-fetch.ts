import { X509Certificate, createPrivateKey, randomUUID } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { attempt } from '../../core/runtime/deadline.js';
import { defined } from '../../core/text.js';
import { HopbackError } from '../../errors.js';

/**
 * Sends one request: `globalThis.fetch`, that of undici with a dispatcher of its own, or {@link createTlsFetch}.
 * @see https://fetch.spec.whatwg.org/#fetch-method
 */
export type PlatformFetch = (
  url: string,
  request: {
    readonly method: string;
    /** By lower-case name. */
    readonly headers: Record<string, string>;
    readonly body?: Uint8Array;
    /** Ends the request, and the reading of its answer. */
    readonly signal: AbortSignal;
    /** Redirects are not followed: they would carry the credential elsewhere. */
    readonly redirect: 'manual';
  },
) => Promise<Response>;

// What callers may hand in, and what is taken where they do not.

/** The dice of the machine: a number from 0 up to, not including, 1. For jitter, not for secrets. */
export const nodeRandom = (): number => Math.random();

/** An id that nobody else makes: a UUID, version 4. */
export const nodeId = (): string => randomUUID();

/** The fetch of the moment of the call: whoever puts another one in its place, as test kits do, may do so later. */
export const nodeFetch: PlatformFetch = async (url, request) => {
  const response = await globalThis.fetch(url, request);
  // A network error rejects. A test kit in the place of fetch resolves with it, as status 0, where another library has replaced Response.
  if (response.status === 0) throw new TypeError('network error');
  return response;
};

type TlsFetchOptions = Parameters<typeof createTlsFetch>[0];

/** Statuses to which the Fetch standard gives no body. @see https://fetch.spec.whatwg.org/#null-body-status */
const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/**
 * Makes a fetch for mutual TLS, or for a platform behind a private CA: the fetch of Node trusts what Node brings along and shows no
 * certificate. Connections are kept alive; redirects are not followed.
 * @param options - whom to trust, what to show; at least one of the two
 * @returns the fetch, to be closed when no longer used
 * @throws {@link HopbackError} `invalid-configuration` where there is nothing to trust or to show, or what is given cannot be read;
 * `key-unusable` where the key cannot be read or is not that of the certificate
 * @see RFC 8705 section 2, RFC 8446 section 4.4.2
 * @example
 * ```ts
 * const { certificatePem, privateKeyPem } = new TestPki().issueTls({ names: ['carrier.example'] });
 * const tls = createTlsFetch({ certificate: certificatePem, privateKey: privateKeyPem });
 * const client = new PlatformClient({
 *   baseUrl: 'https://itg.example',
 *   authorization: bearerToken('c2VjcmV0'),
 *   fetch: tls.fetch,
 * });
 * tls.close();
 * ```
 */
export function createTlsFetch(options: {
  /** PEM certificates, in place of those that Node brings along, that vouch for the platform: one of a private CA. */
  readonly ca?: string | readonly string[];
  /** PEM of the client's certificate, with those that lead to its root behind it. Beside `privateKey`. RFC 8705 */
  readonly certificate?: string;
  /** PEM of the private key of `certificate`, PKCS#8 or SEC 1. */
  readonly privateKey?: string;
  /** Of an encrypted `privateKey`. */
  readonly passphrase?: string;
}): {
  readonly fetch: PlatformFetch;
  /** Ends the connections that it keeps alive. */
  readonly close: () => void;
} {
  const https = new HttpsAgent({ keepAlive: true, ...trustOf(options), ...identityOf(options) });
  const http = new HttpAgent({ keepAlive: true });

  const send: PlatformFetch = (url, { method, headers, signal, body }) =>
    new Promise((resolve, reject) => {
      const settings = { method, headers, signal };
      const request = url.startsWith('https:')
        ? httpsRequest(url, { ...settings, agent: https })
        : httpRequest(url, { ...settings, agent: http });
      request.on('error', reject);
      request.on('response', (message) => {
        try {
          resolve(responseOf(message));
        } catch (error) {
          message.destroy();
          reject(error);
        }
      });
      request.end(body);
    });

  return {
    fetch: send,
    close: () => {
      https.destroy();
      http.destroy();
    },
  };
}

/** @throws {RangeError} for a status that is none */
function responseOf(message: IncomingMessage): Response {
  const status = message.statusCode ?? 0;
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headersDistinct)) {
    for (const one of value ?? []) headers.append(name, one);
  }
  if (WITHOUT_BODY.has(status)) {
    message.resume();
    return new Response(null, { status, headers });
  }
  return new Response(Readable.toWeb(message), { status, headers });
}

function trustOf({ ca, certificate }: TlsFetchOptions): { readonly ca?: string[] } {
  if (ca === undefined && certificate !== undefined) return {};
  const certificates = typeof ca === 'string' ? [ca] : [...(ca ?? [])];
  if (certificates.length === 0) throw new HopbackError('invalid-configuration', 'ca has no certificate');
  // Node would pass over a text that is none, and trust nobody.
  if (!certificates.every((pem) => certificateIn(pem) !== undefined))
    throw new HopbackError('invalid-configuration', 'ca has something that is no PEM certificate');
  return { ca: certificates };
}

/** A certificate that does not go with its key would show at the first connection only, and as an alert of OpenSSL. */
function identityOf({ certificate, privateKey, passphrase }: TlsFetchOptions): {
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
} {
  if (certificate === undefined && privateKey === undefined) return {};
  if (certificate === undefined || privateKey === undefined)
    throw new HopbackError('invalid-configuration', 'a client certificate and its private key are given together');
  const leaf = certificateIn(certificate);
  if (leaf === undefined) throw new HopbackError('invalid-configuration', 'certificate is no PEM certificate');
  if (!leaf.checkPrivateKey(keyIn(privateKey, passphrase)))
    throw new HopbackError('key-unusable', 'the private key is not that of the client certificate');
  return { cert: certificate, key: privateKey, ...defined({ passphrase }) };
}

function keyIn(pem: string, passphrase: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem, format: 'pem', ...defined({ passphrase }) });
  } catch (cause) {
    throw new HopbackError('key-unusable', 'the private key of the client certificate cannot be read', { cause });
  }
}

const certificateIn = (pem: string): X509Certificate | undefined => attempt(() => new X509Certificate(pem));

/** Addresses of this very machine, to which a request in the clear goes past nobody. */
const HERE = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/;

/**
 * An address that records, answers and credentials may be sent to: `https:`, or `http:` on this very machine.
 * @param text - absolute URL
 * @returns the URL without a fragment
 * @throws {@link HopbackError} `invalid-configuration` when it is none, or has a credential in it
 */
export function platformUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHere = url !== undefined && HERE.test(url.hostname);
  if (url === undefined || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isHere)))
    throw new HopbackError(
      'invalid-configuration',
      'the platform is at an https: URL, or at http: on this very machine',
    );
  if (url.username !== '' || url.password !== '')
    throw new HopbackError('invalid-configuration', 'credentials belong in authorization, not in the URL');
  url.hash = '';
  return url;
}
