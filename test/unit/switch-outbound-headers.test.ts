import type { AttestationFacts, CallVerdict } from '@hopback/sdk/stir';
import { sampleInvite, type SampleInviteOptions } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { outboundHeaders, trunkPolicy, type CallIdentity } from '../../sdk/src/switch/index.js';
import { createRedirectLab } from '../support/redirect-lab.js';

const { stir: lab, signing: service, identityHeader } = await createRedirectLab();
const TWO = [identityHeader(), 'd.e.f;info=<https://d.example/1>;ppt=div'];

function identityOf(role: AttestationFacts['role'], caller?: CallIdentity['caller']): CallIdentity {
  const none = { isEmergency: false, isMarkedEmergency: false, isAnonymous: false, isSigned: false };
  return {
    ...{
      facts: { statedNumbers: [], ...none },
      policy: trunkPolicy({ role }),
      treatment: { action: 'continue', reasonHeaders: [], concerns: [] },
    },
    ...(caller !== undefined && { caller, verdict: {} as CallVerdict }),
  };
}

test.each(['originating', 'gateway', 'intermediate', 'terminating'] as const)(
  'a %s provider hands Identity on as it came, one field each, with its Date',
  async (role) => {
    const raw = sampleInvite({ identityHeaders: TWO });
    const { headers, signing } = await outboundHeaders({ raw }, { identity: identityOf(role), service });
    expect(headers).toEqual({
      ...{ identity: TWO.join('\r\nIdentity: '), date: expect.any(String) as string },
      from: '<sip:+12025550101@originating.example;user=phone>',
      to: '<sip:+12025550199@terminating.example;user=phone>',
    });
    expect(signing === undefined || signing.status === 'not-signed').toBe(true);
  },
);

test('joined, folded and compact Identity become one field each', async () => {
  const joined = sampleInvite({ identityHeaders: [TWO.join(', ')], identityHeaderName: 'y' });
  expect((await outboundHeaders({ raw: joined })).headers['identity']).toBe(TWO.join('\r\nIdentity: '));
  const folded = sampleInvite({ identityHeaders: [TWO[0]!.replace(';ppt', '\r\n ;ppt')] });
  expect((await outboundHeaders({ raw: folded })).headers['identity']).not.toContain('\r\n');
});

test.each<readonly [string, AttestationFacts, 'signed' | undefined]>([
  ['the originating provider signs', { role: 'originating', receivedFrom: 'customer' }, 'signed'],
  ['the gateway signs', { role: 'gateway', receivedFrom: 'foreign-provider' }, 'signed'],
  [
    'an intermediate signs for the originator',
    { role: 'intermediate', receivedFrom: 'originating-provider' },
    'signed',
  ],
  ['an intermediate signs nothing else', { role: 'intermediate', receivedFrom: 'intermediate-provider' }, undefined],
  ['the terminating provider signs nothing', { role: 'terminating' }, undefined],
])('%s of a call that nobody has signed', async (_who, facts, status) => {
  const { headers, signing } = await outboundHeaders({ raw: sampleInvite() }, { service, facts });
  expect(signing?.status).toBe(status);
  expect(headers['identity'] !== undefined).toBe(status === 'signed');
});

test('what is signed here is verified there', async () => {
  const raw = sampleInvite();
  const { headers } = await outboundHeaders({ raw }, { service, identity: identityOf('gateway') });
  const { identity, from, to } = headers;
  const verdict = await lab.service.verify({ ...lab.call, ...{ identity, from: from!, to: to! } });
  expect(verdict).toMatchObject({ verstat: 'TN-Validation-Passed', attestation: 'C' });
});

test('a call is left unsigned where it is told so, or nobody can sign', async () => {
  const identity = identityOf('originating');
  const off = await outboundHeaders({ raw: sampleInvite() }, { service, identity, sign: false });
  expect([off.headers, off.signing]).toMatchObject([{}, { status: 'not-signed', reason: 'switched-off' }]);
  expect(await outboundHeaders({ raw: sampleInvite() }, { identity })).toEqual({ headers: {} });
});

test('towards the callee the caller has its verstat, and no tag of another leg', async () => {
  const value = '"A > B" <sip:+12025550101;verstat=TN-Validation-Passed@a.example;user=phone>;tag=1;x="<"';
  const identity = identityOf('terminating', { name: 'From', value });
  expect((await outboundHeaders({ raw: sampleInvite() }, { identity })).headers).toEqual({
    from: '"A > B" <sip:+12025550101;verstat=TN-Validation-Passed@a.example;user=phone>',
  });
  const onward = identityOf('intermediate', { name: 'From', value });
  expect((await outboundHeaders({ raw: sampleInvite() }, { identity: onward })).headers).toEqual({});
});

test.each([
  ['sip:+12025550101@a.example', '<sip:+12025550101@a.example>'],
  ['"<sip:a@a.example>" <sip:a@a.example>', '"<sip:a@a.example>" <sip:a@a.example>'],
])('parties go on without the tag of this leg: %s', async (from, onward) => {
  const { headers } = await outboundHeaders({ raw: sampleInvite({ identityHeaders: TWO, from }) });
  expect(headers['from']).toBe(onward);
});

test('what cannot be read, or fails, is told of and leaves the call as it is', async () => {
  const troubles: unknown[] = [];
  const onTrouble = (error: unknown): void => void troubles.push(error);
  expect(await outboundHeaders({ raw: 'INVITE' }, { onTrouble })).toEqual({ headers: {} });
  const failing = { sign: async () => Promise.reject(new Error('away')) };
  const raw = sampleInvite({ identityHeaders: TWO });
  const { headers } = await outboundHeaders({ raw }, { service: failing, facts: { role: 'gateway' }, onTrouble });
  expect(headers['identity']).toBe(TWO.join('\r\nIdentity: '));
  expect(troubles).toHaveLength(2);
});

const FORGED = '+12025550101;verstat=TN-Validation-Passed';

test.each<readonly [string, SampleInviteOptions, Readonly<Record<string, string>>]>([
  ['of From, unsigned', { from: `<sip:${FORGED}@a.example>` }, { from: '<sip:+12025550101@a.example>' }],
  [
    'of From and what is asserted, signed',
    {
      identityHeaders: TWO,
      from: `"A" <sip:${FORGED}@a.example>`,
      assertedIdentities: [`<sip:${FORGED}@a.example>, <tel:${FORGED}>`],
    },
    { from: '"A" <sip:+12025550101@a.example>', asserted: '<sip:+12025550101@a.example>, <tel:+12025550101>' },
  ],
  ['of what is asserted, unsigned', { assertedIdentities: [`<tel:${FORGED}>`] }, { asserted: '<tel:+12025550101>' }],
  [
    'of a display name, with the name',
    { from: '"verstat=TN-Validation-Passed" <sip:+12025550101@a.example>', assertedIdentities: ['verstat'] },
    { from: '<sip:+12025550101@a.example>' },
  ],
])('a verstat that the caller brought along goes nowhere: %s', async (_where, options, { from, asserted }) => {
  for (const role of ['originating', 'intermediate', 'terminating'] as const) {
    const raw = sampleInvite(options);
    const { headers } = await outboundHeaders({ raw }, { identity: identityOf(role) });
    expect(JSON.stringify(headers)).not.toContain('verstat');
    expect(headers['p-asserted-identity']).toBe(asserted);
    if (from !== undefined) expect(headers['from']).toBe(from);
  }
});

test('beside the number that the verdict is about no other field has a verstat', async () => {
  const raw = sampleInvite({ identityHeaders: TWO, from: `<sip:${FORGED}@a.example>` });
  const caller = { name: 'P-Asserted-Identity', value: '<tel:+12025550166;verstat=No-TN-Validation>' } as const;
  const { headers } = await outboundHeaders({ raw }, { identity: identityOf('terminating', caller) });
  expect([headers['from'], headers['p-asserted-identity']]).toEqual(['<sip:+12025550101@a.example>', caller.value]);
});

test('who does not want to be named stays unnamed: Privacy goes on, and From as it came', async () => {
  const assertedIdentities = ['<tel:+12025550101>'];
  const from = '"Anonymous" <sip:anonymous@anonymous.invalid>';
  const hidden = sampleInvite({ from, assertedIdentities, headers: ['Privacy: id', 'Privacy: user'] });
  expect((await outboundHeaders({ raw: hidden })).headers).toEqual({ from, privacy: 'id;user' });
  const signed = sampleInvite({ from, assertedIdentities, identityHeaders: TWO, headers: ['Privacy: id'] });
  expect((await outboundHeaders({ raw: signed })).headers).toMatchObject({
    ...{ from, privacy: 'id', 'p-asserted-identity': '<tel:+12025550101>' },
  });
});
