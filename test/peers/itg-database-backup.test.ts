import { afterAll, beforeAll } from 'vitest';
import { openPlatformDatabase } from '../../harness/src/platform/database/index.js';
import type { OpenedDatabase } from '../../harness/src/platform/database/index.js';
import { describePeer, peer } from '../peers.js';
import { backupClaims } from '../support/itg-backup-claims.js';
import { emptyDatabase, newDatabase } from '../support/itg-database.js';
import { startPostgres } from './postgres/start-postgres.js';
import type { RunningPostgres } from './postgres/start-postgres.js';

let server: RunningPostgres;

describePeer('postgres', 'PostgreSQL', () => {
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
  });
  afterAll(() => server.close());

  const postgres = async (): Promise<OpenedDatabase> => openPlatformDatabase({ url: await newDatabase(server) });
  const pglite = async (): Promise<OpenedDatabase> =>
    openPlatformDatabase({ memory: true, template: await emptyDatabase() });

  backupClaims('PostgreSQL to PGlite', postgres, pglite);
  backupClaims('PGlite to PostgreSQL', pglite, postgres);
});
