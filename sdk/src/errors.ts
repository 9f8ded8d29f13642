/**
 * Every code a {@link HopbackError} can carry. Closed: switching over it is checked at compile time.
 * - `invalid-argument`, `invalid-configuration`: the caller asked for what cannot be; the same call fails again.
 * - `key-unusable`, `certificate-unusable`: what was given to sign with, or to trust, is not what it should be.
 * - `signer-failed`: an external signer refused, broke or took too long.
 * - `storage-failed`: the disk.
 * - `log-inconsistent`: a signed log is not what was signed: entries were edited, removed, moved or cut off, or it belongs to another key.
 * - `trust-list-rejected`: the list of trust anchors or a CRL was refused; the store in use stays.
 * - `network-failed`: no answer of the platform: the connection was refused, broke, or took too long.
 * - `unavailable`: the platform says that it cannot answer now, or is too busy; or an address to listen on cannot be bound.
 * - `unauthorized`: the platform refuses the credential, or none could be had.
 * - `request-refused`: the platform refuses the request for what is in it, or knows no such thing; the same request fails again.
 * - `response-unreadable`: the platform answered in a form that is none of the contract.
 * - `aborted`: the caller gave the request up.
 * - `closed`: what was asked has been closed.
 * - `internal`: a bug of ours. Please report it.
 */
export type HopbackErrorCode =
  | 'invalid-argument'
  | 'invalid-configuration'
  | 'key-unusable'
  | 'certificate-unusable'
  | 'signer-failed'
  | 'storage-failed'
  | 'log-inconsistent'
  | 'network-failed'
  | 'trust-list-rejected'
  | 'unavailable'
  | 'unauthorized'
  | 'request-refused'
  | 'response-unreadable'
  | 'aborted'
  | 'closed'
  | 'internal';

const BRAND: unique symbol = Symbol.for('hopback.error');

/**
 * The one error class that this package throws: for mistakes of the caller, the platform, the disk and for bugs of ours.
 * Bytes that come from a peer never cause one; they are answered with a discriminated union instead.
 */
export class HopbackError extends Error {
  override readonly name = 'HopbackError';
  /** What went wrong, as a word that does not change between releases. */
  readonly code: HopbackErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Facts for the reader; free of telephone numbers, tokens and key material. */
  readonly details: Readonly<Record<string, string | number | boolean>>;

  static {
    // On the prototype, not a member: a symbol has no name in the declarations that users compile against.
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }

  constructor(
    code: HopbackErrorCode,
    message: string,
    options: {
      /** Whether the same call may succeed later without a change by the caller. Default false. */
      readonly retryable?: boolean;
      /** The error underneath, kept for logs. */
      readonly cause?: unknown;
      /** Facts for the reader, never telephone numbers, tokens or key material. */
      readonly details?: Readonly<Record<string, string | number | boolean>>;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details ?? {};
  }
}

/**
 * Tells whether a caught value is a {@link HopbackError}, also when two copies of the package are loaded. Never throws.
 * @param value - anything that was caught
 * @returns whether `code`, `retryable` and `details` can be read from it
 * @see {@link HopbackErrorCode} for what `code` can be
 * @example
 * ```ts
 * try {
 *   verificationPolicy({ freshnessSeconds: 0 });
 * } catch (error) {
 *   if (!isHopbackError(error)) throw error;
 *   console.log(error.code); // invalid-configuration
 * }
 * ```
 */
export function isHopbackError(value: unknown): value is HopbackError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
