import { expect, test } from 'vitest';
import { startCallLoad } from '../support/call-load.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { PASSED, usualCalls, verificationBody } from '../support/loaded-calls.js';
import { createSidecarFolder } from '../support/sidecar-folder.js';

const ROUNDS = faultCount({ short: 2, full: 50 });
const BEFORE = 300;

test.each([1, 2])(
  'a sidecar of %i process that is told to end under 500 requests/s answers every request on connections that listen to Connection: close',
  { timeout: 60_000 + 30_000 * ROUNDS },
  async (workers) => {
    let [asked, refused, waited] = [0, 0, 0];
    for (let round = 0; round < ROUNDS; round += 1) {
      await using folder = await createSidecarFolder();
      await folder.configure({ verification: { timeBudgetMs: 10_000 }, workers });
      const x5u = folder.server.publish('/held.pem', folder.providers[0].provider.chainPem);
      const release = folder.server.hold('/held.pem');
      await using sidecar = await folder.start();
      await using load = startCallLoad(sidecar.port, usualCalls(folder));
      await using waiting = startCallLoad(sidecar.port, [
        { name: 'waiting', body: () => verificationBody(folder.identity({ x5u })), verstats: () => [PASSED] },
      ]);
      await folder.server.requested('/held.pem', 1);
      await load.more(BEFORE);
      sidecar.signal('SIGTERM');
      await load.more(BEFORE);
      const underWay = waiting.underWay();
      release();
      await Promise.all([load.stop(), waiting.stop()]);
      expect(await sidecar.ended).toEqual({ code: 0, signal: null });
      for (const counts of [load.counts(), waiting.counts()]) {
        expect(counts).toMatchObject({ wrong: [], broken: 0 });
        // Whoever comes later finds nobody, and asks the next sidecar.
        expect(counts.right + counts.refused).toBe(counts.asked);
        asked += counts.asked;
        refused += counts.refused;
      }
      waited += underWay;
    }
    reportFault(`sidecar-drain-${workers}`, { rounds: ROUNDS, requests: asked, refused, waited, broken: 0, wrong: 0 });
  },
);
