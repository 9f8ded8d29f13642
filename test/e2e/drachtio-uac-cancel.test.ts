import { expect, test } from 'vitest';
import { heard, type AppRequest } from '../support/drachtio-app.js';
import { appHangsUp, incoming, later, placedAt } from '../support/drachtio-calls.js';
import { app, lab, peer, useLab } from '../support/drachtio-lab.js';
import { sdp, tagIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS } from '../support/sip-peer.js';

useLab({ methods: ['invite'] });

/** A call of the application that rings at a peer. */
async function ringing(at = peer) {
  const { invite, ...placed } = await placedAt(app, at);
  at.reply(invite, 180);
  await placed.provisional.next('180', () => true);
  return { placed, invite };
}

test.each(TRANSPORTS)('an application cancels while it rings over %s', async (transport) => {
  const phone = await lab.peer(transport);
  const { placed, invite } = await ringing(phone);
  (await placed.request).cancel({
    headers: { Reason: 'Q.850;cause=16', 'X-Why': 'bored', From: '<sip:forged@b.example>' },
  });
  const cancel = await phone.next('CANCEL');
  for (const name of ['Via', 'From', 'To', 'Call-ID', 'Max-Forwards'])
    expect(cancel.value(name)).toBe(invite.value(name));
  expect(cancel.uri).toBe(invite.uri);
  expect(cancel.value('CSeq')).toBe(invite.value('CSeq').replace('INVITE', 'CANCEL'));
  expect([cancel.value('Reason'), cancel.value('X-Why')]).toEqual(['Q.850;cause=16', 'bored']);
  phone.reply(cancel, 200);
  phone.reply(invite, 487);
  await phone.next('ACK');
  await expect(placed.dialog).rejects.toMatchObject({ status: 487 });
});

test('why a caller gives up reaches the other leg of a joined call', async () => {
  const callee = await lab.peer();
  const { call, req, res } = await incoming({ body: sdp('1') });
  const joined = later(app.srf.createB2BUA(req, res, callee.uri, {}));
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
  await expect(joined).rejects.toMatchObject({ status: 487 });
});

test('a CANCEL before any response waits for the first provisional response', async () => {
  const { invite, ...placed } = await placedAt(app, peer);
  const cancelled = new Promise<AppRequest>((resolve) => {
    void placed.request.then((request) => request.cancel({}, (_error, cancel) => resolve(cancel)));
  });
  // The application is told at once.
  expect((await cancelled).method).toBe('CANCEL');
  await lab.nothingMore(peer);
  peer.reply(invite, 100);
  const cancel = await peer.next('CANCEL');
  expect(cancel.raw).toBe((await cancelled).raw);
  peer.reply(cancel, 200);
  peer.reply(invite, 487);
  await expect(placed.dialog).rejects.toMatchObject({ status: 487 });
});

test('a CANCEL that waits is never sent if the final response comes first', async () => {
  const { invite, ...placed } = await placedAt(app, peer);
  (await placed.request).cancel();
  await lab.quiet();
  peer.reply(invite, 486);
  await peer.next('ACK');
  await expect(placed.dialog).rejects.toMatchObject({ status: 486 });
  await lab.quiet();
  expect(peer.all.map(({ method }) => method)).toEqual(['INVITE', 'ACK']);
});

test('a call that is answered while it is cancelled is hung up at once, and the application gets the BYE', async () => {
  const { placed, invite } = await ringing();
  const destroyed = placed.dialog.then((dialog) => heard<[AppRequest, string]>(dialog, 'destroy'));
  (await placed.request).cancel();
  await peer.next('CANCEL');
  peer.reply(invite, 200, { body: sdp('2') });
  await peer.next('ACK');
  const bye = await peer.next('BYE');
  expect(bye.value('Reason')).toBe('SIP ;cause=200 ;text="ACK-BYE due to cancel race condition"');
  const [told, reason] = await destroyed;
  expect([told.raw, reason]).toEqual([bye.raw, 'ACK-BYE due to cancel race condition']);
  peer.reply(bye, 200);
});

test('a peer that is cancelled and never ends the call is given up after 32 s with a 408', async () => {
  const { placed } = await ringing();
  (await placed.request).cancel();
  peer.reply(await peer.next('CANCEL'), 200);
  await lab.pass(31_999);
  expect(lab.server.inUse().outgoing).toBe(1);
  await lab.pass(1);
  await expect(placed.dialog).rejects.toMatchObject({ status: 408 });
});

test('a peer that rings and falls silent for more than three minutes is cancelled', async () => {
  const { placed, invite } = await ringing();
  await lab.pass(184_000);
  peer.reply(invite, 180);
  await placed.provisional.next('180', () => true);
  await lab.pass(184_000);
  expect(peer.untaken()).toEqual([]);
  await lab.pass(1_000);
  peer.reply(await peer.next('CANCEL'), 200);
  peer.reply(invite, 487);
  await expect(placed.dialog).rejects.toMatchObject({ status: 487 });
});

test('provisional responses of several branches of a fork all reach the application', async () => {
  const { invite, ...placed } = await placedAt(app, peer);
  for (const tag of ['one', 'two', 'three']) peer.reply(invite, 180, { tag });
  for (const tag of ['one', 'two', 'three']) {
    const response = await placed.provisional.next(tag, (res) => tagIn(res.get('To') ?? '') === tag);
    expect(response.stackDialogId).toBe(`${invite.value('Call-ID')};from-tag=${tagIn(invite.value('From'))}`);
  }
  expect(lab.server.inUse().dialogs).toBe(3);
  peer.reply(invite, 200, { tag: 'two', body: sdp('2') });
  const dialog = await placed.dialog;
  expect(tagIn((await peer.next('ACK')).value('To'))).toBe('two');
  expect(dialog.sip.remoteTag).toBe('two');
  expect(lab.server.inUse().dialogs).toBe(1);
  await appHangsUp({ dialog, peer });
});

test.each(TRANSPORTS)(
  'a second answer from another branch of a fork is acknowledged and hung up over %s',
  async (transport) => {
    const phone = await lab.peer(transport);
    const { invite, ...placed } = await placedAt(app, phone);
    phone.reply(invite, 200, { tag: 'one', body: sdp('2') });
    const dialog = await placed.dialog;
    expect(tagIn((await phone.next('ACK')).value('To'))).toBe('one');
    phone.reply(invite, 200, { tag: 'two', body: sdp('3') });
    expect(tagIn((await phone.next('ACK')).value('To'))).toBe('two');
    const bye = await phone.next('BYE');
    expect(tagIn(bye.value('To'))).toBe('two');
    phone.reply(bye, 200);
    // And again, since that ACK may have been lost.
    phone.reply(invite, 200, { tag: 'two', body: sdp('3') });
    await lab.quiet();
    expect(dialog.connected).toBe(true);
    await appHangsUp({ dialog, peer: phone });
  },
);

test('an application disconnects: its caller gets 503, a ringing call a CANCEL, and a BYE if it is answered', async () => {
  const { call, res } = await incoming();
  res.send(180);
  await call.response(180);
  const [{ invite }, other] = [await ringing(), await lab.peer()];
  const answered = await ringing(other);
  await app.close();
  call.ackFailure(await call.response('503 INVITE'));
  peer.reply(await peer.next('CANCEL'), 200);
  peer.reply(invite, 487);
  await peer.next('ACK');
  await other.next('CANCEL');
  other.reply(answered.invite, 200, { body: sdp('2') });
  await other.next('ACK');
  other.reply(await other.next('BYE'), 200);
});
