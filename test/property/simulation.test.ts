import { expect, test } from 'vitest';
import { judgeRun } from '../../harness/src/oracle/index.js';
import { simulateRun } from '../../harness/src/simulation/index.js';
import { randomNetwork } from '../support/random-network.js';

const NETWORKS = 1_000;

test('no lying provider or colluding pair leads to the accusation of an honest one, and every outcome is a fair one', () => {
  for (let seed = 1; seed <= NETWORKS; seed += 1) {
    const plan = randomNetwork({ seed, calls: 2 });
    const traced = plan.calls.map(({ index }) => index);
    const { findings, metrics } = judgeRun(plan, simulateRun(plan, { traced }));
    expect({ seed, findings }).toEqual({ seed, findings: [] });
    expect(metrics.wrong_accusations).toEqual({ kind: 'count', count: 0 });
  }
}, 120_000);

test('in networks of honest providers every traceback names the origin or the point of entry', () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const honest = randomNetwork({ seed, liars: 0 });
    const plan = {
      ...honest,
      providers: honest.providers.map((one) => ({ ...one, answersTracebacks: one.id !== 'f1' })),
    };
    const traced = plan.calls.map(({ index }) => index);
    const { findings, metrics } = judgeRun(plan, simulateRun(plan, { traced }));
    expect({ seed, findings }).toEqual({ seed, findings: [] });
    expect(metrics.tracebacks).not.toEqual({ kind: 'count', count: 0 });
  }
}, 120_000);
