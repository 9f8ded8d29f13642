import type { CallEnds, CallEndsOrder, PlacedCall } from './call-ends.js';
import type { ReachedCall } from './callees.js';
import { forkProcess } from './forked-process.js';

/** A call that reached the callee, as one process tells it to another: the plan is known to both. */
export type ReachedIndex = Omit<ReachedCall, 'call'> & { readonly index: number };

/** A call that is to be placed, as one process asks another: the plan is known to both, and the call may be made to last as long as somebody wants. */
export type PlacedIndex = Omit<PlacedCall, 'call'> & Pick<PlacedCall['call'], 'index' | 'durationMs'>;

/**
 * Starts a process for whoever calls and is called: a platform that is busy for a tenth of a second in this one keeps no caller waiting.
 * @returns both ends; a call that is placed once the process is gone is one of which nothing was seen
 */
export async function forkCallEnds(order: CallEndsOrder, onReached: (reached: ReachedCall) => void): Promise<CallEnds> {
  const { ask, close } = await forkProcess('ends-process.js', (told) => {
    const { index, ...reached } = told as ReachedIndex;
    const call = order.plan.calls[index];
    if (call !== undefined) onReached({ call, ...reached });
  });
  try {
    return {
      sinks: await ask<CallEnds['sinks']>('open', order),
      register: (phones) => ask('register', phones),
      place: ({ call: { index, durationMs }, address }) =>
        ask('place', { index, durationMs, address } satisfies PlacedIndex),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
