import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createScriptedLookup,
  TestPki,
  SERVER_FAULTS,
  CertificateServer,
  type TestServiceProvider,
} from '../../sdk/src/testing/index.js';
import { SERVER_FAULT_NAMES } from '../../sdk/src/testing/certificate-server/server.js';
import { fetchBounded } from '../../sdk/src/stir/certificates/bounded-fetch.js';
import type { BoundedFetchOptions, BoundedFetchResult } from '../../sdk/src/stir/certificates/bounded-fetch.js';
import { notesOf, validatorsOf } from '../../sdk/src/stir/certificates/certificate-cache.js';
import { CERTIFICATE_CHAIN_LIMITS } from '../../sdk/src/stir/certificates/fetched-resource.js';
import { parseCertificateChain } from '../../sdk/src/stir/certificates/parse-certificate.js';

/** As the certificate repository fetches a chain. */
const fetchX5u = (url: string, options: Partial<BoundedFetchOptions> = {}): Promise<BoundedFetchResult> =>
  fetchBounded(url, { ...options, ...CERTIFICATE_CHAIN_LIMITS });

const MAX_X5U_BODY_BYTES = CERTIFICATE_CHAIN_LIMITS.maxBytes;

let server: CertificateServer;
let provider: TestServiceProvider;

beforeAll(async () => {
  const pki = new TestPki();
  provider = pki.issueServiceProvider({ spc: '1234' });
  server = await CertificateServer.start({ pki, names: ['cert.example.com'] });
});

afterAll(async () => {
  await server.close();
});

/** Short, so that the tests of silent servers take no time; long enough for a handshake on a busy machine. */
const DEADLINE_MS = 700;

const laboratory = (): Partial<BoundedFetchOptions> => ({
  allow: { addresses: ['127.0.0.0/8'], hosts: ['localhost'], ports: Object.values(server.ports) },
  ca: server.tlsRootPem,
  deadlineMs: 5_000,
});

const reasonOf = (result: BoundedFetchResult): string => ('reason' in result ? result.reason : result.status);

test('fetches a chain with its intermediate over HTTPS and leaves no socket open', async () => {
  const url = server.publish('/good.pem', provider.chainPem, { etag: 'hash' });
  const result = await fetchX5u(url, laboratory());
  if (result.status !== 'fetched') throw new Error(JSON.stringify(result));
  const parsed = parseCertificateChain(result.body);
  expect(parsed.status === 'parsed' && parsed.chain.map(({ sha256 }) => sha256)).toEqual([
    provider.sha256,
    provider.issuer?.sha256,
  ]);
  expect(validatorsOf(result.headers).etag).toMatch(/^"[0-9a-f]{32}"$/);
  expect(notesOf(result.headers)).toEqual([]);
  await server.idle();
  const [request] = server.requestLog('/good.pem');
  expect(request?.method).toBe('GET');
  expect(request?.headers).toMatchObject({ host: new URL(url).host, 'accept-encoding': 'identity' });
  expect(Object.keys(request?.headers ?? {}).sort()).toEqual(['accept', 'accept-encoding', 'connection', 'host']);
});

test('fetches by name through the resolver it is given, with the name in SNI and the certificate check', async () => {
  server.publish('/by-name.pem', provider.chainPem);
  const lookup = createScriptedLookup({ 'cert.example.com': [['127.0.0.1']] });
  const url = `https://cert.example.com:${server.ports.https}/by-name.pem`;
  expect((await fetchX5u(url, { ...laboratory(), lookup })).status).toBe('fetched');
  expect(lookup.queries('cert.example.com')).toBe(1);
  const other = createScriptedLookup({ 'other.example.com': [['127.0.0.1']] });
  const stranger = await fetchX5u(`https://other.example.com:${server.ports.https}/by-name.pem`, {
    ...laboratory(),
    lookup: other,
  });
  expect(stranger).toMatchObject({ status: 'failed', reason: 'tls-failed' });
});

test('the default resolver takes localhost for loopback', async () => {
  server.publish('/localhost.pem', provider.chainPem);
  const result = await fetchX5u(`https://localhost:${server.ports.https}/localhost.pem`, laboratory());
  expect(reasonOf(result)).toBe('fetched');
});

test.each(SERVER_FAULT_NAMES)(
  'a repository with the fault %s ends with its reason, in time and without a socket',
  async (name) => {
    const url = server.namedFault(name, provider.chainPem);
    const hint = SERVER_FAULTS[name].expectedReasonHint;
    const startedMs = performance.now();
    const result = await fetchX5u(url, { ...laboratory(), ...(hint === 'timeout' ? { deadlineMs: DEADLINE_MS } : {}) });
    const tookMs = performance.now() - startedMs;
    const parsed = result.status === 'fetched' ? parseCertificateChain(result.body) : undefined;
    const reason = parsed?.status === 'malformed' ? 'body-malformed' : reasonOf(result);
    if (hint !== undefined) expect(reason).toBe(hint);
    expect(['fetched', 'not-modified', 'refused']).not.toContain(reason);
    if (hint === 'timeout') {
      expect(tookMs).toBeGreaterThan(DEADLINE_MS - 50);
      expect(tookMs).toBeLessThan(DEADLINE_MS + 1_000);
    }
    expect(server.requests('/faults/elsewhere')).toBe(0);
    await server.idle();
  },
);

test.each([
  [300, undefined],
  [304, undefined],
  [305, undefined],
  [399, undefined],
  [302, '//cert.example.com/x'],
  [302, '/relative'],
  [302, 'http://127.0.0.1/'],
  [302, 'javascript:alert(1)'],
  [302, '\u00a0'],
])('HTTP status %i with Location %j is not followed', async (status, location) => {
  const elsewhere = server.publish('/elsewhere.pem', provider.chainPem);
  const url = server.publish('/moved.pem', 'moved', { status, headers: { location: location ?? elsewhere } });
  expect(reasonOf(await fetchX5u(url, laboratory()))).toBe(status === 304 ? 'http-status' : 'redirect');
  expect(server.requests('/elsewhere.pem')).toBe(0);
});

test.each([201, 202, 203, 206, 226])('HTTP status %i is no certificate chain', async (status) => {
  const headers = { location: server.url('/x') };
  const url = server.publish(`/status-${status}.pem`, provider.chainPem, { status, headers });
  expect(await fetchX5u(url, laboratory())).toMatchObject({ reason: 'http-status', httpStatus: status });
});

test.each(['gzip', 'br', 'deflate'] as const)(
  'a body behind %s is inflated although identity was asked for, and 10 MiB are refused at 16 KiB',
  async (encoding) => {
    const url = server.publish(`/coded-${encoding}.pem`, provider.chainPem, { contentEncoding: encoding });
    const result = await fetchX5u(url, laboratory());
    expect(result.status === 'fetched' && Buffer.from(result.body).toString()).toBe(provider.chainPem);
    const bomb = server.fault('/small-bomb.pem', { kind: 'compression-bomb', sizeBytes: 10_485_760, encoding });
    const before = process.memoryUsage().arrayBuffers;
    expect(reasonOf(await fetchX5u(bomb, laboratory()))).toBe('body-too-large');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4_194_304);
  },
);

test('stacked content codings are refused, not unpacked layer by layer', async () => {
  const body = gzipSync(gzipSync('A'.repeat(1_000)));
  const url = server.publish('/stacked.pem', body, { headers: { 'content-encoding': 'gzip, gzip' } });
  expect(reasonOf(await fetchX5u(url, laboratory()))).toBe('body-encoding');
});

test('takes a body of 16 KiB and refuses one byte more', async () => {
  const exact = server.publish('/exact.pem', 'A'.repeat(MAX_X5U_BODY_BYTES));
  const over = server.publish('/over.pem', 'A'.repeat(MAX_X5U_BODY_BYTES + 1));
  const chunked = server.publish('/over-chunked.pem', 'A'.repeat(MAX_X5U_BODY_BYTES + 1), { chunked: true });
  expect(reasonOf(await fetchX5u(exact, laboratory()))).toBe('fetched');
  expect(reasonOf(await fetchX5u(over, laboratory()))).toBe('body-too-large');
  expect(reasonOf(await fetchX5u(chunked, laboratory()))).toBe('body-too-large');
});

test('another content type, or none, is noted and accepted', async () => {
  const noted = async (contentType: string): Promise<readonly string[]> => {
    const url = server.publish('/typed.pem', provider.chainPem, { contentType });
    const result = await fetchX5u(url, laboratory());
    return result.status === 'fetched' ? notesOf(result.headers) : [result.status];
  };
  expect(await noted('application/pem-certificate-chain; charset=us-ascii')).toEqual([]);
  expect(await noted('application/x-pem-file')).toHaveLength(1);
  expect(await noted('absent')).toHaveLength(1);
});

test('a conditional request brings "not modified" and a changed file brings the new one', async () => {
  const content = { etag: '"v1"', lastModifiedMs: Date.UTC(2026, 0, 1) };
  const url = server.publish('/conditional.pem', provider.chainPem, content);
  const first = await fetchX5u(url, laboratory());
  const validators = first.status === 'fetched' ? validatorsOf(first.headers) : {};
  expect(validators).toEqual({ etag: '"v1"', lastModified: 'Thu, 01 Jan 2026 00:00:00 GMT' });
  expect((await fetchX5u(url, { ...laboratory(), validators })).status).toBe('not-modified');
  server.publish('/conditional.pem', provider.chainPem, { etag: '"v2"' });
  expect((await fetchX5u(url, { ...laboratory(), validators })).status).toBe('fetched');
});

test('Retry-After is handed on', async () => {
  const url = server.fault('/busy.pem', { kind: 'status', status: 503, retryAfterSeconds: 120 });
  expect(await fetchX5u(url, laboratory())).toMatchObject({ httpStatus: 503, retryAfter: '120' });
});

test.each([
  ['loopback', [['127.0.0.1']]],
  ['mapped loopback', [['::ffff:127.0.0.1']]],
  ['NAT64 of loopback', [['64:ff9b::7f00:1']]],
  ['a public and a loopback address together', [['8.8.8.8', '127.0.0.1']]],
] as const)('a name that resolves to %s is refused without a connection', async (_kind, script) => {
  const before = server.connections();
  const lookup = createScriptedLookup({ 'cert.example.com': script });
  const url = `https://cert.example.com:${server.ports.https}/by-name.pem`;
  const result = await fetchX5u(url, { allow: { ports: [server.ports.https] }, ca: server.tlsRootPem, lookup });
  expect(result).toMatchObject({ status: 'refused', reason: 'address-special-purpose' });
  expect(server.connections()).toBe(before);
});

test('a resolver that answers a public and then a loopback address (DNS rebinding) reaches no loopback server', async () => {
  const before = server.connections();
  const lookup = createScriptedLookup({ 'cert.example.com': [['192.0.0.9'], ['127.0.0.1']] });
  const url = `https://cert.example.com:${server.ports.https}/by-name.pem`;
  const options = {
    allow: { ports: [server.ports.https], addresses: ['192.0.0.9'] },
    ca: server.tlsRootPem,
    lookup,
    deadlineMs: 300,
  };
  // Allowed address that nobody answers at: the attempt fails, and the name is not asked a second time within a fetch.
  expect(['connect-failed', 'timeout']).toContain(reasonOf(await fetchX5u(url, options)));
  expect(lookup.queries('cert.example.com')).toBe(1);
  expect(reasonOf(await fetchX5u(url, options))).toBe('address-special-purpose');
  expect(lookup.queries('cert.example.com')).toBe(2);
  expect(server.connections()).toBe(before);
});

test('the address of the socket decides: a connection that ends at loopback after all is cut before any byte is sent', async () => {
  const listener = createServer();
  const received: Buffer[] = [];
  const closed = new Promise<void>((resolve) => {
    listener.once('connection', (socket: Socket) => {
      socket.on('data', (bytes) => received.push(bytes)).on('error', () => undefined);
      socket.once('close', () => resolve());
    });
  });
  await new Promise<void>((resolve) => void listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const result = await fetchX5u('https://cert.example.com/by-name.pem', {
    lookup: createScriptedLookup({ 'cert.example.com': [['8.8.8.8']] }),
    // Stands for whatever routes a connection elsewhere than its resolver said.
    connect: () => connect({ host: '127.0.0.1', port }),
  });
  await closed;
  listener.close();
  expect(result).toMatchObject({ status: 'refused', reason: 'address-special-purpose', detail: '127.0.0.1' });
  expect(received).toEqual([]);
});

test('a resolver that fails, gives nothing, gives nonsense or throws ends as dns-failed', async () => {
  const url = 'https://cert.example.com/a.pem';
  const failing = createScriptedLookup({});
  const empty = createScriptedLookup({ 'cert.example.com': [[]] });
  const nonsense = createScriptedLookup({ 'cert.example.com': [['not an address', '127.1']] });
  const throwing = (): never => {
    throw new Error('resolver broke');
  };
  for (const lookup of [failing, empty, nonsense, throwing]) {
    expect(reasonOf(await fetchX5u(url, { lookup }))).toBe('dns-failed');
  }
});

test('a resolver that never answers ends at the deadline', async () => {
  const result = await fetchX5u('https://cert.example.com/a.pem', { lookup: () => undefined, deadlineMs: 100 });
  expect(reasonOf(result)).toBe('timeout');
});

test('an abort ends a fetch at once and closes its socket', async () => {
  const url = server.fault('/stalled.pem', { kind: 'stall' });
  const aborting = new AbortController();
  const fetching = fetchX5u(url, { ...laboratory(), signal: aborting.signal });
  await server.requested('/stalled.pem', 1);
  aborting.abort();
  expect(reasonOf(await fetching)).toBe('timeout');
  await server.idle();
  expect(reasonOf(await fetchX5u(url, { ...laboratory(), signal: aborting.signal }))).toBe('timeout');
});

/** A plain HTTP server that answers every connection with the same bytes, for what a well-behaved library cannot send. */
async function withRawServer(answer: string, use: (url: string, port: number) => Promise<void>): Promise<void> {
  const raw = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => socket.end(answer));
  });
  await new Promise<void>((resolve) => void raw.listen(0, '127.0.0.1', resolve));
  const { port } = raw.address() as AddressInfo;
  await use(`http://127.0.0.1:${port}/crl`, port);
  await new Promise<void>((resolve) => void raw.close(() => resolve()));
}

const OK = 'HTTP/1.1 200 OK\r\n';
const EARLY = 'HTTP/1.1 103 Early Hints\r\n\r\n';
const SWITCH = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n';
const CHUNKED = 'transfer-encoding: chunked\r\n\r\n';

test.each([
  ['a flood of informational responses', `${EARLY.repeat(50)}${OK}content-length: 1\r\n\r\nA`, 'http-status'],
  ['a switch of protocols', SWITCH, 'connect-failed'],
  ['two different lengths', `${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nAB`, 'http-status'],
  ['length and chunks at once', `${OK}content-length: 1\r\n${CHUNKED}1\r\nA\r\n0\r\n\r\n`, 'http-status'],
  ['a negative length', `${OK}content-length: -1\r\n\r\nA`, 'http-status'],
  ['a bad chunk size', `${OK}${CHUNKED}zz\r\nA\r\n`, 'body-malformed'],
  ['a chunk that is cut', `${OK}${CHUNKED}10\r\nA`, 'body-malformed'],
  ['no status line', 'hello\r\n\r\n', 'http-status'],
  ['nothing', '', 'connect-failed'],
])('a response with %s fails and never rejects', async (_what, answer, reason) => {
  await withRawServer(answer, async (url, port) => {
    const result = await fetchBounded(url, {
      maxBytes: 1_000,
      schemes: ['http'],
      allow: { addresses: ['127.0.0.1'], ports: [port] },
    });
    expect('reason' in result ? result.reason : result.status).toBe(reason);
  });
});

test('a CRL comes over http and a trust list over https through the same policy, each within its own limit', async () => {
  const http = createHttpServer((_request, response) => void response.end('C'.repeat(100_000)));
  await new Promise<void>((resolve) => void http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address() as AddressInfo;
  const allow = { addresses: ['127.0.0.1'], ports: [port] };
  const url = `http://127.0.0.1:${port}/crl`;
  const fetch = (options: Partial<Parameters<typeof fetchBounded>[1]>) =>
    fetchBounded(url, { maxBytes: 100_000, schemes: ['http'], allow, ...options });
  expect(await fetch({})).toMatchObject({ status: 'fetched', remoteAddress: '127.0.0.1' });
  expect(await fetch({ maxBytes: 99_999 })).toMatchObject({ reason: 'body-too-large' });
  expect(await fetchBounded(url, { maxBytes: 100_000, allow })).toMatchObject({ reason: 'scheme-not-https' });
  expect(await fetch({ allow: { ports: [port] } })).toMatchObject({ reason: 'address-special-purpose' });
  await new Promise<void>((resolve) => void http.close(() => resolve()));
});
