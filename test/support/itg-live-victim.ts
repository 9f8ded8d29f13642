/**
 * Takes batches into a feed of live records until it is killed: some at a time, every sixteenth of them twice. Says `acknowledged N` of
 * each, and `heard N` of what its listener has settled.
 * `tsx itg-live-victim.ts DIRECTORY FIRST LAST`
 */
import { setTimeout } from 'node:timers/promises';
import { batchCall, liveSample, openFeed, outcome } from './itg-live-records.js';

const [directory = '', first = '0', last = '0'] = process.argv.slice(2);
/** Records of a batch. */
const SIZE = 20;

const feed = await openFeed(directory);
let heard = 0;
let isSaid = 0;
feed.listen('victim', {
  records: (records) => {
    heard += records.length;
  },
  report: () => undefined,
  settled: () => {
    if (heard > isSaid) process.stdout.write(`heard ${heard - isSaid}\n`);
    isSaid = heard;
    return Promise.resolve();
  },
});
process.stdout.write('open\n');

let next = Number(first);
async function carrier(): Promise<void> {
  while (next < Number(last)) {
    const batch = next;
    next += 1;
    const records = Array.from({ length: SIZE }, (_, index) => liveSample(batch * SIZE + index));
    const call = batchCall(records, { providerId: `carrier-${batch % 3}` });
    for (let repeat = 0; repeat <= (batch % 16 === 0 ? 1 : 0); repeat += 1) {
      let taken = outcome(await feed.take(call));
      // After a kill what was acknowledged is stored first: a carrier sends its batch again.
      while (taken === 'unavailable') {
        await setTimeout(20);
        taken = outcome(await feed.take(call));
      }
      if (taken !== SIZE) throw new Error(`batch ${batch} was not taken: ${JSON.stringify(taken)}`);
    }
    process.stdout.write(`acknowledged ${batch}\n`);
  }
}
await Promise.all(Array.from({ length: 4 }, carrier));
process.stdout.write('closing\n');
await feed.close();
