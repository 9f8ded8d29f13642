import type { Disposition } from '../../core/call-record.js';

/**
 * What a Q.850 cause says of a call that nobody answered. Normal clearing of such a call is one that the caller gave up.
 * @param cause - 0 to 127; of a vendor's own causes above, `failed`
 * @see ITU-T Q.850 section 2.2.7
 */
export function dispositionOfQ850(cause: number | undefined): Disposition {
  return DISPOSITIONS.get(cause ?? -1) ?? 'failed';
}

const DISPOSITIONS: ReadonlyMap<number, Disposition> = new Map<number, Disposition>([
  [16, 'cancelled'],
  [17, 'busy'],
  [18, 'no-answer'],
  [19, 'no-answer'],
  [20, 'no-answer'],
  [21, 'rejected'],
  [55, 'rejected'],
  [57, 'rejected'],
  [87, 'rejected'],
]);
