import type { CallNote } from './call-note.js';
import type { CampaignPolicy } from './campaign-policy.js';
import type { JoinTable } from './join-table.js';

/** How far two switches may be apart in how long a call took: answers and ends pass through several of them. */
const DURATION_SECONDS = 2;

/**
 * Brings a call together with the records that other carriers on its way made of it: the same calling number as it is shown, the same exchange
 * called, begun within seconds, and the same end. What carriers call each other, and Call-IDs, which every border changes, are no part of it.
 * Never throws.
 * @param note - of a new record
 * @param calls - of the records before it
 */
export function meetSameCall(note: CallNote, calls: JoinTable<CallNote>, { sameCallSeconds }: CampaignPolicy): void {
  const found = calls.near(note.callingKey, note.calledNpaNxx, {
    atMs: note.atMs,
    withinMs: sameCallSeconds * 1_000,
    fits: (other) => isSameCall(note, other),
  });
  if (found === undefined) return;
  found.sameCall ??= [found];
  found.sameCall.push(note);
  note.sameCall = found.sameCall;
}

function isSameCall(note: CallNote, other: CallNote): boolean {
  // One carrier records a call once: what it records twice are two calls.
  if (other.reporterId === note.reporterId) return false;
  if (other.sameCall?.some(({ reporterId }) => reporterId === note.reporterId) === true) return false;
  if (note.isCalledShown && other.isCalledShown && note.calledKey !== other.calledKey) return false;
  if (note.signer !== undefined && other.signer !== undefined && note.signer !== other.signer) return false;
  if (note.durationSeconds === undefined || other.durationSeconds === undefined) {
    return note.outcome === other.outcome || note.outcome === 'unknown' || other.outcome === 'unknown';
  }
  return Math.abs(note.durationSeconds - other.durationSeconds) <= DURATION_SECONDS;
}

/** Records that others made of the same call before. Never throws. */
export const otherRecords = (note: CallNote): readonly CallNote[] =>
  note.sameCall === undefined ? [] : note.sameCall.filter((other) => other !== note);
