import type { CallRecord } from '../../core/call-record.js';
import { byTime } from '../../records/store/record-query.js';

/** One passage of a call through the carrier: legs by time, at least one. */
export type Crossing = readonly [CallRecord, ...CallRecord[]];

/** Legs that are being collected. */
export type Legs = [CallRecord, ...CallRecord[]];

/**
 * The name of the call that a leg belongs to: the switch gave it that of its group, and another switch may give another call the same.
 */
export function groupName({ source, callGroupId }: CallRecord): string {
  return JSON.stringify([source.id, callGroupId]);
}

/** Legs by time. */
export function inOrder(legs: Crossing): Crossing {
  const [first, ...others] = legs.toSorted(byTime);
  return [first ?? legs[0], ...others];
}
