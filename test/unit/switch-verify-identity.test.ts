import { createPassport, sampleInvite } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { trunkPolicy, verifyIdentity } from '../../sdk/src/switch/index.js';
import type { CallIdentity, SipRequestLike, VerifyIdentityOptions } from '../../sdk/src/switch/index.js';
import { createVerificationLab } from '../support/verification-lab.js';

const lab = await createVerificationLab();
const { identityHeader } = createPassport({
  signer: lab.provider,
  x5u: lab.x5u,
  iatSeconds: Math.floor(lab.clock.nowMs() / 1_000),
});
const SIGNED = sampleInvite({ identityHeaders: [identityHeader] });
const SPOOFED = sampleInvite({ identityHeaders: [identityHeader], origTn: '12025550166' });
const REJECTING = trunkPolicy({ role: 'terminating', failureAction: 'reject_request' });

interface Outcome {
  readonly identity: CallIdentity | undefined;
  readonly sent: readonly unknown[];
  readonly handedOn: readonly unknown[];
  readonly troubles: readonly unknown[];
}

/** Takes one request through the middleware. */
async function outcomeOf(raw: unknown, options: Partial<VerifyIdentityOptions> = {}): Promise<Outcome> {
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

test('a signed call goes on with its verdict, and its caller as the callee’s side is told', async () => {
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
  ['beside one that is none', { identityHeaders: ['rubbish', identityHeader] }],
])('an Identity %s is found as it came', async (_how, options) => {
  const { identity } = await outcomeOf(sampleInvite(options));
  expect(identity?.verdict?.verstat).toBe('TN-Validation-Passed');
});

test('a spoofed call goes on with a Reason by default, and ends with 438 where policy says so', async () => {
  const { identity, handedOn } = await outcomeOf(SPOOFED);
  expect(identity?.treatment).toMatchObject({ action: 'continue', concerns: ['failed'] });
  expect(identity?.treatment.reasonHeaders[0]).toMatch(/^STIR;cause=438;/);
  expect(handedOn).toHaveLength(1);
  const refused = await outcomeOf(SPOOFED, { policyOf: () => REJECTING });
  expect(refused.sent).toEqual([[438, 'Invalid Identity Header', { headers: {} }]]);
  expect(refused.handedOn).toEqual([]);
});

test('a call of a do-not-originate number ends where policy says so', async () => {
  const policyOf = () => trunkPolicy({ role: 'gateway', doNotOriginate: 'reject' });
  const { sent } = await outcomeOf(SPOOFED, { policyOf, doNotOriginate: new Set(['12025550166']) });
  expect(sent).toEqual([[603, 'Decline', { headers: {} }]]);
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
  ['a listener that throws', SIGNED, { policyOf: broken, onTrouble: broken }],
])('%s: the call goes on, once', async (_what, raw, options) => {
  const { handedOn, sent } = await outcomeOf(raw, options);
  expect([handedOn, sent]).toEqual([[[]], []]);
});

function broken(): never {
  throw new Error('broken');
}

test('a response that cannot be sent is no end of the call, and an application that throws no end of the process', async () => {
  const troubles: unknown[] = [];
  await new Promise<void>((resolve) => {
    const onTrouble = (error: unknown): void => {
      if (troubles.push(error) === 2) resolve();
    };
    const middleware = verifyIdentity({ service: lab.service, policyOf: () => REJECTING, onTrouble });
    middleware({ raw: SPOOFED }, { send: broken }, broken);
  });
  expect(troubles).toHaveLength(2);
});

test('without a service there is no middleware', () => {
  expect(() => verifyIdentity({} as VerifyIdentityOptions)).toThrow(
    expect.objectContaining({ code: 'invalid-argument' }) as Error,
  );
});
