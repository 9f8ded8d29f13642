import type { SidecarProcess } from '../support/sidecar-process.js';
import { interleave, median, sized } from './bench.js';
import type { BenchContext, Contestant, Figure, Percentiles } from './bench.js';
import { startHelper } from './line-process.js';
import { residentMb } from './process-times.js';
import { FRESHNESS_SECONDS, startCallLab, type CallFile } from './sidecar-calls.js';
import { CORES, requireCounts } from './sidecar-rates.js';
import { keepTo, loadByWrk } from './sidecar-wrk.js';

const LATENCY = { perSecond: 1_000, seconds: { quick: 5, short: 20, full: 100 }, barMs: 5 };

/** From when a request was due to its answer, with calls that come when they come. */
export async function latency(context: BenchContext): Promise<Figure> {
  const { perSecond, seconds, barMs } = LATENCY;
  const count = perSecond * sized(context, seconds);
  await using lab = await startCallLab(count);
  await using sidecar = await lab.start();
  keepTo(CORES.server, sidecar.pid);
  context.progress(`latency: ${count} calls at ${perSecond} a second`);
  const argv = [String(sidecar.port), lab.calls.path, String(count), String(perSecond)];
  await using load = await startHelper('sidecar-load-process.ts', argv, ['taskset', '-c', String(CORES.load)]);
  const said = JSON.parse(load.firstLine) as Percentiles & { readonly wrong: number; readonly lateP99: number };
  if (said.wrong > 0) throw new Error(`${said.wrong} good calls did not pass`);
  const { p50, p99, p999, max, lateP99 } = said;
  const ms = (value: number): string => value.toFixed(2);
  return {
    ...{ figure: 'latency', value: p99, unit: 'ms p99', bar: { valueAtMost: barMs } },
    note: `${perSecond}/s at random over ${count / perSecond} s, from when a request was due; p50 ${ms(p50)}, p99.9 ${ms(p999)}, longest ${ms(max)}; sent late, p99, ${ms(lateP99)}`,
  };
}

const CLUSTER = { calls: 60_000, callsASecond: 20_000, rounds: { quick: 1, short: 5, full: 15 }, bar: 1.5 };

/**
 * Two workers beside one, nobody kept to a processor: one worker has a whole processor and wrk the other, two share both with wrk. What wrk uses is
 * told beside the figure: without it two would have so much more.
 */
export async function cluster(context: BenchContext): Promise<Figure> {
  await using lab = await startCallLab(CLUSTER.calls);
  await using one = await lab.start();
  await using two = await lab.start(['--workers', '2']);
  const rounds = sized(context, CLUSTER.rounds);
  const cores = { one: [] as number[], two: [] as number[] };
  const loaded = ({ port }: SidecarProcess, who: string, used: number[]): Contestant => ({
    measure: async (ms) => {
      const seconds = Math.ceil(ms / 1_000);
      const slice = lab.calls.slice(who, seconds * CLUSTER.callsASecond);
      const result = await loadByWrk({ who, port, route: 'verification', calls: slice, seconds });
      used.push(result.cores);
      return result.perSecond;
    },
  });
  const rates = await interleave(
    { one: loaded(one, 'one worker', cores.one), two: loaded(two, 'two workers', cores.two) },
    { rounds, ms: 1_000, steadyBy: 'one' },
  );
  const used = `wrk used ${median(cores.two).toFixed(2)} processors beside two, ${median(cores.one).toFixed(2)} beside one`;
  return {
    ...{ figure: 'cluster', value: rates.two.median, unit: 'requests/s with --workers 2' },
    ...{ baseline: 'one process', baselineValue: rates.one.median, bar: { ratioAtLeast: CLUSTER.bar } },
    note: `on two processors together with wrk; ${used}; medians of the steadiest ${rounds} of ${rates.one.made} rounds`,
  };
}

const REQUESTS = 1_000_000;
const FULL_REQUESTS = 5_000_000;
/** Every call once, so that the memory of calls seen is as full as it will be. */
const WARM_UP = 100_000;
const LOAD_SECONDS = 5;
const SAMPLE_MS = 100;
/** So many samples are taken together. */
const SAMPLES = 50;
const MEMORY_BAR = 1.15;

/** Resident memory of the process at the end of many requests, beside the same after the first hundred thousand. */
export async function memory(context: BenchContext): Promise<Figure> {
  const wanted = context.full ? FULL_REQUESTS : REQUESTS;
  await using lab = await startCallLab(WARM_UP, 12 * FRESHNESS_SECONDS);
  await using sidecar = await lab.start();
  const samples: number[] = [];
  const sampling = setInterval(() => void samples.push(residentMb(sidecar.pid)), SAMPLE_MS);
  const counted = (): Promise<number> => requireCounts(sidecar, 'stir_verifications_total', /TN-Validation-Passed/);
  const upTo = async (count: number): Promise<number> => {
    do await loadAll(sidecar.port, lab.calls);
    while ((await counted()) < count);
    return median(samples.slice(-SAMPLES));
  };
  try {
    const firstMb = await upTo(WARM_UP);
    context.progress(`memory: ${firstMb.toFixed(0)} MiB after ${await counted()} requests`);
    const lastMb = await upTo(wanted);
    return {
      ...{ figure: 'memory', value: lastMb, unit: 'MiB resident', bar: { ratioAtMost: MEMORY_BAR } },
      ...{ baseline: `the same after the first ${WARM_UP} requests`, baselineValue: firstMb },
      note: `after ${await counted()} requests of /stir/v1/verification; highest ${Math.max(...samples).toFixed(0)}; medians over ${(SAMPLES * SAMPLE_MS) / 1_000} s under load; ${WARM_UP} distinct calls in turn, which the memory of calls seen holds from the warm-up on`,
    };
  } finally {
    clearInterval(sampling);
  }
}

async function loadAll(port: number, calls: CallFile): Promise<void> {
  const slice = calls.slice('memory', WARM_UP);
  await loadByWrk({ who: 'memory', port, route: 'verification', calls: slice, seconds: LOAD_SECONDS });
}
