import { NODE_LOG_FILES } from './node-log-files.js';
import type { LogFiles } from './log-files.js';
import { readTail, type SegmentTail } from './log-recovery.js';
import { createSegmentCatalogue, type Segment, type SegmentCatalogue } from './segment-catalogue.js';
import { parseSegmentFileName } from './segment-format.js';
import { readRecords, type ReadRecord } from './segment-reader.js';
import { asked } from './storage-failure.js';

/** Read at once. */
const WINDOW_BYTES = 4 * 2 ** 20;
const WINDOW_RECORDS = 4_096;

/** The records of a directory, as they are. */
export interface SegmentDirectory {
  readonly records: () => AsyncGenerator<ReadRecord>;
  /** Bytes that are no records, of what has been read. */
  readonly damagedBytes: () => number;
  /** What is at its end. @throws HopbackError `storage-failed` when the disk does not give it */
  readonly tail: () => Promise<SegmentTail>;
}

/**
 * Looks at the segments of a directory without touching them: opening a log makes durable what is in doubt, and cleans up.
 * @throws HopbackError `storage-failed` when the disk does not list the directory, or does not give a record
 */
export async function readSegmentDirectory(
  directory: string,
  files: LogFiles = NODE_LOG_FILES,
): Promise<SegmentDirectory> {
  const listed = await asked('read', () => files.list(directory));
  const found = listed
    .map((file) => ({ name: parseSegmentFileName(file.name), sizeBytes: file.sizeBytes }))
    .flatMap(({ name, sizeBytes }) => (name === undefined ? [] : [{ name, sizeBytes }]))
    .toSorted((a, b) => a.name.ordinal - b.name.ordinal || a.name.first - b.name.first);
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
    damagedBytes: () => catalogue.losses().damagedBytes + catalogue.losses().unreadableBytes,
    tail: async () => {
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
  source: { readonly directory: string; readonly files: LogFiles; readonly catalogue: SegmentCatalogue },
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
