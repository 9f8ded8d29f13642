import type { NetworkPlan, PlannedCall } from '../plan/index.js';
import { openCallees } from './callees.js';
import type { ReachedCall } from './callees.js';
import { openCallers } from './callers.js';
import type { CallerView } from './callers.js';
import type { WorldOptions } from './world.js';

/** A call that is to be placed, and where; without an address nobody is there. */
export interface PlacedCall {
  readonly call: PlannedCall;
  readonly address: string | undefined;
}

/** Who is to be called, and where. */
export interface CallEndsOrder {
  readonly plan: NetworkPlan;
  /** Where whoever answers for called numbers takes calls; default any free port. */
  readonly listen: NonNullable<WorldOptions['listen']>;
}

/** Whoever calls, and whoever is called, in this process or another. */
export interface CallEnds {
  /** Addresses of those who answer for called numbers, by the id of these, without `sip:`. */
  readonly sinks: Readonly<Record<string, string>>;
  /** Registers the phones with their providers: `ws:` addresses by id of the provider. */
  readonly register: (phones: Readonly<Record<string, string>>) => Promise<void>;
  /** Places a call, and stays with it until it is over. */
  readonly place: (placed: PlacedCall) => Promise<CallerView>;
  /** Never rejects. */
  readonly close: () => Promise<void>;
}

/** Opens both in this process. */
export async function openCallEnds(
  { plan, listen }: CallEndsOrder,
  onReached: (reached: ReachedCall) => void,
): Promise<CallEnds> {
  const callees = await openCallees(plan, { listen, onReached });
  const callers = await openCallers().catch(async (error: unknown) => {
    await callees.close();
    throw error;
  });
  return {
    sinks: Object.fromEntries(plan.scenario.called.map(({ id }) => [id, callees.sinkOf(id)])),
    register: callees.register,
    place: ({ call, address }) => callers.place(call, address),
    close: async () => {
      await callers.close();
      await callees.close();
    },
  };
}
