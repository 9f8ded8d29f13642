import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PlatformContext } from '../../harness/src/platform/core/index.js';
import { EVENTS_KEPT_MS } from '../../harness/src/platform/database/index.js';
import { emptyDatabase } from '../support/itg-database.js';
import { createWorldClock } from '../../harness/src/network/world/world.js';
import { startPlatformLab } from '../support/itg-platform.js';
import type { PlatformLab } from '../support/itg-platform.js';

const PATIENT = { timeout: 60_000, interval: 20 };
const HOUR_MS = 3_600_000;
const clock = createWorldClock();

let lab: PlatformLab;
beforeAll(async () => {
  lab = await startPlatformLab({ clock, database: { memory: true, template: await emptyDatabase() } });
});
afterAll(() => lab[Symbol.asyncDispose]());

/** Tells an organization something; it is called by `subject`. */
const told = ({ transact, tell }: PlatformContext, subject: string, organizationId: string): Promise<void> =>
  transact((transaction) =>
    tell(transaction, {
      ...{ type: 'org.hopback.traceback-request.reminded.1', subject, to: [organizationId] },
      data: { requestId: 'req-1', tracebackId: 't-1', dueAt: '2026-10-23T20:05:10.020Z', reminder: 1 },
    }),
  );

test('a platform removes events after a month, but not what an endpoint still waits for', async () => {
  const { context } = lab.platform;
  const member = await lab.join('carrier', 'prv-birch');
  await lab.join('carrier', 'prv-cedar');
  const subjects = async (): Promise<readonly string[]> =>
    (await context.database.selectFrom('core_events').select('subject').orderBy('position').execute()).map(
      ({ subject }) => subject,
    );
  await told(context, 'before there was an endpoint', 'prv-birch');
  const client = await lab.client(member);
  // Nobody is there: what is posted waits for some days, and in these tests for as long as the clock is not moved past them.
  const { endpointId } = await client.webhookEndpoints.create({ url: 'https://receiver.example/hook' });
  await told(context, 'of another', 'prv-cedar');
  await told(context, 'waited for', 'prv-birch');
  await told(context, 'of another, behind', 'prv-cedar');
  clock.advance(EVENTS_KEPT_MS + HOUR_MS);
  await told(context, 'new', 'prv-cedar');
  await expect.poll(subjects, PATIENT).toEqual(['waited for', 'of another, behind', 'new']);
  await client.webhookEndpoints.delete({ endpointId });
  clock.advance(HOUR_MS);
  await expect.poll(subjects, PATIENT).toEqual(['new']);
});
