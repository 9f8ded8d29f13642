import { legReading, legSource, rowReader, skippedRow } from './leg.js';
import type { LegDetails } from './leg.js';
import { fieldScanner, rowText } from '../record-reader.js';
import type {
  CsvFault,
  CsvLayout,
  RecordReader,
  RowFields,
  RowFraming,
  RowReading,
  SourceDescription,
  SourceRow,
} from '../record-reader.js';
import { callTimes } from './row-times.js';
import type { CallTimes, RejectedTime, RowClock, RowInstant, TimeLayout } from './row-times.js';

/** The text of a column; empty where the row has none. */
export type Cell<Column extends string> = (column: Column) => string;

/**
 * A format whose rows are calls, one a row: a table of its columns, and hooks for what is peculiar to the switch. No hook throws for what a
 * row holds. docs/guides/add-a-switch-format.md shows how to write one.
 */
export interface ColumnFormat<Column extends string> {
  /** Goes up when the same row would make another record. */
  readonly version: number;
  readonly framing: Exclude<RowFraming, 'json'>;
  /** Places from 0, -1 for none. The names are those of the switch's manual: rejected rows are explained in them. */
  readonly columns: Readonly<Record<Column, number>>;
  readonly layout?: CsvLayout;
  /** The zone of all its times, whatever is declared. */
  readonly zone?: 'utc';
  /** Whether spaces around a value mean nothing. Default false. */
  readonly trims?: boolean;
  /** What a text is that need not be divided into fields, since it is no call. */
  readonly passOver?: (text: string, row: SourceRow) => readonly RowReading[] | undefined;
  /** The fields of a row that the switch wrote against the rules of quoting. Undefined where those of the rules count. */
  readonly repair?: (text: string, read: RowFields | CsvFault) => readonly string[] | CsvFault | undefined;
  /** Why a row is no leg: a header, an interim record, one with too few fields or without a name. */
  readonly refuse: (cell: Cell<Column>, fields: RowFields, row: SourceRow) => readonly RowReading[] | undefined;
  readonly times: TimesHook<Column>;
  readonly leg: (cell: Cell<Column>, times: CallTimes, fields: RowFields) => LegDetails;
}

type TimesHook<Column extends string> = (
  cell: Cell<Column>,
  clock: RowClock,
  fields: RowFields,
) => CallTimes | RejectedTime;

/** Makes what makes the readers of a format. */
export function columnFormat<Column extends string>(
  format: ColumnFormat<Column>,
): (description: SourceDescription) => RecordReader {
  return (description) => columnReader(format, description);
}

/**
 * Makes the reader of one source.
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name or no zone that exists
 */
export function columnReader<Column extends string>(
  format: ColumnFormat<Column>,
  description: SourceDescription,
): RecordReader {
  const { framing, columns, zone, trims = false, passOver, repair } = format;
  const source = legSource(zone === undefined ? description : { ...description, time: { zone } }, format.version);
  const scan = fieldScanner(format.layout ?? {});
  let fields: RowFields = NO_FIELDS;
  const cell: Cell<Column> = (column) => {
    const text = fields.text(columns[column]);
    return trims ? text.trim() : text;
  };
  return rowReader(framing, (row) => {
    const text = rowText(row);
    if (text === '') return skippedRow('not-a-call');
    const passed = passOver?.(text, row);
    if (passed !== undefined) return passed;
    const scanned = scan(text);
    const repaired = repair?.(text, scanned);
    const read = repaired === undefined ? scanned : 'status' in repaired ? repaired : fieldsIn(repaired);
    if (read.status === 'rejected') return [read];
    fields = read;
    const refused = format.refuse(cell, fields, row);
    if (refused !== undefined) return refused;
    const times = format.times(cell, source.clock, fields);
    if (times.status === 'rejected') return [times];
    return legReading(row, source, format.leg(cell, times, fields), times);
  });
}

const NO_FIELDS = fieldsIn([]);

function fieldsIn(fields: readonly string[]): RowFields {
  return { status: 'fields', count: fields.length, text: (place) => fields[place] ?? '' };
}

/** Which columns hold the times of a call. */
interface TimeColumns<Column extends string> {
  readonly layout: TimeLayout;
  readonly start: Column;
  /** Empty or a zero date where nobody answered. */
  readonly answer: Column;
  readonly end: Column;
  /** Whole seconds from start to end, by which a time that comes twice is told. */
  readonly duration?: Column;
  /** Whole seconds from answer to end. */
  readonly talk?: Column;
}

/**
 * Reads times that are in columns.
 * @param refine - what else the row says about a start that may be either of two instants
 */
export function columnTimes<Column extends string>(
  columns: TimeColumns<Column>,
  refine?: (start: RowInstant, fields: RowFields) => RowInstant,
): TimesHook<Column> {
  const { layout, start, answer, end, duration, talk } = columns;
  return (cell, clock, fields) => {
    const written = {
      layout,
      start: cell(start),
      answer: cell(answer),
      end: cell(end),
      durationSeconds: duration && cell(duration),
      answeredSeconds: talk && cell(talk),
    };
    return callTimes(written, clock, columns, refine && ((instant) => refine(instant, fields)));
  };
}
