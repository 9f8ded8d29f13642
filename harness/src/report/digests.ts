import { createHash } from 'node:crypto';
import type { NetworkPlan } from '../network/plan/index.js';

/** SHA-256 of the canonical JSON of a value, hexadecimal. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex');
}

/**
 * SHA-256 of what a plan has somebody do, hexadecimal: who exists, and which calls are placed when and by which way. Why anybody would run it, and what the
 * run is held to, are no part of it.
 */
export function planDigest({ scenario, calls, ...network }: NetworkPlan): string {
  const setting = { ...scenario, why: undefined, thresholds: undefined };
  const hash = createHash('sha256').update(canonicalJson({ ...network, setting }));
  // A million calls are more text than one string can be.
  for (const call of calls) hash.update(canonicalJson(call));
  return hash.digest('hex');
}

const canonicalJson = (value: unknown): string => JSON.stringify(sortedKeys(value));

/** The same value with its members in the order of their names (RFC 8785 section 3.2.3). */
function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sortedKeys(member)]));
}
