import { answerParent, tellParent } from './forked-process.js';
import { openCallEnds } from './callers.js';
import type { CallEnds, CallEndsOrder } from './callers.js';
import type { PlacedIndex, ReachedIndex } from './forked-process.js';

// A process of a network: whoever calls and is called. It is forked by `forkCallEnds`.

// A copy: drachtio-srf asks for a variable at each header field, and each time the system would be asked.
process.env = { ...process.env };

let ends: CallEnds | undefined;
let calls: CallEndsOrder['plan']['calls'] = [];
const opened = (): CallEnds => {
  if (ends === undefined) throw new TypeError('nobody was asked to call yet');
  return ends;
};

answerParent({
  open: async (argument) => {
    const order = argument as CallEndsOrder;
    calls = order.plan.calls;
    ends = await openCallEnds(order, ({ call: { index }, ...reached }) =>
      tellParent({ index, ...reached } satisfies ReachedIndex),
    );
    return ends.sinks;
  },
  register: async (argument) => opened().register(argument as Readonly<Record<string, string>>),
  place: async (argument) => {
    const { index, durationMs, address } = argument as PlacedIndex;
    const call = calls[index];
    if (call === undefined) throw new TypeError(`the plan has no call ${String(index)}`);
    return opened().place({ call: { ...call, durationMs }, address });
  },
  close: async () => {
    const open = ends;
    ends = undefined;
    await open?.close();
  },
});
