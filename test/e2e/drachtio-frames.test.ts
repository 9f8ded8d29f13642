import { expect, test } from 'vitest';
import { lab, peer, useLab } from '../support/drachtio-lab.js';
import type { Frame } from '../support/drachtio-raw-app.js';
import { readSip, sdp, tagIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type PeerCall, type SipPeer } from '../support/sip-peer.js';

useLab();

// The clock of the laboratory stands at noon.
const TIME = '12:00:00.000000';
const ANY: unknown = expect.any(String);
const TRANSACTION: unknown = expect.stringMatching(/^[\da-f-]{36}$/);

/** Answers a request in the application's name, as drachtio-srf writes it. */
function answer(frame: Frame, status: number, lines: readonly string[] = [], body = ''): [rest: string, sip: string] {
  const head = [`SIP/2.0 ${status} Fine`, ...lines, `Content-Length: ${body.length}`].join('\r\n');
  return [`sip|${frame.tokens[8]}|`, `${head}\r\n\r\n${body}`];
}

/** A dialog id by its rule. */
function idOf(callId: string, fromTag: string): string {
  return `${callId};from-tag=${fromTag}`;
}

function idOfCall(call: PeerCall): string {
  return idOf(call.callId, call.localTag);
}

/** Address and port of the peer over UDP, which frames name after the size of the message. */
function udpPeer(text: string): readonly string[] {
  return [String(text.length), 'udp', '127.0.0.1', String(peer.port)];
}

/** Tokens of a frame with a message of the peer. */
function received(text: string, transaction: unknown, dialogId: unknown = ''): readonly unknown[] {
  return [ANY, 'sip', 'network', ...udpPeer(text), TIME, transaction, dialogId, ''];
}

/** Tokens of the answer to a command that sent a message to the peer. */
function sent(text: string, ...rest: readonly unknown[]): readonly unknown[] {
  return [ANY, 'response', ANY, 'OK', 'application', ...udpPeer(text), TIME, ...rest, 'Msg sent:', ''];
}

function remote(at: SipPeer, frame: Frame): readonly (string | undefined)[] {
  // Over TCP and WebSocket the peer speaks from a port of its own.
  return ['127.0.0.1', at.transport === 'udp' ? String(at.port) : frame.tokens[6]];
}

test.each(TRANSPORTS)(
  'a new request over %s comes with twelve tokens, and with received and rport in its Via',
  async (transport) => {
    const app = await lab.rawApp({ routes: ['invite'] });
    const phone = await lab.peer(transport);
    const call = phone.call('INVITE', { body: sdp() });
    const frame = await app.next('sip');
    const local = lab.server.listening.find((one) => one.transport === transport);
    const protocol = transport === 'udp' ? 'udp' : 'tcp';
    expect(frame.tokens).toEqual([
      ...[ANY, 'sip', 'network', String(call.sent.length), protocol, ...remote(phone, frame), TIME, TRANSACTION, ''],
      ...['127.0.0.1', String(local?.port), ''],
    ]);
    const [startLine = '', ...lines] = call.sent.split('\r\n');
    const via = lines[0]?.replace('rport', `rport=${frame.tokens[6]}`);
    expect(frame.sip).toBe([startLine, `${via};received=127.0.0.1`, ...lines.slice(1)].join('\r\n'));
    await app.ask(...answer(frame, 404));
    call.ackFailure(await call.response(404));
  },
);

test('a response is shown as it was sent, with the dialog that it makes or would have made', async () => {
  const app = await lab.rawApp({ routes: ['invite', 'subscribe', 'options'] });
  for (const [method, status, hasDialog] of [
    ['INVITE', 180, true],
    ['INVITE', 200, true],
    ['INVITE', 404, true],
    ['SUBSCRIBE', 200, true],
    ['SUBSCRIBE', 489, true],
    ['OPTIONS', 200, false],
  ] as const) {
    const call = peer.call(method);
    const frame = await app.next('sip', ({ sip }) => sip.startsWith(method) && sip.includes(call.callId));
    const told = await app.ask(...answer(frame, status));
    const response = await call.response(status);
    expect(told.tokens).toEqual(sent(response.raw, frame.tokens[8], hasDialog ? idOfCall(call) : '', ''));
    expect(told.sip).toBe(response.raw);
  }
  // Ends the calls and the subscription.
  await lab.server.close();
});

test.each(TRANSPORTS)('a request is shown as it was sent over %s', async (transport) => {
  const app = await lab.rawApp();
  const phone = await lab.peer(transport);
  const told = await app.ask('sip||', `INVITE ${phone.uri} SIP/2.0\r\nX-A: b\r\n\r\n`);
  const invite = await phone.next('INVITE');
  expect(told.tokens).toEqual([
    ...[ANY, 'response', ANY, 'OK', 'application', String(invite.raw.length), transport === 'udp' ? 'udp' : 'tcp'],
    ...['127.0.0.1', String(phone.port), TIME, TRANSACTION, 'Msg sent:', ''],
  ]);
  expect(told.sip).toBe(invite.raw);
  phone.reply(invite, 404);
  const response = await app.next('sip');
  expect(response.tokens[8]).toBe(told.tokens[10]);
});

test('every response to an INVITE but 100 names its transaction and the dialog', async () => {
  const app = await lab.rawApp();
  const told = await app.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  const invite = await peer.next('INVITE');
  const id = idOf(invite.value('Call-ID'), tagIn(invite.value('From')));
  peer.reply(invite, 100);
  for (const status of [180, 404]) {
    const text = peer.reply(invite, status);
    const frame = await app.next('sip');
    expect(frame.tokens).toEqual(received(text, told.tokens[10], id));
    expect(frame.sip).toBe(text);
  }
});

test.each([
  ['OPTIONS', false],
  ['MESSAGE', false],
  ['REGISTER', false],
  ['SUBSCRIBE', true],
])('a response to %s outside dialogs names a dialog: %s', async (method, hasDialog) => {
  const app = await lab.rawApp();
  const told = await app.ask('sip||', `${method} ${peer.uri} SIP/2.0\r\n\r\n`);
  const request = await peer.next(method);
  const text = peer.reply(request, 481);
  // The first response to a request outside calls is held back.
  await lab.pass(6);
  const id = hasDialog ? idOf(request.value('Call-ID'), tagIn(request.value('From'))) : '';
  const { tokens } = await app.next('sip');
  expect(tokens.with(7, TIME)).toEqual(received(text, told.tokens[10], id));
});

test('CANCEL names the transaction of its INVITE, and the dialog if the application has answered', async () => {
  const app = await lab.rawApp({ routes: ['invite'] });
  for (const hasAnswered of [false, true]) {
    const call = peer.call('INVITE');
    const invite = await app.next('sip');
    if (hasAnswered) await app.ask(...answer(invite, 180));
    const text = call.cancel();
    const frame = await app.next('sip');
    expect(frame.tokens).toEqual(received(text, invite.tokens[8], hasAnswered ? idOfCall(call) : ''));
    expect(readSip(frame.sip).method).toBe('CANCEL');
    call.ackFailure(await call.response(487));
  }
});

test('ACK comes under the transaction of its INVITE, and requests in the dialog under their own', async () => {
  const app = await lab.rawApp({ routes: ['invite'] });
  const call = peer.call('INVITE', { body: sdp() });
  const invite = await app.next('sip');
  await app.ask(...answer(invite, 200, ['Content-Type: application/sdp'], sdp('2')));
  await call.response(200);
  const ackText = call.ack();
  const id = idOfCall(call);
  expect((await app.next('sip')).tokens).toEqual(received(ackText, invite.tokens[8], id));
  const transactions = new Set([invite.tokens[8]]);
  for (const method of ['INFO', 'INVITE', 'UPDATE', 'BYE']) {
    const text = call.request(method);
    const frame = await app.next('sip');
    expect(frame.tokens).toEqual(received(text, TRANSACTION, id));
    transactions.add(frame.tokens[8]);
    const told = await app.ask(...answer(frame, 200));
    // With the BYE the dialog is gone, and its answer names none.
    expect(told.tokens.slice(10)).toEqual([frame.tokens[8], method === 'BYE' ? '' : id, '', 'Msg sent:', '']);
    await call.response(`200 ${method}`);
    if (method !== 'INVITE') continue;
    call.ack({ cseq: 3 });
    await app.next('sip', ({ sip }) => sip.startsWith('ACK'));
  }
  expect(transactions.size).toBe(5);
});

test('a request in a dialog is shown without a dialog, and its responses with one', async () => {
  const app = await lab.rawApp({ routes: ['invite'] });
  const call = peer.call('INVITE');
  const invite = await app.next('sip');
  await app.ask(...answer(invite, 200));
  await call.answered();
  await app.next('sip');
  for (const method of ['INFO', 'BYE']) {
    const told = await app.ask(`sip||${idOfCall(call)}`, `${method} sip:ignored SIP/2.0\r\n\r\n`);
    const request = await call.next(method);
    expect(told.tokens).toEqual(sent(request.raw, TRANSACTION));
    expect(told.sip).toBe(request.raw);
    const text = peer.reply(request, 200);
    expect((await app.next('sip')).tokens).toEqual(received(text, told.tokens[10], idOfCall(call)));
  }
});

test('ACK and CANCEL of an application are shown as they were sent, under transactions of their own', async () => {
  const app = await lab.rawApp();
  const called = await app.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 180);
  const ringing = await app.next('sip');
  const cancelled = await app.ask(`sip|${called.tokens[10]}|`, `CANCEL ${peer.uri} SIP/2.0\r\n\r\n`);
  const cancel = await peer.next('CANCEL');
  expect([cancelled.sip, cancelled.tokens.length]).toEqual([cancel.raw, 13]);
  peer.reply(cancel, 200);
  peer.reply(invite, 200);
  await app.next('sip');
  const acknowledged = await app.ask(`sip||${ringing.tokens[9]}`, `ACK ${peer.uri} SIP/2.0\r\n\r\n`);
  const ack = await peer.next('ACK');
  expect([acknowledged.sip, acknowledged.tokens.length]).toEqual([ack.raw, 13]);
  expect(new Set([called, cancelled, acknowledged].map(({ tokens }) => tokens[10])).size).toBe(3);
  peer.reply(await peer.next('BYE'), 200);
});

test('a BYE of the server itself comes unsolicited, from the application side', async () => {
  const app = await lab.rawApp({ routes: ['invite'] });
  const call = peer.call('INVITE');
  await app.ask(...answer(await app.next('sip'), 200));
  await call.response(200);
  await lab.pass(32_000);
  const bye = await call.next('BYE');
  const frame = await app.next('sip');
  expect(frame.tokens).toEqual([
    ...[ANY, 'sip', 'application', ...udpPeer(bye.raw), '12:00:32.000000', 'unsolicited', idOfCall(call), ''],
  ]);
  expect(frame.sip).toBe(bye.raw);
  peer.reply(bye, 200);
});

test('each final response to a proxied request comes with continue, and done ends it', async () => {
  const app = await lab.rawApp({ routes: ['invite'] });
  const [busy, free] = [await lab.peer(), await lab.peer()];
  const call = peer.call('INVITE');
  const invite = await app.next('sip');
  const proxy = `proxy|${invite.tokens[8]}||fullResponse||serial|||${busy.uri}|${free.uri}`;
  const id = app.send(proxy, `INVITE ${busy.uri} SIP/2.0\r\n\r\n`);
  const first = busy.reply(await busy.next('INVITE'), 486);
  const second = await free.next('INVITE');
  free.reply(second, 180);
  const answered = free.reply(second, 200);
  for (const [target, text] of [
    [busy, first],
    [free, answered],
  ] as const) {
    const told = await app.answer(id);
    expect(told.tokens).toEqual([
      ...[ANY, 'response', id, 'OK', 'network', String(text.length), 'udp', '127.0.0.1', String(target.port), TIME],
      ...['', '', 'continue'],
    ]);
    expect(told.sip).toBe(text);
  }
  expect((await app.answer(id)).tokens).toEqual([ANY, 'response', id, 'OK', 'done']);
  await call.response(200);
});

test('a proxied request without fullResponse is answered with done alone', async () => {
  const app = await lab.rawApp({ routes: ['options'] });
  const target = await lab.peer();
  const call = peer.call('OPTIONS');
  const options = await app.next('sip');
  const id = app.send(`proxy|${options.tokens[8]}||||serial|||${target.uri}`, `OPTIONS ${target.uri} SIP/2.0\r\n\r\n`);
  target.reply(await target.next('OPTIONS'), 200);
  expect((await app.answer(id)).tokens).toEqual([ANY, 'response', id, 'OK', 'done']);
  await call.response(200);
});

test('PRACK and UPDATE in an early dialog come under transactions of their own and with the dialog', async () => {
  const app = await lab.rawApp({ routes: ['invite'] });
  const call = peer.call('INVITE', { lines: ['Supported: 100rel'] });
  const invite = await app.next('sip');
  const told = await app.ask(...answer(invite, 183, ['Require: 100rel']));
  await call.response(183);
  const prack = call.request('PRACK', { lines: [`RAck: ${readSip(told.sip).value('RSeq')} 1 INVITE`] });
  const pracked = await app.next('sip');
  expect(pracked.tokens).toEqual(received(prack, TRANSACTION, idOfCall(call)));
  await app.ask(...answer(pracked, 200));
  await call.response('200 PRACK');
  const update = call.request('UPDATE', { body: sdp('3') });
  const updated = await app.next('sip');
  expect(updated.tokens).toEqual(received(update, TRANSACTION, idOfCall(call)));
  expect(new Set([invite, pracked, updated].map(({ tokens }) => tokens[8])).size).toBe(3);
  await app.ask(...answer(updated, 200));
  await call.response('200 UPDATE');
  await app.ask(...answer(invite, 486));
  call.ackFailure(await call.response(486));
});
