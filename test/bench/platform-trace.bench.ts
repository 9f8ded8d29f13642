import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { seededDice } from '../../sdk/src/testing/platform/seeded-dice.js';
import { peer } from '../peers.js';
import { startPostgres } from '../peers/postgres/start-postgres.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { newDatabase } from '../support/itg-database.js';
import { median, type Bench, type BenchContext, type Figure } from './bench.js';
import { growCarriers } from './platform-carriers.js';
import type { CarrierGraph } from './platform-carriers.js';
import { CHAIN_HOPS, signedRoundTrips, traceChain } from './platform-trace-chain.js';
import { startTraceLoad } from './platform-trace-load.js';
import type { LoadCost } from './platform-trace-load.js';

/** Tracebacks of the reference platform: how long ten carriers take, and what a hop costs where thousands are open. */
export const bench: Bench = {
  name: 'platform-trace',
  description:
    'tracebacks of the reference platform: ten carriers that answer by themselves, and thousands of tracebacks at once',
  figures: [
    'trace-ten-hops',
    ...['pglite', 'postgresql'].flatMap((engine) => [
      `hop-cpu-100-${engine}`,
      `hop-cpu-10000-${engine}`,
      `hop-cpu-flat-${engine}`,
    ]),
  ],
  run: measure,
};

/** Providers in the Robocall Mitigation Database, rounded. */
const CARRIERS = 7_000;
const MANY = { short: 10_000, full: 10_000 };
const FEW = 100;
/** Rounds of a hundred tracebacks: as many hops as a tenth of the ten thousand have. */
const FEW_ROUNDS = { short: 5, full: 10 };
/** Tracebacks before anything is measured. */
const WARMING = 300;
const TRACED = { short: 7, full: 25 };

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  if (context.wants('trace-ten-hops')) yield await tenHops(context);
  const graph = growCarriers(CARRIERS, seededDice(2_026));
  for (const engine of ['pglite', 'postgresql'] as const)
    if (['100', '10000', 'flat'].some((part) => context.wants(`hop-cpu-${part}-${engine}`)))
      yield* hopCosts(context, engine, graph);
}

async function tenHops(context: BenchContext): Promise<Figure> {
  const count = TRACED[context.full ? 'full' : 'short'];
  const { tracedMs, platformCpuMs } = await traceChain({}, count);
  const raw = await signedRoundTrips(count);
  return {
    figure: 'trace-ten-hops',
    ...{ value: median(tracedMs), unit: 'ms' },
    baseline: `${String(CHAIN_HOPS)} signed round trips over HTTP, one after the other`,
    baselineValue: median(raw),
    bar: { valueAtMost: 3_000 },
    note: `from opening to origin, median of ${String(count)}, longest ${Math.max(...tracedMs).toFixed(0)} ms; ${(platformCpuMs / CHAIN_HOPS).toFixed(1)} ms of the platform's processor a hop, HTTP and streams included`,
  };
}

type Engine = 'pglite' | 'postgresql';

async function* hopCosts(context: BenchContext, engine: Engine, graph: CarrierGraph): AsyncGenerator<Figure> {
  const { available, path, install } = peer('postgres');
  if (engine === 'postgresql' && !available) {
    for (const part of ['100', '10000', 'flat'])
      yield { figure: `hop-cpu-${part}-postgresql`, value: 0, unit: 'ms', note: `needs PostgreSQL: ${install}` };
    return;
  }
  await using directory = await createTemporaryDirectory();
  await using server = engine === 'postgresql' ? await startPostgres(path) : undefined;
  const place = {
    directory: join(directory.path, 'platform'),
    ...(server !== undefined && { postgresUrl: await newDatabase(server) }),
  };
  await using load = await startTraceLoad(graph, place);
  const serverMs = (): number => (server === undefined ? 0 : cpuOfServer(server.host));
  const drive = async (open: number): Promise<LoadCost & { readonly serverMsOfHop: number }> => {
    let beforeMs = 0;
    const cost = await load.drive(open, () => (beforeMs = serverMs()));
    const serverMsOfHop = (serverMs() - beforeMs) / cost.hops;
    context.progress(
      `${engine}: ${String(open)} open, ${String(cost.hops)} hops in ${cost.seconds.toFixed(1)} s, ${cost.cpuMsOfHop.toFixed(2)} ms of the platform's processor a hop${server === undefined ? '' : ` and ${serverMsOfHop.toFixed(2)} of the server's`}`,
    );
    return { ...cost, serverMsOfHop };
  };
  await drive(WARMING);
  const few: (LoadCost & { readonly serverMsOfHop: number })[] = [];
  for (let round = 0; round < FEW_ROUNDS[context.full ? 'full' : 'short']; round += 1) few.push(await drive(FEW));
  const many = await drive(MANY[context.full ? 'full' : 'short']);
  const fewMs = median(few.map(({ cpuMsOfHop, serverMsOfHop }) => cpuMsOfHop + serverMsOfHop));
  const manyMs = many.cpuMsOfHop + many.serverMsOfHop;
  const bar = { valueAtMost: 2 };
  yield { figure: `hop-cpu-100-${engine}`, value: fewMs, unit: 'ms', bar, note: noteOf(engine, few[0]) };
  yield { figure: `hop-cpu-10000-${engine}`, value: manyMs, unit: 'ms', bar, note: noteOf(engine, many) };
  yield { figure: `hop-cpu-flat-${engine}`, value: manyMs / fewMs, unit: 'times', bar: { valueAtMost: 1.3 } };
}

function noteOf(engine: Engine, cost: (LoadCost & { readonly serverMsOfHop: number }) | undefined): string {
  if (cost === undefined) return '';
  const { hops, answers, silent, disputes, cpuMsOfHop, cpuMsOfOpening, serverMsOfHop } = cost;
  const parts =
    engine === 'pglite' ? '' : `: ${cpuMsOfHop.toFixed(2)} here and ${serverMsOfHop.toFixed(2)} in the server`;
  return `processor time of engine and database a hop${parts}; ${String(hops)} hops, ${String(answers)} answers, ${String(silent)} silent, ${String(disputes)} denied; ${cpuMsOfOpening.toFixed(1)} ms to open one, which is not in it`;
}

/** Ticks of `/proc/PID/stat` a second, as Linux counts for programs: sysconf(_SC_CLK_TCK), proc(5). */
const TICKS_PER_SECOND = 100;

/** Processor time of a server and all its processes, milliseconds: those that have ended are in what their parent has waited for. */
function cpuOfServer(directory: string): number {
  const [parent = ''] = readFileSync(join(directory, 'data', 'postmaster.pid'), 'utf8').split('\n');
  let ticks = 0;
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const fields = statOf(id);
    const isServer = id === parent.trim();
    if (!isServer && fields[1] !== parent.trim()) continue;
    // utime, stime, and of the parent cutime and cstime.
    ticks += fields.slice(11, isServer ? 15 : 13).reduce((sum, field) => sum + Number(field), 0);
  }
  return (ticks * 1_000) / TICKS_PER_SECOND;
}

/** Fields from the third on, which is the state; none of a process that is gone. */
function statOf(id: string): readonly string[] {
  try {
    return readFileSync(`/proc/${id}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}
