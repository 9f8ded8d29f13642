import { afterAll, beforeAll } from 'vitest';
import { describePeer, peer } from '../peers.js';
import { demandClaims } from '../support/itg-demand-claims.js';
import { closeDemandDatabase, openDemandDatabase } from '../support/itg-demands.js';
import { startPostgres, type RunningPostgres } from './postgres/start-postgres.js';

describePeer('postgres', 'demands on PostgreSQL', () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
    await openDemandDatabase(server);
  });
  afterAll(async () => {
    await closeDemandDatabase();
    await server.close();
  });

  demandClaims('PostgreSQL');
});
