import type { FileFacts, FollowedFile } from './followed-files.js';
import { createDoneFiles } from './follow-done-files.js';
import type { DonePage, FileState } from './follow-done-files.js';
import type { DamagedMember } from './gzip-members.js';
import { BEGINNING, hasSameHead } from './follow-position.js';
import type { KnownFile, ReadPlace, StreamPosition } from './follow-position.js';

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
export interface StreamsToSave {
  readonly apart: readonly StreamPosition[];
  readonly together: readonly StreamPosition[];
  /** Files of contents that are not followed any more. */
  readonly done: readonly DonePage[];
}

/** All contents that are followed. */
export interface Streams {
  /** The content of a file that is known, by device and inode. */
  readonly ofFile: (key: string) => Stream | undefined;
  /** Whether a file was read as it is, and is of content that is not followed any more. */
  readonly isDone: (file: FileState, mtimeMs: number) => boolean;
  /** Contents that begin as that one, the one read last first. */
  readonly beginningWith: (first: Uint8Array) => readonly Stream[];
  readonly add: (mtimeMs: number) => Stream;
  readonly attach: (stream: Stream, carrier: Carrier) => void;
  readonly detach: (stream: Stream, key: string) => void;
  readonly touch: (stream: Stream) => void;
  readonly all: () => readonly Stream[];
  /** Streams that changed since they were saved. */
  readonly dirty: () => number;
  readonly toSave: () => StreamsToSave;
  readonly saved: (save: StreamsToSave) => void;
  readonly forgottenMs: () => number;
}

/** What was made durable of the contents of a source. */
export interface SavedStreams extends StreamsToSave {
  readonly forgottenMs: number;
}

/** Keeps the contents of one source. Pure: never throws. */
export function createStreams(resumed: SavedStreams): Streams {
  const streams = new Map<number, Stream>();
  const byFile = new Map<string, Stream>();
  const dirty = new Set<Stream>();
  let savedTogether = new Set<Stream>();
  let touched = 0;
  const done = createDoneFiles(resumed.done, resumed.forgottenMs);

  const attach = (stream: Stream, carrier: Carrier): void => {
    const other = byFile.get(carrier.key);
    if (other !== undefined && other !== stream) other.carriers.delete(carrier.key);
    stream.carriers.set(carrier.key, carrier);
    byFile.set(carrier.key, stream);
  };
  const touch = (stream: Stream): void => {
    touched += 1;
    stream.touched = touched;
    dirty.add(stream);
  };
  // What is in the checkpoint is newer than what stands under a key of its own.
  const slots = new Set(resumed.together.map(({ slot }) => slot));
  const positions = [...resumed.apart.filter(({ slot }) => !slots.has(slot)), ...resumed.together];
  for (const position of positions.sort((one, other) => one.mtimeMs - other.mtimeMs)) {
    const stream = streamOf(position);
    touched += 1;
    stream.touched = touched;
    streams.set(stream.slot, stream);
    if (slots.has(stream.slot)) savedTogether.add(stream);
    for (const file of position.files) attach(stream, carrierOf(file));
  }
  const byRecency = (): Stream[] => [...streams.values()].sort((a, b) => b.touched - a.touched);

  /** The slot of the content that was written to longest ago, and is of no use any more. */
  const freeSlot = (): number => {
    for (let slot = 0; slot < FOLLOWED_STREAMS; slot += 1) if (!streams.has(slot)) return slot;
    const [oldest] = [...streams.values()].sort((a, b) => a.mtimeMs - b.mtimeMs || a.touched - b.touched);
    if (oldest === undefined) return 0;
    for (const carrier of oldest.carriers.values()) {
      const { key, file } = carrier;
      // What has a rest that is no row yet, or is not whole, is read again.
      const isRead = carrier.isGzip ? oldest.isFinal : restBytes(oldest, carrier) === 0;
      if (isRead) done.add(carrier, oldest.mtimeMs);
      byFile.delete(key);
      file?.close().catch(() => undefined);
    }
    dirty.delete(oldest);
    savedTogether.delete(oldest);
    streams.delete(oldest.slot);
    return oldest.slot;
  };

  return {
    ofFile: (key) => byFile.get(key),
    isDone: done.has,
    beginningWith: (first) => byRecency().filter(({ place }) => hasSameHead(first, place)),
    add(mtimeMs) {
      const slot = freeSlot();
      const stream: Stream = {
        slot,
        place: BEGINNING,
        carriers: new Map(),
        mtimeMs,
        isFinal: false,
        placeSinceMs: undefined,
        touched: 0,
      };
      streams.set(slot, stream);
      touch(stream);
      return stream;
    },
    attach,
    detach(stream, key) {
      stream.carriers.delete(key);
      byFile.delete(key);
      touch(stream);
    },
    touch,
    all: () => [...streams.values()],
    dirty: () => dirty.size,
    toSave() {
      const together = byRecency().slice(0, CHECKPOINT_STREAMS);
      const apart = new Set([...dirty, ...savedTogether]);
      for (const stream of together) apart.delete(stream);
      return { apart: [...apart].map(positionOf), together: together.map(positionOf), done: done.toSave() };
    },
    saved({ together, done: pages }) {
      done.saved(pages);
      savedTogether = new Set(together.flatMap(({ slot }) => streams.get(slot) ?? []));
      dirty.clear();
    },
    forgottenMs: done.forgottenMs,
  };
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
  return { key: facts.key, ...state, sizeBytes: 0, mtimeNs: '', file: undefined };
}

function carrierOf({ key, isGzip, sizeBytes, mtimeNs }: KnownFile): Carrier {
  return { key, isGzip, path: '', sizeBytes, mtimeNs, changedAtMs: undefined, isLive: false, file: undefined };
}

function streamOf({ slot, offset, line, head, tail, mtimeMs, isFinal }: StreamPosition): Stream {
  const place = { offset, line, head, tail };
  return { slot, place, carriers: new Map(), mtimeMs, isFinal, placeSinceMs: undefined, touched: 0 };
}

function positionOf({ slot, place, carriers, mtimeMs, isFinal }: Stream): StreamPosition {
  const { offset, line, head, tail } = place;
  const files = [...carriers.values()].map(({ key, sizeBytes, mtimeNs, isGzip }) => ({
    key,
    sizeBytes,
    mtimeNs,
    isGzip,
  }));
  return { slot, offset, line, head, tail, files, mtimeMs, isFinal };
}
