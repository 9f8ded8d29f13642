import { callTimes, rejectedTimes } from './call-times.js';
import { checkColumnMap } from './column-map.js';
import type { ColumnMap, ColumnMember, ColumnPlace, ColumnsDescription } from './column-map.js';
import { columnLegParts, columnTimes } from './column-leg.js';
import type { ColumnValue } from './column-leg.js';
import { csvFields, rowText } from './csv-fields.js';
import { legReading, legSource, rejectedRow, skippedRow } from './leg.js';
import type { LegSource } from './leg.js';
import type { RecordReader, RowReading, SourceRow } from './record-reader.js';

/** Goes up when the same row would make another record. */
const READER_VERSION = 1;

/**
 * Makes the reader of CSV files whose columns the carrier declares: Asterisk's `cdr_custom`, exports of databases, any switch without
 * a reader of its own.
 * @param description - name of the source, zone of its local times, numbers, providers, and which column holds what
 * @returns the reader; each row is a leg, and none waits for another
 * @throws {@link HopbackError} `invalid-configuration` where the map is not one, or the source has no name or no zone that exists; never
 * for what a file holds
 * @see RFC 4180 section 2
 * @example
 * ```ts
 * const reader = createColumnsReader({
 *   id: 'switch-7',
 *   format: 'columns',
 *   time: { zone: 'America/Denver', repeatedHour: 'later' },
 *   columns: { timeLayout: 'month-first', columns: { legId: 'id', inviteAt: 'start', calling: 'from', called: 'to' } },
 * });
 * console.log(reader.framing); // csv
 * ```
 */
export function createColumnsReader(description: ColumnsDescription): RecordReader {
  const source = legSource(description, READER_VERSION);
  const { columns: map } = description;
  checkColumnMap(map);
  const layout = columnLayout(map);
  return {
    framing: 'csv',
    read: (row) => readRow(row, { source, map, layout }),
    expire: () => [],
    waiting: () => 0,
    // Who goes on in the middle of a file does not see its header row again.
    saveWaiting: layout.save,
    restoreWaiting: layout.restore,
  };
}

/** What a row is; `unnamed`: a name that is mapped is in no header row. */
type RowKind = { readonly kind: 'header' | 'call' } | { readonly kind: 'unnamed'; readonly name: string };

/** Where the columns of the file at hand are. */
interface ColumnLayout {
  /** The titles of the header row, as JSON. */
  readonly save: () => string;
  readonly restore: (saved: string) => boolean;
  /** Takes a row down as a header row where it is one. */
  readonly takeHeader: (row: SourceRow, fields: readonly string[]) => RowKind;
  readonly placeOf: (member: ColumnMember) => number | undefined;
  readonly skipPlace: () => number | undefined;
  readonly leastColumns: () => number;
}

function columnLayout(map: ColumnMap): ColumnLayout {
  const entries = Object.entries(map.columns) as [ColumnMember, ColumnPlace][];
  const names = [...entries.map(([, place]) => place), map.leaveOut?.column].filter(
    (place) => typeof place === 'string',
  );
  const headerRows = map.headerRows ?? (names.length > 0 ? 1 : 0);
  let places = new Map<ColumnMember, number>();
  let skipPlace: number | undefined;
  /** A name that the latest header row lacks: until another comes, no row can be read. */
  let lacking = names[0];
  let titles: readonly string[] = [];
  /** @returns the name that the header row lacks, if it lacks one */
  const learn = (header: readonly string[]): string | undefined => {
    const seen = header.map(folded);
    const numberOf = (place: ColumnPlace): number => (typeof place === 'number' ? place : seen.indexOf(folded(place)));
    lacking = names.find((name) => numberOf(name) < 0);
    titles = lacking === undefined ? seen : [];
    if (lacking !== undefined) return lacking;
    places = new Map(entries.map(([member, place]) => [member, numberOf(place)]));
    skipPlace = map.leaveOut === undefined ? undefined : numberOf(map.leaveOut.column);
    return undefined;
  };
  if (names.length === 0) learn([]);
  return {
    save: () => JSON.stringify(titles),
    restore: (saved) => {
      const header = savedTitles(saved);
      return header !== undefined && (header.length === 0 || learn(header) === undefined);
    },
    // Every file of a rotation begins with its header: lines are counted anew there. Files that were put together have more of them.
    takeHeader: (row, fields) => {
      const isHeader = row.line >= 1 && row.line <= headerRows;
      if (!isHeader && hasTitles(fields, names)) return unnamed(learn(fields));
      if (!isHeader) return lacking === undefined ? CALL : unnamed(lacking);
      if (names.length === 0 || row.line < headerRows) return HEADER;
      return unnamed(learn(fields));
    },
    placeOf: (member) => places.get(member),
    skipPlace: () => skipPlace,
    leastColumns: () => map.leastColumns ?? Math.max(-1, ...places.values()) + 1,
  };
}

/** Whether a row holds titles and no call: the first two names that are mapped. One alone may be what a call has there. */
function hasTitles(fields: readonly string[], [first, second]: readonly string[]): boolean {
  return first !== undefined && second !== undefined && hasTitle(fields, first) && hasTitle(fields, second);
}

function hasTitle(fields: readonly string[], name: string): boolean {
  // Lengths first: this is asked of every row.
  return fields.some((field) => field.length === name.length && folded(field) === folded(name));
}

const CALL: RowKind = { kind: 'call' };
const HEADER: RowKind = { kind: 'header' };

function unnamed(name: string | undefined): RowKind {
  return name === undefined ? HEADER : { kind: 'unnamed', name };
}

/** Nothing where the text is not what was saved. */
function savedTitles(saved: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(saved);
    return Array.isArray(value) && value.every((title) => typeof title === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function folded(title: string): string {
  return title.trim().toLowerCase();
}

interface ColumnsState {
  readonly source: LegSource;
  readonly map: ColumnMap;
  readonly layout: ColumnLayout;
}

const TIME_NAMES = { start: 'inviteAt', answer: 'answeredAt', end: 'endedAt' } as const;

function readRow(row: SourceRow, { source, map, layout }: ColumnsState): readonly RowReading[] {
  const text = rowText(row);
  if (text === '') return skippedRow('not-a-call');
  const split = csvFields(text, map.separator === undefined ? {} : { separator: map.separator });
  if (split.status === 'rejected') return [split];
  const { fields } = split;
  const taken = layout.takeHeader(row, fields);
  if (taken.kind === 'header') return skippedRow('header');
  if (taken.kind === 'unnamed') {
    return rejectedRow('missing-field', 'no header row has a column of that name', taken.name);
  }
  const leastColumns = layout.leastColumns();
  if (fields.length < leastColumns) {
    return rejectedRow('too-few-fields', `${fields.length} columns where there should be ${leastColumns} or more`);
  }
  if (map.mostColumns !== undefined && fields.length > map.mostColumns) {
    return rejectedRow('bad-field', `${fields.length} columns where there should be ${map.mostColumns} at most`);
  }
  if (isSkipped(fields, map, layout.skipPlace())) return skippedRow('interim');
  const value: ColumnValue = (member) => {
    const place = layout.placeOf(member);
    return place === undefined ? '' : (fields[place] ?? '').trim();
  };
  const legId = value('legId');
  if (legId === '') return rejectedRow('missing-field', 'a row without it', 'legId');
  const times = columnTimes(callTimes(writtenTimesOf(value, map), source.clock), value, map);
  if (times.status === 'rejected') return rejectedTimes(times, TIME_NAMES);
  return legReading(row, source, columnLegParts(value, map, { legId, times }));
}

function isSkipped(fields: readonly string[], { leaveOut }: ColumnMap, place: number | undefined): boolean {
  if (leaveOut === undefined || place === undefined) return false;
  const word = folded(fields[place] ?? '');
  return leaveOut.words.some((skipped) => folded(skipped) === word);
}

function writtenTimesOf(value: ColumnValue, map: ColumnMap): Parameters<typeof callTimes>[0] {
  const time = (name: 'invite' | 'answered' | 'ended'): string => {
    if (map.columns[`${name}Date`] === undefined) return value(`${name}At`);
    const [date, timeOfDay] = [value(`${name}Date`), value(`${name}Time`)];
    if (date === '' && timeOfDay === '') return '';
    return map.timeLayout === 'compact' ? `${date}${timeOfDay}` : `${date} ${timeOfDay}`;
  };
  const isSeconds = (map.durationUnit ?? 'seconds') === 'seconds';
  return {
    layout: map.timeLayout,
    start: time('invite'),
    answer: time('answered'),
    end: time('ended'),
    durationSeconds: isSeconds ? value('duration') : undefined,
    answeredSeconds: isSeconds ? value('answeredDuration') : undefined,
  };
}
