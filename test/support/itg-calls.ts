import { expect } from 'vitest';
import type { PlatformAnswer } from '../../sdk/src/contract/platform-answer.js';
import { createRouteMatcher, readWireBody } from '../../sdk/src/contract/read-platform-request.js';
import { PLATFORM_ROUTES, WIRE_SCHEMAS, type PlatformScope, type ProviderEntry } from '../../sdk/src/platform/index.js';
import type { Caller, PlatformArea } from '../../harness/src/platform/core/index.js';

export const callerOf = (organizationId: string, kind: PlatformScope, name = organizationId): Caller => ({
  ...{ clientId: `client-${organizationId}`, organizationId, kind, scopes: [kind], name },
});

export const STAFF: Caller = callerOf('itg', 'staff', 'Reviewing counsel');

/** An entry of the registry: a voice service provider of the United States. */
export function testEntry(providerId: string, changes: Partial<ProviderEntry> = {}): ProviderEntry {
  return {
    ...{ format: 'hopback.provider-entry.1', providerId, businessName: `${providerId} Telecom` },
    ...{ previousBusinessNames: [], otherDbaNames: [], country: 'US', isForeignVoiceServiceProvider: false },
    ...{ isVoiceServiceProvider: true, isGatewayProvider: false, isNonGatewayIntermediateProvider: false },
    ...{ implementation: 'complete', ocns: [], spcs: [], principals: [], affiliates: [] },
    updatedAt: '2026-09-14T10:00:00Z',
    ...changes,
  };
}

export interface TestCall {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly document?: Uint8Array;
  readonly atMs?: number;
}

let keys = 0;

type CalledArea = Pick<PlatformArea, 'routes' | 'schemas' | 'operations'>;

/** Calls an operation as the server does, and checks the answer against the schema of its route. */
export async function callOperation(
  area: CalledArea,
  operationId: string,
  caller: Caller,
  { parameters = {}, body, document, atMs = 0 }: TestCall = {},
): Promise<PlatformAnswer> {
  const route = [...PLATFORM_ROUTES, ...area.routes].find((one) => one.operationId === operationId);
  const operation = area.operations[operationId];
  if (route === undefined || operation === undefined) throw new Error(`there is no ${operationId}`);
  expect(route.allowed).toContain(caller.kind);
  const key = route.idempotency === 'key' ? { 'Idempotency-Key': `key-${(keys += 1)}` } : {};
  const bytes = new Uint8Array();
  const answer = await operation({
    ...{ route, caller, atMs, httpRequestId: 'req-1', signal: new AbortController().signal },
    request: { parameters: { ...key, ...parameters }, bytes, body, ...(document !== undefined && { document }) },
  });
  if (answer.kind === 'json' && route.response.kind === 'json') {
    const schemas = { ...WIRE_SCHEMAS, ...area.schemas };
    const schema = schemas[route.response.body as keyof typeof schemas];
    const { errors, surplus } = readWireBody(schema, JSON.parse(JSON.stringify(answer.value)));
    expect({ operationId, errors, surplus }).toEqual({ operationId, errors: [], surplus: [] });
  }
  return answer;
}

/** A value whose form was checked against its schema. */
export type Json = ReturnType<typeof JSON.parse>;

/** The value of an answer that has to be a success. */
export function valueOf(answer: PlatformAnswer): Json {
  if (answer.kind !== 'json') throw new Error(`answered ${JSON.stringify(answer)}`);
  return answer.value;
}

/** The code of the problem, or the kind of another answer. */
export const codeOf = (answer: PlatformAnswer): string => (answer.kind === 'problem' ? answer.code : answer.kind);

/** Operations of an area by their names. */
export function areaCalls(area: CalledArea, nowMs: () => number) {
  const call = (operationId: string, caller: Caller, more: TestCall = {}): Promise<PlatformAnswer> =>
    callOperation(area, operationId, caller, { atMs: nowMs(), ...more });
  type Asked = readonly [operationId: string, caller: Caller, parameters?: TestCall['parameters'], body?: unknown];
  const answer = (...[operationId, caller, parameters = {}, body]: Asked): Promise<PlatformAnswer> =>
    call(operationId, caller, { parameters, body });
  return {
    call,
    value: async <Value>(...asked: Asked): Promise<Value> => valueOf(await answer(...asked)),
    refusal: async (...asked: Asked): Promise<string> => codeOf(await answer(...asked)),
  };
}

type Target = readonly [target: string, body?: unknown];
export type PathCaller = Pick<Caller, 'kind' | 'organizationId'>;

/** Calls an area by method and path: routes, scopes and bodies are checked as the server checks them. */
export function createTestCalls(area: PlatformArea, nowMs: () => number) {
  const match = createRouteMatcher([...PLATFORM_ROUTES, ...area.routes]);
  const schemas = { ...WIRE_SCHEMAS, ...area.schemas };
  const answer = async (
    { organizationId, kind }: PathCaller,
    method: 'GET' | 'POST',
    [target, body]: Target,
  ): Promise<PlatformAnswer> => {
    const url = new URL(`https://itg.example${target}`);
    const matched = match(method, url.pathname);
    if (matched === undefined) throw new Error(`no route for ${method} ${url.pathname}`);
    const { route, path } = matched;
    if (!route.allowed.includes(kind)) return { kind: 'problem', code: 'forbidden' };
    if (route.request?.kind === 'json') {
      const { errors } = readWireBody(schemas[route.request.body as keyof typeof schemas], body);
      if (errors.length > 0) return { kind: 'problem', code: 'invalid-body', errors };
    }
    const parameters = { ...Object.fromEntries(url.searchParams), ...path };
    return callOperation(area, route.operationId, callerOf(organizationId, kind), { parameters, body, atMs: nowMs() });
  };
  return {
    get: async (caller: PathCaller, target: string): Promise<Json> => valueOf(await answer(caller, 'GET', [target])),
    post: async (caller: PathCaller, target: string, body?: unknown): Promise<Json> =>
      valueOf(await answer(caller, 'POST', [target, body])),
    code: async (caller: PathCaller, method: 'GET' | 'POST', target: Target) =>
      codeOf(await answer(caller, method, target)),
    file: async (caller: PathCaller, target: string): Promise<string> => {
      const given = await answer(caller, 'GET', [target]);
      if (given.kind !== 'file') throw new Error(`answered ${JSON.stringify(given)}`);
      return new TextDecoder().decode(given.bytes);
    },
  };
}
