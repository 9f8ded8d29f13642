import { once } from 'node:events';
import { COMPATIBLE_VERSION } from '@hopback/harness/drachtio';
import { expect, test } from 'vitest';
import { connectApp } from '../support/drachtio-app.js';
import { createLab, lab, peer, useLab } from '../support/drachtio-lab.js';
import { frameOf, octetsOf, type RawApp } from '../support/drachtio-raw-app.js';
import { TRANSPORTS } from '../support/sip-peer.js';

useLab();

const OK = 'SIP/2.0 200 OK\r\n\r\n';

/** A MESSAGE to the peer, as the SIP part of a frame. */
function message(body = 'x'): string {
  return `MESSAGE ${peer.uri} SIP/2.0\r\nContent-Type: text/plain\r\nContent-Length: 7\r\n\r\n${body}`;
}

/** The answer of the server, which then closes the connection. */
async function dismissed(app: RawApp, rest: string, sip?: string): Promise<readonly string[]> {
  const { tokens } = await app.ask(rest, sip);
  await app.closed;
  return tokens.slice(3);
}

/** Which of the applications got each of some OPTIONS. */
async function turns(apps: readonly RawApp[], count: number): Promise<readonly number[]> {
  const takers: number[] = [];
  for (let sent = 0; sent < count; sent += 1) {
    const call = peer.call('OPTIONS');
    const [index, frame] = await Promise.any(
      apps.map(async (app, at) => [at, await app.next('sip', ({ sip }) => sip.includes(call.callId))] as const),
    );
    takers.push(index);
    apps[index]?.send(`sip|${frame.tokens[8]}`, OK);
    await call.response(200);
  }
  return takers;
}

test('the length of a frame counts octets of UTF-8, from the application', async () => {
  const app = await lab.rawApp();
  const body = octetsOf('naïve ☎ 🐎');
  const id = app.send('sip||', message(body));
  const ping = app.send('ping');
  expect((await app.answer(id)).tokens[3]).toBe('OK');
  expect((await app.answer(ping)).tokens.slice(3)).toEqual(['OK', 'pong']);
  const sent = await peer.next('MESSAGE');
  // What drachtio-srf counts is characters; the frame says how long the body is.
  expect([sent.body, sent.value('Content-Length')]).toEqual([body, String(body.length)]);
});

test('the length of a frame counts octets of UTF-8, from the server', async () => {
  const app = await lab.rawApp({ routes: ['message'] });
  const body = octetsOf('naïve ☎ 🐎');
  peer.call('MESSAGE', { body, lines: ['Content-Type: text/plain'] });
  peer.call('MESSAGE', { body: 'next', lines: ['Content-Type: text/plain'] });
  const [first, second] = [await app.next('sip'), await app.next('sip')];
  expect(first.length).toBe(first.payload.length);
  expect(first.sip.endsWith(`\r\n\r\n${body}`)).toBe(true);
  expect(second.sip.endsWith('\r\n\r\nnext')).toBe(true);
  for (const { tokens } of [first, second]) app.send(`sip|${tokens[8]}`, OK);
});

test('an invalid frame length ends the connection without an answer', async () => {
  const app = await lab.rawApp();
  app.write('100000#a|ping');
  await app.closed;
  expect(app.untaken()).toEqual([]);
});

test('an application that authenticates gets the SIP addresses and the version', async () => {
  const app = await lab.rawApp({ isAuthenticated: false });
  const { tokens, sip } = await app.ask(`authenticate|cymru|tag1,tag2`);
  const places = TRANSPORTS.map((transport) => {
    const at = lab.server.listening.find((one) => one.transport === transport);
    return `${transport}/127.0.0.1:${at?.port}`;
  }).join(',');
  expect(tokens).toEqual([tokens[0], 'response', 'm1', 'OK', places, 'v0.9.10', places]);
  expect([COMPATIBLE_VERSION, sip]).toEqual(['v0.9.10', '']);
});

test('an advertised host is named first, and the address that the server listens on last', async () => {
  await using named = await createLab({ advertisedHost: 'sip.example.com' });
  await using app = await connectApp(named.server);
  const port = named.server.listening[0]?.port;
  expect(app.greeting[0]?.split(',')[0]).toBe(`udp/sip.example.com:${port}`);
  expect(app.greeting[2]?.split(',')[0]).toBe(`udp/127.0.0.1:${port}`);
});

test('a wrong secret is refused and the connection closed', async () => {
  await using secret = await createLab({ control: { secret: 'right' } });
  const app = await secret.rawApp({ isAuthenticated: false });
  expect(await dismissed(app, 'authenticate|wrong|')).toEqual(['NO', 'incorrect secret']);
  await expect(connectApp(secret.server, { secret: 'wrong' })).rejects.toThrow('failed to authenticate');
  await secret.quiet();
  expect(secret.server.inUse().applications).toBe(0);
});

test('a frame that is no command is refused and the connection closed', async () => {
  const app = await lab.rawApp();
  app.write(frameOf('lonely'));
  expect((await app.next('response')).tokens.slice(2)).toEqual(['lonely', 'NO', 'Invalid message format']);
  await app.closed;
});

test('ping and route are answered before an application has authenticated', async () => {
  const app = await lab.rawApp({ isAuthenticated: false });
  expect((await app.ask('ping')).tokens.slice(3)).toEqual(['OK', 'pong']);
  expect((await app.ask('route|invite')).tokens.slice(3)).toEqual(['OK']);
});

test('an application gets no requests before it has authenticated', async () => {
  const app = await lab.rawApp({ isAuthenticated: false });
  await app.ask('route|options');
  await peer.call('OPTIONS').response(503);
  expect(app.untaken()).toEqual([]);
  await app.ask('authenticate|cymru|');
  peer.call('OPTIONS');
  const { sip, tokens } = await app.next('sip');
  expect(sip).toMatch(/^OPTIONS /);
  app.send(`sip|${tokens[8]}`, OK);
});

test('a server that is closed amid calls leaves no timer', async () => {
  await using closing = await createLab();
  const [app, callee] = [await closing.rawApp(), await closing.peer()];
  await app.ask('sip||', `INVITE ${callee.uri} SIP/2.0\r\n\r\n`);
  callee.reply(await callee.next('INVITE'), 180);
  await app.next('sip');
  await closing.server.close();
  await app.closed;
  await closing.quiet();
  const { clientTransactions, timers } = closing.server.inUse();
  expect([clientTransactions, timers, closing.clock.pendingTimers()]).toEqual([0, 0, 0]);
});

test.each(['sip||', 'proxy|t||||serial|||sip:a@b'])(
  'SIP of an application that has not authenticated is refused: %s',
  async (rest) => {
    const app = await lab.rawApp({ isAuthenticated: false });
    expect(await dismissed(app, rest, message())).toEqual(['NO', 'incorrect secret']);
    expect(peer.untaken()).toEqual([]);
  },
);

test('requests go by turns to the applications that asked for their method, in lower case, once or more', async () => {
  const [double, single] = [['options', 'options'], ['options']];
  const apps = [];
  for (const routes of [double, single, ['message'], ['OPTIONS'], single]) apps.push(await lab.rawApp({ routes }));
  expect(await turns(apps, 6)).toEqual([0, 1, 4, 0, 1, 4]);
});

test('remove_route removes all that the application asked for, whatever it names', async () => {
  const [leaver, stayer] = [
    await lab.rawApp({ routes: ['options', 'message'] }),
    await lab.rawApp({ routes: ['options'] }),
  ];
  expect((await leaver.ask('remove_route|message')).tokens.slice(3)).toEqual(['OK']);
  expect(await turns([leaver, stayer], 3)).toEqual([1, 1, 1]);
  const call = peer.call('MESSAGE');
  await call.response(503);
});

test('an application that disconnects gets no requests, and without any application there is a 503', async () => {
  const apps = [await lab.rawApp({ routes: ['options'] }), await lab.rawApp({ routes: ['options'] })];
  await apps[0]?.close();
  await lab.quiet();
  expect(await turns(apps, 2)).toEqual([1, 1]);
  await apps[1]?.close();
  await lab.quiet();
  await peer.call('OPTIONS').response(503);
  expect(lab.server.inUse().applications).toBe(0);
});

test('an application takes its methods back and asks for them again', async () => {
  const { srf, next } = await lab.app('options');
  srf.unregisterForMessages('options');
  await lab.quiet();
  await peer.call('OPTIONS').response(503);
  srf.reregisterForMessages('options');
  await lab.quiet();
  const call = peer.call('OPTIONS');
  (await next('OPTIONS')).res.send(200);
  await call.response(200);
});

test('any application may send in any call, and gets the response', async () => {
  const [owner, stranger] = [await lab.app('invite'), await lab.rawApp()];
  const call = peer.call('INVITE', { body: 'v=0\r\n' });
  const { req, res } = await owner.next('INVITE');
  const dialog = await owner.srf.createUAS(req, res, { localSdp: 'v=0\r\n' });
  await call.answered();
  await once(dialog, 'ack');
  const sent = await stranger.ask(`sip||${dialog.id}`, 'INFO sip:ignored SIP/2.0\r\n\r\n');
  peer.reply(await call.next('INFO'), 200);
  const answer = await stranger.next('sip');
  expect([answer.tokens[8], answer.tokens[9]]).toEqual([sent.tokens[10], dialog.id]);
  const gone = dialog.destroy();
  peer.reply(await call.next('BYE'), 200);
  await gone;
});

test('closing the server closes the applications, and closing it again does nothing', async () => {
  const app = await lab.rawApp();
  await Promise.all([lab.server.close(), lab.server.close()]);
  await app.closed;
});
