import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { peerCalls, peerHangsUp } from '../support/drachtio-calls.js';
import { createLab, type DrachtioLab, type LabApp } from '../support/drachtio-lab.js';
import { closing } from '../support/sip-load-wires.js';
import type { SipPeer } from '../support/sip-peer.js';

const PEERS = 100;
const HOST = '127.0.0.1';

const INVITE = [
  'INVITE sip:app@127.0.0.1 SIP/2.0',
  'Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKhostile',
  'From: <sip:hostile@127.0.0.1>;tag=h',
  'To: <sip:app@127.0.0.1>',
  'Call-ID: hostile',
  'CSeq: 1 INVITE',
  'Contact: <sip:hostile@127.0.0.1:9;transport=tcp>',
].join('\r\n');

function portOf({ server }: DrachtioLab, transport: string): number {
  return server.listening.find((one) => one.transport === transport)?.port ?? 0;
}

/** A connection that speaks only when it is told to, with everything that it has heard. */
interface Line {
  readonly socket: Socket;
  readonly heard: () => string;
  /** Whether the server has ended it. */
  readonly isOver: () => boolean;
  readonly over: Promise<void>;
}

async function line(lab: DrachtioLab, transport = 'tcp'): Promise<Line> {
  const socket = connect(portOf(lab, transport), HOST);
  const over = closing(socket);
  onTestFinished(() => void socket.destroy());
  let text = '';
  let isOver = false;
  socket.on('data', (octets: Buffer) => {
    text += octets.toString('latin1');
  });
  void over.then(() => {
    isOver = true;
  });
  await once(socket, 'connect');
  return { socket, heard: () => text, isOver: () => isOver, over };
}

function lines(lab: DrachtioLab, count: number): Promise<readonly Line[]> {
  return Promise.all(Array.from({ length: count }, () => line(lab)));
}

/** Waits for what sockets bring; the time limit of the test is its end. */
async function eventually(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}

/** Calls that come, are answered and hang up. */
async function callsWork(app: LabApp, peers: readonly SipPeer[]): Promise<void> {
  for (const peer of peers) {
    const { call } = await peerCalls(app, peer);
    call.request('BYE');
    await call.response('200 BYE');
  }
}

test(`${PEERS} silent peers and ${PEERS} that send an octet a second: calls come through, the slow are cut off after 32 s, the silent after 10 min`, async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const peers = [await lab.peer('tcp'), await lab.peer('udp')];
  const silent = await lines(lab, PEERS);
  const slow = await lines(lab, PEERS);
  await eventually(() => lab.server.inUse().connections === 2 * PEERS);
  const dropped = (): number => lab.server.counters().faults['slow-sender'] ?? 0;
  let seconds = 0;
  for (; dropped() === 0; seconds += 1) {
    for (const [index, { socket }] of slow.entries()) {
      // Some are slow with their header section, others with the body that they have announced.
      const octets = index % 2 === 0 ? INVITE : `${INVITE}\r\nContent-Length: 99\r\n\r\n${'x'.repeat(90)}`;
      if (seconds === 0) socket.write(index % 2 === 0 ? 'I' : octets.slice(0, INVITE.length + 24), 'latin1');
      else socket.write(octets.charAt(index % 2 === 0 ? seconds : INVITE.length + 23 + seconds), 'latin1');
    }
    if (seconds % 8 === 0) await callsWork(app, peers);
    await lab.pass(1_000);
  }
  expect(seconds).toBe(33);
  await Promise.all(slow.map(({ over }) => over));
  expect([dropped(), silent.filter(({ isOver }) => isOver()).length]).toEqual([PEERS, 0]);
  // Nobody was told anything: none of them had finished a message.
  expect(slow.map(({ heard }) => heard()).join('')).toBe('');
  await callsWork(app, peers);
  await lab.pass((600 - seconds) * 1_000);
  expect(silent.filter(({ isOver }) => isOver()).length).toBe(0);
  await lab.pass(2_000);
  await Promise.all(silent.map(({ over }) => over));
  await callsWork(app, peers);
  await lab.nothingLeft();
});

test.each([
  ['2^31', `${2 ** 31}`, 400, 'bad-content-length'],
  ['2^64', `${2n ** 64n}`, 400, 'bad-content-length'],
  ['999,999,999', '999999999', 413, 'message-too-large'],
  ['-1', '-1', 400, 'bad-content-length'],
  ['1e3', '1e3', 400, 'bad-content-length'],
])(
  'a stream that announces %s octets of body is told so and cut off, however many of them come',
  async (_what, length, status, fault) => {
    await using lab = await createLab();
    const app = await lab.app('invite');
    const hostile = await line(lab);
    hostile.socket.write(`${INVITE}\r\nContent-Length: ${length}\r\n\r\n${'x'.repeat(100_000)}`, 'latin1');
    await hostile.over;
    expect(hostile.heard()).toMatch(new RegExp(`^SIP/2\\.0 ${status} `));
    expect(lab.server.counters().faults).toEqual({ [fault]: 1 });
    await peerHangsUp(lab, await peerCalls(app, await lab.peer('tcp')));
  },
);

test.each([
  ['of one line', 'X: ', 'x'.repeat(1_000)],
  ['of many lines', '', 'X-Line: x\r\n'.repeat(100)],
])('a header section %s that never ends is cut off at 64 KiB', async (_what, start, more) => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const hostile = await line(lab);
  hostile.socket.write(`${INVITE}\r\n${start}`, 'latin1');
  let sent = 0;
  while (!hostile.isOver()) {
    if (hostile.socket.writable && hostile.socket.writableLength < 100_000) {
      hostile.socket.write(more, 'latin1');
      sent += more.length;
    }
    await turn();
  }
  expect(lab.server.counters().faults).toEqual({ 'header-section-too-large': 1 });
  expect(sent).toBeGreaterThan(60_000);
  await peerHangsUp(lab, await peerCalls(app, await lab.peer('tcp')));
});

test('a peer that asks and never reads the answers is cut off when too much waits for it', async () => {
  await using lab = await createLab({ connectionLimits: { maxBacklogBytes: 65_536 } });
  const app = await lab.app('invite', 'options');
  const hostile = await line(lab);
  hostile.socket.pause();
  const branch = (index: number): string => INVITE.replaceAll('INVITE', 'BYE').replace('z9hG4bK', `z9hG4bK${index}`);
  for (let index = 0; (lab.server.counters().faults['send-backlog'] ?? 0) === 0; index += 1) {
    hostile.socket.write(`${branch(index)}\r\nX-Long: ${'x'.repeat(100)}\r\nContent-Length: 0\r\n\r\n`, 'latin1');
    if (index % 100 === 0) await turn();
  }
  hostile.socket.resume();
  await hostile.over;
  expect(lab.server.counters().faults).toEqual({ 'send-backlog': 1 });
  await peerHangsUp(lab, await peerCalls(app, await lab.peer('tcp')));
});

test('one connection more than there may be is closed at once, and there is room again when one has gone', async () => {
  await using lab = await createLab({ connectionLimits: { maxConnections: 10 } });
  const app = await lab.app('invite');
  const taken = await lines(lab, 10);
  await eventually(() => lab.server.inUse().connections === 10);
  const more = await line(lab);
  await more.over;
  expect([more.heard(), lab.server.counters().faults]).toEqual(['', { 'too-many-connections': 1 }]);
  expect(lab.server.inUse().connections).toBe(10);
  // Datagrams need no connection.
  const call = await peerCalls(app, await lab.peer('udp'));
  call.call.request('BYE');
  await call.call.response('200 BYE');
  taken[0]?.socket.destroy();
  await eventually(() => lab.server.inUse().connections === 9);
  const overTcp = await peerCalls(app, await lab.peer('tcp'));
  overTcp.call.request('BYE');
  await overTcp.call.response('200 BYE');
  for (const { socket } of taken) socket.destroy();
  await lab.nothingLeft();
});

test('connections that are reset in the middle of a message, or of a call, leave nothing behind', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const hostile = await lines(lab, PEERS);
  for (const [index, { socket }] of hostile.entries()) {
    const text = `${INVITE.replaceAll('hostile', `hostile${index}`)}\r\nContent-Length: 0\r\n\r\n`;
    const length = index % 2 === 0 ? text.length : 1 + (index % text.length);
    await new Promise((resolve) => void socket.write(text.slice(0, length), 'latin1', resolve));
  }
  for (let index = 0; index < PEERS; index += 2) {
    const { req, res } = await app.next('INVITE');
    // Some ring and some are answered when their connection goes.
    if (index % 4 === 0) res.send(180);
    else void app.srf.createUAS(req, res, { localSdp: 'v=0\r\n' }).catch(() => undefined);
  }
  await lab.quiet();
  for (const { socket } of hostile) socket.resetAndDestroy();
  await eventually(() => lab.server.inUse().connections === 0);
  await lab.pass(40_000);
  // What rings may ring; its application is gone when it goes.
  await app.close();
  await lab.nothingLeft();
});
