import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { campaignsDefinition } from '../../harness/src/platform/campaigns/campaigns-repository.js';
import { DEMANDS_DEFINITION } from '../../harness/src/platform/demands/tables.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { openCampaignsBench } from '../support/itg-campaigns-bench.js';
import { openTestDatabase } from '../support/itg-database.js';
import { detectorClaims, SMALL_DETECTOR } from '../support/itg-detector-claims.js';

let database: OpenedDatabase;
beforeAll(async () => {
  database = await openTestDatabase({ definitions: [campaignsDefinition, DEMANDS_DEFINITION] });
});
const empty = async (): Promise<void> => {
  const campaigns = 'campaigns_calls, campaigns_decisions, campaigns_tracebacks, campaigns_campaigns';
  const snapshots = 'campaigns_snapshots, campaigns_snapshot_a, campaigns_snapshot_b';
  await sql.raw(`truncate ${campaigns}, ${snapshots}, core_events, core_audit, core_sealed`).execute(database.database);
};
afterEach(empty);
afterAll(() => database.close());

detectorClaims('PGlite', (options) => openCampaignsBench(database, options ?? SMALL_DETECTOR), empty);
