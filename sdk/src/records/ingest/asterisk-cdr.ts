import type { Disposition, Release } from '../../core/call-record.js';
import { asteriskChannel, channelBirthSeconds, dialledNumber, startByBirth } from './asterisk-channel.js';
import { callTimes, rejectedTimes } from './call-times.js';
import type { CallTimes, WrittenCallTimes } from './call-times.js';
import { csvFields, rowText } from './csv-fields.js';
import { legReading, legSource, nameOf, rejectedRow, skippedRow } from './leg.js';
import type { LegParts, LegSource } from './leg.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from './record-reader.js';
import type { RowInstant } from './row-time.js';

/** Goes up when the same row would make another record. */
const READER_VERSION = 1;

/**
 * Makes the reader of Asterisk's `cdr_csv`, `Master.csv`: accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp,
 * lastdata, start, answer, end, duration, billsec, disposition, amaflags, and as cdr.conf has it uniqueid (`loguniqueid`), userfield
 * (`loguserfield`), and peeraccount, linkedid, sequence (`newcdrcolumns`). Which of them are there is seen from their number. Times are local
 * unless `usegmtime=yes` and `utc` is declared. For `cdr_custom`, whose order is configuration, there is the reader of declared columns.
 *
 * Without `loguniqueid` legs of one call cannot be told to belong together: each is a group of its own. With `newcdrcolumns` the sequence is part of
 * the leg's name; without it the other channel is, and two rows of one channel without another, begun in the same second, are one leg.
 * @param description - name of the source, zone of its local times, numbers and providers
 * @returns the reader; each row is a leg, and none waits for another
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name or no zone that exists; never for what a file holds
 * @see https://docs.asterisk.org/Configuration/Reporting/Call-Detail-Records-CDR/
 * @example
 * ```ts
 * const reader = createAsteriskCdrReader({ id: 'pbx-1', format: 'asterisk-cdr', time: { zone: 'America/New_York' } });
 * console.log(reader.framing, reader.waiting()); // csv 0
 * ```
 */
export function createAsteriskCdrReader(description: SourceDescription): RecordReader {
  const source = legSource(description, READER_VERSION);
  return {
    framing: 'csv',
    read: (row) => readCdr(row, source),
    expire: () => [],
    waiting: () => 0,
  };
}

/** Columns of every version. */
const LEAST_COLUMNS = 16;
/** With uniqueid, userfield, peeraccount, linkedid and sequence. */
const MOST_COLUMNS = 21;
/** From here on the three of `newcdrcolumns` are the last. */
const LEAST_WITH_NEW_COLUMNS = 19;

const COLUMN = {
  accountCode: 0,
  src: 1,
  dst: 2,
  clid: 4,
  channel: 5,
  dstChannel: 6,
  lastApp: 7,
  lastData: 8,
  start: 9,
  answer: 10,
  end: 11,
  duration: 12,
  billSec: 13,
  disposition: 14,
} as const;

function readCdr(row: SourceRow, source: LegSource): readonly RowReading[] {
  const text = rowText(row);
  if (text === '') return skippedRow('not-a-call');
  const split = csvFields(text);
  if (split.status === 'rejected') return [split];
  const { fields } = split;
  if (isHeader(fields)) return skippedRow('header');
  if (fields.length < LEAST_COLUMNS) {
    return rejectedRow('too-few-fields', `${fields.length} columns where cdr_csv writes ${LEAST_COLUMNS} or more`);
  }
  if (fields.length > MOST_COLUMNS) {
    return rejectedRow('bad-field', `${fields.length} columns where cdr_csv writes ${MOST_COLUMNS} at most`);
  }
  const identity = identityOf(fields);
  if (identity.uniqueId === '' && fields[COLUMN.channel] === '') {
    return rejectedRow('missing-field', 'neither a uniqueid nor the name of a channel', 'channel');
  }
  const times = callTimes(writtenTimes(fields, identity), source.clock, startOfChannel);
  if (times.status === 'rejected') return rejectedTimes(times, TIME_NAMES);
  return legReading(row, source, partsOf(fields, identity, times));
}

function isHeader(fields: readonly string[]): boolean {
  return fields[COLUMN.src]?.toLowerCase() === 'src' && fields[COLUMN.dst]?.toLowerCase() === 'dst';
}

interface CdrIdentity {
  readonly uniqueId: string;
  readonly linkedId: string;
  readonly sequence: string;
}

/** What stands behind the sixteen columns. */
function identityOf(fields: readonly string[]): CdrIdentity {
  const count = fields.length;
  const hasNew = count >= LEAST_WITH_NEW_COLUMNS;
  const optional = count - LEAST_COLUMNS - (hasNew ? 3 : 0);
  const first = fields[LEAST_COLUMNS] ?? '';
  // One alone may be the userfield, which no clock wrote.
  const isUniqueId = optional === 2 || (optional === 1 && channelBirthSeconds(first) !== undefined);
  return {
    uniqueId: isUniqueId ? first : '',
    linkedId: hasNew ? (fields[count - 2] ?? '') : '',
    sequence: hasNew ? (fields[count - 1] ?? '') : '',
  };
}

const TIME_NAMES = { start: 'start', answer: 'answer', end: 'end' } as const;

interface ChannelTimes extends WrittenCallTimes {
  readonly uniqueId: string;
}

function startOfChannel(start: RowInstant, { uniqueId }: ChannelTimes): RowInstant {
  return startByBirth(start, uniqueId);
}

function writtenTimes(fields: readonly string[], { uniqueId }: CdrIdentity): ChannelTimes {
  return {
    uniqueId,
    layout: 'date-time',
    start: fields[COLUMN.start] ?? '',
    answer: fields[COLUMN.answer],
    end: fields[COLUMN.end],
    durationSeconds: fields[COLUMN.duration],
    answeredSeconds: fields[COLUMN.billSec],
  };
}

function partsOf(fields: readonly string[], identity: CdrIdentity, times: CallTimes): LegParts {
  const { uniqueId, linkedId, sequence } = identity;
  const channel = fields[COLUMN.channel] ?? '';
  const dstChannel = fields[COLUMN.dstChannel] ?? '';
  const ingress = asteriskChannel(channel);
  const egress = asteriskChannel(dstChannel);
  const isDial = fields[COLUMN.lastApp] === 'Dial';
  // A channel that rings several others has a row for each, all with its own id.
  const other = sequence === '' ? dstChannel : sequence;
  const name = uniqueId === '' ? channel : uniqueId;
  const disposition = dispositionOf(fields, times.answeredAtUs);
  return {
    legId: other === '' ? name : `${name}/${other}`,
    callGroupId: linkedId || uniqueId || `${channel}@${times.start.atUs}`,
    invite: times.start,
    answeredAtUs: times.answeredAtUs,
    endedAtUs: times.endedAtUs,
    calling: callingOf(fields),
    called: fields[COLUMN.dst],
    sentTo: isDial ? dialledNumber(fields[COLUMN.lastData] ?? '', egress?.peer) : undefined,
    ingress: ingress === undefined ? undefined : { trunk: ingress.peer },
    egress: egress === undefined ? undefined : { trunk: egress.peer },
    disposition,
    release: disposition === 'answered' ? undefined : releaseOf(fields),
    customerId: nameOf(fields[COLUMN.accountCode]),
  };
}

/** `src`, or where a dialplan has emptied it the number of the caller id, `"Name" <number>`. */
function callingOf(fields: readonly string[]): string | undefined {
  const src = fields[COLUMN.src] ?? '';
  if (src !== '') return src;
  const clid = fields[COLUMN.clid] ?? '';
  return /<([^<>]+)>$/.exec(clid.slice(-MAX_NUMBER_CHARS))?.[1];
}

/** Of a caller id its end, with the number. */
const MAX_NUMBER_CHARS = 128;

function dispositionOf(fields: readonly string[], answeredAtUs: number | undefined): Disposition {
  switch (fields[COLUMN.disposition]) {
    case 'ANSWERED':
      return 'answered';
    case 'BUSY':
      return 'busy';
    case 'NO ANSWER':
      return hangupCause(fields) === Q850_CALL_REJECTED ? 'rejected' : 'no-answer';
    case 'FAILED':
    case 'CONGESTION':
      return hangupCause(fields) === Q850_CALL_REJECTED ? 'rejected' : 'failed';
    default:
      return answeredAtUs === undefined ? 'failed' : 'answered';
  }
}

const Q850_CALL_REJECTED = 21;

/** Where the dialplan itself ended the call, `Hangup(21)` says why. @see ITU-T Q.850 */
function hangupCause(fields: readonly string[]): number | undefined {
  if (fields[COLUMN.lastApp] !== 'Hangup') return undefined;
  const data = fields[COLUMN.lastData] ?? '';
  return /^\d{1,3}$/.test(data) && Number(data) <= 127 ? Number(data) : undefined;
}

function releaseOf(fields: readonly string[]): Release | undefined {
  const cause = nameOf(fields[COLUMN.disposition]);
  const q850Cause = hangupCause(fields);
  if (q850Cause === undefined) return cause === undefined ? undefined : { cause };
  return cause === undefined ? { q850Cause, party: 'network' } : { q850Cause, cause, party: 'network' };
}
