import { expect, test } from 'vitest';
import { proxied, refuse, threePeers, told } from '../support/drachtio-proxied.js';
import { createLab } from '../support/drachtio-lab.js';
import { branchOf, sdp, tagIn } from '../support/drachtio-sip-text.js';

test('one target after another is tried until one answers', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, first, second] = await threePeers(lab);
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
  const [caller, first, second] = await threePeers(lab);
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
  const [caller, first, second] = await threePeers(lab);
  const { call } = await proxied(app, caller, { to: [first.uri, second.uri], forking: 'simultaneous' });
  const [one, two] = [await first.next('INVITE'), await second.next('INVITE')];
  first.reply(one, 200, { tag: 'one' });
  second.reply(two, 200, { tag: 'two' });
  const tags = [await call.response(200), await call.response(200)].map((ok) => tagIn(ok.value('To')));
  expect(tags.toSorted()).toEqual(['one', 'two']);
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
  const caller = await lab.peer();
  const chosen = await Promise.all(statuses.map(() => lab.peer()));
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
  const [caller, first, second] = await threePeers(lab);
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

test('where the application says so, redirections are followed, best first', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, first, second] = await threePeers(lab);
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
  const [caller, first, second] = await threePeers(lab);
  const { call, result } = await proxied(app, caller, { to: first.uri, followRedirects: true });
  await refuse(first, 302, [`Contact: <${second.uri}>`]);
  await refuse(second, 302, [`Contact: <${first.uri}>`]);
  call.ackFailure(await call.response(302));
  expect(told(await result)).toEqual([302, 302]);
  await lab.nothingLeft();
});

test('a redirection that names one target twice rings it once', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, first, second] = await threePeers(lab);
  const { call, result } = await proxied(app, caller, { to: first.uri, followRedirects: true });
  await refuse(first, 302, [`Contact: <${second.uri}>, <${second.uri}>`]);
  await refuse(second, 486);
  call.ackFailure(await call.response(486));
  expect(told(await result)).toEqual([302, 486]);
  await lab.nothingLeft();
});

test.each([1, 3, 40])(
  'of targets that each name %d more, 32 are tried, and the caller gets the last answer',
  async (more) => {
    await using lab = await createLab();
    const app = await lab.app('invite');
    const [caller, target] = await threePeers(lab);
    const { call, result } = await proxied(app, caller, { to: target.uri, followRedirects: true });
    let named = 0;
    for (let tries = 1; tries <= 32; tries += 1) {
      const contacts = Array.from({ length: more }, () => `<${target.uri.replace('peer@', `peer${(named += 1)}@`)}>`);
      await refuse(target, 302, [`Contact: ${contacts.join(', ')}`]);
    }
    call.ackFailure(await call.response(302));
    expect(told(await result)).toHaveLength(32);
    expect(target.untaken()).toEqual([]);
    await lab.nothingLeft();
  },
);

test.each([{}, { finalTimeout: '2s' }])(
  'a target that rings and then says nothing leaves nothing behind, with %j',
  async (options) => {
    await using lab = await createLab();
    const app = await lab.app('invite');
    const [caller, target] = await threePeers(lab);
    const { call, result } = await proxied(app, caller, { to: target.uri, ...options });
    target.reply(await target.next('INVITE'), 180);
    await call.response(180);
    await lab.pass('finalTimeout' in options ? 2_000 : 200_000);
    target.reply(await target.next('CANCEL'), 200);
    call.ackFailure(await call.response('408 INVITE'));
    expect((await result).connected).toBe(false);
    await lab.nothingLeft();
  },
);

test('otherwise a redirection goes back to the caller', async () => {
  await using lab = await createLab();
  const app = await lab.app('invite');
  const [caller, target] = await threePeers(lab);
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
  const [caller, silent, target] = await threePeers(lab);
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
  const [caller, silent] = await threePeers(lab);
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
  const [caller, target] = await threePeers(lab);
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
  const [caller, rings, target] = await threePeers(lab);
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
  const [caller, silent, target] = await threePeers(lab);
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
  const [caller, rings] = await threePeers(lab);
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

test.each(['OPTIONS', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH'])('%s is proxied, to the next target too', async (method) => {
  await using lab = await createLab();
  const app = await lab.app(method.toLowerCase());
  const [caller, first, second] = await threePeers(lab);
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
  const [caller, target] = await threePeers(lab);
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
  const [caller, target] = await threePeers(lab);
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
