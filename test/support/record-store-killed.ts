import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { NOON_US, sampleRecord } from './stored-records.js';

/** The trunk of every record of the killed writer. */
export const KILLED_TRUNK = 'TG-KILLED';

/** One record of the killed writer: some hours on both sides of a midnight, not in order. */
export function killedRecord(index: number): CallRecord {
  const record = sampleRecord(index, NOON_US + ((index * 7_919) % 86_400) * 1_000_000 + index);
  return { ...record, ingress: { ...record.ingress, trunk: KILLED_TRUNK } };
}
