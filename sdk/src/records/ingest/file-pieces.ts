import { createGunzip } from 'node:zlib';
import type { ReadableFile } from './followed-files.js';

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
}

/** Whether a file is packed with gzip, by its first octets: rotated files are renamed in too many ways to go by names. @see RFC 1952 */
export async function isGzip(file: ReadableFile): Promise<boolean> {
  const magic = new Uint8Array(2);
  const { bytesRead } = await file.read(magic, 0, 2, 0);
  return bytesRead === 2 && magic[0] === 0x1f && magic[1] === 0x8b;
}

/**
 * Reads the content of a file in pieces, unpacked where it is packed. A piece is valid until the next is asked for.
 * @throws what the disk or zlib throws: an error with `code`, one that begins with `Z_` where the packed content is damaged or cut off
 */
export async function* filePieces(file: ReadableFile, options: FilePiecesOptions = {}): AsyncGenerator<Uint8Array> {
  const { from = 0 } = options;
  if (await isGzip(file)) yield* behind(unpacked(plainPieces(file, 0, options)), from);
  else yield* plainPieces(file, from, options);
}

/** Whether an error says that packed content is damaged, or not all there. */
export function isDamagedGzip(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('Z_');
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

async function* unpacked(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  const feed = async (): Promise<void> => {
    for await (const piece of packed) {
      // zlib works on it in another thread while the next piece is read into the same memory.
      if (!gunzip.write(Uint8Array.from(piece))) await drained(gunzip);
      if (gunzip.destroyed) return;
    }
    gunzip.end();
  };
  const fed = feed().catch((error: unknown) =>
    gunzip.destroy(error instanceof Error ? error : new Error('cannot read')),
  );
  try {
    for await (const piece of gunzip) yield piece as Uint8Array;
  } finally {
    gunzip.destroy();
    await fed;
  }
}

/** Resolves when a stream takes more, or takes nothing any more. */
function drained(stream: NodeJS.EventEmitter): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const name of ['drain', 'close', 'error']) stream.removeListener(name, done);
      resolve();
    };
    for (const name of ['drain', 'close', 'error']) stream.once(name, done);
  });
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
