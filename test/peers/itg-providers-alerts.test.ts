import { afterAll, beforeAll, expect, test } from 'vitest';
import { STAFF } from '../support/itg-calls.js';
import { alertClaims, openAlerts } from '../support/itg-alert-claims.js';
import { filingsCsv, openRegistry, registryClaims } from '../support/itg-registry-claims.js';
import { describePeer, peer } from '../peers.js';
import { startPostgres } from './postgres/start-postgres.js';
import type { RunningPostgres } from './postgres/start-postgres.js';

describePeer('postgres', 'registry and alerts on PostgreSQL', () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
  });
  afterAll(() => server.close());

  test('the registry keeps its claims on PostgreSQL', async () => {
    const registry = await openRegistry(server);
    await registryClaims(registry);
    await registry.database.close();
  });

  test('two imports at once leave one registry', async () => {
    const registry = await openRegistry(server);
    const order = { csv: filingsCsv(400), source: 'RMD' };
    const reports = await Promise.all([1, 2].map(() => registry.calls.post(STAFF, '/v1/registry/imports', order)));
    expect(reports.map((report) => Number(report.added)).sort((one, other) => one - other)).toEqual([0, 400]);
    await registry.database.close();
  });

  test('alerts keep their claims on PostgreSQL', async () => {
    const alerts = await openAlerts(server);
    await alertClaims(alerts);
    await alerts.database.close();
  });
});
