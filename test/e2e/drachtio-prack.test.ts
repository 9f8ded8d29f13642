import { describe, expect, test } from 'vitest';
import { heard, type AppDialog, type AppMessage, type AppRequest, type AppResponse } from '../support/drachtio-app.js';
import { later } from '../support/drachtio-calls.js';
import { createLab, type DrachtioLab, type LabApp } from '../support/drachtio-lab.js';
import { branchOf, sdp, tagIn, uriIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type Came, type PeerCall, type ReplyParts, type SipPeer } from '../support/sip-peer.js';

const RELIABLE = { Require: '100rel' };

/** A call that waits at the application. */
async function ringing(app: LabApp, peer: SipPeer, lines: readonly string[] = ['Supported: timer, 100rel']) {
  const call = peer.call('INVITE', { body: sdp('1'), lines });
  return { call, ...(await app.next('INVITE')) };
}

/** PRACKs a response and waits for the answer: to drachtio-srf a PRACK in a call that it takes for answered makes no sense. */
async function prack(call: PeerCall, response: Came, status: 200 | 501 = 200): Promise<void> {
  call.request('PRACK', { lines: [`RAck: ${response.value('RSeq')} ${response.value('CSeq')}`] });
  await call.response(`${status} PRACK`);
}

/** Refuses a call and expects that the server forgets everything. */
async function refused(lab: DrachtioLab, call: PeerCall, res: AppResponse): Promise<void> {
  res.send(486);
  call.ackFailure(await call.response('486 INVITE'));
  await lab.nothingLeft();
}

/** Where a response got to be sent. */
function sent(send: (done: (error: unknown, message?: AppMessage) => void) => void): Promise<AppMessage | string> {
  return new Promise((resolve) => send((error, message) => resolve(message ?? String(error))));
}

test.each(TRANSPORTS)(
  'a reliable 183 is repeated until its PRACK comes, of which the application hears, over %s',
  async (transport) => {
    await using lab = await createLab();
    const app = await lab.app('invite');
    const peer = await lab.peer(transport);
    const { call, req, res } = await ringing(app, peer);
    const acknowledged = new Promise<AppRequest>((resolve) => {
      res.send(183, { headers: { ...RELIABLE }, body: sdp('2') }, null, resolve);
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
    expect(peer.untaken().map(({ status }) => status)).not.toContain(183);
    const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
    const ok = await call.response('200 INVITE');
    expect(tagIn(ok.value('To'))).toBe(tagIn(first.value('To')));
    call.ack();
    await heard(dialog, 'ack');
    call.request('BYE');
    await call.response('200 BYE');
    await lab.nothingLeft();
  },
);

test('a peer that does not know reliable responses gets none, and the application is told', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const peer = await lab.peer();
  const { call, res } = await ringing(app, peer, []);
  const told = await sent((done) => res.send(183, { headers: { ...RELIABLE } }, done));
  expect(told).toBe('Remote endpoint does not support 100rel');
  await lab.quiet();
  expect(peer.untaken().map(({ status }) => status)).toEqual([100]);
  await refused(lab, call, res);
});

test('a reliable response that nobody acknowledges for 32 s ends the call', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const { call, res } = await ringing(app, await lab.peer());
  res.send(183, { headers: { ...RELIABLE } });
  await call.response(183);
  await lab.pass(32_000);
  const late = await call.response(503);
  expect(late.reason).toBe('Reliable Response Time-Out');
  call.ackFailure(late);
  expect(await sent((done) => res.send(200, {}, done))).toBe('Response not sent due to unknown transaction');
  await lab.nothingLeft();
});

test('a second reliable response waits for the PRACK of the first, with the next number', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const peer = await lab.peer();
  const { call, res } = await ringing(app, peer);
  res.send(180, { headers: { ...RELIABLE } });
  res.send(183, { headers: { ...RELIABLE }, body: sdp('2') });
  const first = await call.response(180);
  await lab.quiet();
  expect(peer.untaken().map(({ status }) => status)).not.toContain(183);
  await prack(call, first);
  const second = await call.response(183);
  expect(Number(second.value('RSeq'))).toBe(Number(first.value('RSeq')) + 1);
  await prack(call, second);
  await refused(lab, call, res);
});

test('a 200 waits for the PRACK of a session description, and not for that of a bare response', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const peer = await lab.peer();
  for (const body of [sdp('2'), '']) {
    const { call, req, res } = await ringing(app, peer);
    res.send(183, { headers: { ...RELIABLE }, body });
    const first = await call.response(183);
    const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
    await lab.quiet();
    const isHeld = !peer.untaken().some(({ status }) => status === 200);
    expect(isHeld).toBe(body !== '');
    await prack(call, first, 501);
    await call.response('200 INVITE');
    call.ack();
    await heard(dialog, 'ack');
    call.request('BYE');
    await call.response('200 BYE');
  }
  await lab.nothingLeft();
});

test('where the INVITE requires it, every provisional response but 100 is reliable', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const { call, res } = await ringing(app, await lab.peer(), ['Require: 100rel']);
  expect((await call.response(100)).values('RSeq')).toEqual([]);
  res.send(180);
  const first = await call.response(180);
  expect([first.value('Require'), first.values('RSeq').length]).toEqual(['100rel', 1]);
  await prack(call, first);
  await refused(lab, call, res);
});

test.each([
  ['another number', '1 1 INVITE'],
  ['another CSeq', '@ 7 INVITE'],
  ['another method', '@ 1 UPDATE'],
  ['no sense', 'nonsense'],
])('a PRACK with %s acknowledges nothing: 481', async (_what, rack) => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const { call, res } = await ringing(app, await lab.peer());
  res.send(183, { headers: { ...RELIABLE } });
  const first = await call.response(183);
  call.request('PRACK', { lines: [`RAck: ${rack.replace('@', first.value('RSeq'))}`] });
  await call.response('481 PRACK');
  await prack(call, first);
  await refused(lab, call, res);
});

test('a PRACK whose RAck names the method twice, as a scenario of drachtio-srf writes it, is taken', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const { call, res } = await ringing(app, await lab.peer());
  res.send(183, { headers: { ...RELIABLE } });
  const first = await call.response(183);
  call.request('PRACK', { lines: [`RAck: ${first.value('RSeq')} 1 INVITE INVITE`] });
  await call.response('200 PRACK');
  await refused(lab, call, res);
});

test('a PRACK that comes twice acknowledges once', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const { call, res } = await ringing(app, await lab.peer());
  res.send(183, { headers: { ...RELIABLE } });
  const first = await call.response(183);
  await prack(call, first);
  call.request('PRACK', { lines: [`RAck: ${first.value('RSeq')} 1 INVITE`] });
  await call.response('481 PRACK');
  await refused(lab, call, res);
});

test.each(['refuses', 'cancels', 'hangs up'])('nothing is repeated any more once one side %s', async (how) => {
  await using lab = await createLab();
  const app = await lab.app('invite', 'bye');
  const peer = await lab.peer();
  const { call, res } = await ringing(app, peer);
  res.send(183, { headers: { ...RELIABLE }, body: sdp('2') });
  await call.response(183);
  if (how === 'refuses') res.send(486);
  else if (how === 'cancels') call.cancel();
  else {
    call.request('BYE');
    (await app.next('BYE')).res.send(200);
  }
  call.ackFailure(await call.response(how === 'refuses' ? 486 : 487));
  await lab.pass(31_000);
  expect(peer.untaken().map(({ status }) => status)).not.toContain(183);
  await lab.nothingLeft();
});

test('a call that is cancelled while its 200 waits for a PRACK is over for the application too', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const { call, req, res } = await ringing(app, await lab.peer());
  res.send(183, { headers: { ...RELIABLE }, body: sdp('2') });
  await call.response(183);
  const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
  const destroyed = heard(dialog, 'destroy');
  call.cancel();
  await call.response('200 CANCEL');
  call.ackFailure(await call.response('487 INVITE'));
  await destroyed;
  await lab.nothingLeft();
});

test.each(['caller', 'application'])(
  'a call that the %s ends while its 200 waits for a PRACK gets 487',
  async (who) => {
    await using lab = await createLab();
    const app = await lab.app('invite');
    const peer = await lab.peer();
    const { call, req, res } = await ringing(app, peer);
    res.send(183, { headers: { ...RELIABLE }, body: sdp('2') });
    await call.response(183);
    const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
    if (who === 'caller') {
      const destroyed = heard(dialog, 'destroy');
      call.request('BYE');
      await call.response('200 BYE');
      await destroyed;
    } else {
      const gone = dialog.destroy();
      peer.reply(await call.next('BYE'), 200);
      await gone;
    }
    call.ackFailure(await call.response('487 INVITE'));
    await lab.nothingLeft();
  },
);

test('a call whose 200 waits in vain for a PRACK is over for the application too', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const { call, req, res } = await ringing(app, await lab.peer());
  res.send(183, { headers: { ...RELIABLE }, body: sdp('2') });
  await call.response(183);
  const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
  const destroyed = heard(dialog, 'destroy');
  await lab.pass(32_000);
  call.ackFailure(await call.response('503 INVITE'));
  await destroyed;
  await lab.nothingLeft();
});

test('each INVITE of a call has reliable responses of its own', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const peer = await lab.peer();
  const { call, req, res } = await ringing(app, peer);
  res.send(183, { headers: { ...RELIABLE }, body: sdp('2') });
  await prack(call, await call.response(183));
  const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
  await call.response('200 INVITE');
  call.ack();
  await heard(dialog, 'ack');
  for (const status of [488, 200]) {
    const told = heard<[AppRequest, AppResponse]>(dialog, 'modify');
    const branch = `z9hG4bKagain${status}`;
    const text = call.request('INVITE', { branch, body: sdp('3'), lines: ['Supported: 100rel'] });
    const cseq = Number(/CSeq: (\d+)/.exec(text)?.[1]);
    const [, again] = await told;
    again.send(183, { headers: { ...RELIABLE } });
    await prack(call, await call.response(183), 501);
    again.send(183, { headers: { ...RELIABLE } });
    await call.response(183);
    again.send(status, status === 200 ? { body: sdp('4') } : {});
    await call.response(`${status} INVITE`);
    if (status === 200) call.ack({ cseq });
    else call.request('ACK', { branch, cseq, contact: null });
    await lab.pass(10_000);
    expect(peer.untaken().map((one) => one.status)).not.toContain(183);
  }
  call.request('BYE', { cseq: 90 });
  await call.response('200 BYE');
  await lab.nothingLeft();
});

test.each(TRANSPORTS)(
  'drachtio-srf acknowledges a reliable 183 once, however often it comes, over %s',
  async (transport) => {
    await using lab = await createLab();
    const { srf } = await lab.app();
    const peer = await lab.peer(transport);
    const heardStatuses: number[] = [];
    const answered = srf.createUAC(
      peer.uri,
      { localSdp: sdp('1'), headers: { Supported: '100rel' } },
      {
        cbProvisional: ({ status }) => void heardStatuses.push(status),
      },
    );
    const invite = await peer.next('INVITE');
    const lines = ['Require: 100rel', 'RSeq: 41'];
    peer.reply(invite, 183, { lines, body: sdp('2') });
    const first = await peer.next('PRACK');
    expect(first.value('RAck')).toBe(`41 ${invite.value('CSeq')}`);
    expect([first.uri, tagIn(first.value('To'))]).toEqual([uriIn(peer.contact), 'peer']);
    expect(Number.parseInt(first.value('CSeq'), 10)).toBe(Number.parseInt(invite.value('CSeq'), 10) + 1);
    peer.reply(invite, 183, { lines, body: sdp('2') });
    peer.reply(first, 200);
    // One that comes before the one that is missing is not for the application.
    peer.reply(invite, 183, { lines: ['Require: 100rel', 'RSeq: 43'] });
    await lab.quiet();
    expect([heardStatuses, peer.untaken()]).toEqual([[183], []]);
    peer.reply(invite, 180, { lines: ['Require: 100rel', 'RSeq: 42'] });
    const second = await peer.next('PRACK');
    expect(second.value('RAck')).toBe(`42 ${invite.value('CSeq')}`);
    expect(Number.parseInt(second.value('CSeq'), 10)).toBe(Number.parseInt(first.value('CSeq'), 10) + 1);
    peer.reply(second, 200);
    peer.reply(invite, 200, { body: sdp('2') });
    const dialog = await answered;
    const ack = await peer.next('ACK');
    expect(ack.value('CSeq')).toBe(invite.value('CSeq').replace('INVITE', 'ACK'));
    const gone = dialog.destroy();
    const bye = await peer.next('BYE');
    expect(Number.parseInt(bye.value('CSeq'), 10)).toBe(Number.parseInt(second.value('CSeq'), 10) + 1);
    peer.reply(bye, 200);
    await gone;
    await lab.nothingLeft();
  },
);

describe('a reliable 183 without a Contact', () => {
  /** Answers the PRACK and the INVITE. The application then has a call that it can hang up. */
  async function finish(lab: DrachtioLab, peer: SipPeer, call: Ringing): Promise<void> {
    peer.reply(call.came, 200);
    peer.reply(call.invite, 200, { body: sdp('2') });
    const dialog = await call.answered;
    await peer.next('ACK');
    const gone = dialog.destroy();
    peer.reply(await peer.next('BYE'), 200);
    await gone;
    await lab.nothingLeft();
  }
  interface Ringing {
    readonly invite: Came;
    /** The PRACK. */
    readonly came: Came;
    readonly answered: Promise<AppDialog>;
  }

  test.each(TRANSPORTS)('is acknowledged at the Request-URI, over %s', async (transport) => {
    await using lab = await createLab();
    const { srf } = await lab.app();
    const peer = await lab.peer(transport);
    const answered = srf.createUAC(peer.uri, { localSdp: sdp('1') });
    const invite = await peer.next('INVITE');
    peer.reply(invite, 183, { contact: null, lines: ['Require: 100rel', 'RSeq: 41'] });
    const came = await peer.next('PRACK');
    expect([came.uri, came.value('RAck'), came.values('Route')]).toEqual([peer.uri, `41 ${invite.value('CSeq')}`, []]);
    await finish(lab, peer, { invite, came, answered });
  });

  test('is acknowledged through the route set of its Record-Route', async () => {
    await using lab = await createLab();
    const { srf } = await lab.app();
    const [callee, proxy] = [await lab.peer(), await lab.peer()];
    const route = `<${proxy.uri};lr>`;
    const answered = srf.createUAC(callee.uri, { localSdp: sdp('1') });
    const invite = await callee.next('INVITE');
    const lines = ['Require: 100rel', 'RSeq: 41', `Record-Route: ${route}`];
    callee.reply(invite, 183, { contact: null, lines });
    const came = await proxy.next('PRACK');
    expect([came.uri, came.values('Route')]).toEqual([callee.uri, [route]]);
    await finish(lab, callee, { invite, came, answered });
  });

  test('is acknowledged where the INVITE went, if that was an outbound proxy', async () => {
    await using lab = await createLab();
    const { srf } = await lab.app();
    const proxy = await lab.peer();
    const uri = 'sip:callee@nowhere.invalid';
    const answered = srf.createUAC(uri, { localSdp: sdp('1'), proxy: proxy.uri });
    const invite = await proxy.next('INVITE');
    proxy.reply(invite, 183, { contact: null, lines: ['Require: 100rel', 'RSeq: 41'] });
    const came = await proxy.next('PRACK');
    expect([came.uri, came.values('Route')]).toEqual([uri, []]);
    await finish(lab, proxy, { invite, came, answered });
  });

  test('takes the Contact of an UPDATE that follows', async () => {
    await using lab = await createLab();
    const app = await lab.rawApp();
    const [peer, moved] = [await lab.peer(), await lab.peer()];
    await app.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
    const invite = await peer.next('INVITE');
    peer.reply(invite, 183, { contact: null, lines: ['Require: 100rel', 'RSeq: 3'] });
    const id = (await app.next('sip')).tokens[9];
    peer.dialog(invite).request('UPDATE', { contact: moved.contact });
    const update = await app.next('sip');
    await app.ask(`sip|${update.tokens[8]}|`, 'SIP/2.0 200 OK\r\n\r\n');
    await app.ask(`sip||${id}`, `PRACK sip:ignored SIP/2.0\r\nRAck: 3 ${invite.value('CSeq')}\r\n\r\n`);
    const came = await moved.next('PRACK');
    expect(came.uri).toBe(moved.uri);
    moved.reply(came, 200);
    peer.reply(invite, 486);
    await peer.next('ACK');
    await lab.nothingLeft();
  });
});

describe('a PRACK that cannot be sent', () => {
  const ways: readonly (readonly [string, ReplyParts])[] = [
    ['a Contact with a transport that nobody speaks', { contact: '<sip:peer@127.0.0.1:5099;transport=sctp>' }],
    ['a Contact at a host that does not exist', { contact: '<sip:peer@nowhere.invalid>' }],
    ['a Contact of another scheme', { contact: '<tel:+12025550100>' }],
    ['a To without a tag', { tag: '' }],
  ];
  const unroutable: readonly (readonly [string, ReplyParts, string])[] = ways.flatMap(([what, parts]) =>
    ['487', '200', 'nothing'].map((end) => [what, parts, end] as const),
  );

  test.each(unroutable)(
    'ends the call at once for the application: %s; the peer then says %3$s',
    async (_what, parts, end) => {
      await using lab = await createLab();
      const { srf } = await lab.app();
      const peer = await lab.peer();
      const failed = srf.createUAC(peer.uri, { localSdp: sdp('1') }).catch((error: unknown) => error);
      const invite = await peer.next('INVITE');
      peer.reply(invite, 183, { ...parts, lines: ['Require: 100rel', 'RSeq: 41'] });
      // The clock of the laboratory stands still.
      expect(await failed).toMatchObject({ status: 503 });
      peer.reply(await peer.next('CANCEL'), 200);
      if (end === '487') {
        peer.reply(invite, 487);
        await peer.next('ACK');
      }
      if (end === '200') {
        peer.reply(invite, 200, { body: sdp('2') });
        await peer.next('ACK');
        peer.reply(await peer.next('BYE'), 200);
        // As if the first ACK had been lost.
        peer.reply(invite, 200, { body: sdp('2') });
        await peer.next('ACK');
      }
      await lab.nothingLeft();
    },
  );
});

test('a PRACK of a re-INVITE that cannot be sent ends the re-INVITE at once, and the call goes on', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const peer = await lab.peer();
  await app.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 200);
  const id = (await app.next('sip')).tokens[9];
  const within = `sip||${id}`;
  await app.ask(within, 'ACK sip:ignored SIP/2.0\r\n\r\n');
  await peer.next('ACK');
  const asked = await app.ask(within, 'INVITE sip:ignored SIP/2.0\r\n\r\n');
  const again = await peer.next('INVITE');
  peer.dialog(invite).request('UPDATE', { contact: '<sip:peer@127.0.0.1:5099;transport=sctp>' });
  await app.ask(`sip|${(await app.next('sip')).tokens[8]}|`, 'SIP/2.0 200 OK\r\n\r\n');
  peer.reply(again, 183, { lines: ['Require: 100rel', 'RSeq: 3'] });
  await app.next('sip');
  const refusal = await app.ask(within, `PRACK sip:ignored SIP/2.0\r\nRAck: 3 ${again.value('CSeq')}\r\n\r\n`);
  expect(refusal.tokens[3]).toBe('NOK');
  const failed = await app.next('sip');
  expect([failed.tokens[8], failed.sip.split('\r\n')[0]]).toEqual([
    asked.tokens[10],
    'SIP/2.0 503 Service Unavailable',
  ]);
  peer.reply(await peer.next('CANCEL'), 200);
  // The 200 crosses the CANCEL, and brings a Contact that can be reached.
  peer.reply(again, 200);
  expect((await peer.next('ACK')).value('CSeq')).toBe(again.value('CSeq').replace('INVITE', 'ACK'));
  await app.ask(within, 'BYE sip:ignored SIP/2.0\r\n\r\n');
  peer.reply(await peer.next('BYE'), 200);
  await lab.nothingLeft();
});

test.each(['INFO', 'MESSAGE', 'UPDATE', 'REFER', 'NOTIFY', 'OPTIONS', 'INVITE', 'BYE'])(
  'a %s in a call whose Contact cannot be reached rejects the promise at once',
  async (method) => {
    await using lab = await createLab();
    const app = await lab.app('invite');
    const { call, req, res } = await ringing(app, await lab.peer(), []);
    const dialog = await app.srf.createUAS(req, res, { localSdp: sdp('2') });
    await call.response('200 INVITE');
    call.ack();
    await heard(dialog, 'ack');
    call.request('UPDATE', { contact: '<sip:peer@127.0.0.1:5099;transport=sctp>' });
    await call.response('200 UPDATE');
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
    await lab.nothingLeft();
  },
);

test('reliable responses of two branches of a fork are each acknowledged to their own branch', async () => {
  await using lab = await createLab();
  const { srf } = await lab.app();
  const [peer, one, two] = [await lab.peer(), await lab.peer(), await lab.peer()];
  const answered = srf.createUAC(peer.uri, { localSdp: sdp('1') });
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
  const gone = dialog.destroy();
  one.reply(await one.next('BYE'), 200);
  await gone;
  await lab.nothingLeft();
});

test('an application that joins two calls passes reliable responses on, and the PRACK is its own', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, callee] = [await lab.peer(), await lab.peer()];
  const { call, req, res } = await ringing(app, caller, ['Supported: 100rel']);
  const joined = later(
    app.srf.createB2BUA(req, res, callee.uri, {
      proxyRequestHeaders: ['Supported'],
      proxyResponseHeaders: ['Require'],
    }),
  );
  const invite = await callee.next('INVITE');
  expect(invite.value('Supported')).toBe('100rel');
  callee.reply(invite, 183, { lines: ['Require: 100rel', 'RSeq: 900'], body: sdp('2') });
  callee.reply(await callee.next('PRACK'), 200);
  const progress = await call.response(183);
  expect([progress.value('Require'), progress.body]).toEqual(['100rel', sdp('2')]);
  expect(progress.value('RSeq')).not.toBe('900');
  await prack(call, progress);
  callee.reply(invite, 200, { body: sdp('2') });
  await call.response('200 INVITE');
  call.ack();
  const { uas, uac } = await joined;
  await callee.next('ACK');
  for (const [dialog, peer] of [
    [uas, caller],
    [uac, callee],
  ] as const) {
    const gone: Promise<AppRequest> = (dialog satisfies AppDialog).destroy();
    const bye = await peer.next('BYE');
    expect(branchOf(bye)).not.toBe('');
    peer.reply(bye, 200);
    await gone;
  }
  await lab.nothingLeft();
});

test('an application sends an UPDATE while its call rings, to the branch that rang last', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const peer = await lab.peer();
  await app.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 183, { lines: ['Require: 100rel', 'RSeq: 3'] });
  const id = (await app.next('sip')).tokens[9];
  await app.ask(`sip||${id}`, `PRACK sip:ignored SIP/2.0\r\nRAck: 3 ${invite.value('CSeq')}\r\n\r\n`);
  peer.reply(await peer.next('PRACK'), 200);
  await app.next('sip');
  const told = await app.ask(`sip||${id}`, `UPDATE sip:ignored SIP/2.0\r\n\r\n${sdp('5')}`);
  const update = await peer.next('UPDATE');
  expect([update.raw, update.body, tagIn(update.value('To'))]).toEqual([told.sip, sdp('5'), 'peer']);
  peer.reply(update, 200, { body: sdp('6') });
  const answer = await app.next('sip');
  expect([answer.tokens[8], answer.tokens[9]]).toEqual([told.tokens[10], id]);
  peer.reply(invite, 486);
  await app.next('sip');
  await lab.nothingLeft();
});

test('an application sends an UPDATE while it lets a caller wait', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['invite'] });
  const peer = await lab.peer();
  const call = peer.call('INVITE', { body: sdp('1') });
  const invite = await app.next('sip');
  const told = await app.ask(`sip|${invite.tokens[8]}|`, 'SIP/2.0 183 Session Progress\r\n\r\n');
  await call.response(183);
  await app.ask(`sip||${told.tokens[11]}`, `UPDATE sip:ignored SIP/2.0\r\n\r\n${sdp('5')}`);
  const update = await call.next('UPDATE');
  expect([update.uri, update.body, tagIn(update.value('To'))]).toEqual([uriIn(peer.contact), sdp('5'), call.localTag]);
  peer.reply(update, 200, { body: sdp('6') });
  await app.next('sip');
  await app.ask(`sip|${invite.tokens[8]}|`, 'SIP/2.0 486 Busy Here\r\n\r\n');
  call.ackFailure(await call.response(486));
  await lab.nothingLeft();
});
