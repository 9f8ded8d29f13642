import { hash } from 'node:crypto';
import type { ListenerConfiguration } from '../config/configuration.js';

/** Who asks, or why nobody is let in. */
export type ClientResult =
  | { readonly status: 'admitted'; readonly name: string }
  | { readonly status: 'unknown' }
  | { readonly status: 'too-many'; readonly retryAfterSeconds: number };

/** What a client is known by. */
export interface ClientMarks {
  readonly remoteAddress: string;
  /** Value of Authorization. */
  readonly authorization: string | undefined;
}

/** Tells clients apart and holds them to their rate. */
export interface Clients {
  readonly admit: (marks: ClientMarks, nowMs: number) => ClientResult;
}

/** Clients whose rate is known; whoever comes with more has the ones that came longest ago forgotten, which have a full measure by then. */
const MAX_CLIENTS = 10_000;

/** @param listener - its tokens and rate */
export function createClients({ tokens, requestsPerSecond }: ListenerConfiguration): Clients {
  const byHash = new Map(tokens.map(({ name, sha256 }) => [sha256, name]));
  const buckets = new Map<string, { level: number; atMs: number }>();
  const take = (name: string, perSecond: number, nowMs: number): number => {
    const bucket = buckets.get(name) ?? { level: Math.max(1, perSecond), atMs: nowMs };
    buckets.delete(name);
    buckets.set(name, bucket);
    if (buckets.size > MAX_CLIENTS) for (const [oldest] of buckets) if (buckets.delete(oldest)) break;
    bucket.level = Math.min(
      Math.max(1, perSecond),
      bucket.level + (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1_000,
    );
    bucket.atMs = nowMs;
    if (bucket.level < 1) return Math.max(1, Math.ceil((1 - bucket.level) / perSecond));
    bucket.level -= 1;
    return 0;
  };
  return {
    admit({ remoteAddress, authorization }, nowMs) {
      const name = byHash.size === 0 ? remoteAddress : byHash.get(tokenHash(authorization));
      if (name === undefined) return { status: 'unknown' };
      if (requestsPerSecond === undefined) return { status: 'admitted', name };
      const retryAfterSeconds = take(name, requestsPerSecond, nowMs);
      return retryAfterSeconds === 0 ? { status: 'admitted', name } : { status: 'too-many', retryAfterSeconds };
    },
  };
}

const BEARER = /^Bearer +([\w.~+/=-]{1,512})$/i;

/** Of the hash nothing can be learned by how long a comparison takes. */
function tokenHash(authorization = ''): string {
  const [, token] = BEARER.exec(authorization) ?? [];
  return token === undefined ? '' : hash('sha256', token);
}
