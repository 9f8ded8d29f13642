import { readBySchema } from '../../core/schema-findings.js';
import { tracebackStateSchema } from './traceback-state.schema.js';
import type { TracebackState } from './traceback-state.js';

/** What a store gave back. */
export type StateReading =
  | { readonly status: 'read'; readonly state: TracebackState }
  | {
      readonly status: 'refused';
      /** `unknown-format`: it was written by another version, or is something else. */
      readonly reason: 'unknown-format' | 'malformed';
      /** Where, `facts.3.atMs`; without what was there. */
      readonly at: string;
    };

/**
 * Reads the state of a traceback that was stored as JSON.
 * @param value - what `JSON.parse` made of it; may be anything
 * @returns the state, or what is wrong with it; never throws
 * @see RFC 8259
 * @example
 * ```ts
 * const { state } = startTraceback({ tracebackId: 'tb-1', atMs: Date.UTC(2026, 1, 3, 15), first: { name: 'Example Telco' } });
 * console.log(readTracebackState(JSON.parse(JSON.stringify(state))).status); // read
 * ```
 */
export function readTracebackState(value: unknown): StateReading {
  const read = readBySchema(tracebackStateSchema, value);
  if (read.success) return { status: 'read', state: read.data };
  const at = read.error.issues[0]?.path.map(String).join('.') ?? '';
  return { status: 'refused', reason: at === 'format' || at === '' ? 'unknown-format' : 'malformed', at };
}
