import { WIRE_EXAMPLES } from '../../sdk/src/platform/index.js';
import type { PlatformScope } from '../../sdk/src/platform/index.js';
import type { ServedRoute } from '../../harness/src/platform/core/index.js';
import type { PlatformLab, TestMember } from './itg-platform.js';

/** A kind of object that paths name. */
export interface ObjectFixture {
  /** Parameters of the path that name one: `['clientId', 'keyId']`. A route is tried with the fixture that has all its parameters. */
  readonly parameters: readonly string[];
  /** Who sees one: its owner; its owner and all staff; or everybody who may call the route. */
  readonly seenBy: 'owner' | 'owner-and-staff' | 'everybody';
  /** Makes a new one that belongs to somebody; values in the order of `parameters`. */
  readonly make: (owner: TestMember, lab: PlatformLab) => Promise<readonly string[]>;
}

/** What an area brings to the matrix. */
export interface AccessFixture {
  readonly area: string;
  readonly objects: readonly ObjectFixture[];
  /** Bodies by operation, where the first example of the contract does not do. */
  readonly bodies?: Readonly<Record<string, (caller: TestMember) => unknown>>;
  /** Operations that need a role of staff beside the scope. */
  readonly roles?: Readonly<Record<string, string>>;
  /** Texts that are in what belongs to somebody, and must be in no answer to anybody else. */
  readonly canaries?: (owner: TestMember) => readonly string[];
}

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
  /** Operations of which no one who may call got an answer: nobody carries them out, or no fixture names what they need. */
  readonly untried: readonly string[];
}

const SCOPES: readonly PlatformScope[] = ['carrier', 'app', 'agency', 'staff'];

interface Role {
  readonly scope: PlatformScope;
  readonly own: TestMember;
  readonly token: string;
  readonly other: TestMember;
}

/**
 * Asks every route, as everybody: without a token, with one that is over, of another platform, made up, of a revoked client; as each role
 * about what is its own and what belongs to another.
 */
export async function accessMatrix(lab: PlatformLab, fixtures: readonly AccessFixture[]): Promise<AccessMatrix> {
  const roles: Role[] = [];
  for (const scope of SCOPES) {
    const own = scope === 'staff' ? lab.operator : await lab.join(scope, `${scope}-own`);
    roles.push({ scope, own, token: await lab.token(own), other: await lab.join(scope, `${scope}-other`) });
  }
  const strangers = await strangersOf(lab);
  const cells: AccessCell[] = [];
  const answered = new Set<string>();
  for (const route of lab.platform.routes.filter(({ allowed }) => allowed.length > 0)) {
    const trying = { lab, route, fixtures };
    for (const [who, token] of strangers) {
      const owner = roles[0]!.other;
      const { status } = await tried(trying, { token, owner, caller: owner });
      cells.push({ operationId: route.operationId, who, status, ...(status !== 401 && { leak: `${status} for 401` }) });
    }
    for (const role of roles) {
      const found = await asRole(trying, role);
      cells.push(...found.cells);
      if (found.isAnswered) answered.add(route.operationId);
    }
  }
  const untried = lab.platform.routes
    .filter(({ allowed, operationId }) => allowed.length > 0 && !answered.has(operationId))
    .map(({ operationId }) => operationId);
  return { cells, leaks: cells.filter(({ leak }) => leak !== undefined), untried };
}

async function strangersOf(lab: PlatformLab): Promise<readonly (readonly [string, string | undefined])[]> {
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

interface Trying {
  readonly lab: PlatformLab;
  readonly route: ServedRoute;
  readonly fixtures: readonly AccessFixture[];
}

async function asRole(
  trying: Trying,
  { scope, own, token, other }: Role,
): Promise<{ readonly cells: readonly AccessCell[]; readonly isAnswered: boolean }> {
  const { route, fixtures } = trying;
  const { operationId } = route;
  const foreign = fixtures.flatMap(({ canaries }) => canaries?.(other) ?? []);
  if (!route.allowed.includes(scope)) {
    const { status, text } = await tried(trying, { token, owner: own, caller: own });
    const leak = status !== 403 ? `${status} for 403` : foundIn(text, foreign);
    return { cells: [{ operationId, who: scope, status, ...(leak !== undefined && { leak }) }], isAnswered: false };
  }
  const object = objectOf(trying);
  const cells: AccessCell[] = [];
  if (object !== undefined && object.seenBy !== 'everybody') {
    const mayAll = scope === 'staff' && object.seenBy === 'owner-and-staff';
    const { status, text } = await tried(trying, { token, owner: other, caller: own });
    const leak = mayAll ? undefined : status !== 404 ? `${status} for 404` : foundIn(text, foreign);
    cells.push({ operationId, who: `${scope}, of another`, status, ...(leak !== undefined && { leak }) });
  }
  const { status, text } = await tried(trying, { token, owner: own, caller: own });
  const sees = scope === 'staff' && object?.seenBy === 'owner-and-staff';
  const leak = [401, 403, 500].includes(status) ? `${status} for its own` : sees ? undefined : foundIn(text, foreign);
  cells.push({ operationId, who: `${scope}, its own`, status, ...(leak !== undefined && { leak }) });
  return { cells, isAnswered: status < 300 };
}

const foundIn = (text: string, foreign: readonly string[]): string | undefined => {
  const found = foreign.find((canary) => text.includes(canary));
  return found === undefined ? undefined : `tells ${found}`;
};

const parametersOf = ({ parameters }: ServedRoute): readonly string[] =>
  parameters.filter((one) => one.in === 'path').map(({ name }) => name);

function objectOf({ route, fixtures }: Trying): ObjectFixture | undefined {
  const names = parametersOf(route);
  if (names.length === 0) return undefined;
  return fixtures
    .flatMap(({ objects }) => objects)
    .find(({ parameters }) => parameters.length === names.length && names.every((name) => parameters.includes(name)));
}

let keys = 0;

async function tried(
  trying: Trying,
  {
    token,
    owner,
    caller,
  }: { readonly token: string | undefined; readonly owner: TestMember; readonly caller: TestMember },
): Promise<{ readonly status: number; readonly text: string }> {
  const { lab, route } = trying;
  const object = objectOf(trying);
  const values = (await object?.make(owner, lab)) ?? [];
  const path = route.path.replaceAll(
    /\{(\w+)\}/g,
    (_all, name: string) => values[object?.parameters.indexOf(name) ?? -1] ?? 'none-1',
  );
  keys += 1;
  const response = await fetch(`${lab.platform.url}${path}`, {
    method: route.method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(route.parameters.some(({ name }) => name === 'Idempotency-Key') && { 'idempotency-key': `matrix-${keys}` }),
      ...(route.request?.kind === 'json' && { 'content-type': 'application/json' }),
    },
    ...(route.request?.kind === 'json' && { body: JSON.stringify(bodyOf(trying, route.request.body, caller)) }),
  });
  if (route.response.kind === 'event-stream' && response.ok) {
    await response.body?.cancel();
    return { status: response.status, text: '' };
  }
  return { status: response.status, text: await response.text() };
}

function bodyOf({ route, fixtures }: Trying, name: string, caller: TestMember): unknown {
  const made = fixtures.find(({ bodies }) => bodies?.[route.operationId] !== undefined)?.bodies?.[route.operationId];
  if (made !== undefined) return made(caller);
  const examples = (
    WIRE_EXAMPLES as unknown as Readonly<Record<string, Readonly<Record<string, { readonly value?: unknown }>>>>
  )[name];
  const [first] = Object.values(examples ?? {});
  return first !== undefined && typeof first === 'object' && 'value' in first ? first.value : (first ?? {});
}
