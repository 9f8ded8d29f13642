import { HopbackError } from '../../errors.js';
import { csvFields, rowText } from './csv-fields.js';
import { rejectedRow, skippedRow } from './leg.js';
import type { RowReading, SourceRow } from './record-reader.js';

/** One row of channel event logging. Members are empty where the row says nothing. */
export interface CelEvent {
  /** `CHAN_START`, `ANSWER`, `APP_START`, `BRIDGE_ENTER`, `HANGUP`, `CHAN_END`, `LINKEDID_END` and others. */
  readonly event: string;
  readonly time: string;
  readonly callerNumber: string;
  readonly callerAni: string;
  readonly dialledNumber: string;
  readonly extension: string;
  readonly channel: string;
  readonly application: string;
  readonly applicationData: string;
  readonly accountCode: string;
  readonly uniqueId: string;
  readonly linkedId: string;
  readonly extra: string;
}

/** What a column of a CEL file holds; `unused` for all that no record takes. */
export type CelColumn = keyof CelEvent | 'unused';

/** Every {@link CelColumn}. */
export const CEL_COLUMNS: readonly CelColumn[] = [
  'event',
  'time',
  'callerNumber',
  'callerAni',
  'dialledNumber',
  'extension',
  'channel',
  'application',
  'applicationData',
  'accountCode',
  'uniqueId',
  'linkedId',
  'extra',
  'unused',
];

/** Finds out how a file is laid out, and reads its rows. */
export interface CelEventReader {
  /** The order of the columns that a header row told, where one did. */
  readonly header: () => readonly CelColumn[] | undefined;
  readonly setHeader: (columns: readonly CelColumn[]) => void;
  readonly read: (
    row: SourceRow,
  ) =>
    | { readonly status: 'event'; readonly event: CelEvent }
    | { readonly status: 'other'; readonly readings: readonly RowReading[] };
}

/**
 * The mapping that `cel_custom.conf` comes with. BRIDGEPEER, userfield, userdeftype and eventextra follow, not all of them in all
 * versions: eventextra is always the last.
 */
const SAMPLE_LAYOUT: readonly CelColumn[] = [
  'event',
  'time',
  'unused',
  'callerNumber',
  'callerAni',
  'unused',
  'dialledNumber',
  'extension',
  'unused',
  'channel',
  'application',
  'applicationData',
  'unused',
  'accountCode',
  'uniqueId',
  'linkedId',
];

/** The order of the manager's event, which has no name of the channel. */
const MANAGER_LAYOUT: readonly CelColumn[] = [
  'event',
  'accountCode',
  'callerNumber',
  'unused',
  'callerAni',
  'unused',
  'dialledNumber',
  'extension',
  'unused',
  'application',
  'applicationData',
  'time',
  'unused',
  'uniqueId',
  'linkedId',
];

/** The same with the name of the channel behind the context. */
const MANAGER_LAYOUT_WITH_CHANNEL: readonly CelColumn[] = [
  ...MANAGER_LAYOUT.slice(0, 9),
  'channel',
  ...MANAGER_LAYOUT.slice(9),
];

/** Names of columns in header rows, of the manager's event and of the tables of other CEL back ends, in lower case. */
const HEADER_NAMES: ReadonlyMap<string, CelColumn> = new Map([
  ['eventname', 'event'],
  ['eventtype', 'event'],
  ['eventtime', 'time'],
  ['calleridnum', 'callerNumber'],
  ['cid_num', 'callerNumber'],
  ['cidnum', 'callerNumber'],
  ['calleridani', 'callerAni'],
  ['cid_ani', 'callerAni'],
  ['cidani', 'callerAni'],
  ['calleriddnid', 'dialledNumber'],
  ['cid_dnid', 'dialledNumber'],
  ['ciddnid', 'dialledNumber'],
  ['exten', 'extension'],
  ['channel', 'channel'],
  ['channame', 'channel'],
  ['application', 'application'],
  ['appname', 'application'],
  ['appdata', 'applicationData'],
  ['accountcode', 'accountCode'],
  ['uniqueid', 'uniqueId'],
  ['linkedid', 'linkedId'],
  ['extra', 'extra'],
  ['eventextra', 'extra'],
]);

/** Without one of these a row belongs nowhere. */
const NEEDED = ['event', 'time', 'uniqueId', 'linkedId'] as const;

/**
 * Makes the reader of the rows of one file.
 * @param declared - the order of the columns; without it a header row tells it, or else where the time of a row stands
 * @throws {@link HopbackError} `invalid-configuration` where a column is not declared that every event needs
 */
export function celEventReader(declared: readonly CelColumn[] | undefined): CelEventReader {
  const lacking = declared === undefined ? [] : NEEDED.filter((name) => !declared.includes(name));
  if (lacking.length > 0)
    throw new HopbackError('invalid-configuration', `celColumns must have ${lacking.join(', ')} too.`, {
      details: { member: 'celColumns' },
    });
  let fromHeader: readonly CelColumn[] | undefined;
  return {
    header: () => fromHeader,
    setHeader: (columns) => {
      fromHeader = columns;
    },
    read: (row) => {
      const text = rowText(row);
      if (text === '') return { status: 'other', readings: skippedRow('not-a-call') };
      const split = csvFields(text);
      if (split.status === 'rejected') return { status: 'other', readings: [split] };
      const { fields } = split;
      const header = headerLayout(fields);
      if (header !== undefined) {
        fromHeader = header;
        return { status: 'other', readings: skippedRow('header') };
      }
      const layout = declared ?? fromHeader ?? seenLayout(fields);
      if (fields.length < layout.length) {
        const readings = rejectedRow(
          'too-few-fields',
          `${fields.length} columns where there should be ${layout.length}`,
        );
        return { status: 'other', readings };
      }
      const event = eventOf(fields, layout);
      const missing = NEEDED.find((name) => event[name] === '');
      return missing === undefined
        ? { status: 'event', event }
        : { status: 'other', readings: rejectedRow('missing-field', 'an event without it', missing) };
    },
  };
}

function headerLayout(fields: readonly string[]): readonly CelColumn[] | undefined {
  const columns = fields.map((field): CelColumn => HEADER_NAMES.get(field.trim().toLowerCase()) ?? 'unused');
  return NEEDED.every((name) => columns.includes(name)) ? columns : undefined;
}

function seenLayout(fields: readonly string[]): readonly CelColumn[] {
  if (isTimeText(fields[1] ?? '')) return SAMPLE_LAYOUT;
  return isTimeText(fields[11] ?? '') ? MANAGER_LAYOUT : MANAGER_LAYOUT_WITH_CHANNEL;
}

/** An epoch with or without decimals, or a date. */
function isTimeText(text: string): boolean {
  return /^(?:\d{10,11}(?:\.\d{1,9})?|\d{4}-\d{2}-\d{2}[ T].{8,30})$/.test(text);
}

function eventOf(fields: readonly string[], layout: readonly CelColumn[]): CelEvent {
  const value = (column: CelColumn): string => fields[layout.indexOf(column)] ?? '';
  return {
    event: value('event'),
    time: value('time'),
    callerNumber: value('callerNumber'),
    callerAni: value('callerAni'),
    dialledNumber: value('dialledNumber'),
    extension: value('extension'),
    channel: value('channel'),
    application: value('application'),
    applicationData: value('applicationData'),
    accountCode: value('accountCode'),
    uniqueId: value('uniqueId'),
    linkedId: value('linkedId'),
    extra: layout.includes('extra') ? value('extra') : lastExtra(fields),
  };
}

/** The extra of an event is the last column, JSON where it is anything. */
function lastExtra(fields: readonly string[]): string {
  const last = fields.at(-1) ?? '';
  return last.startsWith('{') ? last : '';
}
