import { createManualClock } from '@hopback/sdk/testing';
import type { SeenTraceback } from '../../harness/src/oracle/index.js';
import { runPlan } from '../../harness/src/runner/index.js';
import type { RunOptions, RunResult } from '../../harness/src/runner/index.js';
import { fakeParts } from './fake-world.js';
import { samplePlan } from './run-plan-samples.js';

/** Tracebacks of the sample's calls: one that a liar led astray, one that silence ended, one that came to the truth. */
export const SAMPLE_TRACEBACKS: readonly SeenTraceback[] = [
  {
    ...{ tracebackId: 't-1', callIndex: 0, state: 'concluded', openedAtMs: 0, concludedAtMs: 90_000_000 },
    outcome: { kind: 'origin', provider: 'dune' },
    answers: [
      { provider: 'alder', kind: 'upstream', named: 'birch', afterMs: 40_000 },
      { provider: 'birch', kind: 'upstream', named: 'elm', afterMs: 70_000 },
      { provider: 'elm', kind: 'upstream', named: 'dune', afterMs: 80_000 },
      { provider: 'dune', kind: 'not-found', afterMs: 3_600_000 },
    ],
  },
  {
    ...{ tracebackId: 't-2', callIndex: 2, state: 'concluded', openedAtMs: 0, concludedAtMs: 90_000_000 },
    outcome: { kind: 'disputed' },
    answers: [
      { provider: 'alder', kind: 'upstream', named: 'birch', afterMs: 41_000 },
      { provider: 'birch', kind: 'silent', afterMs: 86_400_000 },
    ],
  },
  {
    ...{ tracebackId: 't-3', callIndex: 1, state: 'concluded', openedAtMs: 0, concludedAtMs: 90_000_000 },
    outcome: { kind: 'origin', provider: 'dune' },
    answers: [
      { provider: 'alder', kind: 'upstream', named: 'birch', afterMs: 41_000 },
      { provider: 'birch', kind: 'upstream', named: 'dune', afterMs: 50_000 },
      { provider: 'dune', kind: 'origin', afterMs: 60_000 },
    ],
  },
];

/** Carries out a plan of 40 calls with all that a report can show: liars, wrong verdicts, a call that fails, tracebacks. */
export async function toldRun(options: RunOptions = {}): Promise<RunResult> {
  const clock = createManualClock();
  const plan = samplePlan({
    ...{ calls: 40, everyMs: 250 },
    behaviours: {
      elm: [{ kind: 'names-another', provider: 'dune' }],
      birch: [{ kind: 'silent', share: 0.5 }, { kind: 'strips-identity', fromSeconds: 4, untilSeconds: 6 }],
    },
    thresholds: {
      ...{ verdict_accuracy: ['rate==1'], wrong_accusations: ['count==0'], calls_wrong: ['count<=1'] },
      call_setup_ms: ['p(99)<50'],
    },
  });
  const parts = fakeParts({
    ...{ clock, tracebacks: SAMPLE_TRACEBACKS },
    spoil: (seen) => {
      if (seen.index === 6) return { ...seen, finalStatus: 503 };
      if (seen.index % 17 !== 4) return seen;
      const hops = seen.hops.map((hop) =>
        hop.provider === 'alder' ? { ...hop, verstat: 'No-TN-Validation' as const } : hop,
      );
      return { ...seen, hops };
    },
  });
  let isOver = false;
  const run = runPlan(plan, { clock, parts, ...options }).finally(() => (isOver = true));
  const pass = async (): Promise<void> => {
    while (!isOver) {
      clock.advance(50);
      // eslint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const [result] = await Promise.all([run, pass()]);
  return result;
}
