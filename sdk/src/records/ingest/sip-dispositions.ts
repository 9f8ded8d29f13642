import type { Disposition } from '../../core/call-record.js';

/**
 * What a final SIP status says about how a call went. 607 and 608 are the two by which the called side says that the call is not
 * wanted: a person, or an analytics engine.
 * @param status - 100 to 699
 * @returns how it went; `failed` for what says nothing else. Never throws
 * @see RFC 3261 section 21, RFC 8197, RFC 8688
 * @example
 * ```ts
 * console.log(dispositionOfStatus(486), dispositionOfStatus(607)); // busy blocked
 * ```
 */
export function dispositionOfStatus(status: number): Disposition {
  if (status >= 200 && status < 300) return 'answered';
  return DISPOSITIONS.get(status) ?? (status >= 600 ? 'rejected' : 'failed');
}

const DISPOSITIONS: ReadonlyMap<number, Disposition> = new Map<number, Disposition>([
  [486, 'busy'],
  [600, 'busy'],
  [408, 'no-answer'],
  [480, 'no-answer'],
  [487, 'cancelled'],
  [401, 'rejected'],
  [402, 'rejected'],
  [403, 'rejected'],
  [407, 'rejected'],
  [433, 'rejected'],
  [436, 'rejected'],
  [437, 'rejected'],
  [438, 'rejected'],
  [603, 'rejected'],
  [607, 'blocked'],
  [608, 'blocked'],
]);

/**
 * Who blocked a call, as its final SIP status says.
 * @param status - 100 to 699
 * @returns undefined where the status says nothing of it; never throws
 * @see RFC 8197, RFC 8688
 * @example
 * ```ts
 * console.log(blockedByStatus(607)); // called party (607 Unwanted)
 * ```
 */
export function blockedByStatus(status: number | undefined): string | undefined {
  if (status === 607) return 'called party (607 Unwanted)';
  return status === 608 ? 'analytics engine (608 Rejected)' : undefined;
}
