import { afterAll, beforeAll } from 'vitest';
import { describePeer, peer } from '../peers.js';
import { contractClaims } from '../support/itg-contract-claims.js';
import { startPostgres } from './postgres/start-postgres.js';
import type { RunningPostgres } from './postgres/start-postgres.js';

describePeer('postgres', 'the contract on PostgreSQL', () => {
  let server: RunningPostgres | undefined;
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
  });
  // Hooks of the end run from the last to the first: the platform closes before its server does.
  afterAll(() => server?.close());
  contractClaims('PostgreSQL', () => server);
});
