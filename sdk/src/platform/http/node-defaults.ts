import { randomUUID } from 'node:crypto';
import type { PlatformFetch } from './platform-fetch.js';

// What callers may hand in, and what is taken where they do not.

/** The dice of the machine: a number from 0 up to, not including, 1. For jitter, not for secrets. */
export const nodeRandom = (): number => Math.random();

/** An id that nobody else makes: a UUID, version 4. */
export const nodeId = (): string => randomUUID();

/** The fetch of the moment of the call: whoever puts another one in its place, as test kits do, may do so later. */
export const nodeFetch: PlatformFetch = async (url, request) => {
  const response = await globalThis.fetch(url, request);
  // A network error rejects. A test kit in the place of fetch resolves with it, as status 0, where another library has replaced Response.
  if (response.status === 0) throw new TypeError('network error');
  return response;
};
