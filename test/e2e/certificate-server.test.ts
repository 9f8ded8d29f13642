import { Agent, get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';
import { createTestPki, SERVER_FAULT_NAMES, SERVER_FAULTS, startCertificateServer } from '@hopback/sdk/testing';
import type { CertificateServer, ServerFaultName } from '@hopback/sdk/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';

const BODY = `-----BEGIN CERTIFICATE-----\n${'A'.repeat(800)}\n-----END CERTIFICATE-----\n`;
let server: CertificateServer;

beforeEach(async () => {
  server = await startCertificateServer();
});

afterEach(async () => {
  await server.close();
  if (server.openSockets() > 0) throw new Error(`${server.openSockets()} connections are open after close()`);
});

interface Fetched {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}
type Outcome = Fetched | { readonly error: string; readonly received: number };

interface FetchOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly capBytes?: number;
}

/** A plain client: no redirects, no decoding, one deadline, one cap on the body. */
function fetchOnce(url: string, options: FetchOptions = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    let received = 0;
    const fail = (error: string): void => {
      resolve({ error, received });
      request.destroy();
    };
    const signal = AbortSignal.timeout(options.timeoutMs ?? 5000);
    const settings = { ca: server.tlsRootPem, agent: false as const, headers: { ...options.headers }, signal };
    const request = (url.startsWith('https:') ? httpsGet : httpGet)(url, settings, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        received += chunk.length;
        if (received > (options.capBytes ?? 16_384)) fail('too large');
      });
      response.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? error.message));
  });
}

async function fetched(url: string, options: FetchOptions = {}): Promise<Fetched> {
  const outcome = await fetchOnce(url, options);
  if ('error' in outcome) throw new Error(outcome.error);
  return outcome;
}

async function failed(url: string, options: FetchOptions = {}): Promise<string> {
  const outcome = await fetchOnce(url, options);
  return 'error' in outcome ? outcome.error : `status ${outcome.status}`;
}

test('a published chain is served over https with its media type, length and cache directives', async () => {
  const url = server.publish('/1234.pem', BODY, { cacheControl: 'max-age=86400' });
  expect(url).toBe(`https://127.0.0.1:${server.ports.https}/1234.pem`);
  const { status, headers, body } = await fetched(url);
  expect([status, body.toString()]).toEqual([200, BODY]);
  expect(headers).toMatchObject({
    'content-type': 'application/pem-certificate-chain',
    'content-length': String(BODY.length),
    'cache-control': 'max-age=86400',
  });
});

test('the same path is served without TLS, for CRLs and trust lists', async () => {
  const der = Uint8Array.of(0x30, 0x00, 0xff);
  server.publish('/crl', der, { contentType: 'application/pkix-crl' });
  const { headers, body } = await fetched(server.url('/crl', 'http'));
  expect([...body]).toEqual([...der]);
  expect(headers['content-type']).toBe('application/pkix-crl');
});

test('a path that nothing was published on, or that was withdrawn, answers 404', async () => {
  const url = server.publish('/a', BODY);
  server.withdraw('/a');
  expect((await fetched(url)).status).toBe(404);
  expect((await fetched(server.url('/never'))).status).toBe(404);
});

test.each([
  ['gzip', gunzipSync],
  ['br', brotliDecompressSync],
  ['deflate', inflateSync],
  ['identity', (octets: Buffer) => octets],
] as const)('a body is encoded with %s', async (contentEncoding, decode) => {
  const { headers, body } = await fetched(server.publish('/a', BODY, { contentEncoding }));
  expect(headers['content-encoding']).toBe(contentEncoding);
  expect(decode(body).toString()).toBe(BODY);
});

test('a chunked body has no Content-Length', async () => {
  const { headers, body } = await fetched(server.publish('/a', BODY, { chunked: true, contentType: 'absent' }));
  expect(headers['content-length']).toBeUndefined();
  expect(headers['content-type']).toBeUndefined();
  expect(body.toString()).toBe(BODY);
});

test('an entity tag is revalidated with 304, and no longer when the body was rotated', async () => {
  const url = server.publish('/a', BODY, { etag: 'hash', cacheControl: 'max-age=1' });
  const { headers } = await fetched(url);
  const conditional = { headers: { 'if-none-match': String(headers.etag) } };
  const unchanged = await fetched(url, conditional);
  expect([unchanged.status, unchanged.body.length]).toEqual([304, 0]);
  expect(unchanged.headers['cache-control']).toBe('max-age=1');
  server.publish('/a', `${BODY}\n`, { etag: 'hash' });
  expect((await fetched(url, conditional)).status).toBe(200);
});

test('a date of modification is revalidated with 304', async () => {
  const url = server.publish('/a', BODY, { lastModifiedMs: Date.UTC(2026, 0, 1) });
  const since = (date: string): FetchOptions => ({ headers: { 'if-modified-since': date } });
  expect((await fetched(url, since('Thu, 01 Jan 2026 00:00:00 GMT'))).status).toBe(304);
  expect((await fetched(url, since('Wed, 31 Dec 2025 23:59:59 GMT'))).status).toBe(200);
});

test('a sequence gives one answer after the other and repeats the last', async () => {
  const url = server.sequence('/a', [
    { kind: 'status', status: 503, retryAfterSeconds: 7 },
    { kind: 'body', body: 'old' },
    { kind: 'body', body: 'new' },
  ]);
  const first = await fetched(url);
  expect([first.status, first.headers['retry-after']]).toEqual([503, '7']);
  const bodies = [await fetched(url), await fetched(url), await fetched(url)].map(({ body }) => body.toString());
  expect(bodies).toEqual(['old', 'new', 'new']);
});

test('requests are counted by path, with method, headers and listener', async () => {
  const url = server.publish('/a?b=c', BODY);
  await fetched(url, { headers: { 'x-probe': '1' } });
  await fetched(server.url('/a?b=c', 'http'));
  await fetched(server.url('/other'));
  expect([server.requests('/a?b=c'), server.requests('/a'), server.requests()]).toEqual([2, 0, 3]);
  const [first, second] = server.requestLog('/a?b=c');
  expect(first).toMatchObject({ method: 'GET', listener: 'https', headers: { 'x-probe': '1' } });
  expect(second?.listener).toBe('http');
});

test('answers are held back until they are released, while requests and sockets are counted', async () => {
  const url = server.publish('/a', BODY);
  const release = server.hold('/a');
  const waiting = [fetched(url), fetched(url), fetched(url)];
  await server.requested('/a', 3);
  expect([server.openSockets('/a'), server.openSockets()]).toEqual([3, 3]);
  release();
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([200, 200, 200]);
  await server.idle();
  expect([server.openSockets('/a'), server.openSockets(), server.connections()]).toEqual([0, 0, 3]);
});

test.each([301, 302, 303, 307, 308] as const)('redirect %i leads elsewhere', async (status) => {
  const answer = await fetched(
    server.fault('/a', { kind: 'redirect', status, location: 'https://elsewhere.example/' }),
  );
  expect([answer.status, answer.headers.location]).toEqual([status, 'https://elsewhere.example/']);
});

test('pages and headers that send browsers elsewhere are answered 200', async () => {
  const page = await fetched(server.fault('/a', { kind: 'meta-refresh', location: 'https://x.example/' }));
  expect(page.body.toString()).toContain('url=https://x.example/');
  const header = await fetched(server.fault('/a', { kind: 'refresh-header', location: 'https://x.example/' }));
  expect([header.status, header.headers['refresh']]).toEqual([200, '0;url=https://x.example/']);
});

test.each(['stall', 'stall-after-headers', 'stall-in-body', 'drip', 'tls-silent'] as const)(
  'a client gives up on "%s" by its own deadline, and the socket is gone',
  async (name) => {
    expect(await failed(server.namedFault(name, BODY), { timeoutMs: 100 })).toMatch(
      /^ABORT_ERR|^ECONNRESET|^aborted|^23$/,
    );
    await server.idle();
    expect(server.openSockets()).toBe(0);
  },
);

test('a slow body arrives whole for a client that waits', async () => {
  const url = server.fault('/a', { kind: 'drip', body: BODY, octets: 200, intervalMs: 5 });
  expect((await fetched(url)).body.toString()).toBe(BODY);
});

test.each(['oversized', 'oversized-chunked', 'endless'] as const)(
  'a client that stops reading ends "%s"',
  async (name) => {
    expect(await fetchOnce(server.namedFault(name, BODY))).toMatchObject({ error: 'too large' });
    await server.idle();
  },
);

test('an oversized body may or may not say its size', async () => {
  const said = await fetched(server.fault('/a', { kind: 'oversized', sizeBytes: 20_000 }), { capBytes: 20_000 });
  expect([said.body.length, said.headers['content-length']]).toEqual([20_000, '20000']);
  const unsaid = await fetched(server.fault('/a', { kind: 'oversized', sizeBytes: 20_000, chunked: true }), {
    capBytes: 20_000,
  });
  expect([unsaid.body.length, unsaid.headers['content-length']]).toEqual([20_000, undefined]);
});

test.each([
  ['gzip', gunzipSync],
  ['br', brotliDecompressSync],
  ['deflate', inflateSync],
] as const)('a %s bomb is small on the wire and huge inside', async (encoding, decode) => {
  const sizeBytes = 8_388_608;
  const url = server.fault('/a', { kind: 'compression-bomb', sizeBytes, encoding });
  const { headers, body } = await fetched(url);
  expect(headers['content-encoding']).toBe(encoding);
  expect(body.length).toBeLessThan(16_384);
  expect(decode(body)).toHaveLength(sizeBytes);
});

test('a truncated body ends before its length', async () => {
  const outcome = await fetchOnce(server.fault('/a', { kind: 'truncated', body: BODY, octets: 100 }));
  expect(outcome).toMatchObject({ error: 'ECONNRESET', received: 100 });
});

test.each(['https', 'http'] as const)('a connection is cut before or inside the body, over %s', async (listener) => {
  server.fault('/now', { kind: 'reset' });
  server.fault('/later', { kind: 'reset', body: BODY, afterOctets: 100 });
  expect(await failed(server.url('/now', listener))).toBe('ECONNRESET');
  expect(await fetchOnce(server.url('/later', listener))).toMatchObject({ error: 'ECONNRESET' });
});

test('other ways to give no HTTP answer', async () => {
  expect(await failed(server.fault('/a', { kind: 'hang-up' }))).toBe('ECONNRESET');
  expect(await failed(server.fault('/a', { kind: 'not-http' }))).toMatch(/^HPE_/);
  expect(await failed(server.fault('/a', { kind: 'huge-headers', sizeBytes: 1_048_576 }))).toBe('HPE_HEADER_OVERFLOW');
});

test('content codings that are not what they say', async () => {
  const falseGzip = await fetched(server.fault('/a', { kind: 'false-encoding', body: BODY }));
  expect([falseGzip.headers['content-encoding'], falseGzip.body.toString()]).toEqual(['gzip', BODY]);
  const unknown = await fetched(server.fault('/a', { kind: 'unknown-encoding', body: BODY }));
  expect(unknown.headers['content-encoding']).toBe('x-unheard-of');
});

test.each([
  ['https-wrong-name', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ['https-untrusted', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['https-expired', 'CERT_HAS_EXPIRED'],
  ['refused', 'ECONNREFUSED'],
] as const)('the listener "%s" fails with %s before any request', async (listener, code) => {
  server.publish('/a', BODY);
  expect(await failed(server.url('/a', listener))).toBe(code);
  expect(server.requests()).toBe(0);
});

/** Named faults that a bare HTTP client takes for an answer of status 200. */
const ANSWERED_200: ReadonlySet<ServerFaultName> = new Set([
  'meta-refresh',
  'refresh-header',
  'false-encoding',
  'unknown-encoding',
  'not-pem',
  'empty-body',
  'deflate-bomb',
  'gzip-bomb',
  'brotli-bomb',
]);

test.each(SERVER_FAULT_NAMES)('the named fault "%s" behaves as its name says and leaves nothing open', async (name) => {
  const { expectedReasonHint } = SERVER_FAULTS[name];
  const timeoutMs = expectedReasonHint === 'timeout' ? 200 : 10_000;
  const outcome = await fetchOnce(server.namedFault(name, BODY), { timeoutMs, capBytes: 1_000_000 });
  const isAnswered = expectedReasonHint === 'redirect' || expectedReasonHint === 'http-status';
  const expected = ANSWERED_200.has(name) ? 'status 200' : isAnswered ? 'another status' : 'no answer';
  expect('error' in outcome ? 'no answer' : outcome.status === 200 ? 'status 200' : 'another status').toBe(expected);
  expect(server.requests('/faults/elsewhere')).toBe(0);
  await server.idle();
});

test('host names of the caller are in the TLS certificate and in the URLs', async () => {
  await using named = await startCertificateServer({ names: ['certificates.example'], host: 'localhost' });
  expect(named.publish('/a', BODY)).toBe(`https://localhost:${named.ports.https}/a`);
  const lookup = (_: string, __: object, done: (error: null, addresses: object[]) => void): void =>
    done(null, [{ address: '127.0.0.1', family: 4 }]);
  const status = await new Promise((resolve, reject) => {
    const url = `https://certificates.example:${named.ports.https}/a`;
    httpsGet(url, { ca: named.tlsRootPem, agent: false, lookup: lookup as never }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode));
    }).on('error', reject);
  });
  expect(status).toBe(200);
});

test('the TLS certificates come from the PKI that is given', async () => {
  const pki = await createTestPki();
  await using own = await startCertificateServer({ pki });
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
  const outcomes = urls.map((url) => fetchOnce(url));
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
  for (const outcome of await Promise.all(outcomes)) expect(outcome).toHaveProperty('error');
  expect(await failed(urls[0] ?? '')).toBe('ECONNREFUSED');
  stuck.destroy();
  silent.destroy();
});

test('a path without a leading slash is a mistake of the caller', () => {
  expect(() => server.publish('a', BODY)).toThrow(expect.objectContaining({ code: 'invalid-argument' }));
});

test('it is at the address and under the ports that it was told, its TLS certificate too', async () => {
  const { https, http } = server.ports;
  await server.close();
  await using other = await startCertificateServer({
    address: '127.0.0.2',
    host: '127.0.0.2',
    port: https,
    httpPort: http,
  });
  expect(other.ports).toMatchObject({ https, http });
  const url = other.publish('/a.pem', BODY);
  expect(url).toBe(`https://127.0.0.2:${https}/a.pem`);
  const status = await new Promise((resolve, reject) => {
    httpsGet(url, { ca: other.tlsRootPem }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
  expect(status).toBe(200);
});

test('a client that asks for many paths over one connection has nobody warned', async () => {
  const warnings: Error[] = [];
  const warned = (warning: Error): void => void warnings.push(warning);
  process.on('warning', warned);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (let path = 0; path < 20; path += 1) {
    await new Promise((resolve, reject) => {
      httpGet(server.url(`/${path}`, 'http'), { agent }, (response) => response.resume().on('end', resolve)).on(
        'error',
        reject,
      );
    });
  }
  agent.destroy();
  await server.idle();
  process.off('warning', warned);
  expect([server.connections(), server.requests(), warnings]).toEqual([1, 20, []]);
});
