import { performance } from 'node:perf_hooks';
import { generateNetwork, planNetwork } from '../../harness/src/network/plan/index.js';
import type { NetworkPlan, PlannedCall } from '../../harness/src/network/plan/index.js';
import { judgeRun, type MetricName, type OracleReport, type SeenTraceback } from '../../harness/src/oracle/index.js';
import { simulateRun } from '../../harness/src/simulation/index.js';
import { seededDice } from '../../sdk/src/testing/platform/platform-faults.js';
import { smallPlan } from '../support/planned-network.js';
import { randomNetwork } from '../support/random-network.js';
import { sized, type Bench, type BenchContext, type Figure } from './bench.js';
import { drawCall, growCarriers, type CarrierGraph } from './platform-carriers.js';

/** Providers in the Robocall Mitigation Database, rounded. */
const CARRIERS = 7_000;
const CALLS = { quick: 100_000, short: 100_000, full: 1_000_000 };
const TRACEBACKS = { quick: 100, short: 200, full: 1_000 };
const NETWORKS = { quick: 50, short: 200, full: 1_000 };
const TRACED_OF_SHARES = { quick: 300, short: 300, full: 2_000 };
/** Shares of carriers that take part, the largest first, and in how many calls the originator is known then: Jäger, CCS 2024. */
const SHARES = [
  { percent: 1, known: 20 },
  { percent: 10, known: 53 },
  { percent: 20, known: 70 },
  { percent: 30, known: 83 },
] as const;

/** A network as large as that of the United States, and tracebacks in it, without SIP. */
export const bench: Bench = {
  name: 'simulation',
  description:
    '7,000 carriers and a million calls (a tenth of it in short form) planned, carried out without SIP and judged; tracebacks with liars; and what is known where only the largest carriers take part',
  figures: [
    ...['run', 'oracle per million calls', 'memory', 'same summary'],
    ...['wrong accusations', 'fair outcomes', 'origin found, all answer', 'wrong accusations of random networks'],
    ...SHARES.flatMap(({ percent }) => [
      `origin known, ${percent} % take part`,
      `origin reached, ${percent} % take part`,
    ]),
  ],
  quick: { seconds: 35 },
  run: measure,
};

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  yield* nation(context);
  yield* liars(context);
  yield* participation(context);
}

const MILLION = 1_000_000;

function* nation(context: BenchContext): Generator<Figure> {
  const { progress } = context;
  const options = { carriers: CARRIERS, seed: 8, calls: sized(context, CALLS), seconds: 3_600 };
  const [began, cpuBefore] = [performance.now(), cpuSeconds()];
  const plan = planNetwork(generateNetwork(options));
  progress(`${plan.calls.length} calls planned in ${seconds(began)} s`);
  const facts = simulateRun(plan, { tracebacks: sized(context, TRACEBACKS) });
  progress(`carried out, ${facts.tracebacks.length} tracebacks conducted, after ${seconds(began)} s`);
  const cpuJudged = cpuSeconds();
  const report = judgeRun(plan, facts);
  // One thread, so that this is what it takes by the clock on a machine that does nothing else.
  const [run, oracle] = [cpuSeconds() - cpuBefore, cpuSeconds() - cpuJudged];
  const sizes = `${plan.calls.length} calls over ${CARRIERS} carriers, ${facts.tracebacks.length} of them traced`;
  const note = `${sizes}; ${seconds(began)} s by the clock`;
  yield { figure: 'run', value: run, unit: 's of a processor', bar: { valueAtMost: 300 }, note };
  yield {
    figure: 'oracle per million calls',
    ...{ value: (oracle * MILLION) / plan.calls.length, unit: 's of a processor', bar: { valueAtMost: 30 } },
  };
  yield {
    figure: 'memory',
    value: process.memoryUsage().rss / 2 ** 20,
    unit: 'MiB',
    note: 'of the process, plan included',
  };
  yield {
    figure: 'wrong accusations',
    value: countOf(report, 'wrong_accusations'),
    unit: 'accusations',
    bar: { valueAtMost: 0 },
  };
  yield {
    figure: 'fair outcomes',
    value: 100 * rateOf(report, 'traceback_fair'),
    unit: '%',
    bar: { valueAtLeast: 100 },
  };
  for (const finding of report.findings.slice(0, 5)) progress(JSON.stringify(finding));
  const again = planNetwork(generateNetwork({ ...options, calls: CALLS.short / 10 }));
  const summary = (one: NetworkPlan): string => JSON.stringify(judgeRun(one, simulateRun(one, { tracebacks: 50 })));
  const other = planNetwork(generateNetwork({ ...options, calls: CALLS.short / 10 }));
  yield {
    figure: 'same summary',
    ...{ value: summary(again) === summary(other) ? 1 : 0, unit: 'of 1', bar: { valueAtLeast: 1 } },
    note: `two runs of one seed, ${again.calls.length} calls`,
  };
  const honest = planNetwork(generateNetwork({ ...options, calls: CALLS.short / 10, silent: 0, lying: 0 }));
  const found = judgeRun(honest, simulateRun(honest, { tracebacks: sized(context, TRACEBACKS) }));
  yield {
    figure: 'origin found, all answer',
    ...{ value: 100 * rateOf(found, 'traceback_origin_correct'), unit: '%', bar: { valueAtLeast: 99 } },
    note: `${countOf(found, 'tracebacks')} tracebacks`,
  };
}

function* liars(context: BenchContext): Generator<Figure> {
  const networks = sized(context, NETWORKS);
  let [accusations, tracebacks] = [0, 0];
  for (let seed = 1; seed <= networks; seed += 1) {
    const plan = randomNetwork({ seed, calls: 3 });
    const report = judgeRun(plan, simulateRun(plan, { tracebacks: 3 }));
    accusations += countOf(report, 'wrong_accusations');
    tracebacks += countOf(report, 'tracebacks');
  }
  yield {
    figure: 'wrong accusations of random networks',
    ...{ value: accusations, unit: 'accusations', bar: { valueAtMost: 0 } },
    note: `${networks} networks with liars, colluding pairs, silent and late providers; ${tracebacks} tracebacks`,
  };
}

function* participation(context: BenchContext): Generator<Figure> {
  const graph = growCarriers(CARRIERS, seededDice(2_026));
  const calls = sized(context, TRACED_OF_SHARES);
  for (const { percent, known } of SHARES) {
    const plan = partlyAnswering(graph, { percent, calls });
    const { tracebacks } = simulateRun(plan, { tracebacks: calls, neighbours: 'answering' });
    const onRecord = plan.calls.filter((call) => isOriginOnRecord(plan, call)).length;
    const reached = tracebacks.filter((traceback) => isOriginReached(plan, traceback)).length;
    const jaeger = { unit: '%', baseline: 'Jäger', baselineValue: known, note: `${calls} calls` };
    const onePercent = calls / 100;
    yield {
      ...{ figure: `origin known, ${percent} % take part`, ...jaeger },
      ...{ value: onRecord / onePercent, bar: { valueAtLeast: known } },
    };
    yield { figure: `origin reached, ${percent} % take part`, ...jaeger, value: reached / onePercent };
  }
}

/** A network of which the largest part answers and shares its records, and the others do neither. */
function partlyAnswering(
  graph: CarrierGraph,
  { percent, calls }: { readonly percent: number; readonly calls: number },
): NetworkPlan {
  const answering = new Set(graph.bySize.slice(0, Math.round((graph.bySize.length * percent) / 100)));
  const dice = seededDice(11);
  const ways = Array.from({ length: calls }, () => drawCall(graph, dice).toReversed());
  const onAWay = [...new Set(ways.flat())];
  return smallPlan({
    providers: onAWay.map((carrier) => ({
      id: `c${carrier}`,
      role: 'transit',
      answersTracebacks: answering.has(carrier),
      shares: answering.has(carrier) ? 'all' : 'nothing',
    })),
    calls: ways.map((way, index) => ({
      way: way.map((carrier) => `c${carrier}`).join(' '),
      calling: String(12_025_000_000 + index),
      called: String(13_125_000_000 + index),
    })),
  });
}

/** Whether a record that somebody shares names the provider that a call began with: its own, or that of the next. */
function isOriginOnRecord({ providers }: NetworkPlan, { way }: PlannedCall): boolean {
  const [first, second] = way.map((id) => providers.find((one) => one.id === id)?.answersTracebacks === true);
  return first === true || second === true;
}

/** Whether the one traceback that begins at the terminating provider comes as far as to the provider that the call began with. */
function isOriginReached({ calls }: NetworkPlan, { callIndex, outcome, answers }: SeenTraceback): boolean {
  const origin = calls[callIndex]?.way[0];
  return outcome?.provider === origin || answers.some(({ named }) => named === origin);
}

/** Of this process since it began: what it takes on a machine that does nothing else. */
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / MILLION;
};

const seconds = (sinceMs: number): number => Math.round(performance.now() - sinceMs) / 1_000;

function countOf({ metrics }: OracleReport, name: MetricName): number {
  const metric = metrics[name];
  return metric.kind === 'count' ? metric.count : Number.NaN;
}

function rateOf({ metrics }: OracleReport, name: MetricName): number {
  const metric = metrics[name];
  return metric.kind === 'rate' ? metric.value : Number.NaN;
}
