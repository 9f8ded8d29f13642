import type { CallRecord } from '../../core/call-record.js';
import type { CoverageInterval } from '../../core/call-record.js';
import { HopbackError } from '../../errors.js';
import { RECORD_ID_DIGITS } from '../record-id.js';
import { DEFAULT_QUERY_LIMIT, MAX_QUERY_LIMIT } from './record-store.js';
import type { FoundRecords, HoldOrder, RecordQuery, TimeWindow } from './record-store.js';

/** Microseconds of a day of UTC, which knows no leap seconds here. */
export const DAY_US = 86_400_000_000;

/**
 * How far the two instants of a local time that comes twice may be apart, microseconds: clocks are put back by an hour, in few places by
 * half of one or by two.
 */
export const OTHER_INSTANT_US = 7_200_000_000;

/** What a query may name; one of them has to be there. */
const KEYS = ['calledTn', 'callingTn', 'callId', 'origId', 'callGroupId', 'trunk', 'recordId'] as const;

/**
 * Refuses a query that names nothing, a window that is none, and a limit out of bounds.
 * @returns records at most
 * @throws HopbackError `invalid-argument`
 * @example
 * ```ts
 * console.log(checkedLimit({ window: { fromUs: 0, toUs: 1 }, trunk: 'east-1' })); // 1000
 * ```
 */
export function checkedLimit(query: RecordQuery): number {
  checkWindow(query.window);
  if (KEYS.every((key) => query[key] === undefined))
    throw new HopbackError('invalid-argument', `a query names at least one of ${KEYS.join(', ')}`);
  const { limit = DEFAULT_QUERY_LIMIT } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_QUERY_LIMIT)
    throw new HopbackError('invalid-argument', `limit is a whole number from 1 to ${MAX_QUERY_LIMIT}, not ${limit}`);
  return limit;
}

/**
 * Refuses a window that ends before it begins, or whose ends are no numbers.
 * @throws HopbackError `invalid-argument`
 */
export function checkWindow({ fromUs, toUs }: TimeWindow): void {
  if (!(fromUs <= toUs)) throw new HopbackError('invalid-argument', 'a window begins before it ends');
}

/**
 * Refuses an interval of coverage that names no source or is no stretch of whole microseconds.
 * @throws HopbackError `invalid-argument`
 */
export function checkInterval({ sourceId, fromUs, toUs }: CoverageInterval): void {
  if (sourceId === '') throw new HopbackError('invalid-argument', 'an interval of coverage names its source');
  if (!Number.isSafeInteger(fromUs) || !Number.isSafeInteger(toUs) || fromUs > toUs)
    throw new HopbackError('invalid-argument', 'an interval of coverage begins before it ends, in whole microseconds');
}

/**
 * Refuses an order without a reason, and queries as in {@link checkedLimit}.
 * @throws HopbackError `invalid-argument`
 */
export function checkHoldOrder({ query, reason, untilUs }: HoldOrder): void {
  checkedLimit(query);
  if (reason.trim() === '') throw new HopbackError('invalid-argument', 'a hold is ordered for a reason');
  if (untilUs !== undefined && !Number.isSafeInteger(untilUs))
    throw new HopbackError('invalid-argument', 'untilUs is a time in whole microseconds');
}

/**
 * Refuses a record that cannot be told from others or has no place in time.
 * @throws HopbackError `invalid-argument`
 */
export function checkRecord({ recordId, inviteAtUs }: CallRecord): void {
  if (!isRecordId(recordId))
    throw new HopbackError('invalid-argument', `a recordId is ${RECORD_ID_DIGITS} lower-case hexadecimal digits`);
  if (!Number.isSafeInteger(inviteAtUs) || inviteAtUs < 0)
    throw new HopbackError('invalid-argument', 'inviteAtUs is a time in whole microseconds since 1970');
}

/** Whether a text is spelled as a record id. Never throws. */
export function isRecordId(text: string): boolean {
  if (text.length !== RECORD_ID_DIGITS) return false;
  for (let at = 0; at < RECORD_ID_DIGITS; at += 1) {
    const code = text.charCodeAt(at);
    if (!((code >= 48 && code <= 57) || (code >= 97 && code <= 102))) return false;
  }
  return true;
}

/**
 * Whether a record is what a query looks for: all that the query names has to match, each in any of the places it may stand in.
 * Never throws.
 * @param record - with numbers in canonical form
 * @param query - its window in microseconds since the epoch, both ends included; `limit` is not looked at
 * @returns true when all that is named matches
 * @see {@link RecordQuery} for where each key is looked for
 * @example
 * ```ts
 * const record = {
 *   format: 'hopback.call-record.1',
 *   recordId: 'd546c842a20f26164092a1e15ac8fa4e',
 *   source: { id: 'sbc-1', format: 'ribbon-act', readerVersion: 1, sha256: '0'.repeat(64) },
 *   legId: 'a84b4c76',
 *   callGroupId: 'a84b4c76',
 *   inviteAtUs: 1_700_000_000_000_000,
 *   time: { written: 'utc', resolutionUs: 100_000 },
 *   called: { asWritten: '8005550199', tn: '18005550199', translatedTn: '12155550112' },
 *   ingress: { trunk: 'east-1' },
 *   egress: {},
 *   disposition: 'answered',
 * } as const;
 * const window = { fromUs: 1_699_999_999_000_000, toUs: 1_700_000_001_000_000 };
 * console.log(matchesQuery(record, { window, calledTn: '12155550112' })); // true
 * ```
 */
export function matchesQuery(record: CallRecord, query: RecordQuery): boolean {
  const { window, calledTn, callingTn, callId, origId, callGroupId, trunk, recordId } = query;
  const { otherInviteAtUs } = record.time;
  if (!isWithin(record.inviteAtUs, window) && !(otherInviteAtUs !== undefined && isWithin(otherInviteAtUs, window)))
    return false;
  if (recordId !== undefined && record.recordId !== recordId) return false;
  if (calledTn !== undefined && !isCalled(record, calledTn)) return false;
  if (callingTn !== undefined && record.calling?.tn !== callingTn && record.asserted?.tn !== callingTn) return false;
  if (callId !== undefined && record.ingress.callId !== callId && record.egress.callId !== callId) return false;
  if (origId !== undefined && record.received?.origId !== origId && record.signed?.origId !== origId) return false;
  if (callGroupId !== undefined && record.callGroupId !== callGroupId) return false;
  return trunk === undefined || record.ingress.trunk === trunk || record.egress.trunk === trunk;
}

function isWithin(us: number, { fromUs, toUs }: TimeWindow): boolean {
  return us >= fromUs && us <= toUs;
}

function isCalled({ called }: CallRecord, tn: string): boolean {
  return called !== undefined && (called.tn === tn || called.translatedTn === tn || called.lrn === tn);
}

/** The order in which records are found: by time, then id. For `sort`. */
export function byTime(one: CallRecord, other: CallRecord): number {
  return one.inviteAtUs - other.inviteAtUs || (one.recordId < other.recordId ? -1 : 1);
}

/**
 * What was found in two places, each record once. Never throws.
 * @param limit - records at most
 */
export function mergedRecords(
  found: readonly CallRecord[],
  others: readonly CallRecord[],
  limit: number,
): FoundRecords {
  const byId = new Map<string, CallRecord>();
  for (const record of others) byId.set(record.recordId, record);
  // What is live wins: it is the same record, and the more usual place.
  for (const record of found) byId.set(record.recordId, record);
  const records = [...byId.values()].sort(byTime);
  return { records: records.slice(0, limit), isCut: records.length > limit };
}
