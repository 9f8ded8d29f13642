import type { ConformanceRun } from '../conformance-run.js';
import { conformanceRunSchema } from './conformance-run.schema.js';

/**
 * Reads the text of a `summary.json`.
 * @param text - JSON
 * @returns the run; undefined for what is none; never throws
 * @see RFC 8259
 * @example
 * ```ts
 * console.log(conformanceRunOf('{}')); // undefined
 * ```
 */
export function conformanceRunOf(text: string): ConformanceRun | undefined {
  try {
    const read = conformanceRunSchema.safeParse(JSON.parse(text));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
