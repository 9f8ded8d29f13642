import type { Disposition, Release } from '../../../contract/call-record.js';
import type { RowFields } from '../record-reader.js';
import { columnFormat, columnTimes } from './column-format.js';
import type { Cell } from './column-format.js';
import { nameOf, rejectedRow, skippedRow } from './leg.js';
import type { RowInstant } from './row-times.js';

/** Columns of every version. */
const LEAST_COLUMNS = 16;
/** With uniqueid, userfield, peeraccount, linkedid and sequence. */
const MOST_COLUMNS = 21;
/** From here on the three of `newcdrcolumns` are the last. */
const LEAST_WITH_NEW_COLUMNS = 19;

/**
 * Asterisk's `cdr_csv`, `Master.csv`. Which of uniqueid (`loguniqueid`), userfield (`loguserfield`), peeraccount, linkedid and sequence
 * (`newcdrcolumns`) are there is seen from their number. Times are local unless `usegmtime=yes` and `utc` is declared. `cdr_custom`, whose
 * order is configuration, is read by declared columns.
 *
 * Without `loguniqueid` legs of one call cannot be told to belong together: each is a group of its own. With `newcdrcolumns` the sequence is
 * part of the leg's name; without it the other channel is, and two rows of one channel without another, begun in the same second, are one leg.
 * @see https://docs.asterisk.org/Configuration/Reporting/Call-Detail-Records-CDR/
 */
export const createAsteriskCdrReader = columnFormat({
  version: 1,
  framing: 'csv',
  columns: {
    accountcode: 0,
    src: 1,
    dst: 2,
    clid: 4,
    channel: 5,
    dstchannel: 6,
    lastapp: 7,
    lastdata: 8,
    start: 9,
    answer: 10,
    end: 11,
    duration: 12,
    billsec: 13,
    disposition: 14,
  },
  refuse: (cell, fields) => {
    const { count } = fields;
    if (cell('src').toLowerCase() === 'src' && cell('dst').toLowerCase() === 'dst') return skippedRow('header');
    if (count < LEAST_COLUMNS)
      return rejectedRow('too-few-fields', `${count} columns where cdr_csv writes ${LEAST_COLUMNS} or more`);
    if (count > MOST_COLUMNS)
      return rejectedRow('bad-field', `${count} columns where cdr_csv writes ${MOST_COLUMNS} at most`);
    return cell('channel') === '' && uniqueIdIn(fields) === ''
      ? rejectedRow('missing-field', 'neither a uniqueid nor the name of a channel', 'channel')
      : undefined;
  },
  times: columnTimes(
    {
      layout: 'date-time',
      start: 'start',
      answer: 'answer',
      end: 'end',
      duration: 'duration',
      talk: 'billsec',
    },
    (start, fields) => startByBirth(start, uniqueIdIn(fields)),
  ),
  leg: (cell, { invite, answeredAtUs }, fields) => {
    const uniqueId = uniqueIdIn(fields);
    const hasNew = fields.count >= LEAST_WITH_NEW_COLUMNS;
    const linkedId = hasNew ? fields.text(fields.count - 2) : '';
    const sequence = hasNew ? fields.text(fields.count - 1) : '';
    const [channel, dstChannel] = [cell('channel'), cell('dstchannel')];
    const ingress = asteriskChannel(channel);
    const egress = asteriskChannel(dstChannel);
    // A channel that rings several others has a row for each, all with its own id.
    const other = sequence === '' ? dstChannel : sequence;
    const name = uniqueId === '' ? channel : uniqueId;
    const disposition = dispositionOf(cell, answeredAtUs);
    return {
      legId: other === '' ? name : `${name}/${other}`,
      callGroupId: linkedId || uniqueId || `${channel}@${invite.atUs}`,
      calling: cell('src') || callerIdNumber(cell('clid')),
      called: cell('dst'),
      sentTo: cell('lastapp') === 'Dial' ? dialledNumber(cell('lastdata'), egress?.peer) : undefined,
      ingress: ingress === undefined ? undefined : { trunk: ingress.peer },
      egress: egress === undefined ? undefined : { trunk: egress.peer },
      disposition,
      release: disposition === 'answered' ? undefined : releaseOf(cell),
      customerId: nameOf(cell('accountcode')),
    };
  },
});

function uniqueIdIn({ count, text }: RowFields): string {
  const optional = count - LEAST_COLUMNS - (count >= LEAST_WITH_NEW_COLUMNS ? 3 : 0);
  const first = optional === 1 || optional === 2 ? text(LEAST_COLUMNS) : '';
  // One alone may be the userfield, which no clock wrote.
  return optional === 2 || channelBirthSeconds(first) !== undefined ? first : '';
}

/** The number of a caller id, `"Name" <number>`, for where a dialplan has emptied `src`. */
function callerIdNumber(clid: string): string | undefined {
  return /<([^<>]+)>$/.exec(clid.slice(-MAX_NUMBER_CHARS))?.[1];
}

/** Of a caller id its end, with the number. */
const MAX_NUMBER_CHARS = 128;

function dispositionOf(cell: Cell<'disposition' | 'lastapp' | 'lastdata'>, answeredAtUs?: number): Disposition {
  const written = cell('disposition');
  if (written === 'ANSWERED') return 'answered';
  if (written === 'BUSY') return 'busy';
  if (written === 'NO ANSWER') return hangupCause(cell) === Q850_CALL_REJECTED ? 'rejected' : 'no-answer';
  if (written === 'FAILED' || written === 'CONGESTION')
    return hangupCause(cell) === Q850_CALL_REJECTED ? 'rejected' : 'failed';
  return answeredAtUs === undefined ? 'failed' : 'answered';
}

const Q850_CALL_REJECTED = 21;

/** Where the dialplan itself ended the call, `Hangup(21)` says why. @see ITU-T Q.850 */
function hangupCause(cell: Cell<'lastapp' | 'lastdata'>): number | undefined {
  const data = cell('lastapp') === 'Hangup' ? cell('lastdata') : '';
  return /^\d{1,3}$/.test(data) && Number(data) <= 127 ? Number(data) : undefined;
}

function releaseOf(cell: Cell<'disposition' | 'lastapp' | 'lastdata'>): Release | undefined {
  const cause = nameOf(cell('disposition'));
  const q850Cause = hangupCause(cell);
  if (q850Cause === undefined) return cause === undefined ? undefined : { cause };
  return cause === undefined ? { q850Cause, party: 'network' } : { q850Cause, cause, party: 'network' };
}

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
  return earlierUs <= notBeforeUs + 2_000_000
    ? {
        status: 'instant',
        atUs: earlierUs,
        otherUs: laterUs,
        basis,
      }
    : start;
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
