import { hash } from 'node:crypto';
import { z } from 'zod';
import { parseBoundedJson } from '../../core/json-text.js';
import type { JsonLimits } from '../../core/json-text.js';
import { readBySchema } from '../../core/schema-findings.js';
import type { DurableValues } from '../stream/dead-letters.js';
import type { DamagedMember, FileFacts, FollowedFile } from './readable-files.js';
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

/** Files that were read and whose content is not followed any more, a page as it is kept. */
interface DonePage {
  readonly page: number;
  readonly text: string;
}

/** What tells a file as it was when it was read from every other, and from what it becomes when it is written to. */
export type FileState = Pick<KnownFile, 'key' | 'sizeBytes' | 'mtimeNs'>;

interface Page {
  readonly names: Set<string>;
  /** When the newest of its files was written to. */
  newestMs: number;
}

/** Keeps the files that are done. Pure: never throws. */
function createDoneFiles(kept: readonly DonePage[], forgottenMs: number) {
  const pages = new Map<number, Page>();
  for (const { page, text } of kept) {
    const read = readPage(text);
    if (read !== undefined) pages.set(page, read);
  }
  let current = [...pages].find(([, { names }]) => names.size < PAGE_FILES)?.[0] ?? 0;
  let forgotten = forgottenMs;
  const dirty = new Set<number>();

  /** A page that is free, or that whose files were written to longest ago. */
  const turnPage = (): Page => {
    const free = Array.from({ length: DONE_PAGES }, (_, page) => page).find((page) => !pages.has(page));
    const [oldest] = [...pages].sort(([, one], [, other]) => one.newestMs - other.newestMs);
    current = free ?? oldest?.[0] ?? 0;
    if (free === undefined) forgotten = Math.max(forgotten, oldest?.[1].newestMs ?? NOTHING_FORGOTTEN);
    return newPage();
  };
  const newPage = (): Page => {
    const page = { names: new Set<string>(), newestMs: NOTHING_FORGOTTEN };
    pages.set(current, page);
    return page;
  };

  return {
    /** Whether a file was read as it is now. */
    has(file: FileState, mtimeMs: number): boolean {
      if (mtimeMs < forgotten) return true;
      const name = nameOf(file);
      for (const { names } of pages.values()) if (names.has(name)) return true;
      return false;
    },
    add(file: FileState, mtimeMs: number): void {
      let page = pages.get(current) ?? newPage();
      if (page.names.size >= PAGE_FILES) page = turnPage();
      page.names.add(nameOf(file));
      page.newestMs = Math.max(page.newestMs, mtimeMs);
      dirty.add(current);
    },
    /** Pages that changed since they were saved. */
    toSave: (): readonly DonePage[] => [...dirty].map((page) => ({ page, text: pageText(pages.get(page)) })),
    saved(saved: readonly DonePage[]): void {
      for (const { page } of saved) dirty.delete(page);
    },
    /** Files last written to before that time count as done: so many were there that the oldest had to be forgotten. */
    forgottenMs: () => forgotten,
  };
}

function nameOf({ key, sizeBytes, mtimeNs }: FileState): string {
  return hash('sha256', `${key}:${sizeBytes}:${mtimeNs}`, 'base64url').slice(0, NAME_CHARS);
}

/** `NEWESTMS:` and the names, one behind the other. */
function pageText(page: Page | undefined): string {
  return page === undefined ? '' : `${page.newestMs}:${[...page.names].join('')}`;
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

/** What has to be written down: streams with keys of their own first, then those of the checkpoint. */
interface StreamsToSave {
  readonly apart: readonly StreamPosition[];
  readonly together: readonly StreamPosition[];
  /** Files of contents that are not followed any more. */
  readonly done: readonly DonePage[];
}

/** What was made durable of the contents of a source. */
interface SavedStreams extends StreamsToSave {
  readonly forgottenMs: number;
}

/** Keeps the contents of one source that are followed. Pure: never throws. */
export class Streams {
  readonly #bySlot = new Map<number, Stream>();
  readonly #byFile = new Map<string, Stream>();
  readonly #dirty = new Set<Stream>();
  readonly #done: ReturnType<typeof createDoneFiles>;
  #savedTogether = new Set<Stream>();
  #touched = 0;

  constructor(resumed: SavedStreams) {
    this.#done = createDoneFiles(resumed.done, resumed.forgottenMs);
    // What is in the checkpoint is newer than what stands under a key of its own.
    const slots = new Set(resumed.together.map(({ slot }) => slot));
    const positions = [...resumed.apart.filter(({ slot }) => !slots.has(slot)), ...resumed.together];
    for (const position of positions.sort((one, other) => one.mtimeMs - other.mtimeMs)) {
      const stream = streamOf(position);
      this.#touched += 1;
      stream.touched = this.#touched;
      this.#bySlot.set(stream.slot, stream);
      if (slots.has(stream.slot)) this.#savedTogether.add(stream);
      for (const file of position.files) this.attach(stream, carrierOf(file));
    }
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
    const slot = this.#freeSlot();
    const fresh = { isFinal: false, placeSinceMs: undefined, touched: 0 };
    const stream: Stream = {
      slot,
      place: BEGINNING,
      carriers: new Map(),
      mtimeMs,
      ...fresh,
    };
    this.#bySlot.set(slot, stream);
    this.touch(stream);
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
    this.#dirty.add(stream);
  }

  all(): readonly Stream[] {
    return [...this.#bySlot.values()];
  }

  /** Number of streams that changed since they were saved. */
  dirty(): number {
    return this.#dirty.size;
  }

  toSave(): StreamsToSave {
    const together = this.#byRecency().slice(0, CHECKPOINT_STREAMS);
    const apart = new Set([...this.#dirty, ...this.#savedTogether]);
    for (const stream of together) apart.delete(stream);
    return { apart: [...apart].map(positionOf), together: together.map(positionOf), done: this.#done.toSave() };
  }

  saved({ together, done }: StreamsToSave): void {
    this.#done.saved(done);
    this.#savedTogether = new Set(together.flatMap(({ slot }) => this.#bySlot.get(slot) ?? []));
    this.#dirty.clear();
  }

  forgottenMs(): number {
    return this.#done.forgottenMs();
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
      const { key, file } = carrier;
      // What has a rest that is no row yet, or is not whole, is read again.
      const isRead = carrier.isGzip ? oldest.isFinal : restBytes(oldest, carrier) === 0;
      if (isRead) this.#done.add(carrier, oldest.mtimeMs);
      this.#byFile.delete(key);
      file?.close().catch(() => undefined);
    }
    this.#dirty.delete(oldest);
    this.#savedTogether.delete(oldest);
    this.#bySlot.delete(oldest.slot);
    return oldest.slot;
  }
}

/** Octets behind the last row of a plain file: a row that is not complete. */
export function restBytes(stream: Stream, { isGzip, sizeBytes }: Carrier): number {
  return isGzip ? 0 : Math.max(0, sizeBytes - stream.place.offset);
}

/** A file as it was found, on its way to be a carrier. */
export function newCarrier(
  facts: FileFacts,
  state: Pick<Carrier, 'path' | 'isGzip' | 'isLive' | 'changedAtMs'>,
): Carrier {
  // Nothing of it was read yet: whatever it is now is a change.
  return {
    key: facts.key,
    ...state,
    sizeBytes: 0,
    mtimeNs: '',
    file: undefined,
  };
}

function carrierOf({ key, isGzip, sizeBytes, mtimeNs }: KnownFile): Carrier {
  return {
    key,
    isGzip,
    path: '',
    sizeBytes,
    mtimeNs,
    changedAtMs: undefined,
    isLive: false,
    file: undefined,
  };
}

function streamOf({ slot, offset, line, head, tail, mtimeMs, isFinal }: StreamPosition): Stream {
  const place = { offset, line, head, tail };
  return {
    slot,
    place,
    carriers: new Map(),
    mtimeMs,
    isFinal,
    placeSinceMs: undefined,
    touched: 0,
  };
}

function positionOf({ slot, place, carriers, mtimeMs, isFinal }: Stream): StreamPosition {
  const { offset, line, head, tail } = place;
  const files = [...carriers.values()].map(({ key, sizeBytes, mtimeNs, isGzip: isPacked }): KnownFile => ({
    key,
    sizeBytes,
    mtimeNs,
    isGzip: isPacked,
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

/** What was made durable of a source. */
export interface KeptPlaces extends SavedStreams {
  readonly coverage: CoverageState | undefined;
  /** `lost`: something waited, and is not all there. */
  readonly waiting: { readonly status: 'none' | 'lost' } | { readonly status: 'kept'; readonly text: string };
}

/** What is to be made durable of a source: all that has changed. */
interface PlacesToSave extends SavedStreams {
  readonly coverage: CoverageState | undefined;
  readonly waiting: string | undefined;
}

/** Makes the durable places of a source, under keys that begin with `follow/` and its name. */
export function createFollowPlaces(values: DurableValues, sourceId: string) {
  const prefix = `follow/${sourceId}`;
  const slotKey = (slot: number): string => `${prefix}/stream/${slot}`;
  const waitingKey = (turn: 0 | 1, piece: number): string => `${prefix}/waiting/${turn}/${piece}`;
  const doneKey = (page: number): string => `${prefix}/done/${page}`;
  const checkpointKey = `${prefix}/checkpoint`;
  let turn: 0 | 1 = 0;

  const keptWaiting = (waiting: FollowCheckpoint['waiting']): KeptPlaces['waiting'] => {
    if (waiting === undefined) return { status: 'none' };
    turn = waiting.turn;
    if (waiting.pieces > MAX_WAITING_CHARS / PIECE_CHARS + 1) return { status: 'lost' };
    const pieces = Array.from(
      { length: waiting.pieces },
      (_, piece) => values.get(waitingKey(waiting.turn, piece)) ?? '',
    );
    const text = pieces.join('');
    return hash('sha256', text, 'hex') === waiting.sha256 ? { status: 'kept', text } : { status: 'lost' };
  };

  const saveWaiting = async (text: string): Promise<NonNullable<FollowCheckpoint['waiting']>> => {
    turn = turn === 0 ? 1 : 0;
    const writing = turn;
    const pieces: string[] = [];
    for (let at = 0; at < text.length; at += PIECE_CHARS) pieces.push(text.slice(at, at + PIECE_CHARS));
    await Promise.all(pieces.map((piece, number) => values.set(waitingKey(writing, number), piece)));
    return { turn: writing, pieces: pieces.length, sha256: hash('sha256', text, 'hex') };
  };

  return {
    kept(): KeptPlaces {
      const apart: StreamPosition[] = [];
      for (let slot = 0; slot < FOLLOWED_STREAMS; slot += 1) {
        const text = values.get(slotKey(slot));
        const position = text === undefined ? undefined : readPositionText(text);
        if (position?.slot === slot) apart.push(position);
      }
      const done: DonePage[] = [];
      for (let page = 0; page < DONE_PAGES; page += 1) {
        const kept = values.get(doneKey(page));
        if (kept !== undefined) done.push({ page, text: kept });
      }
      const text = values.get(checkpointKey);
      const known = text === undefined ? undefined : readCheckpointText(text);
      return {
        apart,
        done,
        together: known?.streams ?? [],
        forgottenMs: known?.forgottenMs ?? NOTHING_FORGOTTEN,
        coverage: known?.coverage,
        waiting: keptWaiting(known?.waiting),
      };
    },
    /**
     * Resolves when all is durable. Killed in the middle, what is kept is what was kept before, or that: the checkpoint is written last, and
     * in one piece.
     */
    async save({ apart, together, done, forgottenMs, coverage, waiting }: PlacesToSave): Promise<void> {
      const kept = waiting === undefined ? undefined : await saveWaiting(waiting);
      await Promise.all([
        ...apart.map((position) => values.set(slotKey(position.slot), JSON.stringify(position))),
        ...done.map(({ page, text }) => values.set(doneKey(page), text)),
      ]);
      const written = { streams: together, coverage, waiting: kept, forgottenMs };
      await values.set(checkpointKey, JSON.stringify(written));
    },
  };
}
