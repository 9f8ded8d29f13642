import type { Disposition, Release } from '../../../contract/call-record.js';
import { legReading, legSource, nameOf, rejectedRow, rowReader, skippedRow } from './leg.js';
import type { LegParts, LegSource } from './leg.js';
import { csvFields, rowText } from '../record-reader.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from '../record-reader.js';
import { callTimes } from './row-times.js';
import type { CallTimes, RowInstant, WrittenCallTimes } from './row-times.js';

/** What the name of an Asterisk channel says. */
interface AsteriskChannel {
  /** Channel driver: `PJSIP`, `SIP`, `IAX2`, `DAHDI`, `Local`. */
  readonly technology: string;
  /**
   * Endpoint, peer or span. Of a caller without a peer it is what chan_sip took from the From header: a name, and no proof of where
   * the call came from, so that it is never read as an address.
   */
  readonly peer: string;
}

/** One place that `Dial()` was told to ring. */
interface DialDestination {
  readonly peer?: string;
  /** The number as it was sent to the peer. */
  readonly number?: string;
}

/** Longest name of a channel that is looked at: Asterisk itself holds 80 characters (AST_CHANNEL_NAME). */
const MAX_CHANNEL_CHARS = 256;
/** Forks of one `Dial()` at most; further ones are not looked at. */
const MAX_DESTINATIONS = 64;

/**
 * Reads the name of a channel: `PJSIP/carrier-a-0000001a`, `SIP/carrier-a-b7d0a3c8`, `DAHDI/i1/12025550123-2`,
 * `IAX2/carrier-a-4012`. Never throws.
 * @returns undefined where it is none, and for `Local` channels, which lead back into the switch itself
 * @example
 * ```ts
 * console.log(asteriskChannel('PJSIP/carrier-a-0000001a')?.peer); // carrier-a
 * ```
 */
export function asteriskChannel(name: string): AsteriskChannel | undefined {
  const slash = name.indexOf('/');
  if (slash <= 0 || name.length > MAX_CHANNEL_CHARS) return undefined;
  const technology = name.slice(0, slash);
  if (technology === 'Local') return undefined;
  // The counter behind the last dash makes the name unique; a second slash comes before a number, on ISDN spans.
  const second = name.indexOf('/', slash + 1);
  const dash = name.lastIndexOf('-');
  const end = second >= 0 ? second : dash > slash ? dash : name.length;
  return end === slash + 1 ? undefined : { technology, peer: name.slice(slash + 1, end) };
}

/**
 * Reads the first argument of `Dial()`: `PJSIP/12025550123@carrier-b,30`, `SIP/carrier-b/12025550123&SIP/carrier-c/12025550123`.
 * Secrets of `IAX2/user:secret@peer` are not kept. Never throws.
 */
export function dialDestinations(argument: string): readonly DialDestination[] {
  const comma = argument.indexOf(',');
  const bar = argument.indexOf('|');
  // Up to Asterisk 1.4 arguments were set apart by bars.
  const end = comma >= 0 && (bar < 0 || comma < bar) ? comma : bar;
  const list = end < 0 ? argument : argument.slice(0, end);
  if (!list.includes('&')) return [dialDestination(list)];
  return list.split('&', MAX_DESTINATIONS).map(dialDestination);
}

/**
 * The number that a leg was sent on to: of several destinations the one that the other channel belongs to. Never throws.
 * @param argument - of `Dial()`
 * @param peer - of the channel that was made, where there is one
 * @returns undefined where it cannot be told
 */
export function dialledNumber(argument: string, peer: string | undefined): string | undefined {
  const destinations = dialDestinations(argument);
  if (destinations.length === 1) return destinations[0]?.number;
  const made = destinations.filter((destination) => peer !== undefined && destination.peer === peer);
  const [first, ...others] = made;
  return others.every(({ number }) => number === first?.number) ? first?.number : undefined;
}

/** When a channel was made, seconds since the epoch, from its unique id: `[SYSTEM-]1793500000.42`. */
export function channelBirthSeconds(uniqueId: string): number | undefined {
  const dot = uniqueId.lastIndexOf('.');
  if (dot < EPOCH_DIGITS) return undefined;
  const from = uniqueId.lastIndexOf('-', dot) + 1;
  if (dot - from !== EPOCH_DIGITS) return undefined;
  let seconds = 0;
  for (let at = from; at < dot; at += 1) {
    const digit = uniqueId.charCodeAt(at) - 0x30;
    if (!(digit >= 0 && digit <= 9)) return undefined;
    seconds = seconds * 10 + digit;
  }
  return seconds;
}

/**
 * Of the two instants that a start may mean the one that the unique id of its channel tells, which has the second in UTC: no leg of a
 * channel began before the channel was made. Where the other is possible too it is kept. Never throws.
 */
export function startByBirth(start: RowInstant, uniqueId: string): RowInstant {
  const { atUs, otherUs, basis } = start;
  const birthSeconds = otherUs === undefined ? undefined : channelBirthSeconds(uniqueId);
  if (otherUs === undefined || birthSeconds === undefined) return start;
  // The second of the id and that of the row may be rounded differently.
  const notBeforeUs = (birthSeconds - 1) * 1_000_000;
  const earlierUs = Math.min(atUs, otherUs);
  const laterUs = Math.max(atUs, otherUs);
  if (earlierUs < notBeforeUs) return { status: 'instant', atUs: laterUs, basis };
  return earlierUs <= notBeforeUs + 2_000_000 ? { status: 'instant', atUs: earlierUs, otherUs: laterUs, basis } : start;
}

/** Seconds since the epoch have ten digits from 2001 to 2286. */
const EPOCH_DIGITS = 10;

function dialDestination(text: string): DialDestination {
  const slash = text.indexOf('/');
  if (slash < 0 || text.startsWith('Local/')) return {};
  const resource = text.slice(slash + 1);
  const second = resource.indexOf('/');
  if (second >= 0) {
    const peer = resource.slice(resource.lastIndexOf('@', second) + 1, second);
    return destination(peer, resource.slice(second + 1));
  }
  const at = resource.indexOf('@');
  return at < 0 ? destination(resource, '') : destination(resource.slice(at + 1), resource.slice(0, at));
}

function destination(peer: string, resource: string): DialDestination {
  const from = /^sips?:/.exec(resource)?.[0].length ?? 0;
  const host = resource.indexOf('@', from);
  const number = resource.slice(from, host < 0 ? resource.length : host);
  const made: { peer?: string; number?: string } = {};
  if (peer !== '') made.peer = peer;
  if (number !== '') made.number = number;
  return made;
}

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
  return rowReader('csv', (row) => readCdr(row, source));
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
  const times = callTimes(writtenTimes(fields), source.clock, TIME_NAMES, (start) =>
    startByBirth(start, identity.uniqueId),
  );
  if (times.status === 'rejected') return [times];
  return legReading(row, source, partsOf(fields, identity, times));
}

function isHeader(fields: readonly string[]): boolean {
  return fields[COLUMN.src]?.toLowerCase() === 'src' && fields[COLUMN.dst]?.toLowerCase() === 'dst';
}

type CdrIdentity = ReturnType<typeof identityOf>;

/** What stands behind the sixteen columns. */
function identityOf(fields: readonly string[]) {
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

function writtenTimes(fields: readonly string[]): WrittenCallTimes {
  return {
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
