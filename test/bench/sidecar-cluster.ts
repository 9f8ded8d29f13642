import { createSidecarFolder } from '../support/sidecar-folder.js';
import type { SidecarProcess } from '../support/sidecar-process.js';
import { interleave, median, sized } from './bench.js';
import type { BenchContext, Contestant, Figure } from './bench.js';
import { writeCalls } from './sidecar-calls.js';
import type { CallFile } from './sidecar-calls.js';
import { FRESHNESS_SECONDS } from './sidecar-rates.js';
import { loadByWrk } from './sidecar-wrk.js';

const CALLS = 60_000;
const CALLS_A_SECOND = 20_000;
const ROUNDS = { quick: 1, short: 5, full: 15 };
const BAR = 1.5;

/**
 * Two workers beside one, nobody kept to a processor: one worker has a whole processor and wrk the other, two share both with wrk. What wrk uses is
 * told beside the figure: without it two would have so much more.
 */
export async function cluster(context: BenchContext): Promise<Figure> {
  await using lab = await createSidecarFolder({ count: 8 });
  await lab.configure({ verification: { freshnessSeconds: FRESHNESS_SECONDS } });
  const calls = await writeCalls(lab, CALLS);
  await using one = await lab.start();
  await using two = await lab.start({ args: ['--workers', '2'] });
  for (const sidecar of [one, two]) await sidecar.heard(({ part }) => part === 'certificates');
  const rounds = sized(context, ROUNDS);
  const cores = { one: [] as number[], two: [] as number[] };
  const rates = await interleave(
    {
      one: loaded(one, { calls, who: 'one worker', cores: cores.one }),
      two: loaded(two, { calls, who: 'two workers', cores: cores.two }),
    },
    { rounds, ms: 1_000, steadyBy: 'one' },
  );
  const used = `wrk used ${median(cores.two).toFixed(2)} processors beside two, ${median(cores.one).toFixed(2)} beside one`;
  return {
    ...{ figure: 'cluster', value: rates.two.median, unit: 'requests/s with --workers 2' },
    ...{ baseline: 'one process', baselineValue: rates.one.median, bar: { ratioAtLeast: BAR } },
    note: `on two processors together with wrk; ${used}; medians of the steadiest ${rounds} of ${rates.one.made} rounds`,
  };
}

function loaded(
  { port }: SidecarProcess,
  { calls, who, cores }: { readonly calls: CallFile; readonly who: string; readonly cores: number[] },
): Contestant {
  return {
    measure: async (ms) => {
      const seconds = Math.ceil(ms / 1_000);
      const slice = calls.slice(who, seconds * CALLS_A_SECOND);
      const result = await loadByWrk({ who, port, route: 'verification', calls: slice, seconds });
      cores.push(result.cores);
      return result.perSecond;
    },
  };
}
