import type { DomainEventData, PlatformTransaction } from '../core/index.js';
import type { AlertParts } from './evaluate.js';

/** Tells staff, and the organization that waits for it, what the platform could not do. No subscription to alerts leaves it out. */
export async function tellFault(
  { context, organizations }: Pick<AlertParts, 'context' | 'organizations'>,
  transaction: PlatformTransaction,
  { organizationId, ...fault }: DomainEventData['platform.fault'],
): Promise<void> {
  const staff = await organizations.staff(transaction);
  const to = [...staff, ...(organizationId === undefined ? [] : [organizationId])];
  if (to.length === 0) return;
  await context.tell(transaction, { type: 'org.hopback.platform.fault.1', subject: fault.subject, data: fault, to });
}
