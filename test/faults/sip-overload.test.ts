import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { peerHangsUp } from '../support/drachtio-calls.js';
import { createLab, type DrachtioLab, type LabApp } from '../support/drachtio-lab.js';
import { frameOf } from '../support/drachtio-raw-app.js';
import { sdp } from '../support/drachtio-sip-text.js';
import type { PeerCall, SipPeer } from '../support/sip-peer.js';

const MAX_PENDING = 20;
const CALLS = 100;

/** What a caller is told first, beside 100. */
async function firstAnswer(call: PeerCall): Promise<string> {
  const answer = await Promise.race([call.response(503), call.response(100)]);
  return `${answer.status} ${answer.value('Retry-After')}`.trim();
}

/** Calls of which nobody knows yet what becomes of them. */
function callers(peer: SipPeer, count: number): readonly PeerCall[] {
  return Array.from({ length: count }, () => peer.call('INVITE', { body: sdp() }));
}

/** The application accepts what has come, and the callers hang up. */
async function complete(app: LabApp, calls: readonly PeerCall[]): Promise<void> {
  for (const call of calls) {
    const { req, res } = await app.next('INVITE');
    await app.srf.createUAS(req, res, { localSdp: sdp('2') });
    const own = calls.find(({ callId }) => callId === req.get('Call-ID')) ?? call;
    await own.answered();
    await own.exchange('200 BYE');
  }
}

test.each(['udp', 'tcp'] as const)(
  `of ${CALLS} calls at once over %s, ${MAX_PENDING} are taken and complete; each other is told 503 with Retry-After, and afterwards there is room`,
  async (transport) => {
    await using lab = await createLab({ limits: { maxPendingInvites: MAX_PENDING } });
    const app = await lab.app('invite');
    const peer = await lab.peer(transport);
    const calls = callers(peer, CALLS);
    const answers = await Promise.all(calls.map((call) => firstAnswer(call)));
    const taken = calls.filter((_call, index) => answers[index] === '100');
    expect([taken.length, answers.filter((answer) => answer === '503 2').length]).toEqual([
      MAX_PENDING,
      CALLS - MAX_PENDING,
    ]);
    expect(lab.server.inUse()).toMatchObject({ serverTransactions: MAX_PENDING, pendingInvites: MAX_PENDING });
    // Who was taken and repeats the INVITE is not told that there is no room.
    for (const { sent } of taken) peer.send(sent);
    await lab.quiet();
    expect(lab.server.counters().overloaded).toBe(CALLS - MAX_PENDING);
    await complete(app, taken);
    const next = callers(peer, MAX_PENDING);
    await complete(app, next);
    expect(lab.server.counters().overloaded).toBe(CALLS - MAX_PENDING);
    await lab.nothingLeft();
  },
);

test('a refused call that is sent again when there is room is taken', async () => {
  await using lab = await createLab({ limits: { maxPendingInvites: 1 } });
  const app = await lab.app('invite');
  const peer = await lab.peer();
  const [first, second] = callers(peer, 2);
  if (first === undefined || second === undefined) throw new Error('no calls');
  await first.response(100);
  second.ackFailure(await second.response(503));
  await complete(app, [first]);
  peer.send(second.sent);
  await second.response(100);
  await complete(app, [second]);
  expect(app.untaken()).toEqual([]);
  await lab.nothingLeft();
});

test('overload ends no call and keeps none from ending: re-INVITE, BYE, CANCEL and other requests go through', async () => {
  await using lab = await createLab({ limits: { maxPendingInvites: 2 } });
  const app = await lab.app('invite', 'options');
  const peer = await lab.peer();
  const up = peer.call('INVITE', { body: sdp() });
  const { req, res } = await app.next('INVITE');
  await app.srf.createUAS(req, res, { localSdp: sdp('2') });
  await up.answered();
  const [ringing, waiting] = callers(peer, 2);
  if (ringing === undefined || waiting === undefined) throw new Error('no calls');
  (await app.next('INVITE')).res.send(180);
  await app.next('INVITE');
  const refused = peer.call('INVITE', { body: sdp() });
  expect((await refused.response(503)).value('Retry-After')).toBe('2');

  up.request('INVITE', { body: sdp('3') });
  await up.response(200);
  up.ack({ cseq: 2 });
  peer.call('OPTIONS');
  (await app.next('OPTIONS')).res.send(200);
  await peer.next('200 OPTIONS');
  waiting.cancel();
  waiting.ackFailure(await waiting.response(487));
  // Its place is free again.
  const taken = peer.call('INVITE', { body: sdp() });
  await taken.response(100);
  for (const call of [ringing, taken]) {
    call.cancel();
    call.ackFailure(await call.response(487));
  }
  await peerHangsUp({ call: up });
  await lab.nothingLeft();
});

/** An application that takes calls and then stops to read. */
async function stuckApp({ server }: DrachtioLab, method = 'invite'): Promise<Socket> {
  const { host, port, secret } = server.control;
  const socket = connect(port, host);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(frameOf(`a|authenticate|${secret}|`) + frameOf(`b|route|${method}`));
  for (let octets = ''; !octets.includes('|b|OK');) octets += String((await once(socket, 'data'))[0]);
  socket.pause();
  return socket;
}

test('an application that reads nothing at all is asked nothing more, and cut off in the end', async () => {
  await using lab = await createLab({ limits: { maxAppBacklogBytes: 100_000 } });
  const app = await stuckApp(lab, 'options');
  const cutOff = once(app, 'close');
  const peer = await lab.peer();
  const parts = { body: 'x'.repeat(50_000), lines: ['Content-Type: text/plain'] };
  const isRefused = async (to?: string): Promise<boolean> => {
    const { callId } = peer.call('OPTIONS', to === undefined ? parts : { ...parts, to });
    await lab.quiet();
    return peer.all.some((came) => came.value('Call-ID') === callId && came.status === 503);
  };
  // The kernel keeps some megabytes for it.
  while (!(await isRefused())) await turn();
  // What belongs to a call is still passed on, until it is too much.
  while (lab.server.inUse().applications > 0) await isRefused('<sip:a@b.example>;tag=x');
  app.resume();
  await cutOff;
  await lab.nothingLeft();
});

test('while an application does not read, new calls get 503 with Retry-After; when it reads again they are taken', async () => {
  await using lab = await createLab({ limits: { maxAppBacklogBytes: 100_000 } });
  const app = await stuckApp(lab);
  const peer = await lab.peer();
  const body = 'x'.repeat(50_000);
  const call = (): PeerCall => peer.call('INVITE', { body, lines: ['Content-Type: text/plain'] });
  let taken = 0;
  // The kernel keeps some megabytes for it.
  while ((await firstAnswer(call())) === '100') taken += 1;
  expect(taken).toBeGreaterThan(2);
  expect(await firstAnswer(call())).toBe('503 2');
  let read = '';
  app.on('data', (octets: Buffer) => {
    read = read.slice(-60_000) + octets.toString('latin1');
  });
  app.resume();
  await lab.quiet();
  while ((await firstAnswer(call())) !== '100') await turn();
  app.destroy();
  await lab.quiet();
  await lab.nothingLeft();
});
