import { expect, test } from 'vitest';
import type { ServedRoute } from '../../harness/src/platform/core/index.js';
import { accessMatrix, objectOf, SCOPES, type AccessFixture } from '../support/itg-access-matrix.js';
import { contractClaims, type ContractWorld } from '../support/itg-contract-claims.js';

const opened = contractClaims('PGlite');

test('the matrix itself finds what a wrong claim about the platform makes a leak', async () => {
  const { lab, members, fixtures } = opened();
  const leaksOf = async (
    operationId: string,
    more: Pick<ServedRoute, 'role'>,
    added: readonly AccessFixture[] = [],
  ) => {
    const routes = lab.platform.routes.filter((route) => route.operationId === operationId);
    const claimed = routes.map((route) => ({ ...route, ...more }));
    const changed = { ...lab, platform: { ...lab.platform, routes: claimed } };
    const { leaks } = await accessMatrix(changed, [...added, ...fixtures], members);
    return new Set(leaks.map(({ leak }) => leak?.replace(/ with .*/, '')));
  };
  // A role that the platform does not ask for, an object that others see as well, and a text that everybody is shown.
  expect(await leaksOf('listOrganizations', { role: 'operator' })).toContain('200');
  const operations = ['fetchProvider'];
  const make = async () => [members.own.carrier.organizationId];
  const objects = [{ parameters: ['providerId'], operations, openTo: [], make }];
  expect(await leaksOf('fetchProvider', {}, [{ objects }])).toContain('200 for 404');
  const canaries = () => [{ text: 'businessName', openTo: [] }];
  const shown = [{ objects: [], canaries }];
  expect(await leaksOf('listProviders', {}, shown)).toContain('tells businessName');
}, 300_000);

test('the page of who may call what says what the matrix asks', async () => {
  // After a change of routes or roles: npx vitest run --config test/vitest.config.ts -u and this file, and look at the difference.
  await expect(accessPage(opened())).toMatchFileSnapshot('../../docs/platform/access.md');
});

const WORDS = `# Who may call what

This page is generated from the platform's table of routes and the tests' access matrix (\`test/e2e/itg-access-reference.test.ts\`).
Nobody else gets an answer, and an object of another organization is answered as if it did not exist.

- \`own\`: only objects that belong to the caller or that it has a part in; \`all\`: everybody's objects; \`may\`: the call names no object.
- \`operator\`, \`reviewer\`, \`analyst\`: only staff clients with this role. A staff client without a role can read, and can change only what
  is its own.
- Without a valid token, every call gets 401. With a token of another scope, or without the role, it gets 403. For an object of another
  organization it gets 404, as for an object that does not exist.
`;

/** The page of who may call what: a table for each subject, in the order of the routes. */
function accessPage(world: ContractWorld): string {
  const routes = world.lab.platform.routes.filter(({ allowed }) => allowed.length > 0);
  const tags = [...new Set(routes.map(({ tag }) => tag))].toSorted();
  const sections = tags.map((tag) => {
    const rows = routes.filter((route) => route.tag === tag).map((route) => rowOf(world, route));
    return `## ${tag}\n\n${table([['call', ...SCOPES], ...rows])}`;
  });
  return [WORDS, ...sections].join('\n');
}

function rowOf({ fixtures }: ContractWorld, route: ServedRoute): readonly string[] {
  const object = objectOf({ route, fixtures });
  const cells = SCOPES.map((scope) => {
    if (!route.allowed.includes(scope)) return '';
    const reach = object === undefined ? 'may' : object.openTo.includes(scope) ? 'all' : 'own';
    const role = scope === 'staff' ? route.role : undefined;
    return role === undefined ? reach : object === undefined ? role : `${reach}, ${role}`;
  });
  return [`\`${route.method} ${route.path}\``, ...cells];
}

/** As prettier writes it. */
function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const widths = head.map((_name, column) => Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length), 3));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 3)).join(' | ')} |\n`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('');
}
