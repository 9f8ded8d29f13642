import { beforeEach, expect, test } from 'vitest';
import type { AppMessage } from '../support/drachtio-app.js';
import { appCalls, appHangsUp, incoming, later, peerCalls, peerHangsUp, placedAt } from '../support/drachtio-calls.js';
import { app, createLab, lab, peer, useLab, type DrachtioLab } from '../support/drachtio-lab.js';
import { sdp } from '../support/drachtio-sip-text.js';
import type { RawApp } from '../support/drachtio-raw-app.js';

useLab({ methods: ['invite', 'bye'], cdrs: true });

/** An application that asks for every record. */
function connectAccountant(own: DrachtioLab): Promise<RawApp> {
  return own.rawApp({ routes: ['cdr:attempt', 'cdr:start', 'cdr:stop'] });
}

let accountant: RawApp;
beforeEach(async () => {
  accountant = await connectAccountant(lab);
});

/** The records so far: event, source, and role or reason. */
async function records(of = accountant): Promise<readonly string[]> {
  await lab.quiet();
  return of
    .untaken()
    .filter(({ tokens }) => tokens[1]?.startsWith('cdr:') === true)
    .map(({ tokens }) => [tokens[1]?.slice(4), tokens[2], ...tokens.slice(4)].join(' '));
}

test.each([
  ['to', peerCalls, ['attempt network', 'start application uas']],
  ['of', appCalls, ['attempt application', 'start network uac']],
] as const)(
  'a call %s an application: attempt, start, and a stop by the side that hangs up',
  async (_way, calls, first) => {
    await peerHangsUp(await calls(app, peer));
    expect(await records()).toEqual([...first, 'stop network normal-release']);
    await appHangsUp(await calls(app, peer));
    expect((await records()).slice(3)).toEqual([...first, 'stop application normal-release']);
  },
);

test.each([404, 487, 603])('a call that an application refuses with %i was rejected', async (status) => {
  const { call, res } = await incoming();
  res.send(status);
  call.ackFailure(await call.response(status));
  expect(await records()).toEqual(['attempt network', 'stop application call-rejected']);
});

test('a call that rings is cancelled, once, by CANCEL or by BYE', async () => {
  for (const how of ['CANCEL', 'BYE']) {
    const { call, res } = await incoming();
    res.send(180);
    await call.response(180);
    if (how === 'CANCEL') call.cancel();
    else {
      call.request('BYE');
      (await app.next('BYE')).res.send(200);
    }
    call.ackFailure(await call.response('487 INVITE'));
  }
  const each = ['attempt network', 'stop network call-canceled'];
  expect(await records()).toEqual([...each, ...each]);
});

test('a call that is cancelled before any answer of the application has an attempt alone', async () => {
  const { call } = await incoming();
  call.cancel();
  call.ackFailure(await call.response('487 INVITE'));
  expect(await records()).toEqual(['attempt network']);
});

test.each([
  [404, 'call-rejected'],
  [487, 'call-canceled'],
  [408, 'call-rejected'],
])('a call of an application that ends with %i: %s', async (status, reason) => {
  const answered = later(app.srf.createUAC(peer.uri, { localSdp: sdp() }));
  const invite = await peer.next('INVITE');
  if (status === 408) await lab.pass(32_000);
  else peer.reply(invite, status);
  await expect(answered).rejects.toMatchObject({ status });
  expect(await records()).toEqual(['attempt application', `stop network ${reason}`]);
});

test('a challenged call has two attempts', async () => {
  const answered = app.srf.createUAC(peer.uri, { localSdp: sdp(), auth: { username: 'a', password: 'b' } });
  peer.reply(await peer.next('INVITE'), 407, { lines: ['Proxy-Authenticate: Digest realm="r", nonce="n"'] });
  peer.reply(await peer.next('INVITE'), 200, { body: sdp('2') });
  const dialog = await answered;
  expect(await records()).toEqual([
    ...['attempt application', 'stop network call-rejected', 'attempt application', 'start network uac'],
  ]);
  await appHangsUp({ dialog, peer });
});

test('a call that is answered while it is cancelled is ended by the system', async () => {
  const { invite, ...placed } = await placedAt(app, peer);
  peer.reply(invite, 180);
  await lab.quiet();
  (await placed.request).cancel();
  await peer.next('CANCEL');
  peer.reply(invite, 200, { body: sdp('2') });
  peer.reply(await peer.next('BYE'), 200);
  expect(await records()).toEqual([
    ...['attempt application', 'start network uac', 'stop application system-initiated-termination'],
  ]);
});

test('a call without an ACK ends without a record', async () => {
  const { req, res } = await incoming();
  await app.srf.createUAS(req, res, { localSdp: sdp() });
  await lab.pass(32_000);
  peer.reply(await peer.next('BYE'), 200);
  expect(await records()).toEqual(['attempt network', 'start application uas']);
});

test('a re-INVITE has no record', async () => {
  const up = await peerCalls(app, peer);
  const modified = up.dialog.modify(sdp('7'));
  up.peer.reply(await up.call.next('INVITE'), 200, { body: sdp('8') });
  await modified;
  await up.call.exchange('200 INVITE', { body: sdp('9') });
  up.call.ack({ cseq: 2 });
  expect((await records()).length).toBe(2);
  await peerHangsUp(up);
  expect((await records()).length).toBe(3);
});

test('two calls that an application joins: the records of both, by event', async () => {
  const callee = await lab.peer();
  const { call, req, res } = await incoming({ body: sdp('1') });
  const joined = app.srf.createB2BUA(req, res, callee.uri, {});
  callee.reply(await callee.next('INVITE'), 200, { body: sdp('2') });
  await call.answered();
  const { uas, uac } = await joined;
  await callee.next('ACK');
  uas.on('destroy', () => void uac.destroy());
  await peerHangsUp({ call });
  callee.reply(await callee.next('BYE'), 200);
  expect(await records()).toEqual([
    ...['attempt network', 'attempt application', 'start network uac', 'start application uas'],
    ...['stop network normal-release', 'stop application normal-release'],
  ]);
});

test('a proxied call: an attempt for each target, both sides of the answer, and of the BYE', async () => {
  const [busy, target] = [await lab.peer(), await lab.peer()];
  const { call, req } = await incoming({ body: sdp('1') });
  const result = app.srf.proxyRequest(req, [busy.uri, target.uri], { recordRoute: true });
  busy.reply(await busy.next('INVITE'), 486);
  target.reply(await target.next('INVITE'), 200, { body: sdp('2') });
  await call.response(200);
  await result;
  call.ack();
  await target.next('ACK');
  call.request('BYE');
  target.reply(await target.next('BYE'), 200);
  await call.response('200 BYE');
  expect(await records()).toEqual([
    ...['attempt network', 'attempt application', 'stop network call-rejected', 'attempt application'],
    ...['start network proxy-uac', 'start application proxy-uas'],
    ...['stop network normal-release', 'stop application normal-release'],
  ]);
});

test.each([
  [404, ['stop network call-rejected', 'stop application call-rejected']],
  [487, ['stop network call-canceled', 'stop application call-canceled']],
  [408, ['stop application call-rejected']],
])('a proxied call that ends with %i: %j', async (status, stops) => {
  const target = await lab.peer();
  const { call, req } = await incoming({ body: sdp('1') });
  const result = app.srf.proxyRequest(req, target.uri, { provisionalTimeout: '2s' });
  const invite = await target.next('INVITE');
  if (status === 408) await lab.pass(2_000);
  if (status === 487) {
    target.reply(invite, 180);
    await call.response(180);
    call.cancel();
    target.reply(await target.next('CANCEL'), 200);
  }
  if (status !== 408) target.reply(invite, status);
  call.ackFailure(await call.response(`${status} INVITE`));
  await result;
  expect(await records()).toEqual(['attempt network', 'attempt application', ...stops]);
});

test('each kind of record goes to its applications by turns, also for a call without an application', async () => {
  await app.close();
  const second = await lab.rawApp({ routes: ['cdr:attempt'] });
  for (let count = 0; count < 4; count += 1) {
    const call = peer.call('INVITE');
    call.ackFailure(await call.response(503));
  }
  const first = await records();
  expect(first.filter((one) => one.startsWith('attempt')).length).toBe(2);
  expect(first.filter((one) => one.startsWith('stop'))).toEqual(Array(4).fill('stop application call-rejected'));
  expect(await records(second)).toEqual(['attempt network', 'attempt network']);
});

test('drachtio-srf gets the records with their messages', async () => {
  await accountant.close();
  const events: unknown[][] = [];
  for (const name of ['attempt', 'start', 'stop'])
    app.srf.on(`cdr:${name}`, (...record: unknown[]) => void events.push([name, ...record]));
  await lab.quiet();
  await peerHangsUp(await peerCalls(app, peer));
  const time = '12:00:00.000000';
  expect(events.map((record) => record.slice(0, -1))).toEqual([
    ['attempt', 'network', time],
    ['start', 'application', time, 'uas'],
    ['stop', 'network', time, 'normal-release'],
  ]);
  const [attempt, , stop] = events.map((record) => (record.at(-1) as AppMessage).raw);
  expect(attempt).toMatch(/^INVITE /);
  expect(stop).toMatch(/^BYE /);
});

test('without the option there are no records', async () => {
  await using plain = await createLab();
  const [raw, taker] = [await connectAccountant(plain), await plain.app('invite')];
  await peerHangsUp(await peerCalls(taker, await plain.peer()));
  await plain.quiet();
  expect(await records(raw)).toEqual([]);
});
