import { hash } from 'node:crypto';
import { z } from 'zod';
import { parseBoundedJson } from '../../core/json-text.js';
import type { JsonLimits } from '../../core/json-text.js';
import { readBySchema } from '../../core/schema-findings.js';
import type { DurableValues } from '../stream/dead-letters.js';
import type { DamagedMember, FollowedFile } from './readable-files.js';
import { coverageState } from './row-intake.js';
import type { CoverageState } from './row-intake.js';

/**
 * Octets by which content is known again, at its beginning and before the place up to which it was read. A KiB holds some rows, and
 * rows carry ids and times: no two files of a switch agree in both.
 */
export const FINGERPRINT_BYTES = 1_024;

const count = z.int().min(0);

/** Some octets of a file in short. */
const fingerprint = z.object({
  sizeBytes: count.max(FINGERPRINT_BYTES),
  /** Lower-case hexadecimal. */
  sha256: z.string(),
});
type Fingerprint = z.infer<typeof fingerprint>;

/** A file that holds content, as it was when it was read. */
const knownFile = z.object({
  /** Device and inode. */
  key: z.string(),
  sizeBytes: count,
  mtimeNs: z.string(),
  isGzip: z.boolean(),
});
type KnownFile = z.infer<typeof knownFile>;

/** What is kept of content that is followed. */
const streamPosition = z
  .object({
    /** Which of the kept positions it is. */
    slot: count,
    /** Octets of the content up to behind the last row that was read. */
    offset: count,
    /** Number of the line that begins there. */
    line: count,
    /** Of the first octets, {@link FINGERPRINT_BYTES} at most, none of them behind `offset`. */
    head: fingerprint,
    /** Of the octets before `offset`, {@link FINGERPRINT_BYTES} at most. */
    tail: fingerprint,
    /** Files that hold it: the one it was written to, copies of it, packed ones. */
    files: z.array(knownFile),
    /** When it was last written to, milliseconds since the epoch. */
    mtimeMs: z.number(),
    /** Nothing more is expected of it. */
    isFinal: z.boolean(),
  })
  .refine(({ offset, head, tail }) => tail.sizeBytes <= offset && head.sizeBytes <= offset);
export type StreamPosition = z.infer<typeof streamPosition>;

/** How far the content of a file was read, and how to know it again under another name, packed, or copied. */
export type ReadPlace = Pick<StreamPosition, 'offset' | 'line' | 'head' | 'tail'>;

/** What is made durable at one time. */
const checkpoint = z.object({
  /** Of the streams that were read last. */
  streams: z.array(streamPosition),
  coverage: coverageState.optional().catch(undefined),
  /** Where the text of what waits in the reader is kept, in pieces: it may be long. */
  waiting: z
    .object({
      /** Which of two places, in turn: while one is written the other is whole. */
      turn: z.union([z.literal(0), z.literal(1)]),
      pieces: count,
      sha256: z.string(),
    })
    .optional()
    .catch(undefined),
  /** Files last written to before that time are not looked at, unless they are known: they were read, and there were too many to remember. */
  forgottenMs: z.number(),
});
type FollowCheckpoint = z.infer<typeof checkpoint>;

/** Fingerprint of octets. */
export function fingerprintOf(octets: Uint8Array): Fingerprint {
  return { sizeBytes: octets.length, sha256: hash('sha256', octets, 'hex') };
}

/** Where reading of new content begins. */
const BEGINNING: ReadPlace = {
  offset: 0,
  line: 1,
  head: fingerprintOf(new Uint8Array(0)),
  tail: fingerprintOf(new Uint8Array(0)),
};

/**
 * Whether content begins with what was read of other content, so far as its head tells.
 * @param first - its first octets, {@link FINGERPRINT_BYTES} where it has as many
 */
export function hasSameHead(first: Uint8Array, { head, offset }: ReadPlace): boolean {
  if (offset === 0 || first.length < head.sizeBytes) return false;
  return fingerprintOf(first.subarray(0, head.sizeBytes)).sha256 === head.sha256;
}

/** Reads a position that was written as JSON. Never throws. @returns undefined where it is none */
export function readPositionText(text: string): StreamPosition | undefined {
  return readText(streamPosition, text);
}

/** Reads a checkpoint that was written as JSON. Never throws. @returns undefined where it is none */
export function readCheckpointText(text: string): FollowCheckpoint | undefined {
  return readText(checkpoint, text);
}

function readText<T>(schema: z.ZodType<T>, text: string): T | undefined {
  const parsed = parseBoundedJson(text, POSITION_LIMITS);
  return parsed.status === 'parsed' ? readBySchema(schema, parsed.value).data : undefined;
}

/** Sixteen positions with some files each; a journal takes 1 MiB at most. */
const POSITION_LIMITS: JsonLimits = { maxChars: 1_048_576, maxDepth: 6, maxEntries: 4_096 };

/** Files of a page, each in 11 characters: a page is a value of a journal, which takes 16 KiB. */
const PAGE_FILES = 1_024;

/** Pages: with 65,536 files of a directory a switch that rotates every hour is known for seven years. */
const DONE_PAGES = 64;

/** Of the hash that a file is known by, 64 bits: that one of so many files is taken for another happens once in 10^14 files. */
const NAME_CHARS = 11;

/** No file is older. */
const NOTHING_FORGOTTEN = -1;

/** What tells a file as it was when it was read from every other, and from what it becomes when it is written to. */
export type FileState = Pick<KnownFile, 'key' | 'sizeBytes' | 'mtimeNs'>;

interface Page {
  readonly names: Set<string>;
  /** When the newest of its files was written to. */
  newestMs: number;
}

/** Files that were read and whose content is not followed any more. */
class DoneFiles {
  readonly #pages = new Map<number, Page>();
  readonly #changed = new Set<number>();
  #current: number;
  /** Files last written to before that time count as done: so many were there that the oldest had to be forgotten. */
  forgottenMs: number;

  constructor(keptPage: (page: number) => string | undefined, forgottenMs: number) {
    for (let page = 0; page < DONE_PAGES; page += 1) {
      const read = readPage(keptPage(page) ?? '');
      if (read !== undefined) this.#pages.set(page, read);
    }
    this.#current = [...this.#pages].find(([, { names }]) => names.size < PAGE_FILES)?.[0] ?? 0;
    this.forgottenMs = forgottenMs;
  }

  /** Whether a file was read as it is now. */
  has(file: FileState, mtimeMs: number): boolean {
    if (mtimeMs < this.forgottenMs) return true;
    const name = nameOf(file);
    for (const { names } of this.#pages.values()) if (names.has(name)) return true;
    return false;
  }

  add(file: FileState, mtimeMs: number): void {
    if ((this.#pages.get(this.#current)?.names.size ?? 0) >= PAGE_FILES) this.#turnPage();
    const page = this.#pages.get(this.#current) ?? { names: new Set<string>(), newestMs: NOTHING_FORGOTTEN };
    this.#pages.set(this.#current, page);
    page.names.add(nameOf(file));
    page.newestMs = Math.max(page.newestMs, mtimeMs);
    this.#changed.add(this.#current);
  }

  /** Pages that changed since they were saved, as they are kept: `NEWESTMS:` and the names, one behind the other. */
  toSave(): readonly (readonly [number, string])[] {
    return [...this.#changed].map((number) => {
      const page = this.#pages.get(number);
      return [number, page === undefined ? '' : `${page.newestMs}:${[...page.names].join('')}`];
    });
  }

  saved(): void {
    this.#changed.clear();
  }

  /** Goes on with a page that is free, or that whose files were written to longest ago. */
  #turnPage(): void {
    const free = Array.from({ length: DONE_PAGES }, (_, page) => page).find((page) => !this.#pages.has(page));
    const [oldest] = [...this.#pages].sort(([, one], [, other]) => one.newestMs - other.newestMs);
    this.#current = free ?? oldest?.[0] ?? 0;
    if (free === undefined) this.forgottenMs = Math.max(this.forgottenMs, oldest?.[1].newestMs ?? NOTHING_FORGOTTEN);
    this.#pages.delete(this.#current);
  }
}

function nameOf({ key, sizeBytes, mtimeNs }: FileState): string {
  return hash('sha256', `${key}:${sizeBytes}:${mtimeNs}`, 'base64url').slice(0, NAME_CHARS);
}

function readPage(text: string): Page | undefined {
  const [, newestMs = '', names = ''] = /^(-?\d{1,16}(?:\.\d{1,9})?):([\w-]*)$/.exec(text) ?? [];
  if (newestMs === '' || names.length % NAME_CHARS !== 0 || names.length > PAGE_FILES * NAME_CHARS) return undefined;
  const found = new Set<string>();
  for (let at = 0; at < names.length; at += NAME_CHARS) found.add(names.slice(at, at + NAME_CHARS));
  return { names: found, newestMs: Number(newestMs) };
}

/**
 * Contents that are followed: a switch that rotates every hour has three weeks in them, and a journal room for a dozen sources. Of others
 * the files alone are known, as long as they are as they were: packed or copied again, they are read again.
 */
export const FOLLOWED_STREAMS = 512;

/** Contents whose places are made durable in one piece with what the reader waits for; the rest have keys of their own. */
export const CHECKPOINT_STREAMS = 16;

/** A file that holds content that is followed. */
export interface Carrier {
  readonly key: string;
  readonly isGzip: boolean;
  path: string;
  sizeBytes: number;
  mtimeNs: string;
  /** When it was seen to change last, by the clock; undefined since a restart. */
  changedAtMs: number | undefined;
  /** The switch may still write to it. */
  isLive: boolean;
  /** Open, so that it can be read after it was renamed out of sight or deleted. */
  file: FollowedFile | undefined;
}

/** A file on its way to be a carrier: nothing of it was read yet, whatever it is now is a change. */
export function newCarrier(file: Pick<Carrier, 'key' | 'isGzip'> & Partial<Carrier>): Carrier {
  return {
    path: '',
    sizeBytes: 0,
    mtimeNs: '',
    changedAtMs: undefined,
    isLive: false,
    file: undefined,
    ...file,
  };
}

/** Content that is followed, whatever files hold it. */
export interface Stream {
  readonly slot: number;
  place: ReadPlace;
  readonly carriers: Map<string, Carrier>;
  mtimeMs: number;
  isFinal: boolean;
  /** Since when the row behind the place is the last one, by the clock; undefined since a restart. */
  placeSinceMs: number | undefined;
  /** The member at which the last reading ended, with the rows that were taken in of it. */
  damaged?: DamagedMember | undefined;
  /** Rises with every change: the stream that was read last has the highest. */
  touched: number;
}

/** Octets behind the last row of a plain file: a row that is not complete. */
export function restBytes(stream: Stream, { isGzip, sizeBytes }: Carrier): number {
  return isGzip ? 0 : Math.max(0, sizeBytes - stream.place.offset);
}

function positionOf({ slot, place, carriers, mtimeMs, isFinal }: Stream): StreamPosition {
  const { offset, line, head, tail } = place;
  const files = [...carriers.values()].map((carrier): KnownFile => ({
    key: carrier.key,
    sizeBytes: carrier.sizeBytes,
    mtimeNs: carrier.mtimeNs,
    isGzip: carrier.isGzip,
  }));
  return {
    slot,
    offset,
    line,
    head,
    tail,
    files,
    mtimeMs,
    isFinal,
  };
}

/** Characters of what waits in one value: three octets each at most, and a value journal takes 16 KiB. */
const PIECE_CHARS = 5_000;

/** Characters of what waits that are made durable at most: 10,000 calls of 400 each, some 840 values. */
export const MAX_WAITING_CHARS = 4_194_304;

/** What was kept of the rows that waited in the reader. `lost`: something waited, and is not all there. */
type KeptWaiting = { readonly status: 'none' | 'lost' } | { readonly status: 'kept'; readonly text: string };

/**
 * The contents of one source that are followed, and how far each is read: in memory, and under keys that begin with `follow/` and the name of
 * the source.
 */
export class FollowPlaces {
  /** What was made durable beside the places. */
  readonly kept: { readonly coverage: CoverageState | undefined; readonly waiting: KeptWaiting };
  readonly #values: DurableValues;
  readonly #prefix: string;
  readonly #bySlot = new Map<number, Stream>();
  readonly #byFile = new Map<string, Stream>();
  readonly #changed = new Set<Stream>();
  readonly #done: DoneFiles;
  #inCheckpoint = new Set<Stream>();
  #touched = 0;
  /** Where the text of what waits is kept, of two places. */
  #turn: 0 | 1 = 0;

  constructor(values: DurableValues, sourceId: string) {
    this.#values = values;
    this.#prefix = `follow/${sourceId}`;
    const checkpointText = this.#get('checkpoint');
    const known = checkpointText === undefined ? undefined : readCheckpointText(checkpointText);
    this.#done = new DoneFiles((page) => this.#get(`done/${page}`), known?.forgottenMs ?? NOTHING_FORGOTTEN);
    // What is in the checkpoint is newer than what stands under a key of its own.
    const together = known?.streams ?? [];
    const slots = new Set(together.map(({ slot }) => slot));
    const apart = this.#positionsApart().filter(({ slot }) => !slots.has(slot));
    for (const position of [...apart, ...together].sort((one, other) => one.mtimeMs - other.mtimeMs)) {
      const { slot, offset, line, head, tail, files, mtimeMs, isFinal } = position;
      const stream = this.#newStream({
        slot,
        place: {
          offset,
          line,
          head,
          tail,
        },
        mtimeMs,
        isFinal,
      });
      if (slots.has(slot)) this.#inCheckpoint.add(stream);
      for (const file of files) this.attach(stream, newCarrier(file));
    }
    this.kept = { coverage: known?.coverage, waiting: this.#keptWaiting(known?.waiting) };
  }

  /** The content of a file that is known, by device and inode. */
  ofFile(key: string): Stream | undefined {
    return this.#byFile.get(key);
  }

  /** Whether a file was read as it is, and is of content that is not followed any more. */
  isDone(file: FileState, mtimeMs: number): boolean {
    return this.#done.has(file, mtimeMs);
  }

  /** Contents that begin as that one, the one read last first. */
  beginningWith(first: Uint8Array): readonly Stream[] {
    return this.#byRecency().filter(({ place }) => hasSameHead(first, place));
  }

  add(mtimeMs: number): Stream {
    const stream = this.#newStream({
      slot: this.#freeSlot(),
      place: BEGINNING,
      mtimeMs,
      isFinal: false,
    });
    this.#changed.add(stream);
    return stream;
  }

  attach(stream: Stream, carrier: Carrier): void {
    const other = this.#byFile.get(carrier.key);
    if (other !== undefined && other !== stream) other.carriers.delete(carrier.key);
    stream.carriers.set(carrier.key, carrier);
    this.#byFile.set(carrier.key, stream);
  }

  detach(stream: Stream, key: string): void {
    stream.carriers.delete(key);
    this.#byFile.delete(key);
    this.touch(stream);
  }

  touch(stream: Stream): void {
    this.#touched += 1;
    stream.touched = this.#touched;
    this.#changed.add(stream);
  }

  all(): readonly Stream[] {
    return [...this.#bySlot.values()];
  }

  /** Number of streams that changed since they were saved. */
  changed(): number {
    return this.#changed.size;
  }

  /**
   * Resolves when all is durable. Killed in the middle, what is kept is what was kept before, or that: the checkpoint is written last, and
   * in one piece.
   */
  async save(coverage: CoverageState | undefined, waiting: string | undefined): Promise<void> {
    const together = this.#byRecency().slice(0, CHECKPOINT_STREAMS);
    const apart = new Set([...this.#changed, ...this.#inCheckpoint]);
    for (const stream of together) apart.delete(stream);
    const values = [
      ...[...apart].map((stream) => [`stream/${stream.slot}`, JSON.stringify(positionOf(stream))] as const),
      ...this.#done.toSave().map(([page, text]) => [`done/${page}`, text] as const),
    ];
    const { forgottenMs } = this.#done;
    const streams = together.map(positionOf);
    const kept = waiting === undefined ? undefined : await this.#saveWaiting(waiting);
    await Promise.all(values.map(([key, value]) => this.#set(key, value)));
    await this.#set(
      'checkpoint',
      JSON.stringify({
        streams,
        coverage,
        waiting: kept,
        forgottenMs,
      }),
    );
    this.#done.saved();
    this.#inCheckpoint = new Set(together);
    this.#changed.clear();
  }

  #get(key: string): string | undefined {
    return this.#values.get(`${this.#prefix}/${key}`);
  }

  #set(key: string, value: string): Promise<void> {
    return this.#values.set(`${this.#prefix}/${key}`, value);
  }

  #positionsApart(): readonly StreamPosition[] {
    return Array.from({ length: FOLLOWED_STREAMS }, (_, slot) => {
      const text = this.#get(`stream/${slot}`);
      const position = text === undefined ? undefined : readPositionText(text);
      return position?.slot === slot ? [position] : [];
    }).flat();
  }

  #newStream(begun: Pick<Stream, 'slot' | 'place' | 'mtimeMs' | 'isFinal'>): Stream {
    this.#touched += 1;
    const stream = {
      ...begun,
      carriers: new Map<string, Carrier>(),
      placeSinceMs: undefined,
      touched: this.#touched,
    };
    this.#bySlot.set(stream.slot, stream);
    return stream;
  }

  #byRecency(): Stream[] {
    return [...this.#bySlot.values()].sort((a, b) => b.touched - a.touched);
  }

  /** Frees the slot of the content that was written to longest ago where all are taken. */
  #freeSlot(): number {
    for (let slot = 0; slot < FOLLOWED_STREAMS; slot += 1) if (!this.#bySlot.has(slot)) return slot;
    const [oldest] = [...this.#bySlot.values()].sort((a, b) => a.mtimeMs - b.mtimeMs || a.touched - b.touched);
    if (oldest === undefined) return 0;
    for (const carrier of oldest.carriers.values()) {
      // What has a rest that is no row yet, or is not whole, is read again.
      const isRead = carrier.isGzip ? oldest.isFinal : restBytes(oldest, carrier) === 0;
      if (isRead) this.#done.add(carrier, oldest.mtimeMs);
      this.#byFile.delete(carrier.key);
      carrier.file?.close().catch(() => undefined);
    }
    this.#changed.delete(oldest);
    this.#inCheckpoint.delete(oldest);
    this.#bySlot.delete(oldest.slot);
    return oldest.slot;
  }

  #keptWaiting(waiting: FollowCheckpoint['waiting']): KeptWaiting {
    if (waiting === undefined) return { status: 'none' };
    this.#turn = waiting.turn;
    if (waiting.pieces > MAX_WAITING_CHARS / PIECE_CHARS + 1) return { status: 'lost' };
    const pieces = Array.from({ length: waiting.pieces }, (_, at) => this.#get(`waiting/${waiting.turn}/${at}`) ?? '');
    const text = pieces.join('');
    return hash('sha256', text, 'hex') === waiting.sha256 ? { status: 'kept', text } : { status: 'lost' };
  }

  async #saveWaiting(text: string): Promise<NonNullable<FollowCheckpoint['waiting']>> {
    const turn = this.#turn === 0 ? 1 : 0;
    this.#turn = turn;
    const pieces: string[] = [];
    for (let at = 0; at < text.length; at += PIECE_CHARS) pieces.push(text.slice(at, at + PIECE_CHARS));
    await Promise.all(pieces.map((piece, at) => this.#set(`waiting/${turn}/${at}`, piece)));
    return { turn, pieces: pieces.length, sha256: hash('sha256', text, 'hex') };
  }
}
