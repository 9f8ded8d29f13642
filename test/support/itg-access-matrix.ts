import { SignJWT } from 'jose';
import { WIRE_EXAMPLES, type PlatformScope } from '../../sdk/src/platform/index.js';
import type { ServedRoute, StaffRole } from '../../harness/src/platform/core/index.js';
import type { PlatformLab, TestMember } from './itg-platform.js';

export interface ObjectFixture {
  /** Parameters of the path that name one: `['clientId', 'keyId']`. A route is tried with the fixture that has all its parameters. */
  readonly parameters: readonly string[];
  /** Operations that it is for, where others that name such an object see it in another way, or in another state. Default all others. */
  readonly operations?: readonly string[];
  /** Scopes that see everybody's. Each other one sees its own. */
  readonly openTo: readonly PlatformScope[];
  /** Makes a new one that belongs to somebody; values in the order of `parameters`. */
  readonly make: (owner: TestMember) => Promise<readonly string[]>;
}

/** What is sent along beside the path. */
export interface SentAlong {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer> | FormData;
}

export type PathValues = Readonly<Record<string, string>>;

/** Something that belongs to somebody and may be in no answer to others. */
export interface Canary {
  readonly text: string;
  /** Scopes that see everybody's. */
  readonly openTo: readonly PlatformScope[];
}

export interface AccessFixture {
  readonly objects: readonly ObjectFixture[];
  /** Bodies of JSON by operation, where the first example of the contract does not do. */
  readonly bodies?: Readonly<Record<string, (caller: TestMember, path: PathValues) => unknown>>;
  /** What else is sent, by operation: queries, and bodies that are none of JSON. */
  readonly sent?: Readonly<Record<string, (caller: TestMember) => Promise<SentAlong> | SentAlong>>;
  readonly canaries?: (owner: TestMember) => readonly Canary[];
}

/** One question of the matrix, and the answer. */
export interface AccessCell {
  readonly operationId: string;
  readonly who: string;
  readonly status: number;
  /** What was answered against the rule; undefined where the rule was kept. */
  readonly leak?: string;
}

/** Members of every kind: of each scope two organizations, of staff one client for each role alone and one without. */
export interface AccessMembers {
  readonly own: Readonly<Record<PlatformScope, TestMember>>;
  readonly other: Readonly<Record<PlatformScope, TestMember>>;
  readonly staff: Readonly<Record<StaffRole | 'none', TestMember>>;
}

export const SCOPES: readonly PlatformScope[] = ['carrier', 'app', 'agency', 'staff'];
export const ROLES: readonly StaffRole[] = ['operator', 'reviewer', 'analyst'];

/** A route that is called, and what areas bring to it. */
interface Asking {
  readonly lab: PlatformLab;
  readonly route: ServedRoute;
  readonly fixtures: readonly AccessFixture[];
  readonly members: AccessMembers;
  readonly tokenOf: (member: TestMember) => string;
  readonly asks: 'everybody' | 'those-allowed';
}

/**
 * Asks every route, as everybody: without a token, with one that is over, of another platform, made up, of a revoked client; as each scope
 * about what is its own and what belongs to another; as staff with each role and without one. Whoever may call an operation and was not answered
 * with a success about what is its own is `untried`, with the status: what others are refused there shows nothing then.
 * @param asks - `those-allowed`: only about what is their own, for whom the answers matter and not the refusals
 */
export async function accessMatrix(
  lab: PlatformLab,
  fixtures: readonly AccessFixture[],
  members: AccessMembers,
  asks: 'everybody' | 'those-allowed' = 'everybody',
) {
  const strangers = asks === 'everybody' ? await strangersOf(lab) : [];
  const tokens = new Map<TestMember, string>();
  for (const group of [members.own, members.other, members.staff])
    for (const member of Object.values(group)) tokens.set(member, await lab.token(member));
  const tokenOf = (member: TestMember): string => tokens.get(member) ?? '';
  const cells: AccessCell[] = [];
  const untried: string[] = [];
  for (const route of lab.platform.routes.filter(({ allowed }) => allowed.length > 0)) {
    const found = await cellsOf({ lab, route, fixtures, members, tokenOf, asks }, strangers).catch((error: unknown) => {
      untried.push(`${route.operationId}: ${String(error)}`);
      return [];
    });
    cells.push(...found);
    const failed = found.filter(({ who, status }) => who.endsWith(ITS_OWN) && status >= 300);
    untried.push(...failed.map(({ operationId, who, status }) => `${operationId}: ${who}: ${status}`));
  }
  return { cells, leaks: cells.filter(({ leak }) => leak !== undefined), untried };
}

const ITS_OWN = ', its own';

async function cellsOf(asking: Asking, strangers: readonly Stranger[]): Promise<readonly AccessCell[]> {
  const { route, members, tokenOf } = asking;
  const { operationId, allowed } = route;
  const asksAll = asking.asks === 'everybody';
  const victim = members.other[allowed[0] ?? 'staff'];
  const object = objectOf(asking);
  // An object that exists, for those who may not call the route at all.
  const existing = { caller: victim, path: await objectPath(asking, victim) };
  const cells: AccessCell[] = [];
  const ask = async (who: string, call: Call, leakOf: (status: number, text: string) => string | undefined) => {
    const { status, text } = await asked(asking, call);
    const leak = leakOf(status, text);
    cells.push({ ...{ operationId, who, status }, ...(leak !== undefined && { leak }) });
  };
  const askOwn = async (who: string, caller: TestMember, foreign: readonly string[] = []): Promise<void> => {
    const call = { token: tokenOf(caller), caller, path: await objectPath(asking, caller) };
    await ask(`${who}${ITS_OWN}`, call, (status, text) =>
      status === 401 || status === 403 || status >= 500 ? `${status} for its own` : foundIn(text, foreign),
    );
  };

  for (const [who, token] of strangers) await ask(who, { token, ...existing }, expecting(401));
  const role = route.role;
  if (allowed.includes('staff')) {
    // An operation that needs no role is called without one, and another one with each wrong role and with the right one.
    for (const name of role === undefined ? (['none'] as const) : (['none', ...ROLES] as const)) {
      const caller = members.staff[name];
      if (name === role) await askOwn(`staff, role ${name}`, caller);
      else if (asksAll || role === undefined)
        await ask(`staff, role ${name}`, { token: tokenOf(caller), caller, path: existing.path }, (status) =>
          (status === 403) === (role !== undefined) ? undefined : `${status} with the role ${name}`,
        );
    }
  }
  for (const scope of SCOPES) {
    const [caller, other] = [members.own[scope], members.other[scope]];
    const token = tokenOf(caller);
    const foreign = foreignTo(asking, scope, caller);
    if (!allowed.includes(scope)) {
      if (asksAll) await ask(scope, { token, caller, path: existing.path }, expecting(403, foreign));
      continue;
    }
    if (asksAll && object !== undefined && !object.openTo.includes(scope)) {
      const path = await objectPath(asking, other);
      await ask(`${scope}, of another`, { token, caller, path }, expecting(404, foreign));
    }
    await askOwn(scope, caller, foreign);
  }
  return cells;
}

/** A leak is another status, or a text that is for others. */
const expecting =
  (expected: number, foreign: readonly string[] = []) =>
  (status: number, text: string): string | undefined =>
    status === expected ? foundIn(text, foreign) : `${status} for ${expected}`;

/** Tokens of those who are not to be let in at all. */
type Stranger = readonly [who: string, token: string | undefined];

let matrices = 0;

async function strangersOf(lab: PlatformLab): Promise<readonly Stranger[]> {
  matrices += 1;
  const { database } = lab.platform.context;
  const expired = await lab.join('staff', `staff-expired-${matrices}`);
  const over = await lab.token(expired);
  const tables = database.withTables<{ trust_tokens: { client_id: string; ends_at_ms: number } }>();
  await tables.updateTable('trust_tokens').set({ ends_at_ms: 1 }).where('client_id', '=', expired.clientId).execute();
  const revoked = await lab.join('staff', `staff-revoked-${matrices}`);
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
  const iss = 'https://other.example';
  return new SignJWT({ iss, sub: 'itg-operator', aud: iss, scope: 'staff' })
    .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
    .setExpirationTime('1h')
    .sign(Buffer.alloc(32, 'other'));
}

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

/** The object that a route names, by its parameters: one that is for this operation before one that is for all. */
export function objectOf({ route, fixtures }: Pick<Asking, 'route' | 'fixtures'>): ObjectFixture | undefined {
  const names = route.parameters.filter((one) => one.in === 'path').map(({ name }) => name);
  if (names.length === 0) return undefined;
  const fitting = fixtures
    .flatMap(({ objects }) => objects)
    .filter(({ parameters }) => parameters.length === names.length && names.every((name) => parameters.includes(name)));
  const own = fitting.find(({ operations }) => operations?.includes(route.operationId));
  return own ?? fitting.find(({ operations }) => operations === undefined);
}

/** Makes an object of somebody for a route to name. */
async function objectPath(asking: Asking, owner: TestMember): Promise<PathValues> {
  const object = objectOf(asking);
  const values = (await object?.make(owner)) ?? [];
  return Object.fromEntries((object?.parameters ?? []).map((name, index) => [name, values[index] ?? 'none-1']));
}

interface Call {
  readonly token: string | undefined;
  readonly caller: TestMember;
  readonly path: PathValues;
}

let keys = 0;

/** Calls a route as somebody. @returns the status, and fields and body as text */
async function asked({ lab, route, fixtures }: Asking, { token, caller, path }: Call) {
  const pathname = route.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
    encodeURIComponent(path[name] ?? 'none-1'),
  );
  const [sent] = fixtures.flatMap((one) => one.sent?.[route.operationId] ?? []);
  const { query = {}, headers = {}, body } = (await sent?.(caller)) ?? {};
  const isJson = route.request?.kind === 'json' && body === undefined;
  keys += 1;
  const response = await fetch(`${lab.platform.url}${pathname}?${new URLSearchParams(query).toString()}`, {
    method: route.method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(route.parameters.some(({ name }) => name === 'Idempotency-Key') && { 'idempotency-key': `matrix-${keys}` }),
      ...(isJson && { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(isJson && { body: JSON.stringify(await bodyOf(route, fixtures)(caller, path)) }),
    ...(body !== undefined && { body }),
  });
  if (route.response.kind === 'event-stream' && response.ok) {
    await response.body?.cancel();
    return { status: response.status, text: '' };
  }
  return { status: response.status, text: JSON.stringify([...response.headers]) + (await response.text()) };
}

/** What makes the body of a route: its fixture, or the first example of the contract. */
function bodyOf({ operationId, request }: ServedRoute, fixtures: readonly AccessFixture[]) {
  const [made] = fixtures.flatMap(({ bodies }) => bodies?.[operationId] ?? []);
  if (made !== undefined) return made;
  type Examples = Readonly<Record<string, readonly { readonly value: unknown }[]>>;
  const examples = (WIRE_EXAMPLES as unknown as Examples)[request?.kind === 'json' ? request.body : ''];
  return () => Object.values(examples ?? {})[0]?.value ?? {};
}
