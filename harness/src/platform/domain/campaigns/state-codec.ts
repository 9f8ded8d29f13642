import { Buffer } from 'node:buffer';

/** Octets that are written or read before others have a turn: some milliseconds of work. */
export const CHUNK_BYTES = 131_072;
/** Room that stays free in a chunk, for a value that is no string and no typed array. */
const RESERVE_BYTES = 64;
/** Different strings that are written once; then both sides begin anew. Longer ones are ids of calls, and come once. */
const MAX_REMEMBERED_STRINGS = 65_536;
const MAX_REMEMBERED_CHARS = 31;

/** Octets of a typed array that are looked at together: where they repeat eight of them, these are written once. Tables begin empty. */
const BLOCK_BYTES = 4_096;

const ARRAYS = [Uint8Array, Uint16Array, Uint32Array, Int32Array, Float32Array, Float64Array] as const;

const Tag = {
  end: 0,
  undefined: 1,
  null: 2,
  false: 3,
  true: 4,
  whole: 5,
  double: 6,
  string: 7,
  sameString: 8,
  sameObject: 9,
  object: 10,
  array: 11,
  map: 12,
  set: 13,
  typed: 14,
} as const;

type Value = string | number | boolean | object | null | undefined;

/**
 * Writes plain values as octets, a chunk at a time: objects, arrays, maps, sets and typed arrays. An object that two others hold is written
 * once, circles as they are. An iterator becomes the array of its items, which are never in memory all at once; a typed array that two hold
 * becomes two. Nothing may change before the last chunk. A chunk is written over by the next one.
 * @throws TypeError for a value that is not plain
 */
export function* encodeState(root: object): Generator<Buffer> {
  const writer = new ChunkWriter();
  const known = new Map<object, number>();
  const shapes = createShapes();
  const queue: object[] = [];
  const begin = (value: object): void => {
    const id = known.get(value);
    if (id !== undefined) return writer.tagged(Tag.sameObject, id);
    known.set(value, known.size);
    queue.push(value);
    if (Array.isArray(value) || isIterator(value)) return writer.tag(Tag.array);
    if (value instanceof Map) return writer.tag(Tag.map);
    if (value instanceof Set) return writer.tag(Tag.set);
    return writeShape(writer, shapes, value);
  };
  begin(root);
  for (let at = 0; at < queue.length; at += 1) {
    const value = queue[at] as object;
    const isEnded = Array.isArray(value) || isIterator(value) || value instanceof Map || value instanceof Set;
    for (const item of itemsOf(value)) {
      if (writer.isFull()) yield writer.take();
      if (typeof item !== 'object' || item === null) {
        if (typeof item === 'string' && writer.isFullFor(item)) yield writer.take();
        writer.scalar(item);
      } else if (ArrayBuffer.isView(item)) yield* writeTyped(writer, item);
      else begin(item);
    }
    if (writer.isFull()) yield writer.take();
    if (isEnded) writer.tag(Tag.end);
  }
  if (!writer.isEmpty()) yield writer.take();
}

const isIterator = (value: object): value is IterableIterator<Value> =>
  'next' in value && typeof value.next === 'function' && Symbol.iterator in value;

function itemsOf(value: object): Iterable<Value> {
  if (value instanceof Map) return pairsOf(value as Map<Value, Value>);
  if (Array.isArray(value) || value instanceof Set || isIterator(value)) return value as Iterable<Value>;
  return Object.values(value) as Value[];
}

function* pairsOf(map: ReadonlyMap<Value, Value>): Generator<Value> {
  for (const [key, entry] of map) {
    yield key;
    yield entry;
  }
}

interface Shapes {
  readonly known: Map<string, number>;
  /** Most objects have the shape of the one before. */
  last: { readonly names: readonly string[]; readonly shape: number };
}

const createShapes = (): Shapes => ({ known: new Map(), last: { names: [], shape: -1 } });

function writeShape(writer: ChunkWriter, shapes: Shapes, value: object): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('the value is not a plain object');
  const names = Object.keys(value);
  const { last, known } = shapes;
  if (last.shape >= 0 && names.length === last.names.length && names.every((name, at) => name === last.names[at]))
    return writer.tagged(Tag.object, last.shape);
  const text = JSON.stringify(names);
  const shape = known.get(text) ?? known.size;
  shapes.last = { names, shape };
  writer.tagged(Tag.object, shape);
  if (known.has(text)) return;
  known.set(text, shape);
  writer.text(text);
}

function* writeTyped(writer: ChunkWriter, value: ArrayBufferView): Generator<Buffer> {
  const kind = ARRAYS.findIndex((type) => value instanceof type);
  if (kind < 0) throw new TypeError('an array of this kind cannot be written');
  const octets = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  writer.tagged(Tag.typed, kind);
  writer.whole(octets.length);
  const words =
    value.byteOffset % 8 === 0 ? new BigUint64Array(value.buffer, value.byteOffset, octets.length >>> 3) : NO_WORDS;
  for (let from = 0; from < octets.length;) {
    if (writer.isFull()) yield writer.take();
    const repeated = repeatedFrom(words, from);
    if (repeated > 0) {
      writer.tagged(Segment.repeated, repeated);
      writer.some(octets, from, from + 8);
      from += repeated;
    } else {
      let to = Math.min(octets.length, from + BLOCK_BYTES);
      while (to < octets.length && to - from < CHUNK_BYTES && repeatedFrom(words, to) === 0) to += BLOCK_BYTES;
      to = Math.min(to, octets.length, from + writer.room());
      writer.tagged(Segment.asIs, to - from);
      writer.some(octets, from, to);
      from = to;
    }
  }
}

const NO_WORDS = new BigUint64Array(0);
const Segment = { asIs: 0, repeated: 1 } as const;

/** Octets from a place on that repeat the first eight of them: whole blocks, 0 where there is none. */
function repeatedFrom(words: BigUint64Array, from: number): number {
  if (from % 8 !== 0) return 0;
  const first = words[from / 8];
  let at = from / 8;
  while (at < words.length && words[at] === first) at += 1;
  const octets = at * 8 - from;
  return octets - (octets % BLOCK_BYTES);
}

class ChunkWriter {
  #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #at = 0;
  #strings = new Map<string, number>();

  isFull(): boolean {
    return this.#at > CHUNK_BYTES - RESERVE_BYTES;
  }

  isEmpty(): boolean {
    return this.#at === 0;
  }

  isFullFor(text: string): boolean {
    return this.#at > 0 && this.#at + 3 * text.length + RESERVE_BYTES > this.#chunk.length;
  }

  take(): Buffer {
    const taken = this.#chunk.subarray(0, this.#at);
    this.#at = 0;
    return taken;
  }

  tag(tag: number): void {
    this.#chunk[this.#at++] = tag;
  }

  tagged(tag: number, whole: number): void {
    this.tag(tag);
    this.whole(whole);
  }

  /** Seven bits an octet, the lowest first. */
  whole(value: number): void {
    let rest = value >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.#chunk[this.#at++] = (rest & 0x7f) | 0x80;
    this.#chunk[this.#at++] = rest;
  }

  scalar(value: Value): void {
    if (typeof value === 'number') this.#number(value);
    else if (typeof value === 'string') this.#string(value);
    else if (value === undefined) this.tag(Tag.undefined);
    else if (value === null) this.tag(Tag.null);
    else if (typeof value === 'boolean') this.tag(value ? Tag.true : Tag.false);
    else throw new TypeError(`a ${typeof value} cannot be written`);
  }

  text(text: string): void {
    const most = 3 * text.length + RESERVE_BYTES;
    if (this.#at + most > this.#chunk.length) {
      const longer = Buffer.allocUnsafe(this.#at + most);
      this.#chunk.copy(longer, 0, 0, this.#at);
      this.#chunk = longer;
    }
    const length = Buffer.byteLength(text);
    this.whole(length);
    this.#at += this.#chunk.write(text, this.#at);
  }

  /** Octets that may follow a tag and a number. */
  room(): number {
    return CHUNK_BYTES - this.#at - RESERVE_BYTES / 2;
  }

  some(octets: Buffer, from: number, to: number): void {
    this.#at += octets.copy(this.#chunk, this.#at, from, to);
  }

  #number(value: number): void {
    if (value === (value | 0) && !Object.is(value, -0)) this.tagged(Tag.whole, (value << 1) ^ (value >> 31));
    else {
      this.tag(Tag.double);
      this.#at = this.#chunk.writeDoubleLE(value, this.#at);
    }
  }

  #string(text: string): void {
    const known = this.#strings.get(text);
    if (known !== undefined) return this.tagged(Tag.sameString, known);
    if (text.length <= MAX_REMEMBERED_CHARS) {
      if (this.#strings.size >= MAX_REMEMBERED_STRINGS) this.#strings.clear();
      this.#strings.set(text, this.#strings.size);
    }
    this.tag(Tag.string);
    return this.text(text);
  }
}

/**
 * Copies a saved array into one that stands, of the same length. Blocks that are alike are left alone: those of a table that was never
 * full were never touched, and cost no memory.
 * @throws RangeError for another length
 */
export function takeOver(
  into: Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array,
  saved: ArrayBufferView,
): void {
  if (into.byteLength !== saved.byteLength) throw new RangeError('a saved table has another size');
  const from = Buffer.from(saved.buffer, saved.byteOffset, saved.byteLength);
  const to = Buffer.from(into.buffer, into.byteOffset, into.byteLength);
  for (let at = 0; at < to.length; at += BLOCK_BYTES) {
    const end = Math.min(to.length, at + BLOCK_BYTES);
    if (from.compare(to, at, end, at, end) !== 0) from.copy(to, at, at, end);
  }
}

/**
 * Reads what {@link encodeState} wrote: begin it with `next()`, give it each chunk with `next(chunk)`, until it is done with the value.
 * @throws RangeError for octets that it did not write
 */
export function* decodeState(): Generator<undefined, object, Buffer> {
  const reader = new ChunkReader(yield);
  const objects: object[] = [];
  const shapesOf: (readonly string[])[] = [];
  const shapes: (readonly string[] | undefined)[] = [];
  const begun = (tag: number): object => {
    if (tag === Tag.sameObject) return known(objects, reader.whole());
    const made = tag === Tag.array ? [] : tag === Tag.map ? new Map() : tag === Tag.set ? new Set() : {};
    if (tag === Tag.object) {
      const shape = reader.whole();
      if (shape === shapesOf.length) shapesOf.push(JSON.parse(reader.text()) as string[]);
      shapes[objects.length] = known(shapesOf, shape);
    } else if (tag > Tag.set) throw new RangeError('an unknown kind of value');
    objects.push(made);
    return made;
  };
  const root = begun(reader.octet());
  for (let at = 0; at < objects.length; at += 1) {
    const target = objects[at] as object;
    const names = shapes[at];
    const most = names?.length ?? Infinity;
    let key: Value;
    let isKey = true;
    for (let place = 0; place < most; place += 1) {
      if (reader.isAtEnd()) reader.chunk(yield);
      const tag = reader.octet();
      if (tag === Tag.end) {
        if (names === undefined) break;
        throw new RangeError('an object ends early');
      }
      const item: Value =
        tag === Tag.typed ? yield* readTyped(reader) : tag >= Tag.sameObject ? begun(tag) : reader.scalar(tag);
      if (names !== undefined) (target as Record<string, Value>)[names[place] as string] = item;
      else if (Array.isArray(target)) target.push(item);
      else if (target instanceof Set) target.add(item);
      else {
        if (isKey) key = item;
        else (target as Map<Value, Value>).set(key, item);
        isKey = !isKey;
      }
    }
  }
  return root;
}

function known<Item>(items: readonly Item[], at: number): Item {
  const item = items[at];
  if (item === undefined) throw new RangeError('something is referred to that was not written');
  return item;
}

function* readTyped(reader: ChunkReader): Generator<undefined, ArrayBufferView, Buffer> {
  const type = known(ARRAYS, reader.whole());
  const octets = Buffer.alloc(reader.whole());
  for (let from = 0; from < octets.length;) {
    if (reader.isAtEnd()) reader.chunk(yield);
    const segment = reader.octet();
    const to = from + reader.whole();
    if (to > octets.length || segment > Segment.repeated) throw new RangeError('a typed array is too long');
    if (segment === Segment.asIs) reader.some(octets, from, to);
    else repeat(octets, reader.word(), from, to);
    from = to;
  }
  // A buffer of its own, and so at an offset that every kind can begin at.
  return new type(octets.buffer, octets.byteOffset, octets.length / type.BYTES_PER_ELEMENT);
}

/** Octets that are 0 stay as the system gives them: untouched, and so in nobody's memory. */
function repeat(octets: Buffer, word: bigint, from: number, to: number): void {
  if (word !== 0n) new BigUint64Array(octets.buffer, octets.byteOffset + from, (to - from) / 8).fill(word);
}

class ChunkReader {
  #chunk: Buffer;
  #at = 0;
  readonly #strings: string[] = [];

  constructor(first: Buffer) {
    this.#chunk = first;
  }

  isAtEnd(): boolean {
    return this.#at >= this.#chunk.length;
  }

  chunk(next: Buffer): void {
    if (next.length === 0) throw new RangeError('a chunk is empty');
    this.#chunk = next;
    this.#at = 0;
  }

  octet(): number {
    const octet = this.#chunk[this.#at++];
    if (octet === undefined) throw new RangeError('a chunk ends early');
    return octet;
  }

  whole(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const octet = this.octet();
      value |= (octet & 0x7f) << shift;
      if (octet < 0x80) return value >>> 0;
    }
    throw new RangeError('a number is too long');
  }

  text(): string {
    const length = this.whole();
    const to = this.#at + length;
    if (to > this.#chunk.length) throw new RangeError('a chunk ends early');
    const text = this.#chunk.toString('utf8', this.#at, to);
    this.#at = to;
    return text;
  }

  some(into: Buffer, from: number, to: number): void {
    if (this.#at + to - from > this.#chunk.length) throw new RangeError('a chunk ends early');
    this.#at += this.#chunk.copy(into, from, this.#at, this.#at + to - from);
  }

  word(): bigint {
    if (this.#at + 8 > this.#chunk.length) throw new RangeError('a chunk ends early');
    this.#at += 8;
    return this.#chunk.readBigUInt64LE(this.#at - 8);
  }

  scalar(tag: number): Value {
    switch (tag) {
      case Tag.undefined:
        return undefined;
      case Tag.null:
        return null;
      case Tag.false:
      case Tag.true:
        return tag === Tag.true;
      case Tag.whole: {
        const value = this.whole();
        return (value >>> 1) ^ -(value & 1);
      }
      case Tag.double:
        if (this.#at + 8 > this.#chunk.length) throw new RangeError('a chunk ends early');
        this.#at += 8;
        return this.#chunk.readDoubleLE(this.#at - 8);
      case Tag.string:
        return this.#remembered(this.text());
      case Tag.sameString:
        return known(this.#strings, this.whole());
      default:
        throw new RangeError('an unknown kind of value');
    }
  }

  #remembered(text: string): string {
    if (text.length <= MAX_REMEMBERED_CHARS) {
      if (this.#strings.length >= MAX_REMEMBERED_STRINGS) this.#strings.length = 0;
      this.#strings.push(text);
    }
    return text;
  }
}
