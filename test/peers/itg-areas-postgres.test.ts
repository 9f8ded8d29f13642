import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { describePeer, peer } from '../peers.js';
import { campaignClaims } from '../support/itg-campaign-claims.js';
import { openCampaignsDatabase } from '../support/itg-campaigns-bench.js';
import { contractClaims } from '../support/itg-contract-claims.js';
import { demandClaims } from '../support/itg-demand-claims.js';
import { closeDemandDatabase, openDemandDatabase } from '../support/itg-demands.js';
import { detectorClaims, SMALL_DETECTOR } from '../support/itg-detector-claims.js';
import { startPostgres, type RunningPostgres } from './postgres/start-postgres.js';

describePeer('postgres', 'areas of a platform', () => {
  let server: RunningPostgres | undefined;
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
  });
  // Hooks of the end run from the last to the first: databases and platform close before their server does.
  afterAll(() => server?.close());

  describe('the contract', () => void contractClaims('PostgreSQL', () => server));

  describe('demands', () => {
    beforeAll(() => openDemandDatabase(server));
    afterAll(closeDemandDatabase);
    demandClaims('PostgreSQL');
  });

  describe('campaigns', () => {
    let opened: Awaited<ReturnType<typeof openCampaignsDatabase>>;
    beforeAll(async () => {
      opened = await openCampaignsDatabase(server);
    });
    const empty = (): Promise<void> => opened.empty();
    afterEach(empty);
    afterAll(() => opened.database.close());
    campaignClaims('PostgreSQL', () => opened.bench());
    detectorClaims('PostgreSQL', (options = SMALL_DETECTOR) => opened.bench(options), empty);
  });
});
