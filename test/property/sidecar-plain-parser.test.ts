import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPlainRequest } from '../../sdk/src/sidecar/http/listen.js';

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
    'Accept: */*',
    'Content-Type: application/json',
    'X-RequestID: a b',
    'Connection: keep-alive',
    'Cookie: a=b',
    'X:',
    'Accept:\t text/plain \t',
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
        `POST ${path} HTTP/1.1`,
        'Host: h',
        ...fields,
        `Content-Length: ${String(Buffer.byteLength(body))}`,
        '',
        body,
      ].join('\r\n'),
    );
    for (const [at, octet] of places) octets[at % octets.length] = octet;
    return octets;
  });

test('what is read as a plain request is read as the same by Node’s parser', async () => {
  let read = 0;
  await fc.assert(
    fc.asyncProperty(request, async (octets) => {
      const plain = readPlainRequest(octets, 65_536);
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
    }),
    { numRuns: 500 },
  );
  expect(read).toBeGreaterThan(50);
});
