import { hash } from 'node:crypto';
import { expect, test } from 'vitest';
import { createClients, type ClientMarks } from '../../sdk/src/sidecar/http/serve-calls.js';
import { accepts, isJson, mediaType } from '../../sdk/src/sidecar/http/call-context.js';
import { trunkTable } from '../../sdk/src/sidecar/services/load-services.js';
import { trunkPolicy } from '../../sdk/src/switch/index.js';

const LISTENER = { host: '127.0.0.1', port: 0, tokens: [], maxBodyBytes: 1_024 };
const from = (remoteAddress: string, authorization?: string): ClientMarks => ({ remoteAddress, authorization });

test('a token is known by its hash, and nobody else is let in', () => {
  const clients = createClients({ ...LISTENER, tokens: [{ name: 'sbc-1', sha256: hash('sha256', 'secret') }] });
  expect(clients.admit(from('192.0.2.1', 'Bearer secret'), 0)).toEqual({ status: 'admitted', name: 'sbc-1' });
  for (const wrong of [undefined, 'Bearer other', 'Basic secret', 'Bearer ', `Bearer ${'x'.repeat(600)}`])
    expect(clients.admit(from('192.0.2.1', wrong), 0)).toEqual({ status: 'unknown' });
});

test('each client has its own rate, and is told when it may come again', () => {
  const clients = createClients({ ...LISTENER, requestsPerSecond: 2 });
  const statuses = (address: string, nowMs: number): readonly string[] =>
    [1, 2, 3].map(() => clients.admit(from(address), nowMs).status);
  expect(statuses('192.0.2.1', 0)).toEqual(['admitted', 'admitted', 'too-many']);
  expect(clients.admit(from('192.0.2.1'), 0)).toEqual({ status: 'too-many', retryAfterSeconds: 1 });
  expect(statuses('192.0.2.2', 0)).toEqual(['admitted', 'admitted', 'too-many']);
  expect(statuses('192.0.2.1', 500)).toEqual(['admitted', 'too-many', 'too-many']);
});

test('a rate below one a second still lets one through', () => {
  const clients = createClients({ ...LISTENER, requestsPerSecond: 0.1 });
  const admitted = [0, 5_000, 20_000].map((nowMs) => clients.admit(from('192.0.2.1'), nowMs).status);
  expect(admitted).toEqual(['admitted', 'too-many', 'admitted']);
});

test.each([
  [undefined, true],
  ['', true],
  ['*/*', true],
  ['application/json', true],
  ['text/html, application/json;q=0.5', true],
  ['application/*', true],
  ['text/html', false],
  ['application/json;q=0', false],
  ['text/html, */*;q=0.000', false],
])('Accept %s takes JSON: %s', (accept, expected) => {
  expect(accepts(accept, 'application/json')).toBe(expected);
});

test('types are told without their parameters', () => {
  expect(['application/json; charset=utf-8', 'Application/JSON', 'text/plain', undefined].map(mediaType)).toEqual([
    ...['application/json', 'application/json', 'text/plain', ''],
  ]);
  expect(['application/json', 'application/problem+json', 'text/json'].map(isJson)).toEqual([true, true, false]);
});

test('a trunk is found by its name, by an address or the narrowest network, and else is the default', () => {
  const gateway = trunkPolicy({ role: 'gateway' });
  const table = trunkTable({
    acme: { addresses: ['192.0.2.7'], ...gateway },
    default: { addresses: [], ...trunkPolicy({ role: 'terminating' }) },
  });
  expect(table.find({ name: 'acme' })).toMatchObject({ name: 'acme', policy: { role: 'gateway' } });
  expect(table.find({ address: '192.0.2.7' })).toMatchObject({ name: 'acme' });
  const other = table.find({ name: 'nobody', address: '192.0.2.9' });
  expect([other.name, other.policy?.role]).toEqual([undefined, 'terminating']);
  const byNetwork = trunkTable({
    wide: { addresses: ['192.0.2.0/24', '2001:db8::/32'], ...gateway },
    narrow: { addresses: ['192.0.2.128/25'], ...gateway },
  });
  const addresses = ['192.0.2.1', '192.0.2.200', '2001:db8::1', '198.51.100.1', 'nonsense'];
  expect(addresses.map((address) => byNetwork.find({ address }).name)).toEqual([
    ...['wide', 'narrow', 'wide', undefined, undefined],
  ]);
  expect(trunkTable({}).find({})).toEqual({});
});
