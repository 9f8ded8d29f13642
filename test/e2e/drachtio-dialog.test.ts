import { expect, test } from 'vitest';
import { heard, type AppRequest, type AppResponse } from '../support/drachtio-app.js';
import { appCalls, appHangsUp, later, peerCalls, peerHangsUp, type Call } from '../support/drachtio-calls.js';
import { app, lab, peer, useLab } from '../support/drachtio-lab.js';
import { branchOf, sdp, tagIn, uriIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type RequestParts } from '../support/sip-peer.js';

useLab({ methods: ['invite', 'bye'] });

const DIRECTIONS = [
  ['the called', peerCalls],
  ['the calling', appCalls],
] as const;

const IN_DIALOG = ['INFO', 'MESSAGE', 'OPTIONS', 'UPDATE', 'REFER', 'NOTIFY', 'PUBLISH'] as const;
const LINES = ['Refer-To: <sip:c@example.com>', 'Event: refer', 'Subscription-State: active'];

/** The peer sends a re-INVITE, which the test answers for the application. */
async function reinvited(up: Call, parts: RequestParts) {
  const told = heard<[AppRequest, AppResponse]>(up.dialog, 'modify');
  const text = up.call.request('INVITE', parts);
  const [req, res] = await told;
  return { req, res, text };
}

test.each(TRANSPORTS)(
  'requests within a call reach its application, which answers them, over %s',
  async (transport) => {
    const up = await peerCalls(app, await lab.peer(transport));
    for (const method of IN_DIALOG) {
      const told = heard<[AppRequest, AppResponse]>(up.dialog, method.toLowerCase());
      up.call.request(method, { lines: [...LINES, `X-Method: ${method}`] });
      const [req, res] = await told;
      expect([req.get('X-Method'), req.stackDialogId]).toEqual([method, up.dialog.id]);
      res.send(202, { headers: { 'X-Answer': method } });
      const answer = await up.call.response(`202 ${method}`);
      expect([answer.value('X-Answer'), tagIn(answer.value('To'))]).toEqual([method, up.dialog.sip.localTag]);
    }
    await peerHangsUp(up);
  },
);

test.each(TRANSPORTS)('an application sends requests within its call over %s', async (transport) => {
  const up = await appCalls(app, await lab.peer(transport));
  let cseq = Number.parseInt(up.invite?.value('CSeq') ?? '', 10);
  for (const method of IN_DIALOG) {
    const headers = {
      'Refer-To': '<sip:c@example.com>',
      Event: 'refer',
      'Subscription-State': 'active',
      'X-Method': method,
    };
    const answered = up.dialog.request({ method, headers });
    const request = await up.call.next(method);
    cseq += 1;
    expect(request.uri).toBe(uriIn(up.peer.contact));
    expect([request.value('CSeq'), request.value('X-Method')]).toEqual([`${cseq} ${method}`, method]);
    expect([tagIn(request.value('From')), tagIn(request.value('To'))]).toEqual([up.dialog.sip.localTag, 'peer']);
    // Of these only REFER makes a subscription, so that its Contact matters.
    expect(request.values('Contact')).toEqual(method === 'REFER' ? [`<${lab.server.uri(transport)}>`] : []);
    up.peer.reply(request, 202, { lines: ['X-Answer: yes'] });
    const response = await answered;
    expect([response.status, response.get('X-Answer')]).toEqual([202, 'yes']);
  }
  await appHangsUp(up);
});

test.each(DIRECTIONS)('%s side modifies the call, holds and resumes it', async (_who, connect) => {
  const up = await connect(app, peer);
  for (const [what, attribute] of [
    [sdp('8'), 'a=sendrecv'],
    ['hold', 'a=inactive'],
    ['unhold', 'a=sendrecv'],
  ] as const) {
    const modified = up.dialog.modify(what);
    const invite = await up.call.next('INVITE');
    expect(invite.body).toContain(attribute);
    expect(invite.value('Contact')).toBe(`<${lab.server.uri('udp')}>`);
    up.peer.reply(invite, 100);
    up.peer.reply(invite, 180);
    up.peer.reply(invite, 200, { body: sdp('9') });
    expect(await modified).toBe(sdp('9'));
    const ack = await up.call.next('ACK');
    expect(ack.value('CSeq')).toBe(invite.value('CSeq').replace('INVITE', 'ACK'));
    expect(branchOf(ack)).not.toBe(branchOf(invite));
  }
  await appHangsUp(up);
});

test.each(DIRECTIONS)('the peer of %s side modifies the call, holds and resumes it', async (_who, connect) => {
  const up = await connect(app, peer);
  const offered = up.dialog.remote.sdp;
  for (const [event, body] of [
    ['modify', sdp('8')],
    ['hold', sdp('8').replace('sendrecv', 'sendonly')],
    ['unhold', sdp('8')],
  ] as const) {
    const told = heard<[AppRequest, AppResponse]>(up.dialog, event);
    const text = up.call.request('INVITE', { body });
    const [req, res] = await told;
    expect(req.body).toBe(body);
    if (event === 'modify') res.send(200, { body: sdp('9') });
    const answer = await up.call.response('200 INVITE');
    expect(uriIn(answer.value('Contact'))).toBe(lab.server.uri('udp'));
    up.call.ack({ cseq: Number(/CSeq: (\d+)/.exec(text)?.[1]) });
  }
  expect(up.dialog.remote.sdp).not.toBe(offered);
  await lab.quiet();
  expect(lab.server.inUse().unacknowledged).toBe(0);
  await peerHangsUp(up);
});

test('a re-INVITE that is refused leaves the call as it was, on either side', async () => {
  const up = await peerCalls(app, peer);
  const modified = later(up.dialog.modify(sdp('8')));
  up.peer.reply(await up.call.next('INVITE'), 488);
  await expect(modified).rejects.toMatchObject({ status: 488 });
  expect(branchOf(await up.call.next('ACK'))).not.toBe('');
  up.dialog.on('modify', (_req: AppRequest, res: AppResponse) => res.send(488));
  const refused = await up.call.exchange('488 INVITE', { branch: 'z9hG4bKreinvite', body: sdp('8') });
  expect(refused.values('Contact')).toEqual([]);
  up.call.request('ACK', { branch: 'z9hG4bKreinvite', cseq: 2, contact: null });
  await peerHangsUp(up);
});

test('a re-INVITE without an offer gets one, and its ACK carries the answer', async () => {
  const up = await appCalls(app, peer);
  const modified = up.dialog.modify({ noAck: true });
  const invite = await up.call.next('INVITE');
  expect(invite.body).toBe('');
  up.peer.reply(invite, 200, { body: sdp('9') });
  const { sdp: offer, ack } = await modified;
  expect(offer).toBe(sdp('9'));
  ack(sdp('8'));
  expect((await up.call.next('ACK')).body).toBe(sdp('8'));
  await appHangsUp(up);
});

test('re-INVITE, UPDATE and their answers move the target of the other side', async () => {
  const [old, ...others] = [await lab.peer(), await lab.peer(), await lab.peer(), await lab.peer()];
  const up = await peerCalls(app, old);
  const moved = async (to: number): Promise<void> => {
    const answered = up.dialog.request({ method: 'INFO' });
    const info = await others[to]?.next('INFO');
    expect(info?.uri).toBe(others[to]?.uri);
    info?.reply('');
    if (info !== undefined) others[to]?.reply(info, 200);
    await answered;
  };
  await up.call.exchange('200 INVITE', { contact: others[0]?.contact ?? '', body: sdp('3') });
  up.call.ack({ cseq: 2 });
  await moved(0);
  await up.call.exchange('200 UPDATE', { contact: others[1]?.contact ?? '' });
  await moved(1);
  const modified = up.dialog.modify(sdp('4'));
  const invite = await others[1]?.next('INVITE');
  if (invite !== undefined) others[1]?.reply(invite, 200, { contact: others[2]?.contact ?? '', body: sdp('5') });
  await modified;
  expect((await others[2]?.next('ACK'))?.uri).toBe(others[2]?.uri);
  await moved(2);
  await peerHangsUp(up);
});

test('a request in a call with a lower number than the one before is out of order: 500', async () => {
  const up = await peerCalls(app, peer, { cseq: 50 });
  await up.call.exchange('500 INFO', { cseq: 49 });
  await up.call.exchange('200 INFO', { cseq: 60 });
  await up.call.exchange('500 INFO', { cseq: 59 });
  await up.call.exchange('200 BYE', { cseq: 61 });
});

test('an INVITE that crosses one of ours gets 491', async () => {
  const up = await peerCalls(app, peer);
  const modified = later(up.dialog.modify(sdp('8')));
  const ours = await up.call.next('INVITE');
  const refused = await up.call.exchange('491 INVITE', { branch: 'z9hG4bKglare', body: sdp('7') });
  up.call.request('ACK', { branch: 'z9hG4bKglare', cseq: 2, contact: null });
  expect(refused.reason).toBe('Request Pending');
  up.peer.reply(ours, 200, { body: sdp('9') });
  await modified;
  await up.call.next('ACK');
  await up.call.exchange('200 INVITE', { cseq: 3, body: sdp('7') });
  up.call.ack({ cseq: 3 });
  await peerHangsUp(up);
});

test('an INVITE before the answer to the one before gets 500 with Retry-After', async () => {
  const up = await peerCalls(app, peer);
  const { res } = await reinvited(up, { body: sdp('7') });
  const refused = await up.call.exchange('500 INVITE', { branch: 'z9hG4bKsecond', body: sdp('8') });
  expect(Number(refused.value('Retry-After'))).toBeLessThanOrEqual(10);
  up.call.request('ACK', { branch: 'z9hG4bKsecond', cseq: 3, contact: null });
  res.send(200, { body: sdp('9') });
  await up.call.response('200 INVITE');
  up.call.ack({ cseq: 2 });
  await up.call.exchange('200 BYE', { cseq: 4 });
});

test.each(TRANSPORTS)('both sides hang up at once over %s', async (transport) => {
  const up = await peerCalls(app, await lab.peer(transport));
  const gone = up.dialog.destroy();
  const theirs = await up.call.next('BYE');
  await peerHangsUp(up);
  up.peer.reply(theirs, 481);
  await gone;
  expect(app.untaken()).toEqual([]);
});

test.each([487, 408])('a re-INVITE of the application ends with %i if the peer hangs up meanwhile', async (status) => {
  const up = await peerCalls(app, peer);
  const modified = later(up.dialog.modify(sdp('8')));
  const invite = await up.call.next('INVITE');
  up.peer.reply(invite, 100);
  await peerHangsUp(up);
  if (status === 487) up.peer.reply(invite, 487);
  else await lab.pass(32_000);
  await expect(modified).rejects.toMatchObject({ status });
});

test('the application hangs up while its re-INVITE is under way: that one is cancelled', async () => {
  const up = await peerCalls(app, peer);
  const modified = later(up.dialog.modify(sdp('8')));
  const invite = await up.call.next('INVITE');
  up.peer.reply(invite, 100);
  await lab.quiet();
  const gone = up.dialog.destroy();
  const cancel = await up.call.next('CANCEL');
  expect(branchOf(cancel)).toBe(branchOf(invite));
  up.peer.reply(cancel, 200);
  up.peer.reply(await up.call.next('BYE'), 200);
  up.peer.reply(invite, 487);
  await gone;
  await expect(modified).rejects.toMatchObject({ status: 487 });
});

test('the peer hangs up while its own re-INVITE waits: it gets 487, and a late answer is not sent', async () => {
  const up = await peerCalls(app, peer);
  const { res } = await reinvited(up, { branch: 'z9hG4bKwaits', body: sdp('7') });
  await peerHangsUp(up);
  await up.call.response('487 INVITE');
  up.call.request('ACK', { branch: 'z9hG4bKwaits', cseq: 2, contact: null });
  const late = await new Promise((resolve) => res.send(200, { body: sdp('9') }, resolve));
  expect(late).toBe('Response not sent due to unknown transaction');
});

test('the application hangs up while a re-INVITE of the peer rings: the peer gets 487', async () => {
  const up = await peerCalls(app, peer);
  (await reinvited(up, { branch: 'z9hG4bKannounced', body: sdp('7') })).res.send(180);
  await up.call.response('180 INVITE');
  await appHangsUp(up);
  await up.call.response('487 INVITE');
  up.call.request('ACK', { branch: 'z9hG4bKannounced', cseq: 2, contact: null });
});

test('the peer cancels its re-INVITE, and the call goes on', async () => {
  const up = await peerCalls(app, peer);
  const { req, text } = await reinvited(up, { branch: 'z9hG4bKcancelled', body: sdp('7') });
  const cancelled = heard(req, 'cancel');
  up.peer.send(text.replace(/^INVITE/, 'CANCEL').replace('CSeq: 2 INVITE', 'CSeq: 2 CANCEL'));
  await cancelled;
  await up.call.response('200 CANCEL');
  await up.call.response('487 INVITE');
  up.call.request('ACK', { branch: 'z9hG4bKcancelled', cseq: 2, contact: null });
  expect(up.dialog.connected).toBe(true);
  await peerHangsUp(up);
});

test('a request in a call that the other side has ended fails with ENODIALOG', async () => {
  const up = await peerCalls(app, peer);
  const { id } = up.dialog;
  await peerHangsUp(up);
  const text = 'Server error: unable to find dialog for dialog id provided';
  const late = { code: 'ENODIALOG', message: text };
  await expect(up.dialog.request({ method: 'INFO' })).rejects.toMatchObject(late);
  await expect(up.dialog.destroy()).rejects.toMatchObject(late);
  expect(id).toContain(up.call.callId);
});

test('a BYE that is challenged is sent again with credentials, and the call stands until then', async () => {
  const up = await peerCalls(app, peer);
  const gone = up.dialog.destroy({ auth: { username: 'me', password: 'secret' } });
  const first = await up.call.next('BYE');
  up.peer.reply(first, 407, { lines: ['Proxy-Authenticate: Digest realm="r", nonce="n"'] });
  const second = await up.call.next('BYE');
  expect(Number.parseInt(second.value('CSeq'), 10)).toBe(Number.parseInt(first.value('CSeq'), 10) + 1);
  expect(second.value('Proxy-Authorization')).toContain('nonce="n"');
  up.peer.reply(second, 200);
  await gone;
});

test('after 32 s without a response an INFO fails with 408 and the call stands, and a BYE ends it', async () => {
  const up = await peerCalls(app, peer);
  const answered = up.dialog.request({ method: 'INFO' });
  await up.call.next('INFO');
  await lab.pass(32_000);
  expect(await answered).toMatchObject({ status: 408 });
  expect(lab.server.inUse().dialogs).toBe(1);
  const gone = up.dialog.destroy();
  await up.call.next('BYE');
  await lab.pass(32_000);
  await gone;
});

test('a provisional response to a request within a call does not lose the final one', async () => {
  const raw = await lab.rawApp();
  const up = await peerCalls(app, peer);
  await raw.ask(`sip||${up.dialog.id}`, 'INFO sip:ignored SIP/2.0\r\n\r\n');
  const info = await up.call.next('INFO');
  up.peer.reply(info, 183);
  up.peer.reply(info, 200);
  for (const status of [183, 200]) expect((await raw.next('sip')).sip).toContain(`SIP/2.0 ${status}`);
  await peerHangsUp(up);
});

test.each(['tcp', 'ws'] as const)('a request in a call takes the connection of the call over %s', async (transport) => {
  // The Contact leads to nobody, as that of a browser does.
  const up = await peerCalls(app, await lab.peer(transport), {
    contact: `<sip:a@192.0.2.7;transport=${transport}>`,
  });
  const gone = up.dialog.destroy();
  const bye = await up.call.next('BYE');
  expect(bye.uri).toBe(`sip:a@192.0.2.7;transport=${transport}`);
  up.peer.reply(bye, 200);
  await gone;
});

test('a request in a call whose connection is gone goes to the Contact', async () => {
  const [old, fresh] = [await lab.peer('tcp'), await lab.peer('tcp')];
  const up = await peerCalls(app, old, { contact: fresh.contact });
  await old.close();
  await lab.quiet();
  await appHangsUp({ dialog: up.dialog, peer: fresh });
});

test('an application that comes back after a loss of its connection hangs up what it had', async () => {
  const up = await peerCalls(app, peer);
  await app.close();
  const again = await lab.rawApp();
  const told = await again.ask(`sip||${up.dialog.id}`, 'BYE sip:ignored SIP/2.0\r\n\r\n');
  expect(told.tokens[3]).toBe('OK');
  up.peer.reply(await up.call.next('BYE'), 200);
});

test.each(['BYE', 'INVITE', 'INFO'])(
  'a call stands without its application until a %s, which gets 481',
  async (method) => {
    const up = await peerCalls(app, peer);
    await app.close();
    await lab.pass(40_000);
    expect([lab.server.inUse().dialogs, peer.untaken().map(({ status }) => status)]).toEqual([1, [100]]);
    await up.call.exchange(`481 ${method}`, { branch: 'z9hG4bKalone' });
    if (method === 'INVITE') up.call.request('ACK', { branch: 'z9hG4bKalone', cseq: 2, contact: null });
  },
);

test('an answer to an UPDATE while it rings is what the application has offered', async () => {
  const answered = app.srf.createUAC(peer.uri, { localSdp: sdp('1') });
  const invite = await peer.next('INVITE');
  peer.reply(invite, 183, { body: sdp('2') });
  await lab.quiet();
  const early = peer.dialog(invite);
  expect((await early.exchange('200 UPDATE', { body: sdp('3') })).body).toBe(sdp('1'));
  peer.reply(invite, 200, { body: sdp('2') });
  const dialog = await answered;
  await peer.next('ACK');
  await appHangsUp({ dialog, peer });
});

test('each UPDATE while a call rings is answered by the listener on the INVITE', async () => {
  const call = peer.call('INVITE', { body: sdp('1') });
  const { req, res } = await app.next('INVITE');
  req.on('update', (update: AppRequest, answer: AppResponse) =>
    answer.send(200, { body: sdp(update.body.includes('o=- 5') ? '6' : '8') }),
  );
  res.send(183, { body: sdp('2') });
  await call.response(183);
  expect((await call.exchange('200 UPDATE', { body: sdp('5') })).body).toBe(sdp('6'));
  expect((await call.exchange('200 UPDATE', { body: sdp('7') })).body).toBe(sdp('8'));
  await app.srf.createUAS(req, res, { localSdp: sdp('2') });
  await call.answered();
  await peerHangsUp({ call });
});
