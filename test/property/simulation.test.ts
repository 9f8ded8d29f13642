import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/index.js';
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

test('whatever call a liar discloses instead, nobody that it names by it is asked, and no outcome is about them', () => {
  let disclosed = 0;
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = new SeededRandom(seed, 'other-call');
    const honest = randomNetwork({ seed, calls: 2, liars: 0, meddlers: 0 });
    const liar = random.pick(honest.calls[0]?.way.slice(1) ?? []);
    const innocent = random.pick(
      honest.providers.filter(({ id }) => !honest.calls.some(({ way }) => way.includes(id))),
    );
    const behaviours = [{ kind: 'names-another', provider: innocent.id, otherCall: true }] as const;
    const plan = {
      ...honest,
      providers: honest.providers.map((one) => (one.id === liar ? { ...one, behaviours } : one)),
    };
    const { tracebacks } = simulateRun(plan, { traced: plan.calls.map(({ index }) => index) });
    for (const { answers, outcome } of tracebacks) {
      disclosed += answers.filter(({ named }) => named === innocent.id).length;
      expect({ seed, asked: answers.map(({ provider }) => provider) }).not.toMatchObject({
        asked: expect.arrayContaining([innocent.id]),
      });
      expect(outcome?.provider).not.toBe(innocent.id);
    }
  }
  expect(disclosed).toBeGreaterThan(100);
}, 120_000);
