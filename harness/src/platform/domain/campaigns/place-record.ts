import type { LiveRecord } from '../../core/index.js';
import type { CallNote, PlacedCall } from './call-note.js';
import { mergeCalls } from './count-evidence.js';
import type { Counting } from './count-evidence.js';
import {
  addRecord,
  callsOfRecord,
  createPlacedCall,
  mayBeOne,
  rememberRecord,
  reportsOfRecord,
} from './placed-call.js';
import type { WaitingReport } from './placed-call.js';

/**
 * Makes a record evidence of the call that it is of, which may be known already by other records or by reports. Never throws.
 * @returns reports that had waited for it
 */
export function placeRecord(counting: Counting, note: CallNote, live: LiveRecord): readonly WaitingReport[] {
  const { calls } = counting;
  let call: PlacedCall | undefined;
  for (const other of callsOfRecord(calls, note, live)) {
    if (call === undefined) call = other;
    else if (mayBeOne(call, other)) call = mergeCalls(counting, call, other);
  }
  const met = reportsOfRecord(calls, note, call ?? createPlacedCall(note.atMs));
  for (const { reported } of met) {
    if (call === undefined) call = reported.placed;
    else if (reported.placed !== call) call = mergeCalls(counting, call, reported.placed);
  }
  call ??= createPlacedCall(note.atMs);
  addRecord(call, note);
  rememberRecord(calls, note, call, live);
  return met;
}
