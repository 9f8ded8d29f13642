import { expect, test } from 'vitest';
import type { AppMessage, AppRequest } from '../support/drachtio-app.js';
import { appCalls, appHangsUp, later, peerCalls, peerHangsUp } from '../support/drachtio-calls.js';
import { createLab, type DrachtioLab } from '../support/drachtio-lab.js';
import { sdp } from '../support/drachtio-sip-text.js';
import type { RawApp } from '../support/drachtio-raw-app.js';

/** An application that asks for every record. */
function accountant(lab: DrachtioLab): Promise<RawApp> {
  return lab.rawApp({ routes: ['cdr:attempt', 'cdr:start', 'cdr:stop'] });
}

/** The records so far: event, source, and role or reason. */
async function records(lab: DrachtioLab, app: RawApp): Promise<readonly string[]> {
  await lab.quiet();
  return app
    .untaken()
    .filter(({ tokens }) => tokens[1]?.startsWith('cdr:') === true)
    .map(({ tokens }) => [tokens[1]?.slice(4), tokens[2], ...tokens.slice(4)].join(' '));
}

test('a call to an application: attempt, start as uas, stop by whoever hangs up', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, app] = [await accountant(lab), await lab.app('invite')];
  const peer = await lab.peer();
  await peerHangsUp(lab, await peerCalls(app, peer));
  const first = ['attempt network', 'start application uas', 'stop network normal-release'];
  expect(await records(lab, books)).toEqual(first);
  const again = await lab.peer();
  await appHangsUp(lab, await peerCalls(app, again));
  expect((await records(lab, books)).slice(3)).toEqual([...first.slice(0, 2), 'stop application normal-release']);
});

test('a call of an application: attempt, start as uac, stop by whoever hangs up', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, app] = [await accountant(lab), await lab.app()];
  await appHangsUp(lab, await appCalls(app, await lab.peer()));
  const first = ['attempt application', 'start network uac', 'stop application normal-release'];
  expect(await records(lab, books)).toEqual(first);
  await peerHangsUp(lab, await appCalls(app, await lab.peer()));
  expect((await records(lab, books)).slice(3)).toEqual([...first.slice(0, 2), 'stop network normal-release']);
});

test.each([404, 487, 603])('a call that an application refuses with %i was rejected', async (status) => {
  await using lab = await createLab({ cdrs: true });
  const [books, app] = [await accountant(lab), await lab.app('invite')];
  const call = (await lab.peer()).call('INVITE');
  (await app.next('INVITE')).res.send(status);
  call.ackFailure(await call.response(status));
  expect(await records(lab, books)).toEqual(['attempt network', 'stop application call-rejected']);
});

test('a call that no application takes was rejected', async () => {
  await using lab = await createLab({ cdrs: true });
  const books = await accountant(lab);
  const call = (await lab.peer()).call('INVITE');
  call.ackFailure(await call.response(503));
  expect(await records(lab, books)).toEqual(['attempt network', 'stop application call-rejected']);
});

test('a call that is given up while it rings was cancelled, once, by CANCEL or by BYE', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, app] = [await accountant(lab), await lab.app('invite', 'bye')];
  const peer = await lab.peer();
  for (const how of ['CANCEL', 'BYE']) {
    const call = peer.call('INVITE');
    const { res } = await app.next('INVITE');
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
  expect(await records(lab, books)).toEqual([...each, ...each]);
  await lab.nothingLeft();
});

test('a call that is cancelled before the application has said anything leaves its attempt alone', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, app] = [await accountant(lab), await lab.app('invite')];
  const call = (await lab.peer()).call('INVITE');
  await app.next('INVITE');
  call.cancel();
  call.ackFailure(await call.response('487 INVITE'));
  expect(await records(lab, books)).toEqual(['attempt network']);
});

test.each([
  [404, 'call-rejected'],
  [487, 'call-canceled'],
])('a call of an application that gets %i: %s', async (status, reason) => {
  await using lab = await createLab({ cdrs: true });
  const [books, { srf }] = [await accountant(lab), await lab.app()];
  const peer = await lab.peer();
  const answered = later(srf.createUAC(peer.uri, { localSdp: sdp() }));
  peer.reply(await peer.next('INVITE'), status);
  await expect(answered).rejects.toMatchObject({ status });
  expect(await records(lab, books)).toEqual(['attempt application', `stop network ${reason}`]);
});

test('a call of an application that nobody answers was rejected', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, { srf }] = [await accountant(lab), await lab.app()];
  const answered = later(srf.createUAC((await lab.peer()).uri, { localSdp: sdp() }));
  await lab.pass(32_000);
  await expect(answered).rejects.toMatchObject({ status: 408 });
  expect(await records(lab, books)).toEqual(['attempt application', 'stop network call-rejected']);
});

test('a call that is challenged is two attempts', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, { srf }] = [await accountant(lab), await lab.app()];
  const peer = await lab.peer();
  const answered = srf.createUAC(peer.uri, { localSdp: sdp(), auth: { username: 'a', password: 'b' } });
  peer.reply(await peer.next('INVITE'), 407, { lines: ['Proxy-Authenticate: Digest realm="r", nonce="n"'] });
  const second = await peer.next('INVITE');
  peer.reply(second, 200, { body: sdp('2') });
  const dialog = await answered;
  await peer.next('ACK');
  expect(await records(lab, books)).toEqual([
    ...['attempt application', 'stop network call-rejected', 'attempt application', 'start network uac'],
  ]);
  await appHangsUp(lab, { dialog, peer, call: peer.dialog(second) });
});

test('a call that is answered while it is cancelled is ended by the system', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, { srf }] = [await accountant(lab), await lab.app()];
  const peer = await lab.peer();
  const sent = new Promise<AppRequest>((resolve) => {
    void srf.createUAC(peer.uri, { localSdp: sdp() }, { cbRequest: (_error, request) => resolve(request) });
  });
  const invite = await peer.next('INVITE');
  peer.reply(invite, 180);
  await lab.quiet();
  (await sent).cancel();
  await peer.next('CANCEL');
  peer.reply(invite, 200, { body: sdp('2') });
  peer.reply(await peer.next('BYE'), 200);
  expect(await records(lab, books)).toEqual([
    ...['attempt application', 'start network uac', 'stop application system-initiated-termination'],
  ]);
});

test('a call without an ACK ends without a record', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, app] = [await accountant(lab), await lab.app('invite')];
  const peer = await lab.peer();
  peer.call('INVITE');
  const { req, res } = await app.next('INVITE');
  await app.srf.createUAS(req, res, { localSdp: sdp() });
  await lab.pass(32_000);
  peer.reply(await peer.next('BYE'), 200);
  expect(await records(lab, books)).toEqual(['attempt network', 'start application uas']);
});

test('a re-INVITE is no attempt', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, app] = [await accountant(lab), await lab.app('invite')];
  const up = await peerCalls(app, await lab.peer());
  const modified = up.dialog.modify(sdp('7'));
  up.peer.reply(await up.call.next('INVITE'), 200, { body: sdp('8') });
  await modified;
  up.call.request('INVITE', { body: sdp('9') });
  await up.call.response('200 INVITE');
  up.call.ack({ cseq: 2 });
  expect((await records(lab, books)).length).toBe(2);
  await peerHangsUp(lab, up);
  expect((await records(lab, books)).length).toBe(3);
});

test('two calls that an application joins: the records of both, by event', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, app] = [await accountant(lab), await lab.app('invite')];
  const [caller, callee] = [await lab.peer(), await lab.peer()];
  const call = caller.call('INVITE', { body: sdp('1') });
  const { req, res } = await app.next('INVITE');
  const joined = app.srf.createB2BUA(req, res, callee.uri, {});
  const invite = await callee.next('INVITE');
  callee.reply(invite, 200, { body: sdp('2') });
  await call.response(200);
  call.ack();
  const { uas, uac } = await joined;
  await callee.next('ACK');
  uas.on('destroy', () => void uac.destroy());
  call.request('BYE');
  await call.response('200 BYE');
  callee.reply(await callee.next('BYE'), 200);
  expect(await records(lab, books)).toEqual([
    ...['attempt network', 'attempt application', 'start network uac', 'start application uas'],
    ...['stop network normal-release', 'stop application normal-release'],
  ]);
  await lab.nothingLeft();
});

test('a proxied call: an attempt for each target, both sides of the answer, and of the BYE', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, app] = [await accountant(lab), await lab.app('invite')];
  const [caller, busy, target] = [await lab.peer(), await lab.peer(), await lab.peer()];
  const call = caller.call('INVITE', { body: sdp('1') });
  const { req } = await app.next('INVITE');
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
  expect(await records(lab, books)).toEqual([
    ...['attempt network', 'attempt application', 'stop network call-rejected', 'attempt application'],
    ...['start network proxy-uac', 'start application proxy-uas'],
    ...['stop network normal-release', 'stop application normal-release'],
  ]);
  await lab.nothingLeft();
});

test('a proxied call that is refused, cancelled, or answered by nobody', async () => {
  await using lab = await createLab({ cdrs: true });
  const [books, app] = [await accountant(lab), await lab.app('invite')];
  const [caller, target] = [await lab.peer(), await lab.peer()];
  for (const how of ['refused', 'cancelled', 'silent']) {
    const call = caller.call('INVITE', { body: sdp('1') });
    const { req } = await app.next('INVITE');
    const result = app.srf.proxyRequest(req, target.uri, { provisionalTimeout: '2s' });
    const invite = await target.next('INVITE');
    if (how === 'refused') target.reply(invite, 404);
    else if (how === 'cancelled') {
      target.reply(invite, 180);
      await call.response(180);
      call.cancel();
      target.reply(await target.next('CANCEL'), 200);
      target.reply(invite, 487);
    } else await lab.pass(2_000);
    const status = { refused: 404, cancelled: 487, silent: 408 }[how] ?? 0;
    call.ackFailure(await call.response(`${status} INVITE`));
    await result;
  }
  expect(await records(lab, books)).toEqual([
    ...['attempt network', 'attempt application', 'stop network call-rejected', 'stop application call-rejected'],
    ...['attempt network', 'attempt application', 'stop network call-canceled', 'stop application call-canceled'],
    ...['attempt network', 'attempt application', 'stop application call-rejected'],
  ]);
  await lab.nothingLeft();
});

test('each record goes to one application in turn, each kind by itself', async () => {
  await using lab = await createLab({ cdrs: true });
  const [first, second] = [await accountant(lab), await lab.rawApp({ routes: ['cdr:attempt'] })];
  const peer = await lab.peer();
  for (let count = 0; count < 4; count += 1) {
    const call = peer.call('INVITE');
    call.ackFailure(await call.response(503));
  }
  const stops = Array.from({ length: 4 }, () => 'stop application call-rejected');
  expect((await records(lab, first)).filter((one) => one.startsWith('attempt')).length).toBe(2);
  expect((await records(lab, first)).filter((one) => one.startsWith('stop'))).toEqual(stops);
  expect(await records(lab, second)).toEqual(['attempt network', 'attempt network']);
});

test('drachtio-srf gets the records with their messages', async () => {
  await using lab = await createLab({ cdrs: true });
  const app = await lab.app('invite');
  const attempts: unknown[][] = [];
  const stops: unknown[][] = [];
  app.srf.on('cdr:attempt', (...record: unknown[]) => void attempts.push(record));
  app.srf.on('cdr:stop', (...record: unknown[]) => void stops.push(record));
  const starts: unknown[][] = [];
  app.srf.on('cdr:start', (...record: unknown[]) => void starts.push(record));
  await lab.quiet();
  await peerHangsUp(lab, await peerCalls(app, await lab.peer()));
  expect(attempts.map((record) => record.slice(0, 2))).toEqual([['network', '12:00:00.000000']]);
  expect(stops.map((record) => record.slice(0, 3))).toEqual([['network', '12:00:00.000000', 'normal-release']]);
  expect((attempts[0]?.[2] as AppMessage | undefined)?.raw).toMatch(/^INVITE /);
  expect((stops[0]?.[3] as AppMessage | undefined)?.raw).toMatch(/^BYE /);
  expect(starts.map((record) => record.slice(0, 3))).toEqual([['application', '12:00:00.000000', 'uas']]);
});

test('without the option there are no records', async () => {
  await using lab = await createLab();
  const [books, app] = [await accountant(lab), await lab.app('invite')];
  await peerHangsUp(lab, await peerCalls(app, await lab.peer()));
  expect(await records(lab, books)).toEqual([]);
});
