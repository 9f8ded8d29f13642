import { createHash } from 'node:crypto';
import { problemAnswer } from '../../platform/index.js';
import type { PlatformAnswer } from '../../platform/index.js';

/** A call under a key. */
export interface KeyedCall {
  readonly clientId: string;
  readonly key: string;
  /** Method and path. */
  readonly target: string;
  readonly bytes: Uint8Array;
}

/**
 * Carries each call out once: the same one again gets the stored answer, another one under its key is refused. What failed on the platform's
 * side is not stored.
 * @see draft-ietf-httpapi-idempotency-key-header-07 section 2
 */
export function createIdempotencyStore(): (
  call: KeyedCall,
  carryOut: () => Promise<PlatformAnswer>,
) => Promise<PlatformAnswer> {
  const entries = new Map<string, { readonly content: string; answer?: PlatformAnswer }>();
  return async ({ clientId, key, target, bytes }, carryOut) => {
    const name = `${clientId}\n${key}`;
    const content = `${target}\n${createHash('sha256').update(bytes).digest('hex')}`;
    const entry = entries.get(name);
    if (entry !== undefined && entry.content !== content) return problemAnswer('idempotency-key-reused');
    if (entry !== undefined) return entry.answer ?? problemAnswer('idempotency-in-progress', { retryAfterSeconds: 1 });
    const begun: { readonly content: string; answer?: PlatformAnswer } = { content };
    entries.set(name, begun);
    try {
      const answer = await carryOut();
      begun.answer = answer;
      return answer;
    } catch (error) {
      entries.delete(name);
      throw error;
    }
  };
}
