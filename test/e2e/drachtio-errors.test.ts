import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { later, peerCalls, peerHangsUp, sent } from '../support/drachtio-calls.js';
import { app, createLab, lab, peer, useLab } from '../support/drachtio-lab.js';
import { sdp, tagIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS } from '../support/sip-peer.js';

const IN_DIALOG = ['info', 'options', 'message', 'notify', 'subscribe', 'publish', 'refer'];
useLab({ methods: ['invite', 'ack', 'cancel', 'bye', 'update', 'prack', ...IN_DIALOG] });

test.each(TRANSPORTS)('over %s an unknown method gets 501, and a request without Call-ID 400', async (transport) => {
  const phone = await lab.peer(transport);
  const unknown = phone.call('FOO');
  expect((await unknown.response(501)).reason).toBe('Not Implemented');
  const bad = unknown.sent.replaceAll('FOO', 'OPTIONS').replace(/\r\nCall-ID: [^\r]*/, '');
  phone.send(bad.replaceAll('z9hG4bK', 'z9hG4bKspoilt'));
  expect((await phone.next('400')).reason).toBe('Bad Request');
  expect(app.untaken()).toEqual([]);
});

test('a URI of an unknown scheme gets 416', async () => {
  await peer.call('OPTIONS', { uri: 'http:example.com' }).response(416);
});

test.each(['INVITE', 'BYE', 'UPDATE', 'PRACK'])('%s in an unknown call gets 481', async (method) => {
  const call = peer.call(method, { toTag: 'unknown' });
  const refused = await call.response(`481 ${method}`);
  expect([refused.reason, tagIn(refused.value('To'))]).toEqual(['Call/Transaction Does Not Exist', 'unknown']);
  if (method === 'INVITE') call.ackFailure(refused);
  expect(app.untaken()).toEqual([]);
});

test.each(['BYE', 'UPDATE', 'PRACK'])('%s outside any call gets 481', async (method) => {
  await peer.call(method).response(`481 ${method}`);
});

test.each(IN_DIALOG)('the application answers %s in an unknown call', async (name) => {
  const method = name.toUpperCase();
  const call = peer.call(method, { toTag: 'unknown' });
  const { req, res } = await app.next(method);
  expect(req.stackDialogId).toBe('');
  res.send(481);
  await call.response(`481 ${method}`);
});

test('an unknown CANCEL gets 481, an unknown ACK no response', async () => {
  await peer.call('CANCEL').response('481 CANCEL');
  peer.call('ACK');
  peer.call('ACK', { toTag: 'unknown' });
  await lab.quiet();
  expect([peer.untaken(), app.untaken()]).toEqual([[], []]);
});

test('a call that came by two paths is answered once: the other gets 480, and the application an error', async () => {
  const first = peer.call('INVITE', { body: sdp('1') });
  const one = await app.next('INVITE');
  const second = peer.call('INVITE', { callId: first.callId, fromTag: first.localTag, body: sdp('1') });
  const two = await app.next('INVITE');
  await app.srf.createUAS(one.req, one.res, { localSdp: sdp('2') });
  await first.response(200);
  await expect(app.srf.createUAS(two.req, two.res, { localSdp: sdp('2') })).rejects.toBe(
    'dialog already exists, rejecting this request',
  );
  second.ackFailure(await second.response(480));
  first.ack();
  await peerHangsUp({ call: first });
});

test('a second path of an answered call gets 482, and a new INVITE with its Call-ID 491', async () => {
  const up = await peerCalls(app, peer);
  const name = { callId: up.call.callId, fromTag: up.call.localTag };
  const merged = up.peer.call('INVITE', name);
  merged.ackFailure(await merged.response(482));
  const fresh = up.peer.call('INVITE', { ...name, cseq: 7 });
  fresh.ackFailure(await fresh.response(491));
  expect(app.untaken()).toEqual([]);
  await peerHangsUp(up);
});

test('refusing one path of a call leaves the other', async () => {
  const first = peer.call('INVITE', { body: sdp('1') });
  const one = await app.next('INVITE');
  const second = peer.call('INVITE', { callId: first.callId, fromTag: first.localTag, body: sdp('1') });
  const two = await app.next('INVITE');
  one.res.send(183);
  two.res.send(183);
  two.res.send(486);
  second.ackFailure(await second.response(486));
  await app.srf.createUAS(one.req, one.res, { localSdp: sdp('2') });
  await first.answered();
  await lab.quiet();
  await peerHangsUp({ call: first });
});

test('an application cannot call its own server, under no name of it', async () => {
  const port = lab.server.listening[0]?.port ?? 0;
  for (const uri of [
    ...TRANSPORTS.map((transport) => lab.server.uri(transport)),
    `sip:a@127.0.0.1:${port}`,
    `sip:a@localhost:${port}`,
  ]) {
    await expect(app.srf.request(uri, { method: 'OPTIONS' })).rejects.toMatchObject({
      ...{ message: 'can not send request to myself', code: 'EDRACHTIO' },
    });
  }
  await expect(app.srf.createUAC(lab.server.uri('udp'), { localSdp: sdp() })).rejects.toThrow(
    'can not send request to myself',
  );
});

test('a UDP listener at the number of our TCP port is another element', async () => {
  const port = lab.server.listening.find(({ transport }) => transport === 'tcp')?.port ?? 0;
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  const coming = once(socket, 'message') as Promise<[Buffer]>;
  const asked = app.srf.request(`sip:peer@127.0.0.1:${port}`, { method: 'OPTIONS' });
  expect((await coming)[0].toString()).toMatch(/^OPTIONS sip:peer@/);
  await asked;
  socket.close();
});

test('a body without a type is refused, in a call and outside', async () => {
  await expect(app.srf.request(peer.uri, { method: 'MESSAGE', body: 'x' })).rejects.toThrow('missing content-type');
  expect(peer.untaken()).toEqual([]);
  const up = await peerCalls(app, peer);
  await expect(up.dialog.request({ method: 'INFO', body: 'x' })).rejects.toMatchObject({
    ...{ code: 'EDRACHTIO', message: 'Server error: missing content-type' },
  });
  await peerHangsUp(up);
});

test('a transport that the server does not listen on is not available', async () => {
  await using udp = await createLab({ listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }] });
  const { srf } = await udp.app();
  const text = 'requested protocol/transport not available';
  for (const uri of ['sip:a@127.0.0.1:9;transport=tcp', 'sip:a@127.0.0.1:9;transport=sctp', 'sips:a@127.0.0.1:9']) {
    await expect(srf.request(uri, { method: 'OPTIONS' })).rejects.toThrow(text);
  }
  await expect(srf.request('sip:a@b', { method: 'OPTIONS', proxy: 'sip:127.0.0.1:9;transport=tcp' })).rejects.toThrow(
    text,
  );
  await udp.nothingLeft();
});

test.each([
  ['OPTIONS mailto:a@b SIP/2.0', 'invalid request-uri: OPTIONS mailto:a@b SIP/2.0'],
  ['OPTIONS sip: SIP/2.0', 'invalid request-uri: OPTIONS sip: SIP/2.0'],
  ['OPTIONS sip:a@b:99999 SIP/2.0', 'invalid request-uri: OPTIONS sip:a@b:99999 SIP/2.0'],
  ['DANCE sip:a@127.0.0.1:9 SIP/2.0', 'invalid request-uri: DANCE sip:a@127.0.0.1:9 SIP/2.0'],
  ['OPTIONS tel:+1555 SIP/2.0', 'Error creating sip transaction for uac request'],
])('%s cannot be sent', async (startLine, reason) => {
  const raw = await lab.rawApp();
  expect((await raw.ask('sip||', `${startLine}\r\n\r\n`)).tokens.slice(3)).toEqual(['NOK', reason]);
});

test('a request in an unknown dialog is refused with the reason', async () => {
  const raw = await lab.rawApp();
  for (const [startLine, reason] of [
    ['INFO sip:ignored SIP/2.0', 'Server error: unable to find dialog for dialog id provided'],
    [
      'ACK sip:ignored SIP/2.0',
      'Server error: ACK for non-success final response is automatically generated by server',
    ],
    ['DANCE sip:a SIP/2.0', 'Server error: invalid or missing method supplied on start line: DANCE sip:a SIP/2.0'],
  ] as const) {
    expect((await raw.ask('sip||no;from-tag=such', `${startLine}\r\n\r\n`)).tokens.slice(3)).toEqual(['NOK', reason]);
  }
});

test('an ACK without a response to acknowledge is refused', async () => {
  const raw = await lab.rawApp();
  const up = await peerCalls(app, peer);
  expect((await raw.ask(`sip||${up.dialog.id}`, 'ACK sip:ignored SIP/2.0\r\n\r\n')).tokens.slice(3)).toEqual([
    ...['NOK', 'ACK for non-success responses is automatically generated by the stack'],
  ]);
  await peerHangsUp(up);
});

test('a CANCEL of an unknown, answered or cancelled request is refused', async () => {
  const raw = await lab.rawApp();
  const cancel = async (id: string): Promise<readonly string[]> =>
    (await raw.ask(`sip|${id}|`, `CANCEL ${peer.uri} SIP/2.0\r\n\r\n`)).tokens.slice(3, 5);
  expect(await cancel('unknown')).toEqual(['NOK', 'unable to cancel unknown transaction id: unknown']);
  const told = await raw.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  const id = told.tokens[10] ?? '';
  const invite = await peer.next('INVITE');
  expect((await cancel(id))[0]).toBe('OK');
  expect(await cancel(id)).toEqual(['NOK', `internal server error canceling transaction id: ${id}`]);
  peer.reply(invite, 486);
  await raw.next('sip');
  expect(await cancel(id)).toEqual(['NOK', `unable to cancel unknown transaction id: ${id}`]);
  const again = await raw.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  peer.reply(await peer.next('INVITE'), 200);
  const answer = await raw.next('sip');
  expect(await cancel(again.tokens[10] ?? '')).toEqual([
    ...['NOK', `internal server error canceling transaction id: ${again.tokens[10]}`],
  ]);
  await raw.ask(`sip||${answer.tokens[9]}`, 'ACK sip:ignored SIP/2.0\r\n\r\n');
  await raw.ask(`sip||${answer.tokens[9]}`, 'BYE sip:ignored SIP/2.0\r\n\r\n');
  peer.reply(await peer.next('BYE'), 200);
});

test('a malformed answer is refused, and so is a second one', async () => {
  await app.close();
  const raw = await lab.rawApp({ routes: ['options'] });
  const call = peer.call('OPTIONS');
  const { tokens } = await raw.next('sip');
  const answer = async (startLine: string): Promise<readonly string[]> =>
    (await raw.ask(`sip|${tokens[8]}|`, `${startLine}\r\n\r\n`)).tokens.slice(3, 5);
  expect(await answer('SIP/2.0 banana')).toEqual(['NOK', 'Unknown server error sending response']);
  expect((await answer('SIP/2.0 200 OK'))[0]).toBe('OK');
  expect(await answer('SIP/2.0 200 OK')).toEqual(['NOK', 'Response not sent due to unknown transaction']);
  await call.response(200);
});

test.each(['tcp', 'ws'] as const)('an answer to a caller whose %s connection is gone is refused', async (transport) => {
  const phone = await lab.peer(transport);
  phone.call('INVITE');
  phone.call('OPTIONS');
  const [invite, options] = [await app.next('INVITE'), await app.next('OPTIONS')];
  await phone.close();
  await lab.quiet();
  for (const { res } of [invite, options]) {
    const reason = await sent((done) => res.send(200, {}, done));
    expect(reason).toBe('transport for response has been shutdown or closed');
  }
});

test('a response to an unknown request is dropped', async () => {
  const answered = later(app.srf.createUAC(peer.uri, { localSdp: sdp() }));
  const invite = await peer.next('INVITE');
  const refusal = peer.reply(invite, 486);
  await peer.next('ACK');
  await expect(answered).rejects.toMatchObject({ status: 486 });
  peer.send(refusal.replaceAll('z9hG4bK', 'z9hG4bKother'));
  peer.send(refusal.replace('SIP/2.0 486', 'SIP/2.0 200'));
  await lab.nothingMore(peer);
});

test('an INVITE without a Contact is delivered, but requests in its call have no route', async () => {
  await app.close();
  const raw = await lab.rawApp({ routes: ['invite'] });
  const call = peer.call('INVITE', { contact: null });
  const frame = await raw.next('sip');
  await raw.ask(`sip|${frame.tokens[8]}|`, 'SIP/2.0 200 OK\r\n\r\n');
  await call.answered();
  const id = (await raw.next('sip')).tokens[9];
  const told = await raw.ask(`sip||${id}`, 'BYE sip:ignored SIP/2.0\r\n\r\n');
  expect(told.tokens.slice(3)).toEqual([
    ...['NOK', `Server error: unable to find route when sending request inside dialog for dialog id ${id}`],
  ]);
});
