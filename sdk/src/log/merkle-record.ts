/**
 * Entries that were made durable at once, and the checkpoint over them, in one record of the segment log: it is there whole or not at all,
 * so that no crash leaves an entry that nobody signed for.
 *
 * Layout, little-endian: version (1 octet), length of the note (u32), the note in UTF-8, number of entries (u16), then each entry as its
 * length (u32) and its octets.
 */
export interface MerkleRecord {
  readonly note: string;
  readonly entries: readonly Uint8Array[];
}

/** Entries of one record at most. */
export const RECORD_ENTRIES = 256;

const VERSION = 1;

/** Octets of a record. */
export function encodeMerkleRecord({ note, entries }: MerkleRecord): Buffer {
  const text = Buffer.from(note, 'utf8');
  const head = Buffer.alloc(5);
  head.writeUInt8(VERSION, 0);
  head.writeUInt32LE(text.length, 1);
  const count = Buffer.alloc(2);
  count.writeUInt16LE(entries.length, 0);
  const parts: Uint8Array[] = [head, text, count];
  for (const entry of entries) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(entry.length, 0);
    parts.push(length, entry);
  }
  return Buffer.concat(parts);
}

/** Reads a record; undefined for octets that are none. Never throws. */
export function decodeMerkleRecord(payload: Uint8Array): MerkleRecord | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  if (bytes.length < 7 || bytes.readUInt8(0) !== VERSION) return undefined;
  const noteEnd = 5 + bytes.readUInt32LE(1);
  if (noteEnd + 2 > bytes.length) return undefined;
  const count = bytes.readUInt16LE(noteEnd);
  if (count < 1 || count > RECORD_ENTRIES) return undefined;
  const entries: Uint8Array[] = [];
  let at = noteEnd + 2;
  for (let index = 0; index < count; index += 1) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32LE(at);
    if (end > bytes.length) return undefined;
    entries.push(bytes.subarray(at + 4, end));
    at = end;
  }
  const text = bytes.subarray(5, noteEnd);
  const note = text.toString('utf8');
  return at === bytes.length && Buffer.from(note, 'utf8').equals(text) ? { note, entries } : undefined;
}
