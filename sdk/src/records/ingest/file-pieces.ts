import { basename } from 'node:path';
import type { ReadableFile } from './followed-files.js';
import { gunzipMembers } from './gzip-members.js';
import type { MemberRows } from './gzip-members.js';

/** Octets that are read at a time: beyond this reading gets no faster, and it is all of a file that is in memory. */
export const PIECE_BYTES = 262_144;

/** How a file is read. */
export interface FilePiecesOptions {
  /** Octets of the content, unpacked, that are passed over. Default 0. */
  readonly from?: number;
  /** Default {@link PIECE_BYTES}. */
  readonly pieceBytes?: number;
  /** Told of octets read from disk. */
  readonly onRead?: (sizeBytes: number) => void;
  /** Told where members of packed content begin. */
  readonly members?: MemberRows;
}

/** Names that packing programs give, also with what a rotation puts behind: `cdr.gz`, `cdr.gz-20261101`. */
const PACKED_NAME = /\.(?:gz|gzip|z|bz2|xz|zst|zip)(?:[-._]|$)/i;

/**
 * Whether a file is packed, by its name, in some form other than gzip: it holds neither gzip nor text. Its rows would be as many rejects. A
 * plain file under the name of a packed one is read as what it is.
 */
export async function isPackedOtherwise(file: ReadableFile, path: string): Promise<boolean> {
  if (!PACKED_NAME.test(basename(path)) || (await isGzip(file))) return false;
  const octets = new Uint8Array(TEXT_BYTES);
  const { bytesRead } = await file.read(octets, 0, TEXT_BYTES, 0);
  return octets.subarray(0, bytesRead).some((octet) => octet < 0x20 && !TEXT_CONTROLS.has(octet));
}

/** Of any packed form a KiB has control characters. */
const TEXT_BYTES = 1_024;
/** Tab, line feed, form feed, carriage return. */
const TEXT_CONTROLS: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0c, 0x0d]);

/** Whether a file is packed with gzip, by its first octets: rotated files are renamed in too many ways to go by names. @see RFC 1952 */
export async function isGzip(file: ReadableFile): Promise<boolean> {
  const magic = new Uint8Array(2);
  const { bytesRead } = await file.read(magic, 0, 2, 0);
  return bytesRead === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
}

/**
 * Reads the content of a file in pieces, unpacked where it is packed. A piece is valid until the next is asked for.
 * @throws what the disk throws; `GzipFault` where the packed content is damaged or cut off, behind all that could be unpacked
 */
export async function* filePieces(file: ReadableFile, options: FilePiecesOptions = {}): AsyncGenerator<Uint8Array> {
  const { from = 0 } = options;
  if (await isGzip(file))
    yield* behind(gunzipMembers(plainPieces(file, 0, options), PIECE_BYTES, options.members), from);
  else yield* plainPieces(file, from, options);
}

async function* plainPieces(
  file: ReadableFile,
  from: number,
  { pieceBytes = PIECE_BYTES, onRead }: FilePiecesOptions,
): AsyncGenerator<Uint8Array> {
  // Written over for each piece: a buffer of its own for each would pile up outside the heap faster than it is collected.
  const piece = new Uint8Array(pieceBytes);
  for (let at = from; ;) {
    const { bytesRead } = await file.read(piece, 0, piece.length, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    onRead?.(bytesRead);
    yield piece.subarray(0, bytesRead);
  }
}

async function* behind(pieces: AsyncIterable<Uint8Array>, from: number): AsyncGenerator<Uint8Array> {
  let left = from;
  for await (const piece of pieces) {
    if (left >= piece.length) left -= piece.length;
    else {
      yield left === 0 ? piece : piece.subarray(left);
      left = 0;
    }
  }
}
