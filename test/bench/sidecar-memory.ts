import { createSidecarFolder } from '../support/sidecar-folder.js';
import { median } from './bench.js';
import type { BenchContext, Figure } from './bench.js';
import { residentMb } from './process-times.js';
import { writeCalls } from './sidecar-calls.js';
import type { CallFile } from './sidecar-calls.js';
import { FRESHNESS_SECONDS, requireCounts } from './sidecar-rates.js';
import { loadByWrk } from './sidecar-wrk.js';

const REQUESTS = 1_000_000;
const FULL_REQUESTS = 5_000_000;
/** Every call once, so that the memory of calls seen is as full as it will be. */
const WARM_UP = 100_000;
const LOAD_SECONDS = 5;
const SAMPLE_MS = 100;
/** So many samples are taken together. */
const SAMPLES = 50;
const BAR = 1.15;

/** Resident memory of the process at the end of many requests, beside the same after the first hundred thousand. */
export async function memory(context: BenchContext): Promise<Figure> {
  const wanted = context.full ? FULL_REQUESTS : REQUESTS;
  await using lab = await createSidecarFolder({ count: 8 });
  await lab.configure({ verification: { freshnessSeconds: 12 * FRESHNESS_SECONDS } });
  const calls = await writeCalls(lab, WARM_UP);
  await using sidecar = await lab.start();
  await sidecar.heard(({ part }) => part === 'certificates');
  const samples: number[] = [];
  const sampling = setInterval(() => void samples.push(residentMb(sidecar.pid)), SAMPLE_MS);
  const counted = (): Promise<number> => requireCounts(sidecar, 'stir_verifications_total', /TN-Validation-Passed/);
  const upTo = async (count: number): Promise<number> => {
    do await load(sidecar.port, calls);
    while ((await counted()) < count);
    return median(samples.slice(-SAMPLES));
  };
  try {
    const firstMb = await upTo(WARM_UP);
    context.progress(`memory: ${firstMb.toFixed(0)} MiB after ${await counted()} requests`);
    const lastMb = await upTo(wanted);
    return {
      ...{ figure: 'memory', value: lastMb, unit: 'MiB resident', bar: { ratioAtMost: BAR } },
      ...{ baseline: `the same after the first ${WARM_UP} requests`, baselineValue: firstMb },
      note: `after ${await counted()} requests of /stir/v1/verification; highest ${Math.max(...samples).toFixed(0)}; medians over ${(SAMPLES * SAMPLE_MS) / 1_000} s under load; ${WARM_UP} distinct calls in turn, which the memory of calls seen holds from the warm-up on`,
    };
  } finally {
    clearInterval(sampling);
  }
}

async function load(port: number, calls: CallFile): Promise<void> {
  const slice = calls.slice('memory', WARM_UP);
  await loadByWrk({ who: 'memory', port, route: 'verification', calls: slice, seconds: LOAD_SECONDS });
}
