import { Resolver } from 'node:dns/promises';
import { request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect as connectTcp, isIP } from 'node:net';
import type { LookupFunction, Socket, TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib';
import { scheduleInBackground } from '../../core/runtime/clock.js';
import { valueWithin } from '../../core/runtime/deadline.js';
import type { X5uFailure, X5uRefusal } from './repository.js';
import { checkUrlText, isSpecialPurposeAddress, parseNetworkSet } from './x5u-url-policy.js';
import type { PermittedUrl, UrlTextRules, X5uAllowList } from './x5u-url-policy.js';

/** Most addresses of one host that are tried; a host with more is served from the first of them. */
const MAX_ADDRESSES_TRIED = 8;

/** Wait before the next address is tried beside a silent one, milliseconds. @see RFC 8305 section 5 */
const CONNECTION_ATTEMPT_DELAY_MS = 250;

/**
 * Resolves a host name, in the shape of `dns.lookup`; it is asked for all addresses. When it fails or gives nothing, the
 * fetch ends as `dns-failed`; when it does not answer, as `timeout`.
 */
export type HostLookup = LookupFunction;

/** Opens a TCP connection; `net.connect`, unless a test wants to show what the check at the socket is for. */
export type TcpConnect = (options: TcpNetConnectOpts) => Socket;

/** How a connection is made. */
export interface ConnectionOptions {
  /** Laboratory exceptions; default none. */
  readonly allow?: X5uAllowList;
  /** Resolves host names; default DNS. */
  readonly lookup?: HostLookup;
  /** PEM trust anchors for the web server's certificate; default those of Node. */
  readonly ca?: string | readonly string[];
  /**
   * TLS settings made beforehand from `ca` (at least TLS 1.2), for whoever fetches more than once: else the trust anchors are read
   * anew for every connection, half a millisecond each time. `ca` is then not looked at.
   */
  readonly secureContext?: SecureContext;
  /** Default `net.connect`. */
  readonly connect?: TcpConnect;
}

/** Why there is no connection. */
type ConnectionProblem =
  | { readonly status: 'refused'; readonly reason: X5uRefusal; readonly detail: string }
  | { readonly status: 'failed'; readonly reason: X5uFailure; readonly detail: string };

/** A socket whose peer address was checked, with TLS on it where the scheme asks for that. */
type ConnectionResult =
  { readonly status: 'connected'; readonly socket: Socket; readonly remoteAddress: string } | ConnectionProblem;

/**
 * Resolves, connects, checks the address of the socket that is really connected, and only then begins TLS: not a byte
 * goes to an address that the policy refuses, whatever a resolver answered before or answers next time.
 * @param url - a URL that passed the text policy
 * @param options - resolver, trust anchors and laboratory exceptions
 * @param signal - the one deadline; on abort everything that was opened is destroyed
 * @returns the socket, or why there is none. Never rejects.
 * @see ATIS-1000074
 */
async function openConnection(
  url: PermittedUrl,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<ConnectionResult> {
  const resolved = await addressesOf(url, options.lookup, signal);
  if (resolved.length === 0) return { status: 'failed', reason: 'dns-failed', detail: `no address for ${url.host}` };
  const addresses = resolved.filter((address) => isPermittedAddress(address, options.allow));
  const special = resolved.find((address) => !addresses.includes(address));
  // A name that also points inside is refused as a whole; only a laboratory's own name keeps what is allowed of it.
  const isLaboratory = options.allow?.hosts?.includes(url.host) === true && addresses.length > 0;
  if (special !== undefined && !isLaboratory) return refusedAddress(special);
  const tcp = await openTcp(url, addresses, options.connect ?? connectTcp, signal);
  if (!('socket' in tcp)) return tcp;
  const remoteAddress = tcp.socket.remoteAddress ?? '';
  if (!isPermittedAddress(remoteAddress, options.allow)) {
    tcp.socket.destroy();
    return refusedAddress(remoteAddress);
  }
  if (url.scheme === 'http') return { status: 'connected', socket: tcp.socket, remoteAddress };
  return startTls(url, tcp.socket, options, signal);
}

/**
 * The TLS settings of a client of certificate repositories.
 * @param ca - PEM trust anchors for the web server's certificate; default those of Node
 * @returns settings to be shared by connections; text that is no PEM trusts nobody
 */
export function webServerContext(ca: string | readonly string[] | undefined): SecureContext {
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
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

/** Whether a socket may be connected to this address. */
function isPermittedAddress(address: string, allow: X5uAllowList | undefined): boolean {
  if (!isSpecialPurposeAddress(address)) return true;
  if (allow?.addresses === undefined) return false;
  const parsed = parseNetworkSet(allow.addresses);
  return parsed.status === 'parsed' && parsed.networks.has(address);
}

function refusedAddress(address: string): ConnectionResult {
  return { status: 'refused', reason: 'address-special-purpose', detail: address === '' ? 'no peer address' : address };
}

async function addressesOf(
  url: PermittedUrl,
  lookup: HostLookup | undefined,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (url.literal !== 0) return [url.host];
  try {
    const answer = lookup === undefined ? resolveHost(url.host, signal) : askLookup(lookup, url.host);
    const addresses = await untilAborted(answer, signal);
    return addresses.filter((address) => isIP(address) !== 0).slice(0, MAX_ADDRESSES_TRIED);
  } catch {
    return [];
  }
}

function askLookup(lookup: HostLookup, hostname: string): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true }, (error, answer) => {
      if (error !== null) reject(error);
      else resolve(typeof answer === 'string' ? [answer] : answer.map(({ address }) => address));
    });
  });
}

type TcpResult = { readonly socket: Socket } | ConnectionProblem;

/** One connection to the first of the addresses that answers. */
function openTcp(
  url: PermittedUrl,
  addresses: readonly string[],
  connect: TcpConnect,
  signal: AbortSignal,
): Promise<TcpResult> {
  const answers = addresses.map((address) => ({ address, family: isIP(address) }));
  return settleSocket(
    signal,
    'connect-failed',
    () =>
      connect({
        host: url.host,
        port: url.port,
        noDelay: true,
        autoSelectFamily: true,
        autoSelectFamilyAttemptTimeout: CONNECTION_ATTEMPT_DELAY_MS,
        // The answers were fetched and checked above; nothing is resolved a second time.
        lookup: (_hostname, _options, done) => done(null, answers),
      }),
    'connect',
  );
}

async function startTls(
  url: PermittedUrl,
  socket: Socket,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<ConnectionResult> {
  const remoteAddress = socket.remoteAddress ?? '';
  const secure = await settleSocket(
    signal,
    'tls-failed',
    () =>
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
    'secureConnect',
  );
  if (!('socket' in secure)) {
    socket.destroy();
    return secure;
  }
  secure.socket.once('close', () => socket.destroy());
  return { status: 'connected', socket: secure.socket, remoteAddress };
}

/** Resolves when the socket is ready, failed or the signal aborted; a socket that is not handed out is destroyed. */
function settleSocket(
  signal: AbortSignal,
  reason: X5uFailure,
  open: () => Socket,
  readyEvent: 'connect' | 'secureConnect',
): Promise<TcpResult> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve({ status: 'failed', reason: 'timeout', detail: 'deadline reached' });
      return;
    }
    let socket: Socket | undefined;
    const finish = (result: TcpResult): void => {
      signal.removeEventListener('abort', onAbort);
      socket?.off(readyEvent, onReady).off('close', onClose);
      if (!('socket' in result)) socket?.destroy();
      resolve(result);
    };
    const onReady = (): void =>
      finish(socket === undefined ? { status: 'failed', reason, detail: 'no socket' } : { socket });
    const onError = (error: Error): void => finish({ status: 'failed', reason, detail: errorText(error) });
    const onClose = (): void => finish({ status: 'failed', reason, detail: 'connection closed' });
    const onAbort = (): void => finish({ status: 'failed', reason: 'timeout', detail: 'deadline reached' });
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      socket = open();
      // The error listener stays for the life of the socket: a late reset must not become an uncaught exception.
      socket.on('error', onError).once(readyEvent, onReady).once('close', onClose);
    } catch (error) {
      finish({ status: 'failed', reason, detail: errorText(error) });
    }
  });
}

/** Settles as the promise does, or rejects as soon as the signal aborts. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new Error('aborted'));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** Code of a system or TLS error where it has one, else its message, bounded: it ends up in evidence. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const code = (error as NodeJS.ErrnoException).code;
  return (typeof code === 'string' ? code : error.message).slice(0, 200);
}

/** Most bytes of a response's header section: twice what a repository behind a content network sends. */
const MAX_RESPONSE_HEADER_BYTES = 8_192;

/** Most 1xx responses before the final one: one is usual (103), a flood of them is a way to keep us reading. */
const MAX_INFORMATIONAL_RESPONSES = 4;

/** What is asked for. */
interface HttpGet {
  readonly url: PermittedUrl;
  readonly headers: Readonly<Record<string, string>>;
  /** Most bytes of the body, both as sent and after decompression. */
  readonly maxBytes: number;
}

/** A final response with status 200 or 304, its body bounded and decoded; or why there is none. */
type HttpGetResult =
  | {
      readonly status: 'response';
      readonly httpStatus: 200 | 304;
      readonly headers: IncomingHttpHeaders;
      readonly body: Uint8Array;
    }
  | {
      readonly status: 'failed';
      readonly reason: X5uFailure;
      readonly detail: string;
      readonly httpStatus?: number;
      readonly retryAfter?: string;
    };

/**
 * One HTTP/1.1 GET over a connected socket, which is destroyed afterwards: no agent, no redirects, no cookies, no proxy.
 * @param socket - connected (and secured) socket
 * @param get - target, headers and bound
 * @param signal - the one deadline
 * @returns the response, or why there is none. Never rejects.
 * @see RFC 9110 section 15, RFC 9112
 */
async function getOverSocket(socket: Socket, get: HttpGet, signal: AbortSignal): Promise<HttpGetResult> {
  try {
    return await exchange(socket, get, signal);
  } finally {
    socket.destroy();
  }
}

function exchange(socket: Socket, get: HttpGet, signal: AbortSignal): Promise<HttpGetResult> {
  return new Promise((resolve) => {
    const onAbort = (): void => finish(failed('timeout', 'deadline reached'));
    const finish = (result: HttpGetResult): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(result);
      outgoing.destroy();
    };
    const outgoing = request({
      createConnection: () => socket,
      method: 'GET',
      host: get.url.host,
      port: get.url.port,
      path: get.url.target,
      setHost: false,
      headers: { host: hostHeader(get.url), connection: 'close', 'accept-encoding': 'identity', ...get.headers },
      maxHeaderSize: MAX_RESPONSE_HEADER_BYTES,
      insecureHTTPParser: false,
    });
    let informational = 0;
    let responded = false;
    outgoing.on('information', () => {
      informational += 1;
      if (informational > MAX_INFORMATIONAL_RESPONSES)
        finish(failed('http-status', 'too many informational responses'));
    });
    outgoing.on('error', (error) => finish(failureOf(error, responded)));
    outgoing.on('close', () => {
      if (!responded) finish(failed('connect-failed', 'connection closed before a response'));
    });
    outgoing.on('response', (incoming) => {
      responded = true;
      // Whoever is first resolves: the body, an error of the exchange, or the deadline.
      readResponse(incoming, get.maxBytes).then(finish, (error: unknown) =>
        finish(failed('body-malformed', errorText(error))),
      );
    });
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    else outgoing.end();
  });
}

function hostHeader(url: PermittedUrl): string {
  const host = url.literal === 6 ? `[${url.host}]` : url.host;
  return url.port === (url.scheme === 'https' ? 443 : 80) ? host : `${host}:${url.port}`;
}

/** An error of the HTTP parser speaks of the head or of the body, every other one of the connection. */
function failureOf(error: Error, responded: boolean): HttpGetResult {
  const text = errorText(error);
  if (responded) return failed('body-malformed', `body cut short: ${text}`);
  return text.startsWith('HPE_')
    ? failed('http-status', `no acceptable HTTP response: ${text}`)
    : failed('connect-failed', text);
}

function failed(reason: X5uFailure, detail: string): HttpGetResult {
  return { status: 'failed', reason, detail };
}

async function readResponse(incoming: IncomingMessage, maxBytes: number): Promise<HttpGetResult> {
  const status = incoming.statusCode ?? 0;
  if (status === 304) return { status: 'response', httpStatus: 304, headers: incoming.headers, body: new Uint8Array() };
  if (status >= 300 && status < 400)
    return { status: 'failed', reason: 'redirect', detail: `HTTP ${status}`, httpStatus: status };
  if (status !== 200) {
    const retryAfter = incoming.headers['retry-after'];
    return {
      status: 'failed',
      reason: 'http-status',
      detail: `HTTP ${status}`,
      httpStatus: status,
      ...(retryAfter === undefined ? {} : { retryAfter }),
    };
  }
  const sent = await readBytes(incoming, maxBytes);
  if (!('bytes' in sent)) return sent;
  return decode(sent.bytes, incoming, maxBytes);
}

type Bytes = { readonly bytes: Uint8Array };

/** Reads until the end or until one byte too many. */
async function readBytes(
  incoming: IncomingMessage,
  maxBytes: number,
): Promise<Bytes | (HttpGetResult & { readonly status: 'failed' })> {
  const tooLarge = { status: 'failed', reason: 'body-too-large', detail: `more than ${maxBytes} bytes` } as const;
  const announced = Number(incoming.headers['content-length'] ?? '0');
  if (announced > maxBytes) return tooLarge;
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of incoming as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > maxBytes) return tooLarge;
      chunks.push(chunk);
    }
  } catch (error) {
    return { status: 'failed', reason: 'body-malformed', detail: `body cut short: ${errorText(error)}` };
  }
  return { bytes: Buffer.concat(chunks) };
}

type Inflate = (
  bytes: Uint8Array,
  options: { readonly maxOutputLength: number },
  done: (error: Error | null, output: Buffer) => void,
) => void;

/** Content codings a server may use although identity was asked for. @see RFC 9110 section 8.4.1 */
function inflaterOf(coding: string, bytes: Uint8Array): Inflate | undefined {
  if (coding === 'gzip' || coding === 'x-gzip') return gunzip;
  if (coding === 'br') return brotliDecompress;
  // "deflate" is zlib format by the RFC, raw by the habit of some servers: a zlib header has method 8 in its low four bits.
  if (coding === 'deflate') return ((bytes[0] ?? 0) & 0x0f) === 8 ? inflate : inflateRaw;
  return undefined;
}

function decode(bytes: Uint8Array, incoming: IncomingMessage, maxBytes: number): Promise<HttpGetResult> {
  const headers = incoming.headers;
  const coding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (coding === 'identity' || coding === '')
    return Promise.resolve({ status: 'response', httpStatus: 200, headers, body: bytes });
  const decompress = inflaterOf(coding, bytes);
  if (decompress === undefined)
    return Promise.resolve(failed('body-encoding', `content-encoding ${coding.slice(0, 40)}`));
  return new Promise((resolve) => {
    decompress(bytes, { maxOutputLength: maxBytes }, (error, body) => {
      if (error === null) resolve({ status: 'response', httpStatus: 200, headers, body });
      else if (errorText(error) === 'ERR_BUFFER_TOO_LARGE')
        resolve(failed('body-too-large', `more than ${maxBytes} bytes after ${coding}`));
      else resolve(failed('body-encoding', errorText(error)));
    });
  });
}

/**
 * One deadline for name, connection, TLS, headers and body, milliseconds. A call waits for its certificate during post-dial
 * delay, of which two seconds is what callers take for a dead line.
 */
export const DEFAULT_FETCH_DEADLINE_MS = 2_000;

/** What a cached copy is compared by. @see RFC 9110 section 8.8 */
export interface CacheValidators {
  /** Entity tag as sent, with its quotes. */
  readonly etag?: string;
  /** `Last-Modified` as sent. */
  readonly lastModified?: string;
}

/** How {@link fetchBounded} fetches. */
export interface BoundedFetchOptions extends ConnectionOptions, UrlTextRules {
  /** Most bytes of the body, as sent and after decompression. */
  readonly maxBytes: number;
  /** From the look-up of the name to the last octet of the body, milliseconds. Default {@link DEFAULT_FETCH_DEADLINE_MS}. */
  readonly deadlineMs?: number;
  /** `Accept` header; default any type. */
  readonly accept?: string;
  /** Ask only for what differs from the copy with these validators. */
  readonly validators?: CacheValidators;
  /** Ask caches on the way to check with the origin. */
  readonly noCache?: boolean;
  /** Ends the fetch early, as the deadline does. */
  readonly signal?: AbortSignal;
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
  | { readonly status: 'refused'; readonly url: string; readonly reason: X5uRefusal; readonly detail: string }
  | {
      readonly status: 'failed';
      readonly url: string;
      readonly reason: X5uFailure;
      readonly detail: string;
      readonly httpStatus?: number;
      /** `Retry-After` of the response, as sent. */
      readonly retryAfter?: string;
    };

/**
 * Fetches one URL under the text policy, the address policy, one deadline and one size limit: the way that certificates,
 * trust lists and CRLs come in. No redirects, no proxy, no cookies, no connection kept.
 * @param url - the URL text; checked here again
 * @param options - limits and policy
 * @returns the body, unparsed and untrusted, or why there is none. Never rejects and never throws for peer input.
 * @see ATIS-1000074, RFC 9110
 * @example
 * ```ts
 * const pki = await createTestPki();
 * await using server = await startCertificateServer();
 * const url = server.publish('/sti-pa.crl', pki.crl().der);
 * const fetched = await fetchBounded(url, {
 *   maxBytes: CRL_MAX_BYTES,
 *   // For a server on loopback; servers out there need neither.
 *   allow: { addresses: ['127.0.0.1'], ports: [server.ports.https] },
 *   ca: server.tlsRootPem,
 * });
 * if (fetched.status === 'fetched') console.log(parseCrl(fetched.body).status); // parsed
 * else console.log(fetched.status);
 * ```
 */
export async function fetchBounded(url: string, options: BoundedFetchOptions): Promise<BoundedFetchResult> {
  const checked = checkUrlText(url, options);
  if (checked.status === 'refused') return checked;
  const deadline = startDeadline(options.deadlineMs ?? DEFAULT_FETCH_DEADLINE_MS, options.signal);
  try {
    return await fetchPermitted(checked, options, deadline.signal);
  } catch (error) {
    return {
      status: 'failed',
      url,
      reason: 'connect-failed',
      detail: error instanceof Error ? error.message.slice(0, 200) : 'unknown error',
    };
  } finally {
    deadline.stop();
  }
}

async function fetchPermitted(
  url: PermittedUrl,
  options: BoundedFetchOptions,
  signal: AbortSignal,
): Promise<BoundedFetchResult> {
  const connection = await openConnection(url, options, signal);
  if (signal.aborted && connection.status !== 'refused') {
    if (connection.status === 'connected') connection.socket.destroy();
    return { status: 'failed', url: url.url, reason: 'timeout', detail: 'deadline reached' };
  }
  if (connection.status !== 'connected') return { ...connection, url: url.url };
  const headers = requestHeaders(options);
  const response = await getOverSocket(connection.socket, { url, headers, maxBytes: options.maxBytes }, signal);
  return resultOf(url.url, response, options.validators !== undefined, connection.remoteAddress);
}

function resultOf(
  url: string,
  response: HttpGetResult,
  conditional: boolean,
  remoteAddress: string,
): BoundedFetchResult {
  if (response.status === 'failed') return { ...response, url };
  if (response.httpStatus === 200)
    return { status: 'fetched', url, body: response.body, headers: response.headers, remoteAddress };
  if (conditional) return { status: 'not-modified', url, headers: response.headers, remoteAddress };
  return {
    status: 'failed',
    url,
    reason: 'http-status',
    detail: 'HTTP 304 to an unconditional request',
    httpStatus: 304,
  };
}

function requestHeaders(options: BoundedFetchOptions): Record<string, string> {
  const headers: Record<string, string> = { accept: options.accept ?? '*/*' };
  if (options.validators?.etag !== undefined) headers['if-none-match'] = options.validators.etag;
  if (options.validators?.lastModified !== undefined) headers['if-modified-since'] = options.validators.lastModified;
  if (options.noCache === true) headers['cache-control'] = 'no-cache';
  return headers;
}

/** A signal that aborts at the deadline or when the outer signal does; `stop` ends the timer. */
export function startDeadline(
  deadlineMs: number,
  outer: AbortSignal | undefined,
): { readonly signal: AbortSignal; readonly stop: () => void } {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  const cancel = scheduleInBackground(abort, deadlineMs);
  if (outer?.aborted === true) abort();
  outer?.addEventListener('abort', abort, { once: true });
  const stop = (): void => {
    cancel();
    outer?.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, stop };
}
