import { join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { openSegmentLog, openValueJournal } from '@hopback/sdk/log';
import type { SegmentLog, ValueJournal } from '@hopback/sdk/log';
import { MAX_BATCH_BYTES } from '@hopback/sdk/platform';
import type { SharedRecord } from '@hopback/sdk/platform';
import type { PlatformLog } from '../core/index.js';
import { decodeBatchFrame, encodeBatchFrame } from './batch-frame.js';
import type { BatchFrame, BatchHeader } from './batch-frame.js';
import { readTakenBatch } from './read-batch.js';

/** Longest compressed batch: octets that cannot be compressed become some hundreds more. */
export const MAX_COMPRESSED_BYTES: number = MAX_BATCH_BYTES + 65_536;
/** Header of a frame: ten thousand lines that are rejected, seven characters each, and names. */
const MAX_FRAME_BYTES = MAX_COMPRESSED_BYTES + 131_072;
/** Batches that wait for the disk at once: eight of the longest. */
const MAX_PENDING_BYTES = 8 * MAX_FRAME_BYTES;
/** Records that are kept parsed for whoever follows, some 3 KB each; those behind read the log. A second of 15,000 a second. */
const MAX_PARSED_RECORDS = 16_384;
/** Batches that are read from the log at once. */
const READ_BATCHES = 16;

/** A batch that is durable, or about to be. */
export interface JournalEntry extends Pick<BatchHeader, 'providerId' | 'receivedAtMs'> {
  readonly sequence: number;
  readonly records: readonly SharedRecord[];
}

/** Batches in the order in which they came, and how far each of those who follow has got. */
export interface RecordJournal {
  /**
   * Makes a batch durable.
   * @returns its place
   * @throws HopbackError `storage-failed` when the disk refuses, or more waits for it than may: nothing is to be acknowledged
   */
  readonly take: (frame: BatchFrame, records: readonly SharedRecord[]) => Promise<number>;
  /** Place of the first batch that is kept. */
  readonly first: () => number;
  /** Place of the last batch that is durable. */
  readonly durable: () => number;
  /** The batches behind a place, a few; none where there is none yet. */
  readonly read: (behind: number, upTo: number) => Promise<readonly JournalEntry[]>;
  /** How far somebody had got when it was kept last; undefined for whom there is no mark. */
  readonly cursor: (name: string) => number | undefined;
  readonly keepCursor: (name: string, sequence: number) => Promise<void>;
  /** Everybody has passed what is at or below: it is not kept parsed any longer. */
  readonly passed: (sequence: number) => void;
  /** Nobody needs what is at or below any more, also after a crash. */
  readonly trim: (sequence: number) => Promise<void>;
  /** Calls back when something has become durable. @returns ends it */
  readonly onDurable: (listener: () => void) => () => void;
  readonly sizeBytes: () => number;
  readonly close: () => Promise<void>;
}

/** Opens the journal of a folder. @throws HopbackError as `openSegmentLog` */
export async function openRecordJournal(directory: string, log: PlatformLog): Promise<RecordJournal> {
  const cursors = await openValueJournal({ directory: join(directory, 'cursors') });
  const kept = cursors.entries().map(([, value]) => Number(value));
  const batches = await openSegmentLog({
    ...{ directory: join(directory, 'batches'), maxRecordBytes: MAX_FRAME_BYTES, maxPendingBytes: MAX_PENDING_BYTES },
    // Numbers that somebody has passed are not given again, whatever became of the files.
    afterSequence: Math.max(0, ...kept),
  });
  return journalOf(batches, cursors, log);
}

function journalOf(batches: SegmentLog, cursors: ValueJournal, log: PlatformLog): RecordJournal {
  const parsed = new Map<number, JournalEntry>();
  let parsedRecords = 0;

  const passed = (through: number): void => {
    for (const [sequence, { records }] of parsed) {
      if (sequence > through) return;
      parsed.delete(sequence);
      parsedRecords -= records.length;
    }
  };

  const readLog = async (behind: number, upTo: number): Promise<readonly JournalEntry[]> => {
    const found = await batches.read(behind + 1, { maxRecords: READ_BATCHES });
    const entries: JournalEntry[] = [];
    for (const { sequence, payload } of found) {
      if (sequence > upTo) break;
      const { header, body } = decodeBatchFrame(payload);
      const records = await readTakenBatch(body, header);
      if (records?.length !== header.count)
        log.error('a batch of the log is read otherwise than when it came', { sequence, count: header.count });
      entries.push({
        ...{ sequence, providerId: header.providerId, receivedAtMs: header.receivedAtMs },
        records: records ?? [],
      });
    }
    return entries;
  };

  return {
    take: async (frame, records) => {
      const appended = batches.append(encodeBatchFrame(frame));
      if (!appended.accepted)
        throw new HopbackError('storage-failed', `the log of live records takes no more: ${appended.reason}`);
      const { sequence } = appended;
      const { providerId, receivedAtMs } = frame.header;
      if (parsedRecords < MAX_PARSED_RECORDS) {
        parsed.set(sequence, { sequence, providerId, receivedAtMs, records });
        parsedRecords += records.length;
      }
      while (batches.durableSequence < sequence) await batches.flush();
      return sequence;
    },
    first: () => batches.firstSequence,
    durable: () => batches.durableSequence,
    read: async (behind, upTo) => {
      const entries: JournalEntry[] = [];
      for (let at = behind + 1; at <= upTo && entries.length < READ_BATCHES; at += 1) {
        const entry = parsed.get(at);
        if (entry === undefined) break;
        entries.push(entry);
      }
      return entries.length > 0 || behind >= upTo ? entries : readLog(behind, upTo);
    },
    cursor: (name) => {
      const value = cursors.get(name);
      return value === undefined ? undefined : Number(value);
    },
    keepCursor: (name, sequence) => cursors.set(name, String(sequence)),
    passed,
    trim: (sequence) => batches.trim(sequence),
    onDurable: (listener) => batches.onDurable(listener),
    sizeBytes: () => batches.state().sizeBytes,
    close: async () => {
      try {
        await batches.close();
      } finally {
        await cursors.close();
      }
    },
  };
}
