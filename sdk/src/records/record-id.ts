import { hash } from 'node:crypto';

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
