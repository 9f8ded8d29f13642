import { statSync, existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer, request, type RequestListener, type Server } from 'node:http';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import { SharedRecordStore } from '../../sdk/src/records/store/shared-record-store.js';
import { createMemoryRecordStore } from '../../sdk/src/records/store/memory-record-store.js';
import type { FoundRecords, RecordStore } from '../../sdk/src/records/store/record-store.js';
import { CLOSING, createGuestStore } from '../../sdk/src/records/store/shared/guest-store.js';
import { socketPath, socketRequests, startSocketHost } from '../../sdk/src/records/store/shared/socket-host.js';
import { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { codeOf } from '../support/code-of.js';
import { lookupClaims, storeClaims } from '../support/record-store-conformance.js';
import { storeFolders } from '../support/record-store-folder.js';
import { guestStore } from '../support/shared-stores.js';
import { NOON_US, sampleRecord } from '../support/stored-records.js';

const folders = storeFolders();
// Removed after the stores are closed.
beforeEach(() => onTestFinished(folders.clear));

let last = '';
const emptyGuest = (clock = new ManualClock()): Promise<RecordStore> => guestStore((last = folders.make()), clock);

lookupClaims({
  name: 'the guest of a shared store',
  holding: async (records, coverage) => {
    const store = await emptyGuest();
    await store.insert(records);
    for (const interval of coverage) await store.cover(interval);
    return store;
  },
});

storeClaims({
  name: 'the guest of a shared store',
  empty: emptyGuest,
  reopened: (clock) => guestStore(last, clock),
});

const WINDOW = { fromUs: NOON_US, toUs: NOON_US + 20_000 };
const QUERY = { window: WINDOW, trunk: 'east-1' };

/** A host and a guest of one folder, open until the test ends. */
async function hostAndGuest(directory = folders.make()) {
  const host = await SharedRecordStore.open({ directory });
  const guest = await SharedRecordStore.open({ directory });
  onTestFinished(async () => {
    await guest.close();
    await host.close();
  });
  expect([host.role, guest.role]).toEqual(['host', 'guest']);
  return { directory, host, guest };
}

test('the first process to open a store is its host, the next its guest, and both see the same store', async () => {
  const { host, guest } = await hostAndGuest();
  await guest.insert([sampleRecord(1, NOON_US)]);
  await host.insert([sampleRecord(2, NOON_US)]);
  expect(await guest.statistics()).toEqual(await host.statistics());
});

test('socket and folder are for their owner alone, and the socket is gone when the host is closed', async () => {
  const directory = folders.make();
  const host = await SharedRecordStore.open({ directory });
  const path = socketPath(directory);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  await host.close();
  expect(existsSync(path)).toBe(false);
  await using next = await SharedRecordStore.open({ directory });
  expect(next.role).toBe('host');
});

test('a folder whose path is too long for a socket can be shared', async () => {
  const { guest } = await hostAndGuest(join(folders.make(), 'x'.repeat(120), 'y'.repeat(120)));
  await guest.insert([sampleRecord(1, NOON_US)]);
  expect((await guest.statistics()).records).toBe(1);
});

test('a guest gets 10,000 records in one answer, and stores as many in one call', { timeout: 60_000 }, async () => {
  const { host, guest } = await hostAndGuest();
  const parts = { customerId: 'one', ingress: { trunk: 'east-1' } };
  const records = Array.from({ length: 10_100 }, (_, index) => ({ ...sampleRecord(index, NOON_US + index), ...parts }));
  expect(await guest.insert(records)).toEqual({ inserted: 10_100, repeated: 0, expired: 0 });
  const found = await guest.find({ ...QUERY, limit: 10_000 });
  expect(found.isCut).toBe(true);
  expect(found.records).toEqual(records.slice(0, 10_000));
  expect((await guest.hold({ query: QUERY, reason: 'case 7' })).count).toBe(10_100);
  expect(await host.holds()).toEqual(await guest.holds());
});

test('a store that a process has open without sharing it is refused as in use, after a quarter of a minute', async () => {
  const directory = folders.make();
  await using plain = await openDuckDbRecordStore({ directory });
  expect((await plain.statistics()).records).toBe(0);
  // Each reading of the clock is a second later.
  let seconds = 0;
  const looks = vi.spyOn(performance, 'now').mockImplementation(() => (seconds += 1) * 1_000);
  onTestFinished(() => looks.mockRestore());
  await expect(SharedRecordStore.open({ directory })).rejects.toMatchObject({
    ...{ code: 'storage-failed', details: { reason: 'in-use' } },
  });
  // Once at the beginning, and after each attempt until fifteen seconds are over.
  expect(looks).toHaveBeenCalledTimes(16);
});

test('a guest of a closed host takes its place, and a closed guest refuses calls', async () => {
  const { directory, host, guest } = await hostAndGuest();
  await using other = await SharedRecordStore.open({ directory });
  await guest.insert([sampleRecord(1, NOON_US)]);
  await host.close();
  const asked = await Promise.all([guest.statistics(), other.statistics(), guest.holds(), other.insert([])]);
  expect([asked[0].records, asked[1].records]).toEqual([1, 1]);
  await guest.statistics();
  await other.statistics();
  expect([guest.role, other.role].sort()).toEqual(['guest', 'host']);
  await guest.close();
  expect(await codeOf(guest.statistics())).toBe('closed');
  expect((await other.statistics()).records).toBe(1);
  expect(other.role).toBe('host');
});

test('requests that are under way when the host closes are all carried out or refused', async () => {
  const { host, guest } = await hostAndGuest();
  const inserts = Array.from({ length: 40 }, (_, index) => guest.insert([sampleRecord(index, NOON_US + index)]));
  await inserts[0];
  await host.close();
  const outcomes = await Promise.allSettled(inserts);
  // A connection that was made but not accepted is reset: the caller gets an error, and inserts the records again.
  const failed = outcomes.flatMap(({ status }, index) => (status === 'rejected' ? [index] : []));
  await guest.insert(failed.map((index) => sampleRecord(index, NOON_US + index)));
  expect((await guest.statistics()).records).toBe(40);
  expect(guest.role).toBe('host');
});

/** A host whose look-ups wait for `answer`, and its guest; `silenceMs` is how long the guest bears silence. */
async function gated({ beatMs, silenceMs }: { readonly beatMs?: number; readonly silenceMs?: number } = {}) {
  const directory = folders.make();
  let isAsked = (): void => undefined;
  let answer = (_found: FoundRecords): void => undefined;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  const found = new Promise<FoundRecords>((resolve) => (answer = resolve));
  const find = (): Promise<FoundRecords> => {
    isAsked();
    return found;
  };
  const store: RecordStore = { ...createMemoryRecordStore({ clock: new ManualClock() }), find };
  const host = await startSocketHost({ store, directory, ...(beatMs !== undefined && { beatMs }) });
  const guest = createGuestStore(socketRequests(directory, ...(silenceMs === undefined ? [] : [silenceMs])));
  onTestFinished(() => guest.close());
  const finding = guest.find(QUERY);
  await asked;
  return { host, guest, finding, answer: (value: FoundRecords) => answer(value) };
}

test('closing a host waits for the requests under way', async () => {
  const { host, guest, finding, answer } = await gated();
  const closing = host.close();
  await expect(guest.statistics()).rejects.toMatchObject({ code: 'unavailable' });
  answer({ records: [], isCut: false });
  expect(await finding).toEqual({ records: [], isCut: false });
  await closing;
});

test('signs of life keep a guest waiting longer than it bears silence', async () => {
  const { host, guest, finding, answer } = await gated({ beatMs: 20, silenceMs: 200 });
  // Time has to pass: other requests that are answered are its measure.
  const beganMs = performance.now();
  while (performance.now() - beganMs < 600) await guest.statistics();
  answer({ records: [], isCut: true });
  expect((await finding).isCut).toBe(true);
  await host.close();
});

test('an error after signs of life arrives with its code', async () => {
  const { host, guest, finding, answer } = await gated({ beatMs: 1 });
  for (let round = 0; round < 20; round += 1) await guest.statistics();
  // JSON cannot express this: the host fails in the middle of its answer.
  answer({ records: [], isCut: 1n as unknown as boolean });
  expect(await codeOf(finding)).toBe('storage-failed');
  await host.close();
});

/** Another server at the socket of a store, until the test ends. */
async function standIn(directory: string, handler: RequestListener): Promise<Server> {
  await mkdir(join(directory, 'socket'), { mode: 0o700 });
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(socketPath(directory), resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return server;
}

test.each<readonly [string, RequestListener, object]>([
  ['stays silent', () => undefined, { retryable: true }],
  ['answers with an empty body', (_request, response) => response.end(), {}],
  ['answers with text', (_request, response) => response.end('hello'), {}],
  ['answers with half a document', (_request, response) => response.end('{"result":{"records":['), {}],
  ['answers with another schema', (_request, response) => response.end('{"result":{"records":[1],"isCut":false}}'), {}],
  ['answers with an unknown error', (_request, response) => response.end('{"error":{"code":"teapot"}}'), {}],
  [
    'breaks off its answer',
    (_asked, response) => response.write('{"re', () => response.destroy()),
    { retryable: true },
  ],
])('a look-up fails with storage-failed where the host %s', async (_what, handler, more) => {
  const directory = folders.make();
  await standIn(directory, handler);
  await using guest = createGuestStore(socketRequests(directory, 50));
  await expect(guest.find(QUERY)).rejects.toMatchObject({ code: 'storage-failed', ...more });
});

test('a look-up whose host dies is made again, and a change of the store is not', async () => {
  const directory = folders.make();
  await using first = await SharedRecordStore.open({ directory });
  await first.insert([sampleRecord(1, NOON_US)]);
  await first.close();
  await rm(join(directory, 'socket'), { recursive: true });
  const server = await standIn(directory, (asked, response) => {
    if (asked.url?.endsWith('/hello') === true) return response.end('{"result":null}');
    if (asked.url?.endsWith('/statistics') === true) server.close();
    return asked.socket.destroy();
  });
  await using guest = await SharedRecordStore.open({ directory });
  expect(guest.role).toBe('guest');
  const covering = guest.cover({ sourceId: 'sbc-1', fromUs: 1, toUs: 2 });
  await expect(covering).rejects.toMatchObject({ code: 'storage-failed', retryable: true });
  expect((await guest.statistics()).records).toBe(1);
  expect(guest.role).toBe('host');
});

test('opening a store waits for a host that is closing', async () => {
  const directory = folders.make();
  const { status, error } = CLOSING;
  let asked = 0;
  const server = await standIn(directory, (_request, response) => {
    asked += 1;
    response.statusCode = status;
    response.end(JSON.stringify({ error }));
    if (asked === 1) server.close();
  });
  await using store = await SharedRecordStore.open({ directory });
  expect([asked > 0, store.role]).toEqual([true, 'host']);
});

interface Answered {
  readonly status: number | undefined;
  readonly body: string;
}

function post(directory: string, path: string, body: string | Buffer, method = 'POST'): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socketPath(directory), path, method, agent: false }, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
      response.on('end', () => resolve({ status: response.statusCode, body: text }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

test('a request that cannot be understood gets a 4xx with a code, and the store goes on', async () => {
  const { directory, host } = await hostAndGuest();
  const record = sampleRecord(1, NOON_US);
  const wrong: readonly (readonly [string, string | Buffer, number])[] = [
    ['/', '{}', 404],
    ['/v1/', '{}', 404],
    ['/v1/constructor', '{}', 404],
    ['/v1/find', '', 400],
    ['/v1/find', 'null', 400],
    ['/v1/find', '{"window":{"fromUs":"0","toUs":1}}', 400],
    ['/v1/find', JSON.stringify({ window: WINDOW }), 400],
    ['/v1/find', Buffer.from([0xff, 0xfe, 0x00]), 400],
    ['/v1/insert', JSON.stringify({ records: [{ ...record, called: { tn: 7 } }] }), 400],
    ['/v1/insert', JSON.stringify({ records: Array.from({ length: 1_001 }, () => record) }), 400],
    ['/v1/expire', '{"beforeUs":null}', 400],
  ];
  for (const [path, body, status] of wrong) {
    const answered = await post(directory, path, body);
    expect({ path, status: answered.status }).toEqual({ path, status });
    expect(JSON.parse(answered.body)).toHaveProperty('error.code');
  }
  expect((await post(directory, '/v1/find', '', 'GET')).status).toBe(405);
  const otherVersion = await post(directory, '/v2/find', '{}');
  expect([otherVersion.status, JSON.parse(otherVersion.body)]).toMatchObject([
    ...[404, { error: { code: 'unavailable', message: expect.stringContaining('version 1') } }],
  ]);
  expect((await host.statistics()).records).toBe(0);
});

test('a request that is too long is refused without being read', async () => {
  const { directory } = await hostAndGuest();
  const status = await new Promise((resolve, reject) => {
    const headers = { 'content-length': 1 << 30 };
    const sent = request({ socketPath: socketPath(directory), path: '/v1/find', method: 'POST', headers });
    sent.on('response', (response) => {
      resolve(response.statusCode);
      sent.destroy();
    });
    sent.on('error', reject);
    sent.write('{');
  });
  expect(status).toBe(413);
});

test('opening a store fails at once where the host speaks another version', async () => {
  const directory = folders.make();
  const error = { code: 'unavailable', message: 'speaks version 2', retryable: false };
  await standIn(directory, (_request, response) => response.writeHead(404).end(JSON.stringify({ error })));
  await expect(SharedRecordStore.open({ directory })).rejects.toMatchObject({ code: 'unavailable' });
});

test('a file in the place of the socket is replaced', async () => {
  const directory = folders.make();
  await mkdir(join(directory, 'socket'));
  await writeFile(socketPath(directory), 'no socket');
  await hostAndGuest(directory);
});

test('a guest keeps members of a record that this release does not know', async () => {
  await using guest = await emptyGuest();
  const record = { ...sampleRecord(1, NOON_US), later: { x: [1] } };
  await guest.insert([record]);
  expect((await guest.find({ window: WINDOW, recordId: record.recordId })).records).toEqual([record]);
});
