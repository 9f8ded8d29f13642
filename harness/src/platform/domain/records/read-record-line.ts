import { readWireBody, WIRE_SCHEMAS } from '@hopback/sdk/platform';
import type { SharedRecord } from '@hopback/sdk/platform';
import { isUsualRecord } from './usual-record.js';

/**
 * How far a call may lie ahead of the platform's clock, milliseconds: clocks of switches are set by NTP and wrong by seconds, those that are
 * set by hand by minutes. A record of next week would be found by nobody who looks for last week's calls.
 */
export const MAX_AHEAD_MS: number = 10 * 60_000;

/** Why a record is not taken, as a word of the answer. */
export type RecordRejectionCode =
  /** Not in the form of the contract; the place is told. */
  | 'invalid-record'
  /** A form of another version, or something else than a shared record. */
  | 'unknown-format'
  /** Of a time that the platform keeps no records of any more. */
  | 'too-old'
  /** Later than {@link MAX_AHEAD_MS} from now. */
  | 'in-the-future';

/** What was made of a line. */
export type RecordLineReading =
  | { readonly status: 'read'; readonly record: SharedRecord }
  | {
      readonly status: 'rejected';
      readonly recordId: string;
      readonly code: RecordRejectionCode;
      /** JSON Pointer (RFC 6901) to what is wrong. */
      readonly place?: string;
    }
  /** Nobody could be told which record is meant: no JSON, or without an id. */
  | { readonly status: 'unreadable' };

/** Between which times a call may have begun, microseconds since the epoch, both included. */
export interface TakenTimes {
  readonly fromUs: number;
  readonly toUs: number;
}

/**
 * Reads a line of a batch: a shared record in the form of the contract, of a time that is kept. Members that the contract does not know are
 * left out, so that a carrier may have a later release than the platform. Never throws for peer input.
 * @param line - text of one line, bounded by the batch
 * @param times - which calls are taken
 * @returns the record, or why it is none
 * @see RFC 8259
 */
export function readRecordLine(line: string, times: TakenTimes): RecordLineReading {
  let given: unknown;
  try {
    given = JSON.parse(line);
  } catch {
    return { status: 'unreadable' };
  }
  if (isUsualRecord(given)) return inTime(given as SharedRecord, times);
  if (typeof given !== 'object' || given === null || !('recordId' in given)) return { status: 'unreadable' };
  const { recordId } = given;
  if (typeof recordId !== 'string' || !RECORD_ID.test(recordId)) return { status: 'unreadable' };
  if (!('format' in given) || given.format !== 'hopback.shared-record.1')
    return { status: 'rejected', recordId, code: 'unknown-format', place: '/format' };
  const { value, errors } = readWireBody(WIRE_SCHEMAS.SharedRecord, given);
  const [wrong] = errors;
  if (wrong !== undefined)
    return { status: 'rejected', recordId, code: 'invalid-record', place: placeOf(wrong.pointer) };
  return inTime(value as SharedRecord, times);
}

const RECORD_ID = /^[0-9a-f]{32}$/;

/** Longest place that is told: those of the contract are shorter. */
const MAX_PLACE_CHARS = 200;

/** A place is made of names of the schema alone, which hold no number. */
function placeOf(pointer: string): string {
  return pointer.slice(0, MAX_PLACE_CHARS);
}

function inTime(record: SharedRecord, { fromUs, toUs }: TakenTimes): RecordLineReading {
  const { recordId, inviteAtUs } = record;
  if (inviteAtUs < fromUs) return { status: 'rejected', recordId, code: 'too-old', place: '/inviteAtUs' };
  if (inviteAtUs > toUs) return { status: 'rejected', recordId, code: 'in-the-future', place: '/inviteAtUs' };
  return { status: 'read', record };
}
