import type { Bench } from '../../../bench/bench.js';
import { startCertificateServers } from '../../../bench/certificate-servers.js';
import { startEventLoops } from '../../../bench/event-loops.js';

/** Starts and ends every kind of process that a bench forks and disconnects. */
export const bench: Bench = {
  name: 'forks',
  description: 'a bench that forks processes and ends them',
  figures: ['processes'],
  quick: { seconds: 5 },
  run: async () => {
    // One after the other: a process that is still there would keep the event loop from running empty.
    for (const start of [startCertificateServers, () => startEventLoops(1)]) {
      const processes = await start();
      await processes[Symbol.asyncDispose]();
    }
    return [{ figure: 'processes', value: 2, unit: 'processes' }];
  },
};
