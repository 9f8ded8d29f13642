import { expect, test } from 'vitest';
import { heard, type AppDialog, type AppRequest, type AppResponse } from '../support/drachtio-app.js';
import { appCalls, appHangsUp, later, peerCalls, peerHangsUp, type Call } from '../support/drachtio-calls.js';
import { createLab, type DrachtioLab, type LabApp } from '../support/drachtio-lab.js';
import { branchOf, readSip, sdp, tagIn, uriIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type SipPeer } from '../support/sip-peer.js';

const EVENT = ['Event: presence', 'Expires: 600'];
const ACTIVE = 'Subscription-State: active;expires=600';
const TERMINATED = 'Subscription-State: terminated;reason=timeout';

/** The peer subscribes at an application. */
async function peerSubscribes(app: LabApp, peer: SipPeer): Promise<Call> {
  const call = peer.call('SUBSCRIBE', { lines: EVENT });
  const { req, res } = await app.next('SUBSCRIBE');
  const dialog = await app.srf.createUAS(req, res, { headers: { Expires: '600' } });
  await call.response('202 SUBSCRIBE');
  return { call, dialog, peer };
}

/** An application subscribes at the peer. */
async function appSubscribes(lab: DrachtioLab, app: LabApp, peer: SipPeer): Promise<Call> {
  const answered = app.srf.createUAC(peer.uri, {
    method: 'SUBSCRIBE',
    headers: { ...SELF, Event: 'presence', Expires: '600' },
  });
  const subscribe = await peer.next('SUBSCRIBE');
  peer.reply(subscribe, 202, { lines: ['Expires: 600'] });
  await lab.pass(10);
  return { dialog: await answered, peer, call: peer.dialog(subscribe), invite: subscribe };
}

/** Who subscribes to himself: drachtio-srf knows a subscription by the user and host in To, in both directions. */
const SELF = { From: '<sip:peer@127.0.0.1>' };

/** A NOTIFY of an application. */
function notify(dialog: AppDialog, state: string): Promise<AppResponse> {
  const headers = { Event: 'presence', 'Subscription-State': state, 'Content-Type': 'text/plain' };
  return dialog.request({ method: 'NOTIFY', headers, body: 'here' });
}

test.each(TRANSPORTS)('a peer subscribes, is notified and told that it is over, over %s', async (transport) => {
  await using lab = await createLab();
  const app = await lab.app('subscribe');
  const peer = await lab.peer(transport);
  const call = peer.call('SUBSCRIBE', { lines: EVENT });
  const { req, res } = await app.next('SUBSCRIBE');
  expect([req.get('Event'), req.get('Expires')]).toEqual(['presence', '600']);
  const dialog = await app.srf.createUAS(req, res, { headers: { Expires: '600' } });
  const accepted = await call.response('202 SUBSCRIBE');
  expect([uriIn(accepted.value('Contact')), accepted.value('Expires')]).toEqual([lab.server.uri(transport), '600']);
  expect(dialog.id).toBe(`${call.callId};from-tag=${call.localTag}`);
  const answered = notify(dialog, 'active;expires=600');
  const first = await call.next('NOTIFY');
  expect([first.uri, first.body]).toEqual([uriIn(peer.contact), 'here']);
  expect([tagIn(first.value('From')), tagIn(first.value('To'))]).toEqual([dialog.sip.localTag, call.localTag]);
  peer.reply(first, 200);
  expect((await answered).status).toBe(200);
  expect(lab.server.inUse().dialogs).toBe(1);
  const last = notify(dialog, 'terminated;reason=noresource');
  peer.reply(await call.next('NOTIFY'), 200);
  await last;
  expect(lab.server.inUse().dialogs).toBe(0);
  await lab.nothingLeft();
});

test('a peer subscribes again in its subscription, and the application hears of it', async () => {
  await using lab = await createLab();
  const app = await lab.app('subscribe');
  const { call, dialog, peer } = await peerSubscribes(app, await lab.peer());
  const told = heard<[AppRequest, AppResponse]>(dialog, 'subscribe');
  call.request('SUBSCRIBE', { lines: EVENT });
  const [, res] = await told;
  res.send(200, { headers: { Expires: '300' } });
  const refreshed = await call.response('200 SUBSCRIBE');
  expect([uriIn(refreshed.value('Contact')), refreshed.value('Expires')]).toEqual([lab.server.uri('udp'), '300']);
  const last = notify(dialog, 'terminated');
  peer.reply(await call.next('NOTIFY'), 200);
  await last;
  await lab.nothingLeft();
});

test('a peer ends its subscription, and the application says so with its last NOTIFY', async () => {
  await using lab = await createLab();
  const app = await lab.app('subscribe');
  const { call, dialog, peer } = await peerSubscribes(app, await lab.peer());
  const told = heard(dialog, 'unsubscribe');
  call.request('SUBSCRIBE', { lines: ['Event: presence', 'Expires: 0'] });
  await call.response('202 SUBSCRIBE');
  await told;
  void dialog.destroy();
  const last = await call.next('NOTIFY');
  expect([last.value('Subscription-State'), last.value('Event')]).toEqual(['terminated', 'presence']);
  peer.reply(last, 200);
  await lab.nothingLeft();
});

test.each([481, 500])('a last NOTIFY ends the subscription even where it is answered %i', async (status) => {
  await using lab = await createLab();
  const app = await lab.app('subscribe');
  const { call, dialog, peer } = await peerSubscribes(app, await lab.peer());
  const last = notify(dialog, 'terminated');
  peer.reply(await call.next('NOTIFY'), status);
  expect((await last).status).toBe(status);
  await lab.nothingLeft();
});

test('a last NOTIFY that nobody answers ends the subscription after 32 s', async () => {
  await using lab = await createLab();
  const app = await lab.app('subscribe');
  const { call, dialog } = await peerSubscribes(app, await lab.peer());
  const last = notify(dialog, 'terminated');
  await call.next('NOTIFY');
  await lab.pass(32_000);
  expect((await last).status).toBe(408);
  await lab.nothingLeft();
});

test('a subscription that is refused leaves nothing', async () => {
  await using lab = await createLab();
  const app = await lab.app('subscribe');
  const call = (await lab.peer()).call('SUBSCRIBE', { lines: ['Event: unknown'] });
  (await app.next('SUBSCRIBE')).res.send(489);
  expect((await call.response(489)).values('Contact')).toEqual([]);
  await lab.nothingLeft();
});

test.each(TRANSPORTS)('an application subscribes, is notified and told that it is over, over %s', async (transport) => {
  await using lab = await createLab();
  const app = await lab.app('notify');
  const { call, dialog, peer, invite } = await appSubscribes(lab, app, await lab.peer(transport));
  expect(invite?.value('Contact')).toBe(`<${lab.server.uri(transport)}>`);
  expect(dialog.id).toBe(`${dialog.sip.callId};from-tag=${dialog.sip.localTag}`);
  const told = heard<[AppRequest, AppResponse]>(dialog, 'notify');
  call.request('NOTIFY', { lines: ['Event: presence', ACTIVE, 'Content-Type: text/plain'], body: 'there' });
  const [req, res] = await told;
  expect(req.body).toBe('there');
  res.send(200);
  await call.response('200 NOTIFY');
  const refreshed = dialog.request({ method: 'SUBSCRIBE', headers: { Event: 'presence', Expires: '600' } });
  const again = await call.next('SUBSCRIBE');
  expect([again.value('Contact'), tagIn(again.value('To'))]).toEqual([`<${lab.server.uri(transport)}>`, 'peer']);
  peer.reply(again, 200);
  expect((await refreshed).status).toBe(200);
  const destroyed = heard(dialog, 'destroy');
  dialog.removeAllListeners('notify');
  call.request('NOTIFY', { lines: ['Event: presence', TERMINATED] });
  await call.response('200 NOTIFY');
  await destroyed;
  expect(lab.server.inUse().dialogs).toBe(0);
  call.request('NOTIFY', { lines: ['Event: presence', TERMINATED] });
  // Nobody knows it any more, and it is a request like any other.
  expect((await app.next('NOTIFY')).req.stackDialogId).toBe('');
  await lab.pass(64_000);
  await lab.nothingLeft();
});

test.each([200, 202])('a subscription that is accepted with %i is one', async (status) => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const peer = await lab.peer();
  const answered = srf.createUAC(peer.uri, { method: 'SUBSCRIBE', headers: { ...SELF, Event: 'presence' } });
  const subscribe = await peer.next('SUBSCRIBE');
  peer.reply(subscribe, status);
  await lab.pass(10);
  const dialog = await answered;
  const destroyed = heard(dialog, 'destroy');
  const call = peer.dialog(subscribe);
  call.request('NOTIFY', { lines: ['Event: presence', TERMINATED] });
  await call.response('200 NOTIFY');
  await destroyed;
  await lab.nothingLeft();
});

test('a NOTIFY that overtakes the answer to its SUBSCRIBE comes as a new request, or gets 503', async () => {
  await using lab = await createLab();
  const app = await lab.app('notify');
  const peer = await lab.peer();
  const answered = app.srf.createUAC(peer.uri, { method: 'SUBSCRIBE', headers: { ...SELF, Event: 'presence' } });
  const subscribe = await peer.next('SUBSCRIBE');
  const call = peer.dialog(subscribe);
  call.request('NOTIFY', { lines: ['Event: presence', ACTIVE] });
  (await app.next('NOTIFY')).res.send(200);
  await call.response('200 NOTIFY');
  app.srf.unregisterForMessages('notify');
  await lab.quiet();
  call.request('NOTIFY', { lines: ['Event: presence', ACTIVE] });
  await call.response('503 NOTIFY');
  peer.reply(subscribe, 202);
  await lab.pass(10);
  const dialog = await answered;
  const destroyed = heard(dialog, 'destroy');
  call.request('NOTIFY', { lines: ['Event: presence', TERMINATED] });
  await call.response('200 NOTIFY');
  await destroyed;
  await lab.nothingLeft();
});

test('a NOTIFY right behind the answer to its SUBSCRIBE reaches the application behind it', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const peer = await lab.peer();
  const answered = srf.createUAC(peer.uri, { method: 'SUBSCRIBE', headers: { ...SELF, Event: 'presence' } });
  const subscribe = await peer.next('SUBSCRIBE');
  peer.reply(subscribe, 202);
  const call = peer.dialog(subscribe);
  call.request('NOTIFY', { lines: ['Event: presence', ACTIVE] });
  await lab.pass(10);
  const dialog = await answered;
  await call.response('200 NOTIFY');
  const destroyed = heard(dialog, 'destroy');
  call.request('NOTIFY', { lines: ['Event: presence', TERMINATED] });
  await destroyed;
  await lab.nothingLeft();
});

test('a subscription of an application that is refused leaves nothing', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const peer = await lab.peer();
  const answered = later(srf.createUAC(peer.uri, { method: 'SUBSCRIBE', headers: { Event: 'presence' } }));
  peer.reply(await peer.next('SUBSCRIBE'), 489);
  await lab.pass(10);
  await expect(answered).rejects.toMatchObject({ status: 489 });
  await lab.nothingLeft();
});

test('a SUBSCRIBE cannot be cancelled', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const peer = await lab.peer();
  const request = await srf.request(peer.uri, { method: 'SUBSCRIBE', headers: { Event: 'presence' } });
  const error = await new Promise((resolve) => request.cancel({}, resolve));
  expect(error).toMatchObject({ message: `unable to cancel unknown transaction id: ${request.stackTxnId}` });
  peer.reply(await peer.next('SUBSCRIBE'), 489);
  await lab.nothingLeft();
});

test.each([
  ['the called', peerCalls],
  ['the calling', appCalls],
] as const)('%s side is referred within its call, and its NOTIFYs end nothing', async (_who, connect) => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const up = await connect(app, await lab.peer());
  const told = heard<[AppRequest, AppResponse]>(up.dialog, 'refer');
  up.call.request('REFER', { lines: ['Refer-To: <sip:c@example.com>'] });
  const [req, res] = await told;
  expect(req.get('Refer-To')).toBe('<sip:c@example.com>');
  res.send(202);
  // Only requests and answers that make a subscription carry a Contact.
  expect((await up.call.response('202 REFER')).values('Contact')).toEqual([]);
  const headers = { Event: 'refer', 'Subscription-State': 'terminated', 'Content-Type': 'message/sipfrag' };
  const notified = up.dialog.request({ method: 'NOTIFY', headers, body: 'SIP/2.0 200 OK' });
  const notification = await up.call.next('NOTIFY');
  expect(notification.body).toBe('SIP/2.0 200 OK');
  up.peer.reply(notification, 200);
  expect((await notified).status).toBe(200);
  expect(lab.server.inUse().dialogs).toBe(1);
  await peerHangsUp(lab, up);
});

test('an application refers its peer within a call and hears how it went', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const up = await peerCalls(app, await lab.peer());
  const referred = up.dialog.request({ method: 'REFER', headers: { 'Refer-To': '<sip:c@example.com>' } });
  const refer = await up.call.next('REFER');
  expect(refer.value('Contact')).toBe(`<${lab.server.uri('udp')}>`);
  up.peer.reply(refer, 202);
  expect((await referred).status).toBe(202);
  const told = heard<[AppRequest, AppResponse]>(up.dialog, 'notify');
  up.call.request('NOTIFY', {
    lines: ['Event: refer', TERMINATED, 'Content-Type: message/sipfrag'],
    body: 'SIP/2.0 200 OK',
  });
  const [req, res] = await told;
  expect(req.body).toBe('SIP/2.0 200 OK');
  res.send(200);
  await up.call.response('200 NOTIFY');
  expect(lab.server.inUse().dialogs).toBe(1);
  await appHangsUp(lab, up);
});

test('a REFER outside calls is answered by the application that takes it, and is sent without a Contact', async () => {
  await using lab = await createLab();
  const app = await lab.app('refer');
  const peer = await lab.peer();
  const call = peer.call('REFER', { lines: ['Refer-To: <sip:c@example.com>'] });
  (await app.next('REFER')).res.send(202);
  await call.response(202);
  const request = await app.srf.request(peer.uri, { method: 'REFER', headers: { 'Refer-To': '<sip:c@example.com>' } });
  const refer = await peer.next('REFER');
  expect(refer.values('Contact')).toEqual([]);
  const response = heard<[AppResponse]>(request, 'response');
  peer.reply(refer, 202);
  await lab.pass(10);
  expect((await response)[0].status).toBe(202);
  await lab.nothingLeft();
});

test.each(TRANSPORTS)(
  'an application registers, with credentials where it is asked for them, over %s',
  async (transport) => {
    await using lab = await createLab();
    const { srf } = await lab.app();
    const peer = await lab.peer(transport);
    const contact = `<${lab.server.uri(transport).replace('sip:', 'sip:me@')}>`;
    const request = await srf.request(peer.uri, {
      method: 'REGISTER',
      headers: { Contact: contact, Expires: '60' },
      auth: { username: 'me', password: 'secret' },
    });
    const response = heard<[AppResponse]>(request, 'response');
    const first = await peer.next('REGISTER');
    expect(first.value('Contact')).toBe(contact);
    peer.reply(first, 401, { lines: ['WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"'] });
    await lab.pass(10);
    const second = await peer.next('REGISTER');
    expect(second.value('Call-ID')).toBe(first.value('Call-ID'));
    expect(second.value('From')).toBe(first.value('From'));
    expect(Number.parseInt(second.value('CSeq'), 10)).toBe(Number.parseInt(first.value('CSeq'), 10) + 1);
    expect(second.value('Authorization')).toContain('username="me"');
    peer.reply(second, 200, { lines: [`Contact: ${contact};expires=60`] });
    await lab.pass(10);
    const [ok] = await response;
    expect([ok.status, ok.get('Contact')]).toEqual([200, `${contact};expires=60`]);
    await lab.nothingLeft();
  },
);

test.each(TRANSPORTS)('an application is a registrar that asks for credentials over %s', async (transport) => {
  await using lab = await createLab();
  const app = await lab.app('register');
  const peer = await lab.peer(transport);
  const lines = ['Expires: 60'];
  const first = peer.call('REGISTER', { lines });
  (await app.next('REGISTER')).res.send(401, {
    headers: { 'WWW-Authenticate': 'Digest realm="r", nonce="n", qop="auth"' },
  });
  expect((await first.response(401)).value('WWW-Authenticate')).toBe('Digest realm="r", nonce="n", qop="auth"');
  const credentials = 'Digest username="me",realm="r",nonce="n",uri="sip:x",response="0"';
  const second = peer.call('REGISTER', {
    ...{ callId: first.callId, fromTag: first.localTag, cseq: 2 },
    lines: [...lines, `Authorization: ${credentials}`],
  });
  const { req, res } = await app.next('REGISTER');
  expect([req.get('Authorization'), req.get('Contact')]).toEqual([credentials, peer.contact]);
  res.send(200, { headers: { Contact: `${peer.contact};expires=60` } });
  expect((await second.response(200)).value('Contact')).toBe(`${peer.contact};expires=60`);
  await lab.nothingLeft();
});

test('a registration passes a proxy that stays in its path and reaches the registrar behind it, 401 and all', async () => {
  await using edge = await createLab();
  await using core = await createLab();
  const [proxy, registrar] = [await edge.app('register'), await core.app('register')];
  const peer = await edge.peer();
  const first = peer.call('REGISTER', { lines: ['Expires: 60'] });
  for (const [call, status] of [
    [first, 401],
    [undefined, 200],
  ] as const) {
    const current =
      call ??
      peer.call('REGISTER', {
        callId: first.callId,
        fromTag: first.localTag,
        cseq: 2,
        lines: ['Authorization: Digest x'],
      });
    const passed = await proxy.next('REGISTER');
    const result = proxy.srf.proxyRequest(passed.req, core.server.uri('udp'), { path: true });
    const { req, res } = await registrar.next('REGISTER');
    expect([req.get('Path'), req.get('Require')]).toEqual([`<${edge.server.uri('udp')};lr>`, 'path']);
    res.send(status, { headers: { Path: req.get('Path') ?? '' } });
    expect((await current.response(status)).value('Path')).toBe(`<${edge.server.uri('udp')};lr>`);
    expect((await result).finalStatus).toBe(status);
  }
  await edge.nothingLeft();
  await core.nothingLeft();
});

test('a browser that has registered is called by the connection that it came with', async () => {
  await using lab = await createLab();
  const app = await lab.app('register');
  const browser = await lab.peer('ws');
  const registered = browser.call('REGISTER', { lines: ['Expires: 60'] });
  const { req, res } = await app.next('REGISTER');
  res.send(200);
  await registered.response(200);
  const target = `sip:peer@${req.source_address}:${req.source_port};transport=ws`;
  const answered = app.srf.createUAC(target, { localSdp: sdp('1') });
  const invite = await browser.next('INVITE');
  expect([invite.uri, branchOf(invite) === branchOf(readSip(registered.sent))]).toEqual([target, false]);
  browser.reply(invite, 200, { body: sdp('2') });
  const dialog = await answered;
  await browser.next('ACK');
  await appHangsUp(lab, { dialog, peer: browser, call: browser.dialog(invite) });
});

test('PUBLISH and MESSAGE go out with their bodies and come back with what was answered', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const peer = await lab.peer();
  for (const method of ['PUBLISH', 'MESSAGE', 'INFO', 'OPTIONS', 'NOTIFY']) {
    const request = await srf.request(peer.uri, { method, headers: { 'Content-Type': 'text/plain' }, body: 'hello' });
    const response = heard<[AppResponse]>(request, 'response');
    const came = await peer.next(method);
    expect([came.body, came.values('Contact')]).toEqual(['hello', []]);
    peer.reply(came, 200, { lines: ['SIP-ETag: e1'] });
    await lab.pass(10);
    const [res] = await response;
    expect([res.status, res.get('SIP-ETag')]).toEqual([200, 'e1']);
  }
  await lab.nothingLeft();
});
