import { createSidecarFolder } from '../support/sidecar-folder.js';
import { sized } from './bench.js';
import type { BenchContext, Figure, Percentiles } from './bench.js';
import { startHelper } from './line-process.js';
import { writeCalls } from './sidecar-calls.js';
import { CORES, FRESHNESS_SECONDS } from './sidecar-rates.js';
import { keepTo } from './sidecar-wrk.js';

const PER_SECOND = 1_000;
const SECONDS = { quick: 5, short: 20, full: 100 };
const BAR_MS = 5;

/** From when a request was due to its answer, with calls that come when they come. */
export async function latency(context: BenchContext): Promise<Figure> {
  const count = PER_SECOND * sized(context, SECONDS);
  await using lab = await createSidecarFolder({ count: 8 });
  await lab.configure({ verification: { freshnessSeconds: FRESHNESS_SECONDS } });
  const calls = await writeCalls(lab, count);
  await using sidecar = await lab.start();
  await sidecar.heard(({ part }) => part === 'certificates');
  keepTo(CORES.server, sidecar.pid);
  context.progress(`latency: ${count} calls at ${PER_SECOND} a second`);
  const argv = [String(sidecar.port), calls.path, String(count), String(PER_SECOND)];
  await using load = await startHelper('sidecar-load-process.ts', argv, ['taskset', '-c', String(CORES.load)]);
  const said = JSON.parse(load.firstLine) as Percentiles & { readonly wrong: number; readonly lateP99: number };
  if (said.wrong > 0) throw new Error(`${said.wrong} good calls did not pass`);
  const { p50, p99, p999, max, lateP99 } = said;
  const ms = (value: number): string => value.toFixed(2);
  return {
    ...{ figure: 'latency', value: p99, unit: 'ms p99', bar: { valueAtMost: BAR_MS } },
    note: `${PER_SECOND}/s at random over ${count / PER_SECOND} s, from when a request was due; p50 ${ms(p50)}, p99.9 ${ms(p999)}, longest ${ms(max)}; sent late, p99, ${ms(lateP99)}`,
  };
}
