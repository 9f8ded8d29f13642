import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { AppMessage, AppResponse } from '../support/drachtio-app.js';
import { later, peerCalls, peerHangsUp } from '../support/drachtio-calls.js';
import { createLab } from '../support/drachtio-lab.js';
import { sdp, tagIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS } from '../support/sip-peer.js';

/** How a response of an application went out: the text that was sent, or why nothing was. */
function sent(res: AppResponse, status: number): Promise<AppMessage | string> {
  return new Promise((resolve) => res.send(status, {}, (error, message) => resolve(message ?? String(error))));
}

const ALL = [
  'invite',
  'bye',
  'update',
  'prack',
  'info',
  'options',
  'message',
  'notify',
  'subscribe',
  'publish',
  'refer',
];

test.each(TRANSPORTS)('a method that nobody knows is not implemented over %s: 501', async (transport) => {
  await using lab = await createLab();
  await lab.app(...ALL);
  expect((await (await lab.peer(transport)).call('FOO').response(501)).reason).toBe('Not Implemented');
  await lab.nothingLeft();
});

test('an unknown kind of URI is told so: 416', async () => {
  await using lab = await createLab();
  await lab.app(...ALL);
  await (await lab.peer()).call('OPTIONS', { uri: 'http:example.com' }).response(416);
  await lab.nothingLeft();
});

test.each(['INVITE', 'BYE', 'UPDATE', 'PRACK'])('%s in a call that nobody knows gets 481', async (method) => {
  await using lab = await createLab();
  const app = await lab.app(...ALL);
  const call = (await lab.peer()).call(method, { toTag: 'unknown' });
  const refused = await call.response(`481 ${method}`);
  expect([refused.reason, tagIn(refused.value('To'))]).toEqual(['Call/Transaction Does Not Exist', 'unknown']);
  if (method === 'INVITE') call.ackFailure(refused);
  expect(app.untaken()).toEqual([]);
  await lab.nothingLeft();
});

test.each(['BYE', 'UPDATE', 'PRACK'])('%s outside any call gets 481', async (method) => {
  await using lab = await createLab();
  await lab.app(...ALL);
  await (await lab.peer()).call(method).response(`481 ${method}`);
  await lab.nothingLeft();
});

test.each(['INFO', 'OPTIONS', 'MESSAGE', 'NOTIFY', 'SUBSCRIBE', 'PUBLISH', 'REFER'])(
  '%s in a call that nobody knows is for an application to answer',
  async (method) => {
    await using lab = await createLab();
    const app = await lab.app(...ALL);
    const call = (await lab.peer()).call(method, { toTag: 'unknown' });
    const { req, res } = await app.next(method);
    expect(req.stackDialogId).toBe('');
    res.send(481);
    await call.response(`481 ${method}`);
    await lab.nothingLeft();
  },
);

test('a CANCEL of nothing gets 481, an ACK of nothing gets nothing', async () => {
  await using lab = await createLab();
  const app = await lab.app(...ALL, 'ack', 'cancel');
  const peer = await lab.peer();
  await peer.call('CANCEL').response('481 CANCEL');
  peer.call('ACK');
  peer.call('ACK', { toTag: 'unknown' });
  await lab.quiet();
  expect([peer.untaken(), app.untaken()]).toEqual([[], []]);
  await lab.nothingLeft();
});

test.each([
  ['no From', (text: string) => text.replace(/\r\nFrom: [^\r]*/, '')],
  ['no To', (text: string) => text.replace(/\r\nTo: [^\r]*/, '')],
  ['no Call-ID', (text: string) => text.replace(/\r\nCall-ID: [^\r]*/, '')],
  ['no CSeq', (text: string) => text.replace(/\r\nCSeq: [^\r]*/, '')],
  ['another method in CSeq', (text: string) => text.replace(/CSeq: 1 OPTIONS/, 'CSeq: 1 INFO')],
  ['no host in its URI', (text: string) => text.replace(/^OPTIONS \S+/, 'OPTIONS sip:')],
  [
    'a header field of more than 8 kB',
    (text: string) => text.replace('\r\nTo', `\r\nIdentity: ${'x'.repeat(8_200)}\r\nTo`),
  ],
])('a request with %s is bad: 400', async (_what, spoil) => {
  await using lab = await createLab();
  const app = await lab.app(...ALL);
  for (const transport of TRANSPORTS) {
    const peer = await lab.peer(transport);
    const model = await lab.peer(transport);
    const { sent: text } = model.call('OPTIONS');
    await app.next('OPTIONS').then(({ res }) => res.send(200));
    peer.send(spoil(text).replaceAll('z9hG4bK', 'z9hG4bKspoilt'));
    expect((await peer.next('400')).reason).toBe('Bad Request');
    expect(app.untaken()).toEqual([]);
  }
  await lab.nothingLeft();
});

test('another version of SIP is not supported: 505', async () => {
  await using lab = await createLab();
  await lab.app(...ALL);
  const peer = await lab.peer();
  const { sent: text } = (await lab.peer()).call('INFO');
  peer.send(text.replace(' SIP/2.0\r\n', ' SIP/7.0\r\n'));
  await peer.next('505');
});

test('a message that is too large ends its connection: 413', async () => {
  await using lab = await createLab();
  const app = await lab.app(...ALL);
  const [peer, model] = [await lab.peer('tcp'), await lab.peer('tcp')];
  const { sent: text } = model.call('OPTIONS');
  (await app.next('OPTIONS')).res.send(200);
  peer.send(text.replaceAll('z9hG4bK', 'z9hG4bKlarge').replace('Content-Length: 0', 'Content-Length: 2000000'));
  await peer.next('413');
  await lab.nothingLeft();
});

test('what is no SIP is dropped without a word', async () => {
  await using lab = await createLab();
  const app = await lab.app(...ALL);
  for (const transport of ['udp', 'ws'] as const) {
    const peer = await lab.peer(transport);
    for (const text of ['\0\0\0\0', 'hello', 'GET / HTTP/1.1\r\n\r\n', 'SIP/2.0 200 OK\r\n\r\n', '\r\n'])
      peer.send(text);
    await lab.quiet();
    expect([peer.untaken(), app.untaken()]).toEqual([[], []]);
  }
  await lab.nothingLeft();
});

test('more calls than the server is to hold are told to come again', async () => {
  await using lab = await createLab({ limits: { maxPendingInvites: 1 } });
  const app = await lab.app('invite');
  const peer = await lab.peer();
  const first = peer.call('INVITE');
  const { res } = await app.next('INVITE');
  const second = peer.call('INVITE');
  const refused = await second.response(503);
  expect(Number(refused.value('Retry-After'))).toBeGreaterThan(0);
  second.ackFailure(refused);
  res.send(404);
  first.ackFailure(await first.response(404));
  expect(lab.server.counters().overloaded).toBe(1);
  await lab.nothingLeft();
});

test('a call that came two ways is answered once: the other way gets 480, and the application is told why', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const peer = await lab.peer();
  const first = peer.call('INVITE', { body: sdp('1') });
  const one = await app.next('INVITE');
  const second = peer.call('INVITE', { callId: first.callId, fromTag: first.localTag, body: sdp('1') });
  const two = await app.next('INVITE');
  const dialog = await app.srf.createUAS(one.req, one.res, { localSdp: sdp('2') });
  await first.response(200);
  await expect(app.srf.createUAS(two.req, two.res, { localSdp: sdp('2') })).rejects.toBe(
    'dialog already exists, rejecting this request',
  );
  second.ackFailure(await second.response(480));
  first.ack();
  await peerHangsUp(lab, { call: first, dialog, peer });
});

test('a call that comes another way when it has been answered was merged: 482; a new one in its name has to wait: 491', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const up = await peerCalls(app, await lab.peer());
  const name = { callId: up.call.callId, fromTag: up.call.localTag };
  const merged = up.peer.call('INVITE', name);
  merged.ackFailure(await merged.response(482));
  const fresh = up.peer.call('INVITE', { ...name, cseq: 7 });
  fresh.ackFailure(await fresh.response(491));
  expect(app.untaken()).toEqual([]);
  await peerHangsUp(lab, up);
});

test('one way of a call that came two ways is refused without harm to the other', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const peer = await lab.peer();
  const first = peer.call('INVITE', { body: sdp('1') });
  const one = await app.next('INVITE');
  const second = peer.call('INVITE', { callId: first.callId, fromTag: first.localTag, body: sdp('1') });
  const two = await app.next('INVITE');
  one.res.send(183);
  two.res.send(183);
  two.res.send(486);
  second.ackFailure(await second.response(486));
  const dialog = await app.srf.createUAS(one.req, one.res, { localSdp: sdp('2') });
  await first.response(200);
  first.ack();
  await lab.quiet();
  await peerHangsUp(lab, { call: first, dialog, peer });
});

test('an application cannot call its own server, under no name of it', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app('invite');
  const port = lab.server.listening[0]?.port ?? 0;
  for (const uri of [
    ...TRANSPORTS.map((transport) => lab.server.uri(transport)),
    `sip:a@127.0.0.1:${port}`,
    `sip:a@localhost:${port}`,
  ]) {
    await expect(srf.request(uri, { method: 'OPTIONS' })).rejects.toMatchObject({
      ...{ message: 'can not send request to myself', code: 'EDRACHTIO' },
    });
  }
  await expect(srf.createUAC(lab.server.uri('udp'), { localSdp: sdp() })).rejects.toThrow(
    'can not send request to myself',
  );
  await lab.nothingLeft();
});

test('who listens with UDP at the number of our TCP port is somebody else', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const port = lab.server.listening.find(({ transport }) => transport === 'tcp')?.port ?? 0;
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  await once(socket, 'listening');
  const coming = once(socket, 'message') as Promise<[Buffer]>;
  const asked = srf.request(`sip:peer@127.0.0.1:${port}`, { method: 'OPTIONS' });
  expect((await coming)[0].toString()).toMatch(/^OPTIONS sip:peer@/);
  await asked;
  socket.close();
  await lab.nothingLeft();
});

test('a body without a type is refused', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const peer = await lab.peer();
  await expect(srf.request(peer.uri, { method: 'MESSAGE', body: 'x' })).rejects.toThrow('missing content-type');
  expect(peer.untaken()).toEqual([]);
  await lab.nothingLeft();
});

test('a transport that the server does not listen on is not available', async () => {
  await using lab = await createLab({ listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }] });
  const { srf } = await lab.app();
  const text = 'requested protocol/transport not available';
  for (const uri of ['sip:a@127.0.0.1:9;transport=tcp', 'sip:a@127.0.0.1:9;transport=sctp', 'sips:a@127.0.0.1:9']) {
    await expect(srf.request(uri, { method: 'OPTIONS' })).rejects.toThrow(text);
  }
  await expect(srf.request('sip:a@b', { method: 'OPTIONS', proxy: 'sip:127.0.0.1:9;transport=tcp' })).rejects.toThrow(
    text,
  );
  await lab.nothingLeft();
});

test.each([
  ['OPTIONS mailto:a@b SIP/2.0', 'invalid request-uri: OPTIONS mailto:a@b SIP/2.0'],
  ['OPTIONS sip: SIP/2.0', 'invalid request-uri: OPTIONS sip: SIP/2.0'],
  ['OPTIONS sip:a@b:99999 SIP/2.0', 'invalid request-uri: OPTIONS sip:a@b:99999 SIP/2.0'],
  ['DANCE sip:a@127.0.0.1:9 SIP/2.0', 'invalid request-uri: DANCE sip:a@127.0.0.1:9 SIP/2.0'],
  ['OPTIONS tel:+1555 SIP/2.0', 'Error creating sip transaction for uac request'],
])('%s cannot be sent', async (startLine, reason) => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  expect((await app.ask('sip||', `${startLine}\r\n\r\n`)).tokens.slice(3)).toEqual(['NOK', reason]);
  await lab.nothingLeft();
});

test('what is said in a call that is none is told why it did not go out', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  for (const [startLine, reason] of [
    ['INFO sip:ignored SIP/2.0', 'Server error: unable to find dialog for dialog id provided'],
    [
      'ACK sip:ignored SIP/2.0',
      'Server error: ACK for non-success final response is automatically generated by server',
    ],
    ['DANCE sip:a SIP/2.0', 'Server error: invalid or missing method supplied on start line: DANCE sip:a SIP/2.0'],
  ] as const) {
    expect((await app.ask('sip||no;from-tag=such', `${startLine}\r\n\r\n`)).tokens.slice(3)).toEqual(['NOK', reason]);
  }
});

test('an ACK where nothing is to be acknowledged is told so', async () => {
  await using lab = await createLab();
  const [app, raw] = [await lab.app('invite'), await lab.rawApp()];
  const up = await peerCalls(app, await lab.peer());
  expect((await raw.ask(`sip||${up.dialog.id}`, 'ACK sip:ignored SIP/2.0\r\n\r\n')).tokens.slice(3)).toEqual([
    ...['NOK', 'ACK for non-success responses is automatically generated by the stack'],
  ]);
  await peerHangsUp(lab, up);
});

test('a CANCEL of what is unknown, answered or cancelled is told so', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const peer = await lab.peer();
  const cancel = async (id: string): Promise<readonly string[]> =>
    (await app.ask(`sip|${id}|`, `CANCEL ${peer.uri} SIP/2.0\r\n\r\n`)).tokens.slice(3, 5);
  expect(await cancel('unknown')).toEqual(['NOK', 'unable to cancel unknown transaction id: unknown']);
  const told = await app.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  const id = told.tokens[10] ?? '';
  const invite = await peer.next('INVITE');
  expect((await cancel(id))[0]).toBe('OK');
  expect(await cancel(id)).toEqual(['NOK', `internal server error canceling transaction id: ${id}`]);
  peer.reply(invite, 486);
  await app.next('sip');
  expect(await cancel(id)).toEqual(['NOK', `unable to cancel unknown transaction id: ${id}`]);
  const again = await app.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  peer.reply(await peer.next('INVITE'), 200);
  const answer = await app.next('sip');
  expect(await cancel(again.tokens[10] ?? '')).toEqual([
    ...['NOK', `internal server error canceling transaction id: ${again.tokens[10]}`],
  ]);
  await app.ask(`sip||${answer.tokens[9]}`, 'ACK sip:ignored SIP/2.0\r\n\r\n');
  await app.ask(`sip||${answer.tokens[9]}`, 'BYE sip:ignored SIP/2.0\r\n\r\n');
  peer.reply(await peer.next('BYE'), 200);
  await lab.nothingLeft();
});

test('an answer to what was answered already is told so', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['options'] });
  const call = (await lab.peer()).call('OPTIONS');
  const frame = await app.next('sip');
  const again = async (): Promise<readonly string[]> =>
    (await app.ask(`sip|${frame.tokens[8]}|`, 'SIP/2.0 200 OK\r\n\r\n')).tokens.slice(3, 5);
  expect((await again())[0]).toBe('OK');
  expect(await again()).toEqual(['NOK', 'Response not sent due to unknown transaction']);
  await call.response(200);
  await lab.nothingLeft();
});

test('an answer that is none is told so, and the request can still be answered', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['options'] });
  const call = (await lab.peer()).call('OPTIONS');
  const frame = await app.next('sip');
  const told = await app.ask(`sip|${frame.tokens[8]}|`, 'SIP/2.0 banana\r\n\r\n');
  expect(told.tokens.slice(3)).toEqual(['NOK', 'Unknown server error sending response']);
  await app.ask(`sip|${frame.tokens[8]}|`, 'SIP/2.0 200 OK\r\n\r\n');
  await call.response(200);
  await lab.nothingLeft();
});

test.each(['tcp', 'ws'] as const)('an answer to a caller whose %s connection is gone is told so', async (transport) => {
  await using lab = await createLab();
  const app = await lab.app('invite', 'options');
  const peer = await lab.peer(transport);
  peer.call('INVITE');
  peer.call('OPTIONS');
  const [invite, options] = [await app.next('INVITE'), await app.next('OPTIONS')];
  await peer.close();
  await lab.quiet();
  for (const { res } of [invite, options]) {
    expect(await sent(res, 200)).toBe('transport for response has been shutdown or closed');
  }
  await lab.nothingLeft();
});

test('an application that goes away leaves its callers a 503, and other requests without an answer', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite', 'options');
  const peer = await lab.peer();
  const [untouched, rings, asked] = [peer.call('INVITE'), peer.call('INVITE'), peer.call('OPTIONS')];
  await app.next('INVITE');
  (await app.next('INVITE')).res.send(180);
  await app.next('OPTIONS');
  await rings.response(180);
  await app.close();
  for (const call of [untouched, rings]) call.ackFailure(await call.response('503 INVITE'));
  await lab.quiet();
  expect(peer.untaken().filter((one) => one.value('Call-ID') === asked.callId)).toEqual([]);
  await lab.nothingLeft();
});

test('an application that goes away leaves its calls standing until the other side ends them', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const up = await peerCalls(app, await lab.peer());
  await app.close();
  await lab.pass(40_000);
  expect([lab.server.inUse().dialogs, up.peer.untaken().map(({ status }) => status)]).toEqual([1, [100]]);
  up.call.request('BYE');
  await up.call.response('481 BYE');
  await lab.nothingLeft();
});

test('an application that goes away before the ACK: the ACK is taken, and without it the call is hung up', async () => {
  await using lab = await createLab();
  const peer = await lab.peer();
  for (const isAcknowledged of [true, false]) {
    const app = await lab.app('invite');
    const call = peer.call('INVITE');
    const { req, res } = await app.next('INVITE');
    await app.srf.createUAS(req, res, { localSdp: sdp() });
    await call.response(200);
    await app.close();
    if (isAcknowledged) {
      call.ack();
      await lab.quiet();
      expect(lab.server.inUse().unacknowledged).toBe(0);
      call.request('BYE');
      await call.response('481 BYE');
    } else {
      await lab.pass(32_000);
      peer.reply(await call.next('BYE'), 200);
    }
  }
  await lab.nothingLeft();
});

test('a response to nothing is dropped', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const peer = await lab.peer();
  const answered = later(app.srf.createUAC(peer.uri, { localSdp: sdp() }));
  const invite = await peer.next('INVITE');
  const refusal = peer.reply(invite, 486);
  await peer.next('ACK');
  await expect(answered).rejects.toMatchObject({ status: 486 });
  peer.send(refusal.replaceAll('z9hG4bK', 'z9hG4bKother'));
  peer.send(refusal.replace('SIP/2.0 486', 'SIP/2.0 200'));
  await lab.quiet();
  expect(peer.untaken()).toEqual([]);
  await lab.nothingLeft();
});

test('an INVITE without a Contact is delivered, and what has nowhere to go is told so', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['invite'] });
  const peer = await lab.peer();
  const call = peer.call('INVITE', { contact: null });
  const frame = await app.next('sip');
  await app.ask(`sip|${frame.tokens[8]}|`, 'SIP/2.0 200 OK\r\n\r\n');
  await call.response(200);
  call.ack();
  const ack = await app.next('sip');
  const id = ack.tokens[9];
  const told = await app.ask(`sip||${id}`, 'BYE sip:ignored SIP/2.0\r\n\r\n');
  expect(told.tokens.slice(3)).toEqual([
    ...['NOK', `Server error: unable to find route when sending request inside dialog for dialog id ${id}`],
  ]);
  await lab.nothingLeft();
});
