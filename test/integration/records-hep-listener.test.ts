import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createHepListener, type HepListenerOptions } from '../../sdk/src/records/ingest/hep-listener.js';
import { createHepReader } from '../../sdk/src/records/ingest/hep-reader.js';
import type { RowReading } from '../../sdk/src/records/ingest/record-reader.js';
import { answeredCall, captured } from '../support/captured-call.js';
import { codeOf } from '../support/code-of.js';
import { sendPackets } from '../support/hep-packets.js';

const HERE = { host: '127.0.0.1', port: 0 };

async function listen(options: Partial<HepListenerOptions> = {}) {
  const readings: RowReading[] = [];
  const reader = createHepReader(
    { id: 'proxy-1', format: 'hep', time: { zone: 'utc' }, ownAddresses: ['198.51.100.1'] },
    { lingerUs: 0 },
  );
  const listener = await createHepListener({
    ...{ udp: HERE, tcp: HERE, reader, onReadings: (read) => void readings.push(...read) },
    ...options,
  });
  onTestFinished(listener.close);
  const port = (transport: 'udp' | 'tcp'): number =>
    listener.listening.find((one) => one.transport === transport)?.port ?? 0;
  return { listener, readings, port };
}

const PACKETS = answeredCall().map(captured);

function recordsIn(readings: readonly RowReading[]): number {
  return readings.filter(({ status }) => status === 'record').length;
}

async function connected(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

test('makes a record of a call whose packets come over UDP', async () => {
  const { listener, readings, port } = await listen();
  await sendPackets(port('udp'), PACKETS);
  await expect.poll(() => recordsIn(readings), { timeout: 5_000 }).toBe(1);
  expect(listener.counters()).toMatchObject({ udpPackets: PACKETS.length, records: 1, rejected: 0 });
});

test('makes a record of a call whose packets come over TCP, cut anywhere', async () => {
  const { listener, readings, port } = await listen();
  const socket = await connected(port('tcp'));
  const bytes = Buffer.concat(PACKETS);
  socket.setNoDelay(true);
  for (let at = 0; at < bytes.length; at += 700) socket.write(bytes.subarray(at, at + 700));
  await expect.poll(() => recordsIn(readings), { timeout: 5_000 }).toBe(1);
  expect(listener.counters()).toMatchObject({ tcpPackets: PACKETS.length, records: 1, brokenStreams: 0 });
});

test('counts UDP packets that are not HEP, and goes on', async () => {
  const { listener, port } = await listen();
  const others = [Buffer.from('GET /'), Buffer.alloc(0), Buffer.alloc(9_000, 0xff)];
  await sendPackets(port('udp'), [...others, ...PACKETS.slice(0, 1)]);
  await expect.poll(() => listener.counters().udpPackets).toBe(4);
  expect(listener.counters()).toMatchObject({ rejected: 3 });
});

test('ends a connection that sends something else, and counts one that ends within a packet', async () => {
  const { listener, port } = await listen();
  const stranger = await connected(port('tcp'));
  stranger.write('GET / HTTP/1.1\r\n\r\n');
  await once(stranger, 'close');
  const cut = await connected(port('tcp'));
  cut.end((PACKETS[0] as Buffer).subarray(0, 100));
  await once(cut, 'close');
  await expect.poll(() => listener.counters()).toMatchObject({ brokenStreams: 1, cutPackets: 1 });
});

test('refuses connections beyond the most that there may be', async () => {
  const { listener, port } = await listen({ maxConnections: 1 });
  const first = await connected(port('tcp'));
  first.write(PACKETS[0] as Buffer);
  await expect.poll(() => listener.counters().tcpPackets).toBe(1);
  const second = await connected(port('tcp'));
  await once(second, 'close');
  expect(listener.counters()).toMatchObject({ refusedConnections: 1, tcpPackets: 1 });
});

test('accepts packets from agents only', async () => {
  const { listener, readings, port } = await listen({ agents: ['192.0.2.1'] });
  const socket = await connected(port('tcp'));
  await once(socket, 'close');
  await sendPackets(port('udp'), PACKETS.slice(0, 1));
  await expect.poll(() => listener.counters().refusedSources).toBe(2);
  expect(readings).toEqual([]);
});

test('ends connections that are silent', async () => {
  const { listener, port } = await listen({ idleTimeoutMs: 20 });
  await once(await connected(port('tcp')), 'close');
  expect(listener.counters().idleConnections).toBe(1);
});

test('rejects with a code when it cannot listen', async () => {
  const { port } = await listen();
  const nowhere = { udp: undefined, tcp: undefined } as unknown as Partial<HepListenerOptions>;
  expect(await codeOf(listen(nowhere))).toBe('invalid-configuration');
  expect(await codeOf(listen({ tcp: { host: '127.0.0.1', port: port('tcp') } }))).toBe('unavailable');
  expect(await codeOf(listen({ agents: ['proxy.example.net'] }))).toBe('invalid-configuration');
});

test('closes the socket of a UDP port that is taken', async () => {
  const { port } = await listen();
  const taken = { udp: { host: '127.0.0.1', port: port('udp') } };
  const before = openFiles();
  for (let attempt = 0; attempt < 20; attempt += 1) expect(await codeOf(listen(taken))).toBe('unavailable');
  await expect.poll(openFiles).toBeLessThan(before + 20);
});

const openFiles = (): number => readdirSync('/proc/self/fd').length;

test('leaves nothing open behind it', async () => {
  const { listener, port } = await listen();
  const socket = await connected(port('tcp'));
  await Promise.all([listener.close(), once(socket, 'close')]);
  await listener[Symbol.asyncDispose]();
  await expect(connected(port('tcp'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
