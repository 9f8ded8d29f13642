import { expect, test } from 'vitest';
import { app, createLab, lab } from '../support/drachtio-lab.js';
import { caller, other, proxied, refuse, target, told, useProxyLab } from '../support/drachtio-proxied.js';
import { branchOf, readSip, sdp, tagIn, uriIn } from '../support/drachtio-sip-text.js';
import { replyTo, TRANSPORTS } from '../support/sip-peer.js';

useProxyLab('invite', 'bye', 'ack', 'info', 'update', 'options', 'register');

const WAYS = TRANSPORTS.flatMap((from) => TRANSPORTS.map((to) => [from, to] as const));

test.each(WAYS)(
  'a call is forwarded from %s to %s, and the responses reach the caller and the application',
  async (from, to) => {
    const [near, far] = [await lab.peer(from), await lab.peer(to)];
    const { call, result } = await proxied(app, near, { to: far.uri });
    const invite = await far.next('INVITE');
    const [own, theirs] = invite.values('Via');
    expect(own).toMatch(new RegExp(`^SIP/2.0/${to.toUpperCase()} 127.0.0.1:\\d+;`));
    expect(branchOf(invite)).not.toBe(branchOf(readSip(call.sent)));
    expect(theirs).toContain(branchOf(readSip(call.sent)));
    expect([invite.uri, invite.value('Max-Forwards')]).toEqual([far.uri, '69']);
    expect(invite.values('Record-Route')).toEqual([]);
    far.reply(invite, 100);
    far.reply(invite, 180, { tag: 'b' });
    expect(tagIn((await call.response(180)).value('To'))).toBe('b');
    const sent = far.reply(invite, 200, { tag: 'b', body: sdp('2') });
    const ok = await call.response(200);
    expect(ok.raw).toBe(sent.replace(/^Via: .*\r\n/m, ''));
    const answer = await result;
    expect([answer.connected, answer.finalStatus, told(answer)]).toEqual([true, 200, [200]]);
    expect(answer.responses[0]?.port).toBe(far.port);
    expect(answer.finalResponse?.msg.raw).toBe(sent);
    await lab.quiet();
    expect(near.untaken().map(({ status }) => status)).toEqual([100]);
  },
);

test('the header fields of the application are added to a request, and our own Route is removed', async () => {
  const lines = [`Route: <${lab.server.uri('udp')};lr>, <sip:192.0.2.5;lr>`, 'Subject: \u00e9'];
  const headers = { 'X-Added': 'yes', identity: 'added', Subject: 'second', Route: '<sip:never@here>' };
  const { call } = await proxied(app, caller, { to: target.uri, headers }, { lines });
  const invite = await target.next('INVITE');
  expect(invite.lines).toEqual(expect.arrayContaining(['X-Added: yes', 'Identity: added']));
  expect(invite.values('Subject')).toEqual(['\u00e9', 'second']);
  expect([invite.values('Route'), invite.body]).toEqual([['<sip:192.0.2.5;lr>'], sdp('1')]);
  target.reply(invite, 404);
  call.ackFailure(await call.response(404));
});

test('a target of a large INVITE over TCP gets an ACK for its refusal, and a CANCEL', async () => {
  const [near, far] = [await lab.peer('tcp'), await lab.peer('tcp')];
  const body = sdp('1') + 'a=x\r\n'.repeat(20_000);
  const refused = await proxied(app, near, { to: far.uri }, { body });
  await refuse(far, 486);
  refused.call.ackFailure(await refused.call.response(486));
  const cancelled = await proxied(app, near, { to: far.uri }, { body });
  const invite = await far.next('INVITE');
  far.reply(invite, 180);
  await cancelled.call.response(180);
  cancelled.call.cancel();
  far.reply(await far.next('CANCEL'), 200);
  far.reply(invite, 487);
  cancelled.call.ackFailure(await cancelled.call.response(487));
  await far.next('ACK');
});

test('a Request-URI that is not ours is kept, and the call goes to the target of the application', async () => {
  for (const uri of ['sip:555@far.example;user=phone', 'tel:+15551234']) {
    const { call, result } = await proxied(app, caller, { to: target.uri }, { uri });
    const invite = await target.next('INVITE');
    expect(invite.uri).toBe(uri);
    target.reply(invite, 404);
    call.ackFailure(await call.response(404));
    await result;
  }
});

test('a request with Max-Forwards 0 is not forwarded: 483', async () => {
  const { call, result } = await proxied(app, caller, { to: target.uri }, { method: 'OPTIONS', maxForwards: 0 });
  expect((await call.response(483)).reason).toBe('Too Many Hops');
  await expect(result).rejects.toBe('Rejected with 483 Too Many Hops due to Max-Forwards value of 0');
});

test.each(WAYS)(
  'a proxy that stays in the path forwards what follows between %s and %s, and no application sees it',
  async (from, to) => {
    const [near, far] = [await lab.peer(from), await lab.peer(to)];
    const { call, result } = await proxied(app, near, { to: far.uri, recordRoute: true });
    const invite = await far.next('INVITE');
    const [route] = invite.values('Record-Route');
    if (from !== 'ws' && to !== 'ws') expect(route).toBe(`<${lab.server.uri(to)};lr>`);
    far.reply(invite, 200, { tag: 'b', body: sdp('2') });
    await call.response(200);
    expect((await result).connected).toBe(true);
    call.ack();
    const ack = await far.next('ACK');
    expect([ack.uri, ack.values('Route'), ack.value('Max-Forwards')]).toEqual([uriIn(far.contact), [], '69']);
    for (const method of ['INFO', 'INVITE', 'UPDATE']) {
      call.request(method);
      const request = await far.next(method);
      expect([request.values('Route'), request.values('Via').length]).toEqual([[], 2]);
      far.reply(request, 200);
      await call.response(`200 ${method}`);
      if (method !== 'INVITE') continue;
      call.ack({ cseq: 3 });
      await far.next('ACK');
    }
    const back = far.dialog(invite, 'b');
    back.request('BYE');
    const bye = await near.next('BYE');
    expect([bye.uri, bye.values('Route')]).toEqual([uriIn(near.contact), []]);
    near.reply(bye, 200);
    await back.response('200 BYE');
    expect(app.untaken()).toEqual([]);
  },
);

test('a request in a call to a disconnected browser gets 503', async () => {
  const browser = await lab.peer('ws');
  const { call } = await proxied(app, browser, { to: target.uri, recordRoute: true });
  const invite = await target.next('INVITE');
  target.reply(invite, 200, { tag: 'b', body: sdp('2') });
  await call.response(200);
  await browser.close();
  await lab.quiet();
  const back = target.dialog(invite, 'b');
  await back.exchange('503 BYE');
});

test('a Route cannot name the connection of another peer', async () => {
  const browser = await lab.peer('ws');
  const own = lab.server.uri('udp').replace('sip:', `sip:ws-${browser.port}-127.0.0.1-0123456789ab~@`);
  caller.call('BYE', { toTag: 'b', uri: 'sip:x@nowhere.invalid', lines: [`Route: <${own};lr>`] });
  await caller.next('503 BYE');
  expect(browser.untaken()).toEqual([]);
});

test('a proxy with an advertised host stays in the path by that name', async () => {
  const listen = [{ transport: 'udp' as const, host: '0.0.0.0', port: 0 }];
  await using named = await createLab({ listen, advertisedHost: '127.0.0.1' });
  const proxy = await named.app('invite');
  const [near, far] = [await named.peer(), await named.peer()];
  const { call } = await proxied(proxy, near, { to: far.uri, recordRoute: true });
  const invite = await far.next('INVITE');
  expect([invite.uri, invite.values('Record-Route')]).toEqual([far.uri, [`<${named.server.uri('udp')};lr>`]]);
  far.reply(invite, 200, { tag: 'b', body: sdp('2') });
  await call.response(200);
  call.request('BYE');
  far.reply(await far.next('BYE'), 200);
  await call.response('200 BYE');
  await expect(proxy.srf.request(named.server.uri('udp'), { method: 'OPTIONS' })).rejects.toThrow('request to myself');
  await named.nothingLeft();
});

test('a request in a call that names us as its route and has no hops left is answered 483', async () => {
  const lines = [`Route: <${lab.server.uri('udp')};lr>`];
  await caller.call('INFO', { toTag: 'b', lines, maxForwards: 0 }).response(483);
});

test('a registration is forwarded with a Path where the proxy is to stay in it', async () => {
  const { call, result } = await proxied(app, caller, { to: target.uri, path: true }, { method: 'REGISTER' });
  const register = await target.next('REGISTER');
  expect(register.values('Path')).toEqual([`<${lab.server.uri('udp')};lr>`]);
  expect([register.value('Require'), register.values('Record-Route')]).toEqual(['path', []]);
  target.reply(register, 200, { lines: register.values('Path').map((path) => `Path: ${path}`) });
  expect((await call.response(200)).values('Path').length).toBe(1);
  expect((await result).finalStatus).toBe(200);
});

test('a repeated 200 is forwarded again', async () => {
  const { call } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  target.reply(invite, 200, { body: sdp('2') });
  const first = await call.response(200);
  target.reply(invite, 200, { body: sdp('2') });
  expect((await call.response(200)).raw).toBe(first.raw);
});

test.each([401, 407])('a %i goes back to the caller, whose second try is proxied anew', async (status) => {
  const challenge = status === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
  const lines = [`${challenge}: Digest realm="r", nonce="n"`];
  const first = await proxied(app, caller, { to: [target.uri, other.uri] });
  await refuse(target, status, lines);
  const refused = await first.call.response(status);
  expect(refused.value(challenge)).toBe('Digest realm="r", nonce="n"');
  first.call.ackFailure(refused);
  expect((await first.result).finalStatus).toBe(status);
  expect(other.untaken()).toEqual([]);
  const again = {
    callId: first.call.callId,
    fromTag: first.call.localTag,
    cseq: 2,
    lines: ['Authorization: Digest x'],
  };
  const second = await proxied(app, caller, { to: [target.uri, other.uri] }, again);
  const invite = await target.next('INVITE');
  expect(invite.value('Authorization')).toBe('Digest x');
  target.reply(invite, 200, { body: sdp('2') });
  await second.call.response(200);
});

test.each(TRANSPORTS)('the caller cancels a ringing call, with reasons, over %s', async (transport) => {
  const near = await lab.peer(transport);
  const { call, result } = await proxied(app, near, { to: [target.uri, other.uri] });
  const invite = await target.next('INVITE');
  target.reply(invite, 180);
  await call.response(180);
  const reasons = ['SIP;cause=200;text="Call completed elsewhere"', 'Q.850;cause=26'];
  call.cancel(reasons.map((reason) => `Reason: ${reason}`));
  await call.response('200 CANCEL');
  const cancel = await target.next('CANCEL');
  expect(cancel.values('Reason')).toEqual(reasons);
  target.reply(cancel, 200);
  target.reply(invite, 487);
  await target.next('ACK');
  call.ackFailure(await call.response('487 INVITE'));
  const answer = await result;
  expect([answer.connected, answer.finalStatus]).toEqual([false, 487]);
  expect([other.untaken(), app.untaken()]).toEqual([[], []]);
});

test.each(['rings later', 'never responds'])('a caller that cancels gets 487 at once if the target %s', async (how) => {
  const { call, result } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  call.cancel();
  await call.response('200 CANCEL');
  call.ackFailure(await call.response('487 INVITE'));
  await lab.nothingMore(target);
  if (how === 'never responds') await lab.pass(32_000);
  else {
    target.reply(invite, 180);
    target.reply(await target.next('CANCEL'), 200);
    target.reply(invite, 487);
    await target.next('ACK');
  }
  expect((await result).connected).toBe(false);
});

test.each([183, 200, 486])('a %d with our Via alone is not forwarded: the caller gets 502', async (status) => {
  const { call, result } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  const text = replyTo(invite, status, { contact: target.contact });
  invite.reply(text.replace(/^(Via: .*\r\n)Via: .*\r\n/m, '$1'));
  if (status < 200) target.reply(invite, 502);
  if (status !== 200) await target.next('ACK');
  call.ackFailure(await call.response('502 INVITE'));
  expect((await result).connected).toBe(false);
  await lab.quiet();
  expect(caller.untaken().map((response) => response.status)).toEqual([100]);
});

test('a CANCEL that crosses the answer changes nothing', async () => {
  const { call, result } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  target.reply(invite, 180);
  await call.response(180);
  call.cancel();
  await target.next('CANCEL');
  target.reply(invite, 200, { body: sdp('2') });
  await call.response('200 INVITE');
  expect((await result).connected).toBe(true);
});

test('a request cannot be proxied twice', async () => {
  const call = caller.call('OPTIONS');
  const { req } = await app.next('OPTIONS');
  const first = app.srf.proxyRequest(req, target.uri);
  await expect(app.srf.proxyRequest(req, target.uri)).rejects.toBe(`Unknown transaction id: ${req.stackTxnId}`);
  target.reply(await target.next('OPTIONS'), 200);
  await call.response(200);
  await first;
});

test('destinations may be written without a scheme', async () => {
  const { call } = await proxied(app, caller, { to: `127.0.0.1:${target.port}` }, { method: 'OPTIONS' });
  target.reply(await target.next('OPTIONS'), 200);
  await call.response(200);
});

test('a proxied call continues after its application disconnects', async () => {
  const { call } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  await app.close();
  target.reply(invite, 200, { body: sdp('2') });
  await call.response(200);
});
