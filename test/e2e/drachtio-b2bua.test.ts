import { expect, test } from 'vitest';
import { heard, type AppRequest, type AppResponse } from '../support/drachtio-app.js';
import { appHangsUp, incoming, later } from '../support/drachtio-calls.js';
import { app, lab, useLab } from '../support/drachtio-lab.js';
import { sdp } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type CallParts, type PeerTransport } from '../support/sip-peer.js';

useLab({ methods: ['invite'] });

/** An application that joins two calls, and the peers at both ends. */
async function joining(parts: CallParts = {}, transports: readonly PeerTransport[] = [], options: object = {}) {
  const [caller, callee] = [await lab.peer(transports[0]), await lab.peer(transports[1])];
  const { call, req, res } = await incoming({ body: sdp('1'), ...parts }, caller);
  const joined = later(app.srf.createB2BUA(req, res, callee.uri, options));
  return { caller, callee, call, joined, res, invite: await callee.next('INVITE') };
}

/** The application hangs up both sides of a joined call. */
async function end({ caller, callee, joined }: Awaited<ReturnType<typeof joining>>): Promise<void> {
  const { uas, uac } = await joined;
  await appHangsUp({ dialog: uas, peer: caller });
  await appHangsUp({ dialog: uac, peer: callee });
}

test.each(TRANSPORTS.flatMap((from) => TRANSPORTS.map((to) => [from, to] as const)))(
  'an application joins a call from %s with one to %s',
  async (from, to) => {
    const parts = await joining({}, [from, to]);
    const { callee, call, joined, invite } = parts;
    expect(invite.value('Call-ID')).not.toBe(call.callId);
    expect([invite.body, invite.value('From').includes('sip:peer@')]).toEqual([sdp('1'), true]);
    callee.reply(invite, 180);
    await call.response(180);
    callee.reply(invite, 183, { body: sdp('2') });
    expect((await call.response(183)).body).toBe(sdp('2'));
    callee.reply(invite, 200, { body: sdp('2') });
    const { body } = await call.response(200);
    call.ack();
    await callee.next('ACK');
    const { uas, uac } = await joined;
    expect([body, uas.other, uac.other]).toEqual([sdp('2'), uac, uas]);
    await end(parts);
  },
);

test('a call without an offer: the offer comes with the 200, the answer with the ACK, on both sides', async () => {
  const parts = await joining({ body: '' });
  const { callee, call, invite } = parts;
  expect(invite.body).toBe('');
  callee.reply(invite, 200, { body: sdp('2') });
  expect((await call.response(200)).body).toBe(sdp('2'));
  await lab.quiet();
  // The called side waits for the answer of the caller.
  expect(callee.untaken()).toEqual([]);
  call.ack({ body: sdp('3') });
  expect((await callee.next('ACK')).body).toBe(sdp('3'));
  await end(parts);
});

test.each(TRANSPORTS)(
  'the caller gives up while it rings, and the other side is cancelled, over %s',
  async (transport) => {
    const { callee, call, joined, invite } = await joining({}, [transport, transport]);
    callee.reply(invite, 180);
    await call.response(180);
    call.cancel(['Reason: SIP;cause=200;text="elsewhere"', 'X-Reason: bored']);
    await call.response('200 CANCEL');
    call.ackFailure(await call.response('487 INVITE'));
    const cancel = await callee.next('CANCEL');
    expect([cancel.value('Reason'), cancel.value('X-Reason')]).toEqual(['SIP;cause=200;text="elsewhere"', 'bored']);
    callee.reply(cancel, 200);
    callee.reply(invite, 487);
    await callee.next('ACK');
    await expect(joined).rejects.toMatchObject({ status: 487 });
  },
);

test('the caller gives up before a response of the other side, which is cancelled after its first one', async () => {
  const { callee, call, joined, invite } = await joining();
  call.cancel();
  call.ackFailure(await call.response('487 INVITE'));
  await lab.quiet();
  expect(callee.untaken()).toEqual([]);
  callee.reply(invite, 100);
  callee.reply(await callee.next('CANCEL'), 200);
  callee.reply(invite, 487);
  await expect(joined).rejects.toMatchObject({ status: 487 });
});

test('the caller gives up while the other side answers: that call is hung up', async () => {
  const { callee, call, joined, invite } = await joining();
  callee.reply(invite, 180);
  await call.response(180);
  call.cancel();
  await callee.next('CANCEL');
  callee.reply(invite, 200, { body: sdp('2') });
  call.ackFailure(await call.response('487 INVITE'));
  await callee.next('ACK');
  callee.reply(await callee.next('BYE'), 200);
  await expect(joined).rejects.toBeDefined();
});

test('the called side does not respond: the caller gets 408', async () => {
  const { call, joined } = await joining();
  await lab.pass(32_000);
  call.ackFailure(await call.response(408));
  await expect(joined).rejects.toMatchObject({ status: 408 });
});

test('the other side cannot be sent to at all: the caller gets 500', async () => {
  const { call, req, res } = await incoming({ body: sdp('1') });
  await expect(app.srf.createB2BUA(req, res, lab.server.uri('udp'), {})).rejects.toThrow(
    'can not send request to myself',
  );
  call.ackFailure(await call.response(500));
});

test('a request of the called side that overtakes the ACK of the caller is kept until then', async () => {
  const parts = await joining();
  const { callee, call, joined, invite } = parts;
  callee.reply(invite, 200, { body: sdp('2') });
  await callee.next('ACK');
  await call.response(200);
  const { uac } = await joined;
  const told = heard<[AppRequest, AppResponse]>(uac, 'info');
  const back = callee.dialog(invite);
  back.request('INFO');
  await lab.quiet();
  expect(callee.untaken()).toEqual([]);
  call.ack();
  (await told)[1].send(200);
  await back.response('200 INFO');
  await end(parts);
});

test('the application disconnects while both sides ring: the caller gets 503, the called side a CANCEL', async () => {
  const { callee, call, invite } = await joining();
  callee.reply(invite, 180);
  await call.response(180);
  await app.close();
  call.ackFailure(await call.response('503 INVITE'));
  callee.reply(await callee.next('CANCEL'), 200);
  callee.reply(invite, 487);
  await callee.next('ACK');
});

test('a CANCEL after a challenge of the called side ends the second try, which has the credentials', async () => {
  const credentials = { auth: { username: 'me', password: 'secret' } };
  const { callee, call, joined, invite } = await joining({}, [], credentials);
  callee.reply(invite, 407, { lines: ['Proxy-Authenticate: Digest realm="r", nonce="n"'] });
  await callee.next('ACK');
  const second = await callee.next('INVITE');
  expect(second.value('Proxy-Authorization')).toContain('username="me"');
  callee.reply(second, 180);
  await call.response(180);
  call.cancel();
  call.ackFailure(await call.response('487 INVITE'));
  callee.reply(await callee.next('CANCEL'), 200);
  callee.reply(second, 487);
  await callee.next('ACK');
  await expect(joined).rejects.toMatchObject({ status: 487 });
});
