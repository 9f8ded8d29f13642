import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '@hopback/sdk/testing';
import { createDatagramPlanner } from '../../harness/src/faults/datagram-relay.js';
import { DATAGRAM_FAULT_KIND, STREAM_WINDOW_BYTES } from '../../harness/src/faults/fault-settings.js';
import { ChaosRelay, SeededRandom } from '../../harness/src/faults/index.js';
import type { ChaosRelayOptions, DirectionCounters, RelayPacket } from '../../harness/src/faults/index.js';
import { eventually } from '../support/waits.js';

const LOOPBACK = '127.0.0.1';
/** tcpmux: nothing has listened there for decades. */
const NOBODY = { host: LOOPBACK, port: 1 };
const KINDS = ['UDPWrap', 'TCPSocketWrap', 'TCPServerWrap', 'Timeout'];

/** Sockets, servers and timers of this process. Those of the test runner are there before and after. */
const handles = (): readonly string[] =>
  process
    .getActiveResourcesInfo()
    .filter((kind) => KINDS.includes(kind))
    .toSorted();

const closers: (() => unknown)[] = [];
let before: readonly string[];

beforeEach(() => {
  before = handles().filter((kind) => kind !== 'Timeout');
});
afterEach(async () => {
  for (const close of closers.splice(0)) close();
  await eventually(() => handles().filter((kind) => kind !== 'Timeout').length <= before.length);
});

const udp = ({ port }: { readonly port: number }, options: Partial<ChaosRelayOptions<'udp'>> = {}) =>
  ChaosRelay.open({ protocol: 'udp', target: { host: LOOPBACK, port }, seed: 1, ...options });
const tcp = ({ port }: { readonly port: number }, options: Partial<ChaosRelayOptions<'tcp'>> = {}) =>
  ChaosRelay.open({ protocol: 'tcp', target: { host: LOOPBACK, port }, seed: 1, ...options });

const balance = ({ received, duplicated, delivered, dropped, inFlight }: DirectionCounters): number =>
  received + duplicated - delivered - dropped - inFlight;

interface Peer {
  readonly socket: DatagramSocket;
  readonly port: number;
  readonly got: string[];
}

/** A UDP socket that keeps what it gets. */
async function peer(): Promise<Peer> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
  const got: string[] = [];
  socket.on('message', (octets) => got.push(octets.toString()));
  socket.bind(0, LOOPBACK);
  await once(socket, 'listening');
  closers.push(() => socket.close());
  return { socket, port: socket.address().port, got };
}

/** One that also sends back what it gets. */
async function echo(): Promise<Peer> {
  const one = await peer();
  one.socket.on('message', (octets, { port, address }) => one.socket.send(octets, port, address));
  return one;
}

const say = ({ socket }: Peer, relay: Pick<ChaosRelay, 'address'>, text: string): void =>
  socket.send(text, relay.address.port, relay.address.host);
const numbers = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => String(index));

test('UDP without faults: each source gets its own answers, and the counts agree with what arrived', async () => {
  const target = await echo();
  const [one, other] = [await peer(), await peer()];
  await using relay = await udp(target);
  for (const number of numbers(100)) {
    say(one, relay, `one ${number}`);
    say(other, relay, `other ${number}`);
  }
  say(other, relay, '');
  await eventually(() => one.got.length === 100 && other.got.length === 101);
  expect(one.got).toEqual(numbers(100).map((number) => `one ${number}`));
  expect(new Set(other.got)).toEqual(new Set([...numbers(100).map((number) => `other ${number}`), '']));
  expect(target.got.length).toBe(201);
  const { toTarget, toSource } = relay.counters();
  expect(toTarget).toMatchObject({ received: 201, delivered: 201, dropped: 0, duplicated: 0, delayed: 0, inFlight: 0 });
  expect(toSource).toEqual(toTarget);
  expect(relay.openSources()).toBe(2);
});

test('UDP: the target gets exactly what the seed lets through, and as often', async () => {
  const target = await peer();
  const source = await peer();
  const faults = { lossRate: 0.3, duplicationRate: 0.2 };
  await using relay = await udp(target, { seed: 42, faults: { toTarget: faults } });
  const planner = createDatagramPlanner(42, 'toTarget');
  const expected = numbers(500).flatMap((number) => {
    const plan = planner.plan({ sizeBytes: number.length, nowMs: 0 }, { ...DATAGRAM_FAULT_KIND.none, ...faults });
    return plan.deliveries.map(() => number);
  });
  for (const number of numbers(500)) say(source, relay, number);
  await eventually(() => relay.counters().toTarget.received === 500 && target.got.length === expected.length);
  expect(target.got).toEqual(expected);
  const { toTarget } = relay.counters();
  expect(toTarget.delivered).toBe(expected.length);
  expect([toTarget.dropped > 100, toTarget.duplicated > 40, balance(toTarget)]).toEqual([true, true, 0]);
});

test('UDP: jitter and reordering reach the target in the order that the record says', async () => {
  const clock = new ManualClock(0);
  const target = await peer();
  const source = await peer();
  await using relay = await udp(target, {
    seed: 3,
    clock,
    faults: { delayMs: 10, jitterMs: 5, reorderRate: 0.2, reorderMs: 60, duplicationRate: 0.1 },
  });
  for (const [index, number] of numbers(200).entries()) {
    say(source, relay, number);
    await eventually(() => relay.counters().toTarget.received === index + 1);
    clock.advance(3);
    const { delivered } = relay.counters().toTarget;
    await eventually(() => target.got.length >= delivered);
  }
  clock.advance(1_000);
  await eventually(() => {
    const { inFlight, delivered } = relay.counters().toTarget;
    return inFlight === 0 && target.got.length === delivered;
  });
  const { packets } = relay.record();
  const planned = packets
    .flatMap(({ number, deliveriesMs }) => deliveriesMs.map((atMs) => ({ number, atMs })))
    .toSorted((first, second) => first.atMs - second.atMs);
  expect(planned.length).toBe(target.got.length);
  expect(target.got.toSorted()).toEqual(planned.map(({ number }) => String(number)).toSorted());
  expect(planned.length).toBeGreaterThan(210);
  expect(target.got).not.toEqual(target.got.toSorted((first, second) => Number(first) - Number(second)));
  const { toTarget } = relay.counters();
  // What the target sees come behind a higher number, doubles aside, is what the relay counts.
  const firsts = target.got.map(Number).filter((number, index, all) => all.indexOf(number) === index);
  const late = firsts.filter((number, index) => number < Math.max(...firsts.slice(0, index)));
  expect(toTarget.reordered).toBe(late.length);
  expect(toTarget.reordered).toBeGreaterThan(20);
  expect(toTarget).toMatchObject({ received: 200, delayed: 200, inFlight: 0, dropped: 0 });
  expect(clock.pendingTimers()).toBe(1);
});

test('UDP: a pause of one direction drops that one alone, and resuming ends it', async () => {
  const target = await echo();
  const source = await peer();
  await using relay = await udp(target);
  relay.pause('toSource');
  say(source, relay, 'first');
  await eventually(() => relay.counters().toSource.dropped === 1);
  relay.pause();
  say(source, relay, 'second');
  await eventually(() => relay.counters().toTarget.dropped === 1);
  relay.resume();
  say(source, relay, 'third');
  await eventually(() => source.got.length > 0);
  expect([target.got, source.got]).toEqual([['first', 'third'], ['third']]);
  expect(relay.record().packets.map(({ direction, action }) => `${direction} ${action}`)).toEqual([
    ...['toTarget passed', 'toSource paused', 'toTarget paused', 'toTarget passed', 'toSource passed'],
  ]);
  expect(relay.record().changes.map(({ kind }) => kind)).toEqual([
    ...['faults', 'faults', 'paused', 'paused', 'paused', 'resumed', 'resumed'],
  ]);
});

test('UDP: faults set while running hold for what arrives then', async () => {
  const target = await peer();
  const source = await peer();
  const seen: RelayPacket[] = [];
  await using relay = await udp(target, { recordLimit: 0, onPacket: (packet) => seen.push(packet) });
  say(source, relay, 'a');
  await eventually(() => seen.length === 1);
  relay.setFaults({ lossRate: 1 });
  say(source, relay, 'b');
  await eventually(() => seen.length === 2);
  relay.setFaults({ duplicationRate: 1 });
  say(source, relay, 'c');
  await eventually(() => target.got.length === 3);
  expect(target.got).toEqual(['a', 'c', 'c']);
  expect(seen.map(({ action, number, sizeBytes }) => [action, number, sizeBytes])).toEqual([
    ['passed', 0, 1],
    ['lost', 1, 1],
    ['duplicated', 2, 1],
  ]);
  expect(relay.record()).toMatchObject({ packets: [], changes: [], omitted: 9 });
});

test('UDP: a target that refuses is counted each time, and the relay goes on', async () => {
  const source = await peer();
  await using relay = await ChaosRelay.open({ protocol: 'udp', target: NOBODY, seed: 1 });
  for (const errors of [1, 2, 3]) {
    say(source, relay, 'anybody there?');
    await eventually(() => relay.counters().toTarget.errors >= errors);
  }
  expect([balance(relay.counters().toTarget), relay.counters().toTarget.inFlight]).toEqual([0, 0]);
  expect(relay.openSources()).toBe(1);
});

test('UDP: refuses sources beyond the limit, and forgets idle ones', async () => {
  const clock = new ManualClock();
  const target = await echo();
  const [one, other] = [await peer(), await peer()];
  await using relay = await udp(target, { clock, ...{ maxSources: 1, idleMs: 60_000 } });
  say(one, relay, 'one');
  await eventually(() => one.got.length === 1);
  say(other, relay, 'other');
  await eventually(() => relay.counters().toTarget.dropped === 1);
  expect(relay.record().packets.at(-1)).toMatchObject({ action: 'refused', source: -1 });
  clock.advance(59_999);
  expect(relay.openSources()).toBe(1);
  say(one, relay, 'still here');
  await eventually(() => one.got.length === 2);
  clock.advance(59_999);
  expect(relay.openSources()).toBe(1);
  clock.advance(1);
  expect([relay.openSources(), clock.pendingTimers()]).toEqual([0, 0]);
  say(other, relay, 'again');
  await eventually(() => other.got.length === 1);
  expect(relay.record().packets.at(-1)).toMatchObject({ direction: 'toSource', source: 1 });
});

test('UDP: closing drops what is under way, leaves no timer and no socket, and can be done twice', async () => {
  const clock = new ManualClock();
  const target = await echo();
  const source = await peer();
  const own = handles();
  const relay = await udp(target, { clock, faults: { delayMs: 1_000 } });
  for (const number of numbers(10)) say(source, relay, number);
  await eventually(() => relay.counters().toTarget.received === 10);
  expect(relay.counters().toTarget).toMatchObject({ inFlight: 10, dropped: 0 });
  await Promise.all([relay.close(), relay.close()]);
  expect(relay.counters().toTarget).toMatchObject({ inFlight: 0, dropped: 10, droppedBytes: 10, delivered: 0 });
  expect([clock.pendingTimers(), relay.openSources()]).toEqual([0, 0]);
  await eventually(() => handles().length <= own.length);
  clock.advance(2_000);
  expect(target.got).toEqual([]);
  relay.setFaults({ lossRate: 1 });
  relay.pause();
});

test('UDP: closing at once, before the socket of a source is connected, drops quietly', async () => {
  const target = await peer();
  const source = await peer();
  const closing: Promise<void>[] = [];
  const relay = await udp(target, { onPacket: () => closing.push(relay.close()) });
  say(source, relay, 'x');
  await eventually(() => closing.length > 0);
  await Promise.all(closing);
  const { toTarget } = relay.counters();
  expect([toTarget.received, toTarget.inFlight, balance(toTarget)]).toEqual([1, 0, 0]);
});

interface Target {
  readonly server: Server;
  readonly port: number;
  readonly sockets: Socket[];
}

/** A TCP server; what `onSocket` does not say, nobody does. */
async function serve(onSocket: (socket: Socket) => void = () => undefined): Promise<Target> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    closers.push(() => socket.destroy());
    onSocket(socket);
  });
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  closers.push(() => server.close());
  return { server, port: (server.address() as AddressInfo).port, sockets };
}

/** A server that notes what each of its connections reads and how it ends. */
async function serveWatched(): Promise<{ readonly target: Target; readonly arrivals: readonly Client[] }> {
  const arrivals: Client[] = [];
  return { target: await serve((socket) => void arrivals.push(watched(socket))), arrivals };
}

const serveEcho = (): Promise<Target> => serve((socket) => void socket.pipe(socket));

interface Client {
  readonly socket: Socket;
  readonly reads: Buffer[];
  /** What happened to it, in order. */
  readonly fate: string[];
}

/** Notes what a socket reads and how it ends. */
function watched(socket: Socket): Client {
  const reads: Buffer[] = [];
  const fate: string[] = [];
  socket.on('data', (octets) => reads.push(octets));
  socket.on('end', () => fate.push('end'));
  socket.on('error', (error: NodeJS.ErrnoException) => fate.push(error.code ?? error.message));
  socket.on('close', () => fate.push('close'));
  return { socket, reads, fate };
}

function client(relay: Pick<ChaosRelay, 'address'>): Client {
  const socket = connect({ ...relay.address, allowHalfOpen: true, noDelay: true });
  closers.push(() => socket.destroy());
  return watched(socket);
}

const text = ({ reads }: Client): string => Buffer.concat(reads).toString();

/** Bytes that tell where they come from, so that a single one in the wrong place is seen. */
function sample(sizeBytes: number): Buffer {
  const random = new SeededRandom(sizeBytes);
  return Buffer.from(Array.from({ length: sizeBytes }, () => random.int(256)));
}

test('TCP: bytes come back whole and in order under chunks, jitter and delay in both directions', async () => {
  const target = await serveEcho();
  await using relay = await tcp(target, {
    seed: 5,
    faults: { chunkBytes: 3_000, chunkGapMs: 0, jitterMs: 10, delayMs: 2 },
  });
  const sent = sample(300_000);
  const clients = [client(relay), client(relay), client(relay)];
  for (const { socket } of clients) socket.end(sent);
  await eventually(() => clients.every(({ fate }) => fate.includes('close')));
  for (const { reads, fate } of clients) {
    expect(Buffer.concat(reads).equals(sent)).toBe(true);
    expect(fate).toEqual(['end', 'close']);
  }
  const { toTarget, toSource } = relay.counters();
  const whole = { receivedBytes: 900_000, deliveredBytes: 900_000, droppedBytes: 0, inFlight: 0, cut: 0, errors: 0 };
  expect(toTarget).toMatchObject({ ...whole, dropped: 0, duplicated: 0, reordered: 0 });
  expect(toSource).toMatchObject(whole);
  expect(toTarget.received).toBeGreaterThan(450);
  await eventually(() => relay.openSources() === 0);
});

test('TCP: pieces arrive one by one, as long as the seed makes them', async () => {
  const clock = new ManualClock(0);
  const { target, arrivals } = await serveWatched();
  await using relay = await tcp(target, { seed: 6, clock, faults: { toTarget: { chunkBytes: 9, chunkGapMs: 10 } } });
  client(relay).socket.write('a SIP message in several pieces, cut wherever it hurts');
  await eventually(() => relay.counters().toTarget.receivedBytes === 54 && arrivals.length === 1);
  const planned = relay.record().packets.map(({ sizeBytes }) => sizeBytes);
  for (const [index] of planned.entries()) {
    await eventually(() => arrivals[0]!.reads.length === index + 1);
    clock.advance(10);
  }
  expect(arrivals[0]!.reads.map(({ length }) => length)).toEqual(planned);
  expect(planned.length).toBeGreaterThan(6);
  expect(text(arrivals[0]!)).toBe('a SIP message in several pieces, cut wherever it hurts');
});

test('TCP: a reset behind so many bytes breaks both ends, and the target has had exactly those', async () => {
  const { target, arrivals } = await serveWatched();
  await using relay = await tcp(target, { seed: 7, faults: { toTarget: { cutAfterBytes: 4_000 } } });
  const one = client(relay);
  one.socket.write('x'.repeat(10_000));
  await eventually(() => one.fate.includes('close') && arrivals[0]?.fate.includes('close') === true);
  expect(one.fate).toEqual(['ECONNRESET', 'close']);
  expect(arrivals[0]!.fate).toEqual(['ECONNRESET', 'close']);
  expect(text(arrivals[0]!).length).toBe(4_000);
  const { toTarget, toSource } = relay.counters();
  expect(toTarget).toMatchObject({ cut: 1, deliveredBytes: 4_000, droppedBytes: 6_000, inFlight: 0, errors: 0 });
  expect(toSource).toMatchObject({ cut: 0, received: 0, errors: 0 });
  await eventually(() => relay.openSources() === 0);
});

test('TCP: a close ends both ends with FIN', async () => {
  const { target, arrivals } = await serveWatched();
  await using relay = await tcp(target, { seed: 7, faults: { toTarget: { cutAfterBytes: 5, cutAs: 'close' } } });
  const one = client(relay);
  one.socket.write('hello');
  await eventually(() => one.fate.includes('end') && arrivals[0]?.fate.includes('end') === true);
  expect(text(arrivals[0]!)).toBe('hello');
  await eventually(() => relay.openSources() === 0);
  expect(relay.counters().toTarget).toMatchObject({ cut: 1, deliveredBytes: 5 });
});

test('TCP: a half-close ends one direction and lets the other go on', async () => {
  const { target, arrivals } = await serveWatched();
  await using relay = await tcp(target, { seed: 7, faults: { toTarget: { cutAfterBytes: 5, cutAs: 'half-close' } } });
  const one = client(relay);
  one.socket.write('hello, and what nobody hears');
  await eventually(() => arrivals[0]?.fate.includes('end') === true);
  arrivals[0]!.socket.end('goodbye');
  await eventually(() => one.fate.includes('end'));
  one.socket.end();
  await eventually(() => one.fate.includes('close') && relay.openSources() === 0);
  expect([text(arrivals[0]!), text(one), one.fate]).toEqual(['hello', 'goodbye', ['end', 'close']]);
  expect(relay.counters().toTarget).toMatchObject({ cut: 1, deliveredBytes: 5, droppedBytes: 23 });
});

test('TCP: a cut rate of 1, set while connections are open, cuts each of them with its next bytes', async () => {
  const target = await serveEcho();
  await using relay = await tcp(target, { seed: 8 });
  const clients = [client(relay), client(relay)];
  for (const { socket } of clients) socket.write('one');
  await eventually(() => clients.every((one) => text(one) === 'one'));
  relay.setFaults({ toSource: { cutRate: 1 } });
  for (const { socket } of clients) socket.write('two'.repeat(1_000));
  await eventually(() => clients.every(({ fate }) => fate.includes('close')));
  expect(clients.map(({ fate }) => fate)).toEqual([
    ['ECONNRESET', 'close'],
    ['ECONNRESET', 'close'],
  ]);
  expect(relay.counters()).toMatchObject({ toTarget: { cut: 0 }, toSource: { cut: 2, inFlight: 0 } });
  await eventually(() => target.sockets.every(({ destroyed }) => destroyed));
});

test('TCP: a reset of the source reaches the target behind the bytes that were sent before', async () => {
  const clock = new ManualClock();
  const { target, arrivals } = await serveWatched();
  await using relay = await tcp(target, { seed: 9, clock, faults: { toTarget: { delayMs: 50 } } });
  const one = client(relay);
  one.socket.write('last words');
  await eventually(() => relay.counters().toTarget.received === 1 && arrivals.length === 1);
  one.socket.resetAndDestroy();
  await eventually(() => relay.counters().toSource.errors === 1);
  expect(arrivals[0]!.fate).toEqual([]);
  clock.advance(50);
  await eventually(() => text(arrivals[0]!) === 'last words');
  clock.advance(2);
  await eventually(() => arrivals[0]!.fate.includes('close'));
  expect(arrivals[0]!.fate).toEqual(['ECONNRESET', 'close']);
});

test('TCP: a target that refuses resets the source, and is counted', async () => {
  await using relay = await ChaosRelay.open({ protocol: 'tcp', target: NOBODY, seed: 1 });
  const one = client(relay);
  one.socket.write('anybody there?');
  await eventually(() => one.fate.includes('close') && relay.openSources() === 0);
  expect(one.fate.at(-2)).toMatch(/^ECONNRESET$|^EPIPE$/);
  expect(relay.counters().toTarget.errors).toBe(1);
  expect(balance(relay.counters().toTarget)).toBe(0);
  expect(relay.counters().toTarget.inFlight).toBe(0);
});

test('TCP: while paused bytes and the end of a stream wait, and none is lost', async () => {
  const target = await serveEcho();
  await using relay = await tcp(target);
  const one = client(relay);
  one.socket.write('before ');
  await eventually(() => text(one) === 'before ');
  relay.pause('toSource');
  one.socket.end('after');
  await eventually(() => relay.counters().toTarget.deliveredBytes === 12);
  relay.pause();
  relay.resume('toTarget');
  const late = client(relay);
  late.socket.end('late');
  await eventually(() => relay.counters().toTarget.deliveredBytes === 16);
  expect([text(one), text(late)]).toEqual(['before ', '']);
  relay.resume();
  await eventually(() => one.fate.includes('close') && late.fate.includes('close'));
  expect([text(one), text(late)]).toEqual(['before after', 'late']);
});

test('TCP: bytes that fell due during a pause leave in order when it ends', async () => {
  const clock = new ManualClock();
  const target = await serveEcho();
  await using relay = await tcp(target, { clock, faults: { toTarget: { delayMs: 20, chunkBytes: 4, chunkGapMs: 1 } } });
  const one = client(relay);
  one.socket.end('in the order they were sent');
  await eventually(() => relay.counters().toTarget.receivedBytes === 27);
  relay.pause();
  clock.advance(500);
  expect(relay.counters().toTarget.delivered).toBe(0);
  relay.resume();
  await eventually(() => {
    // The end of the stream may be read later than the bytes, and has its own delay.
    clock.advance(1);
    return one.fate.includes('close');
  });
  expect(text(one)).toBe('in the order they were sent');
});

test('TCP: reads no further ahead of a slow target than its window', async () => {
  const target = await serve((socket) => void socket.pause());
  let mostBytes = 0;
  const relay = await tcp(target, {
    onPacket: () => {
      const { receivedBytes, deliveredBytes } = relay.counters().toTarget;
      mostBytes = Math.max(mostBytes, receivedBytes - deliveredBytes);
    },
  });
  const one = client(relay);
  const sizeBytes = 24 * 1024 * 1024;
  one.socket.end(Buffer.alloc(sizeBytes, 'x'));
  await eventually(() => mostBytes >= STREAM_WINDOW_BYTES);
  let read = 0;
  target.sockets[0]!.on('data', ({ length }) => (read += length));
  target.sockets[0]!.resume();
  await eventually(() => read === sizeBytes);
  // One read of Node is 64 KiB.
  expect(mostBytes).toBeLessThanOrEqual(STREAM_WINDOW_BYTES + 65_536);
  expect(relay.counters().toTarget).toMatchObject({ deliveredBytes: sizeBytes, inFlight: 0 });
  await relay.close();
});

test('TCP: closes connections beyond the limit', async () => {
  const target = await serveEcho();
  await using relay = await tcp(target, { maxSources: 1 });
  const one = client(relay);
  one.socket.write('one');
  await eventually(() => text(one) === 'one');
  const other = client(relay);
  await eventually(() => other.fate.includes('end') || other.fate.includes('close'));
  expect([relay.openSources(), relay.counters().toTarget.errors]).toEqual([1, 1]);
});

test('TCP: closing with connections open and bytes under way leaves no socket, no server and no timer', async () => {
  const target = await serveEcho();
  const own = handles();
  const relay = await tcp(target, { faults: { delayMs: 60_000 } });
  const clients = [client(relay), client(relay)];
  for (const { socket } of clients) socket.write('on its way');
  await eventually(() => relay.counters().toTarget.received === 2);
  await relay.close();
  expect(relay.counters().toTarget).toMatchObject({ inFlight: 0, dropped: 2, droppedBytes: 20 });
  expect(relay.openSources()).toBe(0);
  await eventually(() => clients.every(({ fate }) => fate.includes('end') || fate.includes('close')));
  for (const { socket } of clients) socket.destroy();
  for (const socket of target.sockets) socket.destroy();
  await eventually(() => handles().length <= own.length);
});
