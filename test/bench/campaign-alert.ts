import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';
import type { AlertTables } from '../../harness/src/platform/alerts/alert-tables.js';
import type { LiveRecord } from '../../harness/src/platform/core/index.js';
import {
  FIRST_OPERATOR_CLIENT,
  startReferenceWithAreas,
} from '../../harness/src/platform/reference/reference-platform.js';
import type { ReferenceWithAreas } from '../../harness/src/platform/reference/reference-platform.js';
import { liveCall } from '../support/itg-live-calls.js';
import { platformLab } from '../support/itg-platform.js';

/** Calls of each campaign: with the last of them it is surely found. */
const CALLS = 30;
/** How often it is looked for the alert. */
const LOOK_MS = 10;
const PATIENCE_MS = 60_000;

/**
 * Has a whole platform hear of campaigns one after the other, and takes the time from the record with which each is found to the alert that an agency of the
 * State that is called can read.
 * @returns seconds of each
 */
export async function alertPath(campaigns: number): Promise<readonly number[]> {
  await using platform = await startReferenceWithAreas();
  const { keyId, privateKey } = platform.home.operatorKey;
  const key = { keyId, privateKey, jwk: {}, algorithm: 'ES256' } as const;
  const lab = platformLab(platform, { organizationId: 'itg', clientId: FIRST_OPERATOR_CLIENT, key });
  await lab.join('agency', 'agency-tx');
  const seconds: number[] = [];
  for (let at = 0; at < campaigns; at += 1) {
    const before = await alertsOf(platform);
    const calls = neighbours(at, Date.now());
    const startedMs = performance.now();
    platform.opened.campaigns.listener.records(calls);
    while ((await alertsOf(platform)) === before) {
      if (performance.now() - startedMs > PATIENCE_MS) throw new Error('no alert was raised');
      await wait(LOOK_MS);
    }
    seconds.push((performance.now() - startedMs) / 1_000);
  }
  return seconds;
}

async function alertsOf({ context }: ReferenceWithAreas): Promise<number> {
  const { count } = await context.database
    .withTables<AlertTables>()
    .selectFrom('alerts_alerts')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .where('organization_id', '=', 'agency-tx')
    .executeTakeFirstOrThrow();
  return count;
}

/** Calls to an exchange in Texas that show numbers of it, through a gateway of the campaign's own. */
function neighbours(campaign: number, nowMs: number): readonly LiveRecord[] {
  return Array.from({ length: CALLS }, (_, call) => {
    const exchange = `1214${String(200 + call)}`;
    return liveCall({
      ...{ at: campaign * 1_000 + call, atMs: nowMs - (CALLS - call) * 200, providerId: 'prv-1' },
      ...{ calling: `${exchange}${String(1_000 + campaign)}`, called: `${exchange}${String(6_000 + campaign)}` },
      ...{
        spc: `${String(300 + campaign)}C`,
        upstream: `Gateway ${String(campaign)}`,
        trunk: `in-${String(campaign)}`,
      },
      attestation: 'C',
    });
  });
}
