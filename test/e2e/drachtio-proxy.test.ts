import { expect, test } from 'vitest';
import type { ProxyOptions, ProxyResult } from '../support/drachtio-app.js';
import { later } from '../support/drachtio-calls.js';
import { createLab, type DrachtioLab, type LabApp } from '../support/drachtio-lab.js';
import { branchOf, readSip, sdp, tagIn } from '../support/drachtio-sip-text.js';
import { TRANSPORTS, type CallParts, type PeerCall, type SipPeer } from '../support/sip-peer.js';

/** A request that the application proxies. */
interface Proxied {
  readonly call: PeerCall;
  readonly result: Promise<ProxyResult>;
}

async function proxied(
  app: LabApp,
  caller: SipPeer,
  options: ProxyOptions & { readonly to: string | readonly string[] },
  { method = 'INVITE', ...parts }: CallParts & { readonly method?: string } = {},
): Promise<Proxied> {
  const call = caller.call(method, { ...(method === 'INVITE' ? { body: sdp('1') } : {}), ...parts });
  const { req } = await app.next(method);
  const { to, ...others } = options;
  return { call, result: later(app.srf.proxyRequest(req, to, others)) };
}

/** Statuses that the application was told, in their order. drachtio-srf groups them by address, and by the port the wrong way round. */
function told({ responses }: ProxyResult): readonly number[] {
  return responses.flatMap(({ msgs }) => msgs.map(({ status }) => status));
}

async function peers(lab: DrachtioLab, count: number): Promise<readonly [SipPeer, SipPeer, SipPeer]> {
  const all: SipPeer[] = [];
  for (let made = 0; made < Math.max(3, count); made += 1) all.push(await lab.peer());
  return all as unknown as readonly [SipPeer, SipPeer, SipPeer];
}

/** Refuses a proxied INVITE and takes the ACK of the proxy. */
async function refuse(peer: SipPeer, status: number, lines: readonly string[] = []): Promise<void> {
  peer.reply(await peer.next('INVITE'), status, { lines });
  await peer.next('ACK');
}

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
  const [caller, target] = await peers(lab, 2);
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

test('a Request-URI that is not ours is kept, and the call goes where the application says', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await peers(lab, 2);
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
  const [caller, target] = await peers(lab, 2);
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

test.each([
  ['udp', 'udp'],
  ['udp', 'tcp'],
  ['tcp', 'udp'],
  ['tcp', 'tcp'],
  ['ws', 'udp'],
  ['ws', 'tcp'],
] as const)(
  'a proxy that stays in the path passes on what follows from %s to %s, and no application sees it',
  async (from, to) => {
    await using lab = await createLab();
    const app = await lab.app('invite', 'bye', 'ack', 'info', 'update');
    const [caller, target] = [await lab.peer(from), await lab.peer(to)];
    const { call, result } = await proxied(app, caller, { to: target.uri, recordRoute: true });
    const invite = await target.next('INVITE');
    const [route] = invite.values('Record-Route');
    expect(route).toBe(`<${lab.server.uri(to)};lr>`);
    target.reply(invite, 200, { tag: 'b', body: sdp('2') });
    await call.response(200);
    expect((await result).connected).toBe(true);
    call.ack();
    const ack = await target.next('ACK');
    expect([ack.uri, ack.values('Route'), ack.value('Max-Forwards')]).toEqual([target.uri, [], '69']);
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

test.each([
  ['udp', 'udp'],
  ['udp', 'tcp'],
  ['tcp', 'udp'],
  ['tcp', 'tcp'],
] as const)(
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
    expect([bye.uri, bye.values('Route')]).toEqual([caller.uri, []]);
    caller.reply(bye, 200);
    await back.response('200 BYE');
    expect(app.untaken()).toEqual([]);
    await lab.nothingLeft();
  },
);

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
  const [caller, registrar] = await peers(lab, 2);
  const { call, result } = await proxied(app, caller, { to: registrar.uri, path: true }, { method: 'REGISTER' });
  const register = await registrar.next('REGISTER');
  expect(register.values('Path')).toEqual([`<${lab.server.uri('udp')};lr>`]);
  expect([register.value('Require'), register.values('Record-Route')]).toEqual(['path', []]);
  registrar.reply(register, 200, { lines: register.values('Path').map((path) => `Path: ${path}`) });
  expect((await call.response(200)).values('Path').length).toBe(1);
  expect((await result).finalStatus).toBe(200);
  await lab.nothingLeft();
});

test('one target after another is tried until one answers', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, first, second] = await peers(lab, 3);
  const { call, result } = await proxied(app, caller, { to: [first.uri, second.uri] });
  const early = await first.next('INVITE');
  await lab.quiet();
  expect(second.untaken()).toEqual([]);
  first.reply(early, 486);
  await first.next('ACK');
  second.reply(await second.next('INVITE'), 200, { body: sdp('2') });
  await call.response(200);
  const answer = await result;
  expect([told(answer), answer.connected]).toEqual([[486, 200], true]);
  await lab.quiet();
  expect(caller.untaken().map(({ status }) => status)).toEqual([100]);
  await lab.nothingLeft();
});

test('all targets ring at once, and the others are cancelled when one answers', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, first, second] = await peers(lab, 3);
  const third = await lab.peer('tcp');
  const { call, result } = await proxied(app, caller, {
    to: [first.uri, second.uri, third.uri],
    forking: 'simultaneous',
  });
  const [one, two, three] = [await first.next('INVITE'), await second.next('INVITE'), await third.next('INVITE')];
  expect(new Set([one, two, three].map(branchOf)).size).toBe(3);
  first.reply(one, 180, { tag: 'one' });
  third.reply(three, 180, { tag: 'three' });
  for (const _ of [one, three]) await call.response(180);
  third.reply(three, 200, { tag: 'three', body: sdp('2') });
  await call.response(200);
  expect((await result).connected).toBe(true);
  const cancel = await first.next('CANCEL');
  expect([branchOf(cancel), cancel.uri]).toEqual([branchOf(one), one.uri]);
  first.reply(cancel, 200);
  first.reply(one, 487);
  await first.next('ACK');
  // Who has not been heard is told as soon as it is.
  await lab.quiet();
  expect(second.untaken()).toEqual([]);
  second.reply(two, 180, { tag: 'two' });
  second.reply(await second.next('CANCEL'), 200);
  second.reply(two, 487);
  await second.next('ACK');
  await lab.quiet();
  expect(caller.untaken().map(({ status }) => status)).toEqual([100]);
  await lab.nothingLeft();
});

test('an answer of a second target that crosses the CANCEL reaches the caller, which has to end that call', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, first, second] = await peers(lab, 3);
  const { call } = await proxied(app, caller, { to: [first.uri, second.uri], forking: 'simultaneous' });
  const [one, two] = [await first.next('INVITE'), await second.next('INVITE')];
  first.reply(one, 200, { tag: 'one' });
  second.reply(two, 200, { tag: 'two' });
  const tags = [await call.response(200), await call.response(200)].map((ok) => tagIn(ok.value('To')));
  expect(tags.toSorted()).toEqual(['one', 'two']);
  await lab.nothingLeft();
});

test('a 200 that comes again is passed on again', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await peers(lab, 2);
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
  const [caller, target] = await peers(lab, 2);
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

test.each([
  [[486, 404], 486],
  [[503, 486], 486],
  [[486, 401], 401],
  [[302, 486], 302],
  [[500, 302], 302],
  [[404, 484, 500], 484],
])('of %j the caller gets the best', async (statuses, best) => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, ...targets] = await peers(lab, 4);
  const chosen = targets.slice(0, statuses.length);
  while (chosen.length < statuses.length) chosen.push(await lab.peer());
  const { call, result } = await proxied(app, caller, {
    to: chosen.map(({ uri }) => uri),
    forking: 'simultaneous',
  });
  const invites = await Promise.all(chosen.map((target) => target.next('INVITE')));
  for (const [index, target] of chosen.entries()) {
    const invite = invites[index];
    if (invite !== undefined) target.reply(invite, statuses[index] ?? 0, { tag: `t${index}` });
    await target.next('ACK');
  }
  const answer = await call.response(best);
  call.ackFailure(answer);
  expect(
    told(await result)
      .flat()
      .toSorted((a, b) => a - b),
  ).toEqual(statuses.toSorted((a, b) => a - b));
  expect((await result).connected).toBe(false);
  await lab.nothingLeft();
});

test('a 6xx ends the search: nobody else is tried, and who rings is cancelled', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, first, second] = await peers(lab, 3);
  const serial = await proxied(app, caller, { to: [first.uri, second.uri] });
  await refuse(first, 603);
  serial.call.ackFailure(await serial.call.response(603));
  await serial.result;
  expect(second.untaken()).toEqual([]);
  const forked = await proxied(app, caller, { to: [first.uri, second.uri], forking: 'simultaneous' });
  const rings = await second.next('INVITE');
  second.reply(rings, 180);
  await forked.call.response(180);
  await refuse(first, 603);
  second.reply(await second.next('CANCEL'), 200);
  second.reply(rings, 487);
  forked.call.ackFailure(await forked.call.response(603));
  await lab.nothingLeft();
});

test.each([401, 407])('a %i goes back to the caller, whose second try is proxied anew', async (status) => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target, other] = await peers(lab, 3);
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

test('where the application says so, redirections are followed, best first', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, first, second] = await peers(lab, 3);
  const third = await lab.peer('tcp');
  const { call, result } = await proxied(app, caller, { to: first.uri, followRedirects: true });
  await refuse(first, 302, [`Contact: <${second.uri}>;q=0.3, <${third.uri}>;q=0.8`]);
  await refuse(third, 404);
  second.reply(await second.next('INVITE'), 200, { body: sdp('2') });
  await call.response(200);
  expect(told(await result)).toEqual([302, 404, 200]);
  await lab.nothingLeft();
});

test('a redirection in circles ends', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, first, second] = await peers(lab, 3);
  const { call, result } = await proxied(app, caller, { to: first.uri, followRedirects: true });
  await refuse(first, 302, [`Contact: <${second.uri}>`]);
  await refuse(second, 302, [`Contact: <${first.uri}>`]);
  call.ackFailure(await call.response(302));
  expect(told(await result)).toEqual([302, 302]);
  await lab.nothingLeft();
});

test('otherwise a redirection goes back to the caller', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await peers(lab, 2);
  const { call, result } = await proxied(app, caller, { to: target.uri });
  await refuse(target, 302, ['Contact: <sip:elsewhere@192.0.2.1>', 'Identity: eyJ.x.y;info=<https://a.example/c>']);
  const moved = await call.response(302);
  expect(moved.value('Contact')).toBe('<sip:elsewhere@192.0.2.1>');
  expect(moved.value('Identity')).toBe('eyJ.x.y;info=<https://a.example/c>');
  call.ackFailure(moved);
  expect((await result).finalStatus).toBe(302);
  await lab.nothingLeft();
});

test('a target that is silent for the provisional timeout gives way to the next', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, silent, target] = await peers(lab, 3);
  const options = { to: [silent.uri, target.uri], provisionalTimeout: '2s' };
  const { call, result } = await proxied(app, caller, options);
  await silent.next('INVITE');
  await lab.pass(1_999);
  expect(target.untaken()).toEqual([]);
  await lab.pass(1);
  target.reply(await target.next('INVITE'), 200, { body: sdp('2') });
  await call.response(200);
  expect(told(await result)).toEqual([200]);
  await lab.nothingLeft();
});

test('where all are silent for the provisional timeout the caller gets 408', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, silent] = await peers(lab, 2);
  const { call, result } = await proxied(app, caller, { to: silent.uri, provisionalTimeout: '1500ms' });
  await silent.next('INVITE');
  await lab.pass(1_500);
  call.ackFailure(await call.response(408));
  const answer = await result;
  expect([answer.connected, answer.finalStatus]).toEqual([false, undefined]);
  await lab.nothingLeft();
});

test('a target that rings is not silent', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await peers(lab, 2);
  const { call } = await proxied(app, caller, { to: target.uri, provisionalTimeout: '1s' });
  const invite = await target.next('INVITE');
  target.reply(invite, 100);
  await lab.pass(60_000);
  target.reply(invite, 200, { body: sdp('2') });
  await call.response(200);
  await lab.nothingLeft();
});

test('a target that rings for longer than the final timeout is cancelled and gives way to the next', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, rings, target] = await peers(lab, 3);
  const { call } = await proxied(app, caller, { to: [rings.uri, target.uri], finalTimeout: '20s' });
  const invite = await rings.next('INVITE');
  rings.reply(invite, 180);
  await call.response(180);
  await lab.pass(20_000);
  rings.reply(await rings.next('CANCEL'), 200);
  rings.reply(invite, 487);
  target.reply(await target.next('INVITE'), 200, { body: sdp('2') });
  await call.response(200);
  await lab.nothingLeft();
});

test('a target that says nothing gives way to the next after 32 s, and to 408 after the last', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, silent, target] = await peers(lab, 3);
  const { call, result } = await proxied(app, caller, { to: [silent.uri, target.uri] });
  await silent.next('INVITE');
  await lab.pass(32_000);
  await target.next('INVITE');
  await lab.pass(32_000);
  call.ackFailure(await call.response(408));
  expect((await result).connected).toBe(false);
  await lab.nothingLeft();
});

test('a target that rings for more than three minutes is cancelled, and the caller gets 408', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, rings] = await peers(lab, 2);
  const { call } = await proxied(app, caller, { to: rings.uri });
  const invite = await rings.next('INVITE');
  rings.reply(invite, 180);
  await call.response(180);
  await lab.pass(185_000);
  rings.reply(await rings.next('CANCEL'), 200);
  rings.reply(invite, 487);
  call.ackFailure(await call.response(408));
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
  const [caller, target] = await peers(lab, 2);
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
  const [caller, target] = await peers(lab, 2);
  const { call, result } = await proxied(app, caller, { to: target.uri });
  await target.next('INVITE');
  call.cancel();
  call.ackFailure(await call.response('487 INVITE'));
  await lab.pass(32_000);
  expect((await result).connected).toBe(false);
  await lab.nothingLeft();
});

test('a CANCEL that crosses the answer changes nothing', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await peers(lab, 2);
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

test.each(['OPTIONS', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH'])('%s is proxied, to the next target too', async (method) => {
  await using lab = await createLab();
  const app = await lab.app(method.toLowerCase());
  const [caller, first, second] = await peers(lab, 3);
  const { call, result } = await proxied(app, caller, { to: [first.uri, second.uri] }, { method });
  first.reply(await first.next(method), 404);
  second.reply(await second.next(method), 200);
  await call.response(`200 ${method}`);
  expect(told(await result)).toEqual([404, 200]);
  await lab.nothingLeft();
});

test('a request that is no INVITE and stays without an answer ends for the application after 32 s, without a word to the caller', async () => {
  await using lab = await createLab();
  const app = await lab.app('options');
  const [caller, target] = await peers(lab, 2);
  const { result } = await proxied(app, caller, { to: target.uri }, { method: 'OPTIONS' });
  await target.next('OPTIONS');
  await lab.pass(32_000);
  expect((await result).connected).toBe(false);
  expect(caller.untaken()).toEqual([]);
  await lab.nothingLeft();
});

test('a target that cannot be reached gives way to the next, and to 503 after the last', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await peers(lab, 2);
  const gone = await lab.peer('tcp');
  await gone.close();
  const served = await proxied(app, caller, { to: [gone.uri, 'sip:a@nowhere.invalid', target.uri] });
  target.reply(await target.next('INVITE'), 200, { body: sdp('2') });
  await served.call.response(200);
  const lost = await proxied(app, caller, { to: gone.uri });
  lost.call.ackFailure(await lost.call.response(503));
  expect((await lost.result).connected).toBe(false);
  await lab.nothingLeft();
});

test('a target whose connection breaks while it rings is lost: 503', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, rings] = [await lab.peer(), await lab.peer('tcp')];
  const { call, result } = await proxied(app, caller, { to: rings.uri });
  rings.reply(await rings.next('INVITE'), 180);
  await call.response(180);
  await rings.close();
  call.ackFailure(await call.response(503));
  expect((await result).connected).toBe(false);
  await lab.nothingLeft();
});

test('where no target can be started at all the application is told, and the caller gets 500', async () => {
  await using lab = await createLab({ listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }] });
  const app = await lab.app('invite');
  const { call, result } = await proxied(app, await lab.peer(), { to: 'sip:a@127.0.0.1:9;transport=tcp' });
  call.ackFailure(await call.response(500));
  await expect(result).rejects.toBe('error proxying request to ');
  await lab.nothingLeft();
});

test('what was proxied or answered already cannot be proxied', async () => {
  await using lab = await createLab();
  const app = await lab.app('options');
  const [caller, target] = await peers(lab, 2);
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
  const [caller, target] = await peers(lab, 2);
  const { call } = await proxied(app, caller, { to: `127.0.0.1:${target.port}` }, { method: 'OPTIONS' });
  target.reply(await target.next('OPTIONS'), 200);
  await call.response(200);
  await lab.nothingLeft();
});

test('an application that goes away leaves what it has proxied to its course', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await peers(lab, 2);
  const { call } = await proxied(app, caller, { to: target.uri });
  const invite = await target.next('INVITE');
  await app.close();
  target.reply(invite, 200, { body: sdp('2') });
  await call.response(200);
  await lab.nothingLeft();
});
