import { Agent, get as httpGet, type IncomingHttpHeaders } from 'node:http';
import { get as httpsGet, type RequestOptions } from 'node:https';
import { connect } from 'node:net';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { TestPki, CertificateServer, type ServerFault } from '@hopback/sdk/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withCode } from '../support/code-of.js';

// What faults/x5u-fetch and faults/x5u-repository need of the server, and its named faults, is proved there.

const BODY = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(800)}\n-----END CERTIFICATE-----\n`;
let server: CertificateServer;

beforeEach(async () => {
  server = await CertificateServer.start();
});

afterEach(async () => {
  await server.close();
  if (server.openSockets() > 0) throw new Error(`${server.openSockets()} connections are open after close()`);
});

interface Outcome {
  readonly error?: string | undefined;
  readonly status?: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A plain client: no redirects, no decoding. What it has when the answer ends, or breaks off with an error. */
function get(url: string, options: RequestOptions = {}): Promise<Outcome> {
  const settings = { ca: server.tlsRootPem, agent: false as const, signal: AbortSignal.timeout(5000), ...options };
  return new Promise((resolve) => {
    const request = (url.startsWith('https:') ? httpsGet : httpGet)(url, settings, (response) => {
      const { statusCode: status, headers } = response;
      const chunks: Buffer[] = [];
      const end = (error?: string): void => resolve({ error, status, headers, body: Buffer.concat(chunks) });
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => end());
      response.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    });
    request.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ error: error.code ?? error.message, headers: {}, body: Buffer.alloc(0) }),
    );
  });
}

test('a published chain is served over https with its media type, length and cache directives', async () => {
  const url = server.publish('/1234.pem', BODY, { cacheControl: 'max-age=86400' });
  expect(url).toBe(`https://127.0.0.1:${server.ports.https}/1234.pem`);
  const { status, headers, body } = await get(url);
  expect([status, body.toString()]).toEqual([200, BODY]);
  const caching = { 'content-length': String(BODY.length), 'cache-control': 'max-age=86400' };
  expect(headers).toMatchObject({ 'content-type': 'application/pem-certificate-chain', ...caching });
});

test('a date of modification is revalidated with 304', async () => {
  const url = server.publish('/a', BODY, { lastModifiedMs: Date.UTC(2026, 0, 1) });
  const since = (date: string): RequestOptions => ({ headers: { 'if-modified-since': date } });
  expect((await get(url, since('Thu, 01 Jan 2026 00:00:00 GMT'))).status).toBe(304);
  expect((await get(url, since('Wed, 31 Dec 2025 23:59:59 GMT'))).status).toBe(200);
});

test('a sequence gives one answer after the other and repeats the last', async () => {
  const url = server.sequence('/a', [
    { kind: 'status', status: 503, retryAfterSeconds: 7 },
    { kind: 'body', body: 'old' },
    { kind: 'body', body: 'new' },
  ]);
  const first = await get(url);
  expect([first.status, first.headers['retry-after']]).toEqual([503, '7']);
  const bodies = [await get(url), await get(url), await get(url)].map(({ body }) => body.toString());
  expect(bodies).toEqual(['old', 'new', 'new']);
});

test('requests are counted by path, with method, headers and listener', async () => {
  const url = server.publish('/a?b=c', BODY);
  await get(url, { headers: { 'x-probe': '1' } });
  await get(server.url('/a?b=c', 'http'));
  await get(server.url('/other'));
  expect([server.requests('/a?b=c'), server.requests('/a'), server.requests()]).toEqual([2, 0, 3]);
  const [first, second] = server.requestLog('/a?b=c');
  expect(first).toMatchObject({ method: 'GET', listener: 'https', headers: { 'x-probe': '1' } });
  expect(second?.listener).toBe('http');
});

test('a slow body arrives whole for a client that waits', async () => {
  const url = server.fault('/a', { kind: 'drip', body: BODY, octets: 200, intervalMs: 5 });
  expect((await get(url)).body.toString()).toBe(BODY);
});

test('an oversized body may or may not say its size', async () => {
  const sizeBytes = 20_000;
  const said = await get(server.fault('/a', { kind: 'oversized', sizeBytes }));
  expect([said.body.length, said.headers['content-length']]).toEqual([sizeBytes, '20000']);
  const unsaid = await get(server.fault('/a', { kind: 'oversized', sizeBytes, chunked: true }));
  expect([unsaid.body.length, unsaid.headers['content-length']]).toEqual([sizeBytes, undefined]);
});

test.each([
  ['gzip', gunzipSync],
  ['br', brotliDecompressSync],
  ['deflate', inflateSync],
] as const)('a %s bomb is small on the wire and huge inside', async (encoding, decode) => {
  const sizeBytes = 8_388_608;
  const url = server.fault('/a', { kind: 'compression-bomb', sizeBytes, encoding });
  const { headers, body } = await get(url);
  expect(headers['content-encoding']).toBe(encoding);
  expect(body.length).toBeLessThan(16_384);
  expect(decode(body)).toHaveLength(sizeBytes);
});

test.each<[string, ServerFault, error: unknown, received?: number]>([
  ['a truncated body', { kind: 'truncated', body: BODY, octets: 100 }, 'ECONNRESET', 100],
  ['a connection that is cut', { kind: 'reset' }, 'ECONNRESET'],
  ['a connection that is cut inside the body', { kind: 'reset', body: BODY, afterOctets: 100 }, 'ECONNRESET'],
  ['a connection that is closed', { kind: 'hang-up' }, 'ECONNRESET'],
  ['another protocol', { kind: 'not-http' }, expect.stringMatching(/^HPE_/)],
  ['huge headers', { kind: 'huge-headers', sizeBytes: 1_048_576 }, 'HPE_HEADER_OVERFLOW'],
])('%s is not a whole answer', async (_what, fault, error, received) => {
  const outcome = await get(server.fault('/a', fault));
  expect(outcome.error).toEqual(error);
  if (received !== undefined) expect(outcome.body).toHaveLength(received);
});

test('a connection is cut without TLS too', async () => {
  server.fault('/a', { kind: 'reset' });
  expect(await get(server.url('/a', 'http'))).toMatchObject({ error: 'ECONNRESET' });
});

test('the TLS certificates come from the PKI that is given', async () => {
  const pki = new TestPki();
  await using own = await CertificateServer.start({ pki });
  expect(own.tlsRootPem).toBe(pki.tlsRoot.certificatePem);
});

test('closing cuts what is stalled, held, dripping, streaming and idle, and may be done twice', async () => {
  server.hold('/held');
  server.fault('/endless', { kind: 'endless' });
  const urls = [
    server.fault('/stall', { kind: 'stall' }),
    server.fault('/drip', { kind: 'drip', body: BODY }),
    server.publish('/held', BODY),
  ];
  const outcomes = urls.map((url) => get(url));
  // A client that never reads on: the stream is stuck in full buffers when the server closes.
  const stuck = connect(server.ports.http, '127.0.0.1');
  stuck.on('error', () => undefined).pause();
  stuck.write('GET /endless HTTP/1.1\r\nhost: x\r\n\r\n');
  const silent = connect(server.ports['tls-silent'], '127.0.0.1');
  silent.on('error', () => undefined);
  await Promise.all([
    ...['/stall', '/drip', '/held', '/endless'].map((path) => server.requested(path, 1)),
    new Promise<void>((resolve) => silent.once('connect', () => resolve())),
  ]);
  await Promise.all([server.close(), server.close()]);
  expect(server.openSockets()).toBe(0);
  for (const { error } of await Promise.all(outcomes)) expect(error).toBeDefined();
  expect((await get(urls[0] ?? '')).error).toBe('ECONNREFUSED');
  stuck.destroy();
  silent.destroy();
});

test('a path without a leading slash is a mistake of the caller', () => {
  expect(() => server.publish('a', BODY)).toThrow(withCode('invalid-argument'));
});

test('the server listens at the given address and ports, which its TLS certificate names', async () => {
  const { https, http } = server.ports;
  await server.close();
  const host = '127.0.0.2';
  await using other = await CertificateServer.start({ address: host, host, port: https, httpPort: http });
  expect(other.ports).toMatchObject({ https, http });
  const url = other.publish('/a.pem', BODY);
  expect(url).toBe(`https://127.0.0.2:${https}/a.pem`);
  expect((await get(url, { ca: other.tlsRootPem })).status).toBe(200);
});

test('a client that asks for many paths over one connection causes no warning of Node', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let path = 0; path < 20; path += 1) await get(server.url(`/${path}`, 'http'), { agent });
  agent.destroy();
  await server.idle();
  process.off('warning', warned);
  expect([server.connections(), server.requests(), warnings]).toEqual([1, 20, []]);
});
