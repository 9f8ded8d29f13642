import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { bearerToken, type RequestAuthorization } from '../../sdk/src/platform/retry.js';
import { createHttpsRecordTransport } from '../../sdk/src/platform/record-transport-https.js';
import { SharedRecord } from '../../sdk/src/contract/call-record.js';
import { RECORD_BATCH_TYPE, type DeliveryResult, type RecordBatch } from '../../sdk/src/contract/record-batch.js';
import { TestPki } from '../../sdk/src/testing/test-pki.js';
import { whileListening } from '../support/http-server.js';
import { sharedRecord } from '../support/shared-records.js';
import { sampleRecord } from '../support/stream-lab.js';

type TransportOptions = Parameters<typeof createHttpsRecordTransport>[0];
/** Octets of an answer that are read. */
const MAX_ANSWER_BYTES = 2 * 1_048_576;

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

function deliver(handler: Handler, options: Partial<TransportOptions> = {}): Promise<DeliveryResult> {
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
  expect(fields).toMatchObject({
    ...{ 'ce-specversion': '1.0', 'ce-id': ID, 'ce-type': RECORD_BATCH_TYPE, 'idempotency-key': ID },
    ...{ 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip', authorization: 'Bearer c2VjcmV0' },
  });
  expect([fields['ce-source'], fields['ce-time']]).toEqual([expect.stringMatching(/./), expect.stringMatching(/Z$/)]);
  const lines = gunzipSync(Buffer.concat(chunks)).toString();
  expect(lines).toBe(LINES);
  for (const line of lines.trimEnd().split('\n'))
    expect(SharedRecord.parse(JSON.parse(line))).toEqual(JSON.parse(line));
});

const REJECTED = [{ recordId: sampleRecord(2).recordId, code: 'unknown-trunk' }];
const unreadable = { status: 'unavailable', reason: 'answer-unreadable' };
const [broken, late] = ['connection-failed', 'timeout'].map((reason) => ({ status: 'unavailable', reason }));
/** Answers with the beginning of a body, and then breaks off or says nothing more. */
const begun =
  (status: number, { breaksOff }: { readonly breaksOff: boolean }, fields: Record<string, string> = {}): Handler =>
  (_request, response) =>
    void response
      .writeHead(status, { 'content-length': '100', ...fields })
      .write('{', () => (breaksOff ? response.destroy() : undefined));
const failing: RequestAuthorization = { fields: () => Promise.reject(new Error('the token server is down')) };

const CASES: readonly (readonly [string, Handler, object, Partial<TransportOptions>?])[] = [
  [
    'some records rejected',
    answering(200, { batchId: ID, accepted: 2, rejected: REJECTED }),
    { status: 'acknowledged', rejected: REJECTED },
  ],
  ['200 with HTML', answering(200, '<html>Welcome to the hotel</html>'), unreadable],
  ['200 with an empty body', answering(200, ''), unreadable],
  ['200 with another batch', answering(200, { ...YES, batchId: 'f'.repeat(32) }), unreadable],
  ['200 with records unaccounted for', answering(200, { ...YES, accepted: 2 }), unreadable],
  ['200 with more records than were sent', answering(200, { ...YES, accepted: 4 }), unreadable],
  ['200 with another schema', answering(200, { ok: true }), unreadable],
  ['200 with a body beyond the limit', answering(200, ' '.repeat(MAX_ANSWER_BYTES + 10)), unreadable],
  ['400', answering(400, 'why'), { status: 'refused', reason: 'content', httpStatus: 400, detail: 'why' }],
  ['409', answering(409, 'why'), { status: 'refused', reason: 'conflict', httpStatus: 409, detail: 'why' }],
  ['413', answering(413, 'why'), { status: 'refused', reason: 'too-large', httpStatus: 413, detail: 'why' }],
  ['403', answering(403, 'why'), { status: 'barred', reason: 'unauthorized', httpStatus: 403, detail: 'why' }],
  ['404', answering(404, 'why'), { status: 'barred', reason: 'no-such-receiver', httpStatus: 404, detail: 'why' }],
  ['429', answering(429, 'why'), { status: 'unavailable', reason: 'receiver-busy', httpStatus: 429, detail: 'why' }],
  ['500', answering(500, 'why'), { status: 'unavailable', reason: 'receiver-failed', httpStatus: 500, detail: 'why' }],
  ['a connection that breaks', (request) => request.socket.destroy(), broken!],
  ['a connection that breaks in the body', begun(200, { breaksOff: true }), broken!],
  ['no answer', () => {}, late!, { timeoutMs: 50 }],
  ['a body that does not end', begun(200, { breaksOff: false }), late!, { timeoutMs: 50 }],
  ['no credential', answering(200, YES), { status: 'barred', reason: 'unauthorized' }, { authorization: failing }],
];

test.each(CASES.map(([name, ...rest]) => [name, rest] as const))('reports %s', async (_name, rest) => {
  const [handler, expected, options] = rest;
  expect(await deliver(handler, options)).toMatchObject(expected);
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

test.each([
  [413, { status: 'refused', reason: 'too-large', httpStatus: 413 }],
  [401, { status: 'barred', reason: 'unauthorized', httpStatus: 401 }],
  [429, { status: 'unavailable', reason: 'receiver-busy', httpStatus: 429, retryAfterMs: 120_000 }],
])('acts on status %i although the body breaks off or never ends', async (status, meaning) => {
  let refusals = 0;
  const counted: RequestAuthorization = { fields: () => ({}), refused: () => void (refusals += 1) };
  const fields = { 'retry-after': '120' };
  const cut = begun(status, { breaksOff: true }, fields);
  expect(await deliver(cut, { authorization: counted })).toMatchObject(meaning);
  const trickling = begun(status, { breaksOff: false }, fields);
  // Time enough for the status to be read on a busy machine; the rest never comes.
  expect(await deliver(trickling, { authorization: counted, timeoutMs: 1_000 })).toMatchObject(meaning);
  expect(refusals).toBe(status === 401 ? 2 : 0);
});

test('ends an attempt when its signal aborts', async () => {
  const controller = new AbortController();
  const result = await serving(
    () => controller.abort(),
    (url) => createHttpsRecordTransport({ url, authorization }).deliver(BATCH, controller.signal),
  );
  expect(result).toMatchObject({ status: 'unavailable', reason: 'connection-failed' });
});

test.each<readonly [string, Partial<TransportOptions>]>([
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
  const pki = new TestPki();
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
