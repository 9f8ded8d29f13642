import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { peer, type PeerName } from '../peers.js';
import { faultCount, reportFault } from '../support/fault-counts.js';
import { listBenches, runBench } from '../support/run-bench.js';

/** For a bench that hangs, not for one that is slow. */
const PATIENCE_MS = 3_600_000;
const FORKING = fileURLToPath(new URL('../support/benches/forking', import.meta.url));
/** Benches that fail without a program of somebody else. */
const NEEDS: Readonly<Record<string, PeerName>> = { sip: 'sipp', sidecar: 'wrk' };

/** All of them take a quarter of an hour: `npm run faults -- --full` runs them. */
const benches = faultCount({ short: 0, full: 1 }) === 0 ? [] : await listBenches();

test(
  'a bench that has forked a process and disconnected it ends by itself',
  async () => {
    const { code, signal, stderr, figures } = await runBench(['forks', '--folder', FORKING]);
    expect({ code, signal, failure: code === 0 ? '' : stderr }).toEqual({ code: 0, signal: null, failure: '' });
    expect(figures.map(({ figure }) => figure)).toEqual(['processes']);
  },
  PATIENCE_MS,
);

describe.each(benches)('bench $name --quick', ({ name, figures }) => {
  const needed = NEEDS[name];

  test(
    'ends by itself, with every figure measured or named as left out, and fails only for a bar that was missed',
    async () => {
      const startMs = performance.now();
      const { code, signal, stderr, ...run } = await runBench([name, '--quick']);
      const named = [...run.figures, ...run.leftOut].map(({ figure }) => figure);
      if (needed !== undefined && !peer(needed).available) {
        expect({ code, named }).toEqual({ code: 1, named: [] });
        expect(stderr).toContain(peer(needed).install);
        return;
      }
      const missed = run.figures.filter(({ holds }) => holds === false).map(({ figure }) => figure);
      expect({ named: named.toSorted(), code, signal, missed, stderr }).toEqual({
        named: figures.toSorted(),
        code: missed.length === 0 ? 0 : 1,
        ...{ signal: null, missed, stderr },
      });
      reportFault('bench-quick', {
        ...{ bench: name, seconds: Math.round((performance.now() - startMs) / 1_000) },
        ...{ figures: run.figures.length, leftOut: run.leftOut.length, missedBars: missed.join(', ') },
      });
    },
    PATIENCE_MS,
  );
});
