import { z } from 'zod';
import type { CallRecord, CoverageInterval } from '../../contract/call-record.js';
import type { RecordReader, RowReading } from './record-reader.js';
import type { RejectSink } from './rejects.js';
import { MAX_REJECTED_BYTES } from './row-splitter.js';
import type { SplitRow } from './row-splitter.js';

/**
 * How long a call may last before its row is written, milliseconds: the cap that carriers put on calls, four hours. A row that is
 * not there yet, or cannot be read, may be of a call that began so long before its neighbours were written.
 */
export const LONGEST_CALL_MS = 14_400_000;

/**
 * How long a source may be silent, milliseconds, before nothing says any more that it was running. An hour: a small carrier has
 * calls in every hour of the day, and what it has not in the night nobody asks for.
 */
export const LONGEST_SILENCE_MS = 3_600_000;

/**
 * Silence of a source that is judged by its pace, in mean distances of its rows: what a switch that wrote a row a second for hours has not
 * written for a hundred of them is a file that is missing. Where calls come by chance, e to the power of -100.
 */
const SILENT_ROWS = 100;

/** Rows from which on the pace of a source is known, and over which it is taken: it follows the evening. */
const PACE_ROWS = 64;

/** Silence that is never judged by pace, milliseconds: switches that write by the minute, or when a buffer is full. */
const SHORTEST_SILENCE_MS = 300_000;

/** What the carrier knows of its source. */
export interface RowCoverageOptions {
  readonly sourceId: string;
  readonly longestCallMs?: number;
  readonly longestSilenceMs?: number;
}

/** What is known of an interval that is still growing: when its first and its last row were written, microseconds. */
export const coverageState = z.object({
  fromUs: z.number(),
  writtenUs: z.number(),
  /** Mean distance of its rows; absent where too few were seen. */
  paceUs: z.exactOptional(z.number()),
});
export type CoverageState = z.infer<typeof coverageState>;

/**
 * Says for which times the rows of a source prove that all of them were seen. Switches write a row when a call ends, one after the
 * other: of calls that began between the first row and the last, all are there but those that were still up.
 */
export interface RowCoverage {
  /** A leg was read; legs in the order in which they were written. */
  readonly saw: (record: CallRecord) => void;
  /** Something is missing here: a row could not be read, or a file was gone before it was read. */
  readonly broke: () => void;
  /** What is proven and was not yet told. */
  readonly claims: () => readonly CoverageInterval[];
  readonly state: () => CoverageState | undefined;
}

/**
 * Makes the coverage of one source. A row whose clock is wrong makes nothing: it takes two that agree to leave off one stretch of time
 * and begin another. Never throws.
 * @param resumed - what `state` returned when its rows were made durable
 */
export function createRowCoverage(options: RowCoverageOptions, resumed?: CoverageState): RowCoverage {
  const longestCallUs = (options.longestCallMs ?? LONGEST_CALL_MS) * 1_000;
  const longestSilenceUs = (options.longestSilenceMs ?? LONGEST_SILENCE_MS) * 1_000;
  let current: Stretch | undefined = resumed === undefined ? undefined : { ...resumed, latestUs: resumed.writtenUs };
  const pace = createPace(resumed?.paceUs);
  /** A row far from the others: the first of another stretch of time, or one with a wrong clock. */
  let stray: number | undefined;
  let ended: CoverageInterval[] = [];
  let told = -Infinity;

  const proven = ({ fromUs, writtenUs }: Stretch): CoverageInterval | undefined => {
    const toUs = writtenUs - longestCallUs;
    return toUs < fromUs ? undefined : { sourceId: options.sourceId, fromUs, toUs };
  };
  const leave = (): void => {
    const interval = current === undefined ? undefined : proven(current);
    if (interval !== undefined && interval.toUs !== told) ended.push(interval);
    current = undefined;
    stray = undefined;
    told = -Infinity;
  };
  const silenceUs = (): number => {
    const meanUs = options.longestSilenceMs === undefined ? pace.meanUs() : undefined;
    if (meanUs === undefined) return longestSilenceUs;
    return Math.min(longestSilenceUs, Math.max(SHORTEST_SILENCE_MS * 1_000, meanUs * SILENT_ROWS));
  };
  const isNear = (us: number, otherUs: number): boolean => Math.abs(us - otherUs) <= longestSilenceUs;
  /** Rows come late for many reasons, and early for none: what lies between them may be missing. */
  const follows = (us: number, { writtenUs, latestUs }: Stretch): boolean =>
    us <= writtenUs ? isNear(us, writtenUs) : us - Math.max(writtenUs, latestUs) <= silenceUs();

  return {
    saw(record) {
      // Of a local time that comes twice both instants count: from the later on, to the earlier.
      const { atUs: writtenUs, latestUs } = writtenTimes(record);
      if (current === undefined) current = { fromUs: latestUs, writtenUs, latestUs };
      else if (follows(writtenUs, current)) {
        stray = undefined;
        pace.saw(Math.max(0, writtenUs - current.writtenUs));
        current.writtenUs = Math.max(current.writtenUs, writtenUs);
        current.latestUs = Math.max(current.latestUs, latestUs);
      } else if (stray !== undefined && isNear(writtenUs, stray)) {
        const strayUs = stray;
        leave();
        // Of the two rows the later: what ended before it may have been written before the silence was over.
        const fromUs = Math.max(strayUs, latestUs);
        current = { fromUs, writtenUs: Math.max(strayUs, writtenUs), latestUs: fromUs };
      } else stray = writtenUs;
    },
    broke: leave,
    claims() {
      const claims = ended;
      ended = [];
      const interval = current === undefined ? undefined : proven(current);
      if (interval !== undefined && interval.toUs !== told) {
        told = interval.toUs;
        claims.push(interval);
      }
      return claims;
    },
    state() {
      if (current === undefined) return undefined;
      const { fromUs, writtenUs } = current;
      const paceUs = pace.meanUs();
      return paceUs === undefined ? { fromUs, writtenUs } : { fromUs, writtenUs, paceUs };
    },
  };
}

/** A stretch that grows, and the latest that its rows may have been written. */
interface Stretch {
  readonly fromUs: number;
  writtenUs: number;
  latestUs: number;
}

function createPace(resumedUs: number | undefined) {
  let rows = resumedUs === undefined ? 0 : PACE_ROWS;
  let meanUs = resumedUs ?? 0;
  return {
    saw(distanceUs: number): void {
      rows = Math.min(rows + 1, PACE_ROWS);
      meanUs += (distanceUs - meanUs) / rows;
    },
    /** Mean distance of the last rows; undefined while they are too few. */
    meanUs: (): number | undefined => (rows < PACE_ROWS ? undefined : meanUs),
  };
}

/** When a row was written: the earliest that it may have been, and the latest. */
function writtenTimes(record: CallRecord): { readonly atUs: number; readonly latestUs: number } {
  const { inviteAtUs, time } = record;
  const writtenUs = record.endedAtUs ?? record.answeredAtUs ?? inviteAtUs;
  const shiftUs = (time.otherInviteAtUs ?? inviteAtUs) - inviteAtUs;
  return { atUs: writtenUs + Math.min(0, shiftUs), latestUs: writtenUs + Math.max(0, shiftUs) };
}

/** What became of the rows of a source. */
export interface IntakeCounts {
  readonly rows: number;
  readonly records: number;
  readonly skipped: number;
  readonly rejected: number;
}

/** Rows of a source on their way to be records. */
export type RowIntake = ReturnType<typeof createRowIntake>;

/** What an intake brings together. */
interface RowIntakeOptions {
  readonly sourceId: string;
  readonly reader: RecordReader;
  readonly rejects: RejectSink;
  readonly coverage: RowCoverage;
}

/** Makes the intake of one source: rows to its reader, legs to be stored, what cannot be read to the reject sink. Never throws. */
export function createRowIntake({ sourceId, reader, rejects, coverage }: RowIntakeOptions) {
  let records: CallRecord[] = [];
  const counts = {
    rows: 0,
    records: 0,
    skipped: 0,
    rejected: 0,
  };

  const settle = (reading: RowReading, row: SplitRow | undefined, file: string): void => {
    if (reading.status === 'record') {
      counts.records += 1;
      records.push(reading.record);
      // A leg that was given up is of long ago: it says nothing about how far the source has come.
      if (row !== undefined) coverage.saw(reading.record);
    } else if (reading.status === 'skipped') counts.skipped += 1;
    else if (reading.status === 'rejected') {
      counts.rejected += 1;
      coverage.broke();
      const { reason, field, detail } = reading;
      const place = row === undefined ? NOWHERE : placeOf(row);
      rejects.reject({
        sourceId,
        file,
        ...place,
        reason,
        ...(field === undefined ? {} : { field }),
        detail,
      });
    }
  };

  return {
    /** Reads a row; `file` names where it was found. */
    take(row: SplitRow, file: string): void {
      counts.rows += 1;
      if (row.status === 'broken') settle({ status: 'rejected', reason: row.reason, detail: row.detail }, row, file);
      else for (const reading of reader.read(row.row)) settle(reading, row, file);
    },
    /** Makes records of legs begun before a time that still wait for rows, microseconds. */
    expire(beforeUs: number): void {
      for (const reading of reader.expire(beforeUs)) settle(reading, undefined, '');
    },
    /** Records that are not in the store yet, oldest first. */
    pending: (): readonly CallRecord[] => records,
    /** Gives them away. */
    handOver(): readonly CallRecord[] {
      const handed = records;
      records = [];
      return handed;
    },
    counts: (): IntakeCounts => ({ ...counts }),
  };
}

type RowPlace = Pick<Parameters<RejectSink['reject']>[0], 'line' | 'sha256' | 'bytes' | 'sizeBytes'>;

/** Of a leg that was given up with what it had: its rows were taken long ago. */
const NOWHERE: RowPlace = {
  line: 0,
  sha256: '',
  bytes: new Uint8Array(0),
  sizeBytes: 0,
};

function placeOf(row: SplitRow): RowPlace {
  const { bytes } = row;
  return row.status === 'row'
    ? {
        line: row.row.line,
        sha256: row.row.sha256,
        bytes: bytes.subarray(0, MAX_REJECTED_BYTES),
        sizeBytes: bytes.length,
      }
    : {
        line: row.line,
        sha256: row.sha256,
        bytes,
        sizeBytes: row.sizeBytes,
      };
}
