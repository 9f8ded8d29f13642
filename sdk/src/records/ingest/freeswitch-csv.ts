import type { Release } from '../../core/call-record.js';
import { callTimes, rejectedTimes } from './call-times.js';
import type { WrittenCallTimes } from './call-times.js';
import { csvFields, rowText } from './csv-fields.js';
import type { CsvLayout, CsvReading } from './csv-fields.js';
import { freeswitchDisposition, freeswitchQ850Cause } from './freeswitch-cause.js';
import { legReading, legSource, nameOf, rejectedRow, skippedRow } from './leg.js';
import type { LegSource } from './leg.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from './record-reader.js';

/** Goes up when the same row would make another record. */
const READER_VERSION = 1;

/**
 * Makes the reader of FreeSWITCH's `mod_cdr_csv` in its own layout: caller_id_name, caller_id_number, destination_number, context,
 * start_stamp, answer_stamp, end_stamp, duration, billsec, hangup_cause, uuid, bleg_uuid, accountcode, read_codec, write_codec; with
 * the space before accountcode that the built-in template has, or without. Times are local to the switch. Other templates are read
 * by the reader of declared columns.
 *
 * The layout has no trunk and no address: whom a call came from has to be told by the JSON records, or by the accountcode.
 * A leg with a `bleg_uuid` is in the group of that leg, so that both rows have the same wherever `legs` is `ab`.
 * @param description - name of the source, zone of its local times, numbers and providers
 * @returns the reader; each row is a leg, and none waits for another
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name or no zone that exists; never for what a file holds
 * @see FreeSWITCH `conf/vanilla/autoload_configs/cdr_csv.conf.xml`, template `example`
 * @example
 * ```ts
 * const reader = createFreeswitchCsvReader({ id: 'fs-1', format: 'freeswitch-csv', time: { zone: 'America/Chicago' } });
 * console.log(reader.framing); // lines
 * ```
 */
export function createFreeswitchCsvReader(description: SourceDescription): RecordReader {
  const source = legSource(description, READER_VERSION);
  return {
    // Quotes are not doubled, so that an odd one in a name would take the rows behind it along; no value has a line end.
    framing: 'lines',
    read: (row) => readCdr(row, source),
    expire: () => [],
    waiting: () => 0,
  };
}

const COLUMNS = 15;

const COLUMN = {
  callerIdName: 0,
  callerIdNumber: 1,
  destinationNumber: 2,
  startStamp: 4,
  answerStamp: 5,
  endStamp: 6,
  duration: 7,
  billSec: 8,
  hangupCause: 9,
  uuid: 10,
  blegUuid: 11,
  accountCode: 12,
} as const;

const LAYOUT: CsvLayout = { spacesBeforeQuotes: true };

function readCdr(row: SourceRow, source: LegSource): readonly RowReading[] {
  const text = rowText(row);
  if (text === '') return skippedRow('not-a-call');
  const split = fieldsOf(text);
  if (split.status === 'rejected') return [split];
  const { fields } = split;
  if (fields[COLUMN.callerIdNumber]?.toLowerCase() === 'caller_id_number') return skippedRow('header');
  if (fields.length < COLUMNS) {
    return rejectedRow('too-few-fields', `${fields.length} columns where mod_cdr_csv writes ${COLUMNS}`);
  }
  if (fields.length > COLUMNS) {
    return rejectedRow(
      'bad-field',
      `${fields.length} columns where mod_cdr_csv writes ${COLUMNS}: declare the template`,
    );
  }
  const uuid = nameOf(fields[COLUMN.uuid]);
  if (uuid === undefined) return rejectedRow('missing-field', 'a leg without uuid', 'uuid');
  const times = callTimes(writtenTimes(fields), source.clock);
  if (times.status === 'rejected') return rejectedTimes(times, TIME_NAMES);
  const isAnswered = times.answeredAtUs !== undefined;
  const cause = fields[COLUMN.hangupCause] ?? '';
  return legReading(row, source, {
    legId: uuid,
    callGroupId: nameOf(fields[COLUMN.blegUuid]) ?? uuid,
    invite: times.start,
    answeredAtUs: times.answeredAtUs,
    endedAtUs: times.endedAtUs,
    calling: fields[COLUMN.callerIdNumber],
    called: fields[COLUMN.destinationNumber],
    disposition: freeswitchDisposition(cause, isAnswered),
    release: releaseOf(cause),
    customerId: nameOf(fields[COLUMN.accountCode]),
  });
}

/**
 * FreeSWITCH does not double quotes: a caller's display name that has one would make its row unreadable, and a caller may choose it so.
 * Such a row is read from its end, where the switch itself has written; what is left over is the name.
 */
function fieldsOf(text: string): CsvReading {
  const split = csvFields(text, LAYOUT);
  const isClean = split.status === 'fields' ? split.fields.length <= COLUMNS : split.reason !== 'bad-quoting';
  if (isClean || !text.startsWith('"') || !text.endsWith('"')) return split;
  const pieces = text.slice(1, -1).replaceAll('", "', '","').split('","');
  const behindName = pieces.slice(-(COLUMNS - 1));
  if (pieces.length < COLUMNS || behindName.some((piece) => piece.includes('"'))) return split;
  // A template with further columns looks like a name with quotes; what stands in the place of the uuid tells them apart.
  if (!UUID.test(behindName[COLUMN.uuid - 1] ?? '')) return split;
  return { status: 'fields', fields: [pieces.slice(0, 1 - COLUMNS).join('","'), ...behindName] };
}

/** As FreeSWITCH makes them. @see RFC 9562 section 4 */
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const TIME_NAMES = { start: 'start_stamp', answer: 'answer_stamp', end: 'end_stamp' } as const;

function writtenTimes(fields: readonly string[]): WrittenCallTimes {
  return {
    layout: 'date-time',
    start: fields[COLUMN.startStamp] ?? '',
    answer: fields[COLUMN.answerStamp],
    end: fields[COLUMN.endStamp],
    durationSeconds: fields[COLUMN.duration],
    answeredSeconds: fields[COLUMN.billSec],
  };
}

function releaseOf(text: string): Release | undefined {
  const cause = nameOf(text);
  if (cause === undefined) return undefined;
  const q850Cause = freeswitchQ850Cause(cause);
  return q850Cause === undefined ? { cause } : { q850Cause, cause };
}
