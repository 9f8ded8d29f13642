import { expect, test } from 'vitest';
import { app, createLab, lab } from '../support/drachtio-lab.js';
import { caller, other, proxied, refuse, target, told, useProxyLab } from '../support/drachtio-proxied.js';
import { branchOf, sdp, tagIn } from '../support/drachtio-sip-text.js';

useProxyLab('invite', 'options', 'message', 'subscribe', 'publish');

test('one target after another is tried until one answers', async () => {
  const { call, result } = await proxied(app, caller, { to: [target.uri, other.uri] });
  const early = await target.next('INVITE');
  await lab.nothingMore(other);
  target.reply(early, 486);
  await target.next('ACK');
  other.reply(await other.next('INVITE'), 200, { body: sdp('2') });
  await call.response(200);
  const answer = await result;
  expect([told(answer), answer.connected]).toEqual([[486, 200], true]);
  await lab.quiet();
  expect(caller.untaken().map(({ status }) => status)).toEqual([100]);
});

test('all targets ring at once, and the others are cancelled when one answers', async () => {
  const third = await lab.peer('tcp');
  const { call, result } = await proxied(app, caller, {
    to: [target.uri, other.uri, third.uri],
    forking: 'simultaneous',
  });
  const [one, two, three] = [await target.next('INVITE'), await other.next('INVITE'), await third.next('INVITE')];
  expect(new Set([one, two, three].map(branchOf)).size).toBe(3);
  target.reply(one, 180, { tag: 'one' });
  third.reply(three, 180, { tag: 'three' });
  for (const _ of [one, three]) await call.response(180);
  third.reply(three, 200, { tag: 'three', body: sdp('2') });
  await call.response(200);
  expect((await result).connected).toBe(true);
  const cancel = await target.next('CANCEL');
  expect([branchOf(cancel), cancel.uri]).toEqual([branchOf(one), one.uri]);
  target.reply(cancel, 200);
  target.reply(one, 487);
  await target.next('ACK');
  // The CANCEL waits for the first response of a target.
  await lab.nothingMore(other);
  other.reply(two, 180, { tag: 'two' });
  other.reply(await other.next('CANCEL'), 200);
  other.reply(two, 487);
  await other.next('ACK');
  await lab.quiet();
  expect(caller.untaken().map(({ status }) => status)).toEqual([100]);
});

test('an answer of a second target that crosses the CANCEL reaches the caller, which has to end that call', async () => {
  const { call } = await proxied(app, caller, { to: [target.uri, other.uri], forking: 'simultaneous' });
  const [one, two] = [await target.next('INVITE'), await other.next('INVITE')];
  target.reply(one, 200, { tag: 'one' });
  other.reply(two, 200, { tag: 'two' });
  const tags = [await call.response(200), await call.response(200)].map((ok) => tagIn(ok.value('To')));
  expect(tags.toSorted()).toEqual(['one', 'two']);
});

test('the caller gets the best final response of a fork, and the application gets all', async () => {
  const { call, result } = await proxied(app, caller, { to: [target.uri, other.uri], forking: 'simultaneous' });
  await refuse(target, 503);
  await refuse(other, 486);
  call.ackFailure(await call.response(486));
  const answer = await result;
  expect([told(answer), answer.connected]).toEqual([[503, 486], false]);
});

test('a 6xx ends the search: no further target is tried, and a ringing one is cancelled', async () => {
  const serial = await proxied(app, caller, { to: [target.uri, other.uri] });
  await refuse(target, 603);
  serial.call.ackFailure(await serial.call.response(603));
  await serial.result;
  expect(other.untaken()).toEqual([]);
  const forked = await proxied(app, caller, { to: [target.uri, other.uri], forking: 'simultaneous' });
  const rings = await other.next('INVITE');
  other.reply(rings, 180);
  await forked.call.response(180);
  await refuse(target, 603);
  other.reply(await other.next('CANCEL'), 200);
  other.reply(rings, 487);
  forked.call.ackFailure(await forked.call.response(603));
});

test('the proxy follows redirections best first if the application asks for it', async () => {
  const third = await lab.peer('tcp');
  const { call, result } = await proxied(app, caller, { to: target.uri, followRedirects: true });
  await refuse(target, 302, [`Contact: <${other.uri}>;q=0.3, <${third.uri}>;q=0.8`]);
  await refuse(third, 404);
  other.reply(await other.next('INVITE'), 200, { body: sdp('2') });
  await call.response(200);
  expect(told(await result)).toEqual([302, 404, 200]);
});

test('a redirection tries each target once, even if it names one twice or points back', async () => {
  const { call, result } = await proxied(app, caller, { to: target.uri, followRedirects: true });
  await refuse(target, 302, [`Contact: <${other.uri}>, <${other.uri}>`]);
  await refuse(other, 302, [`Contact: <${target.uri}>`]);
  call.ackFailure(await call.response(302));
  expect(told(await result)).toEqual([302, 302]);
});

test.each([1, 3, 40])(
  'of targets that each name %d more, 32 are tried, and the caller gets the last response',
  async (more) => {
    const { call, result } = await proxied(app, caller, { to: target.uri, followRedirects: true });
    let named = 0;
    for (let tries = 1; tries <= 32; tries += 1) {
      const contacts = Array.from({ length: more }, () => `<${target.uri.replace('peer@', `peer${(named += 1)}@`)}>`);
      await refuse(target, 302, [`Contact: ${contacts.join(', ')}`]);
    }
    call.ackFailure(await call.response(302));
    expect(told(await result)).toHaveLength(32);
    expect(target.untaken()).toEqual([]);
  },
);

test.each([{}, { finalTimeout: '2s' }])(
  'a target that rings without a final response is cancelled, and the caller gets 408, with %j',
  async (options) => {
    const { call, result } = await proxied(app, caller, { to: target.uri, ...options });
    target.reply(await target.next('INVITE'), 180);
    await call.response(180);
    await lab.pass('finalTimeout' in options ? 2_000 : 200_000);
    target.reply(await target.next('CANCEL'), 200);
    call.ackFailure(await call.response('408 INVITE'));
    expect((await result).connected).toBe(false);
  },
);

test('a redirection that the application does not follow goes back to the caller', async () => {
  const { call, result } = await proxied(app, caller, { to: target.uri });
  await refuse(target, 302, ['Contact: <sip:elsewhere@192.0.2.1>', 'Identity: eyJ.x.y;info=<https://a.example/c>']);
  const moved = await call.response(302);
  expect(moved.value('Contact')).toBe('<sip:elsewhere@192.0.2.1>');
  expect(moved.value('Identity')).toBe('eyJ.x.y;info=<https://a.example/c>');
  call.ackFailure(moved);
  expect((await result).finalStatus).toBe(302);
});

test.each([
  [{}, 32_000],
  [{ provisionalTimeout: '1500ms' }, 1_500],
])('with %j a silent target gives way to the next after %i ms, and to 408 after the last', async (options, waitMs) => {
  const { call, result } = await proxied(app, caller, { to: [target.uri, other.uri], ...options });
  await target.next('INVITE');
  await lab.pass(waitMs - 1);
  expect(other.untaken()).toEqual([]);
  await lab.pass(1);
  await other.next('INVITE');
  await lab.pass(waitMs);
  call.ackFailure(await call.response(408));
  const answer = await result;
  expect([answer.connected, answer.finalStatus]).toEqual([false, undefined]);
});

test('a target that rings is not silent', async () => {
  const { call } = await proxied(app, caller, { to: target.uri, provisionalTimeout: '1s' });
  const invite = await target.next('INVITE');
  target.reply(invite, 100);
  await lab.pass(60_000);
  target.reply(invite, 200, { body: sdp('2') });
  await call.response(200);
});

test('a target that rings for longer than the final timeout is cancelled and gives way to the next', async () => {
  const { call } = await proxied(app, caller, { to: [target.uri, other.uri], finalTimeout: '20s' });
  const invite = await target.next('INVITE');
  target.reply(invite, 180);
  await call.response(180);
  await lab.pass(20_000);
  target.reply(await target.next('CANCEL'), 200);
  target.reply(invite, 487);
  other.reply(await other.next('INVITE'), 200, { body: sdp('2') });
  await call.response(200);
});

test.each(['OPTIONS', 'MESSAGE', 'SUBSCRIBE', 'PUBLISH'])('%s is proxied, to the next target too', async (method) => {
  const { call, result } = await proxied(app, caller, { to: [target.uri, other.uri] }, { method });
  target.reply(await target.next(method), 404);
  other.reply(await other.next(method), 200);
  await call.response(`200 ${method}`);
  expect(told(await result)).toEqual([404, 200]);
});

test('another request without a response ends for the application after 32 s, and the caller gets none', async () => {
  const { result } = await proxied(app, caller, { to: target.uri }, { method: 'OPTIONS' });
  await target.next('OPTIONS');
  await lab.pass(32_000);
  expect((await result).connected).toBe(false);
  expect(caller.untaken()).toEqual([]);
});

test('a target that cannot be reached gives way to the next, and to 503 after the last', async () => {
  const gone = await lab.peer('tcp');
  await gone.close();
  const served = await proxied(app, caller, { to: [gone.uri, 'sip:a@nowhere.invalid', target.uri] });
  target.reply(await target.next('INVITE'), 200, { body: sdp('2') });
  await served.call.response(200);
  const lost = await proxied(app, caller, { to: gone.uri });
  lost.call.ackFailure(await lost.call.response(503));
  expect((await lost.result).connected).toBe(false);
});

test('a target whose connection breaks while it rings is lost: 503', async () => {
  const rings = await lab.peer('tcp');
  const { call, result } = await proxied(app, caller, { to: rings.uri });
  rings.reply(await rings.next('INVITE'), 180);
  await call.response(180);
  await rings.close();
  call.ackFailure(await call.response(503));
  expect((await result).connected).toBe(false);
});

test('if no target can be sent to, the application gets an error and the caller 500', async () => {
  await using udp = await createLab({ listen: [{ transport: 'udp', host: '127.0.0.1', port: 0 }] });
  const options = { to: 'sip:a@127.0.0.1:9;transport=tcp' };
  const { call, result } = await proxied(await udp.app('invite'), await udp.peer(), options);
  call.ackFailure(await call.response(500));
  await expect(result).rejects.toBe('error proxying request to ');
  await udp.nothingLeft();
});
