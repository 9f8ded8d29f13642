import type { Release } from '../../core/call-record.js';
import { ROUNDING_US, startNotAfter } from './call-order.js';
import { rowText } from './csv-fields.js';
import { legReading, legSource, rejectedRow, skippedRow } from './leg.js';
import type { LegSource } from './leg.js';
import { dispositionOfQ850 } from './q850-dispositions.js';
import type { RecordReader, RowReading, SourceDescription, SourceRow } from './record-reader.js';
import { ATTEMPT_COLUMNS, isRibbonHeader, ribbonScanner, STOP_COLUMNS } from './ribbon-fields.js';
import type { RibbonColumns, RibbonFields, RibbonScanner } from './ribbon-fields.js';
import { instantNearest, instantNotBefore } from './row-time.js';
import type { RowClock, RowInstant, RowTimeFault, RowTimeReading } from './row-time.js';

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
  return {
    framing: 'lines',
    read: (row) => readAct(row, parts),
    expire: () => [],
    waiting: () => 0,
  };
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
  const fields = parts.scan(text, columns);
  if (fields.status === 'rejected') return [fields];
  const accountingId = fields.text(2);
  if (accountingId === '') return rejectedRow('missing-field', 'a row without the id of its call', 'Accounting ID');
  const variants = { ingress: fields.text(columns.ingressVariant), egress: fields.text(columns.egressVariant) };
  if (isCutOff(variants.ingress) || isCutOff(variants.egress)) return CUT_OFF;
  const times = timesOf(fields, columns, source);
  if ('fault' in times) return rejectedRow(times.fault.reason, times.fault.detail, times.field);
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

interface ActTimes {
  readonly start: RowInstant;
  readonly answeredAtUs: number | undefined;
  readonly endedAtUs: number | undefined;
}

interface ActTimeFault {
  readonly fault: RowTimeFault;
  readonly field: string;
}

const HUNDREDTH_US = 10_000;
/** Thirty days: the SBC ends calls long before. */
const MAX_DURATION_US = 30 * 86_400_000_000;

function timesOf(fields: RibbonFields, columns: RibbonColumns, { clock }: LegSource): ActTimes | ActTimeFault {
  const start = clock.read(`${fields.text(5)} ${fields.text(6)}`, 'month-first');
  if (start.status === 'rejected') return { fault: start, field: 'Start Time' };
  const end = endOf(fields, columns, { start, clock });
  if (end?.status === 'rejected') return { fault: end, field: 'Disconnect Time' };
  if (columns !== STOP_COLUMNS) {
    const begun = startNotAfter(start, [end]);
    const endedAtUs = end === undefined ? undefined : instantNotBefore(end, begun.atUs);
    return { start: begun, answeredAtUs: undefined, endedAtUs };
  }
  const duration = fields.text(columns.duration);
  const durationUs = /^\d{1,9}$/.test(duration) ? Number(duration) * HUNDREDTH_US : Number.NaN;
  if (!(durationUs <= MAX_DURATION_US)) return { fault: BAD_DURATION, field: 'Call Service Duration' };
  if (end === undefined) return { start, answeredAtUs: undefined, endedAtUs: undefined };
  // Whichever of the two is certain puts the other where the duration says.
  const begun = start.otherUs === undefined ? start : startBefore(start, end, durationUs);
  const endedAtUs = instantNearest(end, begun.atUs + durationUs);
  if (endedAtUs - durationUs < begun.atUs - ROUNDING_US) {
    return { fault: LONGER_THAN_CALL, field: 'Call Service Duration' };
  }
  return { start: begun, answeredAtUs: Math.max(begun.atUs, endedAtUs - durationUs), endedAtUs };
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

const LONGER_THAN_CALL: RowTimeFault = {
  status: 'rejected',
  reason: 'bad-time',
  detail: 'a call that lasted longer than from its start to its end',
};

const BAD_DURATION: RowTimeFault = {
  status: 'rejected',
  reason: 'bad-time',
  detail: 'the duration is no number of hundredths of a second',
};

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
  const release: { q850Cause?: number; cause?: string; party?: 'calling' | 'called' | 'network'; sipStatus?: number } =
    {};
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
