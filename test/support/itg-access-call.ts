import { WIRE_EXAMPLES } from '../../sdk/src/platform/index.js';
import type { PlatformScope } from '../../sdk/src/platform/index.js';
import type { ServedRoute } from '../../harness/src/platform/core/index.js';
import type { PlatformLab, TestMember } from './itg-platform.js';

/** A kind of object that paths name. */
export interface ObjectFixture {
  /** Parameters of the path that name one: `['clientId', 'keyId']`. A route is tried with the fixture that has all its parameters. */
  readonly parameters: readonly string[];
  /** Operations that it is for, where others that name such an object see it in another way, or in another state. Default all others. */
  readonly operations?: readonly string[];
  /** Scopes that see everybody's. Each other one sees its own. */
  readonly openTo: readonly PlatformScope[];
  /** Makes a new one that belongs to somebody; values in the order of `parameters`. */
  readonly make: (owner: TestMember, lab: PlatformLab) => Promise<readonly string[]>;
}

/** What is sent along beside the path. */
export interface SentAlong {
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer> | FormData;
}

/** Values of the parameters of the path, by name. */
export type PathValues = Readonly<Record<string, string>>;

/** Something that belongs to somebody and may be in no answer to others. */
export interface Canary {
  readonly text: string;
  /** Scopes that see everybody's. */
  readonly openTo: readonly PlatformScope[];
}

/** What an area brings to the matrix. */
export interface AccessFixture {
  readonly area: string;
  readonly objects: readonly ObjectFixture[];
  /** Bodies of JSON by operation, where the first example of the contract does not do. */
  readonly bodies?: Readonly<Record<string, (caller: TestMember, path: PathValues) => unknown>>;
  /** What else is sent, by operation: queries, and bodies that are none of JSON. */
  readonly sent?: Readonly<Record<string, (caller: TestMember) => Promise<SentAlong> | SentAlong>>;
  readonly canaries?: (owner: TestMember) => readonly Canary[];
}

/** A route that is called, and what areas bring to it. */
export interface TriedRoute {
  readonly lab: PlatformLab;
  readonly route: ServedRoute;
  readonly fixtures: readonly AccessFixture[];
}

/** The object that a route names, by its parameters: one that is for this operation before one that is for all. */
export function objectOf({ route, fixtures }: Pick<TriedRoute, 'route' | 'fixtures'>): ObjectFixture | undefined {
  const names = route.parameters.filter((one) => one.in === 'path').map(({ name }) => name);
  if (names.length === 0) return undefined;
  const fitting = fixtures
    .flatMap(({ objects }) => objects)
    .filter(({ parameters }) => parameters.length === names.length && names.every((name) => parameters.includes(name)));
  const own = fitting.find(({ operations }) => operations?.includes(route.operationId));
  return own ?? fitting.find(({ operations }) => operations === undefined);
}

/** Makes an object of somebody for a route to name. */
export async function objectPath(tried: TriedRoute, owner: TestMember): Promise<PathValues> {
  const object = objectOf(tried);
  const values = (await object?.make(owner, tried.lab)) ?? [];
  return Object.fromEntries((object?.parameters ?? []).map((name, index) => [name, values[index] ?? 'none-1']));
}

let keys = 0;

/** Calls a route as somebody. @returns the status, and fields and body as text */
export async function asked(
  { lab, route, fixtures }: TriedRoute,
  {
    token,
    caller,
    path,
  }: { readonly token: string | undefined; readonly caller: TestMember; readonly path: PathValues },
): Promise<{ readonly status: number; readonly text: string }> {
  const pathname = route.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) =>
    encodeURIComponent(path[name] ?? 'none-1'),
  );
  const own = fixtures.find(({ sent }) => sent?.[route.operationId] !== undefined)?.sent?.[route.operationId];
  const { query = {}, headers = {}, body } = (await own?.(caller)) ?? {};
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
    ...(isJson && { body: JSON.stringify(await bodyOf({ route, fixtures, caller, path })) }),
    ...(body !== undefined && { body }),
  });
  if (route.response.kind === 'event-stream' && response.ok) {
    await response.body?.cancel();
    return { status: response.status, text: '' };
  }
  return { status: response.status, text: JSON.stringify([...response.headers]) + (await response.text()) };
}

function bodyOf({
  route,
  fixtures,
  caller,
  path,
}: Pick<TriedRoute, 'route' | 'fixtures'> & { readonly caller: TestMember; readonly path: PathValues }): unknown {
  const made = fixtures.find(({ bodies }) => bodies?.[route.operationId] !== undefined)?.bodies?.[route.operationId];
  if (made !== undefined) return made(caller, path);
  const examples = (
    WIRE_EXAMPLES as unknown as Readonly<Record<string, Readonly<Record<string, { readonly value?: unknown }>>>>
  )[route.request?.kind === 'json' ? route.request.body : ''];
  const [first] = Object.values(examples ?? {});
  return first !== undefined && typeof first === 'object' && 'value' in first ? first.value : (first ?? {});
}
