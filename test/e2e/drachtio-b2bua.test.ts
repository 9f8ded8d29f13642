import { expect, test } from 'vitest';
import {
  heard,
  type AppDialog,
  type AppRequest,
  type AppResponse,
  type B2buaOptions,
} from '../support/drachtio-app.js';
import { later } from '../support/drachtio-calls.js';
import { createLab, type DrachtioLab, type LabApp } from '../support/drachtio-lab.js';
import { sdp, tagIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type CallParts, type PeerTransport, type SipPeer } from '../support/sip-peer.js';

/** An application that joins two calls, and the peers at both ends. */
async function joining(
  lab: DrachtioLab,
  options: B2buaOptions = {},
  parts: CallParts = {},
  transports: readonly PeerTransport[] = [],
) {
  const app: LabApp = await lab.app('invite');
  const [caller, callee] = [await lab.peer(transports[0]), await lab.peer(transports[1])];
  const call = caller.call('INVITE', { body: sdp('1'), ...parts });
  const { req, res } = await app.next('INVITE');
  let sent: (request: AppRequest) => void = () => undefined;
  const requested = new Promise<AppRequest>((resolve) => {
    sent = resolve;
  });
  const joined = later(
    app.srf.createB2BUA(req, res, callee.uri, options, { cbRequest: (_error, request) => sent(request) }),
  );
  return { app, caller, callee, call, joined, requested, req, res };
}

/** Hangs up both ends by the application. */
async function end(lab: DrachtioLab, legs: readonly (readonly [AppDialog, SipPeer])[]): Promise<void> {
  for (const [dialog, peer] of legs) {
    const gone = dialog.destroy();
    peer.reply(await peer.next('BYE', dialog.sip.callId), 200);
    await gone;
  }
  await lab.nothingLeft();
}

test.each(TRANSPORTS.flatMap((from) => TRANSPORTS.map((to) => [from, to] as const)))(
  'an application joins a call from %s with one to %s',
  async (from, to) => {
    await using lab = await createLab();
    const { callee, caller, call, joined } = await joining(lab, {}, {}, [from, to]);
    const invite = await callee.next('INVITE');
    expect(invite.value('Call-ID')).not.toBe(call.callId);
    expect([invite.body, invite.value('From').includes('sip:peer@')]).toEqual([sdp('1'), true]);
    callee.reply(invite, 180);
    await call.response(180);
    callee.reply(invite, 183, { body: sdp('2') });
    expect((await call.response(183)).body).toBe(sdp('2'));
    callee.reply(invite, 200, { body: sdp('2') });
    expect((await call.response(200)).body).toBe(sdp('2'));
    call.ack();
    const { uas, uac } = await joined;
    await callee.next('ACK');
    expect([uas.other, uac.other]).toEqual([uac, uas]);
    await end(lab, [
      [uas, caller],
      [uac, callee],
    ]);
  },
);

test('either side hangs up, and the application hangs up the other', async () => {
  await using lab = await createLab();
  for (const first of ['caller', 'callee'] as const) {
    const { callee, caller, call, joined } = await joining(lab);
    const invite = await callee.next('INVITE');
    callee.reply(invite, 200, { body: sdp('2') });
    await call.response(200);
    call.ack();
    const { uas, uac } = await joined;
    await callee.next('ACK');
    uas.on('destroy', () => void uac.destroy());
    uac.on('destroy', () => void uas.destroy());
    const back = callee.dialog(invite);
    if (first === 'caller') {
      call.request('BYE');
      await call.response('200 BYE');
      callee.reply(await callee.next('BYE'), 200);
    } else {
      back.request('BYE');
      await back.response('200 BYE');
      caller.reply(await caller.next('BYE'), 200);
    }
  }
  await lab.nothingLeft();
});

test('a call without an offer: the offer comes with the 200, the answer with the ACK, on both sides', async () => {
  await using lab = await createLab();
  const { callee, caller, call, joined } = await joining(lab, {}, { body: '' });
  const invite = await callee.next('INVITE');
  expect(invite.body).toBe('');
  callee.reply(invite, 200, { body: sdp('2') });
  expect((await call.response(200)).body).toBe(sdp('2'));
  await lab.quiet();
  // The called side waits for the answer of the caller.
  expect(callee.untaken()).toEqual([]);
  call.ack({ body: sdp('3') });
  expect((await callee.next('ACK')).body).toBe(sdp('3'));
  const { uas, uac } = await joined;
  await end(lab, [
    [uas, caller],
    [uac, callee],
  ]);
});

test('the descriptions may be replaced on either side', async () => {
  await using lab = await createLab();
  const options = { localSdpA: (offer: string) => offer.replace('4002', '4092'), localSdpB: sdp('8') };
  const { callee, caller, call, joined } = await joining(lab, options);
  const invite = await callee.next('INVITE');
  expect(invite.body).toBe(sdp('8'));
  callee.reply(invite, 200, { body: sdp('2') });
  expect((await call.response(200)).body).toContain('4092');
  call.ack();
  const { uas, uac } = await joined;
  await callee.next('ACK');
  await end(lab, [
    [uas, caller],
    [uac, callee],
  ]);
});

test.each([404, 486, 500, 603])('the called side refuses with %i, and so does the application', async (status) => {
  await using lab = await createLab();
  const { callee, call, joined } = await joining(lab, { proxyResponseHeaders: ['X-Why', 'Reason'] });
  const lines = ['X-Why: because', 'Reason: Q.850;cause=21', 'X-Not: this'];
  callee.reply(await callee.next('INVITE'), status, { reason: 'Not Today', lines });
  const refused = await call.response(status);
  expect([refused.reason, refused.value('X-Why'), refused.value('Reason')]).toEqual([
    ...['Not Today', 'because', 'Q.850;cause=21'],
  ]);
  expect(refused.values('X-Not')).toEqual([]);
  call.ackFailure(refused);
  await expect(joined).rejects.toMatchObject({ status });
  await lab.nothingLeft();
});

test('an application that does not pass failures on answers itself', async () => {
  await using lab = await createLab();
  const { callee, call, joined, res } = await joining(lab, { passFailure: false });
  callee.reply(await callee.next('INVITE'), 486);
  await expect(joined).rejects.toMatchObject({ status: 486 });
  expect(res.finalResponseSent).toBe(false);
  res.send(480);
  call.ackFailure(await call.response(480));
  await lab.nothingLeft();
});

test('an application that does not pass provisional responses on keeps them', async () => {
  await using lab = await createLab();
  const { callee, caller, call, joined } = await joining(lab, { passProvisionalResponses: false });
  const invite = await callee.next('INVITE');
  callee.reply(invite, 180);
  callee.reply(invite, 183, { body: sdp('2') });
  await lab.quiet();
  expect(caller.untaken().map(({ status }) => status)).toEqual([100]);
  callee.reply(invite, 486);
  call.ackFailure(await call.response(486));
  await expect(joined).rejects.toMatchObject({ status: 486 });
  await lab.nothingLeft();
});

test('header fields pass where the application says so, several Identity fields joined', async () => {
  await using lab = await createLab();
  const lines = [
    'Identity: eyJ.a.b;info=<https://a.example/c>',
    'Identity: eyJ.c.d;info=<https://b.example/c>',
    'X-No: 1',
  ];
  const { callee, call, joined } = await joining(lab, { proxyRequestHeaders: ['Identity', 'Date'] }, { lines });
  const invite = await callee.next('INVITE');
  expect(invite.values('Identity')).toEqual(['eyJ.a.b;info=<https://a.example/c>,eyJ.c.d;info=<https://b.example/c>']);
  expect([invite.values('Date'), invite.values('X-No')]).toEqual([[], []]);
  callee.reply(invite, 404);
  call.ackFailure(await call.response(404));
  await joined.catch(() => undefined);
  await lab.nothingLeft();
});

test('all header fields pass where the application says so, but for those that it names', async () => {
  await using lab = await createLab();
  const lines = ['X-One: 1', 'X-Two: 2', 'Subject: s', 'User-Agent: u'];
  const { callee, call, joined } = await joining(
    lab,
    { proxyRequestHeaders: ['all', '-X-Two', '-user-agent'] },
    { lines },
  );
  const invite = await callee.next('INVITE');
  expect([invite.value('X-One'), invite.value('Subject')]).toEqual(['1', 's']);
  expect([invite.values('X-Two'), invite.values('User-Agent')]).toEqual([[], []]);
  callee.reply(invite, 404);
  call.ackFailure(await call.response(404));
  await joined.catch(() => undefined);
  await lab.nothingLeft();
});

test.each(TRANSPORTS)(
  'the caller gives up while it rings, and the other side is cancelled, over %s',
  async (transport) => {
    await using lab = await createLab();
    const { callee, call, joined } = await joining(lab, {}, {}, [transport, transport]);
    const invite = await callee.next('INVITE');
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
    await lab.nothingLeft();
  },
);

test('the caller gives up before the other side was heard: it is cancelled as soon as it can be', async () => {
  await using lab = await createLab();
  const { callee, call, joined } = await joining(lab);
  const invite = await callee.next('INVITE');
  call.cancel();
  call.ackFailure(await call.response('487 INVITE'));
  await lab.quiet();
  expect(callee.untaken()).toEqual([]);
  callee.reply(invite, 100);
  callee.reply(await callee.next('CANCEL'), 200);
  callee.reply(invite, 487);
  await expect(joined).rejects.toMatchObject({ status: 487 });
  await lab.nothingLeft();
});

test('the caller gives up while the other side answers: that call is hung up', async () => {
  await using lab = await createLab();
  const { callee, call, joined } = await joining(lab);
  const invite = await callee.next('INVITE');
  callee.reply(invite, 180);
  await call.response(180);
  call.cancel();
  await callee.next('CANCEL');
  callee.reply(invite, 200, { body: sdp('2') });
  call.ackFailure(await call.response('487 INVITE'));
  await callee.next('ACK');
  callee.reply(await callee.next('BYE'), 200);
  await expect(joined).rejects.toBeDefined();
  await lab.nothingLeft();
});

test('nobody answers on the other side: the caller gets 408', async () => {
  await using lab = await createLab();
  const { callee, call, joined } = await joining(lab);
  await callee.next('INVITE');
  await lab.pass(32_000);
  call.ackFailure(await call.response(408));
  await expect(joined).rejects.toMatchObject({ status: 408 });
  await lab.nothingLeft();
});

test('the other side cannot be sent to at all: the caller gets 500', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const call = (await lab.peer()).call('INVITE', { body: sdp('1') });
  const { req, res } = await app.next('INVITE');
  await expect(app.srf.createB2BUA(req, res, lab.server.uri('udp'), {})).rejects.toThrow(
    'can not send request to myself',
  );
  call.ackFailure(await call.response(500));
  await lab.nothingLeft();
});

test('credentials are given on the other side, and a CANCEL meanwhile reaches the second try', async () => {
  await using lab = await createLab();
  const { callee, call, joined } = await joining(lab, { auth: { username: 'me', password: 'secret' } });
  const lines = ['Proxy-Authenticate: Digest realm="r", nonce="n"'];
  callee.reply(await callee.next('INVITE'), 407, { lines });
  await callee.next('ACK');
  const second = await callee.next('INVITE');
  expect(second.value('Proxy-Authorization')).toContain('username="me"');
  callee.reply(second, 180);
  await call.response(180);
  call.cancel();
  call.ackFailure(await call.response('487 INVITE'));
  callee.reply(await callee.next('CANCEL'), 200);
  callee.reply(second, 487);
  await expect(joined).rejects.toMatchObject({ status: 487 });
  await lab.nothingLeft();
});

test('a re-INVITE of one side is passed to the other, and the answer back', async () => {
  await using lab = await createLab();
  const { callee, caller, call, joined } = await joining(lab);
  const invite = await callee.next('INVITE');
  callee.reply(invite, 200, { body: sdp('2') });
  await call.response(200);
  call.ack();
  const { uas, uac } = await joined;
  await callee.next('ACK');
  uas.on('modify', (req: AppRequest, res: AppResponse) => {
    void uac.modify(req.body).then((answer) => res.send(200, { body: answer }));
  });
  call.request('INVITE', { body: sdp('5') });
  const again = await callee.next('INVITE');
  expect([again.body, tagIn(again.value('To'))]).toEqual([sdp('5'), 'peer']);
  callee.reply(again, 200, { body: sdp('6') });
  expect((await call.response('200 INVITE')).body).toBe(sdp('6'));
  call.ack({ cseq: 2 });
  await callee.next('ACK');
  await end(lab, [
    [uas, caller],
    [uac, callee],
  ]);
});

test('a request of the called side that overtakes the ACK of the caller is kept until then', async () => {
  await using lab = await createLab();
  const { callee, caller, call, joined } = await joining(lab);
  const invite = await callee.next('INVITE');
  callee.reply(invite, 200, { body: sdp('2') });
  await callee.next('ACK');
  await call.response(200);
  const { uas, uac } = await joined;
  const told = heard<[AppRequest, AppResponse]>(uac, 'info');
  const back = callee.dialog(invite);
  back.request('INFO');
  await lab.quiet();
  expect(callee.untaken()).toEqual([]);
  call.ack();
  (await told)[1].send(200);
  await back.response('200 INFO');
  await end(lab, [
    [uas, caller],
    [uac, callee],
  ]);
});

test('the application goes away while both sides ring: the caller gets 503, the other side a CANCEL', async () => {
  await using lab = await createLab();
  const { app, callee, call, joined } = await joining(lab);
  const invite = await callee.next('INVITE');
  callee.reply(invite, 180);
  await call.response(180);
  await app.close();
  call.ackFailure(await call.response('503 INVITE'));
  callee.reply(await callee.next('CANCEL'), 200);
  callee.reply(invite, 487);
  await callee.next('ACK');
  void joined;
  await lab.nothingLeft();
});
