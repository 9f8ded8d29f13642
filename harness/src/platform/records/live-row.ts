import { hash } from 'node:crypto';
import type { CallRecord, SharedRecord } from '@hopback/sdk/records';
import type { LiveRecord } from '../core/index.js';
import { calledKeys, callingKey } from '../domain/records/index.js';

/**
 * A live record as the record store keeps it: the shared record whole, and around it a call record that holds nothing but what it is looked
 * up by. The store says a text that a record has twice in one octet, so that the keys cost next to nothing.
 *
 * - `recordId` is made of provider and record id: no carrier can be in the way of another's records
 * - `ingress.trunk` is the provider, `egress.trunk` the same for all rows, by which a stretch of time is read
 * - `called` and `calling` are numbers, or pseudonyms where the carrier shows no more
 */
export interface LiveRow extends CallRecord {
  readonly live: { readonly receivedAtMs: number; readonly record: SharedRecord };
}

/** The trunk that every row has. */
export const EVERY_ROW = 'live';

/** The row's own times say nothing: those of the call are in the shared record. */
const ROW_TIME: CallRecord['time'] = { written: 'observed', resolutionUs: 1 };

/**
 * Under which id a provider's record is kept. Never throws.
 * @returns 32 lower-case hexadecimal digits of SHA-256
 */
export function rowIdOf(providerId: string, recordId: string): string {
  // The record id has a fixed length: no two pairs make the same text.
  return hash('sha256', `${recordId}${providerId}`, 'hex').slice(0, 32);
}

/** Makes the row of a record. Never throws. */
export function liveRow(providerId: string, record: SharedRecord, receivedAtMs: number): LiveRow {
  const { called } = record;
  const calling = callingKey(record.calling);
  const asserted = callingKey(record.asserted);
  const [first] = calledKeys(called);
  const row: Written<LiveRow> = {
    format: 'hopback.call-record.1',
    recordId: rowIdOf(providerId, record.recordId),
    source: { id: providerId, format: 'hopback', readerVersion: 1, sha256: '' },
    legId: '',
    callGroupId: '',
    inviteAtUs: record.inviteAtUs,
    time: ROW_TIME,
    ingress: { trunk: providerId },
    egress: { trunk: EVERY_ROW },
    disposition: 'answered',
    live: { receivedAtMs, record },
  };
  // One after the other: to spread what may not be there takes longer than all the rest.
  if (calling !== undefined) row.calling = { asWritten: '', tn: calling };
  if (asserted !== undefined) row.asserted = { asWritten: '', tn: asserted };
  if (first !== undefined) row.called = calledOf(called, first);
  return row;
}

type Written<Value> = { -readonly [Key in keyof Value]: Value[Key] };

function calledOf(called: SharedRecord['called'], tn: string): NonNullable<CallRecord['called']> {
  const keys: Written<NonNullable<CallRecord['called']>> = { asWritten: '', tn };
  if (called?.shown !== 'whole') return keys;
  if (called.translatedTn !== undefined) keys.translatedTn = called.translatedTn;
  if (called.lrn !== undefined) keys.lrn = called.lrn;
  return keys;
}

/**
 * Reads a row of the store.
 * @returns undefined for what no {@link liveRow} is: a store that somebody else has written to
 */
export function liveRecordOf(row: CallRecord): LiveRecord | undefined {
  const { live, ingress } = row as Partial<LiveRow>;
  if (live === undefined || ingress?.trunk === undefined) return undefined;
  return { providerId: ingress.trunk, record: live.record, receivedAtMs: live.receivedAtMs };
}
