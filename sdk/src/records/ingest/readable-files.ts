import { watch } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { constants, crc32, createInflateRaw, inflateRawSync } from 'node:zlib';

/** What tells one state of a file from another. */
export interface FileFacts {
  /** Device and inode: the same file under whatever name, until it is deleted and the inode is given to another. */
  readonly key: string;
  readonly sizeBytes: number;
  /** When its content was changed last: milliseconds since the epoch, and in full as digits of nanoseconds. */
  readonly mtimeMs: number;
  readonly mtimeNs: string;
  readonly kind: 'file' | 'directory' | 'other';
}

/** A file that is open, and stays readable when it is renamed or deleted. */
export interface FollowedFile {
  /** Reads from any place. */
  readonly read: (
    octets: Uint8Array,
    offset: number,
    length: number,
    position: number,
  ) => Promise<{ readonly bytesRead: number }>;
  readonly facts: () => Promise<FileFacts>;
  readonly close: () => Promise<void>;
}

/** Something that is read from any place. */
export type ReadableFile = Pick<FollowedFile, 'read'>;

/** What following asks of a file system; tests have one in which things happen between any two of these calls. */
export interface FollowedFiles {
  /** Names in a directory; none where there is no directory. */
  readonly names: (directory: string) => Promise<readonly string[]>;
  /** Undefined where there is no such file, or it may not be looked at. */
  readonly facts: (path: string) => Promise<FileFacts | undefined>;
  readonly open: (path: string) => Promise<FollowedFile | undefined>;
  /** Calls when something may have changed in a directory, or never: a hint that saves waiting and cannot be relied on. */
  readonly watch?: (directory: string, changed: () => void) => () => void;
}

/** The file system of this machine. */
export const nodeFollowedFiles: FollowedFiles = {
  names: (directory) => readdir(directory).catch(absent([])),
  facts: (path) => stat(path, { bigint: true }).then(factsOf).catch(absent(undefined)),
  open: async (path) => {
    const file = await open(path, 'r').catch(absent(undefined));
    return file === undefined
      ? undefined
      : {
          read: (octets, offset, length, position) => file.read(octets, offset, length, position),
          facts: async () => factsOf(await file.stat({ bigint: true })),
          close: () => file.close(),
        };
  },
  watch: watchDirectory,
};

function factsOf(stats: BigIntStats): FileFacts {
  return {
    key: `${stats.dev}:${stats.ino}`,
    sizeBytes: Number(stats.size),
    mtimeMs: Number(stats.mtimeNs / 1_000_000n),
    mtimeNs: String(stats.mtimeNs),
    kind: stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other',
  };
}

/** Between a listing and a look a rotation takes files away; what may not be read today may tomorrow. */
const ABSENT_CODES: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM', 'ESTALE', 'ELOOP']);

function absent<Value>(value: Value): (error: NodeJS.ErrnoException) => Value {
  return (error) => {
    if (ABSENT_CODES.has(error.code)) return value;
    throw error;
  };
}

function watchDirectory(directory: string, changed: () => void): () => void {
  try {
    const watcher = watch(directory, { persistent: false }, changed);
    // No inotify on this file system, or no more watches for this user: the timer does it alone.
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
}

/** What is wrong with packed content. */
type GzipFaultCode =
  /** It ends in the middle of a member. */
  | 'gzip-truncated'
  /** Its header, its data or its checksum are wrong. */
  | 'gzip-damaged'
  /** Behind its last member is something that is neither a member nor padding. All members were unpacked. */
  | 'gzip-trailing-octets';

/** A member of packed content that is cut off or changed. Its checksum stands behind it, where its rows are read already. */
export interface DamagedMember {
  /** Its number in the file, from 1. */
  readonly member: number;
  /** Rows that ended in it and were taken in: nothing says that they are what was packed. */
  readonly rows: number;
}

/** Packed content that cannot be unpacked to its end. */
export class GzipFault extends Error {
  readonly code: GzipFaultCode;
  /** Absent where all members are whole, or rows were not counted. */
  readonly damaged?: DamagedMember;

  constructor(code: GzipFaultCode, message: string, options: ErrorOptions & { damaged?: DamagedMember } = {}) {
    super(message, options);
    this.name = 'GzipFault';
    this.code = code;
    if (options.damaged !== undefined) this.damaged = options.damaged;
  }

  /** The same fault, which also names the member and its rows. */
  of(damaged: DamagedMember | undefined): GzipFault {
    if (damaged === undefined) return this;
    const { member, rows } = damaged;
    const message = `${this.message} (member ${String(member)}, ${String(rows)} rows of which were taken in unchecked)`;
    return new GzipFault(this.code, message, { cause: this.cause, damaged });
  }
}

/** Counts the rows of each member while they are read. */
export class MemberRows {
  #member = 0;
  /** Where members begin in the content of which no row was counted yet. */
  #starts: number[] = [];
  #rows = 0;

  /** @param offset - octets of the content before the member */
  began(offset: number): void {
    this.#member += 1;
    this.#starts.push(offset);
  }

  /** Counts rows that are complete, in their order. */
  add(rows: readonly { readonly endOffset: number }[]): void {
    let passed = 0;
    for (const { endOffset } of rows) {
      for (; (this.#starts[passed] ?? Infinity) < endOffset; passed += 1) this.#rows = 0;
      this.#rows += 1;
    }
    if (passed > 0) this.#starts = this.#starts.slice(passed);
  }

  /** The last member that began, where the fault is in it. */
  damagedBy({ code }: GzipFault): DamagedMember | undefined {
    if (code === 'gzip-trailing-octets') return undefined;
    return { member: this.#member, rows: this.#starts.length > 0 ? 0 : this.#rows };
  }
}

/**
 * Unpacks gzip content, one member after the other, up to the octet from which on it is wrong. Node's own gunzip stream gives nothing of
 * a piece that holds a whole member and an octet too much.
 * @param packed - a piece may be written over when the next is asked for
 * @param chunkBytes - octets of an unpacked piece at most
 * @param members - told where members begin
 * @throws {@link GzipFault} behind the last piece that could be unpacked; what `packed` throws
 * @see RFC 1952
 */
async function* gunzipMembers(
  packed: AsyncIterable<Uint8Array>,
  chunkBytes: number,
  members?: MemberRows,
): AsyncGenerator<Uint8Array> {
  const input = new PackedInput(packed);
  try {
    yield* joined(unpackedMembers(input, chunkBytes, members), chunkBytes);
  } finally {
    await input.close();
  }
}

/**
 * Small members that are unpacked at once, some milliseconds; a KiB of content counts as one more. The next goes through a stream: while its
 * thread works everything else has its turn.
 */
const MEMBERS_PER_TURN = 1_000;

async function* unpackedMembers(
  input: PackedInput,
  chunkBytes: number,
  members?: MemberRows,
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  members?.began(offset);
  await skipHeader(input);
  for (let done = 0; ;) {
    let sum = 0;
    let sizeBytes = 0;
    const small = done < MEMBERS_PER_TURN ? smallMember(input) : undefined;
    for await (const piece of small === undefined ? inflated(input, chunkBytes) : [small]) {
      sum = crc32(piece, sum);
      sizeBytes = (sizeBytes + piece.length) % 2 ** 32;
      offset += piece.length;
      yield piece;
    }
    const trailer = await input.take(8);
    if (trailer.length < 8) throw truncated();
    if (uint32(trailer, 0) !== sum || uint32(trailer, 4) !== sizeBytes)
      throw new GzipFault('gzip-damaged', 'its checksum is not that of its content');
    if (!(await input.skipZeros())) return;
    members?.began(offset);
    await skipHeader(input).catch((cause: unknown) => {
      throw cause instanceof GzipFault && cause.code === 'gzip-damaged'
        ? new GzipFault('gzip-trailing-octets', 'other octets follow the packed content', { cause })
        : cause;
    });
    done = small === undefined ? 0 : done + 1 + small.length / 1_024;
  }
}

/** Joins small pieces: a consumer has its work with each, and many thousand members may hold a row each. */
async function* joined(pieces: AsyncIterable<Uint8Array>, chunkBytes: number): AsyncGenerator<Uint8Array> {
  const kept = new Uint8Array(chunkBytes);
  let keptBytes = 0;
  try {
    for await (const piece of pieces) {
      if (keptBytes > 0 && keptBytes + piece.length > chunkBytes) {
        yield kept.subarray(0, keptBytes);
        keptBytes = 0;
      }
      if (piece.length >= chunkBytes) yield piece;
      else {
        kept.set(piece, keptBytes);
        keptBytes += piece.length;
      }
    }
  } catch (error) {
    if (keptBytes > 0) yield kept.subarray(0, keptBytes);
    throw error;
  }
  if (keptBytes > 0) yield kept.subarray(0, keptBytes);
}

const FLAG = {
  headerSum: 2,
  extra: 4,
  name: 8,
  comment: 16,
  reserved: 0xe0,
} as const;
/** No file name or comment is longer: a header without end would be read to the end of the file. */
const MAX_HEADER_TEXT = 65_536;

/** @see RFC 1952 section 2.3 */
async function skipHeader(input: PackedInput): Promise<void> {
  const header = await input.take(10);
  if (header.length === 0 || [0x1f, 0x8b, 8].some((octet, at) => (header[at] ?? octet) !== octet))
    throw new GzipFault('gzip-damaged', 'it does not begin as gzip content does');
  const flags = header[3] ?? 0;
  if ((flags & FLAG.reserved) !== 0)
    throw new GzipFault('gzip-damaged', 'its header has flags that gzip does not have');
  if (header.length < 10) throw truncated();
  if ((flags & FLAG.extra) !== 0) {
    const [low = 0, high = 0] = await whole(input, 2);
    await whole(input, low + 256 * high);
  }
  if ((flags & FLAG.name) !== 0) await skipText(input);
  if ((flags & FLAG.comment) !== 0) await skipText(input);
  if ((flags & FLAG.headerSum) !== 0) await whole(input, 2);
}

function truncated(): GzipFault {
  return new GzipFault('gzip-truncated', 'it ends in the middle of the packed content');
}

async function whole(input: PackedInput, count: number): Promise<Uint8Array> {
  const octets = await input.take(count);
  if (octets.length < count) throw truncated();
  return octets;
}

async function skipText(input: PackedInput): Promise<void> {
  for (let sizeBytes = 0; sizeBytes < MAX_HEADER_TEXT;) {
    const piece = await input.piece();
    if (piece === undefined) throw truncated();
    const end = piece.indexOf(0);
    if (end >= 0) return input.giveBack(piece.subarray(end + 1));
    sizeBytes += piece.length;
  }
  throw new GzipFault('gzip-damaged', 'its header has a name without end');
}

function uint32(octets: Uint8Array, at: number): number {
  return new DataView(octets.buffer, octets.byteOffset, octets.length).getUint32(at, true);
}

/** Packed octets of a small member at most: with a stream of its own it would take longer to set up than to unpack. */
const SMALL_PACKED_BYTES = 4_096;
const SMALL_CONTENT_BYTES = 65_536;

/** The content of a member that is small and at hand as a whole. */
function smallMember(input: PackedInput): Uint8Array | undefined {
  const octets = input.atHand();
  const options = { info: true, chunkSize: SMALL_PACKED_BYTES, maxOutputLength: SMALL_CONTENT_BYTES };
  try {
    // The types of Node do not know of `info`.
    const { buffer, engine } = inflateRawSync(octets.subarray(0, SMALL_PACKED_BYTES), options) as unknown as {
      readonly buffer: Uint8Array;
      readonly engine: { readonly bytesWritten: number };
    };
    input.giveBack(octets.subarray(engine.bytesWritten));
    return buffer;
  } catch {
    // It is longer, or damaged: read piece by piece it gives what it has.
    return undefined;
  }
}

/**
 * The data of one member; what follows it goes back to the input. A consumer that leaves early waits for the read that is under way and for
 * nothing else.
 */
async function* inflated(input: PackedInput, chunkBytes: number): AsyncGenerator<Uint8Array> {
  // With this flush content that is cut off is unpacked as far as it goes.
  const inflate = createInflateRaw({ chunkSize: chunkBytes, finishFlush: constants.Z_SYNC_FLUSH });
  let givenBytes = 0;
  let last: Uint8Array = new Uint8Array(0);
  // Listened for from the start: a destroyed stream says so once, and calls back no write that was under way.
  const closed = new Promise<void>((resolve) => inflate.once('close', resolve));
  const feed = async (): Promise<void> => {
    for (let piece = await input.piece(); piece !== undefined; piece = await input.piece()) {
      givenBytes += piece.length;
      last = piece;
      await Promise.race([closed, new Promise((resolve) => void inflate.write(last, resolve))]);
      // The member has ended in this piece.
      if (inflate.destroyed || inflate.bytesWritten < givenBytes) return;
    }
    inflate.end();
  };
  // Not by stream.pipeline: it does not wait for a read that is under way, and the file would be closed under it.
  const fed = feed().catch((error: unknown) =>
    inflate.destroy(error instanceof Error ? error : new Error('cannot read')),
  );
  try {
    for await (const piece of inflate) yield piece as Uint8Array;
  } catch (error) {
    // What was unpacked before the error, and not taken yet.
    for (let piece: unknown = inflate.read(); piece !== null; piece = inflate.read()) yield piece as Uint8Array;
    throw isDataError(error) ? new GzipFault('gzip-damaged', 'its packed data are damaged', { cause: error }) : error;
  } finally {
    inflate.destroy();
    await fed;
  }
  input.giveBack(last.subarray(last.length - (givenBytes - inflate.bytesWritten)));
}

function isDataError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && code.startsWith('Z_');
}

/** Packed octets, of which those that were not used can be given back. */
class PackedInput {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);
  #at = 0;

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** All that is at hand; undefined at the end. */
  async piece(): Promise<Uint8Array | undefined> {
    if (this.#at === this.#rest.length && !(await this.#refill())) return undefined;
    const piece = this.#rest.subarray(this.#at);
    this.#at = this.#rest.length;
    return piece;
  }

  /** What is at hand, which stays there. */
  atHand(): Uint8Array {
    return this.#rest.subarray(this.#at);
  }

  /** So many octets; fewer at the end. */
  async take(count: number): Promise<Uint8Array> {
    while (this.#rest.length - this.#at < count) {
      const before = this.atHand();
      if (!(await this.#refill())) return before;
      if (before.length > 0) this.giveBack(Buffer.concat([before, this.#rest]));
    }
    this.#at += count;
    return this.#rest.subarray(this.#at - count, this.#at);
  }

  /** Padding at the end of a file, as tapes and some file systems leave it, is zeros. @returns whether anything follows */
  async skipZeros(): Promise<boolean> {
    for (;;) {
      while (this.#at < this.#rest.length && this.#rest[this.#at] === 0) this.#at += 1;
      if (this.#at < this.#rest.length) return true;
      if (!(await this.#refill())) return false;
    }
  }

  giveBack(octets: Uint8Array): void {
    this.#rest = octets;
    this.#at = 0;
  }

  async close(): Promise<void> {
    await this.#pieces.return?.();
  }

  async #refill(): Promise<boolean> {
    const next = await this.#pieces.next();
    if (next.done === true) return false;
    // zlib works on it in another thread while the next piece is read into the same memory.
    this.#rest = Uint8Array.from(next.value);
    this.#at = 0;
    return true;
  }
}

/** Octets that are read at a time: beyond this reading gets no faster, and it is all of a file that is in memory. */
export const PIECE_BYTES = 262_144;

/** How a file is read. */
interface FilePiecesOptions {
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
