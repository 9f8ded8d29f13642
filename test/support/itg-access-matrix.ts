import type { PlatformScope } from '../../sdk/src/platform/index.js';
import type { StaffRole } from '../../harness/src/platform/core/index.js';
import { asked, objectOf, objectPath } from './itg-access-call.js';
import type { AccessFixture, PathValues, TriedRoute } from './itg-access-call.js';
import type { PlatformLab, TestMember } from './itg-platform.js';

/** One question of the matrix, and the answer. */
export interface AccessCell {
  readonly operationId: string;
  readonly who: string;
  readonly status: number;
  /** What was answered against the rule; undefined where the rule was kept. */
  readonly leak?: string;
}

/** What came of it. */
export interface AccessMatrix {
  readonly cells: readonly AccessCell[];
  readonly leaks: readonly AccessCell[];
  /**
   * Who may call an operation and was not answered with a success about what is its own, with the status: what others are refused there shows
   * nothing then.
   */
  readonly untried: readonly string[];
}

/** Members of every kind: of each scope two organizations, of staff one client for each role alone and one without. */
export interface AccessMembers {
  readonly own: Readonly<Record<PlatformScope, TestMember>>;
  readonly other: Readonly<Record<PlatformScope, TestMember>>;
  readonly staff: Readonly<Record<StaffRole | 'none', TestMember>>;
}

const SCOPES: readonly PlatformScope[] = ['carrier', 'app', 'agency', 'staff'];
const ROLES: readonly StaffRole[] = ['operator', 'reviewer', 'analyst'];

/** Registers them; carriers as the lab registers carriers. */
export async function joinAccessMembers(
  lab: PlatformLab,
  join: PlatformLab['join'] = lab.join,
): Promise<AccessMembers> {
  const both = async (whose: string): Promise<Record<PlatformScope, TestMember>> => ({
    carrier: await join('carrier', `carrier-${whose}`),
    app: await join('app', `app-${whose}`),
    agency: await join('agency', `agency-${whose}`),
    staff: whose === 'own' ? lab.operator : await join('staff', `staff-${whose}`, { roles: ROLES }),
  });
  const withRoles = (name: string, roles: readonly StaffRole[]) => join('staff', `staff-${name}`, { roles });
  return {
    own: await both('own'),
    other: await both('other'),
    staff: {
      none: await withRoles('none', []),
      operator: await withRoles('operator', ['operator']),
      reviewer: await withRoles('reviewer', ['reviewer']),
      analyst: await withRoles('analyst', ['analyst']),
    },
  };
}

/**
 * Asks every route, as everybody: without a token, with one that is over, of another platform, made up, of a revoked client; as each scope
 * about what is its own and what belongs to another; as staff with each role and without one.
 */
export async function accessMatrix(
  lab: PlatformLab,
  fixtures: readonly AccessFixture[],
  members: AccessMembers,
): Promise<AccessMatrix> {
  const strangers = await strangersOf(lab);
  const tokens = new Map<TestMember, string>();
  for (const group of [members.own, members.other, members.staff])
    for (const member of Object.values(group)) tokens.set(member, await lab.token(member));
  const tokenOf = (member: TestMember): string => tokens.get(member) ?? '';
  const cells: AccessCell[] = [];
  const untried: string[] = [];
  for (const route of lab.platform.routes.filter(({ allowed }) => allowed.length > 0)) {
    const asking: Asking = { lab, route, fixtures, members, tokenOf };
    const found = await cellsOf(asking, strangers).catch((error: unknown) => String(error));
    if (typeof found === 'string') {
      untried.push(`${route.operationId}: ${found}`);
      continue;
    }
    cells.push(...found);
    const own = found.filter(({ who, status }) => who.endsWith(ITS_OWN) && status >= 300);
    untried.push(...own.map(({ operationId, who, status }) => `${operationId}: ${who}: ${status}`));
  }
  return { cells, leaks: cells.filter(({ leak }) => leak !== undefined), untried };
}

const ITS_OWN = ', its own';

async function cellsOf(asking: Asking, strangers: readonly Stranger[]): Promise<readonly AccessCell[]> {
  const { route, members } = asking;
  const victim = members.other[route.allowed[0] ?? 'staff'];
  const refused: Refused = { caller: victim, path: await objectPath(asking, victim) };
  const found = [...(await asStrangers(asking, strangers, refused)), ...(await asStaff(asking, refused))];
  for (const scope of SCOPES) found.push(...(await asScope(asking, scope, refused)));
  return found;
}

/** What everybody is refused who may not call at all: something that there is. */
interface Refused {
  readonly caller: TestMember;
  readonly path: PathValues;
}

/** Tokens of those who are not to be let in at all. */
type Stranger = readonly [who: string, token: string | undefined];

async function strangersOf(lab: PlatformLab): Promise<readonly Stranger[]> {
  const { database } = lab.platform.context;
  const expired = await lab.join('staff', 'staff-expired');
  const over = await lab.token(expired);
  const tables = database.withTables<{ trust_tokens: { client_id: string; ends_at_ms: number } }>();
  await tables.updateTable('trust_tokens').set({ ends_at_ms: 1 }).where('client_id', '=', expired.clientId).execute();
  const revoked = await lab.join('staff', 'staff-revoked');
  const ended = await lab.token(revoked);
  const operator = await lab.token(lab.operator);
  await lab.call(operator, 'DELETE', `/v1/clients/${revoked.clientId}`);
  return [
    ['no token', undefined],
    ['a made-up token', 'bm9ib2R5'],
    ['an expired token', over],
    ['a token of a revoked client', ended],
    ['a token for another audience', await tokenOfAnother()],
  ];
}

/** What another platform would have given: a signed one, since that is what names its audience. */
async function tokenOfAnother(): Promise<string> {
  const { SignJWT } = await import('jose');
  return new SignJWT({
    iss: 'https://other.example',
    sub: 'itg-operator',
    aud: 'https://other.example',
    scope: 'staff',
  })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
    .setExpirationTime('1h')
    .sign(Buffer.alloc(32, 'other'));
}

interface Asking extends TriedRoute {
  readonly members: AccessMembers;
  readonly tokenOf: (member: TestMember) => string;
}

/** Nothing is told them, not even of what there is. */
async function asStrangers(
  asking: Asking,
  strangers: readonly Stranger[],
  { caller, path }: Refused,
): Promise<readonly AccessCell[]> {
  const cells: AccessCell[] = [];
  for (const [who, token] of strangers) {
    const { status } = await asked(asking, { token, caller, path });
    cells.push(cellOf(asking, who, status, status === 401 ? undefined : `${status} for 401`));
  }
  return cells;
}

/** Staff calls what needs no role without one, and what needs one with that one alone. */
async function asStaff(asking: Asking, { path }: Refused): Promise<readonly AccessCell[]> {
  const { lab, route, members, tokenOf } = asking;
  if (!route.allowed.includes('staff')) return [];
  const role = lab.platform.roles.get(route.operationId);
  const cells: AccessCell[] = [];
  for (const name of ['none', ...ROLES] as const) {
    if (name === role) continue;
    const caller = members.staff[name];
    if (role === undefined && name !== 'none') continue;
    const { status } = await asked(asking, { token: tokenOf(caller), caller, path });
    const leak = (status === 403) === (role !== undefined) ? undefined : `${status} with the role ${name}`;
    cells.push(cellOf(asking, `staff, role ${name}`, status, leak));
  }
  if (role === undefined) return cells;
  const caller = members.staff[role];
  const { status } = await asked(asking, { token: tokenOf(caller), caller, path: await objectPath(asking, caller) });
  return [...cells, cellOf(asking, `staff, role ${role}${ITS_OWN}`, status, faultOfOwn(status))];
}

async function asScope(asking: Asking, scope: PlatformScope, refused: Refused): Promise<readonly AccessCell[]> {
  const { route, members, tokenOf } = asking;
  const [caller, other] = [members.own[scope], members.other[scope]];
  const token = tokenOf(caller);
  const foreign = foreignTo(asking, scope, caller);
  if (!route.allowed.includes(scope)) {
    const { status, text } = await asked(asking, { token, caller, path: refused.path });
    return [cellOf(asking, scope, status, status === 403 ? foundIn(text, foreign) : `${status} for 403`)];
  }
  const cells: AccessCell[] = [];
  const object = objectOf(asking);
  if (object !== undefined && !object.openTo.includes(scope)) {
    const { status, text } = await asked(asking, { token, caller, path: await objectPath(asking, other) });
    const leak = status === 404 ? foundIn(text, foreign) : `${status} for 404`;
    cells.push(cellOf(asking, `${scope}, of another`, status, leak));
  }
  const { status, text } = await asked(asking, { token, caller, path: await objectPath(asking, caller) });
  return [...cells, cellOf(asking, `${scope}${ITS_OWN}`, status, faultOfOwn(status) ?? foundIn(text, foreign))];
}

const faultOfOwn = (status: number): string | undefined =>
  status === 401 || status === 403 || status >= 500 ? `${status} for its own` : undefined;

const cellOf = ({ route }: Asking, who: string, status: number, leak: string | undefined): AccessCell => ({
  ...{ operationId: route.operationId, who, status },
  ...(leak !== undefined && { leak }),
});

/** What belongs to anybody else, and is not for this scope. */
function foreignTo({ fixtures, members }: Asking, scope: PlatformScope, caller: TestMember): readonly string[] {
  const others = [members.own, members.other].flatMap((group) => Object.values(group));
  return others
    .filter(({ organizationId }) => organizationId !== caller.organizationId)
    .flatMap((owner) => fixtures.flatMap(({ canaries }) => canaries?.(owner) ?? []))
    .flatMap(({ text, openTo }) => (openTo.includes(scope) ? [] : [text]));
}

const foundIn = (text: string, foreign: readonly string[]): string | undefined => {
  const found = foreign.find((canary) => text.includes(canary));
  return found === undefined ? undefined : `tells ${found}`;
};
