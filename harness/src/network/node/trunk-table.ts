import type { TracebackPolicyData } from '@hopback/sdk/traceback';
import { DEFAULT_TRACEBACK_POLICY } from '@hopback/sdk/traceback';
import type { PlannedProvider } from '../plan/index.js';

/** Name of the trunk that calls of a provider come in by. */
export const trunkFrom = (id: string): string => `from-${id}`;
/** Name of the trunk that calls leave by to a provider. */
export const trunkTo = (id: string): string => `to-${id}`;
/** Name of the trunk of a customer who calls. */
export const trunkOfCaller = (id: string): string => `customer-${id}`;
/** Towards subscribers. */
export const SUBSCRIBERS = 'subscribers';

/** Name of the switch of a provider: part of every record id. */
export const SWITCH_ID = 'switch-1';

/** Who is at the other end of which trunk of a provider, as `readTrunkDirectory` reads it. */
export function trunkTable(own: PlannedProvider, providers: readonly PlannedProvider[]): unknown {
  const party = ({ name, providerId, country }: PlannedProvider): object =>
    country === 'US' ? { provider: { providerId, name } } : { foreignProvider: { name, country } };
  const neighbours = (ids: readonly string[], trunk: (id: string) => string): readonly object[] =>
    providers.filter(({ id }) => ids.includes(id)).map((one) => ({ trunk: trunk(one.id), ...party(one) }));
  return {
    directoryId: `${own.id}-trunks-1`,
    trunks: [
      ...neighbours(own.upstream, trunkFrom),
      ...neighbours(own.downstream, trunkTo),
      ...own.callers.map((id) => ({ trunk: trunkOfCaller(id), customer: { customerId: id } })),
      { trunk: SUBSCRIBERS, customer: {} },
    ],
  };
}

/**
 * What the providers of a network let be answered without a person: everything that their records show. Their switches write a call down within the
 * minute, and callers dial by the second: a call is told from the next by its numbers.
 */
export function answerPolicy({ callers }: Pick<PlannedProvider, 'callers'>): TracebackPolicyData {
  const { automatic, customers } = DEFAULT_TRACEBACK_POLICY;
  return {
    ...DEFAULT_TRACEBACK_POLICY,
    policyId: 'network-1',
    automatic: {
      ...automatic,
      arms: [...automatic.arms, 'origin', 'point-of-entry', 'received-from-unlisted', 'not-sent-to-downstream'],
      ...{ completeAroundSeconds: 0, firstHopNotFoundToPerson: false, notFoundWithoutCallerToPerson: false },
    },
    customers: {
      ...{ ...customers, details: 'identifier', basisRequired: true },
      statements: Object.fromEntries(
        callers.map((id) => [id, { contact: { name: id }, knowYourCustomer: 'Contract and identity papers' }]),
      ),
    },
  };
}
