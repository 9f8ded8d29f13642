import type { Certificate } from './certificate.js';

/** Why an x5u URL was refused before any connection was made, or at the connected socket. */
export type X5uRefusal =
  | 'not-a-url'
  | 'scheme-not-https'
  | 'port-not-permitted'
  | 'userinfo-present'
  | 'query-present'
  | 'fragment-present'
  | 'host-not-permitted'
  | 'address-special-purpose'
  | 'url-too-long'
  | 'characters-not-permitted';

/** Why a permitted x5u URL did not yield a certificate chain. */
export type X5uFailure =
  | 'dns-failed'
  | 'connect-failed'
  | 'tls-failed'
  | 'timeout'
  | 'http-status'
  | 'redirect'
  | 'body-too-large'
  | 'body-encoding'
  | 'body-malformed'
  | 'overloaded';

/**
 * What a repository knows of one x5u URL. `detail` is for people.
 * - `found`: a chain that was parsed, not yet trusted.
 * - `refused`: the URL or the address behind it is not permitted (436). A refused text is never fetched; a refused address is
 *   looked up again after a growing wait, since a name may move.
 * - `unavailable`: could not be fetched; a negative entry says until when nobody asks again.
 */
export type CertificateLookup =
  | {
      readonly status: 'found';
      readonly url: string;
      /** End entity first, as published. The same array object for as long as the entry lives, so that results may be cached by it. */
      readonly chain: readonly Certificate[];
      /** Milliseconds since the epoch. */
      readonly fetchedAtMs: number;
      /** Milliseconds since the epoch. After this the entry is stale: still served while it is revalidated in the background. */
      readonly freshUntilMs: number;
      /** Deviations worth a note: content type, … */
      readonly notes: readonly string[];
    }
  | {
      readonly status: 'refused';
      readonly url: string;
      readonly reason: X5uRefusal;
      readonly detail: string;
    }
  | {
      readonly status: 'unavailable';
      readonly url: string;
      readonly reason: X5uFailure;
      readonly detail: string;
      /** How long from now nobody asks again, milliseconds; 0 where nothing was remembered (`overloaded`). */
      readonly retryAfterMs: number;
    };

/** A lookup that found a chain. */
export type FoundChain = CertificateLookup & { readonly status: 'found' };

/** One cached chain as it is kept on disk and handed between machines. Says what was published, not that it is trusted. */
export type CachedChainEnvelope = CertificateCacheExport['entries'][number];

/** All cached chains of a repository. */
export interface CertificateCacheExport {
  /** Marks the form; a reader ignores others. */
  readonly format: 'hopback.certificate-cache.1';
  /** Milliseconds since the epoch. */
  readonly exportedAtMs: number;
  /** The oldest first. */
  readonly entries: readonly {
    /** Marks the form; a reader ignores others. */
    readonly format: 'hopback.certificate-chain.1';
    /** The exact text of the x5u. */
    readonly url: string;
    /** PEM, end entity first. */
    readonly body: string;
    /** SHA-256 of `body`, lower-case hex: finds damage, not forgery. */
    readonly bodySha256: string;
    /** Milliseconds since the epoch. */
    readonly fetchedAtMs: number;
    /** Milliseconds since the epoch. */
    readonly freshUntilMs: number;
    /** Entity tag as sent, at most 256 characters. */
    readonly etag?: string;
    /** `Last-Modified` as sent, at most 256 characters. */
    readonly lastModified?: string;
  }[];
}

/** How a repository has fared since it was made; counts, except where the name says otherwise. */
export interface RepositoryStats {
  /** Chains in memory now. */
  readonly entries: number;
  /** What these chains take by estimate, bytes, now. */
  readonly sizeBytes: number;
  /** URLs that are remembered as not working, now. */
  readonly negativeEntries: number;
  /** Fetches under way, now. */
  readonly activeFetches: number;
  /** Fetches that wait for a socket, now. */
  readonly queuedFetches: number;
  /** Look-ups answered by a chain that is fresh. */
  readonly hits: number;
  /** Look-ups answered by a chain that is stale. */
  readonly staleHits: number;
  /** Look-ups answered by a URL that is remembered as not working. */
  readonly negativeHits: number;
  /** Look-ups for which disk or network had to be asked. */
  readonly misses: number;
  /** Requests that were begun on the network, revalidations included. */
  readonly fetches: number;
  /** Fetches that brought no chain. */
  readonly fetchFailures: number;
  /** Chains in memory that a fresh copy was asked for. */
  readonly revalidations: number;
  /** Revalidations that brought another chain at the same URL. */
  readonly rotations: number;
  /** Look-ups and revalidations for which no socket was free in time. */
  readonly overloaded: number;
  /** Files read and found good; 0, as all that follow, without a cache directory. */
  readonly diskLoads: number;
  /** Files that were there and not usable. */
  readonly diskCorrupted: number;
  /** Reads that failed or took too long. */
  readonly diskReadFailures: number;
  /** Files written. */
  readonly diskWrites: number;
  /** Writes that failed, or were dropped since too many waited. */
  readonly diskWriteFailures: number;
}
