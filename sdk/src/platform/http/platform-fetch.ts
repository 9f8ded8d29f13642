/** A request to the platform, as it is handed to whatever sends it. */
export interface PlatformFetchRequest {
  readonly method: string;
  /** By lower-case name. */
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array;
  /** Ends the request, and the reading of its answer. */
  readonly signal: AbortSignal;
  /** Redirects are not followed: they would carry the credential elsewhere. */
  readonly redirect: 'manual';
}

/**
 * Sends one request: `globalThis.fetch`, that of undici with a dispatcher of its own, or {@link createTlsFetch}.
 * @see https://fetch.spec.whatwg.org/#fetch-method
 */
export type PlatformFetch = (url: string, request: PlatformFetchRequest) => Promise<Response>;
