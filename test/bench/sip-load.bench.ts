import type { Bench, BenchContext, Figure } from './bench.js';
import { chaosWrong } from './sip-load-chaos.js';
import { hostilePeersLost } from './sip-load-hostile.js';
import { mutatedOptions } from './sip-load-mutants.js';
import { overloadRefused } from './sip-load-overload.js';

/** What the embedded drachtio server does when its peers, the network or its load are not what they should be. */
export const bench: Bench = {
  name: 'sip-load',
  description:
    'the embedded drachtio server under mutated messages, hostile peers, a lossy network and more calls than it takes',
  figures: ['mutated-options-max', 'hostile-peers-lost', 'chaos-wrong', 'overload-refused'],
  quick: { seconds: 55, leftOut: { 'chaos-wrong': 'makes 2,000 calls and waits for the slowest, up to two minutes' } },
  run: measureLoad,
};

async function* measureLoad(context: BenchContext): AsyncGenerator<Figure> {
  if (context.wants('mutated-options-max')) yield await mutatedOptions(context);
  if (context.wants('hostile-peers-lost')) yield await hostilePeersLost(context);
  if (context.wants('chaos-wrong')) yield await chaosWrong(context);
  if (context.wants('overload-refused')) yield await overloadRefused(context);
}
