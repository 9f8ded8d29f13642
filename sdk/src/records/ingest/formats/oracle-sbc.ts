import { z } from 'zod';
import type { Release } from '../../../contract/call-record.js';
import { endOfQuoted } from '../../../core/sip-request.js';
import { configurationError } from '../../configuration-error.schema.js';
import { dispositionOfQ850, legReading, legSource, nameOf, rejectedRow, rowReader, skippedRow } from './leg.js';
import type { LegSource } from './leg.js';
import { csvFields, rowText } from '../record-reader.js';
import type { CsvReading, RecordReader, RowReading, SourceDescription, SourceRow } from '../record-reader.js';
import { instantAt, instantNearest, instantNotBefore, isNoTime, rejectedTime, startNotAfter } from './row-times.js';
import type { CallTimes, RejectedTime, RowClock, RowTimeReading } from './row-times.js';

/**
 * Reads a time as Oracle SBCs write it, `15:54:56.868 PST DEC 18 2017`, also with the day of the week before the month. UTC and GMT
 * are taken at their word; what another abbreviation says decides which of two instants is meant in the hour that comes twice. A
 * time whose abbreviation contradicts the declared zone is refused: one of the two is wrong, and the call would be an hour
 * away. Never throws.
 */
function oracleTime(text: string, clock: RowClock): RowTimeReading {
  const found = WRITTEN.exec(text);
  const month = MONTHS.indexOf((found?.[3] ?? '').toUpperCase()) + 1;
  if (found === null || month === 0) return NOT_A_TIME;
  const [, time = '', abbreviation = '', , day = '', year = ''] = found;
  const written = `${year}-${String(month).padStart(2, '0')}-${day.padStart(2, '0')} ${time}`;
  const zone = abbreviation.toUpperCase();
  if (zone === 'UTC' || zone === 'GMT') return clock.read(`${written}Z`, 'iso-8601');
  const offset = OFFSETS.get(zone);
  return offset === undefined ? clock.read(written, 'date-time') : instantAt(written, offset, clock);
}

const WRITTEN =
  /^[*.]?(\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?) ([A-Za-z]{1,5}) (?:[A-Za-z]{3} )?([A-Za-z]{3}) (\d{1,2}) (\d{4})$/;
const MONTHS: readonly string[] = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];

/** Offsets of the zones of North America, as they stand behind a time. */
const OFFSETS: ReadonlyMap<string, string> = new Map([
  ['NST', '-03:30'],
  ['NDT', '-02:30'],
  ['AST', '-04:00'],
  ['ADT', '-03:00'],
  ['EST', '-05:00'],
  ['EDT', '-04:00'],
  ['CST', '-06:00'],
  ['CDT', '-05:00'],
  ['MST', '-07:00'],
  ['MDT', '-06:00'],
  ['PST', '-08:00'],
  ['PDT', '-07:00'],
  ['AKST', '-09:00'],
  ['AKDT', '-08:00'],
  ['HST', '-10:00'],
]);

const NOT_A_TIME: RowTimeReading = Object.freeze({
  status: 'rejected',
  reason: 'bad-time',
  detail: 'not a time such as 15:54:56.868 PST DEC 18 2017',
});

/** Calling-Station-Id and Called-Station-Id, from 0. */
const PARTY_PLACES: readonly number[] = [9, 10];
/** How a name-addr goes on behind the display name: a URI in angle brackets, then parameters, none of them in quotes. */
const ADDRESS = /^\s{0,8}<[^<>"]{0,2048}>[^"<>,]{0,1024}/;
/** Longest name-addr behind its display name. */
const MAX_ADDRESS_CHARS = 3_200;

/**
 * Splits a row of an Oracle (Acme Packet) SBC. Rows that are sound CSV are read as such. The SBC also writes From and To headers into
 * their fields as they came, so that the quotes of a display name stand there unescaped; those two fields are then read by the
 * grammar of SIP, in which only an escaped quote can stand in a display name: no name that a caller gives himself moves the
 * fields behind it. Never throws.
 * @param text - without its line end
 */
function oracleFields(text: string): CsvReading {
  const strict = csvFields(text);
  if (strict.status === 'fields' || strict.reason !== 'bad-quoting') return strict;
  const plain = withoutPartyQuotes(text);
  if (plain === undefined) return strict;
  const split = csvFields(plain.text);
  if (split.status === 'rejected') return split;
  const fields = [...split.fields];
  for (const [place, party] of plain.parties) fields[place] = party;
  return { status: 'fields', fields };
}

interface PlainRow {
  /** The row with its party fields left empty. */
  readonly text: string;
  readonly parties: ReadonlyMap<number, string>;
}

/** Undefined where the fields before the parties, or the parties themselves, cannot be told apart. */
function withoutPartyQuotes(text: string): PlainRow | undefined {
  const parties = new Map<number, string>();
  let at = 0;
  let kept = '';
  for (let place = 0; place <= Math.max(...PARTY_PLACES); place += 1) {
    const isParty = PARTY_PLACES.includes(place);
    const party = isParty ? partyAt(text, at) : undefined;
    const end = party === undefined ? plainEnd(text, at) : party.end;
    if (end === undefined || text.charCodeAt(end) !== COMMA) return undefined;
    if (party === undefined) kept += text.slice(at, end + 1);
    else {
      parties.set(place, party.text);
      kept += ',';
    }
    at = end + 1;
  }
  return { text: kept + text.slice(at), parties };
}

const QUOTE = 0x22;
const COMMA = 0x2c;

/** Where a field of sound CSV ends that begins at a place. */
function plainEnd(text: string, at: number): number | undefined {
  if (text.charCodeAt(at) !== QUOTE) {
    const comma = text.indexOf(',', at);
    const field = text.slice(at, comma < 0 ? text.length : comma);
    return field.includes('"') ? undefined : at + field.length;
  }
  let close = text.indexOf('"', at + 1);
  while (close >= 0 && text.charCodeAt(close + 1) === QUOTE) close = text.indexOf('"', close + 2);
  return close < 0 ? undefined : close + 1;
}

/** A name-addr with a display name in quotes, itself in the quotes of a field or in none; undefined where there is no such thing. */
function partyAt(text: string, at: number): { readonly text: string; readonly end: number } | undefined {
  if (text.charCodeAt(at) !== QUOTE) return undefined;
  const isEnclosed = text.charCodeAt(at + 1) === QUOTE;
  const from = isEnclosed ? at + 1 : at;
  const closed = endOfQuoted(text, from);
  if (closed === undefined) return undefined;
  const address = ADDRESS.exec(text.slice(closed + 1, closed + 1 + MAX_ADDRESS_CHARS))?.[0];
  if (address === undefined) return undefined;
  const end = closed + 1 + address.length;
  if (isEnclosed && text.charCodeAt(end) !== QUOTE) return undefined;
  return { text: text.slice(from, end), end: isEnclosed ? end + 1 : end };
}

/** Goes up when the same row would make another record. */
const READER_VERSION = 1;

/** Fields count from 1; rows of 269 fields are the longest that are known. */
const fieldNumber = z.int().min(1).max(1_024);

/**
 * Fields that are not at the same place in all releases, by their number in the accounting guide, from 1. The guide's field 27 is the
 * address that the caller's **media** came from: name it for `ingressAddress` only where peers send media and signalling from one
 * address, or a traceback will show an address that never sent the INVITE.
 */
export const oracleSbcFields = z.strictObject({
  /** Remote signalling address on the ingress side (Acme-Ingress-Remote-Addr). */
  ingressAddress: z.exactOptional(fieldNumber),
  /** Remote signalling address on the egress side (Acme-Egress-Remote-Addr). */
  egressAddress: z.exactOptional(fieldNumber),
});
type OracleSbcFields = Readonly<z.infer<typeof oracleSbcFields>>;

/**
 * Makes the reader of the local CDR files of Oracle (Acme Packet) SBCs, CSV in the order of the STOP record; START and INTERIM records,
 * whose order is another, are passed over, since STOP repeats them. A call without a Connect Time was not answered. The ingress
 * realm stands for the trunk. All legs with the same Generic ID, or where there is none the same session id, are one call.
 * @param description - name of the source, zone of its local times, numbers and providers
 * @param fields - where to find signalling addresses; without them a side has none
 * @returns the reader; each STOP record is a leg, and none waits for another
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name or no zone that exists, or a field number is none;
 * never for what a file holds
 * @see Oracle Communications Session Border Controller Accounting Guide, appendix "Comma-Delimited Entries for Local Files"
 * @example
 * ```ts
 * const reader = createOracleSbcReader({ id: 'sbc-1', format: 'oracle-sbc', time: { zone: 'utc' } });
 * console.log(reader.framing, reader.waiting()); // lines 0
 * ```
 */
export function createOracleSbcReader(description: SourceDescription, fields: OracleSbcFields = {}): RecordReader {
  const source = legSource(description, READER_VERSION);
  const read = oracleSbcFields.safeParse(fields);
  if (!read.success) throw configurationError('fields', { error: read.error, value: fields });
  return rowReader('lines', (row) => readCdr(row, source, fields));
}

/** Up to the realms. */
const LEAST_FIELDS = 23;

/** Places in the STOP record, from 0. */
const FIELD = {
  status: 0,
  sessionId: 3,
  ingressCallId: 4,
  egressCallId: 5,
  forkedCallId: 7,
  genericId: 8,
  calling: 9,
  called: 10,
  terminationCause: 11,
  sessionTime: 12,
  setupTime: 13,
  connectTime: 14,
  disconnectTime: 15,
  disconnectCause: 16,
  egressRealm: 21,
  ingressRealm: 22,
} as const;

/** Acct-Status-Type. @see RFC 2866 section 5.1 */
const START = '1';
const STOP = '2';
const INTERIM = '3';

function readCdr(row: SourceRow, source: LegSource, numbers: OracleSbcFields): readonly RowReading[] {
  const text = rowText(row);
  if (text === '') return skippedRow('not-a-call');
  const split = oracleFields(text);
  if (split.status === 'rejected') return [split];
  const { fields } = split;
  const status = fields[FIELD.status]?.trim();
  if (status === START || status === INTERIM) return skippedRow('interim');
  // Accounting of the SBC itself: 7 on, 8 off.
  if (status === '7' || status === '8') return skippedRow('not-a-call');
  if (status !== STOP) {
    const isHeader = row.line <= 1 && /^[A-Za-z]/.test(status ?? '');
    return isHeader
      ? skippedRow('header')
      : rejectedRow('bad-field', 'no Accounting Status that there is', 'Accounting Status');
  }
  if (fields.length < LEAST_FIELDS) {
    return rejectedRow('too-few-fields', `${fields.length} fields, which end before the realms`);
  }
  return readStop(row, fields, source, numbers);
}

function readStop(
  row: SourceRow,
  fields: readonly string[],
  source: LegSource,
  numbers: OracleSbcFields,
): readonly RowReading[] {
  const text = (place: number): string => fields[place]?.trim() ?? '';
  const sessionId = text(FIELD.sessionId);
  if (sessionId === '')
    return rejectedRow('missing-field', 'a row without the id of its session', 'Accounting Session ID');
  const times = timesOf(text, source);
  if (times.status === 'rejected') return [times];
  const isAnswered = times.answeredAtUs !== undefined;
  const release = releaseOf(text);
  const numbered = (number: number | undefined): string | undefined =>
    number === undefined ? undefined : text(number - 1);
  return legReading(row, source, {
    legId: [sessionId, text(FIELD.egressCallId), text(FIELD.forkedCallId)].filter((part) => part !== '').join(' '),
    callGroupId: text(FIELD.genericId) || sessionId,
    invite: times.start,
    answeredAtUs: times.answeredAtUs,
    endedAtUs: times.endedAtUs,
    calling: text(FIELD.calling),
    called: text(FIELD.called),
    ingress: {
      trunk: nameOf(text(FIELD.ingressRealm)),
      address: numbered(numbers.ingressAddress),
      callId: text(FIELD.ingressCallId),
    },
    egress: {
      trunk: nameOf(text(FIELD.egressRealm)),
      address: numbered(numbers.egressAddress),
      callId: text(FIELD.egressCallId),
    },
    disposition: isAnswered ? 'answered' : dispositionOfQ850(release?.q850Cause),
    release,
  });
}

function timesOf(text: (place: number) => string, { clock }: LegSource): CallTimes | RejectedTime {
  const read = oracleTime(text(FIELD.setupTime), clock);
  if (read.status === 'rejected') return rejectedTime(read, 'Setup Time');
  const connectText = text(FIELD.connectTime);
  const connect = isNoTime(connectText) ? undefined : oracleTime(connectText, clock);
  if (connect?.status === 'rejected') return rejectedTime(connect, 'Connect Time');
  const disconnectText = text(FIELD.disconnectTime);
  const disconnect = isNoTime(disconnectText) ? undefined : oracleTime(disconnectText, clock);
  if (disconnect?.status === 'rejected') return rejectedTime(disconnect, 'Disconnect Time');
  const start = startNotAfter(read, [connect, disconnect]);
  const answeredAtUs = connect === undefined ? undefined : instantNotBefore(connect, start.atUs);
  const sessionUs = Number(text(FIELD.sessionTime)) * 1_000_000;
  const endedAtUs =
    disconnect === undefined
      ? undefined
      : answeredAtUs !== undefined && sessionUs >= 0
        ? instantNearest(disconnect, answeredAtUs + sessionUs)
        : instantNotBefore(disconnect, start.atUs);
  return { status: 'times', start, answeredAtUs, endedAtUs };
}

function releaseOf(text: (place: number) => string): (Release & { readonly q850Cause?: number }) | undefined {
  const disconnect = text(FIELD.disconnectCause);
  const q850 = /^\d{1,3}$/.test(disconnect) ? Number(disconnect) : 0;
  const termination = nameOf(text(FIELD.terminationCause));
  if (q850 < 1 || q850 > 127) return termination === undefined ? undefined : { cause: terminationName(termination) };
  return termination === undefined ? { q850Cause: q850 } : { q850Cause: q850, cause: terminationName(termination) };
}

/** Acct-Terminate-Cause is a number; some releases write its name. @see RFC 2866 section 5.10 */
function terminationName(written: string): string {
  return /^\d{1,2}$/.test(written) ? `Acct-Terminate-Cause ${written}` : written;
}
