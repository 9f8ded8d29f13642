import { parseBoundedJson } from '../../core/json-text.js';
import type { JsonLimits, JsonValue } from '../../core/json-text.js';
import type { RejectReason } from './record-reader.js';

/** A row that could not be read, with all that it takes to see why and to read it again. */
export interface RejectedRow {
  /** Name of the source. */
  readonly sourceId: string;
  /** Name of the file as it was when it was read. */
  readonly file: string;
  /** Number of its first line, from 1; 0 where there are no lines. */
  readonly line: number;
  readonly reason: RejectReason;
  /** What is wrong, in the words of the format. */
  readonly field?: string;
  /** Why, for people; without numbers of people. */
  readonly detail: string;
  /** SHA-256 of all bytes of the row, lower-case hexadecimal. */
  readonly sha256: string;
  /** Its bytes, or the first of them. */
  readonly bytes: Uint8Array;
  /** How many it has. */
  readonly sizeBytes: number;
}

/** Where rows go that cannot be read. Neither member ever rejects or throws: a bad row stops nothing, and a full disk neither. */
export interface RejectSink {
  /** Takes a row; `bytes` are copied. */
  readonly reject: (row: RejectedRow) => void;
  /** Resolves when what was taken is on disk, or is given up and counted. */
  readonly flush: () => Promise<void>;
}

/** A rejected row as it is written: one line of JSON, its bytes in base64. */
export function rejectLine(row: RejectedRow): string {
  const { sourceId, file, line, reason, field, detail, sha256, sizeBytes } = row;
  const bytes = Buffer.from(row.bytes.buffer, row.bytes.byteOffset, row.bytes.byteLength).toString('base64');
  return `${JSON.stringify({ source: sourceId, file, line, reason, field, detail, sha256, sizeBytes, bytes })}\n`;
}

/**
 * Reads such a line back. Never throws.
 * @returns undefined where it is none: the last line of a file whose writer was killed
 */
export function readRejectLine(text: string): RejectedRow | undefined {
  const parsed = parseBoundedJson(text, REJECT_LINE_LIMITS);
  if (parsed.status !== 'parsed' || !isObject(parsed.value)) return undefined;
  const { source, file, line, reason, field, detail, sha256, sizeBytes, bytes } = parsed.value;
  if (typeof source !== 'string' || typeof file !== 'string' || typeof detail !== 'string') return undefined;
  if (typeof sha256 !== 'string' || typeof bytes !== 'string' || !isReason(reason)) return undefined;
  if (!isCount(line) || !isCount(sizeBytes)) return undefined;
  return {
    sourceId: source,
    file,
    line,
    reason,
    ...(typeof field === 'string' ? { field } : {}),
    detail,
    sha256,
    bytes: Buffer.from(bytes, 'base64'),
    sizeBytes,
  };
}

/** A row of MAX_REJECTED_BYTES in base64, and room for the names beside it, every character of which may be escaped. */
const REJECT_LINE_LIMITS: JsonLimits = { maxChars: 262_144, maxDepth: 2, maxEntries: 16 };

const REASONS: Readonly<Record<RejectReason, true>> = {
  'not-text': true,
  'too-long': true,
  'bad-quoting': true,
  'bad-json': true,
  'bad-packet': true,
  'missing-field': true,
  'too-few-fields': true,
  'bad-time': true,
  'time-does-not-exist': true,
  'bad-number': true,
  'bad-field': true,
};

function isReason(value: JsonValue | undefined): value is RejectReason {
  return typeof value === 'string' && Object.hasOwn(REASONS, value);
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: JsonValue): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
