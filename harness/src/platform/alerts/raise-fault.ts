import type { DomainEventData, PlatformTransaction } from '../core/index.js';
import type { AlertParts } from './evaluate.js';
import { raiseAlert } from './raise-alert.js';

/**
 * Tells staff, and the organization that waits for it, what the platform could not do. Nobody can subscribe out of these alerts. The same fault of the
 * same subject is told once; it is announced again once a day while it lasts, so that an alert that was deferred comes after all.
 */
export async function raiseFault(
  { context, organizations }: Pick<AlertParts, 'context' | 'organizations'>,
  transaction: PlatformTransaction,
  { subject, fault, title, summary, organizationId }: DomainEventData['platform.fault'],
): Promise<void> {
  const staff = await organizations.staff(transaction);
  const told = new Set([...staff, ...(organizationId === undefined ? [] : [organizationId])]);
  for (const one of told)
    await raiseAlert(context, transaction, {
      ...{ organizationId: one, subject, reason: `platform-fault:${fault}` },
      alert: {
        ...{ kind: 'platform-fault', severity: 'urgent', title, summary },
        ...{ tracebackIds: [], providers: [], figures: [] },
      },
    });
}
