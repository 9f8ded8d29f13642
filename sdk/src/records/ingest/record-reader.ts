import type { CallRecord, RecordFormat } from '../../core/call-record.js';
import type { NumberingPlan } from '../../core/telephone-number.js';

/** One row, document or packet as it was found, beside its place. */
export interface SourceRow {
  /** Its bytes without the line end, one character each where it is text of one byte a character, else decoded as UTF-8. */
  readonly text: string;
  /** SHA-256 of the bytes, lower-case hexadecimal. */
  readonly sha256: string;
  /** Number of its first line in the file, from 1; 0 where there are no lines. */
  readonly line: number;
}

/** What of a row cannot be read. */
export type RejectReason =
  | 'not-text'
  | 'too-long'
  | 'bad-quoting'
  | 'bad-json'
  | 'bad-packet'
  | 'missing-field'
  | 'too-few-fields'
  | 'bad-time'
  | 'time-does-not-exist'
  | 'bad-number'
  | 'bad-field';

/** What a reader makes of what it was given. */
export type RowReading =
  /** A leg that is complete. */
  | { readonly status: 'record'; readonly record: CallRecord }
  /** The row is no leg, and that is as it should be: a header, an interim record, a call still up. */
  | { readonly status: 'skipped'; readonly why: 'header' | 'interim' | 'not-a-call' | 'end-of-file' | 'repeated' }
  /** The row belongs to a leg that further rows complete. */
  | { readonly status: 'waiting' }
  /** The row cannot be read. `field` names what is wrong in the words of the format, `detail` says why, without numbers of people. */
  | { readonly status: 'rejected'; readonly reason: RejectReason; readonly field?: string; readonly detail: string };

/** How local times of a source are to be read. */
export interface SourceTime {
  /** `utc`, or the IANA name of the zone in which the switch writes its times. */
  readonly zone: string;
  /** Which of two instants is meant by a time in the hour that comes twice; both are kept. Default `earlier`. */
  readonly repeatedHour?: 'earlier' | 'later';
}

/** How numbers of a source are to be read. */
export interface SourceNumbers {
  /** Default the North American plan. */
  readonly plan?: NumberingPlan;
  /** Technical prefixes that routing puts before a number, with their `#` where they have one, longest first. */
  readonly techPrefixes?: readonly string[];
}

/** What a carrier declares about a source, and no row says. */
export interface SourceDescription {
  /** Name of the switch or feed: part of every record id, never to be changed. */
  readonly id: string;
  readonly format: RecordFormat;
  readonly time: SourceTime;
  readonly numbers?: SourceNumbers;
  /** Providers by the trunk, realm or peer that the switch names, and by signalling address (`192.0.2.1`) where it names none. */
  readonly providers?: Readonly<Record<string, string>>;
  /**
   * Whether records keep the bytes that they were read from, as `source.raw`, for a court that wants to see more than their hash. They
   * take several times the room of the record itself. A record of more than {@link MAX_RAW_BYTES} or {@link MAX_RAW_ROWS} has the hash
   * alone, and so has one whose rows wait for others while {@link MAX_WAITING_RAW_BYTES} of rows wait already. Packets are kept with the
   * key of their agent, where they carry one. Default false.
   */
  readonly keepRaw?: boolean;
}

/** How a file of a format falls into rows. */
export type RowFraming =
  /** One row a line. */
  | 'lines'
  /** Comma-separated, where a quoted field may hold line ends. */
  | 'csv'
  /** Each file, or each top-level document in it, is a row. */
  | 'json';

/**
 * Reads one format. Pure: it keeps what waits for further rows, and nothing else. Never throws for what a file holds.
 */
export interface RecordReader {
  readonly framing: RowFraming;
  /** What a row makes: usually one reading; of the last row of a call with several legs, one each. */
  readonly read: (row: SourceRow) => readonly RowReading[];
  /**
   * Gives up waiting for what was begun before a time, and makes records of what there is.
   * @param beforeUs - microseconds since the epoch; all where it is Infinity
   */
  readonly expire: (beforeUs: number) => readonly RowReading[];
  /** Legs that wait for further rows. */
  readonly waiting: () => number;
  /**
   * What waits, as text from which `restoreWaiting` of another reader of the same format and version goes on as this one would. A reader
   * that has it is followed from where its rows were stored; one that has not, from where nothing waited.
   */
  readonly saveWaiting?: () => string;
  /** To be called before the first row. @returns whether the text was understood; where not, nothing waits */
  readonly restoreWaiting?: (saved: string) => boolean;
}
