import type { Release } from '../../core/call-record.js';
import { HopbackError } from '../../errors.js';
import { rowText } from './csv-fields.js';
import { legReading, legSource, nameOf, rejectedRow, skippedRow } from './leg.js';
import type { LegSource } from './leg.js';
import { startNotAfter } from './call-order.js';
import { oracleFields } from './oracle-fields.js';
import { oracleTime } from './oracle-time.js';
import { dispositionOfQ850 } from './q850-dispositions.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from './record-reader.js';
import { instantNearest, instantNotBefore, isNoTime } from './row-time.js';
import type { RowInstant, RowTimeFault } from './row-time.js';

/** Goes up when the same row would make another record. */
const READER_VERSION = 1;

/**
 * Fields that are not at the same place in all releases, by their number in the accounting guide, from 1. The guide's field 27 is the
 * address that the caller's **media** came from: name it for `ingressAddress` only where peers send media and signalling from one
 * address, or a traceback will show an address that never sent the INVITE.
 */
export interface OracleSbcFields {
  /** Remote signalling address on the ingress side (Acme-Ingress-Remote-Addr). */
  readonly ingressAddress?: number;
  /** Remote signalling address on the egress side (Acme-Egress-Remote-Addr). */
  readonly egressAddress?: number;
}

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
  for (const number of [fields.ingressAddress, fields.egressAddress]) {
    if (number !== undefined && !(Number.isInteger(number) && number >= 1 && number <= MAX_FIELD_NUMBER)) {
      throw new HopbackError('invalid-configuration', `Fields count from 1 to ${MAX_FIELD_NUMBER}; ${number} is none.`);
    }
  }
  return {
    framing: 'lines',
    read: (row) => readCdr(row, source, fields),
    expire: () => [],
    waiting: () => 0,
  };
}

/** Rows of 269 fields are the longest that are known. */
const MAX_FIELD_NUMBER = 1_024;
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
  if ('fault' in times) return rejectedRow(times.fault.reason, times.fault.detail, times.field);
  const isAnswered = times.answeredAtUs !== undefined;
  const release = releaseOf(text);
  const numbered = (number: number | undefined): string | undefined =>
    number === undefined ? undefined : text(number - 1);
  return legReading(row, source, {
    legId: [sessionId, text(FIELD.egressCallId), text(FIELD.forkedCallId)].filter((part) => part !== '').join(' '),
    callGroupId: text(FIELD.genericId) || sessionId,
    invite: times.setup,
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

interface CdrTimes {
  readonly setup: RowInstant;
  readonly answeredAtUs: number | undefined;
  readonly endedAtUs: number | undefined;
}

interface CdrTimeFault {
  readonly fault: RowTimeFault;
  readonly field: string;
}

function timesOf(text: (place: number) => string, { clock }: LegSource): CdrTimes | CdrTimeFault {
  const read = oracleTime(text(FIELD.setupTime), clock);
  if (read.status === 'rejected') return { fault: read, field: 'Setup Time' };
  const connectText = text(FIELD.connectTime);
  const connect = isNoTime(connectText) ? undefined : oracleTime(connectText, clock);
  if (connect?.status === 'rejected') return { fault: connect, field: 'Connect Time' };
  const disconnectText = text(FIELD.disconnectTime);
  const disconnect = isNoTime(disconnectText) ? undefined : oracleTime(disconnectText, clock);
  if (disconnect?.status === 'rejected') return { fault: disconnect, field: 'Disconnect Time' };
  const setup = startNotAfter(read, [connect, disconnect]);
  const answeredAtUs = connect === undefined ? undefined : instantNotBefore(connect, setup.atUs);
  const sessionUs = Number(text(FIELD.sessionTime)) * 1_000_000;
  const endedAtUs =
    disconnect === undefined
      ? undefined
      : answeredAtUs !== undefined && sessionUs >= 0
        ? instantNearest(disconnect, answeredAtUs + sessionUs)
        : instantNotBefore(disconnect, setup.atUs);
  return { setup, answeredAtUs, endedAtUs };
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
