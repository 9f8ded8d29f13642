import { EventEmitter } from 'node:events';
import { DEFAULT_VERIFICATION_POLICY } from '../../sdk/src/stir/verification/policy.js';
import { createPassport, sampleInvite, type SampleInviteOptions } from '@hopback/sdk/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { trunkPolicy, verifyIdentity } from '../../sdk/src/switch/index.js';
import type { CallIdentity, SipRequestLike, TrunkPolicy, VerifyIdentityOptions } from '../../sdk/src/switch/index.js';
import { createVerificationLab } from '../support/verification-lab.js';
import { forAllAsync } from '../support/for-all.js';

const lab = await createVerificationLab();
const { identityHeader } = createPassport({
  signer: lab.provider,
  x5u: lab.x5u,
  iatSeconds: Math.floor(lab.clock.nowMs() / 1_000),
});
const SIGNED = sampleInvite({ identityHeaders: [identityHeader] });
const SPOOFED = sampleInvite({ identityHeaders: [identityHeader], origTn: '12025550166' });
const REJECTING = trunkPolicy({ role: 'terminating', failureAction: 'reject_request' });

/** Takes one request through the middleware. */
async function outcomeOf(raw: unknown, options: Partial<VerifyIdentityOptions> = {}) {
  const sent: unknown[] = [];
  const handedOn: unknown[] = [];
  const troubles: unknown[] = [];
  const middleware = verifyIdentity({
    ...{ service: lab.service, onTrouble: (error: unknown) => troubles.push(error) },
    ...options,
  });
  const request = { raw, locals: { kept: true } } as SipRequestLike & { readonly locals: Record<string, unknown> };
  await new Promise<void>((resolve) => {
    const send = (...response: readonly unknown[]): void => {
      sent.push(response);
      resolve();
    };
    middleware(request, { send }, (...on: readonly unknown[]) => {
      handedOn.push(on);
      resolve();
    });
  });
  expect(request.locals['kept']).toBe(true);
  return { identity: request.locals['identity'] as CallIdentity | undefined, sent, handedOn, troubles };
}

test('a signed call goes on with its verdict, and with its caller as the callee is to see it', async () => {
  const { identity, sent, handedOn, troubles } = await outcomeOf(SIGNED);
  expect(identity?.verdict).toMatchObject({ verstat: 'TN-Validation-Passed', attestation: 'A' });
  expect(identity?.caller).toEqual({
    name: 'From',
    value: '<sip:+12025550101;verstat=TN-Validation-Passed@originating.example;user=phone>;tag=1928301774',
  });
  expect([sent, handedOn, troubles]).toEqual([[], [[]], []]);
});

test.each([
  ['under the compact name', { identityHeaders: [identityHeader], identityHeaderName: 'y' }],
  ['folded', { identityHeaders: [identityHeader.replace(';', '\r\n ;')] }],
  ['beside an invalid one', { identityHeaders: ['rubbish', identityHeader] }],
])('an Identity %s is found as it came', async (_how, options) => {
  const { identity } = await outcomeOf(sampleInvite(options));
  expect(identity?.verdict?.verstat).toBe('TN-Validation-Passed');
});

test('a spoofed call goes on with a Reason by default', async () => {
  const { identity, handedOn } = await outcomeOf(SPOOFED);
  expect(identity?.treatment).toMatchObject({ action: 'continue', concerns: ['failed'] });
  expect(identity?.treatment.reasonHeaders[0]).toMatch(/^STIR;cause=438;/);
  expect(handedOn).toHaveLength(1);
});

const rejecting = (policy: Partial<TrunkPolicy>): Pick<VerifyIdentityOptions, 'policyOf'> => ({
  policyOf: () => trunkPolicy({ role: 'terminating', ...policy }),
});
const REDRESS = { email: 'blocks@carrier.example', location: 'RLN' } as const;
const BLOCK = 'SIP;cause=603;text="v=analytics1;email=blocks@carrier.example";location=RLN';

test.each<readonly [string, string, Partial<VerifyIdentityOptions>, readonly unknown[]]>([
  ['a spoofed call', SPOOFED, { policyOf: () => REJECTING }, [438, 'Invalid Identity Header', { headers: {} }]],
  [
    'a spoofed call, with the contact for redress',
    SPOOFED,
    rejecting({ failureAction: 'reject_request', rejectWith: REDRESS }),
    [603, 'Network Blocked', { headers: { Reason: BLOCK } }],
  ],
  [
    'a call of a provider that was removed from the database',
    SIGNED,
    { ...rejecting({ upstreamFiling: 'reject' }), filingOf: () => 'removed' },
    [403, 'Forbidden', { headers: {} }],
  ],
])('policy refuses %s', async (_what, raw, options, response) => {
  const { sent, handedOn } = await outcomeOf(raw, options);
  expect([sent, handedOn]).toEqual([[response], []]);
});

test.each<readonly [string, SampleInviteOptions]>([
  ['alone', { identityHeaders: [identityHeader] }],
  ['beside a number that is asserted', { assertedIdentities: ['<tel:+12025550101>'] }],
  ['where two are asserted', { assertedIdentities: ['<tel:+12025550177>, <tel:+12025550178>'] }],
  ['where what is asserted cannot be read', { assertedIdentities: ['<'] }],
])('policy refuses a do-not-originate number in From %s', async (_where, options) => {
  const raw = sampleInvite({ ...options, origTn: '12025550166' });
  const doNotOriginate = new Set(['12025550166']);
  const { sent } = await outcomeOf(raw, { ...rejecting({ doNotOriginate: 'reject' }), doNotOriginate });
  expect(sent).toEqual([[603, 'Decline', { headers: {} }]]);
});

test('of several asserted numbers the one that was verified gets the mark, and no other', async () => {
  const assertedIdentities = ['"Bank" <sip:+18005550100@bank.example;user=phone>', '<tel:+12025550101>'];
  const { identity } = await outcomeOf(sampleInvite({ identityHeaders: [identityHeader], assertedIdentities }));
  expect(identity?.caller).toEqual({
    ...{ name: 'P-Asserted-Identity', value: '<tel:+12025550101;verstat=TN-Validation-Passed>' },
  });
});

test('where From is what counts, From gets the mark whatever is asserted', async () => {
  const originatingIdentity = ['from'] as const;
  const service = lab.serviceWith({ policy: { originatingIdentity } });
  const raw = sampleInvite({ identityHeaders: [identityHeader], assertedIdentities: ['<tel:+18005550100>'] });
  const parties = { ...DEFAULT_VERIFICATION_POLICY, originatingIdentity };
  const { identity } = await outcomeOf(raw, { service, parties });
  expect(identity?.verdict?.verstat).toBe('TN-Validation-Passed');
  expect(identity?.caller?.name).toBe('From');
  expect(identity?.caller?.value).toContain('+12025550101;verstat=TN-Validation-Passed@');
});

test('a request that cannot be read is reported, and refused with 400 by policy unless it is an emergency', async () => {
  const raw = sampleInvite({ headers: ['X-A: \u0001'] });
  const mild = await outcomeOf(raw);
  expect(mild.identity?.treatment).toMatchObject({ action: 'continue', concerns: ['unreadable'] });
  expect(mild.troubles).toEqual([expect.objectContaining({ code: 'invalid-argument' })]);
  const reject = rejecting({ unreadable: 'reject' });
  expect((await outcomeOf(raw, reject)).sent).toEqual([[400, 'Bad Request', { headers: {} }]]);
  const emergency = sampleInvite({ headers: ['X-A: \u0001'], requestUri: 'sip:911@a.example' });
  expect((await outcomeOf(emergency, reject)).handedOn).toHaveLength(1);
});

test('a call goes on though policy would reject it: to 911, and of nobody who is named', async () => {
  const identityHeaders = [identityHeader];
  for (const options of [
    { requestUri: 'sip:911@a.example' },
    { from: '<sip:anonymous@anonymous.invalid>', assertedIdentities: ['<tel:+12025550166>'] },
  ])
    expect(await outcomeOf(sampleInvite({ identityHeaders, ...options }), { policyOf: () => REJECTING })).toMatchObject(
      {
        ...{ sent: [], handedOn: [[]] },
      },
    );
});

test('nothing is verified where nothing is signed and nobody asks for it, nor where it is off', async () => {
  const service = { verify: async () => Promise.reject(new Error('asked')) };
  for (const [raw, policy] of [
    [sampleInvite(), trunkPolicy({ role: 'originating' })],
    [SIGNED, trunkPolicy({ role: 'terminating', verify: 'off' })],
  ] as const) {
    const { identity, handedOn, troubles } = await outcomeOf(raw, { service, policyOf: () => policy });
    expect([identity?.verdict, identity?.caller, handedOn, troubles]).toEqual([undefined, undefined, [[]], []]);
  }
});

test.each<readonly [string, unknown, Partial<VerifyIdentityOptions>]>([
  ['a request without text', undefined, {}],
  ['a request that cannot be read', 'INVITE', {}],
  ['a service that fails', SIGNED, { service: { verify: async () => Promise.reject(new Error('no')) } }],
  ['a service that throws', SIGNED, { service: { verify: broken } }],
  ['a policy that throws', SIGNED, { policyOf: broken }],
  ['a list that throws', SIGNED, { doNotOriginate: { has: broken } }],
  ['a registry that throws', SIGNED, { filingOf: broken }],
  ['an incomplete policy', SPOOFED, { policyOf: () => ({ failureAction: 'reject_request' }) as TrunkPolicy }],
  ['a listener that throws', SIGNED, { policyOf: broken, onTrouble: broken }],
])('%s: the call goes on, once', async (_what, raw, options) => {
  const { handedOn, sent, identity } = await outcomeOf(raw, options);
  expect([handedOn, sent]).toEqual([[[]], []]);
  expect(identity?.treatment.action).toBe('continue');
});

function broken(): never {
  throw new Error('broken');
}

test.each([
  ['throw', broken],
  ['reject', async (): Promise<never> => Promise.reject(new Error('later'))],
])(
  'a response and an application that %s are reported, and end neither the call nor the process',
  async (_how, fail) => {
    const troubles: unknown[] = [];
    await new Promise<void>((resolve) => {
      const onTrouble = (error: unknown): void => {
        if (troubles.push(error) === 2) resolve();
      };
      const middleware = verifyIdentity({ service: lab.service, policyOf: () => REJECTING, onTrouble });
      middleware({ raw: SPOOFED }, { send: fail }, fail);
    });
    expect(troubles).toHaveLength(2);
  },
);

test('without a service there is no middleware', () => {
  expect(() => verifyIdentity({} as VerifyIdentityOptions)).toThrow(
    expect.objectContaining({ code: 'invalid-argument' }) as Error,
  );
});

test('a call that its caller gives up meanwhile is not handed on, and nobody listens any longer', async () => {
  for (const isGivenUp of [true, false]) {
    let verified = (): void => undefined;
    const until = new Promise<void>((resolve) => {
      verified = resolve;
    });
    const service: VerifyIdentityOptions['service'] = {
      verify: async (call) => until.then(async () => lab.service.verify(call)),
    };
    const locals: Record<string, unknown> = {};
    const request: EventEmitter & SipRequestLike = Object.assign(new EventEmitter(), { raw: SPOOFED, locals });
    const done: string[] = [];
    const response = { send: () => void done.push('answered') };
    verifyIdentity({ service })(request, response, () => done.push('handed on'));
    if (isGivenUp) request.emit('cancel', {});
    verified();
    await expect.poll(() => request.locals?.['identity']).toBeDefined();
    await Promise.resolve();
    expect(done).toEqual(isGivenUp ? [] : ['handed on']);
    expect(request.listenerCount('cancel')).toBe(0);
  }
});

const piece = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('<', '"', 'sip:911', ';', ',', '\r\n ', 'sos'));
const peerText = fc.array(piece, { maxLength: 12 }).map((parts) => parts.join(''));

test('whatever a peer sends, the call is handed on and nothing is thrown', async () => {
  const middleware = verifyIdentity({
    service: { verify: async () => Promise.reject(new Error('away')) },
    doNotOriginate: { has: () => true },
  });
  await forAllAsync([peerText, peerText, peerText], 100, async (from, to, more) => {
    for (const raw of [
      sampleInvite({ from, to, requestUri: to, headers: [`Privacy: ${more}`, `Resource-Priority: ${more}`, more] }),
      more,
    ]) {
      const ended = await new Promise<string>((resolve) => {
        middleware({ raw }, { send: () => resolve('refused') }, () => resolve('handed on'));
      });
      expect(ended).toBe('handed on');
    }
  });
});
