import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AccessFixture } from '../support/itg-access-call.js';
import { accessMatrix } from '../support/itg-access-matrix.js';
import { casesAccess, hearCampaigns } from '../support/itg-access-cases.js';
import { demandsAccess } from '../support/itg-access-demands.js';
import { AUDIT_ACCESS, providersAccess, recordsAccess } from '../support/itg-access-registry.js';
import { accessPage } from '../support/itg-access-table.js';
import { tracebacksAccess } from '../support/itg-access-tracebacks.js';
import { EVENTS_ACCESS, TRUST_ACCESS } from '../support/itg-access-trust.js';
import { openAccessWorld } from '../support/itg-access-world.js';
import type { AccessWorld } from '../support/itg-access-world.js';

let world: AccessWorld;
let fixtures: readonly AccessFixture[];
beforeAll(async () => {
  world = await openAccessWorld();
  fixtures = [
    ...[TRUST_ACCESS, EVENTS_ACCESS, AUDIT_ACCESS, providersAccess(world), recordsAccess(world)],
    ...[tracebacksAccess(world), demandsAccess(world), casesAccess(world, await hearCampaigns(world))],
  ];
}, 240_000);
afterAll(() => world[Symbol.asyncDispose]());

test(
  'every route of every area answers strangers with 401, those without scope or role with 403, and about what belongs to others with 404',
  { timeout: 900_000 },
  async () => {
    const { cells, leaks, untried } = await accessMatrix(world.lab, fixtures, world.members);
    const { routes } = world.lab.platform;
    console.log(`access matrix: ${cells.length} cells over ${routes.length} routes, ${leaks.length} leaks`);
    expect(leaks).toEqual([]);
    expect(untried).toEqual([]);
  },
);

test('the page of who may call what says what the matrix asks', async () => {
  const { routes, roles } = world.lab.platform;
  // After a change of routes or roles: npx vitest run --config test/vitest.config.ts -u and this file, and look at the difference.
  await expect(accessPage({ routes, roles, fixtures })).toMatchFileSnapshot('../../docs/platform/access.md');
});
