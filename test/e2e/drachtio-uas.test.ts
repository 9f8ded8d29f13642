import { expect, test } from 'vitest';
import { heard, type AppMessage, type AppRequest } from '../support/drachtio-app.js';
import { incoming, peerCalls, peerHangsUp, sent } from '../support/drachtio-calls.js';
import { app, createLab, lab, peer, useLab } from '../support/drachtio-lab.js';
import { branchOf, readSip, sdp, tagIn, uriIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS } from '../support/sip-peer.js';

useLab({
  methods: ['invite', 'ack', 'bye', 'options', 'message', 'register', 'publish', 'info', 'notify', 'refer'],
});

const GONE = 'Response not sent due to unknown transaction';

test.each(TRANSPORTS)('an application answers a call and gets its ACK and BYE over %s', async (transport) => {
  const phone = await lab.peer(transport);
  const call = phone.call('INVITE', { body: sdp('1') });
  expect((await call.response(100)).reason).toBe('Trying');
  const { req, res } = await app.next('INVITE');
  res.send(180);
  const ringing = await call.response(180);
  const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
  const ok = await call.response(200);
  expect(tagIn(ok.value('To'))).toBe(tagIn(ringing.value('To')));
  expect(ok.body).toBe(sdp('2'));
  expect([ringing.values('Contact'), uriIn(ok.value('Contact'))]).toEqual([[], lab.server.uri(transport)]);
  expect(dialog.local.uri).toBe(lab.server.uri(transport));
  expect(dialog.sip).toEqual({ callId: call.callId, localTag: tagIn(ok.value('To')), remoteTag: call.localTag });
  expect(dialog.id).toBe(`${call.callId};from-tag=${call.localTag}`);
  const acknowledged = heard<[AppRequest]>(dialog, 'ack');
  call.ack();
  expect((await acknowledged)[0].method).toBe('ACK');
  const destroyed = heard<[AppRequest, string]>(dialog, 'destroy');
  call.request('BYE');
  expect((await destroyed)[1]).toBe('normal release');
  await call.response('200 BYE');
});

test.each(TRANSPORTS)('a call without an application gets 100 and then 503 over %s', async (transport) => {
  await using empty = await createLab();
  const call = (await empty.peer(transport)).call('INVITE');
  expect(tagIn((await call.response(100)).value('To'))).toBe('');
  const refused = await call.response(503);
  expect(refused.reason).toBe('Service Unavailable');
  expect(tagIn(refused.value('To'))).not.toBe('');
  call.ackFailure(refused);
  await empty.nothingLeft();
});

test.each([302, 404, 486, 500, 603])('an application refuses a call with %i and never sees the ACK', async (status) => {
  const { call, res } = await incoming();
  res.send(status, 'Gone Fishing, "back" at 5', { headers: { Contact: '<sip:other@192.0.2.9>' } });
  const refused = await call.response(status);
  expect([refused.reason, refused.values('Contact')]).toEqual([
    ...['Gone Fishing, "back" at 5', ['<sip:other@192.0.2.9>']],
  ]);
  call.ackFailure(refused);
  await lab.nothingMore(app);
});

test('CANCEL and ACK with a Route that names us reach the call', async () => {
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

test('a 200 is repeated after 500 ms, doubling to 4 s, until its ACK comes', async () => {
  const { call, req, res } = await incoming();
  await app.srf.createUAS(req, res, { localSdp: sdp() });
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
  await peerHangsUp({ call });
});

test.each(TRANSPORTS)(
  'a call without an ACK is hung up after 32 s with the reason "ACK timeout" over %s',
  async (transport) => {
    const phone = await lab.peer(transport);
    const { call, req, res } = await incoming({}, phone);
    const dialog = await app.srf.createUAS(req, res, { localSdp: sdp() });
    await call.response(200);
    const destroyed = heard<[AppRequest, string]>(dialog, 'destroy');
    await lab.pass(32_000);
    expect((await destroyed)[1]).toBe('ACK timeout');
    const bye = await call.next('BYE');
    expect(bye.value('Reason')).toBe('SIP ;cause=200 ;text="ACK timeout"');
    expect(lab.server.inUse()).toMatchObject({ dialogs: 0, unacknowledged: 0 });
    phone.reply(bye, 200);
  },
);

test('a Contact of the application is kept, and is the Contact of its later requests', async () => {
  const { call, req, res } = await incoming();
  const dialog = await app.srf.createUAS(req, res, {
    localSdp: sdp(),
    headers: { Contact: '<sip:me@127.0.0.1:7>;x=1' },
  });
  expect((await call.response(200)).value('Contact')).toBe('<sip:me@127.0.0.1:7>;x=1');
  call.ack();
  await heard(dialog, 'ack');
  void dialog.request({ method: 'REFER', headers: { 'Refer-To': '<sip:a@b.example>' } });
  const refer = await call.next('REFER');
  expect(refer.value('Contact')).toBe('<sip:me@127.0.0.1:7>;x=1');
  peer.reply(refer, 202);
  await peerHangsUp({ call });
});

test('an application chooses the To tag with its first response', async () => {
  const { call, req, res } = await incoming();
  res.send(183, { headers: { to: 'whatever;tag=chosen' } });
  expect(tagIn((await call.response(183)).value('To'))).toBe('chosen');
  const dialog = await app.srf.createUAS(req, res, { localSdp: sdp() });
  expect(tagIn((await call.response(200)).value('To'))).toBe('chosen');
  expect(dialog.sip.localTag).toBe('chosen');
  call.ack();
  await peerHangsUp({ call });
});

test('Record-Route comes back on 180 and 200 to an INVITE, and not on a refusal or a 200 to OPTIONS', async () => {
  const routes = [`<${peer.uri};lr>`, '<sip:192.0.2.1;lr>'];
  const lines = routes.map((route) => `Record-Route: ${route}`);
  const call = peer.call('INVITE', { lines });
  const { req, res } = await app.next('INVITE');
  res.send(180);
  expect((await call.response(180)).values('Record-Route')).toEqual(routes);
  await app.srf.createUAS(req, res, { localSdp: sdp() });
  expect((await call.response(200)).values('Record-Route')).toEqual(routes);
  const refused = peer.call('INVITE', { lines });
  (await app.next('INVITE')).res.send(404);
  const notFound = await refused.response(404);
  expect(notFound.values('Record-Route')).toEqual([]);
  refused.ackFailure(notFound);
  const asked = peer.call('OPTIONS', { lines });
  (await app.next('OPTIONS')).res.send(200);
  expect((await asked.response(200)).values('Record-Route')).toEqual([]);
  call.ack();
  await peerHangsUp({ call });
});

test.each(TRANSPORTS.flatMap((transport) => [false, true].map((isRinging) => [transport, isRinging] as const)))(
  'CANCEL ends a call over %s, ringing: %s, and a late answer is not sent',
  async (transport, isRinging) => {
    const { call, req, res } = await incoming({}, await lab.peer(transport));
    if (isRinging) res.send(180);
    const tag = isRinging ? tagIn((await call.response(180)).value('To')) : undefined;
    const cancelled = heard<[AppMessage]>(req, 'cancel');
    call.cancel(['Reason: SIP;cause=200;text="Call completed elsewhere"']);
    expect((await cancelled)[0].get('Reason')).toBe('SIP;cause=200;text="Call completed elsewhere"');
    const ok = await call.response('200 CANCEL');
    const terminated = await call.response('487 INVITE');
    expect(terminated.reason).toBe('Request Terminated');
    if (isRinging) expect([tagIn(ok.value('To')), tagIn(terminated.value('To'))]).toEqual([tag, tag]);
    call.ackFailure(terminated);
    if (isRinging) expect(await sent((done) => res.send(487, {}, done))).toBe(GONE);
    else await expect(app.srf.createUAS(req, res, { localSdp: sdp() })).rejects.toBe(GONE);
  },
);

test('a CANCEL that comes after the 200 is answered and changes nothing', async () => {
  const { call, req, res } = await incoming();
  const dialog = await app.srf.createUAS(req, res, { localSdp: sdp() });
  await call.response(200);
  call.cancel();
  await call.response('200 CANCEL');
  call.ack();
  await heard(dialog, 'ack');
  expect(dialog.connected).toBe(true);
  await peerHangsUp({ call });
});

test('a CANCEL after a refusal is answered, but not delivered', async () => {
  const { call, req, res } = await incoming();
  let count = 0;
  req.on('cancel', () => (count += 1));
  res.send(486);
  const refused = await call.response(486);
  call.cancel();
  await call.response('200 CANCEL');
  call.ackFailure(refused);
  await lab.quiet();
  expect(count).toBe(0);
});

test('after 64 s without an answer a call gets 408, and another request nothing', async () => {
  const { call, res } = await incoming();
  const message = peer.call('MESSAGE');
  const other = await app.next('MESSAGE');
  await lab.pass(64_000);
  call.ackFailure(await call.response(408));
  for (const late of [res, other.res]) expect(await sent((done) => late.send(200, {}, done))).toBe(GONE);
  expect(peer.untaken().filter((came) => came.value('Call-ID') === message.callId)).toEqual([]);
});

test('a call may ring without a limit', async () => {
  const { call, req, res } = await incoming();
  res.send(180);
  await call.response(180);
  await lab.pass(170_000);
  await app.srf.createUAS(req, res, { localSdp: sdp() });
  await call.answered();
  await peerHangsUp({ call });
});

test('a call without an offer gets one, and the answer comes with the ACK', async () => {
  const { call, req, res } = await incoming();
  expect(req.body).toBe('');
  const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
  expect((await call.response(200)).body).toBe(sdp('2'));
  const acknowledged = heard<[AppRequest]>(dialog, 'ack');
  call.ack({ body: sdp('1') });
  expect((await acknowledged)[0].body).toBe(sdp('1'));
  expect(dialog.remote.sdp).toBe(sdp('1'));
  await peerHangsUp({ call });
});

test.each(TRANSPORTS)(
  'a request has its source address and the address that received it, over %s',
  async (transport) => {
    const phone = await lab.peer(transport);
    const { call, req, res } = await incoming({}, phone);
    const via = (await call.response(100)).value('Via');
    const port = transport === 'ws' ? phone.port : Number(/;rport=(\d+)/.exec(via)?.[1]);
    const at = lab.server.listening.find((one) => one.transport === transport);
    expect(req.receivedOn).toBe(`${at?.host}:${at?.port}`);
    expect([req.source, req.source_address, req.source_port]).toEqual(['network', '127.0.0.1', port]);
    expect(req.protocol).toBe(transport === 'udp' ? 'udp' : 'tcp');
    expect(req.stackTime).toMatch(/^\d\d:\d\d:\d\d\.\d{6}$/);
    expect(req.isNewInvite).toBe(true);
    expect([req.callingNumber, req.calledNumber]).toEqual(['peer', 'app']);
    if (transport === 'udp') expect(port).toBe(phone.port);
    res.send(404);
    call.ackFailure(await call.response(404));
  },
);

test.each(TRANSPORTS)('applications answer requests outside dialogs over %s', async (transport) => {
  const methods = ['OPTIONS', 'MESSAGE', 'REGISTER', 'PUBLISH', 'INFO', 'NOTIFY', 'REFER'];
  const phone = await lab.peer(transport);
  for (const method of methods) {
    const call = phone.call(method, { lines: ['Event: presence', 'Refer-To: <sip:a@b.example>'] });
    (await app.next(method)).res.send(200, { headers: { 'X-Method': method } });
    const answer = await call.response(`200 ${method}`);
    expect([answer.value('X-Method'), answer.values('Contact')]).toEqual([method, []]);
    expect(branchOf(answer)).toBe(branchOf(readSip(call.sent)));
    expect(tagIn(answer.value('To'))).not.toBe('');
  }
});

test.each(TRANSPORTS)('an application hangs up over %s', async (transport) => {
  const phone = await lab.peer(transport);
  const { call, dialog } = await peerCalls(app, phone);
  const destroyed = dialog.destroy({ headers: { Reason: 'Q.850;cause=16', 'X-Why': 'tired' } });
  const bye = await call.next('BYE');
  expect([bye.value('Reason'), bye.value('X-Why')]).toEqual(['Q.850;cause=16', 'tired']);
  expect(bye.uri).toBe(uriIn(phone.contact));
  expect([tagIn(bye.value('From')), tagIn(bye.value('To'))]).toEqual([dialog.sip.localTag, call.localTag]);
  expect(bye.values('Contact')).toEqual([]);
  phone.reply(bye, 200);
  await destroyed;
  expect(app.srf.findDialogById(dialog.id)).toBeUndefined();
});

test('an application sends several provisional responses as it wrote them, but no second 100', async () => {
  const { call, res } = await incoming();
  await call.response(100);
  expect(await sent((done) => res.send(100, {}, done))).toMatchObject({ status: 100 });
  res.send(180, { headers: { 'X-Count': '1' } });
  res.send(183, { body: sdp('7') });
  res.send(181, 'Forwarded Elsewhere');
  expect((await call.response(180)).value('X-Count')).toBe('1');
  expect((await call.response(183)).body).toBe(sdp('7'));
  expect((await call.response(181)).reason).toBe('Forwarded Elsewhere');
  expect(peer.untaken()).toEqual([]);
  res.send(480);
  call.ackFailure(await call.response(480));
});
