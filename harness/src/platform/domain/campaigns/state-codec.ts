import { Buffer } from 'node:buffer';

/** Octets that are written or read before others have a turn: some milliseconds of work. */
const CHUNK_BYTES = 131_072;
/** Room that stays free in a chunk, for a value that is no string and no typed array. */
const RESERVE_BYTES = 64;
/** Different strings that are written once; then both sides begin anew, so that ids of calls do not fill the memory. */
const MAX_REMEMBERED_STRINGS = 65_536;
const MAX_REMEMBERED_CHARS = 64;

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
 * becomes two. Nothing may change before the last chunk.
 * @throws TypeError for a value that is not plain
 */
export function* encodeState(root: object): Generator<Buffer> {
  const writer = new ChunkWriter();
  const known = new Map<object, number>();
  const shapes = new Map<string, number>();
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

function writeShape(writer: ChunkWriter, shapes: Map<string, number>, value: object): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError('the value is not a plain object');
  const names = Object.keys(value);
  const text = JSON.stringify(names);
  const shape = shapes.get(text);
  writer.tagged(Tag.object, shape ?? shapes.size);
  if (shape !== undefined) return;
  shapes.set(text, shapes.size);
  writer.text(text);
}

function* writeTyped(writer: ChunkWriter, value: ArrayBufferView): Generator<Buffer> {
  const kind = ARRAYS.findIndex((type) => value instanceof type);
  if (kind < 0) throw new TypeError('an array of this kind cannot be written');
  const octets = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  writer.tagged(Tag.typed, kind);
  writer.whole(octets.length);
  for (let from = 0; from < octets.length;) {
    if (writer.isFull()) yield writer.take();
    from += writer.some(octets, from);
  }
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
    this.#chunk = Buffer.allocUnsafe(CHUNK_BYTES);
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

  /** Writes what has room. @returns how many octets those were */
  some(octets: Buffer, from: number): number {
    const copied = octets.copy(this.#chunk, this.#at, from, from + this.#chunk.length - this.#at);
    this.#at += copied;
    return copied;
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
    let key: Value;
    let isKey = true;
    for (let place = 0; names === undefined || place < names.length; place += 1) {
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
    from += reader.some(octets, from);
  }
  // A buffer of its own, and so at an offset that every kind can begin at.
  return new type(octets.buffer, octets.byteOffset, octets.length / type.BYTES_PER_ELEMENT);
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

  some(into: Buffer, from: number): number {
    const copied = this.#chunk.copy(into, from, this.#at);
    this.#at += copied;
    return copied;
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
