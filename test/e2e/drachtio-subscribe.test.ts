import { expect, test } from 'vitest';
import { heard, type AppDialog, type AppRequest, type AppResponse } from '../support/drachtio-app.js';
import { appCalls, appHangsUp, later, peerCalls, peerHangsUp, type Call } from '../support/drachtio-calls.js';
import { app, lab, peer, useLab } from '../support/drachtio-lab.js';
import { branchOf, readSip, sdp, tagIn, uriIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type PeerCall, type SipPeer } from '../support/sip-peer.js';

useLab({ methods: ['subscribe', 'notify', 'register', 'refer', 'invite'] });

const EVENT = ['Event: presence', 'Expires: 600'];
const ACTIVE = 'Subscription-State: active;expires=600';
const TERMINATED = 'Subscription-State: terminated;reason=timeout';

/** The peer subscribes at an application. */
async function peerSubscribes(): Promise<Call> {
  const call = peer.call('SUBSCRIBE', { lines: EVENT });
  const { req, res } = await app.next('SUBSCRIBE');
  const dialog = await app.srf.createUAS(req, res, { headers: { Expires: '600' } });
  await call.response('202 SUBSCRIBE');
  return { call, dialog, peer };
}

/** An application subscribes at a peer, which has not answered yet. */
async function appSubscribes(at: SipPeer = peer) {
  // From is the same as To: drachtio-srf knows a subscription by the user and host in To, in both directions.
  const headers = { From: '<sip:peer@127.0.0.1>', Event: 'presence', Expires: '600' };
  const answered = app.srf.createUAC(at.uri, { method: 'SUBSCRIBE', headers });
  const subscribe = await at.next('SUBSCRIBE');
  return { answered, subscribe, call: at.dialog(subscribe) };
}

/** The peer ends a subscription of the application. */
async function peerEnds(dialog: AppDialog, call: PeerCall): Promise<void> {
  const destroyed = heard(dialog, 'destroy');
  await call.exchange('200 NOTIFY', { lines: ['Event: presence', TERMINATED] });
  await destroyed;
}

/** A NOTIFY of an application. */
function notify(dialog: AppDialog, state: string): Promise<AppResponse> {
  const headers = { Event: 'presence', 'Subscription-State': state, 'Content-Type': 'text/plain' };
  return dialog.request({ method: 'NOTIFY', headers, body: 'here' });
}

test.each(TRANSPORTS)('a peer subscribes and is notified until the application ends it over %s', async (transport) => {
  const phone = await lab.peer(transport);
  const call = phone.call('SUBSCRIBE', { lines: EVENT });
  const { req, res } = await app.next('SUBSCRIBE');
  expect([req.get('Event'), req.get('Expires')]).toEqual(['presence', '600']);
  const dialog = await app.srf.createUAS(req, res, { headers: { Expires: '600' } });
  const accepted = await call.response('202 SUBSCRIBE');
  expect([uriIn(accepted.value('Contact')), accepted.value('Expires')]).toEqual([lab.server.uri(transport), '600']);
  expect(dialog.id).toBe(`${call.callId};from-tag=${call.localTag}`);
  const answered = notify(dialog, 'active;expires=600');
  const first = await call.next('NOTIFY');
  expect([first.uri, first.body]).toEqual([uriIn(phone.contact), 'here']);
  expect([tagIn(first.value('From')), tagIn(first.value('To'))]).toEqual([dialog.sip.localTag, call.localTag]);
  phone.reply(first, 200);
  expect((await answered).status).toBe(200);
  expect(lab.server.inUse().dialogs).toBe(1);
  const last = notify(dialog, 'terminated;reason=noresource');
  phone.reply(await call.next('NOTIFY'), 200);
  await last;
  expect(lab.server.inUse().dialogs).toBe(0);
});

test('a peer refreshes its subscription at the application', async () => {
  const { call, dialog } = await peerSubscribes();
  const told = heard<[AppRequest, AppResponse]>(dialog, 'subscribe');
  call.request('SUBSCRIBE', { lines: EVENT });
  const [, res] = await told;
  res.send(200, { headers: { Expires: '300' } });
  const refreshed = await call.response('200 SUBSCRIBE');
  expect([uriIn(refreshed.value('Contact')), refreshed.value('Expires')]).toEqual([lab.server.uri('udp'), '300']);
  const last = notify(dialog, 'terminated');
  peer.reply(await call.next('NOTIFY'), 200);
  await last;
});

test('a peer ends its subscription, and the application confirms it with a last NOTIFY', async () => {
  const { call, dialog } = await peerSubscribes();
  const told = heard(dialog, 'unsubscribe');
  await call.exchange('202 SUBSCRIBE', { lines: ['Event: presence', 'Expires: 0'] });
  await told;
  void dialog.destroy();
  const last = await call.next('NOTIFY');
  expect([last.value('Subscription-State'), last.value('Event')]).toEqual(['terminated', 'presence']);
  peer.reply(last, 200);
});

test.each([481, 500, 408])('a last NOTIFY ends the subscription even with the response %i', async (status) => {
  const { call, dialog } = await peerSubscribes();
  const last = notify(dialog, 'terminated');
  const came = await call.next('NOTIFY');
  if (status === 408) await lab.pass(32_000);
  else peer.reply(came, status);
  expect((await last).status).toBe(status);
});

test('a refused subscription has no Contact', async () => {
  const call = peer.call('SUBSCRIBE', { lines: ['Event: unknown'] });
  (await app.next('SUBSCRIBE')).res.send(489);
  expect((await call.response(489)).values('Contact')).toEqual([]);
});

test.each(TRANSPORTS)('an application subscribes and is notified until the peer ends it over %s', async (transport) => {
  const phone = await lab.peer(transport);
  const { call, answered, subscribe } = await appSubscribes(phone);
  phone.reply(subscribe, 202, { lines: ['Expires: 600'] });
  await lab.pass(10);
  const dialog = await answered;
  expect(subscribe.value('Contact')).toBe(`<${lab.server.uri(transport)}>`);
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
  phone.reply(again, 200);
  expect((await refreshed).status).toBe(200);
  dialog.removeAllListeners('notify');
  await peerEnds(dialog, call);
  expect(lab.server.inUse().dialogs).toBe(0);
  call.request('NOTIFY', { lines: ['Event: presence', TERMINATED] });
  // Without the dialog this is a request like any other.
  expect((await app.next('NOTIFY')).req.stackDialogId).toBe('');
  await lab.pass(64_000);
});

test.each([200, 202])('a %i makes a subscription, also for a NOTIFY right behind it', async (status) => {
  const { call, answered, subscribe } = await appSubscribes();
  peer.reply(subscribe, status);
  call.request('NOTIFY', { lines: ['Event: presence', ACTIVE] });
  await lab.pass(10);
  const dialog = await answered;
  await call.response('200 NOTIFY');
  await peerEnds(dialog, call);
});

test('a NOTIFY that overtakes the answer to its SUBSCRIBE is a new request, or gets 503', async () => {
  const { call, answered, subscribe } = await appSubscribes();
  call.request('NOTIFY', { lines: ['Event: presence', ACTIVE] });
  (await app.next('NOTIFY')).res.send(200);
  await call.response('200 NOTIFY');
  app.srf.unregisterForMessages('notify');
  await lab.quiet();
  await call.exchange('503 NOTIFY', { lines: ['Event: presence', ACTIVE] });
  peer.reply(subscribe, 202);
  await lab.pass(10);
  await peerEnds(await answered, call);
});

test('a refused subscription of an application fails with the status', async () => {
  const { answered, subscribe } = await appSubscribes();
  const failed = later(answered);
  peer.reply(subscribe, 489);
  await lab.pass(10);
  await expect(failed).rejects.toMatchObject({ status: 489 });
});

test('a SUBSCRIBE cannot be cancelled', async () => {
  const request = await app.srf.request(peer.uri, { method: 'SUBSCRIBE', headers: { Event: 'presence' } });
  const error = await new Promise((resolve) => request.cancel({}, resolve));
  expect(error).toMatchObject({ message: `unable to cancel unknown transaction id: ${request.stackTxnId}` });
  peer.reply(await peer.next('SUBSCRIBE'), 489);
});

test.each([
  ['the called', peerCalls],
  ['the calling', appCalls],
] as const)('%s side is referred within its call, and its NOTIFYs end nothing', async (_who, connect) => {
  const up = await connect(app, peer);
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
  await up.call.exchange('200 NOTIFY', { lines: ['Event: refer', TERMINATED] });
  expect(lab.server.inUse().dialogs).toBe(1);
  await peerHangsUp(up);
});

test('a REFER outside calls reaches the application, and is sent without a Contact', async () => {
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
});

test('a browser that has registered is called by the connection that it came with', async () => {
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
  await appHangsUp({ dialog, peer: browser });
});

test('a request outside calls is sent with its body, and the application gets the response', async () => {
  for (const method of ['PUBLISH', 'MESSAGE', 'INFO', 'OPTIONS', 'NOTIFY']) {
    const request = await app.srf.request(peer.uri, {
      method,
      headers: { 'Content-Type': 'text/plain' },
      body: 'hello',
    });
    const response = heard<[AppResponse]>(request, 'response');
    const came = await peer.next(method);
    expect([came.body, came.values('Contact')]).toEqual(['hello', []]);
    peer.reply(came, 200, { lines: ['SIP-ETag: e1'] });
    await lab.pass(10);
    const [res] = await response;
    expect([res.status, res.get('SIP-ETag')]).toEqual([200, 'e1']);
  }
});
