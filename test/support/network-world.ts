import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openWorld } from '@hopback/harness';
import type { World, WorldOptions } from '@hopback/harness';
import type { RunFacts, SeenCall } from '../../harness/src/oracle/index.js';

/** Opens a network in a folder of its own, which goes with it. */
export async function testWorld(options: Omit<WorldOptions, 'directory'>): Promise<World> {
  const directory = await mkdtemp(join(tmpdir(), 'hopback-network-'));
  const removed = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const world = await openWorld({ ...options, directory });
    const close = async (): Promise<void> => {
      await world.close();
      await removed();
    };
    return { ...world, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await removed();
    throw error;
  }
}

/** Places all calls of a plan in their time, has everything settle, and says what was seen. */
export async function carriedOut(
  options: Omit<WorldOptions, 'directory'>,
): Promise<{ readonly facts: RunFacts; readonly seen: readonly SeenCall[] }> {
  await using world = await testWorld(options);
  const seen = await placed(world, options.plan.calls);
  await world.settle();
  return { facts: await world.facts(), seen };
}

/** Places calls, each at its time from now on. */
export function placed(world: World, calls: WorldOptions['plan']['calls']): Promise<readonly SeenCall[]> {
  const firstMs = calls[0]?.atMs ?? 0;
  return Promise.all(
    calls.map(async (call) => {
      await new Promise((resolve) => setTimeout(resolve, call.atMs - firstMs));
      return world.place(call);
    }),
  );
}
