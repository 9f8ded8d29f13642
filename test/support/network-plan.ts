import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWorld, type WorldOptions } from '@hopback/harness';
import type { NetworkPlan } from '../../harness/src/network/plan/index.js';
import type { RunFacts } from '../../harness/src/oracle/index.js';
import { smallPlan, type SmallPlan } from './planned-network.js';

/** A small plan with callers at the beginning of each way and called numbers at its end, so that a world can run it. */
export function worldPlan(small: SmallPlan): NetworkPlan {
  const plan = smallPlan(small);
  const ways = plan.calls.map(({ way }) => way);
  const [at = '', end = ''] = [ways[0]?.[0], ways[0]?.at(-1)];
  return {
    ...plan,
    scenario: {
      ...plan.scenario,
      callers: [{ id: 'caller', kind: 'robocaller', at, numbers: { kind: 'invalid' }, calls: ['phones'] }],
      called: [{ id: 'phones', at: end, first: '13125550100', count: 100 }],
    },
    providers: plan.providers.map((provider) => ({
      ...provider,
      callers: ways.some(([first]) => first === provider.id) ? ['caller'] : [],
      serves: ways.some((way) => way.at(-1) === provider.id) ? ['phones'] : [],
    })),
    calls: plan.calls.map((call) => ({ ...call, durationMs: 200 })),
  };
}

/** Opens a network in a folder of its own, places all calls of its plan in their time, and collects the facts. */
export async function carriedOut(options: Omit<WorldOptions, 'directory'>): Promise<RunFacts> {
  const { calls } = options.plan;
  const directory = await mkdtemp(join(tmpdir(), 'hopback-network-'));
  try {
    await using world = await openWorld({ ...options, directory });
    const firstMs = calls[0]?.atMs ?? 0;
    await Promise.all(
      calls.map(async (call) => {
        await new Promise((resolve) => setTimeout(resolve, call.atMs - firstMs));
        await world.place(call);
      }),
    );
    await world.settle();
    return await world.facts();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
