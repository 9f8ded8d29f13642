import { createRouteMatcher, PLATFORM_ROUTES, readWireBody, WIRE_SCHEMAS } from '../../sdk/src/platform/index.js';
import type { PlatformAnswer, PlatformScope } from '../../sdk/src/platform/index.js';
import type { PlatformArea, ServedRoute } from '../../harness/src/platform/core/index.js';

/** Who calls in a test. */
export interface TestCaller {
  readonly kind: PlatformScope;
  readonly organizationId: string;
}

/** What an answer holds: its form was held against its schema. */
export type Json = ReturnType<typeof JSON.parse>;

export const STAFF: TestCaller = { kind: 'staff', organizationId: 'itg' };

/** Calls an area as the server does: the route is found, who may call is looked at, the body is read, and what comes back is in its form. */
export function createTestCalls(area: PlatformArea, nowMs: () => number) {
  const routes: readonly ServedRoute[] = [...PLATFORM_ROUTES, ...area.routes];
  const match = createRouteMatcher(routes);
  const schemas = { ...WIRE_SCHEMAS, ...area.schemas };
  const answer = async (
    caller: TestCaller,
    method: 'GET' | 'POST',
    [target, body]: readonly [string, unknown?],
  ): Promise<PlatformAnswer> => {
    const url = new URL(`https://itg.example${target}`);
    const matched = match(method, url.pathname);
    if (matched === undefined) throw new Error(`no route for ${method} ${url.pathname}`);
    const { route, path } = matched;
    if (!route.allowed.includes(caller.kind)) return { kind: 'problem', code: 'forbidden' };
    if (route.request?.kind === 'json') {
      const { errors } = readWireBody(schemas[route.request.body as keyof typeof schemas], body);
      if (errors.length > 0) return { kind: 'problem', code: 'invalid-body', errors };
    }
    const operation = area.operations[route.operationId];
    if (operation === undefined) throw new Error(`no operation ${route.operationId}`);
    const given = await operation({
      route,
      caller: { ...caller, clientId: `${caller.organizationId}-client`, scopes: [caller.kind], name: 'Test desk' },
      request: { parameters: { ...Object.fromEntries(url.searchParams), ...path }, body, bytes: new Uint8Array() },
      atMs: nowMs(),
      httpRequestId: 'req-1',
      signal: new AbortController().signal,
    });
    if (given.kind === 'json' && route.response.kind === 'json') {
      const { errors } = readWireBody(
        schemas[route.response.body as keyof typeof schemas],
        JSON.parse(JSON.stringify(given.value)),
      );
      if (errors.length > 0)
        throw new Error(`${route.operationId} answers what is no ${route.response.body}: ${JSON.stringify(errors)}`);
    }
    return given;
  };
  const value = async (given: Promise<PlatformAnswer>): Promise<Json> => {
    const found = await given;
    if (found.kind !== 'json') throw new Error(`answered ${JSON.stringify(found)}`);
    return found.value;
  };
  return {
    get: (caller: TestCaller, target: string) => value(answer(caller, 'GET', [target])),
    post: (caller: TestCaller, target: string, body?: unknown) => value(answer(caller, 'POST', [target, body])),
    code: async (caller: TestCaller, method: 'GET' | 'POST', call: readonly [string, unknown?]) => {
      const given = await answer(caller, method, call);
      return given.kind === 'problem' ? given.code : given.kind;
    },
    file: async (caller: TestCaller, target: string): Promise<string> => {
      const given = await answer(caller, 'GET', [target]);
      if (given.kind !== 'file') throw new Error(`answered ${JSON.stringify(given)}`);
      return new TextDecoder().decode(given.bytes);
    },
  };
}
