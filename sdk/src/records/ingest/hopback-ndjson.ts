import type { CallRecord } from '../../core/call-record.js';
import { callRecordSchema } from '../../platform/wire/call-record.schema.js';
import { recordIdOf } from '../record-id.js';
import { rowText } from './csv-fields.js';
import { rejectedRow, skippedRow } from './leg.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from './record-reader.js';
import { HopbackError } from '../../errors.js';

/** A record with the evidence of a verification has some 3 KiB; its bounds together allow more than anybody writes. */
export const MAX_RECORD_CHARS = 262_144;

/**
 * Makes the reader of our own format: one {@link CallRecord} a line, as `hopback records` and the stream write them, or as a carrier's
 * own exporter does. A record keeps the source that it names; only the hash of its bytes is made anew, and only where it has none.
 * Every member has to be in its form and its bounds, and the record id has to be the one of its source, leg and time. Keys that are not known
 * are left out.
 * @param description - name of the source; records keep what they say themselves
 * @returns the reader; each line is a leg, 262,144 characters at most, and none waits for another
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name; never for what a file holds
 * @see https://github.com/ndjson/ndjson-spec
 * @example
 * ```ts
 * const reader = createHopbackNdjsonReader({ id: 'archive', format: 'hopback', time: { zone: 'utc' } });
 * console.log(reader.framing); // lines
 * ```
 */
export function createHopbackNdjsonReader(description: SourceDescription): RecordReader {
  if (description.id === '') throw new HopbackError('invalid-configuration', 'A source needs a name.');
  return {
    framing: 'lines',
    read: readLine,
    expire: () => [],
    waiting: () => 0,
  };
}

function readLine(row: SourceRow): readonly RowReading[] {
  const text = rowText(row);
  if (text.length > MAX_RECORD_CHARS)
    return rejectedRow('too-long', `a record of more than ${MAX_RECORD_CHARS} characters`);
  if (text.trim() === '') return skippedRow('not-a-call');
  const value = withSourceHash(parsed(text), row.sha256);
  if (value === undefined) return rejectedRow('bad-json', 'no JSON object');
  const result = callRecordSchema.safeParse(value);
  if (!result.success) return rejectedIssue(value, result.error.issues[0]);
  return sameLeg(result.data);
}

/** A record whose id is another's would take that one's place. */
function sameLeg(record: CallRecord): readonly RowReading[] {
  const { source, legId, inviteAtUs, recordId } = record;
  return recordIdOf({ sourceId: source.id, legId, inviteAtUs }) === recordId
    ? [{ status: 'record', record }]
    : rejectedRow('bad-field', 'not the id of the source, leg and time of the record', 'recordId');
}

interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
}

/** Names the member and the rule that it breaks, and not its value, which may be somebody's number. */
function rejectedIssue(value: object, issue: Issue | undefined): readonly RowReading[] {
  const path = issue?.path ?? [];
  const field = path.length === 0 ? 'record' : path.map(String).join('.');
  return valueAt(value, path) === undefined
    ? rejectedRow('missing-field', 'a record without it', field)
    : rejectedRow('bad-field', `not in the form of a call record: ${issue?.code ?? 'unknown'}`, field);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let at = value;
  for (const key of path) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as Readonly<Record<PropertyKey, unknown>>)[key];
  }
  return at;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Undefined where it is no object. */
function withSourceHash(value: unknown, sha256: string): object | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const source = (value as { readonly source?: unknown }).source;
  if (typeof source !== 'object' || source === null || Object.hasOwn(source, 'sha256')) return value;
  return Object.assign(value, { source: Object.assign(source, { sha256 }) });
}
