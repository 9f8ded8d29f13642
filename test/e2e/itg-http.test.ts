import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestPki } from '../../sdk/src/testing/index.js';
import type { PluggedArea } from '../../harness/src/platform/index.js';
import { jsonAnswer, problemAnswer } from '../../sdk/src/contract/platform-answer.js';
import { createTlsFetch, privateKeyJwt } from '../../sdk/src/platform/index.js';
import type { Operation, ServedRoute } from '../../harness/src/platform/core/index.js';
import { clientTestKey, startPlatformLab, type PlatformLab, type TestMember } from '../support/itg-platform.js';

const KEY = { name: 'Idempotency-Key', in: 'header', form: 'idempotency-key', description: 'Of the call.' } as const;
const NOTE: ServedRoute = {
  ...{ operationId: 'writeNote', method: 'POST', path: '/v1/notes', tag: 'Notes', summary: 'Write a note' },
  ...{ description: 'Under a key.', allowed: ['carrier'], parameters: [{ ...KEY, isRequired: true }] },
  request: { kind: 'json', body: 'Note' },
  response: { kind: 'json', status: 201, body: 'Note', description: 'The note.' },
  ...{ problems: [], idempotency: 'key' },
};

const written: string[] = [];
let holding: Promise<void> | undefined;
let isBroken = false;
const notes: PluggedArea = {
  definition: { name: 'notes', migrations: [] },
  open: ({ context }) => {
    const writeNote: Operation = async ({ request, caller }) => {
      const { text } = request.body as { text: string };
      await holding;
      if (isBroken) throw new Error(`broken at 215-555-0142`);
      return context.transact(async (transaction) => {
        const { organizationId, clientId: actor } = caller;
        await context.audit(transaction, { action: 'note.written', organizationId, actor, object: 'note:1' });
        written.push(text);
        return text === 'none' ? problemAnswer('not-found') : jsonAnswer({ text, place: written.length });
      });
    };
    const close = async (): Promise<void> => {};
    const schemas = { Note: { safeParse: (data: unknown) => ({ success: true as const, data }) } };
    return {
      ...{ name: 'notes', routes: [NOTE], schemas },
      ...{ operations: { writeNote }, jobs: [], reactions: {}, close, [Symbol.asyncDispose]: close },
    };
  },
};

let lab: PlatformLab;
let carrier: TestMember;
let token: string;
const errors: string[] = [];
beforeAll(async () => {
  const log = {
    info: () => {},
    warn: () => {},
    error: (message: string, details?: unknown) => void errors.push(`${message} ${JSON.stringify(details)}`),
  };
  lab = await startPlatformLab({ areas: [notes], log, bodyTimeoutMs: 500 });
  carrier = await lab.join('carrier', 'prv-birch');
  token = await lab.token(carrier);
});
afterAll(async () => lab[Symbol.asyncDispose]());

const write = (text: string, key?: string) =>
  lab.call(token, 'POST', '/v1/notes', { body: { text }, ...(key !== undefined && { key }) });

test('a repeated call under a key has the first answer, another call under it is 422, and one without a key is 400', async () => {
  const before = written.length;
  const [first, second] = [await write('one', 'k-1'), await write('one', 'k-1')];
  expect([first.status, second.status, second.value]).toEqual([201, 201, first.value]);
  expect(written.length).toBe(before + 1);
  expect((await write('two', 'k-1')).status).toBe(422);
  expect([(await write('none', 'k-2')).status, (await write('none', 'k-2')).status]).toEqual([404, 404]);
  expect((await write('one')).status).toBe(400);
});

test('what fails is a problem without words of the error, in the log without what was sent, and may be tried again under its key', async () => {
  isBroken = true;
  const failed = await write('three', 'k-4');
  isBroken = false;
  expect(failed).toMatchObject({ status: 500, value: { code: 'internal' } });
  expect(JSON.stringify(failed.value) + errors.join('\n')).not.toContain('0142');
  expect(errors.join('\n')).toContain('writeNote');
  expect((await write('three', 'k-4')).status).toBe(201);
});

test('an unknown path is 404, another method 405 with what there is, and OPTIONS and HEAD are answered', async () => {
  expect((await lab.call(token, 'GET', '/v2/alerts')).status).toBe(404);
  const wrong = await lab.call(token, 'DELETE', '/v1/clients');
  expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, POST, HEAD, OPTIONS']);
  const asked = await lab.call(undefined, 'OPTIONS', '/v1/clients');
  expect([asked.status, asked.headers.get('allow')]).toEqual([204, 'GET, POST, HEAD, OPTIONS']);
  expect(asked.headers.get('access-control-allow-origin')).toBeNull();
  const head = await lab.call(token, 'HEAD', '/v1/webhook-endpoints');
  expect([head.status, head.value, Number(head.headers.get('content-length')) > 0]).toEqual([200, '', true]);
});

test('every answer names its request and is kept by no cache; problems are problem documents', async () => {
  const { headers, value } = await lab.call(undefined, 'GET', '/v1/clients');
  expect(headers.get('content-type')).toBe('application/problem+json');
  expect(headers.get('www-authenticate')).toContain('Bearer');
  expect(value).toMatchObject({ status: 401, code: 'unauthenticated', httpRequestId: headers.get('request-id') });
  expect([headers.get('cache-control'), headers.get('x-content-type-options')]).toEqual(['no-store', 'nosniff']);
});

test('a body that is too large, of another type, compressed or not JSON is refused for what it is', async () => {
  const nul = JSON.stringify({ url: 'https://receiver.example/', description: 'a\u0000b' });
  const always = { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'idempotency-key': 'k-5' };
  for (const [status, body, more] of [
    [413, Buffer.alloc(1_048_577, ' ')],
    [415, '{}', { 'content-type': 'text/plain' }],
    [415, gzipSync('{}'), { 'content-encoding': 'gzip' }],
    [400, '{'],
    [400, nul],
  ] as const) {
    const init = { method: 'POST', headers: { ...always, ...more }, body };
    expect((await fetch(`${lab.platform.url}/v1/webhook-endpoints`, init)).status).toBe(status);
  }
});

test('a client that sends a body an octet at a time is cut off', async () => {
  const port = lab.platform.port;
  const said = await new Promise<string>((resolve, reject) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(
        `POST /v1/webhook-endpoints HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\nidempotency-key: k-6\r\ncontent-length: 100\r\n\r\n{`,
      );
    });
    socket.on('data', (chunk) => {
      text += String(chunk);
      if (text.includes('too-slow')) socket.destroy();
    });
    socket.on('close', () => resolve(text));
    socket.on('error', reject);
  });
  expect(said).toMatch(/^HTTP\/1\.1 400 .*too-slow/s);
});
test('the OpenAPI document has the routes of an area beside those of the contract, and asks for no token', async () => {
  const { status, value } = await lab.call(undefined, 'GET', '/openapi.json');
  const { paths, components } = value as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  expect([status, Object.keys(paths ?? {}).length]).toEqual([
    200,
    new Set(lab.platform.routes.map(({ path }) => path)).size,
  ]);
  expect(paths?.['/v1/notes']).toMatchObject({ post: { operationId: 'writeNote' } });
  // A schema that is not of zod says nothing of the form.
  expect(components?.['schemas']).toMatchObject({ Note: {}, TracebackRequest: { type: 'object' } });
});

test('metrics, liveness and readiness are served on the machine alone, without ids', async () => {
  const text = String((await lab.call(undefined, 'GET', '/metrics')).value);
  expect(text).toMatch(/^hopback_http_requests_total\{operation="writeNote",status="201"\} \d+$/m);
  expect(text).not.toContain('prv-birch');
  expect((await lab.call(undefined, 'GET', '/livez')).status).toBe(200);
  expect((await lab.call(undefined, 'GET', '/readyz')).status).toBe(200);
  const proxied = await fetch(`${lab.platform.url}/metrics`, { headers: { 'x-forwarded-for': '8.8.8.8' } });
  expect(proxied.status).toBe(404);
});

test('calls beyond the rate of a client are refused with the time to retry', async () => {
  await using narrow = await startPlatformLab({
    rates: { perClient: { perSecond: 1, burst: 2 }, perAddress: { perSecond: 1_000, burst: 1_000 } },
  });
  const bearer = await narrow.token(narrow.operator);
  const answers = await Promise.all([1, 2, 3].map(() => narrow.call(bearer, 'GET', '/v1/clients')));
  expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 200, 429]);
  expect(answers.find(({ status }) => status === 429)?.headers.get('retry-after')).toBe('1');
});

test('over mutual TLS a token is bound to the certificate it was got with', async () => {
  const pki = new TestPki();
  const server = pki.issueTls({ addresses: ['127.0.0.1'] });
  const issued = (name: string) => pki.issueTls({ names: [name], extendedKeyUsage: ['1.3.6.1.5.5.7.3.2'] });
  const [first, second] = [issued('one.example'), issued('two.example')];
  const key = clientTestKey('tls');
  await using secure = await startPlatformLab({
    tls: { certificate: server.chainPem, privateKey: server.privateKeyPem, clientCa: pki.tlsRoot.certificatePem },
    firstOperator: { clientId: 'itg-tls', jwk: key.jwk },
  });
  const fetchWith = (one: typeof first) =>
    createTlsFetch({ ca: pki.tlsRoot.certificatePem, certificate: one.chainPem, privateKey: one.privateKeyPem });
  const [shown, other] = [fetchWith(first), fetchWith(second)];
  const { tokenUrl, url } = secure.platform;
  const authorization = await privateKeyJwt({
    ...{ tokenUrl, clientId: 'itg-tls', key: key.privateKey, keyId: 'tls', fetch: shown.fetch },
  });
  const { signal } = new AbortController();
  const headers = await authorization.fields({ method: 'GET', url }, signal);
  const ask = async (one: typeof shown): Promise<number> => {
    const response = await one.fetch(`${url}/v1/clients`, { method: 'GET', headers, redirect: 'manual', signal });
    expect(response.headers.get('strict-transport-security')).toContain('max-age');
    await response.text();
    return response.status;
  };
  expect([await ask(shown), await ask(other)]).toEqual([200, 401]);
  await expect(fetch(`${url}/livez`)).rejects.toThrow();
  shown.close();
  other.close();
});

test('closing waits for a call under way, and accepts no more', async () => {
  const closing = await startPlatformLab({ areas: [notes] });
  const member = await closing.join('carrier', 'prv-late');
  const bearer = await closing.token(member);
  let release = (): void => {};
  holding = new Promise((resolve) => (release = resolve));
  const call = closing.call(bearer, 'POST', '/v1/notes', { body: { text: 'late' }, key: 'late' });
  while (
    !(await closing.call(undefined, 'GET', '/metrics')).value?.toString().includes('hopback_http_requests_open 2')
  ) {
    // Until it is worked on.
  }
  const closed = closing.platform.close();
  release();
  holding = undefined;
  expect((await call).status).toBe(201);
  await closed;
  await expect(closing.call(undefined, 'GET', '/livez')).rejects.toThrow();
});
