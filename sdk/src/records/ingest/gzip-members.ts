import { constants, crc32, createInflateRaw } from 'node:zlib';

/** What is wrong with packed content. */
type GzipFaultCode =
  /** It ends in the middle of a member. */
  | 'gzip-truncated'
  /** Its header, its data or its checksum are wrong. */
  | 'gzip-damaged'
  /** Behind its last member is something that is neither a member nor padding. All members were unpacked. */
  | 'gzip-trailing-octets';

/** Packed content that cannot be unpacked to its end. */
export class GzipFault extends Error {
  readonly code: GzipFaultCode;

  constructor(code: GzipFaultCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'GzipFault';
    this.code = code;
  }
}

/**
 * Unpacks gzip content, one member after the other, up to the octet from which on it is wrong. Node's own gunzip stream gives nothing of
 * a piece that holds a whole member and an octet too much.
 * @param packed - a piece may be written over when the next is asked for
 * @param chunkBytes - octets of an unpacked piece at most
 * @throws {@link GzipFault} behind the last piece that could be unpacked; what `packed` throws
 * @see RFC 1952
 */
export async function* gunzipMembers(
  packed: AsyncIterable<Uint8Array>,
  chunkBytes: number,
): AsyncGenerator<Uint8Array> {
  const input = new PackedInput(packed);
  try {
    await skipHeader(input, await input.octet());
    for (;;) {
      let sum = 0;
      let sizeBytes = 0;
      for await (const piece of inflated(input, chunkBytes)) {
        sum = crc32(piece, sum);
        sizeBytes = (sizeBytes + piece.length) % 2 ** 32;
        yield piece;
      }
      if ((await uint32(input)) !== sum || (await uint32(input)) !== sizeBytes)
        throw new GzipFault('gzip-damaged', 'its checksum is not that of its content');
      const next = await afterPadding(input);
      if (next === undefined) return;
      await skipHeader(input, next).catch((cause: unknown) => {
        throw cause instanceof GzipFault && cause.code === 'gzip-damaged'
          ? new GzipFault('gzip-trailing-octets', 'other octets follow the packed content', { cause })
          : cause;
      });
    }
  } finally {
    await input.close();
  }
}

/** Padding at the end of a file, as tapes and some file systems leave it, is zeros. */
async function afterPadding(input: PackedInput): Promise<number | undefined> {
  let octet = await input.octet();
  while (octet === 0) octet = await input.octet();
  return octet;
}

const FLAG = { headerSum: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;
/** No file name or comment is longer: a header without end would be read as one octet by octet. */
const MAX_HEADER_TEXT = 65_536;

/** @see RFC 1952 section 2.3 */
async function skipHeader(input: PackedInput, first: number | undefined): Promise<void> {
  const second = await input.octet();
  const method = await input.octet();
  if (first !== 0x1f || (second ?? 0x8b) !== 0x8b || (method ?? 8) !== 8)
    throw new GzipFault('gzip-damaged', 'it does not begin as gzip content does');
  const flags = await octet(input);
  if ((flags & FLAG.reserved) !== 0)
    throw new GzipFault('gzip-damaged', 'its header has flags that gzip does not have');
  await skip(input, 6);
  if ((flags & FLAG.extra) !== 0) await skip(input, (await octet(input)) + 256 * (await octet(input)));
  if ((flags & FLAG.name) !== 0) await skipText(input);
  if ((flags & FLAG.comment) !== 0) await skipText(input);
  if ((flags & FLAG.headerSum) !== 0) await skip(input, 2);
}

async function octet(input: PackedInput): Promise<number> {
  const found = await input.octet();
  if (found === undefined) throw new GzipFault('gzip-truncated', 'it ends in the middle of the packed content');
  return found;
}

async function skip(input: PackedInput, count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await octet(input);
}

async function skipText(input: PackedInput): Promise<void> {
  for (let at = 0; at < MAX_HEADER_TEXT; at += 1) if ((await octet(input)) === 0) return;
  throw new GzipFault('gzip-damaged', 'its header has a name without end');
}

async function uint32(input: PackedInput): Promise<number> {
  let value = 0;
  for (let place = 1; place < 2 ** 32; place *= 256) value += place * (await octet(input));
  return value;
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

  async octet(): Promise<number | undefined> {
    if (this.#at === this.#rest.length && !(await this.#refill())) return undefined;
    this.#at += 1;
    return this.#rest[this.#at - 1];
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
