import { expect, test } from 'vitest';
import { proxied, refuse, threePeers, told } from '../support/drachtio-proxied.js';
import { createLab } from '../support/drachtio-lab.js';
import { branchOf, readSip, sdp, tagIn, uriIn } from '../support/drachtio-sip-text.js';
import { replyTo, TRANSPORTS } from '../support/sip-peer.js';

test.each(TRANSPORTS.flatMap((from) => TRANSPORTS.map((to) => [from, to] as const)))(
  'a call is forwarded from %s to %s, and what comes back is passed on and told',
  async (from, to) => {
    await using lab = await createLab();
    const app = await lab.app('invite');
    const [caller, target] = [await lab.peer(from), await lab.peer(to)];
    const { call, result } = await proxied(app, caller, { to: target.uri });
    const invite = await target.next('INVITE');
    const [own, theirs] = invite.values('Via');
    expect(own).toMatch(new RegExp(`^SIP/2.0/${to.toUpperCase()} 127.0.0.1:\\d+;`));
    expect(branchOf(invite)).not.toBe(branchOf(readSip(call.sent)));
    expect(theirs).toContain(branchOf(readSip(call.sent)));
    expect([invite.uri, invite.value('Max-Forwards')]).toEqual([target.uri, '69']);
    expect(invite.values('Record-Route')).toEqual([]);
    target.reply(invite, 100);
    target.reply(invite, 180, { tag: 'b' });
    expect(tagIn((await call.response(180)).value('To'))).toBe('b');
    const sent = target.reply(invite, 200, { tag: 'b', body: sdp('2') });
    const ok = await call.response(200);
    expect(ok.raw).toBe(sent.replace(/^Via: .*\r\n/m, ''));
    const answer = await result;
    expect([answer.connected, answer.finalStatus, told(answer)]).toEqual([true, 200, [200]]);
    expect(answer.responses[0]?.port).toBe(target.port);
    expect(answer.finalResponse?.msg.raw).toBe(sent);
    await lab.quiet();
    expect(caller.untaken().map(({ status }) => status)).toEqual([100]);
    await lab.nothingLeft();
  },
);

test('a request leaves as it came but for Via, Max-Forwards, Route and what the application adds', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await threePeers(lab);
  const own = lab.server.uri('udp');
  const lines = [
    `Route: <${own};lr>, <sip:192.0.2.5;lr>`,
    'y: eyJhbGciOiJFUzI1NiJ9..compact;info=<https://a.example/c>;alg=ES256',
    'Identity: folded;\r\n info=<https://a.example/c>\r\n\t;alg=ES256',
    'identity:   eyJ.x.y;info=<https://b.example/c>',
    'X-Odd:  two  blanks ',
    'Subject: \u00e9',
  ];
  const { call, result } = await proxied(
    app,
    caller,
    { to: target.uri, headers: { 'X-Added': 'yes', identity: 'added', Subject: 'second', Route: '<sip:never@here>' } },
    { lines },
  );
  const invite = await target.next('INVITE');
  const before = call.sent.split('\r\n');
  const after = invite.raw.split('\r\n');
  const isHop = (line: string): boolean => /^(Via|Max-Forwards|Route):/i.test(line) || line.startsWith('INVITE ');
  const added = ['X-Added: yes', 'Identity: added', 'Subject: second'];
  const untouched = after.filter((line) => !isHop(line) && !added.includes(line));
  expect(untouched).toEqual(before.filter((line) => !isHop(line)));
  for (const line of added) expect(after).toContain(line);
  expect(invite.values('Route')).toEqual(['<sip:192.0.2.5;lr>']);
  expect(invite.body).toBe(sdp('1'));
  target.reply(invite, 404);
  call.ackFailure(await call.response(404));
  await result;
  await lab.nothingLeft();
});

test('a target of a large INVITE over TCP gets an ACK for its refusal, and a CANCEL', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = [await lab.peer('tcp'), await lab.peer('tcp')];
  const body = sdp('1') + 'a=x\r\n'.repeat(20_000);
  const refused = await proxied(app, caller, { to: target.uri }, { body });
  await refuse(target, 486);
  refused.call.ackFailure(await refused.call.response(486));
  const cancelled = await proxied(app, caller, { to: target.uri }, { body });
  const invite = await target.next('INVITE');
  target.reply(invite, 180);
  await cancelled.call.response(180);
  cancelled.call.cancel();
  target.reply(await target.next('CANCEL'), 200);
  target.reply(invite, 487);
  cancelled.call.ackFailure(await cancelled.call.response(487));
  await target.next('ACK');
  await lab.nothingLeft();
});

test('a Request-URI that is not ours is kept, and the call goes where the application says', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await threePeers(lab);
  for (const uri of ['sip:555@far.example;user=phone', 'tel:+15551234']) {
    const { call, result } = await proxied(app, caller, { to: target.uri }, { uri });
    const invite = await target.next('INVITE');
    expect(invite.uri).toBe(uri);
    target.reply(invite, 404);
    call.ackFailure(await call.response(404));
    await result;
  }
  await lab.nothingLeft();
});

test('a request without Max-Forwards gets 70, and one with 0 goes no further: 483', async () => {
  await using lab = await createLab();
  const app = await lab.app('options');
  const [caller, target] = await threePeers(lab);
  const without = await proxied(app, caller, { to: target.uri }, { method: 'OPTIONS', maxForwards: null });
  const options = await target.next('OPTIONS');
  expect(options.value('Max-Forwards')).toBe('70');
  target.reply(options, 200);
  await without.call.response(200);
  const spent = await proxied(app, caller, { to: target.uri }, { method: 'OPTIONS', maxForwards: 0 });
  expect((await spent.call.response(483)).reason).toBe('Too Many Hops');
  await expect(spent.result).rejects.toBe('Rejected with 483 Too Many Hops due to Max-Forwards value of 0');
  await lab.nothingLeft();
});

const WAYS = TRANSPORTS.flatMap((from) => TRANSPORTS.map((to) => [from, to] as const));

test.each(WAYS)(
  'a proxy that stays in the path passes on what follows from %s to %s, and no application sees it',
  async (from, to) => {
    await using lab = await createLab();
    const app = await lab.app('invite', 'bye', 'ack', 'info', 'update');
    const [caller, target] = [await lab.peer(from), await lab.peer(to)];
    const { call, result } = await proxied(app, caller, { to: target.uri, recordRoute: true });
    const invite = await target.next('INVITE');
    const [route] = invite.values('Record-Route');
    if (from !== 'ws' && to !== 'ws') expect(route).toBe(`<${lab.server.uri(to)};lr>`);
    target.reply(invite, 200, { tag: 'b', body: sdp('2') });
    await call.response(200);
    expect((await result).connected).toBe(true);
    call.ack();
    const ack = await target.next('ACK');
    expect([ack.uri, ack.values('Route'), ack.value('Max-Forwards')]).toEqual([uriIn(target.contact), [], '69']);
    for (const method of ['INFO', 'INVITE', 'UPDATE']) {
      call.request(method);
      const request = await target.next(method);
      expect([request.values('Route'), request.values('Via').length]).toEqual([[], 2]);
      target.reply(request, 200);
      await call.response(`200 ${method}`);
      if (method !== 'INVITE') continue;
      call.ack({ cseq: 3 });
      await target.next('ACK');
    }
    call.request('BYE');
    target.reply(await target.next('BYE'), 200);
    await call.response('200 BYE');
    expect(app.untaken()).toEqual([]);
    await lab.nothingLeft();
  },
);

test.each(WAYS)(
  'the called side hangs up through a proxy that stays in the path, caller %s, called %s',
  async (from, to) => {
    await using lab = await createLab();
    const app = await lab.app('invite', 'bye');
    const [caller, target] = [await lab.peer(from), await lab.peer(to)];
    const { call } = await proxied(app, caller, { to: target.uri, remainInDialog: true });
    const invite = await target.next('INVITE');
    target.reply(invite, 200, { tag: 'b', body: sdp('2') });
    await call.response(200);
    call.ack();
    await target.next('ACK');
    const back = target.dialog(invite, 'b');
    back.request('BYE');
    const bye = await caller.next('BYE');
    expect([bye.uri, bye.values('Route')]).toEqual([uriIn(caller.contact), []]);
    caller.reply(bye, 200);
    await back.response('200 BYE');
    expect(app.untaken()).toEqual([]);
    await lab.nothingLeft();
  },
);

test.each(['Record-Route', 'Path'])(
  'our %s comes first, even where a proxy before us wrote its own above its Via',
  async (name) => {
    await using lab = await createLab();
    const method = name === 'Path' ? 'REGISTER' : 'INVITE';
    const app = await lab.app(method.toLowerCase());
    const [caller, target, before] = await threePeers(lab);
    const sent = before.call(method, { cseq: 7 }).sent.replace('\r\n', `\r\n${name}: <sip:192.0.2.1;lr>\r\n`);
    (await app.next(method)).res.send(404);
    caller.send(sent.replaceAll('z9hG4bK', 'z9hG4bKabove'));
    const { req } = await app.next(method);
    const result = app.srf.proxyRequest(req, target.uri, { remainInDialog: true });
    const request = await target.next(method);
    expect(request.values(name)).toEqual([`<${lab.server.uri('udp')};lr>`, '<sip:192.0.2.1;lr>']);
    target.reply(request, 404);
    expect((await result).finalStatus).toBe(404);
    await lab.nothingLeft();
  },
);

test('a request in a call to a browser that has gone is told so: 503', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [browser, target] = [await lab.peer('ws'), await lab.peer()];
  const { call } = await proxied(app, browser, { to: target.uri, recordRoute: true });
  const invite = await target.next('INVITE');
  target.reply(invite, 200, { tag: 'b', body: sdp('2') });
  await call.response(200);
  await browser.close();
  await lab.quiet();
  const back = target.dialog(invite, 'b');
  back.request('BYE');
  await back.response('503 BYE');
  await lab.nothingLeft();
});

test('nobody can name the connection of somebody else in a Route', async () => {
  await using lab = await createLab();
  await lab.app('invite');
  const [browser, stranger] = [await lab.peer('ws'), await lab.peer()];
  const own = lab.server.uri('udp').replace('sip:', `sip:ws-${browser.port}-127.0.0.1-0123456789ab~@`);
  stranger.call('BYE', { toTag: 'b', uri: 'sip:x@nowhere.invalid', lines: [`Route: <${own};lr>`] });
  await stranger.next('503 BYE');
  expect(browser.untaken()).toEqual([]);
  await lab.nothingLeft();
});

test('a proxy that tells others another name than where it listens stays in the path by that name', async () => {
  const listen = [{ transport: 'udp' as const, host: '0.0.0.0', port: 0 }];
  await using lab = await createLab({ listen, advertisedHost: '127.0.0.1' });
  const app = await lab.app('invite', 'bye');
  const [caller, target] = await threePeers(lab);
  const { call } = await proxied(app, caller, { to: target.uri, recordRoute: true });
  const invite = await target.next('INVITE');
  expect(invite.uri).toBe(target.uri);
  expect(invite.values('Record-Route')).toEqual([`<${lab.server.uri('udp')};lr>`]);
  target.reply(invite, 200, { tag: 'b', body: sdp('2') });
  await call.response(200);
  call.ack();
  await target.next('ACK');
  call.request('BYE');
  target.reply(await target.next('BYE'), 200);
  await call.response('200 BYE');
  await expect(app.srf.request(lab.server.uri('udp'), { method: 'OPTIONS' })).rejects.toThrow('request to myself');
  expect(app.untaken()).toEqual([]);
  await lab.nothingLeft();
});

test('a request in a call that names us as its route and has no hops left is answered 483', async () => {
  await using lab = await createLab();
  await lab.app('info');
  const caller = await lab.peer();
  const lines = [`Route: <${lab.server.uri('udp')};lr>`];
  await caller.call('INFO', { toTag: 'b', lines, maxForwards: 0 }).response(483);
  await lab.nothingLeft();
});

test('a registration is forwarded with a Path where the proxy is to stay in it', async () => {
  await using lab = await createLab();
  const app = await lab.app('register');
  const [caller, registrar] = await threePeers(lab);
  const { call, result } = await proxied(app, caller, { to: registrar.uri, path: true }, { method: 'REGISTER' });
  const register = await registrar.next('REGISTER');
  expect(register.values('Path')).toEqual([`<${lab.server.uri('udp')};lr>`]);
  expect([register.value('Require'), register.values('Record-Route')]).toEqual(['path', []]);
  registrar.reply(register, 200, { lines: register.values('Path').map((path) => `Path: ${path}`) });
  expect((await call.response(200)).values('Path').length).toBe(1);
  expect((await result).finalStatus).toBe(200);
  await lab.nothingLeft();
});

test('a 200 that comes again is passed on again', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await threePeers(lab);
  const { call } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  target.reply(invite, 200, { body: sdp('2') });
  const first = await call.response(200);
  target.reply(invite, 200, { body: sdp('2') });
  expect((await call.response(200)).raw).toBe(first.raw);
  await lab.nothingLeft();
});

test('an INVITE that comes again gets the last response again and is not forwarded again', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await threePeers(lab);
  const { call } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  target.reply(invite, 180);
  const ringing = await call.response(180);
  caller.send(call.sent);
  expect((await call.response(180)).raw).toBe(ringing.raw);
  expect(target.untaken()).toEqual([]);
  target.reply(invite, 486);
  call.ackFailure(await call.response(486));
  await lab.nothingLeft();
});

test.each([401, 407])('a %i goes back to the caller, whose second try is proxied anew', async (status) => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target, other] = await threePeers(lab);
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
  await lab.nothingLeft();
});

test.each(TRANSPORTS)('the caller cancels while it rings over %s', async (transport) => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target, other] = [await lab.peer(transport), await lab.peer(), await lab.peer()];
  const { call, result } = await proxied(app, caller, { to: [target.uri, other.uri] });
  const invite = await target.next('INVITE');
  target.reply(invite, 180);
  await call.response(180);
  call.cancel();
  await call.response('200 CANCEL');
  target.reply(await target.next('CANCEL'), 200);
  target.reply(invite, 487);
  await target.next('ACK');
  call.ackFailure(await call.response('487 INVITE'));
  const answer = await result;
  expect([answer.connected, answer.finalStatus]).toEqual([false, 487]);
  expect([other.untaken(), app.untaken()]).toEqual([[], []]);
  await lab.nothingLeft();
});

test('the caller cancels before anything was heard: it gets 487 at once, and the target is told when it can be', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await threePeers(lab);
  const { call, result } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  call.cancel();
  await call.response('200 CANCEL');
  call.ackFailure(await call.response('487 INVITE'));
  await lab.quiet();
  expect(target.untaken()).toEqual([]);
  target.reply(invite, 180);
  target.reply(await target.next('CANCEL'), 200);
  target.reply(invite, 487);
  await target.next('ACK');
  expect((await result).connected).toBe(false);
  await lab.nothingLeft();
});

test('the caller cancels and the target is never heard: the application is told done all the same', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await threePeers(lab);
  const { call, result } = await proxied(app, caller, { to: target.uri });
  await target.next('INVITE');
  call.cancel();
  call.ackFailure(await call.response('487 INVITE'));
  await lab.pass(32_000);
  expect((await result).connected).toBe(false);
  await lab.nothingLeft();
});

test('why the caller cancels is told to the target', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await threePeers(lab);
  const { call, result } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  target.reply(invite, 180);
  await call.response(180);
  const reasons = ['SIP;cause=200;text="Call completed elsewhere"', 'Q.850;cause=26'];
  call.cancel(reasons.map((reason) => `Reason: ${reason}`));
  const cancel = await target.next('CANCEL');
  expect(cancel.values('Reason')).toEqual(reasons);
  target.reply(cancel, 200);
  target.reply(invite, 487);
  await target.next('ACK');
  call.ackFailure(await call.response('487 INVITE'));
  expect((await result).finalStatus).toBe(487);
  await lab.nothingLeft();
});

test.each([183, 200, 486])('a %d for nobody but us goes no further: the gateway is bad', async (status) => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await threePeers(lab);
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
  await lab.nothingLeft();
});

test('a CANCEL that crosses the answer changes nothing', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await threePeers(lab);
  const { call, result } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  target.reply(invite, 180);
  await call.response(180);
  call.cancel();
  await target.next('CANCEL');
  target.reply(invite, 200, { body: sdp('2') });
  await call.response('200 INVITE');
  expect((await result).connected).toBe(true);
  await lab.nothingLeft();
});

test('what was proxied or answered already cannot be proxied', async () => {
  await using lab = await createLab();
  const app = await lab.app('options');
  const [caller, target] = await threePeers(lab);
  const call = caller.call('OPTIONS');
  const { req } = await app.next('OPTIONS');
  const first = app.srf.proxyRequest(req, target.uri);
  await expect(app.srf.proxyRequest(req, target.uri)).rejects.toBe(`Unknown transaction id: ${req.stackTxnId}`);
  target.reply(await target.next('OPTIONS'), 200);
  await call.response(200);
  await first;
  await lab.nothingLeft();
});

test('destinations may be written without a scheme', async () => {
  await using lab = await createLab();
  const app = await lab.app('options');
  const [caller, target] = await threePeers(lab);
  const { call } = await proxied(app, caller, { to: `127.0.0.1:${target.port}` }, { method: 'OPTIONS' });
  target.reply(await target.next('OPTIONS'), 200);
  await call.response(200);
  await lab.nothingLeft();
});

test('an application that goes away leaves what it has proxied to its course', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await threePeers(lab);
  const { call } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  await app.close();
  target.reply(invite, 200, { body: sdp('2') });
  await call.response(200);
  await lab.nothingLeft();
});
