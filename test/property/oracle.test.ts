import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/index.js';
import { withExternalParties, type NetworkPlan } from '../../harness/src/network/plan/index.js';
import { networkTruth } from '../../harness/src/network/truth/index.js';
import { judgeRun, type Finding, type RunFacts } from '../../harness/src/oracle/index.js';
import { simulateRun } from '../../harness/src/simulation/index.js';
import { randomNetwork } from '../support/random-network.js';

const NETWORKS = 60;

/** Plants one discrepancy. @returns undefined if the run has nothing of the kind */
type Plant = (
  seen: RunFacts,
  about: { readonly plan: NetworkPlan; readonly random: SeededRandom },
) => RunFacts | undefined;

const VERSTATS = ['TN-Validation-Passed', 'TN-Validation-Failed', 'No-TN-Validation'] as const;

const wrongVerdict: Plant = (seen, { plan, random }) => {
  const truth = networkTruth(plan);
  const places = seen.calls.flatMap((call) =>
    truth.carried(plan.calls[call.index] ?? fail()).hops.flatMap(({ verdict, provider }, place) => {
      const wrong = VERSTATS.filter((verstat) => !verdict.verstat.includes(verstat));
      return wrong.map((verstat) => ({ index: call.index, place, provider, verstat }));
    }),
  );
  if (places.length === 0) return undefined;
  const chosen = random.pick(places);
  const { index, place: at, verstat } = chosen;
  const calls = seen.calls.map((call) => ({
    ...call,
    hops: call.hops.map((hop, place) => (call.index === index && place === at ? { ...hop, verstat } : hop)),
  }));
  return { ...seen, calls };
};

const wrongEnd: Plant = (seen, { random }) => {
  const { index } = random.pick(seen.calls);
  return { ...seen, calls: seen.calls.map((call) => (call.index === index ? { ...call, finalStatus: 299 } : call)) };
};

const recordLeftOut: Plant = (seen, { plan, random }) => {
  const truth = networkTruth(plan);
  const kept = plan.calls.flatMap((call) =>
    truth
      .carried(call)
      .hops.flatMap(({ record, isCertain, provider }) => (record === 'kept' && isCertain ? [provider] : [])),
  );
  const provider = random.pick(kept);
  const least = kept.filter((one) => one === provider).length;
  const records = seen.records.map((one) => (one.provider === provider ? { ...one, stored: least - 1 } : one));
  return { ...seen, records };
};

const wrongAccusation: Plant = (seen, { plan, random }) => {
  const truth = networkTruth(plan);
  const places = seen.tracebacks.flatMap(({ tracebackId, callIndex }) =>
    truth.ofCall(plan.calls[callIndex] ?? fail()).innocent.map((provider) => ({ tracebackId, provider })),
  );
  if (places.length === 0) return undefined;
  const { tracebackId, provider } = random.pick(places);
  const outcome = { kind: random.pick(['origin', 'point-of-entry']), provider };
  const tracebacks = seen.tracebacks.map((one) => (one.tracebackId === tracebackId ? { ...one, outcome } : one));
  return { ...seen, tracebacks };
};

test.for([
  ['verdict', wrongVerdict],
  ['call-outcome', wrongEnd],
  ['record', recordLeftOut],
  ['accusation', wrongAccusation],
] as const satisfies readonly (readonly [Finding['kind'], Plant])[])(
  'whatever the network is, one planted change is one finding: %s',
  { timeout: 60_000 },
  ([kind, plant]) => {
    let planted = 0;
    for (let seed = 1; seed <= NETWORKS; seed += 1) {
      const plan = randomNetwork({ seed, calls: 3 });
      const facts = simulateRun(plan, { traced: [0] });
      const about = { plan, random: new SeededRandom(seed, kind) };
      const seen = plant({ campaigns: [], alerts: [], ...facts, calls: [...facts.calls] }, about);
      if (seen === undefined) continue;
      planted += 1;
      const kinds = judgeRun(plan, seen).findings.map((finding) => finding.kind);
      expect({ seed, kinds }).toEqual({ seed, kinds: [kind] });
    }
    expect(planted).toBeGreaterThan(NETWORKS / 2);
  },
);

test('whatever the network is, a call that a switch of others should have refused, and let through, is one finding', () => {
  let planted = 0;
  for (let seed = 1; seed <= 400; seed += 1) {
    const honest = randomNetwork({ seed, calls: 3, liars: 0 });
    const refused = honest.calls.flatMap((call) => {
      const last = networkTruth(honest).carried(call).hops.at(-1);
      return last !== undefined && 'refusedWith' in last.to ? [{ call, provider: last.provider }] : [];
    });
    const [chosen] = refused;
    if (chosen === undefined) continue;
    planted += 1;
    const { provider, call } = chosen;
    const plan = withExternalParties(honest, { providers: [provider], callers: [] });
    const facts = simulateRun(plan);
    const calls = [...facts.calls].map((seen) => ({
      ...seen,
      hops: seen.hops.filter((hop) => hop.provider !== provider),
      ...(seen.index === call.index && { finalStatus: 200, isAtCallee: true }),
    }));
    const { findings } = judgeRun(plan, { ...facts, calls });
    expect({ seed, kinds: findings.map(({ kind }) => kind) }).toEqual({ seed, kinds: ['call-outcome'] });
    expect(findings[0]?.seen).not.toContain('nothing came out');
  }
  expect(planted).toBeGreaterThan(20);
}, 60_000);

function fail(): never {
  throw new Error('a call that the plan does not have');
}
