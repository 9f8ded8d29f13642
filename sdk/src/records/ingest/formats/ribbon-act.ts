import type { Release } from '../../../contract/call-record.js';
import { dispositionOfQ850, legReading, legSource, rejectedRow, rowReader, skippedRow } from './leg.js';
import type { LegSource } from './leg.js';
import { closingQuote, fault, MAX_CSV_ROW_CHARS, rowText } from '../record-reader.js';
import type { CsvFault, RecordReader, RowReading, SourceDescription, SourceRow } from '../record-reader.js';
import { instantNearest, instantNotBefore, rejectedTime, ROUNDING_US, startNotAfter } from './row-times.js';
import type { CallTimes, RejectedTime, RowClock, RowInstant, RowTimeReading } from './row-times.js';

/** Places of the fields that a record is made of, from 0; a quoted sub-record counts as one field. `duration` is -1 where the row has none. */
type RibbonColumns = Readonly<Record<keyof typeof STOP_COLUMNS, number>>;

/** @see Ribbon SBC Core documentation, "CDR Field Descriptions": record numbers there count from 1 */
const STOP_COLUMNS = {
  disconnectDate: 10,
  disconnectTime: 11,
  duration: 13,
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

/** An ATTEMPT has no duration, no counts of media, and the date of its end far behind the time of it. */
const ATTEMPT_COLUMNS: RibbonColumns = {
  disconnectDate: 104,
  disconnectTime: 9,
  duration: -1,
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

/** Fields of one row. A view that the next row of the same layout replaces. */
type RibbonFields = Extract<ReturnType<RibbonScanner>, { status: 'fields' }>;

/** The last field that is looked at, of either layout. */
const LAST_PLACE = 125;
const COMMA = 0x2c;
const QUOTE = 0x22;

/** Finds the fields of a row. Never throws. */
type RibbonScanner = ReturnType<typeof ribbonScanner>;

/**
 * Makes what finds the fields of STOP and ATTEMPT rows up to the last one that is used, which is less than half of a row: places
 * are noted, and a text is made only of those that are asked for.
 * @returns a function of a row without its line end, whose fields hold until it is called again
 */
function ribbonScanner() {
  // At an even place stands where a field begins, behind it where it ends. One for all rows: it is the most of what a row allocates.
  const places = new Uint16Array(2 * (LAST_PLACE + 1));
  let row = '';
  let count = 0;
  const fields = {
    status: 'fields' as const,
    count: () => count,
    /** The field at a place, without its quotes; empty where the row ends before. */
    text: (place: number): string => {
      if (place < 0 || place >= count) return '';
      const from = places[2 * place] ?? 0;
      const to = places[2 * place + 1] ?? 0;
      if (from === to) return '';
      const field = row.slice(from, to);
      return row.charCodeAt(to) === QUOTE && field.includes('""') ? field.replaceAll('""', '"') : field;
    },
  };
  return (text: string): typeof fields | CsvFault => {
    if (text.length >= MAX_CSV_ROW_CHARS) return TOO_LONG;
    if (text.includes('\0')) return NOT_TEXT;
    const found = scan(text, places);
    if (typeof found !== 'number') return found;
    row = text;
    count = found;
    return fields;
  };
}

/** Notes where fields begin and end, and tells how many there are. */
function scan(text: string, places: Uint16Array): number | CsvFault {
  const end = text.length;
  let slot = 0;
  for (let at = 0; at <= end && slot < places.length; at += 1) {
    if (text.charCodeAt(at) === QUOTE) {
      places[slot] = at + 1;
      const close = closingQuote(text, text.indexOf('"', at + 1));
      if (close < 0) return UNCLOSED;
      places[slot + 1] = close;
      at = close + 1;
      if (at < end && text.charCodeAt(at) !== COMMA) return TRAILING;
    } else {
      places[slot] = at;
      // A quote that begins no field would make one sub-record two, and move every field behind it.
      for (; at < end; at += 1) {
        const code = text.charCodeAt(at);
        if (code === COMMA) break;
        if (code === QUOTE) return STRAY;
      }
      places[slot + 1] = at;
    }
    slot += 2;
  }
  return slot / 2;
}

/**
 * Whether a row is the first of a file: it names the gateway and the kind of file, with or without a time of opening, in no layout of
 * fields that would hold for all releases.
 */
function isRibbonHeader(text: string, line: number): boolean {
  return line === 1 && !/^(?:START|STOP|ATTEMPT|INTERMEDIATE)\b/.test(text);
}

const TOO_LONG = fault('too-long', `a row of more than ${MAX_CSV_ROW_CHARS} characters`);
const NOT_TEXT = fault('not-text', 'a zero character');
const UNCLOSED = fault('bad-quoting', 'a sub-record that nothing closes');
const STRAY = fault('bad-quoting', 'a quote inside a field that does not begin with one');
const TRAILING = fault('bad-quoting', 'something between the end of a sub-record and the comma');

/** Goes up when the same row would make another record. */
const READER_VERSION = 1;

/**
 * Makes the reader of the `.ACT` files of Ribbon (Sonus) SBCs and GSX gateways: STOP rows are calls that were answered, ATTEMPT rows
 * calls and tries of routes that were not; START and INTERMEDIATE rows are passed over, since STOP repeats them. Times are
 * MM/DD/YYYY and HH:MM:SS.s in the zone that is declared: local with current releases, GMT with old ones. Durations are hundredths of
 * a second. All tries of a call share its Global Call ID, or where there is none its accounting id.
 *
 * Who calls is the number as it came in (Incoming Calling Number) where that is one, else the Calling Number; who is called the number that
 * was dialled, or that stood there before translation, and `translatedTn` the Called Number that it became.
 * @param description - name of the source, zone of its times, numbers and providers
 * @returns the reader; each STOP or ATTEMPT row is a leg, and none waits for another
 * @throws {@link HopbackError} `invalid-configuration` where the source has no name or no zone that exists; never for what a file holds
 * @see Ribbon SBC Core documentation, "CDR Field Descriptions"
 * @example
 * ```ts
 * const reader = createRibbonActReader({ id: 'sbc-2', format: 'ribbon-act', time: { zone: 'America/Chicago' } });
 * console.log(reader.framing, reader.waiting()); // lines 0
 * ```
 */
export function createRibbonActReader(description: SourceDescription): RecordReader {
  const parts = { source: legSource(description, READER_VERSION), scan: ribbonScanner() };
  return rowReader('lines', (row) => readAct(row, parts));
}

interface ReaderParts {
  readonly source: LegSource;
  readonly scan: RibbonScanner;
}

function readAct(row: SourceRow, parts: ReaderParts): readonly RowReading[] {
  const text = rowText(row);
  if (text.startsWith('STOP,')) return readLeg(row, text, STOP_COLUMNS, parts);
  if (text.startsWith('ATTEMPT,')) return readLeg(row, text, ATTEMPT_COLUMNS, parts);
  if (text.startsWith('START,') || text.startsWith('INTERMEDIATE,')) return skippedRow('interim');
  if (text === '') return skippedRow('not-a-call');
  if (text.includes('File administratively closed')) return skippedRow('end-of-file');
  if (isRibbonHeader(text, row.line)) return skippedRow('header');
  // Reboots, switchovers, software changes, recordings and events of the node.
  if (/^[A-Z][A-Z_]{1,31},/.test(text)) return skippedRow('not-a-call');
  return rejectedRow(
    'bad-field',
    'a row that is neither START, STOP, ATTEMPT, INTERMEDIATE nor any other record',
    'Record Type',
  );
}

function readLeg(row: SourceRow, text: string, columns: RibbonColumns, parts: ReaderParts): readonly RowReading[] {
  const { source } = parts;
  const fields = parts.scan(text);
  if (fields.status === 'rejected') return [fields];
  const count = fields.count();
  if (count <= columns.ingressTrunk) {
    return rejectedRow('too-few-fields', `${count} fields, which end before the trunk group`);
  }
  const accountingId = fields.text(2);
  if (accountingId === '') return rejectedRow('missing-field', 'a row without the id of its call', 'Accounting ID');
  const variants = { ingress: fields.text(columns.ingressVariant), egress: fields.text(columns.egressVariant) };
  if (isCutOff(variants.ingress) || isCutOff(variants.egress)) return CUT_OFF;
  const times = timesOf(fields, columns, source);
  if (times.status === 'rejected') return [times];
  const isAnswered = columns === STOP_COLUMNS;
  const release = releaseOf(fields, columns, isAnswered ? undefined : variants);
  const gateway = fields.text(1);
  const route = fields.text(columns.routeAttempt);
  const called = fields.text(columns.called);
  const incoming = fields.text(columns.incomingCalling);
  return legReading(row, source, {
    legId: `${gateway} ${accountingId} ${route}`,
    callGroupId: fields.text(columns.globalCallId) || `${gateway} ${accountingId}`,
    invite: times.start,
    answeredAtUs: times.answeredAtUs,
    endedAtUs: times.endedAtUs,
    calling: isDigits(incoming) ? incoming : fields.text(columns.calling),
    called: fields.text(columns.dialled) || fields.text(columns.beforeTranslation) || called,
    sentTo: called,
    ingress: {
      trunk: fields.text(columns.ingressTrunk),
      address: fields.text(columns.ingressRemote),
      callId: callIdOf(variants.ingress),
    },
    egress: {
      trunk: fields.text(columns.egressTrunk),
      address: fields.text(columns.egressRemote),
      callId: callIdOf(variants.egress),
    },
    disposition: isAnswered ? 'answered' : dispositionOfQ850(release.q850Cause),
    release,
  });
}

/** Whether a field is a number of some length: an incoming number may be absent or withheld. */
function isDigits(text: string): boolean {
  return text.length >= 7 && /^\+?\d{7,20}$/.test(text);
}

const HUNDREDTH_US = 10_000;
/** Thirty days: the SBC ends calls long before. */
const MAX_DURATION_US = 30 * 86_400_000_000;

function timesOf(fields: RibbonFields, columns: RibbonColumns, { clock }: LegSource): CallTimes | RejectedTime {
  const start = clock.read(`${fields.text(5)} ${fields.text(6)}`, 'month-first');
  if (start.status === 'rejected') return rejectedTime(start, 'Start Time');
  const end = endOf(fields, columns, { start, clock });
  if (end?.status === 'rejected') return rejectedTime(end, 'Disconnect Time');
  if (columns !== STOP_COLUMNS) {
    const begun = startNotAfter(start, [end]);
    const endedAtUs = end === undefined ? undefined : instantNotBefore(end, begun.atUs);
    return { status: 'times', start: begun, answeredAtUs: undefined, endedAtUs };
  }
  const duration = fields.text(columns.duration);
  const durationUs = /^\d{1,9}$/.test(duration) ? Number(duration) * HUNDREDTH_US : Number.NaN;
  if (!(durationUs <= MAX_DURATION_US)) return BAD_DURATION;
  if (end === undefined) return { status: 'times', start, answeredAtUs: undefined, endedAtUs: undefined };
  // Whichever of the two is certain puts the other where the duration says.
  const begun = start.otherUs === undefined ? start : startBefore(start, end, durationUs);
  const endedAtUs = instantNearest(end, begun.atUs + durationUs);
  if (endedAtUs - durationUs < begun.atUs - ROUNDING_US) return LONGER_THAN_CALL;
  return { status: 'times', start: begun, answeredAtUs: Math.max(begun.atUs, endedAtUs - durationUs), endedAtUs };
}

/** Short ATTEMPT rows of old releases have no date of the disconnect, which stands far behind: it is that of the start, or the day after. */
function endOf(
  fields: RibbonFields,
  columns: RibbonColumns,
  { start, clock }: { readonly start: RowInstant; readonly clock: RowClock },
): RowTimeReading | undefined {
  const time = fields.text(columns.disconnectTime);
  if (time === '') return undefined;
  const date = fields.text(columns.disconnectDate);
  if (date !== '') return clock.read(`${date} ${time}`, 'month-first');
  const sameDay = clock.read(`${fields.text(5)} ${time}`, 'month-first');
  const earliestUs = Math.min(start.atUs, start.otherUs ?? start.atUs);
  const isBehind = sameDay.status === 'instant' && instantNotBefore(sameDay, earliestUs) >= earliestUs - ROUNDING_US;
  return isBehind ? sameDay : clock.read(`${dayAfter(fields.text(5))} ${time}`, 'month-first');
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
    : { status: 'instant', atUs: otherUs, otherUs: atUs, basis };
}

/** The sub-records that protocols leave, of both sides. */
interface Variants {
  readonly ingress: string;
  readonly egress: string;
}

/** Parts of a sub-record of protocol SIP up to its final status, which is the 19th. */
const STATUS_PLACE = 18;

/**
 * Whether a sub-record ends where a display name begins. Names stand in it as callers wrote them, quotes and all: one that begins with a
 * comma closes the sub-record early, and every field behind it is another one than it seems.
 */
function isCutOff(subRecord: string): boolean {
  if (!subRecord.startsWith('SIP') || !OPEN_ENDS.includes(subRecord.charAt(subRecord.length - 1))) return false;
  let comma = -1;
  for (let commas = 0; commas < STATUS_PLACE; commas += 1) {
    comma = subRecord.indexOf(',', comma + 1);
    if (comma < 0) return true;
  }
  return false;
}

/** What stands before a display name. */
const OPEN_ENDS = ',=;: \t';
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

/** The highest cause of Q.850; Ribbon counts on for causes of its own. */
const LAST_Q850_CAUSE = 127;

/** @param refusals - where the SIP status of a call stands that nobody answered */
function releaseOf(
  fields: RibbonFields,
  columns: RibbonColumns,
  refusals: Variants | undefined,
): Release & { q850Cause?: number } {
  const reason = fields.text(columns.reason);
  const cause = /^\d{1,3}$/.test(reason) ? Number(reason) : 0;
  const isQ850 = cause > 0 && cause <= LAST_Q850_CAUSE;
  const party = INITIATORS.get(fields.text(columns.initiator));
  const release: {
    q850Cause?: number;
    cause?: string;
    party?: 'calling' | 'called' | 'network';
    sipStatus?: number;
  } = {};
  const status = refusals === undefined ? undefined : sipStatusOf(refusals);
  if (status !== undefined) release.sipStatus = status;
  if (isQ850) release.q850Cause = cause;
  else if (reason !== '') release.cause = reason.slice(0, 64);
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

/** Final status of the outgoing side, else of the incoming one. */
function sipStatusOf({ egress, ingress }: Variants): number | undefined {
  for (const subRecord of [egress, ingress]) {
    if (!subRecord.startsWith('SIP')) continue;
    const status = subRecord.split(',', STATUS_PLACE + 1)[STATUS_PLACE]?.trim() ?? '';
    if (/^[3-6]\d\d$/.test(status)) return Number(status);
  }
  return undefined;
}
