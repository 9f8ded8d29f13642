import { jsonAnswer, problemAnswer } from '../../platform/index.js';
import type { PlatformAnswer, PlatformScope, ReadPlatformRequest } from '../../platform/index.js';
import { pageOf } from './paging.js';
import type { Placed } from './paging.js';

/** A call of the platform that is in the form of the contract, by somebody who may make it. */
export interface KitCall {
  /** Empty where the route asks for no token. */
  readonly clientId: string;
  /** How far the token reaches. */
  readonly scopes: readonly PlatformScope[];
  readonly request: ReadPlatformRequest;
  /** Ends with the connection. */
  readonly signal: AbortSignal;
}

/** Carries a call out. */
export type KitHandler = (call: KitCall) => Promise<PlatformAnswer> | PlatformAnswer;

/** A page as an answer, or that the cursor is none. */
export function paged<Item>(
  items: readonly Placed<Item>[],
  { request: { parameters } }: KitCall,
  order: 'oldest-first' | 'newest-first',
): PlatformAnswer {
  const page = pageOf(items, parameters, order);
  return page === undefined
    ? problemAnswer('invalid-parameter', { errors: [{ pointer: 'cursor', code: 'unknown' }] })
    : jsonAnswer(page);
}
