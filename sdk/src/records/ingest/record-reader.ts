import { isUtf8 } from 'node:buffer';
import type { CalledNumber, CallRecord, PartyNumber, RawRow, RecordFormat } from '../../contract/call-record.js';
import { MAX_RAW_BYTES, MAX_RAW_ROWS } from '../../contract/call-record.js';
import { decodePercent } from '../../core/sip-uri.js';
import { canonicalTelephoneNumber, NORTH_AMERICAN_PLAN } from '../../core/telephone-number.js';
import type { NumberingPlan } from '../../core/telephone-number.js';
import { sourceSha256 } from '../record-id.js';

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
export const REJECT_REASONS = [
  'not-text',
  'too-long',
  'bad-quoting',
  'bad-json',
  'bad-packet',
  'missing-field',
  'too-few-fields',
  'bad-time',
  'time-does-not-exist',
  'bad-number',
  'bad-field',
] as const;

/** One of {@link REJECT_REASONS}. */
export type RejectReason = (typeof REJECT_REASONS)[number];

/** What a reader makes of what it was given. */
export type RowReading =
  /** A leg that is complete. */
  | { readonly status: 'record'; readonly record: CallRecord }
  /** The row is no leg, and that is as it should be: a header, an interim record, a call still up. */
  | { readonly status: 'skipped'; readonly why: 'header' | 'interim' | 'not-a-call' | 'end-of-file' | 'repeated' }
  /** The row belongs to a leg that further rows complete. */
  | { readonly status: 'waiting' }
  /** The row cannot be read. `field` names what is wrong in the words of the format, `detail` says why, without numbers of people. */
  | {
      readonly status: 'rejected';
      readonly reason: RejectReason;
      readonly field?: string;
      readonly detail: string;
    };

/** How numbers of a source are to be read. */
export type SourceNumbers = NonNullable<SourceDescription['numbers']>;

/** What a carrier declares about a source, and no row says. */
export interface SourceDescription {
  /** Name of the switch or feed: part of every record id, never to be changed. */
  readonly id: string;
  readonly format: RecordFormat;
  /** How local times of the source are to be read. */
  readonly time: {
    /** `utc`, or the IANA name of the zone in which the switch writes its times. */
    readonly zone: string;
    /** Which of two instants is meant by a time in the hour that comes twice; both are kept. Default `earlier`. */
    readonly repeatedHour?: 'earlier' | 'later';
  };
  /** How numbers of the source are to be read. */
  readonly numbers?: {
    /** Default the North American plan. */
    readonly plan?: NumberingPlan;
    /** Technical prefixes that routing puts before a number, with their `#` where they have one, longest first. */
    readonly techPrefixes?: readonly string[];
  };
  /** Providers by the trunk, realm or peer that the switch names, and by signalling address (`192.0.2.1`) where it names none. */
  readonly providers?: Readonly<Record<string, string>>;
  /**
   * Whether records keep the bytes that they were read from, as `source.raw`, for a court that wants to see more than their hash. They
   * take several times the room of the record itself. A record of more than 131,072 or 1,024 has the hash
   * alone, and so has one whose rows wait for others while 134,217,728 of rows wait already. Packets are kept with the
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

/**
 * Octets of rows that one reader keeps while they wait for others, 128 MiB: the channels of forty thousand calls of Asterisk, the packets
 * of eight thousand captured ones. A leg whose row finds no room any more gives all its rows up and is recorded with the hash alone.
 */
export const MAX_WAITING_RAW_BYTES = 134_217_728;

/** A row with its hash, which tells how its text was made of its bytes. */
type HashedRow = Pick<SourceRow, 'text' | 'sha256'>;

/**
 * The bytes of rows as a record keeps them. Never throws.
 * @returns undefined where they are more than a record may keep
 */
export function rawRowsOf(rows: readonly HashedRow[]): readonly RawRow[] | undefined {
  let sizeBytes = 0;
  for (const { text } of rows) sizeBytes += Buffer.byteLength(text);
  // Of Latin-1 the UTF-8 is longer than the row, twice as long at most: in base64 it is longer too.
  return isKept(rows.length, sizeBytes) ? rows.map(rawRowOf) : undefined;
}

/**
 * The bytes of packets as a record keeps them. Never throws.
 * @returns undefined where they are more than a record may keep
 */
export function rawPacketsOf(packets: readonly Uint8Array[]): readonly RawRow[] | undefined {
  const sizeBytes = packets.reduce((sum, { length }) => sum + length, 0);
  return isKept(packets.length, sizeBytes) ? packets.map(rawRowOfBytes) : undefined;
}

/** Adds the bytes that it was read from to a record that was just made. Without any the record stays as it is. */
export function withRaw(record: CallRecord, raw: readonly RawRow[] | undefined): CallRecord {
  if (raw === undefined || raw.length === 0) return record;
  const { id, format, readerVersion, sha256 } = record.source;
  return Object.assign(record, {
    source: {
      id,
      format,
      readerVersion,
      sha256,
      raw,
    },
  });
}

/** Rows, or packets, of a leg that waits for more of them. */
export interface WaitingRaw<Row> {
  readonly rows: Row[];
  sizeBytes: number;
}

/** Keeps the rows of legs that wait, within bounds. Undefined stands for a leg whose rows are not kept, or were given up. */
export type RawKeeper<Row> = ReturnType<typeof rawKeeper<Row>>;

/**
 * Makes the keeper of one reader. Never throws.
 * @param keepsRaw - where it is false nothing is kept
 * @param maxBytes - octets of all rows that wait
 */
export function rawKeeper<Row>(keepsRaw: boolean, maxBytes: number = MAX_WAITING_RAW_BYTES) {
  let takenBytes = 0;
  /** The leg does not wait any more, or its rows are of no use. */
  const end = (waiting: WaitingRaw<Row> | undefined): undefined => {
    takenBytes -= waiting?.sizeBytes ?? 0;
    return undefined;
  };
  return {
    begin: (): WaitingRaw<Row> | undefined => (keepsRaw ? { rows: [], sizeBytes: 0 } : undefined),
    /** @returns what is kept of the leg from now on: all its rows, or none */
    add: (waiting: WaitingRaw<Row> | undefined, row: Row, sizeBytes: number): WaitingRaw<Row> | undefined => {
      if (waiting === undefined) return undefined;
      const isRoom = takenBytes + sizeBytes <= maxBytes;
      if (!isRoom || !isKept(waiting.rows.length + 1, waiting.sizeBytes + sizeBytes)) return end(waiting);
      takenBytes += sizeBytes;
      waiting.sizeBytes += sizeBytes;
      waiting.rows.push(row);
      return waiting;
    },
    end,
  };
}

function isKept(rows: number, sizeBytes: number): boolean {
  return rows <= MAX_RAW_ROWS && sizeBytes <= MAX_RAW_BYTES;
}

/**
 * A text was made of its bytes as UTF-8, or one character a byte where they were none; where both would give it, the hash tells which. A text
 * of which it says neither is kept as it is: that it does not match, whoever reads it finds out.
 */
function rawRowOf({ text, sha256 }: HashedRow): RawRow {
  if (!mayBeLatin1(text) || sourceSha256(text) === sha256) return { text };
  const bytes = Buffer.from(text, 'latin1');
  return sourceSha256(bytes) === sha256 ? { base64: bytes.toString('base64') } : { text };
}

/** No character above U+00FF, and one above U+007F: of others there is only one way to their bytes. */
function mayBeLatin1(text: string): boolean {
  return /[\u0080-\u00ff]/.test(text) && !/[^\u0000-\u00ff]/.test(text);
}

function rawRowOfBytes(bytes: Uint8Array): RawRow {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(view) ? { text: view.toString('utf8') } : { base64: view.toString('base64') };
}

/** What stands in a number field of any switch at most; longer is no number. */
const MAX_WRITTEN_CHARS = 256;

/** A spreadsheet has had the file: the number was taken for a decimal one. */
const DECIMAL_TAIL = /^(\+?\d{5,15})\.0+$/;

/**
 * Reads who calls, as a switch wrote it: a number with or without `+`, a SIP or tel URI, a name-addr, digits with the `.0` of a
 * spreadsheet. Never throws.
 * @returns undefined where nothing was written
 */
export function writtenCaller(text: string, numbers: SourceNumbers = {}): PartyNumber | undefined {
  const asWritten = text.trim().slice(0, MAX_WRITTEN_CHARS);
  if (asWritten === '') return undefined;
  const tn = canonical(bareNumber(asWritten), numbers);
  return tn === undefined ? { asWritten } : { asWritten, tn };
}

/**
 * Reads who is called: as {@link writtenCaller}, and what routing adds: a technical prefix, and a location routing number in the
 * `rn` parameter, in which case the number before it is the one called. Never throws.
 * @returns undefined where nothing was written
 * @see RFC 4694
 */
export function writtenCalled(text: string, numbers: SourceNumbers = {}): CalledNumber | undefined {
  const asWritten = text.trim().slice(0, MAX_WRITTEN_CHARS);
  if (asWritten === '') return undefined;
  const bare = bareNumber(asWritten);
  const declared = numbers.techPrefixes?.find((prefix) => prefix !== '' && bare.startsWith(prefix));
  const techPrefix = declared ?? (bare.includes('#') ? hashPrefix(bare) : undefined);
  const tn = canonical(techPrefix === undefined ? bare : bare.slice(techPrefix.length), numbers);
  const routing = asWritten.includes(';') ? /;rn=([^;>?@\s]{1,64})/i.exec(asWritten)?.[1] : undefined;
  const lrn = routing === undefined ? undefined : canonical(routing, numbers);
  // Member by member, since this is on the way of every row.
  const called: { -readonly [K in keyof CalledNumber]: CalledNumber[K] } = { asWritten };
  if (tn !== undefined) called.tn = tn;
  if (lrn !== undefined) called.lrn = lrn;
  if (techPrefix !== undefined) called.techPrefix = techPrefix;
  return called;
}

/** Digits up to `#` before at least seven more: what wholesale routing puts in front. */
function hashPrefix(bare: string): string | undefined {
  return /^(\d{1,8}#)(?=\+?\d{7})/.exec(bare)?.[1];
}

/** The user part of a URI, or the text itself; without parameters, and without what a spreadsheet adds. */
function bareNumber(text: string): string {
  if (isDigits(text)) return text;
  const open = text.lastIndexOf('<');
  const close = text.indexOf('>', open);
  const uri = open >= 0 && close > open ? text.slice(open + 1, close) : text;
  const scheme = /^(?:sips?|tel):/i.exec(uri)?.[0] ?? '';
  const rest = uri.slice(scheme.length);
  const end = rest.search(/[@;?]/);
  const escaped = (end < 0 ? rest : rest.slice(0, end)).trim();
  // In a URI the `#` of a technical prefix cannot stand as it is.
  const user = escaped.includes('%') ? (decodePercent(escaped) ?? escaped) : escaped;
  return DECIMAL_TAIL.exec(user)?.[1] ?? user;
}

/** Digits, with or without `+`: what most rows have. */
function isDigits(text: string): boolean {
  let at = text.charCodeAt(0) === 0x2b ? 1 : 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return false;
    at += 1;
  }
  return true;
}

function canonical(text: string, { plan = NORTH_AMERICAN_PLAN }: SourceNumbers): string | undefined {
  const read = canonicalTelephoneNumber(text, plan);
  return read.kind === 'none' ? undefined : read.tn;
}

/** Why a row does not fall into fields. */
export interface CsvFault {
  readonly status: 'rejected';
  readonly reason: 'bad-quoting' | 'too-long' | 'not-text';
  readonly detail: string;
}

/** The fields of a row without their quotes, or why there are none. */
export type CsvReading = { readonly status: 'fields'; readonly fields: readonly string[] } | CsvFault;

/** How rows of a source are written. */
export interface CsvLayout {
  /** One character. Default the comma. */
  readonly separator?: string;
  /** Whether spaces before an opening quote are no part of the field, as FreeSWITCH writes `, "account"`. Default false. */
  readonly spacesBeforeQuotes?: boolean;
  /** Fields that are looked at, of rows of which the rest tells nothing. Default all, {@link MAX_CSV_FIELDS} at most. */
  readonly firstFields?: number;
}

/** A row of a call. FreeSWITCH rows with channel variables and Sonus rows with sub-records stay below a tenth of it. */
export const MAX_CSV_ROW_CHARS = 65_536;

/** Sonus rows have some 350 fields, the most of all layouts. */
export const MAX_CSV_FIELDS = 1_024;

/** A field with an Identity header of the longest kind fits; what is longer is no field of a call record. */
export const MAX_CSV_FIELD_CHARS = 16_384;

/**
 * Splits one row of comma-separated values into all its fields. An empty row has one that is empty. Never throws.
 * @param text - the row without its line end; line ends inside quotes belong to the field
 * @see RFC 4180 section 2, and {@link fieldScanner} for the rules
 */
export function csvFields(text: string, layout: CsvLayout = COMMAS): CsvReading {
  const isBare = !text.includes('"') && text.length <= MAX_CSV_FIELD_CHARS && !text.includes('\0');
  if (isBare) {
    const fields = text.split(layout.separator ?? ',', MAX_CSV_FIELDS + 1);
    return fields.length > MAX_CSV_FIELDS ? TOO_MANY : { status: 'fields', fields };
  }
  const found = fieldScanner(layout, SHARED_PLACES)(text);
  if (found.status === 'rejected') return found;
  return { status: 'fields', fields: Array.from({ length: found.count }, (_, place) => found.text(place)) };
}

/** Where the fields of one row are. Holds until the scanner that made it is called again. */
export interface RowFields {
  readonly status: 'fields';
  readonly count: number;
  /** The field at a place from 0, without its quotes; empty where the row ends before. */
  readonly text: (place: number) => string;
}

/**
 * Makes what finds the fields of rows: their places are noted, and a text is made only of those that are asked for.
 *
 * A field is bare, or stands in quotes, inside which a quote is doubled; a quote in a bare field, anything between a closing quote and the
 * separator and a quote that nothing closes are faults: rows are not guessed at, since one quote in a caller's display name could otherwise
 * move every field behind it.
 */
export function fieldScanner(
  layout: CsvLayout,
  // At an even place stands where a field begins, behind it where it ends. One for all rows: it is the most of what a row allocates.
  places: Uint32Array = new Uint32Array(2 * (layout.firstFields ?? MAX_CSV_FIELDS + 1)),
): (text: string) => RowFields | CsvFault {
  const { separator = ',', spacesBeforeQuotes = false, firstFields } = layout;
  const separatorCode = separator.charCodeAt(0);
  let row = '';
  const fields = {
    status: 'fields' as const,
    count: 0,
    text: (place: number): string => {
      if (place < 0 || place >= fields.count) return '';
      const from = places[2 * place] ?? 0;
      const to = places[2 * place + 1] ?? 0;
      if (from === to) return '';
      const field = row.slice(from, to);
      return row.charCodeAt(to) === QUOTE && field.includes('""') ? field.replaceAll('""', '"') : field;
    },
  };
  return (text) => {
    if (text.length > MAX_CSV_ROW_CHARS) return TOO_LONG;
    if (text.includes('\0')) return NOT_TEXT;
    const count = scanFields(text, places, { separatorCode, spacesBeforeQuotes });
    if (typeof count !== 'number') return count;
    if (firstFields === undefined) {
      if (count > MAX_CSV_FIELDS) return TOO_MANY;
      if (text.length > MAX_CSV_FIELD_CHARS && hasLongField(places, count)) return FIELD_TOO_LONG;
    }
    row = text;
    fields.count = count;
    return fields;
  };
}

/** The text of a row without the byte order mark that Windows programs put first, and without a carriage return at its end. */
export function rowText({ text }: { readonly text: string }): string {
  const from = text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
  const to = text.charCodeAt(text.length - 1) === CARRIAGE_RETURN ? text.length - 1 : text.length;
  return from === 0 && to === text.length ? text : text.slice(from, to);
}

const COMMAS: CsvLayout = Object.freeze({});
/** Of rows whose fields are all made into texts at once. */
const SHARED_PLACES = new Uint32Array(2 * (MAX_CSV_FIELDS + 1));

const QUOTE = 0x22;
const SPACE = 0x20;
const BYTE_ORDER_MARK = 0xfeff;
const CARRIAGE_RETURN = 0x0d;

const TOO_LONG = fault('too-long', `a row of more than ${MAX_CSV_ROW_CHARS} characters`);
const TOO_MANY = fault('too-long', `more than ${MAX_CSV_FIELDS} fields`);
const FIELD_TOO_LONG = fault('too-long', `a field of more than ${MAX_CSV_FIELD_CHARS} characters`);
const NOT_TEXT = fault('not-text', 'NUL bytes, as files have where a machine stopped while it wrote');
const STRAY = fault('bad-quoting', 'a quote inside a field that does not begin with one');
export const UNCLOSED_QUOTE = fault('bad-quoting', 'a quoted field that nothing closes');
export const TEXT_BEHIND_QUOTE = fault('bad-quoting', 'something between a closing quote and the separator');

function fault(reason: CsvFault['reason'], detail: string): CsvFault {
  return Object.freeze({ status: 'rejected', reason, detail });
}

/** Notes where fields begin and end, and tells how many there are. */
function scanFields(
  text: string,
  places: Uint32Array,
  { separatorCode, spacesBeforeQuotes }: { readonly separatorCode: number; readonly spacesBeforeQuotes: boolean },
): number | CsvFault {
  const end = text.length;
  let slot = 0;
  for (let at = 0; at <= end && slot < places.length; at += 1) {
    let open = at;
    if (spacesBeforeQuotes) while (text.charCodeAt(open) === SPACE) open += 1;
    if (text.charCodeAt(open) === QUOTE) {
      const close = closingQuote(text, text.indexOf('"', open + 1));
      if (close < 0) return UNCLOSED_QUOTE;
      places[slot] = open + 1;
      places[slot + 1] = close;
      at = close + 1;
      if (at < end && text.charCodeAt(at) !== separatorCode) return TEXT_BEHIND_QUOTE;
    } else {
      places[slot] = at;
      for (; at < end; at += 1) {
        const code = text.charCodeAt(at);
        if (code === separatorCode) break;
        if (code === QUOTE) return STRAY;
      }
      places[slot + 1] = at;
    }
    slot += 2;
  }
  return slot / 2;
}

function hasLongField(places: Uint32Array, count: number): boolean {
  for (let slot = 0; slot < 2 * count; slot += 2)
    if ((places[slot + 1] ?? 0) - (places[slot] ?? 0) > MAX_CSV_FIELD_CHARS) return true;
  return false;
}

/** Place of the quote that closes a field, looked for from its first inner quote on; negative where none does. */
export function closingQuote(text: string, first: number): number {
  let close = first;
  while (close >= 0 && text.charCodeAt(close + 1) === QUOTE) close = text.indexOf('"', close + 2);
  return close;
}
