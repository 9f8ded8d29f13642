import { tracebackDeadline } from '../deadline/index.js';
import type { RespondingOffice } from '../deadline/index.js';
import type { DeadlineOf } from './ports.js';

/**
 * The deadline of requests to one office, for {@link createTracebackResponder}: the 24 hours of the rule as {@link tracebackDeadline} counts
 * them, or what the requester asks for where that is earlier.
 * @param office - whose local time counts, and how the rule is read
 * @returns computes deadlines; where the rule gives none, such as for an office that never opens, 24 hours from the receipt; never throws
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const deadlineOf = officeDeadline({ zone: 'America/New_York' });
 * const request: TracebackRequest = {
 *   format: 'hopback.traceback-request.1', requestId: 'r-1', tracebackId: 't-1', direction: 'back', hop: 1,
 *   requester: { kind: 'itg', name: 'Industry Traceback Group' }, issuedAt: '2026-11-20T20:00:00Z', provider: { name: 'Example LLC' },
 *   call: { called: '+12025550101', at: { asWritten: '9:41 AM', local: '2026-11-02T09:41', zone: 'UTC', precision: 'minute' } },
 * };
 * console.log(new Date(deadlineOf(request, Date.UTC(2026, 10, 20, 20)).dueAtMs).toISOString()); // 2026-11-23T20:00:00.000Z
 * ```
 */
export function officeDeadline(office: RespondingOffice): DeadlineOf {
  return (request, receivedAtMs) => {
    const computed = tracebackDeadline(Math.round(receivedAtMs), office);
    const [deemedReceivedAtMs, ruleMs] =
      computed.status === 'deadline'
        ? [computed.deemedReceivedAt.atMs, computed.dueAt.atMs]
        : [receivedAtMs, receivedAtMs + DAY_MS];
    const askedMs = request.dueAt === undefined ? Number.NaN : Date.parse(request.dueAt);
    // A time before the receipt is a mistake, not a deadline.
    const isAsked = askedMs > receivedAtMs;
    return { deemedReceivedAtMs, dueAtMs: isAsked ? Math.min(ruleMs, askedMs) : ruleMs };
  };
}

const DAY_MS = 86_400_000;
