import { z } from 'zod';
import type { Release } from '../../../contract/call-record.js';
import { endOfQuoted } from '../../../core/sip-request.js';
import { configurationError } from '../../configuration-error.schema.js';
import { columnReader } from './column-format.js';
import type { Cell, ColumnFormat } from './column-format.js';
import { dispositionOfQ850, nameOf, rejectedRow, skippedRow } from './leg.js';
import { closingQuote, csvFields } from '../record-reader.js';
import type { CsvFault, RecordReader, RowFields, SourceDescription } from '../record-reader.js';
import { instantAt, instantNearest, instantNotBefore, isNoTime, rejectedTime, startNotAfter } from './row-times.js';
import type { RowClock, RowTimeReading } from './row-times.js';

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

/** Places in the STOP record, from 0. */
const COLUMNS = {
  'Accounting Status': 0,
  'Accounting Session ID': 3,
  'Ingress Call ID': 4,
  'Egress Call ID': 5,
  'Forked Call ID': 7,
  'Generic ID': 8,
  'Calling Station ID': 9,
  'Called Station ID': 10,
  'Terminate Cause': 11,
  'Session Time': 12,
  'Setup Time': 13,
  'Connect Time': 14,
  'Disconnect Time': 15,
  'Disconnect Cause': 16,
  'Egress Realm': 21,
  'Ingress Realm': 22,
  ingressAddress: -1,
  egressAddress: -1,
};
type Column = keyof typeof COLUMNS;

/** Up to the realms. */
const LEAST_FIELDS = 23;

/**
 * Local CDR files of Oracle (Acme Packet) SBCs, CSV in the order of the STOP record; START and INTERIM records, whose order is another, are
 * passed over, since STOP repeats them. A call without a Connect Time was not answered. The ingress realm stands for the trunk. All legs with
 * the same Generic ID, or where there is none the same session id, are one call.
 * @see Oracle Communications Session Border Controller Accounting Guide, appendix "Comma-Delimited Entries for Local Files"
 */
const ORACLE_SBC: ColumnFormat<Column> = {
  version: 1,
  framing: 'lines',
  columns: COLUMNS,
  trims: true,
  repair: withPartyHeaders,
  refuse: (cell, { count }, { line }) => {
    const status = cell('Accounting Status');
    // Acct-Status-Type: 1 START, 2 STOP, 3 INTERIM; of the SBC itself 7 on, 8 off. RFC 2866 section 5.1
    if (status === '1' || status === '3') return skippedRow('interim');
    if (status === '7' || status === '8') return skippedRow('not-a-call');
    if (status !== '2')
      return line <= 1 && /^[A-Za-z]/.test(status)
        ? skippedRow('header')
        : rejectedRow('bad-field', 'no Accounting Status that there is', 'Accounting Status');
    if (count < LEAST_FIELDS) return rejectedRow('too-few-fields', `${count} fields, which end before the realms`);
    return cell('Accounting Session ID') === ''
      ? rejectedRow('missing-field', 'a row without the id of its session', 'Accounting Session ID')
      : undefined;
  },
  times: (cell, clock) => {
    const read = oracleTime(cell('Setup Time'), clock);
    if (read.status === 'rejected') return rejectedTime(read, 'Setup Time');
    const connect = isNoTime(cell('Connect Time')) ? undefined : oracleTime(cell('Connect Time'), clock);
    if (connect?.status === 'rejected') return rejectedTime(connect, 'Connect Time');
    const disconnect = isNoTime(cell('Disconnect Time')) ? undefined : oracleTime(cell('Disconnect Time'), clock);
    if (disconnect?.status === 'rejected') return rejectedTime(disconnect, 'Disconnect Time');
    const invite = startNotAfter(read, [connect, disconnect]);
    const answeredAtUs = connect && instantNotBefore(connect, invite.atUs);
    const sessionUs = Number(cell('Session Time')) * 1_000_000;
    const endedAtUs =
      disconnect &&
      (answeredAtUs !== undefined && sessionUs >= 0
        ? instantNearest(disconnect, answeredAtUs + sessionUs)
        : instantNotBefore(disconnect, invite.atUs));
    return {
      status: 'times',
      invite,
      answeredAtUs,
      endedAtUs,
    };
  },
  leg: (cell, { answeredAtUs }) => {
    const [sessionId, egressCallId] = [cell('Accounting Session ID'), cell('Egress Call ID')];
    const release = releaseOf(cell);
    return {
      legId: [sessionId, egressCallId, cell('Forked Call ID')].filter((part) => part !== '').join(' '),
      callGroupId: cell('Generic ID') || sessionId,
      calling: cell('Calling Station ID'),
      called: cell('Called Station ID'),
      ingress: {
        trunk: nameOf(cell('Ingress Realm')),
        address: cell('ingressAddress'),
        callId: cell('Ingress Call ID'),
      },
      egress: { trunk: nameOf(cell('Egress Realm')), address: cell('egressAddress'), callId: egressCallId },
      disposition: answeredAtUs === undefined ? dispositionOfQ850(release?.q850Cause) : 'answered',
      release,
    };
  },
};

/**
 * Makes the reader of {@link ORACLE_SBC}.
 * @param fields - where to find signalling addresses; without them a side has none
 * @throws {@link HopbackError} `invalid-configuration` also where a field number is none
 */
export function createOracleSbcReader(description: SourceDescription, fields: OracleSbcFields = {}): RecordReader {
  const read = oracleSbcFields.safeParse(fields);
  if (!read.success) throw configurationError('fields', { error: read.error, value: fields });
  const { ingressAddress = 0, egressAddress = 0 } = fields;
  const columns = { ...COLUMNS, ingressAddress: ingressAddress - 1, egressAddress: egressAddress - 1 };
  return columnReader({ ...ORACLE_SBC, columns }, description);
}

function releaseOf(cell: Cell<Column>): (Release & { readonly q850Cause?: number }) | undefined {
  const cause = Number(/^\d{1,3}$/.exec(cell('Disconnect Cause'))?.[0] ?? 0);
  const termination = nameOf(cell('Terminate Cause'));
  const release = {
    ...(cause >= 1 && cause <= 127 ? { q850Cause: cause } : undefined),
    // Acct-Terminate-Cause is a number; some releases write its name. RFC 2866 section 5.10
    ...(termination && { cause: /^\d{1,2}$/.test(termination) ? `Acct-Terminate-Cause ${termination}` : termination }),
  };
  return Object.keys(release).length === 0 ? undefined : release;
}

/**
 * Reads a time as Oracle SBCs write it, `15:54:56.868 PST DEC 18 2017`, also with the day of the week before the month. UTC and GMT
 * are taken at their word; what another abbreviation says decides which of two instants is meant in the hour that comes twice. A
 * time whose abbreviation contradicts the declared zone is refused: one of the two is wrong, and the call would be an hour away.
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
const OFFSETS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    NST: '-03:30',
    NDT: '-02:30',
    AST: '-04:00',
    ADT: '-03:00',
    EST: '-05:00',
    EDT: '-04:00',
    CST: '-06:00',
    CDT: '-05:00',
    MST: '-07:00',
    MDT: '-06:00',
    PST: '-08:00',
    PDT: '-07:00',
    AKST: '-09:00',
    AKDT: '-08:00',
    HST: '-10:00',
  }),
);

const NOT_A_TIME: RowTimeReading = Object.freeze({
  status: 'rejected',
  reason: 'bad-time',
  detail: 'not a time such as 15:54:56.868 PST DEC 18 2017',
});

/** Calling-Station-Id and Called-Station-Id, from 0. */
const PARTY_PLACES: readonly number[] = [COLUMNS['Calling Station ID'], COLUMNS['Called Station ID']];
/** How a name-addr goes on behind the display name: a URI in angle brackets, then parameters, none of them in quotes. */
const ADDRESS = /^\s{0,8}<[^<>"]{0,2048}>[^"<>,]{0,1024}/;
/** Longest name-addr behind its display name. */
const MAX_ADDRESS_CHARS = 3_200;

/**
 * The SBC writes From and To headers into their fields as they came, so that the quotes of a display name stand there unescaped; where a row
 * is no sound CSV, those two fields are read by the grammar of SIP, in which only an escaped quote can stand in a display name: no name that
 * a caller gives himself moves the fields behind it.
 */
function withPartyHeaders(text: string, read: RowFields | CsvFault): readonly string[] | CsvFault | undefined {
  if (read.status === 'fields' || read.reason !== 'bad-quoting') return undefined;
  const parties: (readonly [number, string])[] = [];
  let at = 0;
  let plain = '';
  for (let place = 0; place <= Math.max(...PARTY_PLACES); place += 1) {
    const party = PARTY_PLACES.includes(place) ? partyAt(text, at) : undefined;
    const end = party === undefined ? plainEnd(text, at) : party.end;
    // Where the fields before the parties, or the parties themselves, cannot be told apart.
    if (end === undefined || text.charCodeAt(end) !== COMMA) return undefined;
    if (party !== undefined) parties.push([place, party.text]);
    plain += party === undefined ? text.slice(at, end + 1) : ',';
    at = end + 1;
  }
  const split = csvFields(plain + text.slice(at));
  if (split.status === 'rejected') return split;
  const fields = [...split.fields];
  for (const [place, party] of parties) fields[place] = party;
  return fields;
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
  const close = closingQuote(text, text.indexOf('"', at + 1));
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
