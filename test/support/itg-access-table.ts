import type { PlatformScope } from '../../sdk/src/platform/index.js';
import type { ServedRoute, StaffRole } from '../../harness/src/platform/core/index.js';
import { objectOf } from './itg-access-call.js';
import type { AccessFixture } from './itg-access-call.js';

/** What the table is made of. */
export interface AccessTableParts {
  readonly routes: readonly ServedRoute[];
  readonly roles: ReadonlyMap<string, StaffRole>;
  readonly fixtures: readonly AccessFixture[];
}

const SCOPES: readonly PlatformScope[] = ['carrier', 'app', 'agency', 'staff'];

const WORDS = `# Who may call what

Made from the table of routes that the platform serves by, and from what the matrix of the tests asks of each of them
(\`test/e2e/itg-access-reference.test.ts\`): nobody else gets an answer, and what is another's is answered as if it were not there.

- \`own\`: about what is the caller's own, or what it has a part in; \`all\`: about everybody's; \`may\`: the call names nothing.
- \`operator\`, \`reviewer\`, \`analyst\`: only clients of staff with this role. A client of staff without a role reads, and changes nothing but what
  is its own.
- Without a token that is good everything is answered with 401; with one of another scope, or without the role, with 403; about what
  belongs to another organization with 404, as about what there is not.
`;

/** The page of who may call what: a table for each subject, in the order of the routes. */
export function accessPage(parts: AccessTableParts): string {
  const routes = parts.routes.filter(({ allowed }) => allowed.length > 0);
  const tags = [...new Set(routes.map(({ tag }) => tag))].toSorted();
  const sections = tags.map((tag) => {
    const rows = routes.filter((route) => route.tag === tag).map((route) => rowOf(parts, route));
    return `## ${tag}\n\n${table([['call', ...SCOPES], ...rows])}`;
  });
  return [WORDS, ...sections].join('\n');
}

function rowOf(
  { roles, fixtures }: Pick<AccessTableParts, 'roles' | 'fixtures'>,
  route: ServedRoute,
): readonly string[] {
  const object = objectOf({ route, fixtures });
  const cells = SCOPES.map((scope) => {
    if (!route.allowed.includes(scope)) return '';
    const reach = object === undefined ? 'may' : object.openTo.includes(scope) ? 'all' : 'own';
    const role = scope === 'staff' ? roles.get(route.operationId) : undefined;
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
