import { expect, test } from 'vitest';
import { heard, type AppRequest } from '../support/drachtio-app.js';
import { appHangsUp, place } from '../support/drachtio-calls.js';
import { createLab } from '../support/drachtio-lab.js';
import { sdp, tagIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS } from '../support/sip-peer.js';

test.each(TRANSPORTS)('an application cancels while it rings over %s', async (transport) => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer(transport);
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 180);
  await placed.provisional.next('180', () => true);
  (await placed.request).cancel({
    headers: { Reason: 'Q.850;cause=16', 'X-Why': 'bored', From: '<sip:forged@b.example>' },
  });
  const cancel = await peer.next('CANCEL');
  for (const name of ['Via', 'From', 'To', 'Call-ID', 'Max-Forwards'])
    expect(cancel.value(name)).toBe(invite.value(name));
  expect(cancel.uri).toBe(invite.uri);
  expect(cancel.value('CSeq')).toBe(invite.value('CSeq').replace('INVITE', 'CANCEL'));
  expect([cancel.value('Reason'), cancel.value('X-Why')]).toEqual(['Q.850;cause=16', 'bored']);
  peer.reply(cancel, 200);
  peer.reply(invite, 487);
  await peer.next('ACK');
  await expect(placed.dialog).rejects.toMatchObject({ status: 487 });
  await lab.nothingLeft();
});

test('a CANCEL before anything was heard waits for the first provisional response', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  const cancelled = new Promise<AppRequest>((resolve) => {
    void placed.request.then((request) => request.cancel({}, (_error, cancel) => resolve(cancel)));
  });
  // The application is told at once.
  expect((await cancelled).method).toBe('CANCEL');
  await lab.quiet();
  expect(peer.untaken()).toEqual([]);
  peer.reply(invite, 100);
  const cancel = await peer.next('CANCEL');
  expect(cancel.raw).toBe((await cancelled).raw);
  peer.reply(cancel, 200);
  peer.reply(invite, 487);
  await expect(placed.dialog).rejects.toMatchObject({ status: 487 });
  await lab.nothingLeft();
});

test('a CANCEL that waits is never sent where the final response comes first', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  (await placed.request).cancel();
  await lab.quiet();
  peer.reply(invite, 486);
  await peer.next('ACK');
  await expect(placed.dialog).rejects.toMatchObject({ status: 486 });
  await lab.nothingLeft();
  expect(peer.all.map(({ method }) => method)).toEqual(['INVITE', 'ACK']);
});

test('a call that is answered while it is cancelled is hung up at once, and the application is told', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 180);
  await placed.provisional.next('180', () => true);
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
  await lab.nothingLeft();
});

test('a peer that is cancelled and never ends the call is given up after 32 s with a 408', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  peer.reply(await peer.next('INVITE'), 180);
  await placed.provisional.next('180', () => true);
  (await placed.request).cancel();
  peer.reply(await peer.next('CANCEL'), 200);
  await lab.pass(31_999);
  expect(lab.server.inUse().outgoing).toBe(1);
  await lab.pass(1);
  await expect(placed.dialog).rejects.toMatchObject({ status: 408 });
  await lab.nothingLeft();
});

test('a peer that rings and falls silent for more than three minutes is cancelled', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 180);
  await placed.provisional.next('180', () => true);
  await lab.pass(184_000);
  peer.reply(invite, 180);
  await placed.provisional.next('180', () => true);
  await lab.pass(184_000);
  expect(peer.untaken()).toEqual([]);
  await lab.pass(1_000);
  peer.reply(await peer.next('CANCEL'), 200);
  peer.reply(invite, 487);
  await expect(placed.dialog).rejects.toMatchObject({ status: 487 });
  await lab.nothingLeft();
});

test('provisional responses of several branches of a fork all reach the application', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  for (const tag of ['one', 'two', 'three']) peer.reply(invite, 180, { tag });
  for (const tag of ['one', 'two', 'three']) {
    const ringing = await placed.provisional.next(tag, (res) => tagIn(res.get('To') ?? '') === tag);
    expect(ringing.stackDialogId).toBe(`${invite.value('Call-ID')};from-tag=${tagIn(invite.value('From'))}`);
  }
  expect(lab.server.inUse().dialogs).toBe(3);
  peer.reply(invite, 200, { tag: 'two', body: sdp('2') });
  const dialog = await placed.dialog;
  expect(tagIn((await peer.next('ACK')).value('To'))).toBe('two');
  expect(dialog.sip.remoteTag).toBe('two');
  expect(lab.server.inUse().dialogs).toBe(1);
  await appHangsUp(lab, { dialog, peer: peer });
});

test.each(TRANSPORTS)(
  'a second answer from another branch of a fork is acknowledged and hung up over %s',
  async (transport) => {
    await using lab = await createLab();
    const app = await lab.app();
    const peer = await lab.peer(transport);
    const placed = place(app, peer.uri);
    const invite = await peer.next('INVITE');
    peer.reply(invite, 200, { tag: 'one', body: sdp('2') });
    const dialog = await placed.dialog;
    expect(tagIn((await peer.next('ACK')).value('To'))).toBe('one');
    peer.reply(invite, 200, { tag: 'two', body: sdp('3') });
    expect(tagIn((await peer.next('ACK')).value('To'))).toBe('two');
    const bye = await peer.next('BYE');
    expect(tagIn(bye.value('To'))).toBe('two');
    peer.reply(bye, 200);
    // And again, since that ACK may have been lost.
    peer.reply(invite, 200, { tag: 'two', body: sdp('3') });
    await lab.quiet();
    expect(dialog.connected).toBe(true);
    await appHangsUp(lab, { dialog, peer: peer });
  },
);

test('an application that goes away while its call rings takes the call with it', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 180);
  await placed.provisional.next('180', () => true);
  await app.close();
  const cancel = await peer.next('CANCEL');
  peer.reply(cancel, 200);
  peer.reply(invite, 487);
  await peer.next('ACK');
  await lab.nothingLeft();
});

test('a call that is answered behind the back of an application that is gone is hung up', async () => {
  await using lab = await createLab();
  const app = await lab.app();
  const peer = await lab.peer();
  const placed = place(app, peer.uri);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 180);
  await placed.provisional.next('180', () => true);
  await app.close();
  await peer.next('CANCEL');
  peer.reply(invite, 200, { body: sdp('2') });
  await peer.next('ACK');
  peer.reply(await peer.next('BYE'), 200);
  await lab.nothingLeft();
});
