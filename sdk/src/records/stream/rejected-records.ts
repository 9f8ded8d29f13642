import type { RecordRejection } from '../../platform/wire/record-batch.js';
import type { DeadLetterCause } from './dead-letters.js';
import type { RecordRun } from './record-chunk.js';
import { lineRecordId } from './spool-frame.js';

/** A record that the receiver will not have, and why. */
export interface RejectedRecord {
  /** As it was sent. */
  readonly line: Uint8Array;
  readonly cause: DeadLetterCause;
}

/**
 * Finds the records of a batch that an answer rejects.
 * @param records - of the batch; one may be there twice, and is rejected twice then
 * @param rejected - what the answer says
 * @returns undefined where it rejects what is not in the batch, or more often than it is there: the numbers may add up, and yet a
 * record that the receiver does not have would count as taken
 */
export function rejectedRecords(
  records: RecordRun,
  rejected: readonly RecordRejection[],
): readonly RejectedRecord[] | undefined {
  if (rejected.length === 0) return [];
  const byId = new Map(rejected.map((rejection) => [rejection.recordId, rejection]));
  const unmatched = new Map<string, number>();
  for (const { recordId } of rejected) unmatched.set(recordId, (unmatched.get(recordId) ?? 0) + 1);
  const found: RejectedRecord[] = [];
  for (let index = 0; index < records.count; index += 1) {
    const line = records.line(index);
    const recordId = lineRecordId(line) ?? '';
    const rejection = byId.get(recordId);
    if (rejection === undefined) continue;
    unmatched.set(recordId, (unmatched.get(recordId) ?? 0) - 1);
    const { code, detail } = rejection;
    const cause: DeadLetterCause = { reason: 'rejected', code, ...(detail === undefined ? {} : { detail }) };
    found.push({ line, cause });
  }
  return [...unmatched.values()].some((count) => count > 0) ? undefined : found;
}
