import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bearerToken, type RequestAuthorization } from '../../sdk/src/platform/retry.js';
import {
  createHttpsRecordTransport,
  MAX_ANSWER_BYTES,
  type HttpsRecordTransportOptions,
} from '../../sdk/src/platform/record-transport-https.js';
import { SharedRecord } from '../../sdk/src/contract/call-record.js';
import { RECORD_BATCH_TYPE, RecordBatchFields } from '../../sdk/src/contract/record-batch.js';
import type { DeliveryResult, RecordBatch } from '../../sdk/src/contract/record-batch.js';
import { createTestPki } from '../../sdk/src/testing/test-pki.js';
import { whileListening } from '../support/http-server.js';
import { sharedRecord } from '../support/shared-records.js';
import { sampleRecord } from '../support/stream-lab.js';

const ID = '0123456789abcdef0123456789abcdef';
const LINES = [
  sharedRecord(sampleRecord(1), 'suspicious'),
  sharedRecord(sampleRecord(2), 'all-pseudonymous'),
  sharedRecord(sampleRecord(3), 'all'),
]
  .map((record) => `${JSON.stringify(record)}\n`)
  .join('');
const BATCH: RecordBatch = {
  ...{ id: ID, source: '/test/stream', type: RECORD_BATCH_TYPE, timeMs: 1_790_000_000_000, count: 3 },
  ...{ encoding: 'gzip', body: gzipSync(LINES) },
};
const YES = { batchId: ID, accepted: 3, rejected: [] };
const never = new AbortController().signal;
const authorization = bearerToken('c2VjcmV0');

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const serving = <Result>(handler: Handler, use: (url: string) => Promise<Result>): Promise<Result> =>
  whileListening(createServer(handler), (port) => use(`http://127.0.0.1:${port}/v1/records`));

const answering =
  (status: number, body: unknown, fields: Record<string, string> = {}): Handler =>
  (request, response) => {
    request.resume();
    request.on('end', () =>
      response.writeHead(status, fields).end(typeof body === 'string' ? body : JSON.stringify(body)),
    );
  };

function deliver(handler: Handler, options: Partial<HttpsRecordTransportOptions> = {}): Promise<DeliveryResult> {
  return serving(handler, (url) =>
    createHttpsRecordTransport({ url, authorization, ...options }).deliver(BATCH, never),
  );
}

test('asks for bodies in brotli, or in gzip where a receiver reads no other', () => {
  const options = { url: 'https://itg.example/v1/records', authorization };
  expect(createHttpsRecordTransport(options).encoding).toBe('br');
  expect(createHttpsRecordTransport({ ...options, encoding: 'gzip' }).encoding).toBe('gzip');
});

test('posts the batch as its wire says, and believes an answer that accounts for every record', async () => {
  let fields: IncomingMessage['headers'] = {};
  const chunks: Buffer[] = [];
  const result = await deliver((request, response) => {
    fields = request.headers;
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => response.end(JSON.stringify(YES)));
  });
  expect(result).toEqual({ status: 'acknowledged', rejected: [] });
  expect(RecordBatchFields.safeParse(fields).success).toBe(true);
  expect(fields).toMatchObject({ 'ce-id': ID, 'idempotency-key': ID, authorization: 'Bearer c2VjcmV0' });
  const lines = gunzipSync(Buffer.concat(chunks)).toString();
  expect(lines).toBe(LINES);
  for (const line of lines.trimEnd().split('\n'))
    expect(SharedRecord.parse(JSON.parse(line))).toEqual(JSON.parse(line));
});

test('passes on what was rejected of a batch that was taken', async () => {
  const rejected = [{ recordId: sampleRecord(2).recordId, code: 'unknown-trunk' }];
  expect(await deliver(answering(200, { batchId: ID, accepted: 2, rejected }))).toEqual({
    status: 'acknowledged',
    rejected,
  });
});

test.each([
  ['HTML', '<html>Welcome to the hotel</html>'],
  ['an empty body', ''],
  ['another batch', { ...YES, batchId: 'f'.repeat(32) }],
  ['records unaccounted for', { ...YES, accepted: 2 }],
  ['more records than were sent', { ...YES, accepted: 4 }],
  ['another schema', { ok: true }],
  ['a body beyond the limit', ' '.repeat(MAX_ANSWER_BYTES + 10)],
])('does not treat a 200 with %s as an acknowledgement', async (_name, body) => {
  expect(await deliver(answering(200, body))).toMatchObject({ status: 'unavailable', reason: 'answer-unreadable' });
});

test.each([
  [400, { status: 'refused', reason: 'content' }],
  [409, { status: 'refused', reason: 'conflict' }],
  [413, { status: 'refused', reason: 'too-large' }],
  [403, { status: 'barred', reason: 'unauthorized' }],
  [404, { status: 'barred', reason: 'no-such-receiver' }],
  [429, { status: 'unavailable', reason: 'receiver-busy' }],
  [500, { status: 'unavailable', reason: 'receiver-failed' }],
])('answers %i with %j', async (status, expected) => {
  expect(await deliver(answering(status, 'why'))).toMatchObject({ ...expected, httpStatus: status, detail: 'why' });
});

test('follows no redirect', async () => {
  let requests = 0;
  const result = await deliver((request, response) => {
    requests += 1;
    answering(307, '', { location: '/elsewhere' })(request, response);
  });
  expect(result).toMatchObject({ status: 'barred', reason: 'no-such-receiver', httpStatus: 307 });
  expect(requests).toBe(1);
});

test('knows a connection that breaks from an answer that does not come', async () => {
  expect(await deliver((request) => request.socket.destroy())).toMatchObject({
    status: 'unavailable',
    reason: 'connection-failed',
  });
  expect(await deliver(() => {}, { timeoutMs: 50 })).toMatchObject({ status: 'unavailable', reason: 'timeout' });
  const trickling: Handler = (_request, response) => {
    response.writeHead(200).write('{');
  };
  expect(await deliver(trickling, { timeoutMs: 50 })).toMatchObject({ status: 'unavailable', reason: 'timeout' });
  const cut: Handler = (_request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{', () => response.destroy());
  };
  expect(await deliver(cut)).toMatchObject({ status: 'unavailable', reason: 'connection-failed' });
});

test.each([
  [413, { status: 'refused', reason: 'too-large', httpStatus: 413 }],
  [401, { status: 'barred', reason: 'unauthorized', httpStatus: 401 }],
  [429, { status: 'unavailable', reason: 'receiver-busy', httpStatus: 429, retryAfterMs: 120_000 }],
])('acts on status %i although the body breaks off or never ends', async (status, meaning) => {
  let refusals = 0;
  const counted: RequestAuthorization = { fields: () => ({}), refused: () => void (refusals += 1) };
  const fields = { 'content-length': '100', 'retry-after': '120' };
  const cut: Handler = (_request, response) => {
    response.writeHead(status, fields).write('{', () => response.destroy());
  };
  expect(await deliver(cut, { authorization: counted })).toMatchObject(meaning);
  const trickling: Handler = (_request, response) => {
    response.writeHead(status, fields).write('{');
  };
  // Time enough for the status to be read on a busy machine; the rest never comes.
  expect(await deliver(trickling, { authorization: counted, timeoutMs: 1_000 })).toMatchObject(meaning);
  expect(refusals).toBe(status === 401 ? 2 : 0);
});

test('is barred while no credential can be had', async () => {
  const failing: RequestAuthorization = { fields: () => Promise.reject(new Error('the token server is down')) };
  expect(await deliver(answering(200, YES), { authorization: failing })).toMatchObject({
    status: 'barred',
    reason: 'unauthorized',
  });
});

test('ends an attempt when its signal aborts', async () => {
  const controller = new AbortController();
  const result = await serving(
    () => controller.abort(),
    (url) => createHttpsRecordTransport({ url, authorization }).deliver(BATCH, controller.signal),
  );
  expect(result).toMatchObject({ status: 'unavailable', reason: 'connection-failed' });
});

test.each<readonly [string, Partial<HttpsRecordTransportOptions>]>([
  ['another scheme', { url: 'ftp://itg.example/' }],
  ['http to another machine', { url: 'http://127.0.0.1.example/' }],
  ['an invalid URL', { url: 'nonsense' }],
  ['a credential in the URL', { url: 'https://user:secret@itg.example/' }],
  ['a ca that is not PEM', { ca: 'nothing' }],
  ['ca together with fetch', { ca: 'x', fetch: globalThis.fetch }],
])('rejects %s', (_name, options) => {
  expect(() =>
    createHttpsRecordTransport({ url: 'https://itg.example/v1/records', authorization, ...options }),
  ).toThrow(expect.objectContaining({ code: 'invalid-configuration' }));
});

async function servingTls<Result>(
  handler: Handler,
  use: (at: { readonly url: string; readonly ca: string; readonly connections: () => number }) => Promise<Result>,
): Promise<Result> {
  const pki = await createTestPki();
  const { privateKeyPem, chainPem } = pki.issueTls({ addresses: ['127.0.0.1'] });
  const server = createTlsServer({ key: privateKeyPem, cert: chainPem }, handler);
  let connections = 0;
  server.on('secureConnection', () => (connections += 1));
  return whileListening(server, (port) =>
    use({
      url: `https://127.0.0.1:${port}/v1/records`,
      ca: pki.tlsRoot.certificatePem,
      connections: () => connections,
    }),
  );
}

test('a receiver behind a private CA is reached with ca, over one connection that is kept alive, and not without', async () => {
  const results = await servingTls(answering(200, YES), async ({ url, ca, connections }) => {
    const transport = createHttpsRecordTransport({ url, authorization, ca });
    const first = await transport.deliver(BATCH, never);
    const second = await transport.deliver(BATCH, never);
    await transport.close();
    const kept = connections();
    const untrusting = createHttpsRecordTransport({ url, authorization });
    return [first, second, kept, await untrusting.deliver(BATCH, never)];
  });
  const yes = { status: 'acknowledged', rejected: [] };
  expect(results).toEqual([
    ...[yes, yes, 1],
    expect.objectContaining({ status: 'unavailable', reason: 'connection-failed' }),
  ]);
});

test('behind a private CA answers mean the same: statuses, Retry-After, redirects that are not followed, deadlines', async () => {
  const of = (handler: Handler, timeoutMs = 5_000): Promise<DeliveryResult> =>
    servingTls(handler, async ({ url, ca }) => {
      const transport = createHttpsRecordTransport({ url, authorization, ca, timeoutMs });
      const result = await transport.deliver(BATCH, never);
      await transport.close();
      return result;
    });
  expect(await of(answering(503, 'later', { 'retry-after': '7' }))).toMatchObject({ retryAfterMs: 7_000 });
  expect(await of(answering(401, ''))).toMatchObject({ status: 'barred', reason: 'unauthorized' });
  expect(await of(answering(204, ''))).toMatchObject({ status: 'unavailable', reason: 'answer-unreadable' });
  expect(await of(answering(307, '', { location: 'https://127.0.0.1:1/' }))).not.toMatchObject({
    status: 'acknowledged',
  });
  expect(await of(() => undefined, 50)).toMatchObject({ status: 'unavailable', reason: 'timeout' });
  expect(await of((request) => void request.socket.destroy())).toMatchObject({ reason: 'connection-failed' });
});
