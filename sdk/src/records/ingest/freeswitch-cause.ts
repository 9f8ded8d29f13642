import type { Disposition } from '../../core/call-record.js';

/**
 * Codes of the causes that FreeSWITCH writes by name, where they are those of Q.850; its own, from 487 on, are none.
 * @see ITU-T Q.850 table 1
 */
const Q850_CAUSES: ReadonlyMap<string, number> = new Map([
  ['UNALLOCATED_NUMBER', 1],
  ['NO_ROUTE_TRANSIT_NET', 2],
  ['NO_ROUTE_DESTINATION', 3],
  ['CHANNEL_UNACCEPTABLE', 6],
  ['NORMAL_CLEARING', 16],
  ['USER_BUSY', 17],
  ['NO_USER_RESPONSE', 18],
  ['NO_ANSWER', 19],
  ['SUBSCRIBER_ABSENT', 20],
  ['CALL_REJECTED', 21],
  ['NUMBER_CHANGED', 22],
  ['DESTINATION_OUT_OF_ORDER', 27],
  ['INVALID_NUMBER_FORMAT', 28],
  ['FACILITY_REJECTED', 29],
  ['NORMAL_UNSPECIFIED', 31],
  ['NORMAL_CIRCUIT_CONGESTION', 34],
  ['NETWORK_OUT_OF_ORDER', 38],
  ['NORMAL_TEMPORARY_FAILURE', 41],
  ['SWITCH_CONGESTION', 42],
  ['REQUESTED_CHAN_UNAVAIL', 44],
  ['OUTGOING_CALL_BARRED', 52],
  ['INCOMING_CALL_BARRED', 54],
  ['BEARERCAPABILITY_NOTAVAIL', 58],
  ['INCOMPATIBLE_DESTINATION', 88],
  ['RECOVERY_ON_TIMER_EXPIRE', 102],
  ['PROTOCOL_ERROR', 111],
  ['INTERWORKING', 127],
]);

/** How calls went that nobody answered, by cause; what is not here has failed. */
const UNANSWERED: ReadonlyMap<string, Disposition> = new Map([
  ['NORMAL_CLEARING', 'no-answer'],
  ['NO_USER_RESPONSE', 'no-answer'],
  ['NO_ANSWER', 'no-answer'],
  ['ALLOTTED_TIMEOUT', 'no-answer'],
  ['PROGRESS_TIMEOUT', 'no-answer'],
  ['USER_BUSY', 'busy'],
  ['ORIGINATOR_CANCEL', 'cancelled'],
  ['LOSE_RACE', 'cancelled'],
  ['PICKED_OFF', 'cancelled'],
  ['CALL_REJECTED', 'rejected'],
  ['USER_CHALLENGE', 'rejected'],
  ['OUTGOING_CALL_BARRED', 'blocked'],
  ['INCOMING_CALL_BARRED', 'blocked'],
]);

/** How a leg went, by FreeSWITCH's word for its end. Never throws. */
export function freeswitchDisposition(cause: string, isAnswered: boolean): Disposition {
  return isAnswered ? 'answered' : (UNANSWERED.get(cause) ?? 'failed');
}

/** The Q.850 code of FreeSWITCH's word; undefined where it has none. Never throws. */
export function freeswitchQ850Cause(cause: string): number | undefined {
  return Q850_CAUSES.get(cause);
}
