import { join } from 'node:path';
import type { LogFile, LogFiles } from './log-files.js';
import type { PendingGroup } from './pending-records.js';
import type { Segment, SegmentCatalogue } from './segment-catalogue.js';
import {
  encodeGroup,
  encodeSegmentHeader,
  GROUP_FRAME_BYTES,
  PARTIAL_SUFFIX,
  SEGMENT_HEADER_BYTES,
  segmentFileName,
} from './segment-format.js';
import { asked, systemCode } from './storage-failure.js';

/** What a writer stands on. */
export interface SegmentWriterOptions {
  readonly directory: string;
  readonly files: LogFiles;
  readonly catalogue: SegmentCatalogue;
  /** Stands before each frame that is written. */
  readonly mark: number;
  readonly segmentBytes: number;
  /** Highest that a segment has had. */
  readonly ordinal: number;
}

/** Puts groups of records on the disk. One call at a time. */
export interface SegmentWriter {
  /** How many bytes may be added to the segment before a new one is due. */
  readonly room: () => number;
  /**
   * Writes a group and syncs it.
   * @throws HopbackError `storage-failed`: then nothing of it counts, and the next attempt goes to a new segment
   */
  readonly write: (group: PendingGroup) => Promise<void>;
  /**
   * Makes the newest segment one that holds these records, durable before it is there, so that what segments before it have from `first`
   * on is void.
   * @throws HopbackError `storage-failed`: then all is as before
   */
  readonly replace: (first: number, next: number, records: PendingGroup | undefined) => Promise<void>;
  /**
   * Makes an empty segment the newest, so that the one before it can be removed.
   * @throws HopbackError `storage-failed`
   */
  readonly succeed: (first: number) => Promise<void>;
  /**
   * Closes the file, and marks its end where all of the log is durable, if the disk lets it. Never rejects.
   * @param next - the sequence number after the last; undefined when something is pending still
   */
  readonly close: (next: number | undefined) => Promise<void>;
}

interface ActiveSegment {
  readonly segment: Segment;
  readonly file: LogFile;
  /** Its name in the directory, or its header, has not been synced. */
  isNew: boolean;
}

/**
 * A writer that begins with a new segment. What was refused is never tried again in the same file: after a failed sync the system may
 * have dropped what was written and call the next sync a success.
 */
export function createSegmentWriter(options: SegmentWriterOptions): SegmentWriter {
  const { directory, files, catalogue, mark, segmentBytes } = options;
  let { ordinal } = options;
  let active: ActiveSegment | undefined;
  let leftOver: string | undefined;
  const pathOf = (fileName: string): string => join(directory, fileName);

  const nameFrom = (first: number) => {
    ordinal += 1;
    return { ordinal, first, mark };
  };

  const begin = async (first: number): Promise<ActiveSegment> => {
    await clear();
    const name = nameFrom(first);
    const file = await asked('create', () => files.create(pathOf(segmentFileName(name))));
    return { segment: catalogue.add(name, 0), file, isNew: true };
  };

  /** What could not be removed after the last attempt: at most one such file is there at a time. */
  const clear = async (): Promise<void> => {
    if (leftOver === undefined) return;
    const path = leftOver;
    await asked('remove', () => removed(files, path));
    leftOver = undefined;
  };

  const end = async (): Promise<void> => {
    const ended = active;
    active = undefined;
    await ended?.file.close().catch(() => undefined);
  };

  /** Takes back what was written and is not to be believed, as far as the disk lets us. */
  const abandon = async ({ segment }: ActiveSegment): Promise<void> => {
    await end();
    const path = pathOf(segment.fileName);
    if (segment.sizeBytes > 0) {
      await files.truncate(path, segment.sizeBytes).catch(() => undefined);
      return;
    }
    catalogue.remove(segment);
    await removed(files, path).catch(() => (leftOver = path));
  };

  const dropSuperseded = async (): Promise<void> => {
    for (const segment of catalogue.superseded()) {
      catalogue.remove(segment);
      await removed(files, pathOf(segment.fileName)).catch(() => undefined);
    }
  };

  return {
    room: () => {
      const used = active?.segment.sizeBytes ?? 0;
      return used < segmentBytes ? segmentBytes - used : segmentBytes;
    },
    write: async (group) => {
      if (active !== undefined && active.segment.sizeBytes >= segmentBytes) await end();
      active ??= await begin(group.first);
      const writing = active;
      const { segment, file, isNew } = writing;
      const head = [encodeGroup(mark, group.first, group.last)];
      if (isNew) head.unshift(encodeSegmentHeader(segment));
      const buffers = [...head, ...group.parts.map(({ frames }) => frames)];
      try {
        await asked('write', () => appendAll(file, buffers));
        await asked('sync', () => file.datasync());
        if (isNew) await asked('sync-directory', () => files.syncDirectory(directory));
      } catch (error) {
        await abandon(writing);
        throw error;
      }
      noteWritten(catalogue, segment, group);
      if (!isNew) return;
      writing.isNew = false;
      await dropSuperseded();
    },
    replace: async (first, next, records) => {
      await clear();
      const name = nameFrom(first);
      const path = pathOf(segmentFileName(name));
      const partial = `${path}${PARTIAL_SUFFIX}`;
      const file = await asked('create', () => files.create(partial));
      const frames = records?.parts.map((part) => part.frames) ?? [];
      const head = [encodeSegmentHeader(name)];
      if (records !== undefined) head.push(encodeGroup(mark, records.first, records.last));
      const buffers = [...head, ...frames, encodeGroup(mark, next, next - 1)];
      try {
        await asked('write', () => appendAll(file, buffers));
        await asked('sync', () => file.datasync());
        await asked('create', () => files.rename(partial, path));
        await asked('sync-directory', () => files.syncDirectory(directory));
      } catch (error) {
        await file.close().catch(() => undefined);
        for (const left of [partial, path]) await removed(files, left).catch(() => (leftOver = left));
        throw error;
      }
      const segment = catalogue.add(
        name,
        buffers.reduce((total, { length }) => total + length, 0),
      );
      active = { segment, file, isNew: false };
      await dropSuperseded();
    },
    succeed: async (first) => {
      await end();
      const { file } = await begin(first);
      await file.close().catch(() => undefined);
      await asked('sync-directory', () => files.syncDirectory(directory));
    },
    close: async (next) => {
      if (active !== undefined && next !== undefined) {
        const { file } = active;
        // Nothing but the time of the next opening depends on it.
        await appendAll(file, [encodeGroup(mark, next, next - 1)])
          .then(() => file.datasync())
          .catch(() => undefined);
      }
      await end();
    },
  };
}

function noteWritten(catalogue: SegmentCatalogue, segment: Segment, group: PendingGroup): void {
  let offset = (segment.sizeBytes === 0 ? SEGMENT_HEADER_BYTES : segment.sizeBytes) + GROUP_FRAME_BYTES;
  for (const { first, frames } of group.parts) {
    catalogue.learn(segment, { sequence: first, offset });
    offset += frames.length;
  }
  segment.sizeBytes = offset;
}

/** A disk may take a part and refuse the rest only when it is asked again. */
async function appendAll(file: LogFile, buffers: readonly Uint8Array[]): Promise<void> {
  let rest = buffers;
  while (rest.length > 0) {
    let taken = await file.append(rest);
    if (taken <= 0) throw Object.assign(new Error('the file takes nothing'), { code: 'ENOSPC' });
    let whole = 0;
    for (; whole < rest.length && taken >= (rest[whole]?.length ?? 0); whole += 1) taken -= rest[whole]?.length ?? 0;
    const [cut, ...behind] = rest.slice(whole);
    rest = cut === undefined ? [] : [cut.subarray(taken), ...behind];
  }
}

/** Removes a file that may be gone already. */
export async function removed(files: LogFiles, path: string): Promise<void> {
  try {
    await files.unlink(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
