import { readBySchema } from '../../core/schema-findings.js';
import type { RecordBatchAnswer } from './record-batch.js';
import { recordBatchAnswerSchema } from './record-batch.schema.js';

/** An answer that was read, or why it is none. */
export type RecordBatchAnswerReading =
  | { readonly status: 'read'; readonly answer: RecordBatchAnswer }
  | { readonly status: 'unreadable'; readonly detail: string };

/**
 * Reads what a receiver says about a batch. Whoever takes for a yes what is none loses records: an answer has to name the batch and
 * account for every record of it. Never throws, whatever the text.
 * @param text - body of the response, bounded by whoever read it
 * @param batch - the batch that was sent
 * @returns the answer, or what is wrong with it
 * @see RFC 8259
 * @example
 * ```ts
 * const batch = { id: '0'.repeat(32), count: 2 };
 * const reading = readRecordBatchAnswer(JSON.stringify({ batchId: batch.id, accepted: 2, rejected: [] }), batch);
 * console.log(reading.status); // read
 * ```
 */
export function readRecordBatchAnswer(
  text: string,
  batch: { readonly id: string; readonly count: number },
): RecordBatchAnswerReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { status: 'unreadable', detail: 'the answer is no JSON' };
  }
  const parsed = readBySchema(recordBatchAnswerSchema, value);
  if (!parsed.success) {
    const path = parsed.error.issues[0]?.path.join('.') ?? '';
    return { status: 'unreadable', detail: `the answer does not have the form of one at "${path.slice(0, 100)}"` };
  }
  const answer = parsed.data;
  if (answer.batchId !== batch.id) return { status: 'unreadable', detail: 'the answer is of another batch' };
  const answered = answer.accepted + answer.rejected.length;
  if (answered !== batch.count)
    return { status: 'unreadable', detail: `the answer accounts for ${answered} of ${batch.count} records` };
  return { status: 'read', answer };
}
