import { afterAll, beforeAll } from 'vitest';
import { describePeer, peer } from '../peers.js';
import { openRecordsLab } from '../support/itg-records-area.js';
import { recordsClaims } from '../support/itg-records-claims.js';
import { startPostgres, type RunningPostgres } from './postgres/start-postgres.js';

let server: RunningPostgres;

describePeer('postgres', 'live data on PostgreSQL', () => {
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
  });
  afterAll(() => server.close());

  recordsClaims(() => openRecordsLab(server));
});
