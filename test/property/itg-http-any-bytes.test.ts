import { request } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPlatformLab, type PlatformLab } from '../support/itg-platform.js';
import { forAllAsync } from '../support/for-all.js';

let lab: PlatformLab;
let tokens: readonly string[];
beforeAll(async () => {
  lab = await startPlatformLab();
  const members = await Promise.all(
    (['carrier', 'app', 'agency'] as const).map((kind) => lab.join(kind, `${kind}-any`)),
  );
  tokens = await Promise.all([lab.operator, ...members].map((member) => lab.token(member)));
}, 120_000);
afterAll(async () => lab[Symbol.asyncDispose]());

interface Given {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** Sends it as it is, past what a fetch would refuse. @returns the status; 0 where there was no answer */
function send({ method, path, headers, body }: Given): Promise<number> {
  return new Promise((resolve) => {
    const options = {
      host: '127.0.0.1',
      port: lab.platform.port,
      method,
      path,
      headers: { ...headers, 'content-length': body.length },
    };
    const sent = request(options, (response) => {
      resolve(response.statusCode ?? 0);
      response.destroy();
    });
    sent.on('error', () => resolve(0));
    sent.end(body);
  });
}

/** An operation that nobody carries out here says so. */
const UNSERVED = 503;

test('any bytes at any route, with any token, get an answer, and none says that the platform is in trouble', async () => {
  const { routes, areas } = lab.platform;
  const served = new Set([...areas.values()].flatMap(({ operations }) => Object.keys(operations)));
  const text = fc.string({ unit: 'grapheme-ascii', maxLength: 40 }).map((value) => encodeURIComponent(value) || 'x');
  const odd = fc.constantFrom('%00', '%', '%ff', '..', '%2e%2e', 'a%2Fb', '\\', "'--", '%F0%9F%98%80');
  const field = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    minLength: 1,
    maxLength: 60,
  });
  const given = fc.record({
    route: fc.constantFrom(...routes),
    part: fc.oneof(text, odd),
    query: fc.oneof(
      fc.constant(''),
      text.map((value) => `?limit=${value}&cursor=${value}`),
      odd.map((value) => `?${value}`),
    ),
    token: fc.option(fc.oneof(fc.constantFrom(...tokens), field), { nil: undefined }),
    key: field,
    type: fc.constantFrom(
      'application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/x-ndjson',
      '*',
    ),
    body: fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc.json().map((value) => Buffer.from(value)),
      fc.constant(Buffer.from('{"__proto__":{},"keys":[{"jwk":{"kty":"EC"}}],"name":"\\u0000"}')),
    ),
  });
  await forAllAsync([given], 400, async ({ route, part, query, token, key, type, body }) => {
    if (route.response.kind === 'event-stream') return;
    const path = `${route.path.replaceAll(/\{\w+\}/g, part)}${query}`;
    const headers = {
      'content-type': type,
      'idempotency-key': key,
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    };
    const status = await send({ method: route.method, path, headers, body });
    const isExpected = status < 500 || (status === UNSERVED && !served.has(route.operationId));
    expect([route.operationId, status, isExpected && status > 0]).toEqual([route.operationId, status, true]);
  });
});
