import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Demand, DemandSubmission, PlatformClient, Production, Traceback } from '../../sdk/src/platform/index.js';
import { ANSWERED_WAY, SILENT_WAY, type StoryCall } from './itg-story-calls.js';
import { smallPdf, SUBMISSION } from './itg-demands.js';

/** For what comes by itself, on a loaded machine. */
export const PATIENT = { timeout: 120_000, interval: 100 };

/** Says what a robocall says, with a number to call back. */
export const ssaScript = (callBack: string): string =>
  `This call is from the Social Security Administration. Your social security number has been suspended because of suspicious activity in the state of Texas. Call us back at ${callBack} to speak to an officer or a warrant for your arrest will be issued.`;

/** Numbers of calls, by their place in the story. */
export interface StoryNumbers {
  readonly called: (index: number) => string;
  readonly calling: (index: number) => string;
}

/** Calls of the campaign: every other one by way of the provider that is silent, some seconds apart. */
export function campaignCalls(count: number, fromMs: number, { called, calling }: StoryNumbers): readonly StoryCall[] {
  return Array.from({ length: count }, (_, index) => ({
    ...{ index, called: called(index), calling: calling(index), atMs: fromMs + index * 10_000 },
    way: index % 2 === 0 ? ANSWERED_WAY : SILENT_WAY,
  }));
}

/** All tracebacks of a campaign, as staff sees them. */
export async function tracebacksOf(client: PlatformClient, campaignId: string): Promise<readonly Traceback[]> {
  const found: Traceback[] = [];
  for await (const traceback of client.tracebacks.iterate({}))
    if (traceback.campaign?.campaignId === campaignId) found.push(traceback);
  return found;
}

/** Providers of a traceback, from whoever delivered the call on. */
export const hopsOf = ({ hops }: Traceback): readonly (string | undefined)[] =>
  hops.map(({ provider }) => provider.providerId);

/** Submits a demand of Texas with its PDF. */
export function demandOf(client: PlatformClient, scope: DemandSubmission['scope'], comment?: string): Promise<Demand> {
  const { documentSha256: _, ...submission } = SUBMISSION;
  return client.demands.create({
    ...{ ...submission, isUrgent: true, returnOn: '2026-12-15', scope },
    document: smallPdf('/Title (Civil investigative demand)'),
    ...(comment !== undefined && { comment }),
  });
}

/** Waits until what was demanded can be fetched. */
export async function producedUnder(client: PlatformClient, demandId: string): Promise<Production> {
  await expect.poll(async () => (await client.demands.retrieve({ demandId })).state, PATIENT).toBe('produced');
  const { productionIds } = await client.demands.retrieve({ demandId });
  return client.productions.retrieve({ productionId: productionIds[0] ?? '' });
}

/** Fetches all files of a production into a folder, as an agency does. */
export async function fetchProduction(client: PlatformClient, production: Production, folder: string): Promise<void> {
  await mkdir(folder);
  for (const file of production.files) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of client.productions.file({ productionId: production.productionId, file }))
      chunks.push(chunk);
    await writeFile(join(folder, file.name), Buffer.concat(chunks));
  }
}
