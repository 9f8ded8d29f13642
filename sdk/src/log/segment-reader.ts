import { join } from 'node:path';
import type { LogFiles } from './log-files.js';
import { withFile } from './log-recovery.js';
import type { Segment, SegmentCatalogue, SegmentPlace } from './segment-catalogue.js';
import { scanSegment, type ScannedFrame } from './segment-scan.js';
import { storageFailure, systemCode } from './storage-failure.js';

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
    await readSegment({ source, request, segment, batch, next, last });
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
