import { columnReader } from './column-format.js';
import type { Cell, ColumnFormat } from './column-format.js';
import { addReleaseCause, dispositionOfQ850, rejectedRow, rowReader, skippedRow } from './leg.js';
import type { MadeRelease } from './leg.js';
import { rowText, TEXT_BEHIND_QUOTE, UNCLOSED_QUOTE } from '../record-reader.js';
import type { CsvFault, RecordReader, RowReading, SourceDescription } from '../record-reader.js';
import { instantNearest, instantNotBefore, rejectedTime, ROUNDING_US, startNotAfter } from './row-times.js';
import type { CallTimes, RejectedTime, RowClock, RowInstant, RowTimeReading } from './row-times.js';

/**
 * Places from 0, -1 where the kind of row has none; a quoted sub-record counts as one field.
 * @see Ribbon SBC Core documentation, "CDR Field Descriptions": record numbers there count from 1
 */
const STOP_COLUMNS = {
  gateway: 1,
  'Accounting ID': 2,
  'Start Date': 5,
  'Start Time': 6,
  'Disconnect Date': 10,
  'Disconnect Time': 11,
  'Call Service Duration': 13,
  reason: 14,
  calling: 19,
  called: 20,
  beforeTranslation: 23,
  routeAttempt: 29,
  egressRemote: 32,
  ingressTrunk: 33,
  ingressVariant: 51,
  dialled: 59,
  initiator: 63,
  egressTrunk: 67,
  egressVariant: 68,
  incomingCalling: 69,
  globalCallId: 81,
  ingressRemote: 125,
};
type Column = keyof typeof STOP_COLUMNS;

/** An ATTEMPT has no duration, no counts of media, and the date of its end far behind the time of it. */
const ATTEMPT_COLUMNS: Readonly<Record<Column, number>> = {
  gateway: 1,
  'Accounting ID': 2,
  'Start Date': 5,
  'Start Time': 6,
  'Disconnect Date': 104,
  'Disconnect Time': 9,
  'Call Service Duration': -1,
  reason: 11,
  calling: 16,
  called: 17,
  beforeTranslation: 20,
  routeAttempt: 26,
  egressRemote: 29,
  ingressTrunk: 30,
  ingressVariant: 44,
  dialled: 52,
  initiator: 56,
  egressTrunk: 57,
  egressVariant: 58,
  incomingCalling: 59,
  globalCallId: 71,
  ingressRemote: 115,
};

/**
 * `.ACT` files of Ribbon (Sonus) SBCs and GSX gateways: STOP rows are calls that were answered, ATTEMPT rows calls and tries of routes that were
 * not; START and INTERMEDIATE rows are passed over, since STOP repeats them. Times are MM/DD/YYYY and HH:MM:SS.s in the zone that is
 * declared: local with current releases, GMT with old ones. Durations are hundredths of a second. All tries of a call share its Global Call
 * ID, or where there is none its accounting id.
 *
 * Who calls is the number as it came in (Incoming Calling Number) where that is one, else the Calling Number; who is called the number that
 * was dialled, or that stood there before translation, and `translatedTn` the Called Number that it became.
 */
export function createRibbonActReader(description: SourceDescription): RecordReader {
  const stops = columnReader(ribbonFormat(STOP_COLUMNS), description);
  const attempts = columnReader(ribbonFormat(ATTEMPT_COLUMNS), description);
  return rowReader('lines', (row) => (rowText(row).startsWith('ATTEMPT,') ? attempts : stops).read(row));
}

function ribbonFormat(columns: Readonly<Record<Column, number>>): ColumnFormat<Column> {
  const isAnswered = columns === STOP_COLUMNS;
  // Sub-records are the longest fields: they are made into texts once for `refuse` and `leg`.
  let ingressVariant = '';
  let egressVariant = '';
  return {
    version: 1,
    framing: 'lines',
    columns,
    // Less than half of a row.
    layout: { firstFields: STOP_COLUMNS.ingressRemote + 1 },
    passOver,
    repair: (_, read) => (read.status === 'rejected' ? SUB_RECORD_FAULTS.get(read) : undefined),
    refuse: (cell, { count }) => {
      if (count <= columns.ingressTrunk)
        return rejectedRow('too-few-fields', `${count} fields, which end before the trunk group`);
      if (cell('Accounting ID') === '')
        return rejectedRow('missing-field', 'a row without the id of its call', 'Accounting ID');
      ingressVariant = cell('ingressVariant');
      egressVariant = cell('egressVariant');
      return isCutOff(ingressVariant) || isCutOff(egressVariant) ? CUT_OFF : undefined;
    },
    times: isAnswered ? timesOfCall : timesOfAttempt,
    leg: (cell) => {
      const release = releaseOf(cell, isAnswered ? [] : [egressVariant, ingressVariant]);
      const call = `${cell('gateway')} ${cell('Accounting ID')}`;
      const called = cell('called');
      const incoming = cell('incomingCalling');
      return {
        legId: `${call} ${cell('routeAttempt')}`,
        callGroupId: cell('globalCallId') || call,
        calling: isDigits(incoming) ? incoming : cell('calling'),
        called: cell('dialled') || cell('beforeTranslation') || called,
        sentTo: called,
        ingress: { trunk: cell('ingressTrunk'), address: cell('ingressRemote'), callId: callIdOf(ingressVariant) },
        egress: { trunk: cell('egressTrunk'), address: cell('egressRemote'), callId: callIdOf(egressVariant) },
        disposition: isAnswered ? 'answered' : dispositionOfQ850(release.q850Cause),
        release,
      };
    },
  };
}

function passOver(text: string, { line }: { readonly line: number }): readonly RowReading[] | undefined {
  if (text.startsWith('STOP,') || text.startsWith('ATTEMPT,')) return undefined;
  if (text.startsWith('START,') || text.startsWith('INTERMEDIATE,')) return skippedRow('interim');
  if (text.includes('File administratively closed')) return skippedRow('end-of-file');
  // The first row of a file names the gateway and the kind of file, in no layout of fields that would hold for all releases.
  if (line === 1 && !/^(?:START|STOP|ATTEMPT|INTERMEDIATE)\b/.test(text)) return skippedRow('header');
  // Reboots, switchovers, software changes, recordings and events of the node.
  if (/^[A-Z][A-Z_]{1,31},/.test(text)) return skippedRow('not-a-call');
  return rejectedRow(
    'bad-field',
    'a row that is neither START, STOP, ATTEMPT, INTERMEDIATE nor any other record',
    'Record Type',
  );
}

/** What stands in quotes here are the sub-records that protocols leave. */
const SUB_RECORD_FAULTS: ReadonlyMap<CsvFault, CsvFault> = new Map([
  [UNCLOSED_QUOTE, { ...UNCLOSED_QUOTE, detail: 'a sub-record that nothing closes' }],
  [TEXT_BEHIND_QUOTE, { ...TEXT_BEHIND_QUOTE, detail: 'something between the end of a sub-record and the comma' }],
]);

/** Whether a field is a number of some length: an incoming number may be absent or withheld. */
function isDigits(text: string): boolean {
  return text.length >= 7 && /^\+?\d{7,20}$/.test(text);
}

const HUNDREDTH_US = 10_000;
/** Thirty days: the SBC ends calls long before. */
const MAX_DURATION_US = 30 * 86_400_000_000;

function timesOfAttempt(cell: Cell<Column>, clock: RowClock): CallTimes | RejectedTime {
  const times = writtenTimes(cell, clock);
  if (times.status === 'rejected') return times;
  const { start, end } = times;
  const invite = startNotAfter(start, [end]);
  return {
    status: 'times',
    invite,
    answeredAtUs: undefined,
    endedAtUs: end && instantNotBefore(end, invite.atUs),
  };
}

function timesOfCall(cell: Cell<Column>, clock: RowClock): CallTimes | RejectedTime {
  const times = writtenTimes(cell, clock);
  if (times.status === 'rejected') return times;
  const { start, end } = times;
  const duration = cell('Call Service Duration');
  const durationUs = /^\d{1,9}$/.test(duration) ? Number(duration) * HUNDREDTH_US : Number.NaN;
  if (!(durationUs <= MAX_DURATION_US)) return BAD_DURATION;
  if (end === undefined)
    return {
      status: 'times',
      invite: start,
      answeredAtUs: undefined,
      endedAtUs: undefined,
    };
  // Whichever of the two is certain puts the other where the duration says.
  const invite = start.otherUs === undefined ? start : startBefore(start, end, durationUs);
  const endedAtUs = instantNearest(end, invite.atUs + durationUs);
  if (endedAtUs - durationUs < invite.atUs - ROUNDING_US) return LONGER_THAN_CALL;
  return {
    status: 'times',
    invite,
    answeredAtUs: Math.max(invite.atUs, endedAtUs - durationUs),
    endedAtUs,
  };
}

type WrittenTimes = { readonly status: 'written'; readonly start: RowInstant; readonly end: RowInstant | undefined };

function writtenTimes(cell: Cell<Column>, clock: RowClock): WrittenTimes | RejectedTime {
  const start = clock.read(`${cell('Start Date')} ${cell('Start Time')}`, 'month-first');
  if (start.status === 'rejected') return rejectedTime(start, 'Start Time');
  const end = endOf(cell, start, clock);
  return end?.status === 'rejected' ? rejectedTime(end, 'Disconnect Time') : { status: 'written', start, end };
}

/** Short ATTEMPT rows of old releases have no date of the disconnect, which stands far behind: it is that of the start, or the day after. */
function endOf(cell: Cell<Column>, start: RowInstant, clock: RowClock): RowTimeReading | undefined {
  const time = cell('Disconnect Time');
  if (time === '') return undefined;
  const date = cell('Disconnect Date');
  if (date !== '') return clock.read(`${date} ${time}`, 'month-first');
  const startDate = cell('Start Date');
  const sameDay = clock.read(`${startDate} ${time}`, 'month-first');
  const earliestUs = Math.min(start.atUs, start.otherUs ?? start.atUs);
  const isBehind = sameDay.status === 'instant' && instantNotBefore(sameDay, earliestUs) >= earliestUs - ROUNDING_US;
  return isBehind ? sameDay : clock.read(`${dayAfter(startDate)} ${time}`, 'month-first');
}

/** @param date - `12/31/2026`, a day that there is */
function dayAfter(date: string): string {
  const [month = '', day = '', year = ''] = date.split('/');
  const next = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day) + 1)).toISOString();
  return `${next.slice(5, 7)}/${next.slice(8, 10)}/${next.slice(0, 4)}`;
}

/** Of a start that has two meanings, the one from which the duration leads to the end. */
function startBefore(start: RowInstant, end: RowInstant, durationUs: number): RowInstant {
  const near = end.otherUs === undefined ? nearer(start, end.atUs - durationUs) : start;
  return startNotAfter(near, [earlierBy(end, durationUs)]);
}

/** A time that lies a duration before another, in both of its meanings. */
function earlierBy({ atUs, otherUs, basis }: RowInstant, us: number): RowInstant {
  const moved = { status: 'instant', atUs: atUs - us, basis } as const;
  return otherUs === undefined ? moved : { ...moved, otherUs: otherUs - us };
}

const LONGER_THAN_CALL = badDuration('a call that lasted longer than from its start to its end');
const BAD_DURATION = badDuration('the duration is no number of hundredths of a second');

function badDuration(detail: string): RejectedTime {
  return rejectedTime({ status: 'rejected', reason: 'bad-time', detail }, 'Call Service Duration');
}

function nearer(start: RowInstant, expectedUs: number): RowInstant {
  const { atUs, otherUs = atUs, basis } = start;
  return instantNearest(start, expectedUs) === atUs
    ? start
    : {
        status: 'instant',
        atUs: otherUs,
        otherUs: atUs,
        basis,
      };
}

/** Parts of a sub-record of protocol SIP up to its final status, which is the 19th. */
const STATUS_PLACE = 18;

/**
 * Whether a sub-record ends where a display name begins. Names stand in it as callers wrote them, quotes and all: one that begins with a
 * comma closes the sub-record early, and every field behind it is another one than it seems.
 */
function isCutOff(subRecord: string): boolean {
  if (!subRecord.startsWith('SIP') || !OPEN_ENDS.has(subRecord.charCodeAt(subRecord.length - 1))) return false;
  let comma = -1;
  for (let commas = 0; commas < STATUS_PLACE; commas += 1) {
    comma = subRecord.indexOf(',', comma + 1);
    if (comma < 0) return true;
  }
  return false;
}

/** What stands before a display name. */
const OPEN_ENDS: ReadonlySet<number> = new Set(Buffer.from(',=;: \t'));
const CUT_OFF: readonly RowReading[] = rejectedRow(
  'bad-quoting',
  'a sub-record that ends early: a quote of a display name seems to close it',
  'Protocol Variant Specific Data',
);

/** The Call-ID: the second part of a sub-record of protocol SIP. */
function callIdOf(subRecord: string): string | undefined {
  if (!subRecord.startsWith('SIP')) return undefined;
  const from = subRecord.indexOf(',') + 1;
  if (from === 0) return undefined;
  const to = subRecord.indexOf(',', from);
  return subRecord.slice(from, to < 0 ? subRecord.length : to).trim();
}

/** Words for a cause are shorter. */
const MAX_REASON_CHARS = 64;

/** @param refusals - sub-records in which the SIP status stands of a call that nobody answered */
function releaseOf(cell: Cell<Column>, refusals: readonly string[]): MadeRelease {
  const release: MadeRelease = {};
  for (const subRecord of refusals) {
    const status = subRecord.startsWith('SIP') ? (subRecord.split(',', STATUS_PLACE + 1)[STATUS_PLACE] ?? '') : '';
    if (!/^\s*[3-6]\d\d\s*$/.test(status)) continue;
    release.sipStatus = Number(status);
    break;
  }
  addReleaseCause(release, cell('reason'), MAX_REASON_CHARS);
  const party = INITIATORS.get(cell('initiator'));
  if (party !== undefined) release.party = party;
  return release;
}

/** Disconnect Initiator; the last two say that it was before the call was set up. */
const INITIATORS: ReadonlyMap<string, 'calling' | 'called' | 'network'> = new Map([
  ['0', 'network'],
  ['1', 'calling'],
  ['2', 'called'],
  ['3', 'network'],
  ['4', 'calling'],
]);
