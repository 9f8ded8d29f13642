import { describe, expect, test } from 'vitest';
import { heard, type AppRequest, type AppResponse } from '../support/drachtio-app.js';
import { appHangsUp, incoming, peerCalls, sent } from '../support/drachtio-calls.js';
import { app, lab, peer, useLab } from '../support/drachtio-lab.js';
import { sdp, tagIn, uriIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type Came, type PeerCall, type ReplyParts, type SipPeer } from '../support/sip-peer.js';

useLab({ methods: ['invite', 'bye'] });

const RELIABLE = { headers: { Require: '100rel' } };
const SUPPORTED = { body: sdp('1'), lines: ['Supported: timer, 100rel'] };

/** A call that the application has answered with a reliable 183, which the peer has not acknowledged yet. */
async function reliable(body = '') {
  const { call, req, res } = await incoming(SUPPORTED);
  res.send(183, { ...RELIABLE, body });
  return { call, req, res, first: await call.response(183) };
}

/** Sends a PRACK and waits for its answer. drachtio-srf answers 501 in a call that it takes for answered. */
async function prack(call: PeerCall, response: Came, status: 200 | 481 | 501 = 200): Promise<void> {
  await call.exchange(`${status} PRACK`, { lines: [`RAck: ${response.value('RSeq')} ${response.value('CSeq')}`] });
}

async function refused(call: PeerCall, res: AppResponse): Promise<void> {
  res.send(486);
  call.ackFailure(await call.response('486 INVITE'));
}

test.each(TRANSPORTS)(
  'a reliable 183 is repeated until its PRACK comes, which the application gets, over %s',
  async (transport) => {
    const phone = await lab.peer(transport);
    const { call, req, res } = await incoming(SUPPORTED, phone);
    const acknowledged = new Promise<AppRequest>((resolve) => {
      res.send(183, { ...RELIABLE, body: sdp('2') }, null, resolve);
    });
    const first = await call.response(183);
    expect(first.value('Require')).toBe('100rel');
    expect(Number(first.value('RSeq'))).toBeGreaterThan(0);
    expect(uriIn(first.value('Contact'))).toBe(lab.server.uri(transport));
    for (const waitMs of [500, 1_000, 2_000, 4_000, 8_000]) {
      await lab.pass(waitMs);
      expect((await call.response(183)).raw).toBe(first.raw);
    }
    await prack(call, first);
    expect((await acknowledged).get('RAck')).toBe(`${first.value('RSeq')} 1 INVITE`);
    await lab.pass(30_000);
    expect(phone.untaken().map(({ status }) => status)).not.toContain(183);
    const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
    const ok = await call.response('200 INVITE');
    expect(tagIn(ok.value('To'))).toBe(tagIn(first.value('To')));
    call.ack();
    await heard(dialog, 'ack');
    await call.exchange('200 BYE');
  },
);

test('a peer without 100rel gets no reliable response, and the application an error', async () => {
  const { call, res } = await incoming();
  const failure = await sent((done) => res.send(183, RELIABLE, done));
  expect(failure).toBe('Remote endpoint does not support 100rel');
  await lab.quiet();
  expect(peer.untaken().map(({ status }) => status)).toEqual([100]);
  await refused(call, res);
});

test('a reliable response without a PRACK for 32 s ends the call', async () => {
  const { call, res } = await reliable();
  await lab.pass(32_000);
  const late = await call.response(503);
  expect(late.reason).toBe('Reliable Response Time-Out');
  call.ackFailure(late);
  expect(await sent((done) => res.send(200, {}, done))).toBe('Response not sent due to unknown transaction');
});

test('a second reliable response waits for the PRACK of the first, with the next number', async () => {
  const { call, res } = await incoming(SUPPORTED);
  res.send(180, RELIABLE);
  res.send(183, { ...RELIABLE, body: sdp('2') });
  const first = await call.response(180);
  await lab.quiet();
  expect(peer.untaken().map(({ status }) => status)).not.toContain(183);
  await prack(call, first);
  const second = await call.response(183);
  expect(Number(second.value('RSeq'))).toBe(Number(first.value('RSeq')) + 1);
  await prack(call, second);
  await refused(call, res);
});

test('a 200 waits for the PRACK of a session description, and not for that of a bare response', async () => {
  for (const body of [sdp('2'), '']) {
    const { call, req, res, first } = await reliable(body);
    const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
    await lab.quiet();
    const isHeld = !peer.untaken().some(({ status }) => status === 200);
    expect(isHeld).toBe(body !== '');
    await prack(call, first, 501);
    await call.answered();
    await heard(dialog, 'ack');
    await call.exchange('200 BYE');
  }
});

test('if the INVITE requires 100rel, every provisional response but 100 is reliable', async () => {
  const { call, res } = await incoming({ lines: ['Require: 100rel'] });
  expect((await call.response(100)).values('RSeq')).toEqual([]);
  res.send(180);
  const first = await call.response(180);
  expect([first.value('Require'), first.values('RSeq').length]).toEqual(['100rel', 1]);
  await prack(call, first);
  await refused(call, res);
});

test.each([
  ['another number', '1 1 INVITE'],
  ['another CSeq', '@ 7 INVITE'],
  ['another method', '@ 1 UPDATE'],
  ['no sense', 'nonsense'],
])('a PRACK with %s, or for a second time, acknowledges nothing: 481', async (_what, rack) => {
  const { call, res, first } = await reliable();
  await call.exchange('481 PRACK', { lines: [`RAck: ${rack.replace('@', first.value('RSeq'))}`] });
  await prack(call, first);
  await prack(call, first, 481);
  await refused(call, res);
});

test.each(['refuses', 'cancels', 'hangs up'])('a reliable response is not repeated once one side %s', async (how) => {
  const { call, res } = await reliable(sdp('2'));
  if (how === 'refuses') res.send(486);
  else if (how === 'cancels') call.cancel();
  else {
    call.request('BYE');
    (await app.next('BYE')).res.send(200);
  }
  call.ackFailure(await call.response(how === 'refuses' ? 486 : 487));
  await lab.pass(31_000);
  expect(peer.untaken().map(({ status }) => status)).not.toContain(183);
});

test.each([
  ['CANCEL', 487],
  ['BYE', 487],
  ['BYE of the application', 487],
  ['time-out', 503],
])('a call whose 200 waits for a PRACK is ended by %s, for the application too', async (how, status) => {
  const { call, req, res } = await reliable(sdp('2'));
  const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
  if (how === 'BYE of the application') {
    const gone = dialog.destroy();
    peer.reply(await call.next('BYE'), 200);
    await gone;
  } else {
    const destroyed = heard(dialog, 'destroy');
    if (how === 'CANCEL') call.cancel();
    if (how === 'BYE') call.request('BYE');
    if (how === 'time-out') await lab.pass(32_000);
    else await call.response(`200 ${how}`);
    await destroyed;
  }
  call.ackFailure(await call.response(`${status} INVITE`));
});

test('each INVITE of a call has reliable responses of its own', async () => {
  const { call, req, res, first } = await reliable(sdp('2'));
  await prack(call, first);
  const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
  await call.answered();
  await heard(dialog, 'ack');
  for (const status of [488, 200]) {
    const told = heard<[AppRequest, AppResponse]>(dialog, 'modify');
    const branch = `z9hG4bKagain${status}`;
    const text = call.request('INVITE', { branch, body: sdp('3'), lines: ['Supported: 100rel'] });
    const cseq = Number(/CSeq: (\d+)/.exec(text)?.[1]);
    const [, again] = await told;
    again.send(183, RELIABLE);
    await prack(call, await call.response(183), 501);
    again.send(183, RELIABLE);
    await call.response(183);
    again.send(status, status === 200 ? { body: sdp('4') } : {});
    await call.response(`${status} INVITE`);
    if (status === 200) call.ack({ cseq });
    else call.request('ACK', { branch, cseq, contact: null });
    await lab.pass(10_000);
    expect(peer.untaken().map((one) => one.status)).not.toContain(183);
  }
  await call.exchange('200 BYE', { cseq: 90 });
});

test.each(TRANSPORTS)('drachtio-srf acknowledges a repeated reliable 183 once over %s', async (transport) => {
  const phone = await lab.peer(transport);
  const heardStatuses: number[] = [];
  const answered = app.srf.createUAC(
    phone.uri,
    { localSdp: sdp('1'), headers: { Supported: '100rel' } },
    { cbProvisional: ({ status }) => void heardStatuses.push(status) },
  );
  const invite = await phone.next('INVITE');
  const lines = ['Require: 100rel', 'RSeq: 41'];
  phone.reply(invite, 183, { lines, body: sdp('2') });
  const first = await phone.next('PRACK');
  expect(first.value('RAck')).toBe(`41 ${invite.value('CSeq')}`);
  expect([first.uri, tagIn(first.value('To'))]).toEqual([uriIn(phone.contact), 'peer']);
  expect(Number.parseInt(first.value('CSeq'), 10)).toBe(Number.parseInt(invite.value('CSeq'), 10) + 1);
  phone.reply(invite, 183, { lines, body: sdp('2') });
  phone.reply(first, 200);
  // A response that overtakes the one before is not delivered.
  phone.reply(invite, 183, { lines: ['Require: 100rel', 'RSeq: 43'] });
  await lab.quiet();
  expect([heardStatuses, phone.untaken()]).toEqual([[183], []]);
  phone.reply(invite, 180, { lines: ['Require: 100rel', 'RSeq: 42'] });
  const second = await phone.next('PRACK');
  expect(second.value('RAck')).toBe(`42 ${invite.value('CSeq')}`);
  expect(Number.parseInt(second.value('CSeq'), 10)).toBe(Number.parseInt(first.value('CSeq'), 10) + 1);
  phone.reply(second, 200);
  phone.reply(invite, 200, { body: sdp('2') });
  const dialog = await answered;
  const ack = await phone.next('ACK');
  expect(ack.value('CSeq')).toBe(invite.value('CSeq').replace('INVITE', 'ACK'));
  await appHangsUp({ dialog, peer: phone });
  const bye = phone.all.find(({ method }) => method === 'BYE');
  expect(Number.parseInt(bye?.value('CSeq') ?? '', 10)).toBe(Number.parseInt(second.value('CSeq'), 10) + 1);
});

describe('a reliable 183 without a Contact', () => {
  /** Calls, answers 183 without a Contact, PRACK and INVITE, and hangs up. Returns the PRACK with its INVITE. */
  async function pracked(parts: { callee?: SipPeer; at?: SipPeer; uri?: string; proxy?: string; lines?: string[] }) {
    const { callee = peer, at = callee, uri = callee.uri, proxy, lines = [] } = parts;
    const answered = app.srf.createUAC(uri, { localSdp: sdp('1'), ...(proxy !== undefined && { proxy }) });
    const invite = await callee.next('INVITE');
    callee.reply(invite, 183, { contact: null, lines: ['Require: 100rel', 'RSeq: 41', ...lines] });
    const came = await at.next('PRACK');
    callee.reply(came, 200);
    callee.reply(invite, 200, { body: sdp('2') });
    const dialog = await answered;
    await callee.next('ACK');
    await appHangsUp({ dialog, peer: callee });
    return { came, invite };
  }

  test.each(TRANSPORTS)('is acknowledged at the Request-URI, over %s', async (transport) => {
    const callee = await lab.peer(transport);
    const { came, invite } = await pracked({ callee });
    expect([came.uri, came.value('RAck'), came.values('Route')]).toEqual([
      callee.uri,
      `41 ${invite.value('CSeq')}`,
      [],
    ]);
  });

  test('is acknowledged through the route set of its Record-Route', async () => {
    const at = await lab.peer();
    const route = `<${at.uri};lr>`;
    const { came } = await pracked({ at, lines: [`Record-Route: ${route}`] });
    expect([came.uri, came.values('Route')]).toEqual([peer.uri, [route]]);
  });

  test('is acknowledged at the outbound proxy that the INVITE went to', async () => {
    const uri = 'sip:callee@nowhere.invalid';
    const { came } = await pracked({ uri, proxy: peer.uri });
    expect([came.uri, came.values('Route')]).toEqual([uri, []]);
  });

  test('takes the Contact of an UPDATE that follows', async () => {
    const [raw, moved] = [await lab.rawApp(), await lab.peer()];
    await raw.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
    const invite = await peer.next('INVITE');
    peer.reply(invite, 183, { contact: null, lines: ['Require: 100rel', 'RSeq: 3'] });
    const id = (await raw.next('sip')).tokens[9];
    peer.dialog(invite).request('UPDATE', { contact: moved.contact });
    const update = await raw.next('sip');
    await raw.ask(`sip|${update.tokens[8]}|`, 'SIP/2.0 200 OK\r\n\r\n');
    await raw.ask(`sip||${id}`, `PRACK sip:ignored SIP/2.0\r\nRAck: 3 ${invite.value('CSeq')}\r\n\r\n`);
    const came = await moved.next('PRACK');
    expect(came.uri).toBe(moved.uri);
    moved.reply(came, 200);
    peer.reply(invite, 486);
    await peer.next('ACK');
  });
});

const UNREACHABLE = '<sip:peer@127.0.0.1:5099;transport=sctp>';

describe('a PRACK that cannot be sent', () => {
  const ways: readonly (readonly [string, ReplyParts])[] = [
    ['a Contact with an unknown transport', { contact: UNREACHABLE }],
    ['a Contact at a host that does not exist', { contact: '<sip:peer@nowhere.invalid>' }],
    ['a Contact of another scheme', { contact: '<tel:+12025550100>' }],
    ['a To without a tag', { tag: '' }],
  ];
  const unroutable: readonly (readonly [string, ReplyParts, string])[] = ways.flatMap(([what, parts]) =>
    ['487', '200', 'nothing'].map((end) => [what, parts, end] as const),
  );

  test.each(unroutable)(
    'ends the call at once for the application: %s; the peer then sends %3$s',
    async (_what, parts, end) => {
      const failed = app.srf.createUAC(peer.uri, { localSdp: sdp('1') }).catch((error: unknown) => error);
      const invite = await peer.next('INVITE');
      peer.reply(invite, 183, { ...parts, lines: ['Require: 100rel', 'RSeq: 41'] });
      // The clock of the laboratory stands still.
      expect(await failed).toMatchObject({ status: 503 });
      peer.reply(await peer.next('CANCEL'), 200);
      if (end === 'nothing') return;
      peer.reply(invite, Number(end), { body: sdp('2') });
      await peer.next('ACK');
      if (end === '487') return;
      peer.reply(await peer.next('BYE'), 200);
      // As if the first ACK had been lost.
      peer.reply(invite, 200, { body: sdp('2') });
      await peer.next('ACK');
    },
  );
});

test('a PRACK of a re-INVITE that cannot be sent ends the re-INVITE at once, and the call goes on', async () => {
  const raw = await lab.rawApp();
  await raw.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 200);
  const id = (await raw.next('sip')).tokens[9];
  const within = `sip||${id}`;
  await raw.ask(within, 'ACK sip:ignored SIP/2.0\r\n\r\n');
  await peer.next('ACK');
  const asked = await raw.ask(within, 'INVITE sip:ignored SIP/2.0\r\n\r\n');
  const again = await peer.next('INVITE');
  peer.dialog(invite).request('UPDATE', { contact: UNREACHABLE });
  await raw.ask(`sip|${(await raw.next('sip')).tokens[8]}|`, 'SIP/2.0 200 OK\r\n\r\n');
  peer.reply(again, 183, { lines: ['Require: 100rel', 'RSeq: 3'] });
  await raw.next('sip');
  const refusal = await raw.ask(within, `PRACK sip:ignored SIP/2.0\r\nRAck: 3 ${again.value('CSeq')}\r\n\r\n`);
  expect(refusal.tokens[3]).toBe('NOK');
  const failed = await raw.next('sip');
  expect([failed.tokens[8], failed.sip.split('\r\n')[0]]).toEqual([
    asked.tokens[10],
    'SIP/2.0 503 Service Unavailable',
  ]);
  peer.reply(await peer.next('CANCEL'), 200);
  // The 200 crosses the CANCEL, and brings a Contact that can be reached.
  peer.reply(again, 200);
  expect((await peer.next('ACK')).value('CSeq')).toBe(again.value('CSeq').replace('INVITE', 'ACK'));
  await raw.ask(within, 'BYE sip:ignored SIP/2.0\r\n\r\n');
  peer.reply(await peer.next('BYE'), 200);
});

test.each(['INFO', 'MESSAGE', 'UPDATE', 'REFER', 'NOTIFY', 'OPTIONS', 'INVITE', 'BYE'])(
  'a %s in a call whose Contact cannot be reached rejects the promise at once',
  async (method) => {
    const { call, dialog } = await peerCalls(app, peer);
    await call.exchange('200 UPDATE', { contact: UNREACHABLE });
    const asked =
      method === 'INVITE'
        ? dialog.modify(sdp('3'))
        : method === 'BYE'
          ? dialog.destroy()
          : dialog.request({ method, headers: {} });
    await expect(asked).rejects.toThrow('unable to find route');
    await lab.pass(0);
    if (method !== 'BYE') call.request('BYE');
    if (method !== 'BYE') await call.response('200 BYE');
  },
);

test('reliable responses of two branches of a fork are each acknowledged to their own branch', async () => {
  const [one, two] = [await lab.peer(), await lab.peer()];
  const answered = app.srf.createUAC(peer.uri, { localSdp: sdp('1') });
  const invite = await peer.next('INVITE');
  const lines = ['Require: 100rel', 'RSeq: 7'];
  // Both in one go, and with the same number.
  peer.reply(invite, 183, { tag: 'one', contact: one.contact, lines, body: sdp('2') });
  peer.reply(invite, 183, { tag: 'two', contact: two.contact, lines, body: sdp('3') });
  for (const [branch, tag] of [
    [one, 'one'],
    [two, 'two'],
  ] as const) {
    const came = await branch.next('PRACK');
    expect([tagIn(came.value('To')), came.uri]).toEqual([tag, branch.uri]);
    branch.reply(came, 200);
  }
  peer.reply(invite, 200, { tag: 'one', contact: one.contact, body: sdp('2') });
  const dialog = await answered;
  await one.next('ACK');
  expect(lab.server.inUse().dialogs).toBe(1);
  await appHangsUp({ dialog, peer: one });
});

test('an application sends an UPDATE while its call rings, to the branch that rang last', async () => {
  const raw = await lab.rawApp();
  await raw.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 183, { lines: ['Require: 100rel', 'RSeq: 3'] });
  const id = (await raw.next('sip')).tokens[9];
  await raw.ask(`sip||${id}`, `PRACK sip:ignored SIP/2.0\r\nRAck: 3 ${invite.value('CSeq')}\r\n\r\n`);
  peer.reply(await peer.next('PRACK'), 200);
  await raw.next('sip');
  const told = await raw.ask(`sip||${id}`, `UPDATE sip:ignored SIP/2.0\r\n\r\n${sdp('5')}`);
  const update = await peer.next('UPDATE');
  expect([update.raw, update.body, tagIn(update.value('To'))]).toEqual([told.sip, sdp('5'), 'peer']);
  peer.reply(update, 200, { body: sdp('6') });
  const answer = await raw.next('sip');
  expect([answer.tokens[8], answer.tokens[9]]).toEqual([told.tokens[10], id]);
  peer.reply(invite, 486);
  await raw.next('sip');
});

test('an application sends an UPDATE while it has an early dialog with a caller', async () => {
  await app.close();
  const raw = await lab.rawApp({ routes: ['invite'] });
  const call = peer.call('INVITE', { body: sdp('1') });
  const invite = await raw.next('sip');
  const told = await raw.ask(`sip|${invite.tokens[8]}|`, 'SIP/2.0 183 Session Progress\r\n\r\n');
  await call.response(183);
  await raw.ask(`sip||${told.tokens[11]}`, `UPDATE sip:ignored SIP/2.0\r\n\r\n${sdp('5')}`);
  const update = await call.next('UPDATE');
  expect([update.uri, update.body, tagIn(update.value('To'))]).toEqual([uriIn(peer.contact), sdp('5'), call.localTag]);
  peer.reply(update, 200, { body: sdp('6') });
  await raw.next('sip');
  await raw.ask(`sip|${invite.tokens[8]}|`, 'SIP/2.0 486 Busy Here\r\n\r\n');
  call.ackFailure(await call.response(486));
});
