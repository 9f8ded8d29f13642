import { HopbackError } from '../../errors.js';
import { MAX_HELD_RECORDS } from './record-store.js';
import type { HoldAuditEntry, HoldOrder, LegalHold } from './record-store.js';

/** What a hold of too many records is refused with. */
export function tooManyToHold(): HopbackError {
  return new HopbackError('invalid-argument', `a hold covers at most ${MAX_HELD_RECORDS} records: narrow its query`);
}

/** An entry of the audit, with who did it where that is known. */
export function auditEntry(entry: HoldAuditEntry, by: string | undefined): HoldAuditEntry {
  return by === undefined ? entry : Object.assign({}, entry, { by });
}

/**
 * The hold that an order makes, and its entry in the audit.
 * @param facts - `place` of the entry in the audit, from 1, which names the hold: the audit is never cut, so that no name comes twice
 */
export function placedHold(
  { query, reason, untilUs, by }: HoldOrder,
  { place, placedAtUs, count }: { readonly place: number; readonly placedAtUs: number; readonly count: number },
): { readonly hold: LegalHold; readonly entry: HoldAuditEntry } {
  const holdId = `hold-${place}`;
  const placed = { holdId, reason, query, placedAtUs, count };
  const entry = auditEntry({ action: 'held', holdId, atUs: placedAtUs, reason, count }, by);
  return { hold: untilUs === undefined ? placed : Object.assign(placed, { untilUs }), entry };
}

/** Entries for the holds whose time is over. */
export function endedEntries(holds: readonly LegalHold[], nowUs: number): readonly HoldAuditEntry[] {
  return holds
    .filter(({ untilUs }) => untilUs !== undefined && untilUs < nowUs)
    .map(({ holdId, count }) => ({ action: 'ended', holdId, atUs: nowUs, reason: 'its time is over', count }));
}
