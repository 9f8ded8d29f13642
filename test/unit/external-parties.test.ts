import { expect, test } from 'vitest';
import { createCallRoutes } from '../../harness/src/network/node/call-route.js';
import { withExternalParties } from '../../harness/src/network/plan/index.js';
import { judgeRun, type RunFacts, type SeenCall } from '../../harness/src/oracle/index.js';
import { callsCsv } from '../../harness/src/runner/lab/prepare-lab.js';
import { simulateRun } from '../../harness/src/simulation/index.js';
import { rowOf, smallPlan } from '../support/planned-network.js';

const PLAN = withExternalParties(
  smallPlan({ providers: rowOf('a b c'), calls: [{ way: 'a b c' }, { way: 'a b c' }], platform: {} }),
  { providers: ['b'], callers: [] },
);

/** What is seen of the plan: of `b` nothing. */
function facts(change: (call: SeenCall) => SeenCall = (call) => call): RunFacts {
  const seen = simulateRun(PLAN, { traced: [0] });
  const calls = [...seen.calls].map((call) =>
    change({ ...call, hops: call.hops.filter(({ provider }) => provider !== 'b') }),
  );
  const records = seen.records.filter(({ provider }) => provider !== 'b');
  return { ...seen, calls, records, campaigns: [], alerts: [] };
}

test('of a switch of others nothing is missed, and a traceback may end at it, since it has no responder', () => {
  const { findings, metrics } = judgeRun(PLAN, facts());
  expect(findings).toEqual([]);
  expect(metrics.verdict_accuracy).toMatchObject({ good: 2, of: 2 });
  expect(metrics.traceback_fair).toMatchObject({ good: 1, of: 1 });
  expect(metrics.wrong_accusations).toMatchObject({ count: 0 });
});

test('what comes out of it without its Identity is found at the next hop, and said to have come from it', () => {
  const stripped = facts((call) => ({
    ...call,
    hops: call.hops.map((hop) =>
      hop.provider === 'c' ? { ...hop, verstat: 'No-TN-Validation', reasons: ['identity-absent'] } : hop,
    ),
  }));
  const { findings, metrics } = judgeRun(PLAN, stripped);
  expect(metrics.verdict_accuracy).toMatchObject({ good: 0, of: 2 });
  expect(findings[0]).toMatchObject({ kind: 'verdict', provider: 'c', seen: expect.stringMatching(/came from b$/) });
});

test('a call that goes into it and does not come out is lost there', () => {
  const lost = facts((call) => ({
    ...call,
    finalStatus: 503,
    hops: call.hops.filter(({ provider }) => provider === 'a'),
  }));
  expect(judgeRun(PLAN, lost).findings).toContainEqual(
    expect.objectContaining({
      kind: 'call-outcome',
      provider: 'b',
      seen: expect.stringContaining('nothing came out of b'),
    }),
  );
});

test.each([
  ['the true verstat', 'TN-Validation-Passed', 2],
  ['another verstat', 'TN-Validation-Failed', 0],
  ['none', undefined, 0],
] as const)('where it is the last provider, and shows the callee %s, that counts', (_name, shownVerstat, good) => {
  const plan = withExternalParties(PLAN, { providers: ['c'], callers: [] });
  const shown = facts(({ index, placedAtMs = 0, finalStatus = 200, hops }) => ({
    ...{ index, placedAtMs, finalStatus, reasons: [], isAtCallee: true },
    hops: hops.filter(({ provider }) => provider === 'a'),
    ...(shownVerstat !== undefined && { shownVerstat }),
  }));
  // The first hop has signed, and nothing to verify: it does not count.
  expect(judgeRun(plan, shown).metrics.verdict_accuracy).toMatchObject({ good, of: 2 });
});

/** The last provider is a switch of others that has to refuse the call, since the certificate behind its signature has expired. */
const REFUSING = withExternalParties(
  smallPlan({
    providers: rowOf('a b c', { a: [{ kind: 'certificate', fault: 'expired' }] }).map((one) =>
      one.id === 'c' ? { ...one, failureAction: 'reject_request' } : one,
    ),
    calls: [{ way: 'a b c' }],
  }),
  { providers: ['c'], callers: [] },
);

test.each<[string, Partial<SeenCall>, object]>([
  [
    'that it should have refused, and let through',
    { finalStatus: 200, isAtCallee: true },
    { expected: 'the caller gets 437', seen: 'the caller got 200, and the call came out of c to the callee' },
  ],
  [
    'that it let through, and told the caller that it refused it',
    { finalStatus: 437, isAtCallee: true },
    { expected: 'the call ends at c', seen: 'it came to the callee' },
  ],
  [
    'that it refused otherwise',
    { finalStatus: 603 },
    { expected: 'the caller gets 437', seen: 'the caller got 603, and nothing came out of c' },
  ],
])('a call %s is one finding', (_name, change, finding) => {
  const seen = simulateRun(REFUSING);
  const calls = [...seen.calls].map((call): SeenCall => ({
    ...call,
    hops: call.hops.filter(({ provider }) => provider !== 'c'),
    ...change,
  }));
  const { findings, metrics } = judgeRun(REFUSING, { ...seen, calls });
  expect(findings).toEqual([{ kind: 'call-outcome', callIndex: 0, provider: 'c', ...finding }]);
  expect(metrics.calls_wrong).toMatchObject({ count: 1 });
});

test('a switch that blocks a call which it sent to the callee without a verstat is one finding', () => {
  const honest = smallPlan({ providers: rowOf('a b c'), calls: [{ way: 'a b c' }] });
  const plan = withExternalParties(honest, { providers: ['c'], callers: [] });
  const seen = simulateRun(plan);
  const calls = [...seen.calls].map(({ shownVerstat: _none, ...call }): SeenCall => ({
    ...call,
    ...{ finalStatus: 603, isAtCallee: true, hops: call.hops.filter(({ provider }) => provider !== 'c') },
  }));
  expect(judgeRun(plan, { ...seen, calls }).findings).toEqual([
    {
      ...{ kind: 'call-outcome', callIndex: 0, provider: 'c' },
      expected: 'the caller gets 200',
      seen: 'the caller got 603, and the call came out of c to the callee',
    },
  ]);
});

test('a call that was refused where it had to be is no finding', () => {
  const seen = simulateRun(REFUSING);
  expect(judgeRun(REFUSING, seen).findings).toEqual([]);
});

test('whoever is not in the scenario can have no part in it, and a caller of a switch of others is not seen to call', () => {
  const dialer = { id: 'dialer', kind: 'robocaller', at: 'a', numbers: { kind: 'neighbour' }, calls: [] } as const;
  const plan = { ...PLAN, scenario: { ...PLAN.scenario, callers: [dialer] } };
  expect(withExternalParties(plan, { providers: [], callers: ['dialer'] }).externalCallers).toEqual(['dialer']);
  for (const parties of [
    { providers: ['z'], callers: [] },
    { providers: [], callers: ['z'] },
    { providers: ['a'], callers: ['dialer'] },
  ])
    expect(() => withExternalParties(plan, parties)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

test('a call is known behind a switch that hands its field on as it came, and behind one that drops it, by its numbers', () => {
  const numbers = { calling: '12025550100', called: '12125550100' };
  const plan = smallPlan({ providers: rowOf('a b c'), calls: [0, 1].map(() => ({ way: 'a b c', ...numbers })) });
  const routes = createCallRoutes(plan);
  const [first, second] = plan.calls;
  // At b it was at hop 1, and b has left that in the field.
  expect(routes.arriving('1 1', { ...numbers, provider: 'c' })).toEqual({ call: second, hop: 2 });
  expect(routes.arriving('1 1', { ...numbers, provider: 'x' })).toBeUndefined();
  const dropped = [0, 1].map(() => routes.arriving(undefined, { ...numbers, provider: 'c' }));
  expect(dropped).toEqual([
    { call: first, hop: 2 },
    { call: second, hop: 2 },
  ]);
  expect(routes.arriving(undefined, numbers)).toEqual({ call: first, hop: 3 });
});

test('the calls of a caller are written as SIPp reads them', () => {
  const [call] = PLAN.calls;
  expect(
    callsCsv(call === undefined ? [] : [{ ...call, calling: '12', called: '34', atMs: 1_500, durationMs: 200 }]),
  ).toBe('SEQUENTIAL\n0;12;34;1.500;200\n');
});
