import { openWorld, type WorldOptions } from '@hopback/harness';
import { expect, test } from 'vitest';
import type { NetworkPlan } from '../../harness/src/network/plan/index.js';
import type { RunFacts, SeenCall, SeenTraceback } from '../../harness/src/oracle/index.js';
import type { Behaviour } from '../../harness/src/scenario/index.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { rowOf, smallPlan, type SmallPlan } from '../support/planned-network.js';

// The shipped scenarios run every other behaviour, and the oracle checks what comes of it: see scenarios-*.test.ts.

const PATIENCE_MS = 120_000;

/** Behaviours of originating providers, with the verdict of the terminating one. */
const ORIGINS: Readonly<Record<string, { readonly behaviour: Behaviour; readonly last: object }>> = {
  untrusted: { behaviour: { kind: 'certificate', fault: 'untrusted' }, last: { verstat: 'TN-Validation-Failed' } },
  'wrong-spc': {
    behaviour: { kind: 'certificate', fault: 'wrong-spc' },
    last: { verstat: 'TN-Validation-Passed', signerSpc: '999Z' },
  },
  dead: { behaviour: { kind: 'certificate-server', fault: 'dead' }, last: { verstat: 'No-TN-Validation' } },
  slow: { behaviour: { kind: 'certificate-server', fault: 'slow' }, last: { verstat: 'No-TN-Validation' } },
  hostile: { behaviour: { kind: 'certificate-server', fault: 'hostile' }, last: { verstat: 'No-TN-Validation' } },
};

/** Behaviours of transit providers, with their answer to a traceback. */
const MIDDLES: Readonly<Record<string, { readonly behaviour: Behaviour; readonly kind: string }>> = {
  refuses: { behaviour: { kind: 'refuses', reason: 'Bring a subpoena.' }, kind: 'refused' },
  claims: { behaviour: { kind: 'claims-origin' }, kind: 'origin' },
  denies: { behaviour: { kind: 'denies' }, kind: 'not-found' },
};

const WAYS = [
  ...Object.keys(ORIGINS).map((id) => `${id} cedar`),
  ...Object.keys(MIDDLES).map((id) => `alder ${id} cedar`),
];
const numbers = ['1202555'];
const plan = worldPlan({
  providers: [
    { id: 'alder', role: 'originating', numbers },
    ...Object.entries(ORIGINS).map(
      ([id, { behaviour }]) => ({ id, role: 'originating', numbers, behaviours: [behaviour] }) as const,
    ),
    ...Object.entries(MIDDLES).map(
      ([id, { behaviour }]) => ({ id, role: 'transit', behaviours: [behaviour] }) as const,
    ),
    { id: 'cedar', role: 'terminating' },
  ],
  calls: WAYS.map((way) => ({ way, atMs: 0 })),
  platform: { staffTracebacks: WAYS.length },
});

test(
  'certificate faults decide verdicts, and tracebacks get the answers of refusing and lying providers',
  { timeout: PATIENCE_MS },
  async () => {
    const facts = await carriedOut({ plan });
    expect(facts.troubles).toEqual([]);
    const indexOf = (id: string): number => plan.calls.findIndex(({ way }) => way.includes(id));
    for (const [id, { last }] of Object.entries(ORIGINS)) {
      const call = facts.calls[indexOf(id)] as SeenCall;
      expect([id, call.finalStatus, call.hops.at(-1)]).toMatchObject([id, 200, last]);
    }
    for (const [id, { kind }] of Object.entries(MIDDLES)) {
      const traceback = facts.tracebacks.find(({ callIndex }) => callIndex === indexOf(id)) as SeenTraceback;
      expect(traceback.state).toBe('closed');
      expect(traceback.answers.find(({ provider }) => provider === id)).toMatchObject({ kind });
    }
  },
);

test(
  'honest providers in two processes pass calls on and store a record of each',
  { timeout: PATIENCE_MS },
  async () => {
    const way = 'alder birch cedar dune elm';
    const honest = worldPlan({ providers: rowOf(way), calls: [0, 50, 100, 150].map((atMs) => ({ way, atMs })) });
    const facts = await carriedOut({ plan: honest, processes: 2 });
    for (const { hops } of facts.calls) {
      expect(hops.map(({ provider }) => provider)).toEqual(way.split(' '));
      // A provider receives a call with the Call-ID that the one before has sent.
      for (const [place, hop] of hops.slice(1).entries())
        expect(hops[place]?.egressCallIds).toEqual([hop.ingressCallId]);
    }
    const stored = facts.records.map((one) => [one.provider, one.stored]);
    expect(stored).toEqual(way.split(' ').map((id) => [id, honest.calls.length]));
  },
);

/** A small plan with callers at the beginning of each way and called numbers at its end, so that a world can run it. */
function worldPlan(small: SmallPlan): NetworkPlan {
  const by = smallPlan(small);
  const ways = by.calls.map(({ way }) => way);
  const [at = '', end = ''] = [ways[0]?.[0], ways[0]?.at(-1)];
  return {
    ...by,
    scenario: {
      ...by.scenario,
      callers: [{ id: 'caller', kind: 'robocaller', at, numbers: { kind: 'invalid' }, calls: ['phones'] }],
      called: [{ id: 'phones', at: end, first: '13125550100', count: 100 }],
    },
    providers: by.providers.map((provider) => ({
      ...provider,
      callers: ways.some(([first]) => first === provider.id) ? ['caller'] : [],
      serves: ways.some((way) => way.at(-1) === provider.id) ? ['phones'] : [],
    })),
    calls: by.calls.map((call) => ({ ...call, durationMs: 200 })),
  };
}

/** Opens a network in a folder of its own, places all calls of its plan at once, and collects the facts. */
async function carriedOut(options: Omit<WorldOptions, 'directory'>): Promise<RunFacts> {
  await using directory = await createTemporaryDirectory();
  await using world = await openWorld({ ...options, directory: directory.path });
  await Promise.all(options.plan.calls.map((call) => world.place(call)));
  await world.settle();
  return await world.facts();
}
