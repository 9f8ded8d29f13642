import { everyStatus, relayedHeaders, relayFailure } from '@hopback/sdk/switch';
import { expect, test } from 'vitest';
import type { AppRequest, AppResponse, AppSrf, Handler } from '../support/drachtio-app.js';
import { connectApp } from '../support/drachtio-app.js';
import { createLab } from '../support/drachtio-lab.js';
import { sdp } from '../support/drachtio-sip-text.js';
import type { SipPeer } from '../support/sip-peer.js';

// drachtio-srf as it is published: what its B2BUA does with the refusals of a callee, and what the caller's side hears of them.

const BLOCKED = 'SIP;cause=603;text="v=analytics1;url=https://redress.example/a,b";location=LN';
const CARD = '<https://card.example/1>;purpose=jwscard';

type Join = (srf: AppSrf, parts: { req: AppRequest; res: AppResponse; uri: string }) => unknown;

/** A caller, an application that joins, and a callee; `use` are the handlers that come first. */
async function world(join: Join, use: readonly Handler[] = []) {
  const lab = await createLab();
  const callee: SipPeer = await lab.peer();
  const app = await connectApp(lab.server, {
    setUp: (srf) => {
      for (const handler of use) srf.use('invite', handler);
      srf.use('invite', (req, res) => void join(srf, { req, res, uri: callee.uri }));
    },
  });
  await lab.quiet();
  const call = (await lab.peer()).call('INVITE', { body: sdp('1') });
  return {
    ...{ lab, callee, call },
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

test.each([607, 608])('drachtio-srf by itself leaves the caller of a %i without an answer', async (status) => {
  let failed: (error: unknown) => void = () => undefined;
  const failure = new Promise<unknown>((resolve) => {
    failed = resolve;
  });
  await using at = await world((srf, { req, res, uri }) => srf.createB2BUA(req, res, uri, {}).catch(failed));
  at.callee.reply(await at.callee.next('INVITE'), status);
  // What it is rejected with says nothing of the callee.
  expect(await failure).not.toHaveProperty('status');
  // The server answers a CANCEL with 487 for a caller who has no final response yet.
  at.call.cancel();
  at.call.ackFailure(await at.call.response('487 INVITE'));
});

test.each([
  [607, 'Unwanted', 'Reason: SIP;cause=607;text="Unwanted, says the callee"'],
  [608, 'Rejected', `Call-Info: ${CARD}`],
  [603, 'Network Blocked', `Reason: ${BLOCKED}`],
  [603, 'Decline', undefined],
  [499, 'Of Our Own', undefined],
] as const)('behind everyStatus a B2BUA hands a %i %s on as it came', async (status, reason, line) => {
  await using at = await world(
    (srf, { req, res, uri }) =>
      srf.createB2BUA(req, res, uri, { responseHeaders: relayedHeaders as never }).catch(() => undefined),
    [everyStatus],
  );
  at.callee.reply(await at.callee.next('INVITE'), status, { reason, lines: line === undefined ? [] : [line] });
  const answer = await at.call.response(status);
  expect(answer.startLine).toBe(`SIP/2.0 ${status} ${reason}`);
  const [name = '', value] = line?.split(/: (.*)/) ?? [];
  expect(line === undefined ? [] : answer.values(name)).toEqual(value === undefined ? [] : [value]);
  at.call.ackFailure(answer);
  await at.lab.nothingLeft();
});

test('two Reason header fields go on as two, and ours behind them', async () => {
  const own = 'STIR;cause=438;text="Invalid Identity Header"';
  await using at = await world((srf, { req, res, uri }) =>
    srf
      .createUAC(uri, { localSdp: req.body })
      .catch((error: unknown) => relayFailure(res, error, { reasonHeaders: [own] })),
  );
  const lines = [`Reason: ${BLOCKED}`, 'Reason: Q.850;cause=21'];
  at.callee.reply(await at.callee.next('INVITE'), 603, { reason: 'Network Blocked', lines });
  const answer = await at.call.response(603);
  expect([answer.reason, ...answer.values('Reason')]).toEqual(['Network Blocked', BLOCKED, 'Q.850;cause=21', own]);
  at.call.ackFailure(answer);
  await at.lab.nothingLeft();
});

test.each([
  ['607 without the middleware', (res: AppResponse) => relayFailure(res, { status: 607 }), 607, 'Unwanted'],
  ['an error of the application', (res: AppResponse) => relayFailure(res, new Error('x')), 500, /Error/],
] as const)('an application that places its legs itself sends %s', async (_what, send, status, reason) => {
  await using at = await world((_srf, { res }) => send(res));
  const answer = await at.call.response(status);
  expect(answer.reason).toMatch(reason);
  at.call.ackFailure(answer);
  await at.lab.nothingLeft();
});

test('an application sends 607 of its own, in every form that send takes', async () => {
  const forms: readonly ((res: AppResponse) => void)[] = [
    (res) => res.send(607),
    (res) => res.send(607, { headers: { 'X-A': '1' } }),
    (res) => res.send(607, 'Not Again', { headers: { 'X-A': '1' } }),
    (res) => res.send(607, 'Not Again', {}, () => undefined),
  ];
  for (const form of forms) {
    let finished: unknown;
    await using at = await world(
      (_srf, { res }) => {
        form(res);
        finished = res.finalResponseSent;
      },
      [everyStatus],
    );
    const answer = await at.call.response(607);
    expect([['Unwanted', 'Not Again'].includes(answer.reason), finished]).toEqual([true, true]);
    at.call.ackFailure(answer);
  }
});

test('a caller who was answered already hears of no failure behind it', async () => {
  let again: boolean | undefined;
  await using at = await world((_srf, { res }) => {
    res.send(486);
    again = relayFailure(res, { status: 607 });
  });
  at.call.ackFailure(await at.call.response(486));
  expect(again).toBe(false);
});

test('behind everyStatus what a listener throws reaches whoever sent the response', async () => {
  const thrown: unknown[] = [];
  await using at = await world(
    (_srf, { res }) => {
      const failure = new Error('of the application');
      (res as unknown as NodeJS.EventEmitter).once('end', () => {
        throw failure;
      });
      try {
        res.send(486);
      } catch (error) {
        thrown.push(error === failure);
      }
    },
    [everyStatus],
  );
  at.call.ackFailure(await at.call.response(486));
  expect(thrown).toEqual([true]);
});
