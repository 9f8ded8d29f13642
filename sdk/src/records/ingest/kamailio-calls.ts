import type { AccRow } from './kamailio-row.js';
import { passingMap } from '../../core/memo.js';
import type { PassingMap } from '../../core/memo.js';
import type { RowInstant } from './row-time.js';

/** A row, and when it says that something happened. */
export interface TimedRow {
  readonly row: AccRow;
  readonly at: RowInstant;
}

/** A dialog of which rows wait for the others. */
export interface WaitingDialog {
  readonly fromTag: string;
  readonly toTag: string;
  invite?: TimedRow;
  /** Of a call that came back to the proxy: its INVITE each time that it passed again, with the same tags. */
  crossings?: TimedRow[];
  bye?: TimedRow;
}

/** What waits under one Call-ID. */
export interface WaitingCall {
  readonly callId: string;
  readonly firstUs: number;
  readonly dialogs: WaitingDialog[];
  /** CDR rows that wait for their INVITE. */
  readonly cdrs: TimedRow[];
  cancel?: TimedRow;
}

/** Calls that wait, and what has been made of those that do not. */
export interface AccCalls {
  readonly waiting: PassingMap<WaitingCall>;
  /** When the rows that were used were written, by what makes them the same row. */
  readonly used: PassingMap<number>;
  /** Call-IDs of which there is a record, by the time of the last. */
  readonly recorded: PassingMap<number>;
}

/** Rows that are remembered, so that one that comes again is known: some hours of a busy proxy, at 200 bytes each. */
export const MAX_REMEMBERED_ROWS = 500_000;
/** Calls that wait: a hundred a second of an hour each. */
export const MAX_WAITING_CALLS = 360_000;
/** Rows that wait under one Call-ID. A call with more is no call, or somebody's Call-ID is always the same. */
export const MAX_ROWS_OF_CALL = 256;
/** Times that one call passes the proxy: Max-Forwards of 70 ends a loop. */
export const MAX_CROSSINGS = 70;

/** Begins with nothing. */
export function accCalls(): AccCalls {
  return { waiting: passingMap(), used: passingMap(), recorded: passingMap() };
}

/** Remembers that a row has been used; the oldest are forgotten where there are too many. */
export function remember(rows: PassingMap<number>, key: string, atUs: number): void {
  if (rows.size() >= MAX_REMEMBERED_ROWS) {
    const oldest = rows.oldest();
    if (oldest !== undefined) rows.delete(oldest[0]);
  }
  rows.set(key, atUs);
}

/** Forgets what was written before a time. */
export function forgetBefore(rows: PassingMap<number>, beforeUs: number): void {
  for (const [key, atUs] of rows.entries()) if (atUs < beforeUs) rows.delete(key);
}

/** What waits under a Call-ID, made where there is nothing yet. */
export function waitingCall({ waiting }: AccCalls, callId: string, atUs: number): WaitingCall {
  const known = waiting.get(callId);
  if (known !== undefined) return known;
  const call: WaitingCall = { callId, firstUs: atUs, dialogs: [], cdrs: [] };
  waiting.set(callId, call);
  return call;
}

/** The dialog of two tags, in either order; made where there is none yet. Undefined where the call has too many already. */
export function dialogOf(call: WaitingCall, fromTag: string, toTag: string): WaitingDialog | undefined {
  const known = call.dialogs.find(
    (one) => (one.fromTag === fromTag && one.toTag === toTag) || (one.fromTag === toTag && one.toTag === fromTag),
  );
  if (known !== undefined || call.dialogs.length >= MAX_ROWS_OF_CALL) return known;
  const dialog: WaitingDialog = { fromTag, toTag };
  call.dialogs.push(dialog);
  return dialog;
}

/** Takes a dialog out of what waits, and the call with its last part. */
export function endDialog({ waiting }: AccCalls, call: WaitingCall, dialog: WaitingDialog): void {
  call.dialogs.splice(call.dialogs.indexOf(dialog), 1);
  if (isEmpty(call)) waiting.delete(call.callId);
}

/** Whether nothing waits in a call any more. */
export function isEmpty({ dialogs, cdrs, cancel }: WaitingCall): boolean {
  return dialogs.length === 0 && cdrs.length === 0 && cancel === undefined;
}
