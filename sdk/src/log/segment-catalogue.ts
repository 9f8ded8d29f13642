import { join } from 'node:path';
import { storageFailure, systemCode, withFile } from './log-files.js';
import type { LogFiles } from './log-files.js';
import { SEGMENT_HEADER_BYTES, scanSegment, segmentFileName } from './segment-format.js';
import type { ScannedFrame, SegmentName } from './segment-format.js';

/** A place of a segment is remembered every so many bytes: what a look-up has to read in vain at most. */
const INDEX_EVERY_BYTES = 64 * 1_024;
/** Readers that go on where they ended; a log has one or two. */
const CURSORS = 8;

/** A segment that is there. */
export interface Segment extends SegmentName {
  readonly fileName: string;
  /** What readers may look at: all of a file that is not written to, or what has been synced. */
  sizeBytes: number;
  /** Offsets of frames, in order, each with the sequence number of the next record at or behind it. */
  readonly places: SegmentPlace[];
}

/** Where in a segment to look. */
export interface SegmentPlace {
  readonly sequence: number;
  readonly offset: number;
}

/** What was found to be gone. */
export interface FoundLosses {
  readonly records: number;
  readonly damagedBytes: number;
  readonly unreadableBytes: number;
}

/** The segments of a log, in order, and what was found out about them. */
export type SegmentCatalogue = ReturnType<typeof createSegmentCatalogue>;

/** An empty catalogue. Its functions never throw. */
export function createSegmentCatalogue() {
  const segments: Segment[] = [];
  const cursors: { readonly segment: Segment; readonly place: SegmentPlace }[] = [];
  const losses = createLossCount();

  const lastOf = (segment: Segment): number | undefined => {
    const next = segments[segments.indexOf(segment) + 1];
    return next === undefined ? undefined : next.first - 1;
  };

  return {
    segments,
    get sizeBytes(): number {
      return segments.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
    },
    /** The newest. */
    newest: (): Segment | undefined => segments.at(-1),
    /** Adds the newest; what segments before it have at or above its first is void from now on. */
    add: (name: SegmentName, sizeBytes: number): Segment => {
      const places = [{ sequence: name.first, offset: SEGMENT_HEADER_BYTES }];
      const segment = { ...name, fileName: segmentFileName(name), sizeBytes, places };
      segments.push(segment);
      return segment;
    },
    remove: (segment: Segment) => {
      const last = lastOf(segment);
      const at = segments.indexOf(segment);
      if (at !== -1) segments.splice(at, 1);
      losses.forget(segment, last ?? 0);
    },
    /** The segment that has a record, were it there; undefined when it is older than all. */
    holding: (sequence: number): Segment | undefined => segments[below(segments, ({ first }) => first <= sequence) - 1],
    /** Last sequence number that a segment may have; undefined for the newest, which knows no end. */
    lastOf,
    /** Segments that have nothing any more, since a newer one begins where they do. */
    superseded: (): readonly Segment[] =>
      segments.filter((segment) => (lastOf(segment) ?? segment.first) < segment.first),
    /** Where to begin to look for a record of a segment. */
    placeOf: (segment: Segment, sequence: number): SegmentPlace => {
      const left = cursors.find((cursor) => cursor.segment === segment && cursor.place.sequence === sequence);
      if (left !== undefined) return left.place;
      const at = below(segment.places, (place) => place.sequence <= sequence);
      return segment.places[at - 1] ?? { sequence: segment.first, offset: SEGMENT_HEADER_BYTES };
    },
    /** Remembers a place that was come by. */
    learn: (segment: Segment, place: SegmentPlace) => {
      const furthest = segment.places.at(-1)?.offset ?? 0;
      if (place.offset >= furthest + INDEX_EVERY_BYTES) segment.places.push(place);
    },
    /** Remembers where a reader will go on. */
    leave: (segment: Segment, place: SegmentPlace) => {
      cursors.unshift({ segment, place });
      if (cursors.length > CURSORS) cursors.pop();
    },
    /** Counts records that are missing; each range once. */
    missing: losses.missing,
    /** Counts bytes of a segment that are no frames; each place once. */
    damaged: losses.damaged,
    losses: losses.found,
  };
}

/** How many elements from the beginning have what only a first part of them has. */
function below<Element>(elements: readonly Element[], isBelow: (element: Element) => boolean): number {
  let [low, high] = [0, elements.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    const element = elements[middle];
    if (element !== undefined && isBelow(element)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Counts each loss once, however often it is read over: what follows a gap is the same for whoever comes upon it, only where it begins
 * depends on where the reader set out.
 */
function createLossCount() {
  const gaps = new Map<number, number>();
  const holes = new Map<Segment, Map<number, number>>();
  const found = { records: 0, damagedBytes: 0, unreadableBytes: 0 };

  return {
    missing: (first: number, last: number) => {
      const known = gaps.get(last) ?? last + 1;
      if (first >= known) return;
      gaps.set(last, first);
      found.records += known - first;
    },
    damaged: (segment: Segment, offset: number, bytes: number, isUnreadable: boolean) => {
      const known = holes.get(segment) ?? new Map<number, number>();
      holes.set(segment, known);
      const key = 2 * (offset + bytes) + (isUnreadable ? 1 : 0);
      const counted = known.get(key) ?? 0;
      if (bytes <= counted) return;
      known.set(key, bytes);
      if (isUnreadable) found.unreadableBytes += bytes - counted;
      else found.damagedBytes += bytes - counted;
    },
    forget: (segment: Segment, last: number) => {
      holes.delete(segment);
      for (const gapLast of gaps.keys()) if (gapLast <= last) gaps.delete(gapLast);
    },
    found: (): FoundLosses => ({
      records: found.records,
      damagedBytes: found.damagedBytes,
      unreadableBytes: found.unreadableBytes,
    }),
  };
}

/** Bytes read at once: 64 KiB when few records are wanted, 4 MiB at most. */
const LEAST_WINDOW_BYTES = 64 * 1_024;
const LARGEST_WINDOW_BYTES = 4 * 2 ** 20;
/** Of a record with its frame, to guess how many bytes so many records have. */
const GUESSED_RECORD_BYTES = 2_048;

/** What is read from. */
export interface ReadSource {
  readonly directory: string;
  readonly files: LogFiles;
  readonly catalogue: SegmentCatalogue;
  /** Records above it are not read. */
  readonly durableSequence: number;
}

/** What is wanted. */
export interface ReadRequest {
  readonly fromSequence: number;
  readonly maxBytes: number;
  readonly maxRecords: number;
  readonly skipUnreadable: boolean;
}

/** As `LogRecord` of the log. */
export interface ReadRecord {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Is shown a record: its payload is what `bytes` has from `start` to before `end`. */
export type VisitRecord = (sequence: number, bytes: Buffer, start: number, end: number) => void;

/** What is wanted, and who is shown it. */
export interface VisitRequest extends ReadRequest {
  readonly visit: VisitRecord;
  /** Gives the memory to read into, of so many bytes; what was read into it before is done with. Default: new memory for each read. */
  readonly windowOf?: (bytes: number) => Buffer;
}

/**
 * Reads records of the log in order, whatever is between them; what is missing is counted in the catalogue.
 * @throws HopbackError `storage-failed` (retryable) when the disk does not give them
 */
export async function readRecords(source: ReadSource, request: ReadRequest): Promise<readonly ReadRecord[]> {
  const records: ReadRecord[] = [];
  const visit: VisitRecord = (sequence, bytes, start, end) =>
    void records.push({ sequence, payload: bytes.subarray(start, end) });
  await visitRecords(source, { ...request, visit });
  return records;
}

/**
 * Shows records as {@link readRecords} reads them.
 * @returns how many
 * @throws HopbackError `storage-failed` (retryable) when the disk does not give them; those before were shown
 */
export async function visitRecords(source: ReadSource, request: VisitRequest): Promise<number> {
  const { catalogue, durableSequence } = source;
  const batch: Batch = { records: 0, bytes: 0, isFull: false };
  let next = Math.max(request.fromSequence, catalogue.segments[0]?.first ?? 0);
  while (next <= durableSequence && !batch.isFull) {
    const segment = catalogue.holding(next);
    if (segment === undefined) break;
    const last = Math.min(catalogue.lastOf(segment) ?? durableSequence, durableSequence);
    if (last < next) break;
    await readSegment({
      source,
      request,
      segment,
      batch,
      next,
      last,
    });
    next = last + 1;
  }
  return batch.records;
}

interface Batch {
  records: number;
  bytes: number;
  isFull: boolean;
}

interface SegmentRead {
  readonly source: ReadSource;
  readonly request: VisitRequest;
  readonly segment: Segment;
  readonly batch: Batch;
  /** First and last that are wanted of this segment. */
  readonly next: number;
  readonly last: number;
}

async function readSegment(read: SegmentRead): Promise<void> {
  const { source, request, segment, batch, next, last } = read;
  const { directory, files, catalogue } = source;
  const place = catalogue.placeOf(segment, next);
  const visitor = createVisitor(read, place);
  try {
    const offset = await withFile(files, join(directory, segment.fileName), (file) =>
      scanSegment(file, {
        mark: segment.mark,
        from: place.offset,
        to: segment.sizeBytes,
        windowBytes: windowFor(request, batch),
        ...(request.windowOf !== undefined && { windowOf: request.windowOf }),
        skipUnreadable: request.skipUnreadable,
        visit: visitor.visit,
        damaged: (at, bytes, isUnreadable) => catalogue.damaged(segment, at, bytes, isUnreadable),
      }),
    );
    const expected = visitor.expected();
    if (batch.isFull) catalogue.leave(segment, { sequence: expected, offset });
    else if (expected <= last) catalogue.missing(expected, last);
    else catalogue.leave(segment, { sequence: expected, offset });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw storageFailure('read', error);
    // Trimmed while it was read, or taken away by somebody.
    if (catalogue.segments.includes(segment)) catalogue.missing(next, last);
  }
}

function createVisitor(
  { source, request, segment, batch, next, last }: SegmentRead,
  place: SegmentPlace,
): { readonly visit: (frame: ScannedFrame) => boolean; readonly expected: () => number } {
  const { catalogue } = source;
  let expected = place.sequence;
  let frameEnd = place.offset;
  const take = ({ sequence, bytes, start, end }: ScannedFrame & { readonly kind: 'record' }): boolean => {
    if (isFullFor(batch, request, end - start)) {
      batch.isFull = true;
      return false;
    }
    request.visit(sequence, bytes, start, end);
    batch.records += 1;
    batch.bytes += end - start;
    return true;
  };
  return {
    visit: (frame) => {
      const sequence = frame.kind === 'group' ? frame.first : frame.sequence;
      if (frame.kind === 'record' && sequence > last) return false;
      if (frame.kind === 'record' && sequence >= Math.max(next, expected) && !take(frame)) return false;
      // Between neighbouring frames nothing is missing, whatever their numbers are.
      if (sequence > expected && frame.offset > frameEnd) catalogue.missing(expected, Math.min(last, sequence - 1));
      frameEnd = frame.endOffset;
      if (frame.kind === 'record') {
        catalogue.learn(segment, { sequence: expected, offset: frame.offset });
        expected = Math.max(expected, sequence + 1);
      } else {
        expected = Math.max(expected, sequence);
      }
      return true;
    },
    expected: () => expected,
  };
}

function isFullFor({ records, bytes }: Batch, { maxBytes, maxRecords }: ReadRequest, payloadBytes: number): boolean {
  return records > 0 && (records >= maxRecords || bytes + payloadBytes > maxBytes);
}

function windowFor({ maxBytes, maxRecords }: ReadRequest, batch: Batch): number {
  const wanted = Math.min(maxBytes - batch.bytes, maxRecords * GUESSED_RECORD_BYTES);
  return Math.min(LARGEST_WINDOW_BYTES, Math.max(LEAST_WINDOW_BYTES, wanted + LEAST_WINDOW_BYTES));
}
