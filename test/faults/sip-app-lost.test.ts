import { expect, test } from 'vitest';
import { ChaosRelay } from '../../harness/src/faults/index.js';
import { connectApp, type AppDialog } from '../support/drachtio-app.js';
import { callWorks } from '../support/drachtio-calls.js';
import { lab, peer, untilQuiet, useLab } from '../support/drachtio-lab.js';
import type { Frame, RawApp } from '../support/drachtio-raw-app.js';
import { sdp } from '../support/drachtio-sip-text.js';
import type { Came, PeerCall } from '../support/sip-peer.js';

useLab();

const OF_EACH = 10;

/** Answers a request as an application. */
async function answer(app: RawApp, frame: Frame, status: number): Promise<void> {
  const body = status === 200 ? sdp('2') : '';
  const type = body === '' ? '' : 'Content-Type: application/sdp\r\n';
  await app.ask(`sip|${frame.tokens[8]}|`, `SIP/2.0 ${status} Fine\r\n${type}\r\n${body}`);
}

/** A call of the peer, which the application has answered with a status; 0 for none. */
async function called(app: RawApp, status: number): Promise<PeerCall> {
  const call = peer.call('INVITE', { body: sdp() });
  const frame = await app.next('sip', ({ sip }) => sip.includes(call.callId));
  if (status === 0) return call;
  await answer(app, frame, status);
  await call.response(status);
  return call;
}

/** A call of the application, which the peer answers with a status. */
async function placed(app: RawApp, status: number): Promise<Came> {
  const text = `INVITE ${peer.uri} SIP/2.0\r\nContent-Type: application/sdp\r\n\r\n${sdp()}`;
  await app.ask('sip||', text);
  const invite = await peer.next('INVITE');
  peer.reply(invite, status, { body: status === 200 ? sdp('2') : '' });
  await app.next('sip', ({ sip }) => sip.includes(invite.value('Call-ID')) && sip.startsWith(`SIP/2.0 ${status}`));
  return invite;
}

/** So many, one after the other. */
async function several<T>(make: () => Promise<T>): Promise<readonly T[]> {
  const made: T[] = [];
  while (made.length < OF_EACH) made.push(await make());
  return made;
}

/** Everything that a server can be doing for an application. */
async function busyWith(app: RawApp) {
  return {
    unanswered: await several(() => called(app, 0)),
    ringing: await several(() => called(app, 180)),
    unacknowledged: await several(() => called(app, 200)),
    up: await several(async () => {
      const call = await called(app, 200);
      call.ack();
      await app.next('sip', ({ sip }) => sip.startsWith('ACK') && sip.includes(call.callId));
      return call;
    }),
    other: await several(async () => {
      const call = peer.call('OPTIONS');
      await app.next('sip', ({ sip }) => sip.includes(call.callId));
      return call;
    }),
    ringingOut: await several(() => placed(app, 180)),
    upOut: await several(async () => {
      const invite = await placed(app, 200);
      const tag = /From: .*;tag=(\S+)/.exec(invite.raw)?.[1] ?? '';
      await app.ask(`sip||${invite.value('Call-ID')};from-tag=${tag}`, 'ACK sip:placeholder SIP/2.0\r\n\r\n');
      await peer.next('ACK', invite.value('Call-ID'));
      return invite;
    }),
  };
}

const ENDS: readonly (readonly [string, (app: RawApp) => Promise<void>])[] = [
  ['at rest', (app) => app.close()],
  [
    'in the middle of a frame',
    (app) => {
      app.write('5000#a|sip||\r\nINVITE sip:x@127.0.0.1 SIP/2.0');
      return app.close();
    },
  ],
  [
    'with answers that it has not read',
    (app) => {
      for (let count = 0; count < 1_000; count += 1) app.send('ping');
      return app.close();
    },
  ],
];

test.each(ENDS)(
  `an application dies %s, with ${OF_EACH} of each kind of call: all calls end, and the next application is served`,
  async (_when, die) => {
    const app = await lab.rawApp({ routes: ['invite', 'options'] });
    const calls = await busyWith(app);
    await die(app);
    await lab.quiet();

    for (const call of [...calls.unanswered, ...calls.ringing]) call.ackFailure(await call.response(503));
    for (const invite of calls.ringingOut) {
      peer.reply(await peer.next('CANCEL', invite.value('Call-ID')), 200);
      peer.reply(invite, 487);
      await peer.next('ACK', invite.value('Call-ID'));
    }
    expect(lab.server.inUse()).toMatchObject({ pendingRequests: 0, pendingInvites: 0, outgoing: 0, applications: 0 });
    // Nobody can tell what the application would have said to another request: its sender has timers.
    expect(peer.all.filter(({ status, raw }) => status > 0 && raw.includes('OPTIONS'))).toEqual([]);

    const next = await lab.app('invite');
    await callWorks(next, peer);

    for (const call of calls.unacknowledged) call.ack();
    for (const call of [...calls.unacknowledged, ...calls.up]) {
      await call.exchange('481 BYE');
    }
    for (const invite of calls.upOut) {
      const call = peer.dialog(invite);
      await call.exchange('481 BYE');
    }
  },
);

test('a call that an application answered before it died, and whose ACK never comes, is hung up after 32 s', async () => {
  const app = await lab.rawApp({ routes: ['invite'] });
  const call = await called(app, 200);
  await app.close();
  await lab.pass(32_000);
  peer.reply(await call.next('BYE'), 200);
});

test('an application whose connection is reset amid its calls connects again by itself, is asked again, and nothing is left', async () => {
  const { control } = lab.server;
  await using relay = await ChaosRelay.open({ protocol: 'tcp', target: control, seed: 1 });
  const dialogs: AppDialog[] = [];
  const through = { control: { ...relay.address, secret: control.secret } };
  await using app = await connectApp(through, {
    setUp: (srf) => {
      srf.invite((req, res) => {
        if (req.get('Subject') === 'ring') res.send(180);
        else void srf.createUAS(req, res, { localSdp: sdp('2') }).then((dialog) => dialogs.push(dialog));
      });
    },
  });
  await lab.quiet();
  for (let round = 0; round < 3; round += 1) {
    const ringing = await several(async () => {
      const call = peer.call('INVITE', { body: sdp(), lines: ['Subject: ring'] });
      await call.response(180);
      return call;
    });
    const up = await several(async () => {
      const call = peer.call('INVITE', { body: sdp() });
      await call.answered();
      return call;
    });
    await untilQuiet([lab.server]);
    // Not `once` of Node's: the reset itself is an error, and an expected one.
    const back = new Promise((resolve) => void app.srf.once('connect', resolve));
    // In the middle of what passes next.
    relay.setFaults({ toSource: { cutAfterBytes: 100 } });
    const last = peer.call('INVITE', { body: sdp(), lines: ['Subject: ring'] });
    for (const call of [...ringing, last]) call.ackFailure(await call.response(503));
    relay.setFaults({ toSource: {} });
    await back;
    await untilQuiet([lab.server]);
    expect(lab.server.inUse()).toMatchObject({ pendingRequests: 0, pendingInvites: 0, applications: 1 });
    for (const call of up) {
      await call.exchange('481 BYE');
    }
  }
  expect(dialogs.length).toBe(3 * OF_EACH);
  const call = peer.call('INVITE', { body: sdp() });
  await call.answered();
  await call.exchange('200 BYE');
});

test('an application that dies over and over while calls come leaves each call with an answer', async () => {
  for (let round = 0; round < OF_EACH; round += 1) {
    const app = await lab.rawApp({ routes: ['invite'] });
    const calls = Array.from({ length: OF_EACH }, () => peer.call('INVITE', { body: sdp() }));
    // Dies somewhere between the first call and the last.
    for (let seen = 0; seen < round; seen += 1) await answer(app, await app.next('sip'), 486);
    await app.close();
    for (const call of calls) {
      const final = await Promise.race([call.response('486 INVITE'), call.response('503 INVITE')]);
      call.ackFailure(final);
    }
  }
  await callWorks(await lab.app('invite'), peer);
});
