import type { SeenMessage } from '../network/world/index.js';
import type { SeenCall } from '../oracle/index.js';
import { callIdOf } from '../report/index.js';

/** Keeps messages of calls until it is known whether anybody wants to see them. */
export interface MessageKeeper {
  readonly add: (message: SeenMessage) => void;
  /** The call is over. `isWanted`: its messages are kept before those of others. */
  readonly ended: (call: SeenCall, isWanted: boolean) => void;
  /** Messages of a call, in the order of their times. */
  readonly messagesOf: (call: SeenCall) => readonly SeenMessage[];
  /** Octets of what is kept. */
  readonly sizeBytes: () => number;
}

/** A run of hours must not fill the memory: beyond it calls that nobody asked for are forgotten, the oldest first. */
const BUDGET_BYTES = 96 * 1_048_576;

/** Makes a keeper that holds nothing. */
export function createMessageKeeper({ budgetBytes = BUDGET_BYTES }: { readonly budgetBytes?: number } = {}): MessageKeeper {
  const legs = new Map<string, SeenMessage[]>();
  const forgettable: (readonly string[])[] = [];
  let sizeBytes = 0;
  let first = 0;
  const forget = (): void => {
    while (sizeBytes > budgetBytes && first < forgettable.length) {
      for (const leg of forgettable[first] ?? []) {
        for (const { text } of legs.get(leg) ?? []) sizeBytes -= text.length;
        legs.delete(leg);
      }
      first += 1;
    }
    if (first > 4_096) forgettable.splice(0, first);
    if (first > 4_096) first = 0;
  };
  return {
    add: (message) => {
      const leg = callIdOf(message.text);
      if (leg === '') return;
      const kept = legs.get(leg);
      if (kept === undefined) legs.set(leg, [message]);
      else kept.push(message);
      sizeBytes += message.text.length;
    },
    ended: (call, isWanted) => {
      if (!isWanted) forgettable.push(legsOf(call));
      forget();
    },
    messagesOf: (call) =>
      legsOf(call)
        .flatMap((leg) => legs.get(leg) ?? [])
        .toSorted((one, other) => one.atMs - other.atMs),
    sizeBytes: () => sizeBytes,
  };
}

function legsOf({ hops }: SeenCall): readonly string[] {
  return [...new Set(hops.flatMap(({ ingressCallId, egressCallIds }) => [ingressCallId, ...egressCallIds]))];
}
