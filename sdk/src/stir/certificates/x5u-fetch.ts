import type { IncomingHttpHeaders } from 'node:http';
import { fetchBounded } from './bounded-fetch.js';
import type { BoundedFetchOptions, BoundedFetchResult } from './bounded-fetch.js';

/**
 * Sockets open at a time for certificates. A carrier meets a few hundred repositories, of which few are cold at once; what is
 * more only helps whoever floods us.
 */
export const MAX_CONCURRENT_FETCHES = 64;

/** Of these for one site, so that one slow site leaves seven eighths of the sockets to the others. */
export const MAX_CONCURRENT_FETCHES_PER_SITE = 8;

/** Lookups that wait for a socket, eight a socket; further ones are told `overloaded` at once instead of far too late. */
export const MAX_QUEUED_FETCHES = 512;

/** Of these for one site, so that one site cannot fill the queue. */
export const MAX_QUEUED_FETCHES_PER_SITE = 64;

/** Limits of fetch slots. */
export interface FetchSlotLimits {
  /** Sockets open at a time. Default 64. */
  readonly maxConcurrent: number;
  /** Of these for one site. Default 8. */
  readonly maxConcurrentPerSite: number;
  /** Fetches that wait for a socket. Default 512. */
  readonly maxQueued: number;
  /** Of these for one site. Default 64. */
  readonly maxQueuedPerSite: number;
}

/** Gives a slot back; may be called once. */
type Release = () => void;

type Waiting = (release: Release | undefined) => void;

/** Creates fetch slots, which sites get in turn. They hold no timers: a caller that waits brings the signal that ends its wait. */
export function createFetchSlots(limits: FetchSlotLimits) {
  const activeBySite = new Map<string, number>();
  const waitingBySite = new Map<string, Waiting[]>();
  let active = 0;
  let queued = 0;
  let closed = false;

  const hasRoom = (site: string): boolean =>
    active < limits.maxConcurrent && (activeBySite.get(site) ?? 0) < limits.maxConcurrentPerSite;

  const occupy = (site: string): Release => {
    active += 1;
    activeBySite.set(site, (activeBySite.get(site) ?? 0) + 1);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      active -= 1;
      const left = (activeBySite.get(site) ?? 1) - 1;
      if (left === 0) activeBySite.delete(site);
      else activeBySite.set(site, left);
      admitNext();
    };
  };

  const admitNext = (): void => {
    for (const [site, waiting] of waitingBySite) {
      if (!hasRoom(site)) continue;
      const [next, ...others] = waiting;
      waitingBySite.delete(site);
      if (others.length > 0) waitingBySite.set(site, others);
      queued -= 1;
      next?.(occupy(site));
      return;
    }
  };

  const acquire = (site: string, signal?: AbortSignal): Promise<Release | undefined> => {
    if (closed || signal?.aborted === true) return Promise.resolve(undefined);
    if (hasRoom(site)) return Promise.resolve(occupy(site));
    const waiting = waitingBySite.get(site) ?? [];
    if (queued >= limits.maxQueued || waiting.length >= limits.maxQueuedPerSite) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const admit: Waiting = (release) => {
        signal?.removeEventListener('abort', giveUp);
        resolve(release);
      };
      const giveUp = (): void => {
        leave(site, admit);
        admit(undefined);
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      queued += 1;
      waitingBySite.set(site, [...waiting, admit]);
    });
  };

  const leave = (site: string, admit: Waiting): void => {
    const others = (waitingBySite.get(site) ?? []).filter((waiting) => waiting !== admit);
    if (others.length > 0) waitingBySite.set(site, others);
    else waitingBySite.delete(site);
    queued -= 1;
  };

  const close = (): void => {
    closed = true;
    for (const admit of [...waitingBySite.values()].flat()) admit(undefined);
    waitingBySite.clear();
    queued = 0;
  };

  return {
    /** A slot, at once or in turn, to be given back by calling it; `undefined` without room to wait, after an abort or after `close`. */
    acquire,
    active: () => active,
    queued: () => queued,
    close,
  };
}

/** Most bytes of an x5u body after decompression: a path of four certificates with comments is below 10 KiB. */
export const MAX_X5U_BODY_BYTES = 16_384;

/** Media type of a certificate chain. @see RFC 8555 section 9.1, ATIS-1000074 */
export const CERTIFICATE_CHAIN_TYPE = 'application/pem-certificate-chain';

/** Longest validator that is kept and sent back; a longer one is dropped, which only costs an unconditional fetch. */
const MAX_VALIDATOR_LENGTH = 256;

/**
 * Dereferences an x5u: text policy, address policy at the connected socket, TLS, one GET, at most 16 KiB, two seconds.
 * A content type other than `application/pem-certificate-chain` is accepted with a note, since many repositories send one.
 * @param url - the x5u as it stands in the PASSporT
 * @param options - laboratory exceptions, resolver, trust anchors of the web server, validators
 * @returns the body or why there is none. Never rejects and never throws for peer input.
 * @see RFC 8224 section 7.2, RFC 8226 section 7, ATIS-1000074
 * @example
 * ```ts
 * const pki = new TestPki();
 * await using server = await CertificateServer.start();
 * const x5u = server.publish('/1234.pem', pki.issueServiceProvider({ spc: '1234' }).chainPem);
 * const result = await fetchX5u(x5u, {
 *   // For a server on loopback; repositories of providers need neither.
 *   allow: { addresses: ['127.0.0.1'], ports: [server.ports.https] },
 *   ca: server.tlsRootPem,
 * });
 * if (result.status === 'fetched') console.log(parseCertificateChain(result.body).status); // parsed
 * // Without the exceptions nobody connects to an address like that.
 * console.log((await fetchX5u(x5u)).status); // refused
 * ```
 */
export function fetchX5u(url: string, options: Partial<BoundedFetchOptions> = {}): Promise<BoundedFetchResult> {
  return fetchBounded(url, {
    ...options,
    maxBytes: MAX_X5U_BODY_BYTES,
    accept: `${CERTIFICATE_CHAIN_TYPE}, */*;q=0.5`,
  });
}

/** What a cached copy is compared by. */
export type CacheValidators = NonNullable<BoundedFetchOptions['validators']>;

/** Validators of a response that are fit to be stored and sent back. */
export function validatorsOf(headers: IncomingHttpHeaders): CacheValidators {
  const { etag, 'last-modified': lastModified } = headers;
  return {
    ...(isValidator(etag) && { etag }),
    ...(isValidator(lastModified) && { lastModified }),
  };
}

/** Printable ASCII of bounded length: what may go back into a request header. */
export function isValidator(value: unknown): value is string {
  return typeof value === 'string' && value.length <= MAX_VALIDATOR_LENGTH && /^[\x20-\x7e]+$/.test(value);
}

/** Deviations of a response that are worth a note: the content type. */
export function notesOf(headers: IncomingHttpHeaders): readonly string[] {
  const { 'content-type': contentType = 'absent' } = headers;
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase();
  return mediaType === CERTIFICATE_CHAIN_TYPE
    ? []
    : [`content-type ${contentType.slice(0, 80)} instead of ${CERTIFICATE_CHAIN_TYPE}`];
}
