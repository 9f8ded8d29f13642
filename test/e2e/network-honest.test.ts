import { expect, test } from 'vitest';
import type { NetworkPlan } from '../../harness/src/network/plan/index.js';
import type { RunFacts, SeenCall } from '../../harness/src/oracle/index.js';
import { chain, smallPlan } from '../support/network-plan.js';
import { carriedOut, placed, testWorld } from '../support/network-world.js';

const PATIENCE_MS = 90_000;

const passed = (provider: string) => ({
  ...{ provider, verstat: 'TN-Validation-Passed', attestation: 'A', signerSpc: '101A', reasons: [] },
});

/** The first one has a customer who signs nothing; all others see the signature of the first. */
function expectHonest(facts: RunFacts, plan: NetworkPlan): void {
  expect(facts.troubles).toEqual([]);
  const [first = '', ...others] = plan.providers.map(({ id }) => id);
  for (const call of facts.calls) {
    expect(call).toMatchObject({
      ...{ finalStatus: 200, reasons: [], shownVerstat: 'TN-Validation-Passed' },
      hops: [{ provider: first, reasons: [] }, ...others.map(passed)],
    });
    expect(call.hops[0]?.verstat).toBeUndefined();
    expectJoined(call);
  }
  for (const { provider, stored, streamed, received } of facts.records) {
    const shared = provider === others.at(-1) ? plan.calls.length : 0;
    expect([provider, stored, streamed, received]).toEqual([provider, plan.calls.length, shared, shared]);
  }
}

/** The Call-ID with which one provider sends is that with which the next one receives. */
function expectJoined({ hops }: SeenCall): void {
  for (const [place, hop] of hops.slice(1).entries()) expect(hops[place]?.egressCallIds).toEqual([hop.ingressCallId]);
}

test(
  'three honest providers: verdicts, records and stream, and the traceback that staff opens leads to the origin',
  { timeout: PATIENCE_MS },
  async () => {
    const plan = smallPlan({ providers: chain(3, 0, []), calls: [{}, {}], platform: { staffTracebacks: 1 } });
    const { facts } = await carriedOut({ plan });
    expectHonest(facts, plan);
    expect(facts.tracebacks).toMatchObject([
      {
        ...{ state: 'closed', outcome: { kind: 'origin', provider: 'alder' } },
        answers: [
          { provider: 'cedar', kind: 'received-from', named: 'birch' },
          { provider: 'birch', kind: 'received-from', named: 'alder' },
          { provider: 'alder', kind: 'origin' },
        ],
      },
    ]);
    expect([0, 1]).toContain(facts.tracebacks[0]?.callIndex);
  },
);

test(
  'five honest providers in two processes, and in none: what is seen is the same',
  { timeout: PATIENCE_MS },
  async () => {
    const plan = smallPlan({ providers: chain(5, 0, []), calls: Array.from({ length: 4 }, () => ({})) });
    for (const processes of [0, 2]) {
      await using world = await testWorld({ plan, processes });
      await placed(world, plan.calls);
      await world.settle();
      const facts = await world.facts();
      expect(facts.calls.map(({ hops }) => hops.map(({ provider }) => provider))).toEqual(
        plan.calls.map(() => plan.providers.map(({ id }) => id)),
      );
      expect(facts.records.map(({ provider, stored }) => [provider, stored])).toEqual(
        plan.providers.map(({ id }) => [id, 4]),
      );
      for (const call of facts.calls) expectJoined(call);
    }
  },
);
