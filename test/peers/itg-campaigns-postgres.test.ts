import { afterAll, afterEach, beforeAll } from 'vitest';
import { describePeer, peer } from '../peers.js';
import { campaignClaims } from '../support/itg-campaign-claims.js';
import { openCampaignsDatabase } from '../support/itg-campaigns-bench.js';
import { detectorClaims, SMALL_DETECTOR } from '../support/itg-detector-claims.js';
import { startPostgres } from './postgres/start-postgres.js';
import type { RunningPostgres } from './postgres/start-postgres.js';

let server: RunningPostgres;
let opened: Awaited<ReturnType<typeof openCampaignsDatabase>>;

describePeer('postgres', 'PostgreSQL', () => {
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
    opened = await openCampaignsDatabase(server);
  });
  const empty = (): Promise<void> => opened.empty();
  afterEach(empty);
  afterAll(async () => {
    await opened.database.close();
    await server.close();
  });

  campaignClaims('PostgreSQL', () => opened.bench());
  detectorClaims('PostgreSQL', (options = SMALL_DETECTOR) => opened.bench(options), empty);
});
