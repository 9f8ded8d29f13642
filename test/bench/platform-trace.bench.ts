import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededDice } from '../../sdk/src/testing/platform/platform-faults.js';
import { peer } from '../peers.js';
import { startPostgres } from '../peers/postgres/start-postgres.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { newDatabase } from '../support/itg-database.js';
import { median, sized, type Bench, type BenchContext, type Figure } from './bench.js';
import { growCarriers, type CarrierGraph } from './platform-carriers.js';
import { CHAIN_HOPS, signedRoundTrips, traceChain } from './platform-trace-chain.js';
import { processGroupMs } from './process-times.js';
import { startTraceLoad, type LoadCost } from './platform-trace-load.js';

const FIGURES = ['cpu-100', 'cpu-10000', 'database-100', 'database-10000', 'cpu-flat'] as const;

/** The quick form has a hundred tracebacks open at a time, on PGlite. */
const LEFT_OUT = Object.fromEntries(
  ['pglite', 'postgresql'].flatMap((database) =>
    FIGURES.filter((part) => database === 'postgresql' || !part.endsWith('-100')).map((part) => [
      `hop-${part}-${database}`,
      'needs 10,000 open tracebacks or a second database, about four minutes each',
    ]),
  ),
);

/** Tracebacks of the reference platform: how long ten carriers take, and what a hop costs where thousands are open. */
export const bench: Bench = {
  name: 'platform-trace',
  description:
    'tracebacks of the reference platform: ten carriers that answer by themselves, and thousands of tracebacks at once',
  figures: [
    'trace-ten-hops',
    ...['pglite', 'postgresql'].flatMap((database) => [
      ...['100', '10000'].flatMap((open) => [`hop-cpu-${open}-${database}`, `hop-database-${open}-${database}`]),
      `hop-cpu-flat-${database}`,
    ]),
  ],
  quick: { seconds: 50, leftOut: LEFT_OUT },
  run: measure,
};

/** Providers in the Robocall Mitigation Database, rounded. */
const CARRIERS = 7_000;
const MANY = 10_000;
const FEW = 100;
/** Rounds of a hundred tracebacks, of which the middle one counts: in one of them all memory is collected, and a machine has slow seconds. */
const FEW_ROUNDS = { quick: 3, short: 11, full: 21 };
/** Tracebacks before anything is measured: a platform that has been up for a minute. */
const WARMING = { quick: 500, short: 1_500, full: 1_500 };
const TRACED = { quick: 3, short: 7, full: 25 };

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  if (context.wants('trace-ten-hops')) yield await tenHops(context);
  const graph = growCarriers(CARRIERS, seededDice(2_026));
  for (const database of ['pglite', 'postgresql'] as const)
    if (FIGURES.some((part) => context.wants(`hop-${part}-${database}`))) yield* hopCosts(context, database, graph);
}

async function tenHops(context: BenchContext): Promise<Figure> {
  const count = sized(context, TRACED);
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

type Database = 'pglite' | 'postgresql';

/** What a hop costs, milliseconds of processor time. */
interface HopCost {
  /** Of the platform itself. */
  readonly platformMs: number;
  /** Of its database, wherever that runs. */
  readonly databaseMs: number;
  readonly load: LoadCost;
}

async function* hopCosts(context: BenchContext, database: Database, graph: CarrierGraph): AsyncGenerator<Figure> {
  const { available, path, install } = peer('postgres');
  if (database === 'postgresql' && !available) {
    for (const part of FIGURES)
      yield { figure: `hop-${part}-postgresql`, value: 0, unit: 'ms', note: `needs PostgreSQL: ${install}` };
    return;
  }
  await using directory = await createTemporaryDirectory();
  await using server = database === 'postgresql' ? await startPostgres(path) : undefined;
  const place = {
    directory: join(directory.path, 'platform'),
    ...(server !== undefined && { postgresUrl: await newDatabase(server) }),
  };
  await using load = await startTraceLoad(graph, place);
  const serverMs = (): number => (server === undefined ? 0 : cpuOfServer(server.host));
  const drive = async (open: number): Promise<HopCost> => {
    let beforeMs = 0;
    const cost = await load.drive(open, () => (beforeMs = serverMs()));
    const platformMs = cost.cpuMsOfHop - cost.databaseMsOfHop;
    const databaseMs = cost.databaseMsOfHop + (serverMs() - beforeMs) / cost.hops;
    context.progress(
      `${database}: ${String(open)} open, ${String(cost.hops)} hops in ${cost.seconds.toFixed(1)} s, ${platformMs.toFixed(2)} ms of the platform's processor a hop and ${databaseMs.toFixed(2)} of the database's`,
    );
    return { platformMs, databaseMs, load: cost };
  };
  await drive(sized(context, WARMING));
  const rounds: HopCost[] = [];
  for (let round = 0; round < sized(context, FEW_ROUNDS); round += 1) rounds.push(await drive(FEW));
  const few = medianCost(rounds);
  yield* costFigures('100', database, few);
  if (!context.wants(`hop-cpu-10000-${database}`) && !context.wants(`hop-cpu-flat-${database}`)) return;
  const many = await drive(MANY);
  yield* costFigures('10000', database, many);
  const flat = (many.platformMs + many.databaseMs) / (few.platformMs + few.databaseMs);
  const note = 'of the platform and its database together';
  yield { figure: `hop-cpu-flat-${database}`, value: flat, unit: 'times', bar: { valueAtMost: 1.3 }, note };
}

function* costFigures(open: '100' | '10000', database: Database, cost: HopCost): Generator<Figure> {
  const { platformMs, databaseMs } = cost;
  const note = noteOf(cost);
  yield { figure: `hop-cpu-${open}-${database}`, value: platformMs, unit: 'ms', bar: { valueAtMost: 2 }, note };
  yield { figure: `hop-database-${open}-${database}`, value: databaseMs, unit: 'ms' };
}

function medianCost(rounds: readonly HopCost[]): HopCost {
  const sorted = rounds.toSorted((one, other) => one.platformMs + one.databaseMs - other.platformMs - other.databaseMs);
  return sorted[Math.floor(sorted.length / 2)]!;
}

function noteOf({ load }: HopCost): string {
  const { hops, answers, silent, disputes, cpuMsOfOpening } = load;
  return `without its database, which the next figure has; ${String(hops)} hops, ${String(answers)} answers, ${String(silent)} silent, ${String(disputes)} denied; ${cpuMsOfOpening.toFixed(1)} ms to open one, which is not in it`;
}

/** Processor time of a server and all its processes, milliseconds. */
function cpuOfServer(directory: string): number {
  const [parent = ''] = readFileSync(join(directory, 'data', 'postmaster.pid'), 'utf8').split('\n');
  return processGroupMs(parent.trim());
}
