import { Resolver } from 'node:dns/promises';
import { connect as connectTcp, isIP, type LookupFunction, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, createSecureContext, type SecureContext } from 'node:tls';
import { valueWithin } from '../../core/runtime/deadline.js';
import { isSpecialPurposeAddress, parseNetworkSet } from './address-policy.js';
import type { X5uFailure, X5uRefusal } from './repository.js';
import type { PermittedUrl, X5uAllowList } from './x5u-url-policy.js';

/** Most addresses of one host that are tried; a host with more is served from the first of them. */
export const MAX_ADDRESSES_TRIED = 8;

/** Wait before the next address is tried beside a silent one, milliseconds. @see RFC 8305 section 5 */
export const CONNECTION_ATTEMPT_DELAY_MS = 250;

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
export type ConnectionProblem =
  | { readonly status: 'refused'; readonly reason: X5uRefusal; readonly detail: string }
  | { readonly status: 'failed'; readonly reason: X5uFailure; readonly detail: string };

/** A socket whose peer address was checked, with TLS on it where the scheme asks for that. */
export type ConnectionResult =
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
export async function openConnection(
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
