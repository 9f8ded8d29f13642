import { verificationRequestOf, parseSipRequest } from '@hopback/sdk/stir';
import { createRedirectServer, REDIRECT_PROFILES, redirectProfile } from '@hopback/sdk/switch';
import type { RedirectRule, RedirectServer, RedirectServerOptions } from '@hopback/sdk/switch';
import { expect, test } from 'vitest';
import { connectApp } from '../support/drachtio-app.js';
import { createLab } from '../support/drachtio-lab.js';
import type { DrachtioLab } from '../support/drachtio-lab.js';
import { createRedirectLab, KNOWN_CUSTOMER } from '../support/redirect-lab.js';
import type { Came, CallParts, PeerTransport, SipPeer } from '../support/sip-peer.js';

// The redirect server as an application of drachtio-srf, which is used as published, behind the embedded server.

const { stir, signing, identityHeader } = await createRedirectLab();
const CALLED = 'sip:+12025550199@redirect.example';
const OUTBOUND: RedirectRule = {
  ...{ name: 'outbound', mode: 'sign', facts: KNOWN_CUSTOMER },
  when: { header: { name: 'X-Mode', value: 'sign' } },
};
const STRICT: RedirectRule = {
  ...{ name: 'strict', mode: 'verify', when: { hosts: ['strict.example'] } },
  policy: {
    ...{ role: 'terminating', failureAction: 'reject_request' },
    rejectWith: { tel: '+12025550100', location: 'LN' },
  },
};
const INBOUND: RedirectRule = { name: 'inbound', mode: 'verify', when: { sources: ['127.0.0.1'] } };

interface World extends AsyncDisposable {
  readonly lab: DrachtioLab;
  readonly server: RedirectServer;
}

async function laboratory(options: Partial<RedirectServerOptions> = {}): Promise<World> {
  const lab = await createLab({ clock: stir.clock });
  const server = createRedirectServer({
    ...{ rules: [OUTBOUND, STRICT, INBOUND], signing, verification: stir.service },
    ...options,
  });
  const app = await connectApp(lab.server, {
    setUp: (srf) => {
      srf.invite(server.invite);
      srf.options(server.options);
    },
  });
  await lab.quiet();
  return {
    ...{ lab, server },
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

const callFrom = (number: string, ...lines: readonly string[]): CallParts => ({
  ...{ uri: CALLED, from: `<sip:+${number}@sbc.example>`, lines },
});

async function answerTo(peer: SipPeer, status: number, parts: CallParts): Promise<Came> {
  const call = peer.call('INVITE', parts);
  const answer = await call.response(status);
  call.ackFailure(answer);
  return answer;
}

test.each<[PeerTransport]>([['udp'], ['tcp'], ['ws']])(
  'over %s: a call to be signed gets 302 with an Identity that verifies, and nothing is left',
  async (transport) => {
    await using world = await laboratory();
    const peer = await world.lab.peer(transport);
    const call = peer.call('INVITE', callFrom('12025550101', 'X-Mode: sign'));
    const answer = await call.response(302);
    call.ackFailure(answer);
    const sent = parseSipRequest(call.sent);
    if (sent.status === 'malformed') throw new Error(sent.reason);
    const added = { identity: answer.values('Identity'), date: answer.value('Date') };
    expect(added.identity).toHaveLength(1);
    const verdict = await stir.service.verify({ ...verificationRequestOf(sent.request), ...added });
    expect([verdict.verstat, verdict.attestation]).toEqual(['TN-Validation-Passed', 'A']);
    expect(answer.value('Contact')).toMatch(/^<sip:\+12025550199@127\.0\.0\.1(?::\d+)?>$/);
    await world.lab.nothingLeft();
  },
);

test('x-identity: 300 with X-Identity and X-Date', async () => {
  await using world = await laboratory({ profile: REDIRECT_PROFILES['x-identity'] });
  const answer = await answerTo(await world.lab.peer(), 300, callFrom('12025550101', 'X-Mode: sign'));
  expect([answer.values('X-Identity').length, answer.values('Identity').length]).toEqual([1, 0]);
  expect(answer.value('X-Date')).toMatch(/ GMT$/);
});

test.each([
  ['a signed call', '12025550101', 'Identity', 'TN-Validation-Passed', ''],
  ['one whose Identity is compact', '12025550101', 'y', 'TN-Validation-Passed', ''],
  ['a spoofed one', '12025550166', 'Identity', 'No-TN-Validation', 'STIR;cause=438'],
  ['an unsigned one', '12025550101', 'X-Identity', 'No-TN-Validation', 'STIR;cause=428'],
])('%s is verified', async (...[, number, field, verstat, reason]) => {
  await using world = await laboratory();
  const answer = await answerTo(await world.lab.peer(), 302, callFrom(number, `${field}: ${identityHeader()}`));
  expect(answer.value('P-Asserted-Identity')).toBe(`<sip:+${number};verstat=${verstat}@sbc.example;user=phone>`);
  expect(answer.value('Reason').slice(0, 14)).toBe(reason);
});

test('a signed call that is to be signed again has nothing to be said', async () => {
  await using world = await laboratory();
  const lines = ['X-Mode: sign', `Identity: ${identityHeader()}`];
  const answer = await answerTo(await world.lab.peer(), 404, callFrom('12025550101', ...lines));
  expect(answer.value('Reason')).toBe('SIP;cause=404;text="already-signed"');
});

test('a spoofed call is blocked with its redress where policy says so', async () => {
  await using world = await laboratory();
  const spoofed = {
    ...callFrom('12025550166', `Identity: ${identityHeader()}`),
    uri: 'sip:+12025550199@strict.example',
  };
  const answer = await answerTo(await world.lab.peer(), 603, spoofed);
  expect([answer.reason, answer.value('Reason')]).toEqual([
    'Network Blocked',
    'SIP;cause=603;text="v=analytics1;tel=+12025550100";location=LN',
  ]);
});

test('503 where a service fails, 403 where no rule serves the address', async () => {
  const away = async (): Promise<never> => Promise.reject(new Error('away'));
  await using failing = await laboratory({ signing: { sign: away }, verification: { verify: away } });
  const peer = await failing.lab.peer();
  await answerTo(peer, 503, callFrom('12025550101', 'X-Mode: sign'));
  await answerTo(peer, 503, callFrom('12025550101', `Identity: ${identityHeader()}`));
  await using elsewhere = await laboratory({ rules: [{ ...INBOUND, when: { sources: ['192.0.2.0/24'] } }] });
  await answerTo(await elsewhere.lab.peer(), 403, callFrom('12025550101'));
});

test('a caller who hangs up meanwhile gets 487, and the answer that comes too late goes nowhere', async () => {
  let finish: () => void = () => undefined;
  const verify = async (): Promise<never> => {
    await new Promise<void>((resolve) => void (finish = resolve));
    throw new Error('at last');
  };
  await using world = await laboratory({ verification: { verify } });
  const call = (await world.lab.peer()).call('INVITE', callFrom('12025550101'));
  await call.response(100);
  await world.lab.quiet();
  call.cancel();
  await call.response('200 CANCEL');
  call.ackFailure(await call.response(487));
  finish();
  await world.server.close();
  await world.lab.nothingLeft();
});

test('OPTIONS are answered with 200, and with 503 while it drains', async () => {
  await using world = await laboratory();
  const peer = await world.lab.peer();
  const answer = await peer.call('OPTIONS').response(200);
  expect(answer.value('Allow')).toBe('INVITE, ACK, CANCEL, OPTIONS');
  world.server.drain();
  await peer.call('OPTIONS').response(503);
  await answerTo(peer, 302, callFrom('12025550101', 'X-Mode: sign'));
  await world.server.close();
  await answerTo(peer, 503, callFrom('12025550101', 'X-Mode: sign'));
});

test('a Contact at a host of the profile', async () => {
  await using world = await laboratory({ profile: redirectProfile({ contact: { host: 'next.example' } }) });
  const answer = await answerTo(await world.lab.peer(), 302, callFrom('12025550101', 'X-Mode: sign'));
  expect(answer.value('Contact')).toBe('<sip:+12025550199@next.example>');
});
