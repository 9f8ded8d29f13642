import type { RowClock, RowTimeReading } from './row-time.js';

/**
 * Reads a local time beside which its offset from UTC is written, in a source whose zone is declared: the offset decides which of two
 * instants is meant in the hour that comes twice. Never throws.
 * @param written - `2026-11-01 01:30:00`
 * @param offset - `-05:00`
 * @returns the instant, or that the offset is none that the declared zone has at that time
 */
export function instantAt(written: string, offset: string, clock: RowClock): RowTimeReading {
  const exact = clock.read(`${written}${offset}`, 'iso-8601');
  const local = clock.read(written, 'date-time');
  if (exact.status === 'rejected') return exact;
  if (local.status === 'rejected') return local;
  // Without a zone of its own to hold against, what is written is all that there is.
  if (clock.zone === 'UTC') return exact;
  if (exact.atUs !== local.atUs && exact.atUs !== local.otherUs) return CONTRADICTS;
  return { status: 'instant', atUs: exact.atUs, basis: local.basis };
}

const CONTRADICTS: RowTimeReading = Object.freeze({
  status: 'rejected',
  reason: 'bad-time',
  detail: 'the offset written beside the time is none that the declared zone has then',
});
