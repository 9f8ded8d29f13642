import { readShippedScenario, runScenario, type RunResult } from '@hopback/harness';
import { sized, type Bench, type BenchContext, type Figure } from './bench.js';

/** Runs over SIP with a provider that names somebody else, and with two that say the same: of half a minute of calls some seconds each. */
export const bench: Bench = {
  name: 'liars',
  description:
    '20 runs over SIP (2 in quick form), each with another seed, in which a provider lies or two collude: who is accused',
  figures: ['wrong accusations over SIP', 'fair outcomes over SIP', 'disputed over SIP'],
  quick: { seconds: 40 },
  run: measure,
};

const SCENARIOS = ['lying-provider', 'colluding-neighbours'] as const;
const RUNS = { quick: 2, short: 20, full: 100 };
const SCALE = 1 / 6;

async function* measure(context: BenchContext): AsyncGenerator<Figure> {
  const runs = sized(context, RUNS);
  const counted = { tracebacks: 0, wrong: 0, fair: 0, disputed: 0, trouble: 0 };
  for (let seed = 1; seed <= runs; seed += 1) {
    const name = SCENARIOS[seed % SCENARIOS.length] ?? SCENARIOS[0];
    const result = await runScenario(await readShippedScenario(name), { seed, scale: SCALE });
    counted.tracebacks += countOf(result, 'tracebacks');
    counted.wrong += countOf(result, 'wrong_accusations');
    counted.disputed += countOf(result, 'disputed');
    counted.fair += countOf(result, 'traceback_fair');
    counted.trouble += countOf(result, 'calls_wrong') + countOf(result, 'troubles');
    context.progress(
      `liars: run ${seed} of ${runs}, ${name}: ${result.verdict}, ${counted.wrong} wrong accusations so far`,
    );
  }
  const { tracebacks, wrong, fair, disputed, trouble } = counted;
  const note = `${tracebacks} tracebacks in ${runs} runs; ${trouble} calls wrong or troubles of the network itself`;
  yield { figure: 'wrong accusations over SIP', value: wrong, unit: 'accusations', bar: { valueAtMost: 0 }, note };
  yield { figure: 'fair outcomes over SIP', value: fair, unit: 'tracebacks', bar: { valueAtLeast: tracebacks }, note };
  yield { figure: 'disputed over SIP', value: disputed, unit: 'tracebacks', note };
}

/** A count, or of a rate how many were good. */
function countOf({ oracle }: RunResult, name: keyof RunResult['oracle']['metrics']): number {
  const metric = oracle.metrics[name];
  return metric.kind === 'rate' ? metric.good : metric.count;
}
