import { expect, test } from 'vitest';
import { startCallLoad } from '../support/call-load.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { usualCalls } from '../support/loaded-calls.js';
import { createSidecarFolder } from '../support/sidecar-folder.js';

const KILLS = faultCount({ short: 2, full: 30 });
const BETWEEN = 300;

test(
  'of several processes one that is killed under 500 requests/s costs no more than the requests under way, and another takes its place',
  { timeout: 60_000 + 30_000 * KILLS },
  async () => {
    await using folder = await createSidecarFolder();
    await folder.configure({ verification: { timeBudgetMs: 10_000 } });
    await using sidecar = await folder.start({ args: ['--workers', '2'] });
    await using load = startCallLoad(sidecar.port, usualCalls(folder));
    let [lost, mostLost] = [0, 0];
    const pids = [...sidecar.workers];
    for (let kill = 0; kill < KILLS; kill += 1) {
      await load.more(BETWEEN);
      const before = load.counts();
      const pid = pids.shift() ?? 0;
      const next = sidecar.said(
        (line) => line['part'] === 'certificates' && !sidecar.workers.includes(Number(line['pid'])),
      );
      const underWay = load.underWay();
      process.kill(pid, 'SIGKILL');
      pids.push(Number((await next)['pid']));
      await load.more(BETWEEN);
      const after = load.counts();
      const broken = after.broken + after.refused - before.broken - before.refused;
      // What was under way, and what set out before the end of the connection was known.
      expect(broken).toBeLessThanOrEqual(underWay + CONNECTIONS_THAT_END);
      lost += broken;
      mostLost = Math.max(mostLost, broken);
    }
    await load.stop();
    const counts = load.counts();
    expect(counts.wrong).toEqual([]);
    expect(counts.right + lost).toBe(counts.asked);
    sidecar.signal('SIGTERM');
    expect(await sidecar.ended).toEqual({ code: 0, signal: null });
    reportFault('sidecar-workers-kill', { kills: KILLS, requests: counts.asked, lost, mostLost, wrong: 0 });
  },
);

/** The load seldom has more than these at a time. */
const CONNECTIONS_THAT_END = 32;
