import { Resolver } from 'node:dns/promises';
import { request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP } from 'node:net';
import type { LookupFunction, Socket, TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { scheduleInBackground } from '../../core/runtime/clock.js';
import { attemptDeadline, valueWithin } from '../../core/runtime/deadline.js';
import type { X5uFailure, X5uRefusal } from './repository.js';
import { checkUrlText, isAllowedAddress, isSpecialPurposeAddress } from './x5u-url-policy.js';
import type { PermittedUrl, X5uAllowList } from './x5u-url-policy.js';

/** Most addresses of one host that are tried; a host with more is served from the first of them. */
const MAX_ADDRESSES_TRIED = 8;

/** Wait before the next address is tried beside a silent one, milliseconds. @see RFC 8305 section 5 */
const CONNECTION_ATTEMPT_DELAY_MS = 250;

/** Most bytes of a response's header section: twice what a repository behind a content network sends. */
const MAX_RESPONSE_HEADER_BYTES = 8_192;

/** Most 1xx responses before the final one: one is usual (103), a flood of them is a way to keep us reading. */
const MAX_INFORMATIONAL_RESPONSES = 4;

/**
 * One deadline for name, connection, TLS, headers and body, milliseconds. A call waits for its certificate during post-dial
 * delay, of which two seconds is what callers take for a dead line.
 */
export const DEFAULT_FETCH_DEADLINE_MS = 2_000;

/** How `fetchBounded` fetches. */
export interface BoundedFetchOptions {
  /** Laboratory exceptions of the URL and address policy; default none. */
  readonly allow?: X5uAllowList;
  /** Default `['https']`. A CRL may come over http, since it is signed. */
  readonly schemes?: readonly ('https' | 'http')[];
  /** Most bytes of the body, as sent and after decompression. */
  readonly maxBytes: number;
  /** From the look-up of the name to the last octet of the body, milliseconds. Default 2,000. */
  readonly deadlineMs?: number;
  /** `Accept` header; default any type. */
  readonly accept?: string;
  /** Ask only for what differs from the copy with these validators, as they were sent. @see RFC 9110 section 8.8 */
  readonly validators?: { readonly etag?: string; readonly lastModified?: string };
  /** Ask caches on the way to check with the origin. */
  readonly noCache?: boolean;
  /** Ends the fetch early, as the deadline does. */
  readonly signal?: AbortSignal;
  /**
   * Resolves host names in the shape of `dns.lookup`, and is asked for all addresses; default DNS. When it fails or gives nothing, the
   * fetch ends as `dns-failed`; when it does not answer, as `timeout`.
   */
  readonly lookup?: LookupFunction;
  /** PEM trust anchors for the web server's certificate; default those of Node. */
  readonly ca?: string | readonly string[];
  /**
   * TLS settings made beforehand from `ca` (at least TLS 1.2), for whoever fetches more than once: else the trust anchors are read
   * anew for every connection, half a millisecond each time. `ca` is then not looked at.
   */
  readonly secureContext?: SecureContext;
  /** Default `net.connect`; a test replaces it to show what the check at the socket is for. */
  readonly connect?: (options: TcpNetConnectOpts) => Socket;
}

/**
 * A fetch that brought a body, found nothing newer, was refused by policy, or failed. `headers` are those of the response by lower-case
 * name, `body` is decompressed, `remoteAddress` is the IP address of the connected socket, `detail` is for people.
 */
export type BoundedFetchResult =
  | {
      readonly status: 'fetched';
      readonly url: string;
      readonly body: Uint8Array;
      readonly headers: IncomingHttpHeaders;
      readonly remoteAddress: string;
    }
  | {
      readonly status: 'not-modified';
      readonly url: string;
      readonly headers: IncomingHttpHeaders;
      readonly remoteAddress: string;
    }
  | {
      readonly status: 'refused';
      readonly url: string;
      readonly reason: X5uRefusal;
      readonly detail: string;
    }
  | {
      readonly status: 'failed';
      readonly url: string;
      readonly reason: X5uFailure;
      readonly detail: string;
      readonly httpStatus?: number;
      /** `Retry-After` of the response, as sent. */
      readonly retryAfter?: string;
    };

/** Ends a fetch without a body; caught in `fetchBounded`. */
class FetchEnd extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

type WithoutUrl<Result> = Result extends unknown ? Omit<Result, 'url'> : never;

type Problem = WithoutUrl<BoundedFetchResult & { readonly status: 'refused' | 'failed' }>;

function failed(
  reason: X5uFailure,
  detail: string,
  more: { readonly httpStatus?: number; readonly retryAfter?: string } = {},
): FetchEnd {
  return new FetchEnd({
    status: 'failed',
    reason,
    detail,
    ...more,
  });
}

const deadlineReached = (): FetchEnd => failed('timeout', 'deadline reached');

/**
 * Fetches one URL under the text policy, the address policy, one deadline and one size limit: the way that certificates,
 * trust lists and CRLs come in. No redirects, no proxy, no cookies, no connection kept. Never rejects.
 * @see ATIS-1000074, RFC 9110
 */
export async function fetchBounded(url: string, options: BoundedFetchOptions): Promise<BoundedFetchResult> {
  const checked = checkUrlText(url, options);
  if (checked.status === 'refused') return checked;
  const timeoutMs = options.deadlineMs ?? DEFAULT_FETCH_DEADLINE_MS;
  const { signal, end } = attemptDeadline(timeoutMs, options.signal, scheduleInBackground);
  try {
    const { socket, remoteAddress } = await openConnection(checked, options, signal);
    return { ...(await exchange(socket, checked, options, signal)), url, remoteAddress };
  } catch (error) {
    const { problem } = error instanceof FetchEnd ? error : failed('connect-failed', errorMessage(error));
    return { ...(signal.aborted && problem.status === 'failed' ? deadlineReached().problem : problem), url };
  } finally {
    end();
  }
}

/**
 * Resolves, connects, checks the address of the socket that is really connected, and only then begins TLS: not a byte
 * goes to an address that the policy refuses, whatever a resolver answered before or answers next time.
 * @see ATIS-1000074
 */
async function openConnection(
  url: PermittedUrl,
  options: BoundedFetchOptions,
  signal: AbortSignal,
): Promise<{ readonly socket: Socket; readonly remoteAddress: string }> {
  const addresses = await permittedAddresses(url, options, signal);
  const answers = addresses.map((address) => ({ address, family: isIP(address) }));
  const socket = await ready(signal, 'connect', () =>
    (options.connect ?? connectTcp)({
      host: url.host,
      port: url.port,
      noDelay: true,
      autoSelectFamily: true,
      autoSelectFamilyAttemptTimeout: CONNECTION_ATTEMPT_DELAY_MS,
      // The answers were fetched and checked above; nothing is resolved a second time.
      lookup: (_hostname, _options, done) => done(null, answers),
    }),
  );
  const remoteAddress = socket.remoteAddress ?? '';
  if (!isPermittedAddress(remoteAddress, options)) {
    socket.destroy();
    throw refusedAddress(remoteAddress);
  }
  if (url.scheme === 'http') return { socket, remoteAddress };
  try {
    const secure = await ready(signal, 'secureConnect', () =>
      connectTls({
        socket,
        host: url.host,
        // Server Name Indication carries names only (RFC 6066 section 3).
        ...(url.literal === 0 ? { servername: url.host } : {}),
        ALPNProtocols: ['http/1.1'],
        secureContext: options.secureContext ?? webServerContext(options.ca),
        // Explicit, so that no environment variable turns the check of the web server's certificate off.
        rejectUnauthorized: true,
      }),
    );
    secure.once('close', () => socket.destroy());
    return { socket: secure, remoteAddress };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

async function permittedAddresses(
  url: PermittedUrl,
  options: BoundedFetchOptions,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { lookup, allow } = options;
  const resolved = url.literal === 0 ? await addressesOf(url.host, lookup, signal) : [url.host];
  if (resolved.length === 0) throw failed('dns-failed', `no address for ${url.host}`);
  const addresses = resolved.filter((address) => isPermittedAddress(address, options));
  const special = resolved.find((address) => !addresses.includes(address));
  // A name that also points inside is refused as a whole; only a laboratory's own name keeps what is allowed of it.
  const isLaboratory = allow?.hosts?.includes(url.host) === true && addresses.length > 0;
  if (special !== undefined && !isLaboratory) throw refusedAddress(special);
  return addresses;
}

/** Whether a socket may be connected to this address. */
function isPermittedAddress(address: string, { allow }: BoundedFetchOptions): boolean {
  return !isSpecialPurposeAddress(address) || isAllowedAddress(address, allow);
}

function refusedAddress(address: string): FetchEnd {
  const detail = address === '' ? 'no peer address' : address;
  return new FetchEnd({ status: 'refused', reason: 'address-special-purpose', detail });
}

async function addressesOf(
  host: string,
  lookup: LookupFunction | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    const answer = lookup === undefined ? resolveHost(host, signal) : askLookup(lookup, host);
    const addresses = await untilAborted(answer, signal);
    return addresses.filter((address) => isIP(address) !== 0).slice(0, MAX_ADDRESSES_TRIED);
  } catch {
    return [];
  }
}

function askLookup(lookup: LookupFunction, hostname: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true }, (error, answer) => {
      if (error !== null) reject(error);
      else resolve(typeof answer === 'string' ? [answer] : answer.map(({ address }) => address));
    });
  });
}

/**
 * The default resolver: DNS by c-ares, so that hostile, slow names are cancelled at the deadline and cannot fill the four
 * threads that getaddrinfo shares with files and cryptography. It does not read the hosts file, except that `localhost`
 * is loopback (RFC 6761 section 6.3); hand in `dns.lookup` where that matters.
 */
async function resolveHost(hostname: string, signal: AbortSignal): Promise<readonly string[]> {
  if (hostname === 'localhost' || hostname.endsWith('.localhost')) return ['127.0.0.1', '::1'];
  const resolver = new Resolver({ timeout: DNS_ATTEMPT_MS, tries: DNS_ATTEMPTS });
  const cancel = (): void => resolver.cancel();
  signal.addEventListener('abort', cancel, { once: true });
  try {
    const ipv6 = resolver.resolve6(hostname).catch(() => []);
    const ipv4 = await resolver.resolve4(hostname).catch(() => []);
    return [
      ...ipv4,
      ...(await (ipv4.length === 0 ? ipv6 : valueWithin(ipv6, { timeoutMs: RESOLUTION_DELAY_MS, late: [] }))),
    ];
  } finally {
    signal.removeEventListener('abort', cancel);
    resolver.cancel();
  }
}

/** One DNS attempt and how many: a lost datagram is asked for again inside the deadline of two seconds. */
const DNS_ATTEMPT_MS = 600;
const DNS_ATTEMPTS = 3;

/** How long the AAAA answer is waited for once there is an A answer: some name servers never answer AAAA. @see RFC 8305 section 3 */
const RESOLUTION_DELAY_MS = 50;

/** Settles as the promise does, or rejects as soon as the signal aborts. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Error('aborted'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** TLS settings that connections can share. A `ca` that is no PEM trusts nobody. */
export function webServerContext(ca: string | readonly string[] | undefined): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
  });
}

/** Waits until the socket is ready; one that fails, or is not ready when the signal aborts, is destroyed. */
function ready(signal: AbortSignal, readyEvent: 'connect' | 'secureConnect', open: () => Socket): Promise<Socket> {
  const reason = readyEvent === 'connect' ? 'connect-failed' : 'tls-failed';
  return new Promise((resolve, reject) => {
    if (signal.aborted) throw deadlineReached();
    const socket = opened(open, reason);
    const give = (): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off(readyEvent, give).off('close', onClose);
      resolve(socket);
    };
    const fail = (end: FetchEnd): void => {
      signal.removeEventListener('abort', onAbort);
      socket.off(readyEvent, give).off('close', onClose).destroy();
      reject(end);
    };
    const onClose = (): void => fail(failed(reason, 'connection closed'));
    const onAbort = (): void => fail(deadlineReached());
    signal.addEventListener('abort', onAbort, { once: true });
    // The error listener stays for the life of the socket: a late reset must not become an uncaught exception.
    socket.on('error', (error) => fail(failed(reason, errorText(error))));
    socket.once(readyEvent, give).once('close', onClose);
  });
}

function opened(open: () => Socket, reason: X5uFailure): Socket {
  try {
    return open();
  } catch (error) {
    throw failed(reason, errorText(error));
  }
}

/** Code of a system or TLS error where it has one, else its message, bounded: it ends up in evidence. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = (error as NodeJS.ErrnoException).code;
  return (typeof code === 'string' ? code : error.message).slice(0, 200);
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 200) : 'unknown error';
}

type HttpResponse = Pick<IncomingMessage, 'headers'> &
  ({ readonly status: 'fetched'; readonly body: Uint8Array } | { readonly status: 'not-modified' });

/**
 * One HTTP/1.1 GET over a connected socket, which is destroyed afterwards: no agent, no redirects, no cookies, no proxy.
 * @see RFC 9110 section 15, RFC 9112
 */
function exchange(
  socket: Socket,
  url: PermittedUrl,
  options: BoundedFetchOptions,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const outgoing = request({
    createConnection: () => socket,
    method: 'GET',
    host: url.host,
    port: url.port,
    path: url.target,
    setHost: false,
    headers: {
      host: hostHeader(url),
      connection: 'close',
      'accept-encoding': 'identity',
      ...requestHeaders(options),
    },
    maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
    insecureHTTPParser: false,
  });
  // Whoever is first settles it: the body, an error of the exchange, or the deadline.
  const response = new Promise<HttpResponse>((resolve, reject) => {
    const onAbort = (): void => reject(deadlineReached());
    let informational = 0;
    let responded = false;
    outgoing.on('information', () => {
      informational += 1;
      if (informational > MAX_INFORMATIONAL_RESPONSES)
        reject(failed('http-status', 'too many informational responses'));
    });
    outgoing.on('error', (error) => reject(failureOf(error, responded)));
    outgoing.on('close', () => {
      if (!responded) reject(failed('connect-failed', 'connection closed before a response'));
    });
    outgoing.on('response', (incoming) => {
      responded = true;
      readResponse(incoming, options).then(resolve, reject);
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else outgoing.end();
  });
  return response.finally(() => {
    outgoing.destroy();
    socket.destroy();
  });
}

function hostHeader(url: PermittedUrl): string {
  const host = url.literal === 6 ? `[${url.host}]` : url.host;
  return url.port === (url.scheme === 'https' ? 443 : 80) ? host : `${host}:${url.port}`;
}

/** An error of the HTTP parser speaks of the head or of the body, every other one of the connection. */
function failureOf(error: Error, responded: boolean): FetchEnd {
  const text = errorText(error);
  if (responded) return failed('body-malformed', `body cut short: ${text}`);
  return text.startsWith('HPE_')
    ? failed('http-status', `no acceptable HTTP response: ${text}`)
    : failed('connect-failed', text);
}

async function readResponse(
  incoming: IncomingMessage,
  { maxBytes, validators }: BoundedFetchOptions,
): Promise<HttpResponse> {
  const { headers, statusCode: httpStatus = 0 } = incoming;
  if (httpStatus === 304) {
    if (validators !== undefined) return { status: 'not-modified', headers };
    throw failed('http-status', 'HTTP 304 to an unconditional request', { httpStatus });
  }
  if (httpStatus >= 300 && httpStatus < 400) throw failed('redirect', `HTTP ${httpStatus}`, { httpStatus });
  if (httpStatus !== 200) {
    const retryAfter = headers['retry-after'];
    throw failed('http-status', `HTTP ${httpStatus}`, { httpStatus, ...(retryAfter !== undefined && { retryAfter }) });
  }
  return { status: 'fetched', headers, body: await decoded(await readBytes(incoming, maxBytes), headers, maxBytes) };
}

/** Reads until the end or until one byte too many. */
async function readBytes(incoming: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = failed('body-too-large', `more than ${maxBytes} bytes`);
  if (Number(incoming.headers['content-length'] ?? '0') > maxBytes) throw tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge;
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof FetchEnd ? error : failed('body-malformed', `body cut short: ${errorText(error)}`);
  }
  return Buffer.concat(chunks);
}

type Inflate = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>;

/** Content codings a server may use although identity was asked for. @see RFC 9110 section 8.4.1 */
const INFLATERS = new Map<string, Inflate>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['br', promisify(brotliDecompress)],
  // Zlib format by the RFC, raw by the habit of some servers: a zlib header has method 8 in its low four bits.
  ['deflate', (bytes, options) => promisify(((bytes[0] ?? 0) & 0x0f) === 8 ? inflate : inflateRaw)(bytes, options)],
]);

async function decoded(bytes: Uint8Array, headers: IncomingHttpHeaders, maxBytes: number): Promise<Uint8Array> {
  const coding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (coding === 'identity' || coding === '') return bytes;
  const decompress = INFLATERS.get(coding);
  if (decompress === undefined) throw failed('body-encoding', `content-encoding ${coding.slice(0, 40)}`);
  try {
    return await decompress(bytes, { maxOutputLength: maxBytes });
  } catch (error) {
    throw errorText(error) === 'ERR_BUFFER_TOO_LARGE'
      ? failed('body-too-large', `more than ${maxBytes} bytes after ${coding}`)
      : failed('body-encoding', errorText(error));
  }
}

function requestHeaders(options: BoundedFetchOptions): Record<string, string> {
  const headers: Record<string, string> = { accept: options.accept ?? '*/*' };
  if (options.validators?.etag !== undefined) headers['if-none-match'] = options.validators.etag;
  if (options.validators?.lastModified !== undefined) headers['if-modified-since'] = options.validators.lastModified;
  if (options.noCache === true) headers['cache-control'] = 'no-cache';
  return headers;
}
