import { expect, test } from 'vitest';
import { PLATFORM_EVENT_KINDS } from '../../sdk/src/contract/event-table.js';
import { PROBLEM_KINDS } from '../../sdk/src/contract/problem-table.js';
import { asyncApiDocument, openApiDocument, PLATFORM_ROUTES, WIRE_SCHEMAS } from '../../sdk/src/platform/index.js';
import { lintOpenApi, validateAsyncApi } from '../house/contract.js';
import { changed, places, valueAt } from '../support/json-places.js';

test.each(PLATFORM_ROUTES.map((route) => [route.operationId, route] as const))(
  '%s names the parameters of its path, and asks for a key where nothing else tells repeats',
  (_id, { path, parameters, method, idempotency, problems }) => {
    const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
    expect([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)).toEqual(inPath);
    expect(idempotency === 'safe').toBe(method === 'GET');
    const hasKey = parameters.some(({ name }) => name === 'Idempotency-Key');
    if (idempotency === 'key') expect([hasKey, problems.includes('idempotency-key-reused')]).toEqual([true, true]);
    if (parameters.some((parameter) => parameter.in !== 'header')) expect(problems).toContain('invalid-parameter');
    expect(problems).toEqual([...new Set(problems)]);
  },
);

test('every problem code can come from some route', () => {
  const document = openApiDocument();
  const named = places(document)
    .filter((place) => place.at(-2) === 'x-hopback-problem-codes')
    .map((place) => valueAt(document, place) as string);
  expect([...new Set(named)].toSorted()).toEqual(Object.keys(PROBLEM_KINDS).toSorted());
});

test('an operation has a response for each status of its problems', () => {
  const { paths } = openApiDocument() as unknown as {
    paths: Record<
      string,
      Record<string, { responses: object; 'x-hopback-problem-codes': (keyof typeof PROBLEM_KINDS)[] }>
    >;
  };
  for (const operation of Object.values(paths).flatMap((methods) => Object.values(methods))) {
    const statuses = operation['x-hopback-problem-codes'].map((code) => String(PROBLEM_KINDS[code].status));
    expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(statuses));
  }
});

test('every reference within the AsyncAPI document can be resolved', () => {
  const document = asyncApiDocument();
  const references = places(document)
    .filter((place) => place.at(-1) === '$ref')
    .map((place) => valueAt(document, place) as string);
  expect(references.length).toBeGreaterThan(20);
  for (const reference of new Set(references)) {
    const parts = reference.replace('#/', '').split('/');
    expect([reference, typeof valueAt(document, parts)]).toEqual([reference, 'object']);
  }
});

test('the OpenAPI document has every body, passes the recommended rules of redocly, and one with a mistake does not', async () => {
  const document = openApiDocument();
  const { schemas } = document['components'] as { schemas: object };
  expect(Object.keys(schemas)).toEqual(expect.arrayContaining(Object.keys(WIRE_SCHEMAS)));
  expect(await lintOpenApi(document)).toEqual([]);
  const mistaken = changed(document, ['components', 'examples', 'Alert.live-campaign', 'value', 'severity'], 'loud');
  expect((await lintOpenApi(mistaken)).length).toBeGreaterThan(0);
});

test('the AsyncAPI document has every event twice, is valid, and one with a mistake is not', () => {
  const document = asyncApiDocument();
  const { messages } = document['components'] as unknown as { messages: Record<string, { name: string }> };
  const kinds = Object.keys(PLATFORM_EVENT_KINDS);
  expect(
    Object.values(messages)
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual([...kinds, ...kinds].toSorted());
  expect(validateAsyncApi(document)).toEqual([]);
  expect(validateAsyncApi(changed(document, ['operations', 'postEvents', 'action'], 'shout')).length).toBeGreaterThan(
    0,
  );
});

test('every body, every arm and every member has a description', () => {
  const { schemas } = openApiDocument()['components'] as unknown as { schemas: Record<string, Described> };
  expect(Object.keys(schemas).length).toBeGreaterThan(50);
  for (const [name, { description }] of Object.entries(schemas))
    expect([name, typeof description]).toEqual([name, 'string']);
  expect(Object.entries(schemas).flatMap(([name, schema]) => undescribed(schema, name))).toEqual([]);
  for (const { description = '' } of schemas['TracebackFinding']?.oneOf ?? [])
    expect(description).toMatch(/^[A-Z].+\.$/);
  expect(schemas['TracebackRequest']?.properties?.['downstream']?.description).toBe(
    'The hop that named the asked provider as the sender of the call; absent at the first hop.',
  );
  expect(JSON.stringify(schemas).match(/.{0,40}\{@link.{0,40}/)).toBeNull();
});

interface Described {
  readonly description?: string;
  readonly oneOf?: readonly Described[];
  readonly properties?: Readonly<Record<string, Described>>;
}

/** Members of a schema of which nothing is said, and that are neither a constant nor a body with a description of its own. */
function undescribed(schema: unknown, path: string): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return [];
  const { properties = {}, ...keywords } = schema as { readonly properties?: Readonly<Record<string, object>> };
  const members = Object.entries(properties).flatMap(([name, member]) => {
    const isSaid = 'description' in member || '$ref' in member || 'const' in member;
    return [...(isSaid ? [] : [`${path}.${name}`]), ...undescribed(member, `${path}.${name}`)];
  });
  const inner = Object.entries(keywords).filter(([keyword]) => ['items', 'oneOf', 'anyOf', 'allOf'].includes(keyword));
  return [...members, ...inner.flatMap(([, value]) => [value].flat().flatMap((one) => undescribed(one, path)))];
}
