import type { PlatformAnswer } from '@hopback/sdk/platform';
import type { Caller } from '../core/index.js';

/** Knows whose tokens are. Carried out by the area `trust`. */
export interface AccessTokens {
  /** Who calls with a token; undefined where nobody may with it. Never rejects for peer input. */
  readonly callerOf: (
    token: string,
    options: { readonly nowMs: number; readonly certificateSha256?: string },
  ) => Promise<Caller | undefined>;
}

/** A call under a key. */
export interface KeyedCall {
  readonly clientId: string;
  readonly organizationId: string;
  readonly key: string;
  /** Method and path, and what the query says. */
  readonly target: string;
  readonly bytes: Uint8Array;
  readonly nowMs: number;
}

/**
 * Carries each call out once: the same one again gets the stored answer, another one under its key `idempotency-key-reused`, and one that
 * comes while the first is carried out `idempotency-in-progress`. What failed on the platform's side is not stored.
 * @see draft-ietf-httpapi-idempotency-key-header-07 section 2
 */
export interface IdempotencyStore {
  readonly once: (call: KeyedCall, carryOut: () => Promise<PlatformAnswer>) => Promise<PlatformAnswer>;
}
