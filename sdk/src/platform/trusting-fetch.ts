import { X509Certificate } from 'node:crypto';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Readable } from 'node:stream';
import { HopbackError } from '../errors.js';

/** A fetch that trusts certificates of its own. */
export interface TrustingFetch {
  readonly fetch: typeof globalThis.fetch;
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

  const send = (url: string, init: RequestInit): Promise<Response> =>
    new Promise((resolve, reject) => {
      const isSecure = url.startsWith('https:');
      const options = {
        method: init.method ?? 'GET',
        headers: init.headers as Record<string, string>,
        ...(init.signal === null || init.signal === undefined ? {} : { signal: init.signal }),
      };
      const request = isSecure
        ? httpsRequest(url, { ...options, agent: https })
        : httpRequest(url, { ...options, agent: http });
      request.on('error', reject);
      request.on('response', (message) => {
        try {
          resolve(responseOf(message));
        } catch (error) {
          message.destroy();
          reject(error as Error);
        }
      });
      request.end(init.body as Uint8Array | undefined);
    });

  return {
    fetch: (input, init = {}) => send(String(input), init),
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
  return new Response(Readable.toWeb(message) as unknown as ReadableStream<Uint8Array>, { status, headers });
}

function checkCertificates(certificates: readonly string[]): void {
  if (certificates.length === 0) throw new HopbackError('invalid-configuration', 'ca has no certificate');
  for (const pem of certificates) {
    try {
      // Node would pass over a text that is none, and trust nobody.
      new X509Certificate(pem);
    } catch (cause) {
      throw new HopbackError('invalid-configuration', 'ca has something that is no PEM certificate', { cause });
    }
  }
}
