import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPlainRequest } from '../../sdk/src/sidecar/http/listen.js';
import { forAll, forAllAsync } from '../support/for-all.js';

const MAX_BODY_BYTES = 65_536;

interface Parts {
  readonly line?: string;
  readonly fields?: readonly string[];
  readonly body?: string;
}

/** As a client that keeps its connection sends it, and what is to be otherwise. */
const text = ({ line = 'POST /v1/check HTTP/1.1', fields = [], body = 'identity' }: Parts = {}): string =>
  [line, 'Host: 127.0.0.1:8090', `Content-Length: ${String(body.length)}`, ...fields, '', body].join('\r\n');

const statusOf = (octets: string): string => readPlainRequest(Buffer.from(octets, 'latin1'), MAX_BODY_BYTES).status;

test('a POST with host and length is read, with the header fields that answers depend on', () => {
  const fields = [
    ...['Content-Type: application/json', 'accept:*/*', 'X-RequestID: 7', 'User-Agent: sbc'],
    ...['Connection: Keep-Alive'],
  ];
  const read = readPlainRequest(Buffer.from(text({ line: 'POST /v1/check?a=b HTTP/1.1', fields })), MAX_BODY_BYTES);
  expect(read).toMatchObject({
    status: 'read',
    request: {
      ...{ path: '/v1/check', query: 'a=b' },
      headers: { 'content-type': 'application/json', accept: '*/*', 'x-requestid': '7' },
    },
  });
  expect(read.status === 'read' && read.request.body.toString()).toBe('identity');
});

test.each<readonly [string, string]>([
  ['another method', text({ line: 'GET /v1/check HTTP/1.1' })],
  ['another version', text({ line: 'POST /v1/check HTTP/1.0' })],
  ['an absolute URI', text({ line: 'POST http://127.0.0.1/v1/check HTTP/1.1' })],
  ['a second space', text({ line: 'POST /v1/check  HTTP/1.1' })],
  ['a length and chunks', text({ fields: ['Transfer-Encoding: chunked'] })],
  ['two lengths', text({ fields: ['Content-Length: 8'] })],
  ['a length with a sign', text().replace('Length: 8', 'Length: +8')],
  ['a list as length', text().replace('Length: 8', 'Length: 8, 8')],
  ['no length', text().replace('Content-Length: 8\r\n', '')],
  ['an empty body', text({ body: '' })],
  ['two hosts', text({ fields: ['Host: other'] })],
  ['no host', text().replace('Host: 127.0.0.1:8090\r\n', '')],
  ['a folded line', text({ fields: ['Accept: */*\r\n ,text/plain'] })],
  ['a space before the colon', text({ fields: ['Transfer-Encoding : chunked'] })],
  ['a line feed alone', text({ fields: ['Accept: */*\nTransfer-Encoding: chunked'] })],
  ['a NUL', text({ fields: ['Accept: a\0b'] })],
  ['an octet beyond ASCII', text({ fields: ['Accept: \u00e9'] })],
  ['an expectation', text({ fields: ['Expect: 100-continue'] })],
  ['an upgrade', text({ fields: ['Upgrade: h2c'] })],
  ['a connection to be closed', text({ fields: ['Connection: close'] })],
  ['two tokens', text({ fields: ['Authorization: Bearer a', 'Authorization: Bearer b'] })],
  ['a coded body', text({ fields: ['Content-Encoding: gzip'] })],
  ['octets behind the body', `${text()}POST`],
  ['a head without end', text().slice(0, 60)],
  ['a body that is too large', text().replace('Length: 8', 'Length: 99999')],
  ['a long head', text({ fields: [`X: ${'x'.repeat(5_000)}`] })],
])('%s is for a whole parser', (_what, octets) => {
  expect(statusOf(octets)).toBe('other');
});

test('every beginning of a request is no request: other before its head ends, partial before its body does', () => {
  const whole = text();
  const head = whole.indexOf('\r\n\r\n') + 4;
  for (let end = 0; end < whole.length; end += 1)
    expect(statusOf(whole.slice(0, end))).toBe(end < head ? 'other' : 'partial');
  expect(statusOf(whole)).toBe('read');
});

test('returns for any octets, and reads no body that its length does not measure', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.tuple(fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 })).map(([at, octets]) => {
      const bytes = Buffer.from(text({ fields: ['Accept: */*'] }));
      bytes.set(octets.slice(0, bytes.length - (at % bytes.length)), at % bytes.length);
      return bytes;
    }),
  );
  forAll([anything], 2_000, (octets) => {
    const read = readPlainRequest(Buffer.from(octets), MAX_BODY_BYTES);
    if (read.status !== 'read') return;
    const length = /\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n/i.exec(Buffer.from(octets).toString('latin1'))?.[1];
    expect(read.request.body.length).toBe(Number(length));
  });
});

/** What Node's own parser makes of octets. */
interface Parsed {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

let server: Server;
let parsed: (request: Parsed) => void = () => undefined;
beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      response.end();
      parsed({ method, url, headers, body: Buffer.concat(chunks).toString('latin1') });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

/** Undefined where Node's parser refuses the octets. */
function byNode(octets: Buffer): Promise<Parsed | undefined> {
  return new Promise((resolve) => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1', () => socket.write(octets));
    socket.on('error', () => resolve(undefined));
    socket.on('data', (answer) => {
      if (answer.toString('latin1').startsWith('HTTP/1.1 4')) resolve(undefined);
    });
    parsed = (request) => {
      socket.destroy();
      resolve(request);
    };
  });
}

const field = fc.oneof(
  fc.constantFrom(
    ...['Accept: */*', 'Content-Type: application/json', 'X-RequestID: a b', 'Connection: keep-alive'],
    ...['Cookie: a=b', 'X:', 'Accept:\t text/plain \t'],
  ),
  fc
    .tuple(fc.constantFrom('Accept', 'Authorization', 'X-Other', 'Via'), fc.string({ maxLength: 20 }))
    .map(([name, value]) => `${name}: ${value}`),
);
const request = fc
  .record({
    path: fc.constantFrom('/v1/check', '/v1/check?a=b', '/a%20b', '/;,=&'),
    fields: fc.array(field, { maxLength: 5 }),
    body: fc.string({ minLength: 1, maxLength: 40 }),
    places: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 2 }),
  })
  .map(({ path, fields, body, places }) => {
    const octets = Buffer.from(
      [
        ...[`POST ${path} HTTP/1.1`, 'Host: h', ...fields, `Content-Length: ${String(Buffer.byteLength(body))}`, ''],
        ...[body],
      ].join('\r\n'),
    );
    for (const [at, octet] of places) octets[at % octets.length] = octet;
    return octets;
  });

test('what is read as a plain request is read as the same by Node’s parser', async () => {
  let read = 0;
  await forAllAsync([request], 500, async (octets) => {
    const plain = readPlainRequest(octets, MAX_BODY_BYTES);
    if (plain.status !== 'read') return;
    read += 1;
    const { path, query, headers, body } = plain.request;
    const node = await byNode(octets);
    expect(node).toMatchObject({
      method: 'POST',
      url: query === '' && !octets.includes(' /v1/check?') ? path : `${path}?${query}`,
    });
    expect(body.toString('latin1')).toBe(node?.body);
    for (const [name, value] of Object.entries(headers)) expect([name, value]).toEqual([name, node?.headers[name]]);
  });
  expect(read).toBeGreaterThan(50);
});
