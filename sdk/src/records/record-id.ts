import { hash } from 'node:crypto';
import { membersOf } from '../core/text.js';
import type { CallRecord } from '../contract/call-record.js';

/** Digits of a record id: 128 bits, so that no two legs of any switch ever share one by chance. */
export const RECORD_ID_DIGITS = 32;

/**
 * The id of a leg: the same for the same source, leg and time, on any machine and in any release, so that what is read or sent twice
 * is one record.
 * @param parts - the source, its leg, and when the leg began, microseconds since the epoch
 * @returns 32 lower-case hexadecimal digits; never throws
 * @see FIPS 180-4 section 6.2, of whose digest the first 128 bits are taken
 * @example
 * ```ts
 * console.log(recordIdOf({ sourceId: 'sbc-1', legId: 'a84b4c76', inviteAtUs: 1_700_000_000_000_000 })); // d546c842a20f26164092a1e15ac8fa4e
 * ```
 */
export function recordIdOf(parts: {
  readonly sourceId: string;
  readonly legId: string;
  readonly inviteAtUs: number;
}): string {
  const { sourceId, legId, inviteAtUs } = parts;
  // The one-shot hash takes half the time of a hash object. Lengths keep a separator inside a name from making two different legs one.
  const text = `${sourceId.length}:${sourceId}${legId.length}:${legId}${inviteAtUs}`;
  return hash('sha256', text, 'hex').slice(0, RECORD_ID_DIGITS);
}

/**
 * SHA-256 of the bytes that a record was read from, lower-case hexadecimal.
 * @param bytes - octets as they were found, without the line end; of a string those of its UTF-8
 * @returns 64 hexadecimal digits; never throws
 * @see FIPS 180-4 section 6.2
 * @example
 * ```ts
 * console.log(sourceSha256('a,b,c').slice(0, 16)); // 205830ca5b23bbe3
 * ```
 */
export function sourceSha256(bytes: Uint8Array | string): string {
  return hash('sha256', bytes, 'hex');
}

/**
 * The hash of a record that was made from several rows or packets: the SHA-256 of their hashes in ascending order, each followed by a line
 * feed. The order of the rows does not matter. For a single row it is the hash of that row.
 * @param hashes - SHA-256 of each, lower-case hexadecimal
 */
export function joinedSha256(hashes: readonly string[]): string {
  const [only, ...others] = hashes;
  if (only !== undefined && others.length === 0) return only;
  return sourceSha256(
    hashes
      .toSorted()
      .map((one) => `${one}\n`)
      .join(''),
  );
}

/** The bytes that a record was read from, and whether they are still those. */
export type RawEvidence =
  | {
      readonly status: 'kept';
      /** One for each row or packet, without its line end. Where an entry of the record is none, an empty one. */
      readonly rows: readonly Uint8Array[];
      /** Whether `source.sha256` is the hash of these bytes. */
      readonly matches: boolean;
    }
  /** The record has the hash alone. */
  | { readonly status: 'not-kept' };

/**
 * Gives the bytes back that a record was read from, and makes their hash anew. That they match says that record and bytes belong
 * together since the record was made; it does not say that nobody made both of them.
 * @param record - from a store or a reader; what its `source.raw` holds may be anything
 * @returns the octets of each row and whether they match, or that none were kept; never throws for what a record holds
 * @see FIPS 180-4 section 6.2, `source` of {@link CallRecord} for the hash of several rows
 * @example
 * ```ts
 * const source = { id: 'fs-1', format: 'freeswitch-csv', time: { zone: 'utc' }, keepRaw: true } as const;
 * const text =
 *   '"Ann","12025550101","12025550102","public","2026-11-02 12:00:00","","2026-11-02 12:00:09","9","0",' +
 *   '"NO_ANSWER","c0a8b1d2-0000-4000-8000-000000000001","","","PCMU","PCMU"';
 * const ofOtherBytes = '0'.repeat(64);
 * const [reading] = createSourceReader(source).read({ text, sha256: ofOtherBytes, line: 1 });
 * const evidence = reading?.status === 'record' ? rawEvidence(reading.record) : undefined;
 * if (evidence?.status === 'kept') console.log(evidence.rows.length, evidence.matches); // 1 false
 * ```
 */
export function rawEvidence(record: CallRecord): RawEvidence {
  const { raw, sha256 }: { readonly raw?: unknown; readonly sha256?: unknown } = membersOf(record.source);
  if (!Array.isArray(raw) || raw.length === 0) return { status: 'not-kept' };
  const read = raw.map(bytesOf);
  const rows = read.map((bytes) => bytes ?? new Uint8Array(0));
  const isWhole = read.every((bytes) => bytes !== undefined) && !isListOfHashes(rows);
  return { status: 'kept', rows, matches: isWhole && joinedSha256(rows.map(sourceSha256)) === sha256 };
}

/** Undefined where an entry is neither text nor base64, or both. */
function bytesOf(row: unknown): Uint8Array | undefined {
  const { text, base64 }: { readonly text?: unknown; readonly base64?: unknown } = membersOf(row);
  if (typeof text === 'string' && base64 === undefined) return Uint8Array.from(Buffer.from(text, 'utf8'));
  if (typeof base64 !== 'string' || text !== undefined) return undefined;
  const bytes = Buffer.from(base64, 'base64');
  // What is no base64 is passed over in reading, and is not written again.
  return bytes.toString('base64') === base64 ? Uint8Array.from(bytes) : undefined;
}

/**
 * Whether this is not a row but a list of hashes, whose own hash is that of several rows. Rows are kept without a line feed at the end, so no
 * real row is taken for such a list.
 */
function isListOfHashes([first, ...others]: readonly Uint8Array[]): boolean {
  return first !== undefined && others.length === 0 && /^(?:[0-9a-f]{64}\n){2,}$/.test(Buffer.from(first).toString());
}
