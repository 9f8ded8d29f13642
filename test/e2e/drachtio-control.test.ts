import { once } from 'node:events';
import { createDrachtioServer, COMPATIBLE_VERSION } from '@hopback/harness/drachtio';
import { expect, test } from 'vitest';
import { connectApp, heard } from '../support/drachtio-app.js';
import { createLab, type DrachtioLab } from '../support/drachtio-lab.js';
import { frameOf, octetsOf, type RawApp } from '../support/drachtio-raw-app.js';
import { TRANSPORTS, type SipPeer } from '../support/sip-peer.js';

/** An OPTIONS that an application has sent out, as its SIP part. */
function message(peer: SipPeer, body = 'x'): string {
  return `MESSAGE ${peer.uri} SIP/2.0\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\n${body}`;
}

/** What the server says and whether it hangs up. */
async function dismissed(app: RawApp, rest: string, sip?: string): Promise<readonly string[]> {
  const { tokens } = await app.ask(rest, sip);
  await app.closed;
  return tokens.slice(3);
}

/** Methods of `count` OPTIONS, and which of the applications got each. */
async function turns(lab: DrachtioLab, apps: readonly RawApp[], count: number): Promise<readonly number[]> {
  const peer = await lab.peer();
  const takers: number[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const call = peer.call('OPTIONS');
    const [index, frame] = await Promise.any(
      apps.map(async (app, at) => [at, await app.next('sip', ({ sip }) => sip.includes(call.callId))] as const),
    );
    takers.push(index);
    apps[index]?.send(`sip|${frame.tokens[8]}`, `SIP/2.0 200 OK\r\n\r\n`);
    await call.response(200);
  }
  return takers;
}

test('the length of a frame counts octets of UTF-8, from the application', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const peer = await lab.peer();
  const body = octetsOf('naïve ☎ 🐎');
  const id = app.send('sip||', message(peer, body));
  const ping = app.send('ping');
  expect((await app.answer(id)).tokens[3]).toBe('OK');
  expect((await app.answer(ping)).tokens.slice(3)).toEqual(['OK', 'pong']);
  const sent = await peer.next('MESSAGE');
  // What drachtio-srf counts is characters; the frame says how long the body is.
  expect([sent.body, sent.value('Content-Length')]).toEqual([body, String(body.length)]);
});

test('the length of a frame counts octets of UTF-8, from the server', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ routes: ['message'] });
  const peer = await lab.peer();
  const body = octetsOf('naïve ☎ 🐎');
  peer.call('MESSAGE', { body, lines: ['Content-Type: text/plain'] });
  peer.call('MESSAGE', { body: 'next', lines: ['Content-Type: text/plain'] });
  const [first, second] = [await app.next('sip'), await app.next('sip')];
  expect(first.length).toBe(first.payload.length);
  expect(first.sip.endsWith(`\r\n\r\n${body}`)).toBe(true);
  expect(second.sip.endsWith('\r\n\r\nnext')).toBe(true);
});

test('several frames in one write are answered in their order', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  app.write(['a|ping', 'b|route|invite', 'c|ping'].map(frameOf).join(''));
  const answers = [];
  for (let count = 0; count < 3; count += 1) answers.push((await app.next('response')).tokens.slice(2));
  expect(answers).toEqual([
    ['a', 'OK', 'pong'],
    ['b', 'OK'],
    ['c', 'OK', 'pong'],
  ]);
});

test('a frame that comes octet by octet is answered', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  for (const octet of frameOf('a|ping')) {
    app.write(octet);
    await lab.quiet();
  }
  expect((await app.answer('a')).tokens.slice(3)).toEqual(['OK', 'pong']);
});

test('a frame may have 99,999 octets', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  app.write(frameOf(`a|ping|${'x'.repeat(99_992)}`));
  expect((await app.answer('a')).tokens.slice(3)).toEqual(['OK', 'pong']);
});

test.each([
  ['six digits', '100000#a|ping'],
  ['a length that is no number', '1x#a|ping'],
  ['a sign', '-6#a|ping'],
  ['no length', '#a|ping'],
  ['no separator at all', '1234567'],
])('%s end the connection without an answer', async (_what, octets) => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  app.write(octets);
  await app.closed;
  expect(app.untaken()).toEqual([]);
});

test('an application that authenticates is told where SIP is spoken, and what version answers', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ isAuthenticated: false });
  const { tokens, sip } = await app.ask(`authenticate|cymru|tag1,tag2`);
  const places = TRANSPORTS.map((transport) => {
    const at = lab.server.listening.find((one) => one.transport === transport);
    return `${transport}/127.0.0.1:${at?.port}`;
  }).join(',');
  expect(tokens).toEqual([tokens[0], 'response', 'm1', 'OK', places, 'v0.9.10', places]);
  expect([COMPATIBLE_VERSION, sip]).toEqual(['v0.9.10', '']);
});

test('an advertised host is named first, and where the server really listens last', async () => {
  await using lab = await createLab({ advertisedHost: 'sip.example.com' });
  const { greeting } = await connectApp(lab.server).then(async (app) => {
    await app.close();
    return app;
  });
  const port = lab.server.listening[0]?.port;
  expect(greeting[0]?.split(',')[0]).toBe(`udp/sip.example.com:${port}`);
  expect(greeting[2]?.split(',')[0]).toBe(`udp/127.0.0.1:${port}`);
});

test('a wrong secret is told so and the connection closed', async () => {
  await using lab = await createLab({ control: { secret: 'right' } });
  const app = await lab.rawApp({ isAuthenticated: false });
  expect(await dismissed(app, 'authenticate|wrong|')).toEqual(['NO', 'incorrect secret']);
  await expect(connectApp(lab.server, { secret: 'wrong' })).rejects.toThrow('failed to authenticate');
  await lab.quiet();
  expect(lab.server.inUse().applications).toBe(0);
});

test('an unknown type of frame is told so and the connection closed', async () => {
  await using lab = await createLab();
  expect(await dismissed(await lab.rawApp(), 'dance|tango')).toEqual(['NO', 'Unknown message type']);
});

test.each([
  ['no type', 'lonely'],
  ['nothing', ''],
])('a frame with %s is told so and the connection closed', async (_what, payload) => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  app.write(frameOf(payload));
  expect((await app.next('response')).tokens.slice(2)).toEqual([payload, 'NO', 'Invalid message format']);
  await app.closed;
});

test('a response that names no transaction is told so and the connection closed', async () => {
  await using lab = await createLab();
  const told = await dismissed(await lab.rawApp(), 'sip||', 'SIP/2.0 200 OK\r\n\r\n');
  expect(told).toEqual(['NO', 'transaction id missing']);
});

test('a proxy frame without a destination is told so and the connection closed', async () => {
  await using lab = await createLab();
  const told = await dismissed(await lab.rawApp(), 'proxy|t', 'INVITE sip:a@b SIP/2.0\r\n\r\n');
  expect(told).toEqual(['NO', 'Invalid proxy request: not enough information provided']);
});

test('ping and route are answered before an application has authenticated', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ isAuthenticated: false });
  expect((await app.ask('ping')).tokens.slice(3)).toEqual(['OK', 'pong']);
  expect((await app.ask('route|invite')).tokens.slice(3)).toEqual(['OK']);
});

test('an application that has not said the secret gets no requests', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp({ isAuthenticated: false });
  await app.ask('route|options');
  const peer = await lab.peer();
  await peer.call('OPTIONS').response(503);
  expect(app.untaken()).toEqual([]);
  await app.ask('authenticate|cymru|');
  peer.call('OPTIONS');
  expect((await app.next('sip')).sip).toMatch(/^OPTIONS /);
});

test('a server that is closed amid calls leaves no timer', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  const peer = await lab.peer();
  await app.ask('sip||', `INVITE ${peer.uri} SIP/2.0\r\n\r\n`);
  const invite = await peer.next('INVITE');
  peer.reply(invite, 180);
  await app.next('sip');
  await lab.server.close();
  await app.closed;
  await lab.quiet();
  const { clientTransactions, timers } = lab.server.inUse();
  expect([clientTransactions, timers, lab.clock.pendingTimers()]).toEqual([0, 0, 0]);
});

test.each(['sip||', 'proxy|t||||serial|||sip:a@b'])(
  'SIP of an application that has not authenticated is refused: %s',
  async (rest) => {
    await using lab = await createLab();
    const app = await lab.rawApp({ isAuthenticated: false });
    const peer = await lab.peer();
    expect(await dismissed(app, rest, message(peer))).toEqual(['NO', 'incorrect secret']);
    expect(peer.untaken()).toEqual([]);
  },
);

test('requests go round among the applications that asked for their method', async () => {
  await using lab = await createLab();
  const apps = [
    await lab.rawApp({ routes: ['options'] }),
    await lab.rawApp({ routes: ['options'] }),
    await lab.rawApp({ routes: ['message'] }),
    await lab.rawApp({ routes: ['options'] }),
  ];
  expect(await turns(lab, apps, 6)).toEqual([0, 1, 3, 0, 1, 3]);
});

test('asking twice for a method brings no more requests than asking once', async () => {
  await using lab = await createLab();
  const apps = [
    await lab.rawApp({ routes: ['options', 'options', 'options'] }),
    await lab.rawApp({ routes: ['options'] }),
  ];
  expect(await turns(lab, apps, 4)).toEqual([0, 1, 0, 1]);
});

test('remove_route removes all that the application asked for, whatever it names', async () => {
  await using lab = await createLab();
  const [leaver, stayer] = [
    await lab.rawApp({ routes: ['options', 'message'] }),
    await lab.rawApp({ routes: ['options'] }),
  ];
  expect((await leaver.ask('remove_route|message')).tokens.slice(3)).toEqual(['OK']);
  expect(await turns(lab, [leaver, stayer], 3)).toEqual([1, 1, 1]);
  const call = (await lab.peer()).call('MESSAGE');
  await call.response(503);
});

test('methods are asked for in lower case, as drachtio-srf does', async () => {
  await using lab = await createLab();
  await lab.rawApp({ routes: ['OPTIONS'] });
  await (await lab.peer()).call('OPTIONS').response(503);
});

test('an application that is gone has no turn any more, and without any there is a 503', async () => {
  await using lab = await createLab();
  const apps = [await lab.rawApp({ routes: ['options'] }), await lab.rawApp({ routes: ['options'] })];
  await apps[0]?.close();
  await lab.quiet();
  expect(await turns(lab, apps, 2)).toEqual([1, 1]);
  await apps[1]?.close();
  await lab.quiet();
  await (await lab.peer()).call('OPTIONS').response(503);
  expect(lab.server.inUse().applications).toBe(0);
});

test('an application takes its methods back and asks for them again', async () => {
  await using lab = await createLab();
  const { srf, next } = await lab.app('options');
  const peer = await lab.peer();
  srf.unregisterForMessages('options');
  await lab.quiet();
  await peer.call('OPTIONS').response(503);
  srf.reregisterForMessages('options');
  await lab.quiet();
  const call = peer.call('OPTIONS');
  (await next('OPTIONS')).res.send(200);
  await call.response(200);
});

test('an application that loses its server finds the next one and is asked again', async () => {
  const first = await createDrachtioServer();
  await using app = await connectApp(first, {
    setUp: (srf) => srf.options((_req, res) => res.send(200)),
  });
  const back = heard(app.srf, 'connect');
  await first.close();
  await using lab = await createLab({ control: { port: first.control.port } });
  await back;
  await lab.quiet();
  await (await lab.peer()).call('OPTIONS').response(200);
});

test('any application may send in any call, and gets the response', async () => {
  await using lab = await createLab();
  const [owner, stranger] = [await lab.app('invite'), await lab.rawApp()];
  const peer = await lab.peer();
  const call = peer.call('INVITE', { body: 'v=0\r\n' });
  const { req, res } = await owner.next('INVITE');
  const dialog = await owner.srf.createUAS(req, res, { localSdp: 'v=0\r\n' });
  await call.response(200);
  call.ack();
  await once(dialog, 'ack');
  const sent = await stranger.ask(`sip||${dialog.id}`, 'INFO sip:ignored SIP/2.0\r\n\r\n');
  peer.reply(await call.next('INFO'), 200);
  const answer = await stranger.next('sip');
  expect([answer.tokens[8], answer.tokens[9]]).toEqual([sent.tokens[10], dialog.id]);
  const gone = dialog.destroy();
  peer.reply(await call.next('BYE'), 200);
  await gone;
  await lab.nothingLeft();
});

test('an application that has asked to be pinged is', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  for (let count = 0; count < 3; count += 1) expect((await app.ask('ping')).tokens.slice(3)).toEqual(['OK', 'pong']);
});

test('closing the server closes the applications, and closing it again does nothing', async () => {
  await using lab = await createLab();
  const app = await lab.rawApp();
  await Promise.all([lab.server.close(), lab.server.close()]);
  await app.closed;
});
