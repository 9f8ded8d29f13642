import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { heard, type AppMessage, type AppRequest } from '../support/drachtio-app.js';
import { createLab, type DrachtioLab, type LabApp } from '../support/drachtio-lab.js';
import { branchOf, readSip, sdp, tagIn, uriIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type CallParts, type PeerCall, type SipPeer } from '../support/sip-peer.js';

/** How a response of an application went out: the text that was sent, or why nothing was. */
function sent(send: (done: (error: unknown, message?: AppMessage) => void) => void): Promise<AppMessage | string> {
  return new Promise((resolve) => send((error, message) => resolve(message ?? String(error))));
}

/** A call that is up, the peer having called. */
async function connected(lab: DrachtioLab, { srf, next }: LabApp, peer: SipPeer, parts: CallParts = {}) {
  const call = peer.call('INVITE', { body: sdp('1'), ...parts });
  const { req, res } = await next('INVITE');
  const dialog = await srf.createUAS(req, res, { localSdp: sdp('2') });
  await call.response(200);
  const acknowledged = heard(dialog, 'ack');
  call.ack();
  await acknowledged;
  await lab.quiet();
  return { call, dialog };
}

/** Hangs up and expects that the server forgets everything. */
async function over(lab: DrachtioLab, call: PeerCall): Promise<void> {
  call.request('BYE');
  await call.response('200 BYE');
  await lab.nothingLeft();
}

test.each(TRANSPORTS)('an application answers a call and hears its ACK and BYE over %s', async (transport) => {
  await using lab = await createLab();
  const { srf, next } = await lab.app('invite');
  const peer = await lab.peer(transport);
  const call = peer.call('INVITE', { body: sdp('1') });
  expect((await call.response(100)).reason).toBe('Trying');
  const { req, res } = await next('INVITE');
  res.send(180);
  const ringing = await call.response(180);
  const dialog = await srf.createUAS(req, res, { localSdp: sdp('2') });
  const ok = await call.response(200);
  expect(tagIn(ok.value('To'))).toBe(tagIn(ringing.value('To')));
  expect(ok.body).toBe(sdp('2'));
  expect(dialog.sip).toEqual({ callId: call.callId, localTag: tagIn(ok.value('To')), remoteTag: call.localTag });
  expect(dialog.id).toBe(`${call.callId};from-tag=${call.localTag}`);
  const acknowledged = heard<[AppRequest]>(dialog, 'ack');
  call.ack();
  expect((await acknowledged)[0].method).toBe('ACK');
  const destroyed = heard<[AppRequest, string]>(dialog, 'destroy');
  call.request('BYE');
  expect((await destroyed)[1]).toBe('normal release');
  await call.response('200 BYE');
  await lab.nothingLeft();
});

test.each(TRANSPORTS)('a call that no application takes gets 100 and then 503 over %s', async (transport) => {
  await using lab = await createLab();
  const call = (await lab.peer(transport)).call('INVITE');
  expect(tagIn((await call.response(100)).value('To'))).toBe('');
  const refused = await call.response(503);
  expect(refused.reason).toBe('Service Unavailable');
  expect(tagIn(refused.value('To'))).not.toBe('');
  call.ackFailure(refused);
  await lab.nothingLeft();
});

test.each([302, 404, 486, 500, 603])('an application refuses a call with %i and never sees the ACK', async (status) => {
  await using lab = await createLab();
  const app = await lab.app('invite', 'ack');
  const call = (await lab.peer()).call('INVITE');
  const { res } = await app.next('INVITE');
  res.send(status, { headers: { Contact: '<sip:other@192.0.2.9>' } });
  const refused = await call.response(status);
  expect(refused.value('Contact')).toBe('<sip:other@192.0.2.9>');
  call.ackFailure(refused);
  await lab.nothingLeft();
  expect(app.untaken()).toEqual([]);
});

test('a caller behind a Route of ours cancels, and its ACK is taken', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const peer = await lab.peer();
  const lines = [`Route: <${lab.server.uri('udp')};lr>`];
  const cancelled = peer.call('INVITE', { body: sdp('1'), lines });
  const { req } = await app.next('INVITE');
  const told = heard(req, 'cancel');
  cancelled.cancel();
  await cancelled.response('200 CANCEL');
  await told;
  cancelled.ackFailure(await cancelled.response('487 INVITE'));
  const refused = peer.call('INVITE', { body: sdp('1'), lines });
  (await app.next('INVITE')).res.send(486);
  refused.ackFailure(await refused.response(486));
  await lab.nothingLeft();
  expect(peer.untaken().filter(({ status }) => status !== 100)).toEqual([]);
});

test('a refusal without a Contact of the application goes out without one', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('invite');
  const call = (await lab.peer()).call('INVITE');
  (await next('INVITE')).res.send(302);
  const refused = await call.response(302);
  expect(refused.values('Contact')).toEqual([]);
  call.ackFailure(refused);
  await lab.nothingLeft();
});

test('an INVITE that comes again is absorbed and gets the last response again', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const peer = await lab.peer();
  const call = peer.call('INVITE');
  await call.response(100);
  const { res } = await app.next('INVITE');
  peer.send(call.sent);
  await call.response(100);
  res.send(180);
  const ringing = await call.response(180);
  peer.send(call.sent);
  expect((await call.response(180)).raw).toBe(ringing.raw);
  expect(app.untaken()).toEqual([]);
  res.send(486);
  call.ackFailure(await call.response(486));
  await lab.nothingLeft();
});

test('a 200 is repeated after 500 ms, doubling to 4 s, until its ACK comes', async () => {
  await using lab = await createLab();
  const { srf, next } = await lab.app('invite');
  const peer = await lab.peer();
  const call = peer.call('INVITE');
  const { req, res } = await next('INVITE');
  await srf.createUAS(req, res, { localSdp: sdp() });
  const first = await call.response(200);
  for (const waitMs of [500, 1_000, 2_000, 4_000, 4_000]) {
    await lab.pass(waitMs - 1);
    expect(peer.untaken().map(({ status }) => status)).not.toContain(200);
    await lab.pass(1);
    expect((await call.response(200)).raw).toBe(first.raw);
  }
  call.ack();
  await lab.pass(10_000);
  expect(peer.untaken().map(({ status }) => status)).not.toContain(200);
  await over(lab, call);
});

test('a refusal is repeated over udp until its ACK comes, and not over tcp', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('invite');
  for (const transport of ['udp', 'tcp'] as const) {
    const peer = await lab.peer(transport);
    const call = peer.call('INVITE');
    (await next('INVITE')).res.send(486);
    const refused = await call.response(486);
    await lab.pass(500);
    if (transport === 'udp') expect((await call.response(486)).raw).toBe(refused.raw);
    call.ackFailure(refused);
    await lab.pass(10_000);
    expect(peer.untaken().map(({ status }) => status)).not.toContain(486);
  }
  await lab.nothingLeft();
});

test.each(TRANSPORTS)(
  'a call without an ACK is hung up after 32 s with the reason "ACK timeout" over %s',
  async (transport) => {
    await using lab = await createLab();
    const { srf, next } = await lab.app('invite');
    const peer = await lab.peer(transport);
    const call = peer.call('INVITE');
    const { req, res } = await next('INVITE');
    const dialog = await srf.createUAS(req, res, { localSdp: sdp() });
    await call.response(200);
    const destroyed = heard<[AppRequest, string]>(dialog, 'destroy');
    await lab.pass(32_000);
    expect((await destroyed)[1]).toBe('ACK timeout');
    const bye = await call.next('BYE');
    expect(bye.value('Reason')).toBe('SIP ;cause=200 ;text="ACK timeout"');
    expect(lab.server.inUse()).toMatchObject({ dialogs: 0, unacknowledged: 0 });
    peer.reply(bye, 200);
    await lab.nothingLeft();
  },
);

test('Contact is written on a 200 to an INVITE and not on 180', async () => {
  await using lab = await createLab();
  const { srf, next } = await lab.app('invite');
  for (const transport of TRANSPORTS) {
    const call = (await lab.peer(transport)).call('INVITE');
    const { req, res } = await next('INVITE');
    res.send(180);
    expect((await call.response(180)).values('Contact')).toEqual([]);
    const dialog = await srf.createUAS(req, res, { localSdp: sdp() });
    expect(uriIn((await call.response(200)).value('Contact'))).toBe(lab.server.uri(transport));
    expect(dialog.local.uri).toBe(lab.server.uri(transport));
    call.ack();
    call.request('BYE');
    await call.response('200 BYE');
  }
  await lab.nothingLeft();
});

test('a Contact of the application is kept, and is the Contact of its later requests', async () => {
  await using lab = await createLab();
  const { srf, next } = await lab.app('invite');
  const peer = await lab.peer();
  const call = peer.call('INVITE');
  const { req, res } = await next('INVITE');
  const dialog = await srf.createUAS(req, res, { localSdp: sdp(), headers: { Contact: '<sip:me@127.0.0.1:7>;x=1' } });
  expect((await call.response(200)).value('Contact')).toBe('<sip:me@127.0.0.1:7>;x=1');
  call.ack();
  await heard(dialog, 'ack');
  void dialog.request({ method: 'REFER', headers: { 'Refer-To': '<sip:a@b.example>' } });
  const refer = await call.next('REFER');
  expect(refer.value('Contact')).toBe('<sip:me@127.0.0.1:7>;x=1');
  peer.reply(refer, 202);
  await over(lab, call);
});

test('an application chooses the To tag with its first response', async () => {
  await using lab = await createLab();
  const { srf, next } = await lab.app('invite');
  const call = (await lab.peer()).call('INVITE');
  const { req, res } = await next('INVITE');
  res.send(183, { headers: { to: 'whatever;tag=chosen' } });
  expect(tagIn((await call.response(183)).value('To'))).toBe('chosen');
  const dialog = await srf.createUAS(req, res, { localSdp: sdp() });
  expect(tagIn((await call.response(200)).value('To'))).toBe('chosen');
  expect(dialog.sip.localTag).toBe('chosen');
  call.ack();
  await over(lab, call);
});

test('the reason phrase goes out as the application wrote it', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('invite');
  const call = (await lab.peer()).call('INVITE');
  (await next('INVITE')).res.send(486, 'Gone Fishing, "back" at 5');
  const refused = await call.response(486);
  expect(refused.reason).toBe('Gone Fishing, "back" at 5');
  call.ackFailure(refused);
  await lab.nothingLeft();
});

test('Record-Route comes back on 180 and 200 to an INVITE, and not on a refusal or a 200 to OPTIONS', async () => {
  await using lab = await createLab();
  const { srf, next } = await lab.app('invite', 'options');
  const peer = await lab.peer();
  const routes = [`<${peer.uri};lr>`, '<sip:192.0.2.1;lr>'];
  const lines = routes.map((route) => `Record-Route: ${route}`);
  const call = peer.call('INVITE', { lines });
  const { req, res } = await next('INVITE');
  res.send(180);
  expect((await call.response(180)).values('Record-Route')).toEqual(routes);
  await srf.createUAS(req, res, { localSdp: sdp() });
  expect((await call.response(200)).values('Record-Route')).toEqual(routes);
  const refused = peer.call('INVITE', { lines });
  (await next('INVITE')).res.send(404);
  const notFound = await refused.response(404);
  expect(notFound.values('Record-Route')).toEqual([]);
  refused.ackFailure(notFound);
  const asked = peer.call('OPTIONS', { lines });
  (await next('OPTIONS')).res.send(200);
  expect((await asked.response(200)).values('Record-Route')).toEqual([]);
  call.ack();
  await over(lab, call);
});

test('a session description gets its Content-Type, another body none that the application did not give', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('options');
  const peer = await lab.peer();
  const first = peer.call('OPTIONS');
  (await next('OPTIONS')).res.send(200, { body: sdp() });
  expect((await first.response(200)).value('Content-Type')).toBe('application/sdp');
  const second = peer.call('OPTIONS');
  (await next('OPTIONS')).res.send(200, { body: 'plain' });
  const answer = await second.response(200);
  expect([answer.values('Content-Type'), answer.body]).toEqual([[], 'plain']);
  await lab.nothingLeft();
});

test.each(TRANSPORTS)('CANCEL before any answer of the application ends the call over %s', async (transport) => {
  await using lab = await createLab();
  const { srf, next } = await lab.app('invite');
  const call = (await lab.peer(transport)).call('INVITE');
  await call.response(100);
  const { req, res } = await next('INVITE');
  const cancelled = heard<[AppMessage]>(req, 'cancel');
  call.cancel(['Reason: SIP;cause=200;text="Call completed elsewhere"']);
  expect((await cancelled)[0].get('Reason')).toBe('SIP;cause=200;text="Call completed elsewhere"');
  await call.response('200 CANCEL');
  const terminated = await call.response('487 INVITE');
  expect(terminated.reason).toBe('Request Terminated');
  call.ackFailure(terminated);
  await expect(srf.createUAS(req, res, { localSdp: sdp() })).rejects.toBe(
    'Response not sent due to unknown transaction',
  );
  await lab.nothingLeft();
});

test.each(TRANSPORTS)(
  'CANCEL while it rings ends the call over %s, and a late answer is told why it did not go out',
  async (transport) => {
    await using lab = await createLab();
    const { next } = await lab.app('invite');
    const call = (await lab.peer(transport)).call('INVITE');
    const { req, res } = await next('INVITE');
    res.send(180);
    const ringing = await call.response(180);
    const cancelled = heard(req, 'cancel');
    call.cancel();
    await cancelled;
    const ok = await call.response('200 CANCEL');
    const terminated = await call.response('487 INVITE');
    const tag = tagIn(ringing.value('To'));
    expect([tagIn(ok.value('To')), tagIn(terminated.value('To'))]).toEqual([tag, tag]);
    call.ackFailure(terminated);
    expect(await sent((done) => res.send(487, {}, done))).toBe('Response not sent due to unknown transaction');
    await lab.nothingLeft();
  },
);

test('a CANCEL that comes again gets its 200 again, and the application hears it once', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('invite');
  const peer = await lab.peer();
  const call = peer.call('INVITE');
  const { req } = await next('INVITE');
  let count = 0;
  req.on('cancel', () => (count += 1));
  const text = call.cancel();
  await call.response('200 CANCEL');
  peer.send(text);
  await call.response('200 CANCEL');
  call.ackFailure(await call.response(487));
  await lab.nothingLeft();
  expect(count).toBe(1);
});

test('a CANCEL that comes after the 200 is answered and changes nothing', async () => {
  await using lab = await createLab();
  const { srf, next } = await lab.app('invite');
  const call = (await lab.peer()).call('INVITE');
  const { req, res } = await next('INVITE');
  const dialog = await srf.createUAS(req, res, { localSdp: sdp() });
  await call.response(200);
  call.cancel();
  await call.response('200 CANCEL');
  call.ack();
  await heard(dialog, 'ack');
  expect(dialog.connected).toBe(true);
  await over(lab, call);
});

test('a CANCEL that comes after a refusal is answered, and the application is not told', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('invite');
  const call = (await lab.peer()).call('INVITE');
  const { req, res } = await next('INVITE');
  let count = 0;
  req.on('cancel', () => (count += 1));
  res.send(486);
  const refused = await call.response(486);
  call.cancel();
  await call.response('200 CANCEL');
  call.ackFailure(refused);
  await lab.nothingLeft();
  expect(count).toBe(0);
});

test('an application that leaves a call alone for 64 s loses it, and the caller is told 408', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('invite');
  const call = (await lab.peer()).call('INVITE');
  const { res } = await next('INVITE');
  await lab.pass(64_000);
  const late = await call.response(408);
  call.ackFailure(late);
  expect(await sent((done) => res.send(200, {}, done))).toBe('Response not sent due to unknown transaction');
  await lab.nothingLeft();
});

test('an application that leaves another request alone for 64 s loses it without a word to anybody', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('message');
  const peer = await lab.peer();
  peer.call('MESSAGE');
  const { res } = await next('MESSAGE');
  await lab.pass(64_000);
  expect(peer.untaken()).toEqual([]);
  expect(await sent((done) => res.send(200, {}, done))).toBe('Response not sent due to unknown transaction');
  await lab.nothingLeft();
});

test('what rings may ring for as long as it likes', async () => {
  await using lab = await createLab();
  const { srf, next } = await lab.app('invite');
  const call = (await lab.peer()).call('INVITE');
  const { req, res } = await next('INVITE');
  res.send(180);
  await call.response(180);
  await lab.pass(170_000);
  await srf.createUAS(req, res, { localSdp: sdp() });
  await call.response(200);
  call.ack();
  await over(lab, call);
});

test('the caller may give up while it rings with a BYE in place of a CANCEL', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('invite', 'bye');
  const call = (await lab.peer()).call('INVITE');
  const { res } = await next('INVITE');
  res.send(180);
  await call.response(180);
  call.request('BYE');
  (await next('BYE')).res.send(200);
  await call.response('200 BYE');
  call.ackFailure(await call.response('487 INVITE'));
  expect(await sent((done) => res.send(200, {}, done))).toBe('Response not sent due to unknown transaction');
  await lab.nothingLeft();
});

test('a call without an offer gets one, and the answer comes with the ACK', async () => {
  await using lab = await createLab();
  const { srf, next } = await lab.app('invite');
  const call = (await lab.peer()).call('INVITE');
  const { req, res } = await next('INVITE');
  expect(req.body).toBe('');
  const dialog = await srf.createUAS(req, res, { localSdp: sdp('2') });
  expect((await call.response(200)).body).toBe(sdp('2'));
  const acknowledged = heard<[AppRequest]>(dialog, 'ack');
  call.ack({ body: sdp('1') });
  expect((await acknowledged)[0].body).toBe(sdp('1'));
  expect(dialog.remote.sdp).toBe(sdp('1'));
  await over(lab, call);
});

test.each(TRANSPORTS)('a request says where it came from and where it arrived, over %s', async (transport) => {
  await using lab = await createLab();
  const { next } = await lab.app('invite');
  const peer = await lab.peer(transport);
  const call = peer.call('INVITE');
  const { req, res } = await next('INVITE');
  const via = (await call.response(100)).value('Via');
  const port = transport === 'ws' ? peer.port : Number(/;rport=(\d+)/.exec(via)?.[1]);
  const at = lab.server.listening.find((one) => one.transport === transport);
  expect(req.receivedOn).toBe(`${at?.host}:${at?.port}`);
  expect([req.source, req.source_address, req.source_port]).toEqual(['network', '127.0.0.1', port]);
  expect(req.protocol).toBe(transport === 'udp' ? 'udp' : 'tcp');
  expect(req.stackTime).toMatch(/^\d\d:\d\d:\d\d\.\d{6}$/);
  expect(req.isNewInvite).toBe(true);
  expect([req.callingNumber, req.calledNumber]).toEqual(['peer', 'app']);
  if (transport === 'udp') expect(port).toBe(peer.port);
  res.send(404);
  call.ackFailure(await call.response(404));
  await lab.nothingLeft();
});

test.each(TRANSPORTS)('applications answer requests outside dialogs over %s', async (transport) => {
  await using lab = await createLab();
  const methods = ['OPTIONS', 'MESSAGE', 'REGISTER', 'PUBLISH', 'INFO', 'NOTIFY', 'REFER'];
  const { next } = await lab.app(...methods.map((method) => method.toLowerCase()));
  const peer = await lab.peer(transport);
  for (const method of methods) {
    const call = peer.call(method, { lines: ['Event: presence', 'Refer-To: <sip:a@b.example>'] });
    (await next(method)).res.send(200, { headers: { 'X-Method': method } });
    const answer = await call.response(`200 ${method}`);
    expect([answer.value('X-Method'), answer.values('Contact')]).toEqual([method, []]);
    expect(branchOf(answer)).toBe(branchOf(readSip(call.sent)));
    expect(tagIn(answer.value('To'))).not.toBe('');
  }
  await lab.nothingLeft();
});

test('a request that is no INVITE gets its answer again when it comes again', async () => {
  await using lab = await createLab();
  const app = await lab.app('options');
  const peer = await lab.peer();
  const call = peer.call('OPTIONS');
  const { res } = await app.next('OPTIONS');
  peer.send(call.sent);
  await lab.quiet();
  res.send(200);
  const answer = await call.response(200);
  peer.send(call.sent);
  expect((await call.response(200)).raw).toBe(answer.raw);
  expect(app.untaken()).toEqual([]);
  await lab.nothingLeft();
});

test.each(TRANSPORTS)('an application hangs up over %s', async (transport) => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const peer = await lab.peer(transport);
  const { call, dialog } = await connected(lab, app, peer);
  const destroyed = dialog.destroy({ headers: { Reason: 'Q.850;cause=16', 'X-Why': 'tired' } });
  const bye = await call.next('BYE');
  expect([bye.value('Reason'), bye.value('X-Why')]).toEqual(['Q.850;cause=16', 'tired']);
  expect(bye.uri).toBe(uriIn(peer.contact));
  expect([tagIn(bye.value('From')), tagIn(bye.value('To'))]).toEqual([dialog.sip.localTag, call.localTag]);
  expect(bye.values('Contact')).toEqual([]);
  peer.reply(bye, 200);
  await destroyed;
  expect(app.srf.findDialogById(dialog.id)).toBeUndefined();
  await lab.nothingLeft();
});

test('an application refuses with 607 and 608 once it has taught drachtio-srf their names', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('invite');
  const peer = await lab.peer();
  const names = createRequire(createRequire(import.meta.url).resolve('drachtio-srf'))('sip-status') as Record<
    number,
    string
  >;
  for (const [status, name] of [
    [607, 'Unwanted'],
    [608, 'Rejected'],
  ] as const) {
    const call = peer.call('INVITE');
    const { res } = await next('INVITE');
    expect(() => res.send(status)).toThrow('must be a valid sip response code');
    names[status] = name;
    res.send(status);
    const refused = await call.response(status);
    expect(refused.reason).toBe(name);
    call.ackFailure(refused);
    delete names[status];
  }
  await lab.nothingLeft();
});

test('an application sends several provisional responses, each as it wrote it', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('invite');
  const call = (await lab.peer()).call('INVITE');
  const { res } = await next('INVITE');
  res.send(180, { headers: { 'X-Count': '1' } });
  res.send(183, { body: sdp('7') });
  res.send(181, 'Forwarded Elsewhere');
  expect((await call.response(180)).value('X-Count')).toBe('1');
  expect((await call.response(183)).body).toBe(sdp('7'));
  expect((await call.response(181)).reason).toBe('Forwarded Elsewhere');
  res.send(480);
  call.ackFailure(await call.response(480));
  await lab.nothingLeft();
});

test('a 100 of the application is not sent a second time', async () => {
  await using lab = await createLab();
  const { next } = await lab.app('invite');
  const peer = await lab.peer();
  const call = peer.call('INVITE');
  const { res } = await next('INVITE');
  await call.response(100);
  expect(await sent((done) => res.send(100, {}, done))).toMatchObject({ status: 100 });
  await lab.quiet();
  expect(peer.untaken()).toEqual([]);
  res.send(480);
  call.ackFailure(await call.response(480));
  await lab.nothingLeft();
});
