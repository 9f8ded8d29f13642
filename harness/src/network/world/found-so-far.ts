import { allTracebacks } from './settle-platform.js';
import type { WorldPlatform } from './world-platform.js';
import type { FoundSoFar } from './world.js';

/** Items of a page at most. */
const PAGE = 200;

/** Counts what the platform has: campaigns and tracebacks as its staff sees them, and the alerts of each agency. */
export async function foundSoFar({ operator, agencies }: WorldPlatform): Promise<FoundSoFar> {
  const campaigns = await countOf(operator.campaigns.iterate({ limit: PAGE }));
  const tracebacks = await allTracebacks(operator);
  let alerts = 0;
  for (const { client } of agencies.values()) alerts += await countOf(client.alerts.iterate({ limit: PAGE }));
  const concluded = tracebacks.filter(({ state }) => state !== 'open').length;
  return { campaigns, tracebacks: tracebacks.length, concluded, alerts };
}

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const item of items) if (item !== undefined) count += 1;
  return count;
}
