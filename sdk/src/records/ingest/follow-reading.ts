import { basename, dirname, join } from 'node:path';
import { FINGERPRINT_BYTES, fingerprintOf } from './follow-position.js';
import type { Carrier, FollowPlaces, ReadPlace, Stream } from './follow-position.js';
import { filePieces, GzipFault, MemberRows, PIECE_BYTES } from './readable-files.js';
import type { DamagedMember, FileFacts, FollowedFile, FollowedFiles, ReadableFile } from './readable-files.js';
import type { RowFraming } from './record-reader.js';
import { createRowSplitter, MAX_ROW_BYTES } from './row-splitter.js';
import type { SplitRow } from './row-splitter.js';

/** Which files of a directory are followed. */
export interface FollowPattern {
  readonly directory: string;
  /** Whether a switch writes to a file of that name. */
  readonly isWritten: (name: string) => boolean;
  /** Whether it is such a file after it was rotated: `NAME.1`, `NAME-20261125`, `NAME.1.gz`. */
  readonly isRotated: (name: string) => boolean;
}

/**
 * Understands what is to be followed.
 * @param path - a file, a directory with all files in it, or a pattern with `*` and `?` in its last part
 * @param isDirectory - whether `path` is one
 * @param rotated - names of rotated files where they are not `NAME` and `.`, `-` or `_` and more: patterns with `*` and `?`
 */
export function followPattern(
  path: string,
  { isDirectory, rotated = [] }: { readonly isDirectory: boolean; readonly rotated?: readonly string[] },
): FollowPattern {
  // Names that begin with a dot are those of files that are still being copied.
  if (isDirectory) {
    return { directory: join(path), isWritten: (name) => !name.startsWith('.'), isRotated: () => false };
  }
  const written = basename(path);
  const patterns = [...['.', '-', '_'].map((separator) => `${written}${separator}*`), ...rotated];
  return {
    directory: dirname(path),
    isWritten: (name) => matchesWildcards(name, written),
    isRotated: (name) => patterns.some((pattern) => matchesWildcards(name, pattern)),
  };
}

/**
 * Whether a name is what a pattern says: `*` stands for any characters, `?` for one. Time grows with both lengths, whatever they hold.
 */
export function matchesWildcards(name: string, pattern: string): boolean {
  let at = 0;
  let within = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    if (pattern[within] === '*') {
      star = within;
      starAt = at;
      within += 1;
    } else if (within < pattern.length && (pattern[within] === '?' || pattern[within] === name[at])) {
      at += 1;
      within += 1;
    } else if (star >= 0) {
      // The last star takes one character more.
      starAt += 1;
      at = starAt;
      within = star + 1;
    } else return false;
  }
  while (pattern[within] === '*') within += 1;
  return within === pattern.length;
}

/** A file that may hold rows of the source, as it was just now. */
export interface Candidate extends FileFacts {
  readonly path: string;
  /** A switch may still write to it. */
  readonly isLive: boolean;
}

/** Files of the pattern, the one written to longest ago first. Rejects where the disk does not list them. */
export async function candidatesOf(
  pattern: FollowPattern,
  files: Pick<FollowedFiles, 'names' | 'facts'>,
): Promise<readonly Candidate[]> {
  const { directory, isWritten, isRotated } = pattern;
  const found: Candidate[] = [];
  let newestMs = -Infinity;
  for (const name of (await files.names(directory)).toSorted()) {
    const isName = isWritten(name);
    if (!isName && !isRotated(name)) continue;
    const path = `${directory}/${name}`;
    const facts = await files.facts(path);
    if (facts?.kind !== 'file') continue;
    if (isName) newestMs = Math.max(newestMs, facts.mtimeMs);
    found.push({ ...facts, path, isLive: isName });
  }
  // Where several names are written to, one after the other, the switch is at the newest.
  return found
    .map((candidate) => (candidate.mtimeMs < newestMs ? Object.assign(candidate, { isLive: false }) : candidate))
    .sort((a, b) => a.mtimeMs - b.mtimeMs || Number(a.isLive) - Number(b.isLive));
}

/** How content is read on. */
interface ReadOn {
  readonly file: ReadableFile;
  readonly isGzip: boolean;
  readonly framing: RowFraming;
  readonly maxRowBytes?: number;
  /** Asked at the end of the content whether nothing more is expected: then a last line without end is a row. */
  readonly isFinal: () => Promise<boolean>;
  /** Takes rows, and the place behind the last of them. @returns whether to go on */
  readonly take: (rows: readonly SplitRow[], place: ReadPlace) => Promise<boolean>;
}

/** How reading on ended. */
export type ReadOnEnd =
  /** At the end of the content. */
  | { readonly status: 'read' }
  /** Before it, because it was told to. */
  | { readonly status: 'stopped' }
  /** What stands before the place is not what was read, or no longer there: the file was truncated, or is another one. */
  | { readonly status: 'replaced' }
  /**
   * The packed content is damaged, or not all there yet. All that could be unpacked behind the place was taken. `isOther`: the fault
   * came before the place, so that nothing says whether this is the content that was read. `damaged`: with the rows of this reading.
   */
  | {
      readonly status: 'damaged';
      readonly fault: GzipFault;
      readonly damaged: DamagedMember | undefined;
      readonly isOther: boolean;
    };

/**
 * Reads content on from a place. What stood before the place is read along and compared, in the same reading, so that no row of other
 * content is ever taken for one of this.
 * @throws what the disk or `take` throws
 */
export async function readOn(place: ReadPlace, options: ReadOn): Promise<ReadOnEnd> {
  const { file, isGzip, framing, maxRowBytes = MAX_ROW_BYTES, take } = options;
  const from = place.offset - place.tail.sizeBytes;
  const window = createWindow(from, maxRowBytes);
  const splitter = createRowSplitter({
    framing,
    maxRowBytes,
    startOffset: place.offset,
    startLine: place.line,
  });
  const members = new MemberRows();
  let current = place;
  let isKnown = false;
  const pieces = isGzip ? filePieces(file, { from, members }) : overlappingPieces(file, from);
  try {
    for await (const piece of pieces) {
      window.push(piece);
      let octets = piece;
      if (!isKnown) {
        if (window.endOffset() < place.offset) continue;
        if (fingerprintOf(window.octets(from, place.offset)).sha256 !== place.tail.sha256)
          return { status: 'replaced' };
        isKnown = true;
        octets = window.octets(place.offset, window.endOffset());
      }
      const rows = splitter.push(octets);
      members.add(rows);
      current = placeAfter(splitter.place(), window, current);
      if (!(await take(rows, current))) return { status: 'stopped' };
    }
  } catch (error) {
    if (!(error instanceof GzipFault)) throw error;
    const damaged = members.damagedBy(error);
    return {
      status: 'damaged',
      fault: error,
      damaged,
      isOther: !isKnown && place.offset > 0,
    };
  }
  if (!isKnown && window.endOffset() < place.offset) return { status: 'replaced' };
  if (await options.isFinal()) {
    const rows = splitter.end();
    await take(rows, placeAfter(splitter.place(), window, current));
  }
  return { status: 'read' };
}

/** First octets of content: {@link FINGERPRINT_BYTES}, or all where there are less; and what ended packed content before that. */
export async function firstOctets(
  file: ReadableFile,
): Promise<{ readonly octets: Uint8Array; readonly fault?: GzipFault }> {
  const first: Uint8Array[] = [];
  let sizeBytes = 0;
  let fault: GzipFault | undefined;
  try {
    for await (const piece of filePieces(file, { pieceBytes: 4 * FINGERPRINT_BYTES })) {
      first.push(Uint8Array.from(piece.subarray(0, FINGERPRINT_BYTES - sizeBytes)));
      sizeBytes += piece.length;
      if (sizeBytes >= FINGERPRINT_BYTES) break;
    }
  } catch (error) {
    if (!(error instanceof GzipFault)) throw error;
    fault = error;
  }
  return { octets: Buffer.concat(first), ...(fault && { fault }) };
}

/** Whether the content of one plain file is the beginning of that of another. */
export async function isBeginningOf(file: ReadableFile, other: ReadableFile): Promise<boolean> {
  const theirs = new Uint8Array(PIECE_BYTES);
  let at = 0;
  for await (const piece of filePieces(file)) {
    let length = 0;
    while (length < piece.length) {
      const { bytesRead } = await other.read(theirs, length, piece.length - length, at + length);
      if (bytesRead === 0) return false;
      length += bytesRead;
    }
    if (Buffer.compare(piece, theirs.subarray(0, length)) !== 0) return false;
    at += length;
  }
  return true;
}

/** Octets that are read twice, at the end of one piece and before the next: rows are longer. */
const OVERLAP_BYTES = 64;

/** Pieces of a plain file; ends where the file was truncated and written anew between two of them. */
async function* overlappingPieces(file: ReadableFile, from: number): AsyncGenerator<Uint8Array> {
  const octets = new Uint8Array(OVERLAP_BYTES + PIECE_BYTES);
  let overlap = Buffer.alloc(0);
  for (let at = from; ;) {
    const { bytesRead } = await file.read(octets, 0, octets.length, at - overlap.length);
    if (bytesRead <= overlap.length) return;
    if (!overlap.equals(octets.subarray(0, overlap.length))) return;
    const piece = octets.subarray(overlap.length, bytesRead);
    at += piece.length;
    overlap = Buffer.from(octets.subarray(Math.max(0, bytesRead - OVERLAP_BYTES), bytesRead));
    yield piece;
  }
}

/** The octets of content around the place up to which it is read. */
type Window = ReturnType<typeof createWindow>;

function createWindow(startOffset: number, maxRowBytes: number) {
  // A row that is not complete, what is compared before it, and the piece that it came in.
  const mostBytes = maxRowBytes + FINGERPRINT_BYTES;
  let kept: Buffer = Buffer.alloc(0);
  let keptFrom = startOffset;
  let first: Buffer = Buffer.alloc(0);
  return {
    startOffset,
    push(piece: Uint8Array): void {
      if (first.length < FINGERPRINT_BYTES) {
        first = Buffer.concat([first, piece.subarray(0, FINGERPRINT_BYTES - first.length)]);
      }
      const cut = Math.max(0, kept.length - mostBytes);
      kept = Buffer.concat([kept.subarray(cut), piece]);
      keptFrom += cut;
    },
    endOffset: () => keptFrom + kept.length,
    /** A copy of the bytes between two offsets. */
    octets: (fromOffset: number, toOffset: number): Uint8Array =>
      Uint8Array.from(kept.subarray(Math.max(0, fromOffset - keptFrom), Math.max(0, toOffset - keptFrom))),
    /** The first of all, {@link FINGERPRINT_BYTES} at most. */
    first: (): Uint8Array => first,
  };
}

function placeAfter(
  { offset, line }: { readonly offset: number; readonly line: number },
  window: Window,
  before: ReadPlace,
): ReadPlace {
  if (offset === before.offset) return before;
  const isHeadSeen = window.startOffset === 0 && before.head.sizeBytes < FINGERPRINT_BYTES;
  return {
    offset,
    line,
    head: isHeadSeen ? fingerprintOf(window.first().subarray(0, offset)) : before.head,
    tail: fingerprintOf(window.octets(offset - FINGERPRINT_BYTES, offset)),
  };
}

/**
 * Files that are kept open at most, those that changed last: one that is written to, and the one before it, for each of some switches
 * in one directory.
 */
const FOLLOWED_OPEN_FILES = 16;

/** Opens and closes the files of a source. All of it rejects where the disk does. */
export class OpenCarriers {
  readonly #files: FollowedFiles;
  readonly #places: FollowPlaces;

  constructor(files: FollowedFiles, places: FollowPlaces) {
    this.#files = files;
    this.#places = places;
  }

  /** Opens a file where it is not open; undefined where another one has its name now. */
  async open(carrier: Carrier): Promise<FollowedFile | undefined> {
    carrier.file ??= await openSame(this.#files, carrier);
    return carrier.file;
  }

  /** An open file that holds a content as it was written, not packed. */
  async openPlain(stream: Stream): Promise<FollowedFile | undefined> {
    for (const carrier of stream.carriers.values()) {
      if (carrier.isGzip) continue;
      const file = await this.open(carrier);
      if (file !== undefined) return file;
    }
    return undefined;
  }

  /** The beginning of a file that is not assigned to a content yet; empty where it is gone. */
  async firstOctetsOf(path: string): Promise<Uint8Array> {
    const file = await this.#files.open(path);
    try {
      return file === undefined ? new Uint8Array(0) : (await firstOctets(file)).octets;
    } finally {
      await file?.close();
    }
  }

  async release(carrier: Carrier): Promise<void> {
    const { file } = carrier;
    carrier.file = undefined;
    // Only read from: whatever the disk says of it now, nothing is lost by it.
    await file?.close().catch(() => undefined);
  }

  /** Closes all but the {@link FOLLOWED_OPEN_FILES} that changed last. */
  async closeOldest(): Promise<void> {
    const byAge = this.#opened().sort((a, b) => (b.changedAtMs ?? -1) - (a.changedAtMs ?? -1));
    for (const carrier of byAge.slice(FOLLOWED_OPEN_FILES)) await this.release(carrier);
  }

  async closeAll(): Promise<void> {
    for (const carrier of this.#opened()) await this.release(carrier);
  }

  #opened(): Carrier[] {
    const carriers = this.#places.all().flatMap((stream) => [...stream.carriers.values()]);
    return carriers.filter(({ file }) => file !== undefined);
  }
}

/** Opens a file by its name, if it is still the one that was seen there. */
async function openSame(files: FollowedFiles, carrier: Carrier): Promise<FollowedFile | undefined> {
  const file = carrier.path === '' ? undefined : await files.open(carrier.path);
  if (file === undefined) return undefined;
  let isSame = false;
  try {
    isSame = (await file.facts()).key === carrier.key;
  } finally {
    if (!isSame) await file.close();
  }
  return isSame ? file : undefined;
}
