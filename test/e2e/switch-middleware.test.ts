import { parseSipRequest, verificationRequestOf } from '@hopback/sdk/stir';
import { createPassport } from '@hopback/sdk/testing';
import { outboundHeaders, trunkPolicy, verifyIdentity } from '@hopback/sdk/switch';
import type { CallIdentity } from '@hopback/sdk/switch';
import { expect, test } from 'vitest';
import { connectApp } from '../support/drachtio-app.js';
import type { AppRequest } from '../support/drachtio-app.js';
import { createLab } from '../support/drachtio-lab.js';
import { createVerificationLab } from '../support/verification-lab.js';

// drachtio-srf as it is published, behind the embedded server: two Identity header fields reach it as one, and the compact one under its own name.

const stir = await createVerificationLab();
const { identityHeader } = createPassport({
  signer: stir.provider,
  x5u: stir.x5u,
  iatSeconds: Math.floor(stir.clock.nowMs() / 1_000),
});
const CALLED = 'sip:+12025550199@terminating.example';
const lines = (from: string, ...more: readonly string[]): readonly string[] => [
  `P-Asserted-Identity: <tel:+${from}>`,
  ...more,
];

/** An application of two lines: the middleware, and 480 with what it found. */
async function laboratory(policy = trunkPolicy({ role: 'terminating' })) {
  const lab = await createLab({ clock: stir.clock });
  const app = await connectApp(lab.server, {
    setUp: (srf) => {
      srf.use('invite', verifyIdentity({ service: stir.service, policyOf: () => policy }));
      srf.use('invite', (req, res) => {
        const { verdict, treatment } = (req as AppRequest & { locals: { identity: CallIdentity } }).locals.identity;
        const reason = treatment.reasonHeaders.join(', ');
        res.send(480, {
          headers: { 'X-Verstat': verdict?.verstat ?? 'none', ...(reason !== '' && { Reason: reason }) },
        });
      });
    },
  });
  await lab.quiet();
  return {
    lab,
    [Symbol.asyncDispose]: async () => {
      await app[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

test.each([
  ['Identity', `Identity: ${identityHeader}`],
  ['the compact y', `y: ${identityHeader}`],
  ['a folded Identity', `Identity: ${identityHeader.replace(';', '\r\n ;')}`],
  ['a second Identity', `Identity: rubbish\r\nIdentity: ${identityHeader}`],
])('an application of drachtio-srf has the verdict of a call with %s', async (_what, identity) => {
  await using world = await laboratory();
  const call = (await world.lab.peer()).call('INVITE', { uri: CALLED, lines: lines('12025550101', identity) });
  const answer = await call.response(480);
  expect(answer.value('X-Verstat')).toBe('TN-Validation-Passed');
  call.ackFailure(answer);
});

test('two Identity header fields leave a B2BUA of drachtio-srf as two', async () => {
  await using lab = await createLab({ clock: stir.clock });
  await using next = await createLab({ clock: stir.clock });
  const onward = await next.app('invite');
  const { close } = await connectApp(lab.server, {
    setUp: (srf) => {
      srf.use('invite', (req, res) => {
        const uri = next.server.uri().replace('sip:', 'sip:+12025550199@');
        void outboundHeaders(req)
          .then(({ headers }) => srf.createB2BUA(req, res, uri, { headers }))
          .catch(() => undefined);
      });
    },
  });
  await lab.quiet();
  const second = identityHeader.replace('https://', 'https://second.');
  const call = (await lab.peer()).call('INVITE', {
    uri: CALLED,
    lines: lines('12025550101', `Identity: ${identityHeader}\r\nIdentity: ${second}`),
  });
  const { req, res } = await onward.next('INVITE');
  expect(req.raw.split('\r\n').filter((line) => line.startsWith('Identity: '))).toEqual([
    `Identity: ${identityHeader}`,
    `Identity: ${second}`,
  ]);
  const parsed = parseSipRequest(req.raw);
  if (parsed.status === 'malformed') throw new Error(parsed.reason);
  const { requestUri: _target, ...parties } = verificationRequestOf(parsed.request);
  // Whoever comes next verifies it by the parties that it is about, wherever the leg was sent.
  expect((await stir.service.verify(parties)).verstat).toBe('TN-Validation-Passed');
  res.send(486);
  call.ackFailure(await call.response(486));
  await close();
});

test('a spoofed call is answered with its Reason, or refused with 438 by policy', async () => {
  const spoofed = { uri: CALLED, lines: lines('12025550166', `Identity: ${identityHeader}`) };
  await using lenient = await laboratory();
  const told = (await lenient.lab.peer()).call('INVITE', spoofed);
  const answer = await told.response(480);
  expect([answer.value('X-Verstat'), answer.value('Reason').slice(0, 15)]).toEqual([
    'No-TN-Validation',
    'STIR;cause=438;',
  ]);
  told.ackFailure(answer);
  await using strict = await laboratory(trunkPolicy({ role: 'terminating', failureAction: 'reject_request' }));
  const refused = (await strict.lab.peer()).call('INVITE', spoofed);
  const refusal = await refused.response(438);
  expect(refusal.reason).toBe('Invalid Identity Header');
  refused.ackFailure(refusal);
});

test('a caller who gives up while the call is verified rings nobody', async () => {
  await using lab = await createLab({ clock: stir.clock });
  let verified = (): void => undefined;
  const until = new Promise<void>((resolve) => {
    verified = resolve;
  });
  const asked: (() => void)[] = [];
  const began = new Promise<void>((resolve) => asked.push(resolve));
  const service = {
    verify: async (...parts: Parameters<typeof stir.service.verify>) => {
      asked[0]!();
      await until;
      return stir.service.verify(...parts);
    },
  };
  const callee = await lab.peer();
  const rung: unknown[] = [];
  const { close } = await connectApp(lab.server, {
    setUp: (srf) => {
      srf.use('invite', verifyIdentity({ service }));
      srf.use('invite', (req, res) => {
        rung.push(req);
        void srf.createB2BUA(req, res, callee.uri, {}).catch(() => undefined);
      });
    },
  });
  await lab.quiet();
  const call = (await lab.peer()).call('INVITE', { uri: CALLED, lines: lines('12025550101') });
  await began;
  call.cancel();
  call.ackFailure(await call.response('487 INVITE'));
  await lab.quiet();
  verified();
  await lab.nothingLeft();
  expect(rung).toEqual([]);
  await close();
});

test.each([
  ['unsigned', []],
  ['signed', [`Identity: ${identityHeader}`]],
])('who does not want to be named is not named to the next leg: %s', async (_what, more) => {
  await using lab = await createLab({ clock: stir.clock });
  const callee = await lab.peer();
  const { close } = await connectApp(lab.server, {
    setUp: (srf) => {
      srf.use('invite', (req, res) => {
        void outboundHeaders(req)
          .then(({ headers }) => srf.createB2BUA(req, res, callee.uri, { headers, proxyRequestHeaders: ['privacy'] }))
          .catch(() => undefined);
      });
    },
  });
  await lab.quiet();
  const call = (await lab.peer()).call('INVITE', {
    ...{ uri: CALLED, from: '"Anonymous" <sip:anonymous@anonymous.invalid>' },
    lines: lines('12025550101', 'Privacy: id', ...more),
  });
  const invite = await callee.next('INVITE');
  expect([invite.value('From').split(';tag')[0], invite.value('Privacy')]).toEqual([
    ...['"Anonymous" <sip:anonymous@anonymous.invalid>', 'id'],
  ]);
  callee.reply(invite, 486);
  call.ackFailure(await call.response(486));
  await lab.nothingLeft();
  await close();
});
