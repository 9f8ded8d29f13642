import { CallRecord } from '../../../contract/call-record.js';
import { readBySchema } from '../../../core/schema-findings.js';
import { isRecord, parsedJson } from '../../../core/text.js';
import { rawEvidence, recordIdOf } from '../../record-id.js';
import { disorderOf } from './row-times.js';
import { rawRowsOf, rowText, withRaw } from '../record-reader.js';
import { rejectedRow, rowReader, skippedRow } from './leg.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from '../record-reader.js';
import { HopbackError } from '../../../errors.js';

/** A record with the evidence of a verification has some 3 KiB, its raw rows as JSON 768 KiB at most. */
export const MAX_RECORD_CHARS = 1_048_576;

/**
 * Our own format: one {@link CallRecord} a line, as `hopback records` and the stream write them, or as a carrier's own exporter does. A record
 * keeps the source that it names, with the raw rows that it brings along, which have to match its hash; only where it has no hash that of the
 * line is put in its place, and with `keepRaw` the line itself. Every member has to be in its form and its bounds, times have to be in
 * order, and the record id has to be the one of its source, leg and time. Keys that are not known are left out.
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name; never for what a file holds
 * @see https://github.com/ndjson/ndjson-spec
 */
export function createHopbackNdjsonReader(description: SourceDescription): RecordReader {
  if (description.id === '') throw new HopbackError('invalid-configuration', 'A source needs a name.');
  const { keepRaw = false } = description;
  return rowReader('lines', (row) => readLine(row, keepRaw));
}

function readLine(row: SourceRow, keepRaw: boolean): readonly RowReading[] {
  const text = rowText(row);
  if (text.length > MAX_RECORD_CHARS)
    return rejectedRow('too-long', `a record of more than ${MAX_RECORD_CHARS} characters`);
  const trimmed = text.trim();
  if (trimmed === '') return skippedRow('not-a-call');
  // Asked before: a million rows that are not JSON would throw a million errors.
  const value = trimmed.startsWith('{') ? parsedJson(trimmed) : undefined;
  if (!isRecord(value)) return rejectedRow('bad-json', 'no JSON object');
  const isHashed = addSourceHash(value, row.sha256);
  const result = readBySchema(CallRecord, value);
  if (!result.success) return rejectedIssue(value, result.error.issues[0]);
  const fault = faultOf(result.data);
  if (fault !== undefined) return fault;
  return [{ status: 'record', record: isHashed && keepRaw ? withRaw(result.data, rawRowsOf([row])) : result.data }];
}

/** What makes a record of that form none that may be kept. */
function faultOf(record: CallRecord): readonly RowReading[] | undefined {
  const { source, legId, inviteAtUs, answeredAtUs, endedAtUs, recordId } = record;
  const disorder = disorderOf({ invite: { atUs: inviteAtUs }, answeredAtUs, endedAtUs });
  if (disorder !== undefined) return rejectedRow('bad-time', disorder);
  // Its id would be another's, whose place it would take.
  if (recordIdOf({ sourceId: source.id, legId, inviteAtUs }) !== recordId)
    return rejectedRow('bad-field', 'not the id of the source, leg and time of the record', 'recordId');
  const evidence = rawEvidence(record);
  return evidence.status === 'kept' && !evidence.matches
    ? rejectedRow('bad-field', 'not the bytes that source.sha256 is the hash of', 'source.raw')
    : undefined;
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
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null ? (at as Readonly<Record<PropertyKey, unknown>>)[key] : undefined,
    value,
  );
}

/** Puts a hash into a source that has none, unless it has raw rows: of those the hash is theirs. @returns whether it was put there */
function addSourceHash(value: unknown, sha256: string): boolean {
  if (!isRecord(value)) return false;
  const { source } = value;
  if (!isRecord(source) || Object.hasOwn(source, 'sha256') || Object.hasOwn(source, 'raw')) return false;
  Object.assign(source, { sha256 });
  return true;
}
