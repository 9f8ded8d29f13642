import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { campaignsDefinition } from '../../harness/src/platform/campaigns/campaigns-repository.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { DEMANDS_DEFINITION } from '../../harness/src/platform/demands/tables.js';
import { describePeer, peer } from '../peers.js';
import { campaignClaims } from '../support/itg-campaign-claims.js';
import { openCampaignsBench } from '../support/itg-campaigns-bench.js';
import { detectorClaims, SMALL_DETECTOR } from '../support/itg-detector-claims.js';
import { openTestDatabase } from '../support/itg-database.js';
import { startPostgres } from './postgres/start-postgres.js';
import type { RunningPostgres } from './postgres/start-postgres.js';

let server: RunningPostgres;
let database: OpenedDatabase;

describePeer('postgres', 'PostgreSQL', () => {
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
    database = await openTestDatabase({ server, definitions: [campaignsDefinition, DEMANDS_DEFINITION] });
  });
  const empty = async (): Promise<void> => {
    const campaigns = 'campaigns_calls, campaigns_decisions, campaigns_tracebacks, campaigns_campaigns, demands_holds';
    const snapshots = 'campaigns_snapshots, campaigns_snapshot_a, campaigns_snapshot_b';
    await sql
      .raw(`truncate ${campaigns}, ${snapshots}, core_events, core_audit, core_sealed`)
      .execute(database.database);
  };
  afterEach(empty);
  afterAll(async () => {
    await database.close();
    await server.close();
  });

  campaignClaims('PostgreSQL', () => openCampaignsBench(database));
  detectorClaims('PostgreSQL', (options) => openCampaignsBench(database, options ?? SMALL_DETECTOR), empty);
});
