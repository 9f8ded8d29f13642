import type { X5uFailure } from '../field-types.js';
import type { ServerFault } from './content.js';
import type { ServerListener } from './listeners.js';

/** Names of {@link SERVER_FAULTS}. */
export type ServerFaultName =
  | 'status-204'
  | 'status-400'
  | 'status-401'
  | 'status-403'
  | 'status-404'
  | 'status-410'
  | 'status-429'
  | 'status-500'
  | 'status-503'
  | 'redirect-301'
  | 'redirect-302'
  | 'redirect-303'
  | 'redirect-307'
  | 'redirect-308'
  | 'meta-refresh'
  | 'refresh-header'
  | 'stall'
  | 'stall-after-headers'
  | 'stall-in-body'
  | 'drip'
  | 'oversized'
  | 'oversized-chunked'
  | 'endless'
  | 'gzip-bomb'
  | 'brotli-bomb'
  | 'deflate-bomb'
  | 'truncated'
  | 'reset'
  | 'reset-in-body'
  | 'hang-up'
  | 'not-http'
  | 'huge-headers'
  | 'false-encoding'
  | 'unknown-encoding'
  | 'not-pem'
  | 'empty-body'
  | 'wrong-name'
  | 'untrusted'
  | 'expired'
  | 'tls-silent'
  | 'refused';

/** One way in which a certificate cannot be had. */
export interface NamedServerFault {
  readonly description: string;
  /** Makes the answer. @param elsewhere - where redirects lead @param chainPem - a right body, to be spoilt */
  readonly fault: (
    elsewhere: string,
    chainPem: string,
  ) => ServerFault | { readonly kind: 'body'; readonly body: string };
  /** The listener through which it is met; default `https`. */
  readonly listener: ServerListener;
  /** The reason that a certificate repository gives; absent where several fit. */
  readonly expectedReasonHint?: X5uFailure;
}

/** The catalogue of repositories that fail, for tests that go through all of them. */
export const SERVER_FAULTS: Readonly<Record<ServerFaultName, NamedServerFault>> = {
  'status-204': status(204),
  'status-400': status(400),
  'status-401': status(401),
  'status-403': status(403),
  'status-404': status(404),
  'status-410': status(410),
  'status-429': status(429),
  'status-500': status(500),
  'status-503': status(503),
  'redirect-301': redirect(301),
  'redirect-302': redirect(302),
  'redirect-303': redirect(303),
  'redirect-307': redirect(307),
  'redirect-308': redirect(308),
  'meta-refresh': named('body-malformed', 'a page that sends browsers elsewhere', (location) => ({
    kind: 'meta-refresh',
    location,
  })),
  'refresh-header': named('body-malformed', 'a header that sends browsers elsewhere', (location) => ({
    kind: 'refresh-header',
    location,
  })),
  stall: named('timeout', 'never answers', () => ({ kind: 'stall' })),
  'stall-after-headers': named('timeout', 'goes silent after the headers', () => ({ kind: 'stall-after-headers' })),
  'stall-in-body': named('timeout', 'goes silent inside the body', (_, body) => ({
    kind: 'stall-after',
    body,
    octets: 100,
  })),
  drip: named('timeout', 'one octet a second', (_, body) => ({ kind: 'drip', body })),
  oversized: named('body-too-large', 'a body of 1 MiB', () => ({ kind: 'oversized', sizeBytes: 1_048_576 })),
  'oversized-chunked': named('body-too-large', 'a body of 1 MiB that does not say so', () => ({
    kind: 'oversized',
    sizeBytes: 1_048_576,
    chunked: true,
  })),
  endless: named('body-too-large', 'a body without end', () => ({ kind: 'endless' })),
  'gzip-bomb': bomb('gzip'),
  'brotli-bomb': bomb('br'),
  'deflate-bomb': bomb('deflate'),
  truncated: named(undefined, 'half of the body, then the end of the connection', (_, body) => ({
    kind: 'truncated',
    body,
  })),
  reset: named('connect-failed', 'cuts the connection instead of an answer', () => ({ kind: 'reset' })),
  'reset-in-body': named(undefined, 'cuts the connection inside the body', (_, body) => ({
    kind: 'reset',
    body,
    afterOctets: 100,
  })),
  'hang-up': named(undefined, 'closes the connection instead of an answer', () => ({ kind: 'hang-up' })),
  'not-http': named(undefined, 'speaks another protocol', () => ({ kind: 'not-http' })),
  'huge-headers': named(undefined, 'headers of 1 MiB', () => ({ kind: 'huge-headers', sizeBytes: 1_048_576 })),
  'false-encoding': named('body-encoding', 'says gzip and sends text', (_, body) => ({ kind: 'false-encoding', body })),
  'unknown-encoding': named('body-encoding', 'a content coding that nobody knows', (_, body) => ({
    kind: 'unknown-encoding',
    body,
  })),
  'not-pem': named('body-malformed', 'a body that is no certificate', () => ({
    kind: 'body',
    body: 'not a certificate\n',
  })),
  'empty-body': named('body-malformed', 'an empty body', () => ({ kind: 'body', body: '' })),
  'wrong-name': listener('tls-failed', 'a TLS certificate for another host', 'https-wrong-name'),
  untrusted: listener('tls-failed', 'a TLS certificate that nobody vouches for', 'https-untrusted'),
  expired: listener('tls-failed', 'a TLS certificate that is out of date', 'https-expired'),
  'tls-silent': listener('timeout', 'accepts the connection and never speaks', 'tls-silent'),
  refused: listener('connect-failed', 'nobody listens', 'refused'),
};

/** Names of {@link SERVER_FAULTS}. */
export const SERVER_FAULT_NAMES: readonly ServerFaultName[] = Object.keys(SERVER_FAULTS) as ServerFaultName[];

/** Inside the bomb: 16 MiB, a thousand times the most that a client should accept, and still made in a tenth of a second. */
const BOMB_BYTES = 16_777_216;

function named(
  reason: X5uFailure | undefined,
  description: string,
  fault: NamedServerFault['fault'],
): NamedServerFault {
  return { description, fault, listener: 'https', ...(reason === undefined ? {} : { expectedReasonHint: reason }) };
}

function status(code: number): NamedServerFault {
  return named('http-status', `status ${code}`, () => ({ kind: 'status', status: code }));
}

function redirect(code: 301 | 302 | 303 | 307 | 308): NamedServerFault {
  return named('redirect', `redirect ${code}`, (location) => ({ kind: 'redirect', status: code, location }));
}

function bomb(encoding: 'gzip' | 'br' | 'deflate'): NamedServerFault {
  return named('body-too-large', `16 MiB behind ${encoding}`, () => ({
    kind: 'compression-bomb',
    sizeBytes: BOMB_BYTES,
    encoding,
  }));
}

function listener(reason: X5uFailure, description: string, door: ServerListener): NamedServerFault {
  return { description, fault: (_, body) => ({ kind: 'body', body }), listener: door, expectedReasonHint: reason };
}
