import { join } from 'node:path';
import { withFile } from './log-recovery.js';
import type { LogFiles } from './log-files.js';
import { NODE_LOG_FILES } from './node-log-files.js';
import { parseSegmentFileName, SEGMENT_HEADER_BYTES } from './segment-format.js';
import type { SegmentName } from './segment-format.js';
import { scanSegment } from './segment-scan.js';
import { storageFailure, systemCode } from './storage-failure.js';
import { journalEntryOf } from './value-journal.js';

/** Read at once. */
const WINDOW_BYTES = 2 ** 20;
/** While it is read the journal may be written anew; each attempt sees the files of a moment. */
const MOST_ATTEMPTS = 5;

/**
 * Reads the values of a journal without opening it: nothing is written, locked or repaired, so that another process may have it open
 * meanwhile. What that process has set last may be in it or not.
 * @param directory - of the journal
 * @param options - `files`: the file system. Default Node's
 * @returns all keys with their values, in no order; empty where there is no journal
 * @throws {@link HopbackError} `storage-failed` (retryable) when the disk does not give them, or the journal is written anew faster than it
 * can be read
 * @see {@link openValueJournal}
 * @example
 * ```ts
 * const { mkdtemp, rm } = await import('node:fs/promises');
 * const { tmpdir } = await import('node:os');
 * const directory = await mkdtemp(`${tmpdir()}/hopback-`);
 * const journal = await openValueJournal({ directory });
 * await journal.set('cdr.csv', '{"offset":4096}');
 * console.log((await readValueJournal(directory)).get('cdr.csv')); // {"offset":4096}
 * await journal.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function readValueJournal(
  directory: string,
  options: { readonly files?: LogFiles } = {},
): Promise<ReadonlyMap<string, string>> {
  const { files = NODE_LOG_FILES } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await readOnce(directory, files);
    } catch (error) {
      // A segment that was listed and is gone: its values stand in a newer one.
      if (systemCode(error) !== 'ENOENT' || attempt === MOST_ATTEMPTS) throw storageFailure('read', error);
    }
  }
}

interface ListedSegment extends SegmentName {
  readonly path: string;
  readonly sizeBytes: number;
}

async function readOnce(directory: string, files: LogFiles): Promise<ReadonlyMap<string, string>> {
  const values = new Map<string, string>();
  const segments = await listed(directory, files);
  for (const [index, segment] of segments.entries()) {
    // What a segment has at or above the first of a later one is void.
    const end = Math.min(...segments.slice(index + 1).map(({ first }) => first));
    await withFile(files, segment.path, (file) =>
      scanSegment(file, {
        mark: segment.mark,
        from: SEGMENT_HEADER_BYTES,
        to: segment.sizeBytes,
        windowBytes: WINDOW_BYTES,
        skipUnreadable: false,
        visit: (frame) => {
          if (frame.kind !== 'record' || frame.sequence >= end) return true;
          const [key, value] = journalEntryOf(frame.bytes.subarray(frame.start, frame.end));
          if (key === undefined) return true;
          if (value === undefined) values.delete(key);
          else values.set(key, value);
          return true;
        },
        damaged: () => undefined,
      }),
    );
  }
  return values;
}

async function listed(directory: string, files: LogFiles): Promise<readonly ListedSegment[]> {
  const found = await files.list(directory).catch((error: unknown) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
  return found
    .flatMap(({ name, sizeBytes }) => {
      const segment = parseSegmentFileName(name);
      return segment === undefined ? [] : [{ ...segment, path: join(directory, name), sizeBytes }];
    })
    .toSorted((one, other) => one.ordinal - other.ordinal || one.first - other.first);
}
