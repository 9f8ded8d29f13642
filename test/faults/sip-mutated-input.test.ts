import { setImmediate as turn } from 'node:timers/promises';
import { ManualClock } from '@hopback/sdk/testing';
import { DrachtioServer } from '@hopback/harness/drachtio';
import { expect, test } from 'vitest';
import { SeededRandom } from '../../harness/src/faults/index.js';
import { connectApp } from '../support/drachtio-app.js';
import { untilQuiet } from '../support/drachtio-lab.js';
import { answerMutants } from '../support/sip-load-app.js';
import { createMutantSource, MUTANTS_SENT, type MutantSource } from '../support/sip-load-mutants.js';
import { openDatagramWire, pieces, sendFrames, sendStream } from '../support/sip-load-wires.js';
import { createSipPeer, TRANSPORTS, type SipPeer } from '../support/sip-peer.js';

const SEED = Date.now() % 2 ** 31;
const DATAGRAMS = MUTANTS_SENT.inTests * 0.4;
const STREAMED = MUTANTS_SENT.inTests * 0.4;
const FRAMES = MUTANTS_SENT.inTests * 0.2;
/** Datagrams on their way at a time: so few that the kernel has room for them. */
const DATAGRAMS_AT_A_TIME = 40;
const PROBE_EVERY = 1_000;
const CONNECTIONS_AT_A_TIME = 8;
/** Longer than a call may go on without its ACK, than a peer may ring in silence, and than any transaction lasts. */
const ALL_TIMERS_S = 300;

test(`${MUTANTS_SENT.inTests} mutants by udp, tcp and ws to a server with an application: all are taken in, OPTIONS is answered throughout, and nothing is left of them`, async () => {
  const clock = new ManualClock();
  let arrived = 0;
  await using server = await DrachtioServer.open({
    listen: TRANSPORTS.map((transport) => ({ transport, host: '127.0.0.1', port: 0 })),
    clock,
    onMessage: ({ direction }) => {
      if (direction === 'in') arrived += 1;
    },
  });
  let seen = (): number => 0;
  const app = await connectApp(server, {
    setUp: (srf) => {
      seen = answerMutants(srf);
    },
  });
  const peers = await Promise.all(TRANSPORTS.map((transport) => createSipPeer(server, transport)));
  const probe = (): Promise<unknown> => Promise.all(peers.map(answeredOptions));
  await probe();

  await sendDatagrams(portOf(server, 'udp'), { arrived: () => arrived, probe });
  const afterDatagrams = arrived;
  await sendStreams(portOf(server, 'tcp'), probe);
  const afterStreams = arrived;
  await sendWebSockets(portOf(server, 'ws'), probe);
  const framed = arrived - afterStreams;

  await probe();
  const { faults, received } = server.counters();
  const read = Object.values(received.requests).reduce((sum, count) => sum + count, 0);
  const counts = { datagrams: afterDatagrams, streamed: afterStreams - afterDatagrams, framed, read, seen: seen() };
  process.stdout.write(`sip mutants: seed ${SEED}, ${JSON.stringify({ ...counts, faults })}\n`);
  // Every datagram and every frame, and of the streams what could be told apart; of all of them a good part is an application's.
  expect(counts.datagrams).toBeGreaterThanOrEqual(DATAGRAMS);
  expect(counts.streamed).toBeGreaterThan(STREAMED / 20);
  expect(counts.framed).toBeGreaterThanOrEqual(FRAMES);
  expect(counts.seen).toBeGreaterThan(MUTANTS_SENT.inTests / 50);
  expect(Object.keys(faults).length).toBeGreaterThan(15);

  for (const peer of peers) await peer.close();
  await untilQuiet([server]);
  await app.close();
  for (let second = 0; second < ALL_TIMERS_S; second += 1) {
    await untilQuiet([server]);
    clock.advance(1_000);
  }
  await untilQuiet([server]);
  // Subscriptions, and calls whose ACK came, are over when somebody says so, and nobody does.
  const { dialogs: _dialogs, ...rest } = server.inUse();
  expect(rest).toEqual(Object.fromEntries(Object.keys(rest).map((name) => [name, 0])));
});

function portOf(server: DrachtioServer, transport: string): number {
  return server.listening.find((one) => one.transport === transport)?.port ?? 0;
}

async function answeredOptions(peer: SipPeer): Promise<void> {
  await peer.call('OPTIONS').response(200);
}

interface Watched {
  /** Messages that have reached the server. */
  readonly arrived: () => number;
  readonly probe: () => Promise<unknown>;
}

async function sendDatagrams(port: number, { arrived, probe }: Watched): Promise<void> {
  const mutants = createMutantSource(SEED, 'udp');
  await using wire = await openDatagramWire(port);
  for (let sent = 0; sent < DATAGRAMS; sent += DATAGRAMS_AT_A_TIME) {
    const before = arrived();
    for (let index = 0; index < DATAGRAMS_AT_A_TIME; index += 1) wire.send(mutants.next());
    while (arrived() < before + DATAGRAMS_AT_A_TIME) await turn();
    if (sent % PROBE_EVERY === 0) await probe();
  }
}

async function sendStreams(port: number, probe: () => Promise<unknown>): Promise<void> {
  const mutants = createMutantSource(SEED, 'tcp');
  const random = new SeededRandom(SEED, 'streams');
  // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- the writers below count
  for (let sent = 0; sent < STREAMED;) {
    const streams = Array.from({ length: CONNECTIONS_AT_A_TIME }, () => {
      const messages = take(mutants, Math.min(STREAMED - sent, 1 + random.int(6)));
      sent += messages.length;
      return pieces(random, messages.join(''), 5);
    });
    await Promise.all([...streams.map((chunks) => sendStream(port, chunks)), probe()]);
  }
}

async function sendWebSockets(port: number, probe: () => Promise<unknown>): Promise<void> {
  const mutants = createMutantSource(SEED, 'ws');
  const random = new SeededRandom(SEED, 'frames');
  // oxlint-disable-next-line eslint/no-unmodified-loop-condition -- the writers below count
  for (let sent = 0; sent < FRAMES;) {
    const connections = Array.from({ length: CONNECTIONS_AT_A_TIME }, () => {
      const messages = take(mutants, Math.min(FRAMES - sent, 1 + random.int(100)));
      sent += messages.length;
      return messages;
    });
    const rubbish = mutants.next();
    await Promise.all([...connections.map((messages) => sendFrames(port, messages, rubbish)), probe()]);
  }
}

function take(mutants: MutantSource, count: number): readonly string[] {
  return Array.from({ length: count }, () => mutants.next());
}
