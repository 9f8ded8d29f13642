import { expect, test } from 'vitest';
import type { AccessFixture } from '../support/itg-access-call.js';
import { accessMatrix } from '../support/itg-access-matrix.js';
import { accessPage } from '../support/itg-access-table.js';
import { contractClaims } from '../support/itg-contract-claims.js';

const opened = contractClaims('PGlite');

test('the matrix itself finds what a wrong claim about the platform makes a leak', async () => {
  const { lab, members, fixtures } = opened();
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
  const { lab, fixtures } = opened();
  const { routes, roles } = lab.platform;
  // After a change of routes or roles: npx vitest run --config test/vitest.config.ts -u and this file, and look at the difference.
  await expect(accessPage({ routes, roles, fixtures })).toMatchFileSnapshot('../../docs/platform/access.md');
});
