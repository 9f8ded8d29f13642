import { X509Certificate } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { HopbackError } from '../errors.js';

/** A request with a body of octets. */
export interface PlainRequest {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
  /** It follows none. */
  readonly redirect: 'manual';
}

/** A fetch that trusts certificates of its own. */
export interface TrustingFetch {
  readonly fetch: (url: string, request: PlainRequest) => Promise<Response>;
  /** Ends the connections that it keeps alive. */
  readonly close: () => void;
}

/** Statuses to which the Fetch standard gives no body. @see https://fetch.spec.whatwg.org/#null-body-status */
const WITHOUT_BODY: ReadonlySet<number> = new Set([101, 103, 204, 205, 304]);

/**
 * Makes a fetch for requests with a body of octets, over connections that are kept alive and whose servers the given certificates vouch for:
 * the fetch of Node trusts what Node brings along, and nothing else. It follows no redirect.
 * @throws {@link HopbackError} `invalid-configuration` where there is no certificate, or one cannot be read
 */
export function createTrustingFetch(ca: string | readonly string[]): TrustingFetch {
  const certificates = typeof ca === 'string' ? [ca] : [...ca];
  checkCertificates(certificates);
  const https = new HttpsAgent({ keepAlive: true, ca: certificates });
  const http = new HttpAgent({ keepAlive: true });

  const send = (url: string, { method, headers, signal, body }: PlainRequest): Promise<Response> =>
    new Promise((resolve, reject) => {
      const options = { method, headers, signal };
      const request = url.startsWith('https:')
        ? httpsRequest(url, { ...options, agent: https })
        : httpRequest(url, { ...options, agent: http });
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

function checkCertificates(certificates: readonly string[]): void {
  if (certificates.length === 0) throw new HopbackError('invalid-configuration', 'ca has no certificate');
  // Node would pass over a text that is none, and trust nobody.
  if (!certificates.every(isCertificate))
    throw new HopbackError('invalid-configuration', 'ca has something that is no PEM certificate');
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
