import { DrachtioServer } from '@hopback/harness/drachtio';
import { expect, test } from 'vitest';
import { connectApp, type AppMessage, type AppSrf } from '../support/drachtio-app.js';
import { sdp } from '../support/drachtio-sip-text.js';
import { createLab, lab, peer, untilQuiet, useLab } from '../support/drachtio-lab.js';
import { newBranch, TRANSPORTS } from '../support/sip-peer.js';

useLab({ answerHoldMs: 6 });

const listen = TRANSPORTS.slice(0, 2).map((transport) => ({ transport, host: '127.0.0.1', port: 0 }));

/** Awaits each request in the promise form, and counts those that saw their response. */
async function answered(srf: AppSrf, uri: string, method: string, count: number): Promise<number> {
  let seen = 0;
  for (let sent = 0; sent < count; sent += 1) {
    const headers = { 'Content-Type': 'text/plain', 'X-Count': String(sent) };
    const request = await srf.request(uri, { method, headers, body: 'x' });
    const status = await new Promise<number>((resolve) => {
      request.once('response', (response: AppMessage & { status: number }) => resolve(response.status));
    });
    if (status === 200) seen += 1;
  }
  return seen;
}

// On the real clock: a response must not come before the promise of its request is resolved.
test.each(['udp', 'tcp'] as const)(
  'a hundred of a hundred awaited requests see their response over %s, with the other server in the same process',
  async (transport) => {
    await using near = await DrachtioServer.open({ listen, timers: { t1Ms: 20, t2Ms: 100, t4Ms: 40 } });
    await using far = await DrachtioServer.open({ listen, timers: { t1Ms: 20, t2Ms: 100, t4Ms: 40 } });
    await using caller = await connectApp(near);
    const methods = ['OPTIONS', 'MESSAGE', 'REGISTER', 'PUBLISH'];
    await using called = await connectApp(far, {
      setUp: (srf) => {
        for (const method of methods) srf.use(method.toLowerCase(), (_req, res) => res.send(200));
      },
    });
    await untilQuiet([near, far]);
    for (const method of methods) expect(await answered(caller.srf, far.uri(transport), method, 100)).toBe(100);
    expect(called.greeting.length).toBe(3);
  },
);

test('a hundred requests at once see their responses', async () => {
  await using near = await DrachtioServer.open({ listen });
  await using far = await DrachtioServer.open({ listen });
  await using caller = await connectApp(near);
  await using called = await connectApp(far, { setUp: (srf) => srf.options((_req, res) => res.send(200)) });
  await untilQuiet([near, far]);
  const counts = await Promise.all(
    Array.from({ length: 100 }, () => answered(caller.srf, far.uri('udp'), 'OPTIONS', 1)),
  );
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(100);
  expect(called.greeting.length).toBe(3);
});

test('the first response outside calls is held back for 6 ms after the request was confirmed, except to INVITE', async () => {
  const app = await lab.rawApp();
  for (const [method, isHeld] of [
    ['OPTIONS', true],
    ['MESSAGE', true],
    ['SUBSCRIBE', true],
    ['INVITE', false],
  ] as const) {
    await app.ask('sip||', `${method} ${peer.uri} SIP/2.0\r\n\r\n`);
    peer.reply(await peer.next(method), 404);
    await lab.pass(5);
    expect(app.untaken().length).toBe(isHeld ? 0 : 1);
    await lab.pass(1);
    expect((await app.next('sip')).sip).toContain(`CSeq: `);
  }
});

test('two answers to a request that is held back come in their order', async () => {
  const app = await lab.rawApp();
  await app.ask('sip||', `OPTIONS ${peer.uri} SIP/2.0\r\n\r\n`);
  const options = await peer.next('OPTIONS');
  peer.reply(options, 183);
  peer.reply(options, 200);
  await lab.pass(6);
  expect([(await app.next('sip')).sip.slice(8, 11), (await app.next('sip')).sip.slice(8, 11)]).toEqual(['183', '200']);
});

test('with firstResponseHoldMs 0 a response is not held back', async () => {
  await using atOnce = await createLab({ firstResponseHoldMs: 0 });
  const [app, callee] = [await atOnce.rawApp(), await atOnce.peer()];
  await app.ask('sip||', `OPTIONS ${callee.uri} SIP/2.0\r\n\r\n`);
  callee.reply(await callee.next('OPTIONS'), 200);
  expect((await app.next('sip')).sip).toMatch(/^SIP\/2.0 200 /);
  await atOnce.nothingLeft();
});

test('a BYE right behind the ACK is held back for 6 ms after the answer was confirmed', async () => {
  const app = await lab.rawApp({ routes: ['invite'] });
  const call = peer.call('INVITE', { body: sdp('1') });
  const { tokens } = await app.next('sip');
  await app.ask(`sip|${tokens[8]}`, 'SIP/2.0 200 OK\r\n\r\nv=0\r\n');
  await call.answered();
  call.request('BYE');
  expect((await app.next('sip')).sip).toMatch(/^ACK /);
  await lab.pass(5);
  expect(app.untaken()).toEqual([]);
  await lab.pass(1);
  const bye = await app.next('sip');
  expect(bye.sip).toMatch(/^BYE /);
  app.send(`sip|${bye.tokens[8]}`, 'SIP/2.0 200 OK\r\n\r\n');
  await call.response('200 BYE');
});

test('a CANCEL is delivered behind its re-INVITE while that is held back', async () => {
  const app = await lab.rawApp({ routes: ['invite'] });
  const call = peer.call('INVITE', { body: sdp('1') });
  const { tokens } = await app.next('sip');
  await app.ask(`sip|${tokens[8]}`, 'SIP/2.0 200 OK\r\n\r\nv=0\r\n');
  await call.answered();
  expect((await app.next('sip')).sip).toMatch(/^ACK /);
  const branch = newBranch();
  const sent = call.request('INVITE', { body: sdp('2'), branch });
  await call.response('100 INVITE');
  const cseq = Number(/^CSeq: (\d+)/m.exec(sent)?.[1]);
  await call.exchange('200 CANCEL', { branch, cseq });
  await call.response('487 INVITE');
  await lab.nothingMore(app);
  await lab.pass(6);
  const [invite, cancel] = [await app.next('sip'), await app.next('sip')];
  expect([invite.sip.split(' ')[0], cancel.sip.split(' ')[0]]).toEqual(['INVITE', 'CANCEL']);
  expect(cancel.tokens[8]).toBe(invite.tokens[8]);
  call.request('BYE');
  const bye = await app.next('sip');
  app.send(`sip|${bye.tokens[8]}`, 'SIP/2.0 200 OK\r\n\r\n');
  await call.response('200 BYE');
});

test.each([
  [200, 'v=0\r\n'],
  [302, ''],
])('a %d larger than a datagram is refused, and the application may send another answer', async (status, start) => {
  const app = await lab.rawApp({ routes: ['invite'] });
  const call = peer.call('INVITE', { body: sdp('1') });
  const { tokens } = await app.next('sip');
  const answer = await app.ask(
    `sip|${tokens[8]}`,
    `SIP/2.0 ${status} X\r\nX-Pad: ${'x'.repeat(70_000)}\r\n\r\n${start}`,
  );
  expect(answer.tokens.slice(3)).toEqual(['NOK', expect.stringMatching(/^a response of \d+ octets is more than/)]);
  expect((await app.ask(`sip|${tokens[8]}`, 'SIP/2.0 486 Busy Here\r\n\r\n')).tokens[3]).toBe('OK');
  call.ackFailure(await call.response(486));
});

test('a request larger than a datagram fails at once', async () => {
  const app = await lab.rawApp();
  const large = `MESSAGE ${peer.uri} SIP/2.0\r\nContent-Type: text/plain\r\n\r\n${'x'.repeat(70_000)}`;
  expect((await app.ask('sip||', large)).tokens[3]).toBe('OK');
  await lab.pass(6);
  expect((await app.next('sip')).sip).toMatch(/^SIP\/2.0 503 /);
  expect(peer.untaken()).toEqual([]);
});
