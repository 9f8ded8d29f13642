import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AccessFixture } from '../support/itg-access-call.js';
import { accessMatrix } from '../support/itg-access-matrix.js';
import { casesAccess, hearCampaigns } from '../support/itg-access-cases.js';
import { demandsAccess } from '../support/itg-access-demands.js';
import { AUDIT_ACCESS, providersAccess, recordsAccess } from '../support/itg-access-registry.js';
import { accessPage } from '../support/itg-access-table.js';
import { tracebacksAccess } from '../support/itg-access-tracebacks.js';
import { eventsAccess, trustAccess } from '../support/itg-access-trust.js';
import { openAccessWorld } from '../support/itg-access-world.js';
import type { AccessWorld } from '../support/itg-access-world.js';

let world: AccessWorld;
let fixtures: readonly AccessFixture[];
beforeAll(async () => {
  world = await openAccessWorld();
  fixtures = [
    ...[trustAccess(world), eventsAccess(world), AUDIT_ACCESS, providersAccess(world), recordsAccess(world)],
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

test('the matrix itself finds what a wrong claim about the platform makes a leak', async () => {
  const { lab, members } = world;
  const leaksOf = async (
    operationId: string,
    more: Partial<typeof lab.platform>,
    added: readonly AccessFixture[] = [],
  ) => {
    const routes = lab.platform.routes.filter((route) => route.operationId === operationId);
    const changed = { ...lab, platform: { ...lab.platform, routes, ...more } };
    const { leaks } = await accessMatrix(changed, [...added, ...fixtures], members);
    return new Set(leaks.map(({ leak }) => leak?.replace(/ with .*/, '')));
  };
  // A role that the platform does not ask for, an object that others see as well, and a text that everybody is shown.
  expect(await leaksOf('listOrganizations', { roles: new Map([['listOrganizations', 'operator']]) })).toContain('200');
  const operations = ['fetchProvider'];
  const make = async () => [members.own.carrier.organizationId];
  const objects = [{ parameters: ['providerId'], operations, openTo: [], make }];
  expect(await leaksOf('fetchProvider', {}, [{ area: 'test', objects }])).toContain('200 for 404');
  const canaries = () => [{ text: 'businessName', openTo: [] }];
  const shown = [{ area: 'test', objects: [], canaries }];
  expect(await leaksOf('listProviders', {}, shown)).toContain('tells businessName');
}, 300_000);

test('the page of who may call what says what the matrix asks', async () => {
  const { routes, roles } = world.lab.platform;
  // After a change of routes or roles: npx vitest run --config test/vitest.config.ts -u and this file, and look at the difference.
  await expect(accessPage({ routes, roles, fixtures })).toMatchFileSnapshot('../../docs/platform/access.md');
});
