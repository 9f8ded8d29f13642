import { answerParent, tellParent } from './answer-parent.js';
import { openCallEnds } from './call-ends.js';
import type { CallEnds, CallEndsOrder, PlacedCall } from './call-ends.js';
import type { ReachedIndex } from './forked-ends.js';

// A process of a network: whoever calls and is called. It is forked by `forkCallEnds`.

let ends: CallEnds | undefined;
const opened = (): CallEnds => {
  if (ends === undefined) throw new TypeError('nobody was asked to call yet');
  return ends;
};

answerParent({
  open: async (argument) => {
    ends = await openCallEnds(argument as CallEndsOrder, ({ call: { index }, ...reached }) =>
      tellParent({ index, ...reached } satisfies ReachedIndex),
    );
    return ends.sinks;
  },
  register: async (argument) => opened().register(argument as Readonly<Record<string, string>>),
  place: async (argument) => opened().place(argument as PlacedCall),
  close: async () => {
    const open = ends;
    ends = undefined;
    await open?.close();
  },
});
