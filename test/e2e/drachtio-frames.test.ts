import { expect, test } from 'vitest';
import { createLab } from '../support/drachtio-lab.js';
import type { Frame } from '../support/drachtio-raw-app.js';
import { readSip, sdp, tagIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type PeerCall, type SipPeer } from '../support/sip-peer.js';

// The clock of the laboratory stands at noon.
const TIME = '12:00:00.000000';

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

function remote(peer: SipPeer, frame: Frame, at: number): readonly (string | undefined)[] {
  // Over tcp and ws the peer speaks from a port of its own.
  return ['127.0.0.1', peer.transport === 'udp' ? String(peer.port) : frame.tokens[at]];
}

const ANY: unknown = expect.any(String);
const TRANSACTION: unknown = expect.stringMatching(/^[\da-f-]{36}$/);

test.each(TRANSPORTS)(
  'a new request over %s comes with twelve tokens, and what came with received and rport in its Via',
  async (transport) => {
    await using lab = await createLab();
    const app = await lab.rawApp({ routes: ['invite'] });
    const peer = await lab.peer(transport);
    const call = peer.call('INVITE', { body: sdp() });
    const frame = await app.next('sip');
    const local = lab.server.listening.find((one) => one.transport === transport);
    const protocol = transport === 'udp' ? 'udp' : 'tcp';
    expect(frame.tokens).toEqual([
      ...[ANY, 'sip', 'network', String(call.sent.length), protocol, ...remote(peer, frame, 6), TIME, TRANSACTION, ''],
      ...['127.0.0.1', String(local?.port), ''],
    ]);
    const [startLine = '', ...lines] = call.sent.split('\r\n');
    const via = lines[0]?.replace('rport', `rport=${frame.tokens[6]}`);
    expect(frame.sip).toBe([startLine, `${via};received=127.0.0.1`, ...lines.slice(1)].join('\r\n'));
    await app.ask(...answer(frame, 404));
    call.ackFailure(await call.response(404));
    await lab.nothingLeft();
  },
);

test('a response that was sent is shown as it went out, with the dialog that it makes or would have made', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['invite', 'subscribe', 'options'] });
  const peer = await lab.peer();
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
    expect(told.tokens).toEqual([
      ...[
        ANY,
        'response',
        ANY,
        'OK',
        'application',
        String(response.raw.length),
        'udp',
        '127.0.0.1',
        String(peer.port),
      ],
      ...[TIME, frame.tokens[8], hasDialog ? idOfCall(call) : '', '', 'Msg sent:', ''],
    ]);
    expect(told.sip).toBe(response.raw);
  }
});

test.each(TRANSPORTS)('a request that was sent over %s is shown as it went out', async (transport) => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const peer = await lab.peer(transport);
  const told = await app.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\nX-A: b\r\n\r\n`);
  const invite = await peer.next('INVITE');
  expect(told.tokens).toEqual([
    ...[ANY, 'response', ANY, 'OK', 'application', String(invite.raw.length), transport === 'udp' ? 'udp' : 'tcp'],
    ...['127.0.0.1', String(peer.port), TIME, TRANSACTION, 'Msg sent:', ''],
  ]);
  expect(told.sip).toBe(invite.raw);
  peer.reply(invite, 404);
  const response = await app.next('sip');
  expect(response.tokens[8]).toBe(told.tokens[10]);
  await lab.nothingLeft();
});

test('responses to an INVITE name its transaction and the dialog, whatever they say; 100 is kept back', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const peer = await lab.peer();
  const told = await app.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  const invite = await peer.next('INVITE');
  const id = idOf(invite.value('Call-ID'), tagIn(invite.value('From')));
  for (const status of [100, 180, 404]) {
    const sent = peer.reply(invite, status);
    if (status === 100) continue;
    const frame = await app.next('sip');
    expect(frame.tokens).toEqual([
      ...[
        ANY,
        'sip',
        'network',
        String(sent.length),
        'udp',
        '127.0.0.1',
        String(peer.port),
        TIME,
        told.tokens[10],
        id,
        '',
      ],
    ]);
    expect(frame.sip).toBe(sent);
  }
  await lab.nothingLeft();
});

test.each([
  ['OPTIONS', false],
  ['MESSAGE', false],
  ['REGISTER', false],
  ['SUBSCRIBE', true],
])('a response to %s outside dialogs names a dialog: %s', async (method, hasDialog) => {
  await using lab = await createLab({ firstResponseHoldMs: 0 });
  const app = await lab.rawApp();
  const peer = await lab.peer();
  const told = await app.ask('sip||', `${method} ${peer.uri} SIP/2.0\r\n\r\n`);
  const request = await peer.next(method);
  const sent = peer.reply(request, 481);
  const frame = await app.next('sip');
  const id = hasDialog ? idOf(request.value('Call-ID'), tagIn(request.value('From'))) : '';
  expect(frame.tokens).toEqual([
    ...[
      ANY,
      'sip',
      'network',
      String(sent.length),
      'udp',
      '127.0.0.1',
      String(peer.port),
      TIME,
      told.tokens[10],
      id,
      '',
    ],
  ]);
  await lab.nothingLeft();
});

test('CANCEL names the transaction of its INVITE, and the dialog where the application has answered', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['invite'] });
  const peer = await lab.peer();
  for (const hasAnswered of [false, true]) {
    const call = peer.call('INVITE');
    const invite = await app.next('sip');
    if (hasAnswered) await app.ask(...answer(invite, 180));
    const text = call.cancel();
    const frame = await app.next('sip');
    const dialogId = hasAnswered ? idOfCall(call) : '';
    expect(frame.tokens).toEqual([
      ...[ANY, 'sip', 'network', String(text.length), 'udp', '127.0.0.1', String(peer.port), TIME, invite.tokens[8]],
      ...[dialogId, ''],
    ]);
    expect(readSip(frame.sip).method).toBe('CANCEL');
    call.ackFailure(await call.response(487));
  }
  await lab.nothingLeft();
});

test('ACK comes under the transaction of its INVITE; requests in the dialog under transactions of their own', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['invite'] });
  const peer = await lab.peer();
  const call = peer.call('INVITE', { body: sdp() });
  const invite = await app.next('sip');
  await app.ask(...answer(invite, 200, ['Content-Type: application/sdp'], sdp('2')));
  await call.response(200);
  const ackText = call.ack();
  const ack = await app.next('sip');
  const id = idOfCall(call);
  const meta = (text: string): unknown[] => [
    ...[ANY, 'sip', 'network', String(text.length), 'udp', '127.0.0.1', String(peer.port), TIME],
  ];
  expect(ack.tokens).toEqual([...meta(ackText), invite.tokens[8], id, '']);
  const transactions = new Set([invite.tokens[8]]);
  for (const method of ['INFO', 'INVITE', 'UPDATE', 'BYE']) {
    const text = call.request(method);
    const frame = await app.next('sip');
    expect(frame.tokens).toEqual([...meta(text), TRANSACTION, id, '']);
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
  await lab.nothingLeft();
});

test('a request in a dialog is shown without a dialog, and its responses with one', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['invite'] });
  const peer = await lab.peer();
  const call = peer.call('INVITE');
  const invite = await app.next('sip');
  await app.ask(...answer(invite, 200));
  await call.response(200);
  call.ack();
  await app.next('sip');
  for (const method of ['INFO', 'BYE']) {
    const told = await app.ask(`sip||${idOfCall(call)}`, `${method} sip:ignored SIP/2.0\r\n\r\n`);
    const request = await call.next(method);
    expect(told.tokens).toEqual([
      ...[ANY, 'response', ANY, 'OK', 'application', String(request.raw.length), 'udp', '127.0.0.1', String(peer.port)],
      ...[TIME, TRANSACTION, 'Msg sent:', ''],
    ]);
    expect(told.sip).toBe(request.raw);
    const sent = peer.reply(request, 200);
    expect((await app.next('sip')).tokens).toEqual([
      ...[ANY, 'sip', 'network', String(sent.length), 'udp', '127.0.0.1', String(peer.port), TIME, told.tokens[10]],
      ...[idOfCall(call), ''],
    ]);
  }
  await lab.nothingLeft();
});

test('ACK and CANCEL of an application are shown as they went out, under transactions that nothing else has', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const peer = await lab.peer();
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
  await lab.nothingLeft();
});

test('a BYE of the server itself comes unsolicited, from the application side', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['invite'] });
  const peer = await lab.peer();
  const call = peer.call('INVITE');
  await app.ask(...answer(await app.next('sip'), 200));
  await call.response(200);
  await lab.pass(32_000);
  const bye = await call.next('BYE');
  const frame = await app.next('sip');
  expect(frame.tokens).toEqual([
    ...[ANY, 'sip', 'application', String(bye.raw.length), 'udp', '127.0.0.1', String(peer.port), '12:00:32.000000'],
    ...['unsolicited', idOfCall(call), ''],
  ]);
  expect(frame.sip).toBe(bye.raw);
  peer.reply(bye, 200);
  await lab.nothingLeft();
});

test('each final response to a proxied request comes with continue, and done ends it', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['invite'] });
  const [caller, busy, free] = [await lab.peer(), await lab.peer(), await lab.peer()];
  const call = caller.call('INVITE');
  const invite = await app.next('sip');
  const proxy = `proxy|${invite.tokens[8]}||fullResponse||serial|||${busy.uri}|${free.uri}`;
  const id = app.send(proxy, `INVITE ${busy.uri} SIP/2.0\r\n\r\n`);
  const first = busy.reply(await busy.next('INVITE'), 486);
  const second = await free.next('INVITE');
  free.reply(second, 180);
  const answered = free.reply(second, 200);
  for (const [peer, text] of [
    [busy, first],
    [free, answered],
  ] as const) {
    const told = await app.answer(id);
    expect(told.tokens).toEqual([
      ...[ANY, 'response', id, 'OK', 'network', String(text.length), 'udp', '127.0.0.1', String(peer.port), TIME],
      ...['', '', 'continue'],
    ]);
    expect(told.sip).toBe(text);
  }
  expect((await app.answer(id)).tokens).toEqual([ANY, 'response', id, 'OK', 'done']);
  await call.response(200);
  await lab.nothingLeft();
});

test('a proxied request of which no responses are asked for is told done alone', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['options'] });
  const [caller, target] = [await lab.peer(), await lab.peer()];
  const call = caller.call('OPTIONS');
  const options = await app.next('sip');
  const id = app.send(`proxy|${options.tokens[8]}||||serial|||${target.uri}`, `OPTIONS ${target.uri} SIP/2.0\r\n\r\n`);
  target.reply(await target.next('OPTIONS'), 200);
  expect((await app.answer(id)).tokens).toEqual([ANY, 'response', id, 'OK', 'done']);
  await call.response(200);
  await lab.nothingLeft();
});

test('call detail records come with four tokens, or five with role or reason', async () => {
  await using lab = await createLab({ cdrs: true });
  const app = await lab.rawApp({ routes: ['invite', 'cdr:attempt', 'cdr:start', 'cdr:stop'] });
  const peer = await lab.peer();
  const call = peer.call('INVITE');
  const invite = await app.next('sip');
  const attempt = await app.next('cdr:attempt');
  expect(attempt.tokens).toEqual([ANY, 'cdr:attempt', 'network', TIME]);
  expect(attempt.sip).toBe(invite.sip);
  const told = await app.ask(...answer(invite, 200));
  const start = await app.next('cdr:start');
  expect(start.tokens).toEqual([ANY, 'cdr:start', 'application', TIME, 'uas']);
  expect(start.sip).toBe(told.sip);
  await call.response(200);
  call.ack();
  call.request('BYE');
  const bye = await app.next('sip', ({ sip }) => sip.startsWith('BYE'));
  const stop = await app.next('cdr:stop');
  expect(stop.tokens).toEqual([ANY, 'cdr:stop', 'network', TIME, 'normal-release']);
  expect(stop.sip).toBe(bye.sip);
  await app.ask(...answer(bye, 200));
  await lab.nothingLeft();
});

test('a command that failed comes with NOK and why', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const { tokens, sip } = await app.ask('sip|unknown|', 'SIP/2.0 200 OK\r\n\r\n');
  expect(tokens).toEqual([ANY, 'response', 'm2', 'NOK', 'Response not sent due to unknown transaction']);
  expect(sip).toBe('');
});

test('times have six digits of a second', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['options'] });
  lab.clock.advance(61_234);
  (await lab.peer()).call('OPTIONS');
  expect((await app.next('sip')).tokens[7]).toBe('12:01:01.234000');
});

test('PRACK comes under a transaction of its own and with the dialog', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['invite'] });
  const peer = await lab.peer();
  const call = peer.call('INVITE', { lines: ['Supported: 100rel'] });
  const invite = await app.next('sip');
  const told = await app.ask(...answer(invite, 183, ['Require: 100rel']));
  const rseq = readSip(told.sip).value('RSeq');
  await call.response(183);
  const text = call.request('PRACK', { lines: [`RAck: ${rseq} 1 INVITE`] });
  const frame = await app.next('sip');
  expect(frame.tokens).toEqual([
    ...[ANY, 'sip', 'network', String(text.length), 'udp', '127.0.0.1', String(peer.port), TIME, TRANSACTION],
    ...[idOfCall(call), ''],
  ]);
  expect(frame.tokens[8]).not.toBe(invite.tokens[8]);
  await app.ask(...answer(frame, 200));
  await call.response('200 PRACK');
  await app.ask(...answer(invite, 486));
  call.ackFailure(await call.response(486));
  await lab.nothingLeft();
});

test('UPDATE while a call rings comes under a transaction of its own and with the dialog', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['invite'] });
  const peer = await lab.peer();
  const call = peer.call('INVITE');
  const invite = await app.next('sip');
  await app.ask(...answer(invite, 183));
  await call.response(183);
  call.request('UPDATE', { body: sdp('3') });
  const update = await app.next('sip');
  expect([update.tokens[8], update.tokens[9]]).toEqual([TRANSACTION, idOfCall(call)]);
  expect(update.tokens[8]).not.toBe(invite.tokens[8]);
  await app.ask(...answer(update, 200));
  await call.response('200 UPDATE');
  await app.ask(...answer(invite, 486));
  call.ackFailure(await call.response(486));
  await lab.nothingLeft();
});
