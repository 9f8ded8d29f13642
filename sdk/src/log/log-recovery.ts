import { join } from 'node:path';
import { HopbackError } from '../errors.js';
import { NODE_LOG_FILES, asked, storageFailure, withFile } from './log-files.js';
import type { LogFiles } from './log-files.js';
import { createSegmentCatalogue, readRecords } from './segment-catalogue.js';
import type { Segment, SegmentCatalogue } from './segment-catalogue.js';
import {
  FRAME_HEADER_BYTES,
  PARTIAL_SUFFIX,
  SEGMENT_HEADER_BYTES,
  SEGMENT_VERSION,
  parseSegmentFileName,
  scanSegment,
  statedVersion,
} from './segment-format.js';
import type { ScannedFrame, SegmentName } from './segment-format.js';
import { createPendingRecords } from './segment-writer.js';
import type { PendingGroup, SegmentWriter } from './segment-writer.js';

/** Large windows: the newest segment is read in full before the log is open. */
const WINDOW_BYTES = 4 * 2 ** 20;

/** The end of a log that was not closed: records that were written, and of which nobody knows whether they were synced. */
export interface Doubt {
  readonly segment: Segment;
  /** Everything below is durable. */
  readonly first: number;
  /** Of the group header before them. */
  readonly offset: number;
  /** The number after the last that may have been given. */
  readonly next: number;
  readonly hasRecords: boolean;
}

/** What was found in a directory. */
export interface Recovered {
  /** Highest that a segment has. */
  readonly ordinal: number;
  /** Highest sequence number that may have been given. */
  readonly lastSequence: number;
  readonly doubt?: Doubt;
  /** Records of the last group that are not there. */
  readonly missingInDoubt: number;
}

/** Where to look. */
export interface RecoveryOptions {
  readonly directory: string;
  readonly files: LogFiles;
  readonly catalogue: SegmentCatalogue;
}

/** A segment of a directory: what its name says, where it is, and how long. */
export interface FoundSegment {
  readonly name: SegmentName;
  readonly path: string;
  readonly sizeBytes: number;
}

/**
 * The segments among the files of a directory, in their order. Their version is that of the newest header that can be read.
 * @throws HopbackError `storage-failed` when a later release wrote them
 */
export async function segmentsOf(
  listed: Awaited<ReturnType<LogFiles['list']>>,
  { directory, files }: Pick<RecoveryOptions, 'directory' | 'files'>,
): Promise<readonly FoundSegment[]> {
  const found = listed
    .map((file) => ({ ...file, path: join(directory, file.name), name: parseSegmentFileName(file.name) }))
    .flatMap(({ name, path, sizeBytes }) => (name === undefined ? [] : [{ name, path, sizeBytes }]))
    .toSorted((a, b) => a.name.ordinal - b.name.ordinal || a.name.first - b.name.first);
  for (const { path } of found.toReversed()) {
    const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
    await withFile(files, path, (file) => file.read(header, 0)).catch(() => undefined);
    const version = statedVersion(header);
    if (version === undefined) continue;
    if (version <= SEGMENT_VERSION) break;
    throw new HopbackError('storage-failed', `a later release of Hopback wrote ${path}: open it with that release`);
  }
  return found;
}

/**
 * Finds the segments of a directory and reads the newest.
 * @throws HopbackError `storage-failed` when the directory itself cannot be made or listed, or a later release wrote its segments; nothing
 * else that is in it makes it throw
 */
export async function recoverSegments({ directory, files, catalogue }: RecoveryOptions): Promise<Recovered> {
  await asked('create', () => files.makeDirectory(directory));
  const listed = await asked('read', () => files.list(directory));
  const found = await segmentsOf(listed, { directory, files });
  const leftOvers = listed.filter(({ name }) => isPartial(name));
  for (const { name } of leftOvers) await files.unlink(join(directory, name)).catch(() => undefined);
  for (const { name, sizeBytes } of found) catalogue.add(name, sizeBytes);
  const newest = catalogue.newest();
  if (newest === undefined) return { ordinal: 0, lastSequence: 0, missingInDoubt: 0 };
  return { ordinal: newest.ordinal, ...(await readNewest(newest, { directory, files, catalogue })) };
}

function isPartial(name: string): boolean {
  return name.endsWith(PARTIAL_SUFFIX) && parseSegmentFileName(name.slice(0, -PARTIAL_SUFFIX.length)) !== undefined;
}

async function readNewest(segment: Segment, options: RecoveryOptions): Promise<Omit<Recovered, 'ordinal'>> {
  const end = await scanNewest(segment, options);
  // Where the disk gives nothing, there may have been so many records: no number is given twice.
  const hidden = Math.ceil(end.unreadableBytes / FRAME_HEADER_BYTES);
  const lastSequence = Math.max(end.lastFound, end.lastPromised) + hidden;
  if (end.lastPromised < end.doubtFrom && end.lastFound < end.doubtFrom) return { lastSequence, missingInDoubt: 0 };
  const doubt: Doubt = {
    segment,
    first: end.doubtFrom,
    offset: end.doubtOffset,
    next: lastSequence + 1,
    hasRecords: end.lastFound >= end.doubtFrom,
  };
  return { lastSequence, doubt, missingInDoubt: end.missingInDoubt };
}

/** What is at the end of the newest segment. */
export interface SegmentTail {
  /** Records that the frames around them say to have been durable, and that are gone. */
  readonly lostRecords: number;
  /**
   * Bytes behind the last frame that are none, or that the disk does not give, and records that were begun and are not there: a write that
   * a crash tore and nobody was told of, one that goes on at this moment, or one that was damaged since.
   */
  readonly isDoubtful: boolean;
}

/**
 * Looks at the end of the newest segment without changing it.
 * @param options - its catalogue takes what is found to be gone: one that nothing was read by
 */
export async function readTail(segment: Segment, options: RecoveryOptions): Promise<SegmentTail> {
  const end = await scanNewest(segment, options);
  const { records: lostRecords } = options.catalogue.losses();
  const isDoubtful = end.missingInDoubt > 0 || end.trailingBytes > 0 || end.unreadableBytes > 0;
  return { lostRecords, isDoubtful };
}

interface NewestEnd {
  readonly lastFound: number;
  /** By group headers. */
  readonly lastPromised: number;
  readonly doubtFrom: number;
  readonly doubtOffset: number;
  readonly missingInDoubt: number;
  /** Behind the last frame. */
  readonly trailingBytes: number;
  readonly unreadableBytes: number;
}

async function scanNewest(segment: Segment, { directory, files, catalogue }: RecoveryOptions): Promise<NewestEnd> {
  const end = createEnd(segment, catalogue);
  let unreadableBytes = 0;
  const scan = {
    mark: segment.mark,
    from: SEGMENT_HEADER_BYTES,
    to: segment.sizeBytes,
    windowBytes: WINDOW_BYTES,
    skipUnreadable: true,
    visit: end.visit,
    damaged: (offset: number, bytes: number, isUnreadable: boolean) => {
      if (isUnreadable) unreadableBytes += bytes;
      catalogue.damaged(segment, offset, bytes, isUnreadable);
    },
  };
  await withFile(files, join(directory, segment.fileName), (file) => scanSegment(file, scan)).catch(() => {
    unreadableBytes = segment.sizeBytes;
    catalogue.damaged(segment, 0, segment.sizeBytes, true);
  });
  return { ...end.found(), unreadableBytes };
}

/** Follows the frames of the newest segment. */
function createEnd(
  segment: Segment,
  catalogue: SegmentCatalogue,
): {
  readonly visit: (frame: ScannedFrame) => boolean;
  readonly found: () => Omit<NewestEnd, 'unreadableBytes'>;
} {
  let expected = segment.first;
  let frameEnd = SEGMENT_HEADER_BYTES;
  let lastPromised = segment.first - 1;
  let doubtFrom = segment.first;
  let doubtOffset = SEGMENT_HEADER_BYTES;
  /** What is missing of the group in doubt. */
  let gaps: (readonly [first: number, last: number])[] = [];

  return {
    visit: (frame) => {
      const sequence = frame.kind === 'group' ? frame.first : frame.sequence;
      // Between neighbouring frames nothing is missing, whatever their numbers are.
      if (sequence > expected && frame.offset > frameEnd) gaps.push([expected, sequence - 1]);
      frameEnd = frame.endOffset;
      if (frame.kind === 'group') {
        for (const [first, last] of gaps) catalogue.missing(first, last);
        gaps = [];
        doubtFrom = frame.first;
        doubtOffset = frame.offset;
        lastPromised = Math.max(lastPromised, frame.last);
        expected = Math.max(expected, frame.first);
      } else if (sequence >= expected) {
        catalogue.learn(segment, { sequence: expected, offset: frame.offset });
        expected = sequence + 1;
      }
      return true;
    },
    found: () => {
      if (lastPromised >= expected) gaps.push([expected, lastPromised]);
      const missingInDoubt = gaps.reduce((total, [first, last]) => total + last - first + 1, 0);
      const trailingBytes = Math.max(0, segment.sizeBytes - frameEnd);
      return {
        lastFound: expected - 1,
        lastPromised,
        doubtFrom,
        doubtOffset,
        missingInDoubt,
        trailingBytes,
      };
    },
  };
}

/** What settling a doubt takes. */
export interface DoubtSettling extends RecoveryOptions {
  readonly writer: SegmentWriter;
  readonly mark: number;
}

/**
 * Makes records in doubt durable: what a crash left in the memory of the system may have been refused by the disk before, which nobody
 * is told twice, and so a sync of the same file proves nothing. They are written to a new segment. Only where there is no room for that,
 * the file is synced and believed.
 * @returns what the disk refused, when the file had to be believed
 * @throws HopbackError `storage-failed` when neither can be done
 */
export async function settleDoubt(doubt: Doubt, settling: DoubtSettling): Promise<unknown> {
  try {
    const records = doubt.hasRecords ? await recordsInDoubt(doubt, settling) : undefined;
    await settling.writer.replace(doubt.first, doubt.next, records);
    return undefined;
  } catch (error) {
    const path = join(settling.directory, doubt.segment.fileName);
    await withFile(settling.files, path, (file) => file.datasync()).catch(() => {
      throw error;
    });
    return error;
  }
}

async function recordsInDoubt(
  doubt: Doubt,
  { directory, files, mark }: DoubtSettling,
): Promise<PendingGroup | undefined> {
  const records = createPendingRecords(mark);
  let last = doubt.first - 1;
  const scan = {
    mark: doubt.segment.mark,
    from: doubt.offset,
    to: doubt.segment.sizeBytes,
    windowBytes: WINDOW_BYTES,
    skipUnreadable: false,
    visit: (frame: ScannedFrame) => {
      if (frame.kind === 'record' && frame.sequence > last && frame.sequence < doubt.next) {
        records.add(frame.bytes.subarray(frame.start, frame.end), frame.end - frame.start, frame.sequence);
        last = frame.sequence;
      }
      return true;
    },
    damaged: () => undefined,
  };
  const path = join(directory, doubt.segment.fileName);
  try {
    await withFile(files, path, (file) => scanSegment(file, scan));
  } catch (error) {
    throw storageFailure('read', error);
  }
  return records.group(Number.POSITIVE_INFINITY);
}

const WINDOW_RECORDS = 4_096;

/** The records of a directory, as they are. */
export type SegmentDirectory = Awaited<ReturnType<typeof readSegmentDirectory>>;

/**
 * Looks at the segments of a directory without touching them: opening a log makes durable what is in doubt, and cleans up.
 * @throws HopbackError `storage-failed` when the disk does not list the directory or does not give a record, or a later
 * release wrote it
 */
export async function readSegmentDirectory(directory: string, files: LogFiles = NODE_LOG_FILES) {
  const listed = await asked('read', () => files.list(directory));
  const found = await segmentsOf(listed, { directory, files });
  const catalogued = (): SegmentCatalogue => {
    const made = createSegmentCatalogue();
    for (const { name, sizeBytes } of found) made.add(name, sizeBytes);
    return made;
  };
  const catalogue = catalogued();
  const source = { directory, files, catalogue, durableSequence: Number.MAX_SAFE_INTEGER };
  return {
    records: async function* records() {
      for (let next = 0; ;) {
        const read = await readRecords(source, {
          fromSequence: next,
          maxBytes: WINDOW_BYTES,
          maxRecords: WINDOW_RECORDS,
          skipUnreadable: true,
        });
        const last = read.at(-1);
        if (last === undefined) return;
        yield* read;
        next = last.sequence + 1;
      }
    },
    /** Bytes read so far that do not belong to a record. */
    damagedBytes: () => catalogue.losses().damagedBytes + catalogue.losses().unreadableBytes,
    /** What is at its end. @throws HopbackError `storage-failed` when the disk does not give it */
    tail: async (): Promise<SegmentTail> => {
      const newest = catalogue.newest();
      if (newest === undefined) return { lostRecords: 0, isDoubtful: false };
      // Catalogues of their own: what a reader missed behind the end of the newest is no loss.
      const tail = await readTail(newest, { directory, files, catalogue: catalogued() });
      const before = await lostBefore(newest, { directory, files, catalogue: catalogued() });
      return { ...tail, lostRecords: tail.lostRecords + before };
    },
  };
}

/** Records that the segment before the newest should end with, and does not. */
async function lostBefore(
  { first }: Segment,
  source: {
    readonly directory: string;
    readonly files: LogFiles;
    readonly catalogue: SegmentCatalogue;
  },
): Promise<number> {
  const durableSequence = first - 1;
  const segment = source.catalogue.holding(durableSequence);
  if (segment === undefined) return 0;
  for (let next = segment.first; ;) {
    const limits = { fromSequence: next, maxBytes: WINDOW_BYTES, maxRecords: WINDOW_RECORDS, skipUnreadable: true };
    const last = (await readRecords({ ...source, durableSequence }, limits)).at(-1);
    if (last === undefined) return source.catalogue.losses().records;
    next = last.sequence + 1;
  }
}
