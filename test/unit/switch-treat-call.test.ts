import { parseSipRequest, type CallVerdict } from '@hopback/sdk/stir';
import { DEFAULT_VERIFICATION_POLICY } from '../../sdk/src/stir/verification/policy.js';
import { sampleInvite, type SampleInviteOptions } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { treatCall, trunkPolicy, type CallToTreat, type TrunkPolicy } from '../../sdk/src/switch/index.js';
import { callFacts, type CallFacts } from '../../sdk/src/switch/call-facts.js';
import type { CallConcern } from '../../sdk/src/switch/treat-call.js';

function factsOf(options: SampleInviteOptions): CallFacts {
  const parsed = parseSipRequest(sampleInvite(options));
  if (parsed.status === 'malformed') throw new Error(parsed.reason);
  return callFacts(parsed.request);
}

const FACTS: CallFacts = {
  ...{ calling: '12025550101', statedNumbers: ['12025550101'] },
  ...{ isEmergency: false, isMarkedEmergency: false, isAnonymous: false, isSigned: true },
};
const REASON = 'STIR;cause=438;text="Invalid Identity Header"';

function verdict(status: CallVerdict['status'], changes: Partial<CallVerdict> = {}): CallVerdict {
  const sipResponse = { status: 438, reasonPhrase: 'Invalid Identity Header' } as const;
  return {
    ...{ status, verstat: 'TN-Validation-Failed', reasonHeaders: [REASON], reasons: ['signature-invalid'] },
    ...{ sipResponse, outcomes: [{ status, index: 0 }], evidence: {} },
    ...changes,
  } as unknown as CallVerdict;
}

const rejecting = (changes: Partial<TrunkPolicy> = {}): TrunkPolicy =>
  trunkPolicy({
    ...({ role: 'terminating', failureAction: 'reject_request' } as const),
    ...{ rejects: ['failed', 'unsigned', 'indeterminate'], ...changes },
  });

test.each(['originating', 'gateway', 'intermediate', 'terminating'] as const)(
  'a %s provider lets every call go on unless told otherwise, and says what was wrong',
  (role) => {
    const all = { facts: FACTS, verdict: verdict('failed'), isDoNotOriginate: true, filing: 'removed' } as const;
    expect(treatCall(all, trunkPolicy({ role }))).toEqual({
      action: 'continue',
      reasonHeaders: [REASON],
      concerns: ['failed', 'do-not-originate', 'upstream-removed'],
    });
  },
);

test.each([
  ['an unknown action', { role: 'terminating', failureAction: 'reject' }],
  ['an intermediate that rejects for a verdict', { role: 'intermediate', failureAction: 'reject_request' }],
  ['an unknown role', { role: 'transit' }],
  ['an unknown member', { role: 'gateway', verfiy: 'off' }],
  ['nothing to reject', { role: 'gateway', rejects: [] }],
  ['a redress that would add header fields', blocking({ url: 'https://a.example/\r\nX: 1' })],
  ['a redress that ends its quotes', blocking({ url: 'https://a.example/"' })],
  ['a redress that adds another', blocking({ url: 'https://a.example/;tel=+1' })],
  ['a redress without TLS', blocking({ url: 'http://a.example/' })],
  ['a redress of another kind', blocking({ fax: '+12025550100' })],
  ['no redress', blocking({})],
  ['a host for a location', blocking({ url: 'https://a.example/', location: 'gw.example' })],
])('%s is a mistake of the configuration', (_what, policy) => {
  expect(() => trunkPolicy(policy as TrunkPolicy)).toThrow(
    expect.objectContaining({ code: 'invalid-configuration' }) as Error,
  );
});

function blocking(block: object): unknown {
  return { role: 'terminating', rejectWith: { location: 'RLN', ...block } };
}

test('a block of the network says whom to turn to', () => {
  const policy = rejecting({
    rejectWith: { url: 'https://blocks.example/redress', tel: '+18005550100', location: 'RLN' },
  });
  expect(treatCall({ facts: FACTS, verdict: verdict('failed') }, policy)).toMatchObject({
    ...{ status: 603, reasonPhrase: 'Network Blocked' },
    reasonHeaders: [
      'SIP;cause=603;text="v=analytics1;url=https://blocks.example/redress;tel=+18005550100";location=RLN',
    ],
  });
});

test.each<readonly [CallConcern, Partial<TrunkPolicy>, Partial<CallToTreat>, number]>([
  ['failed', {}, { verdict: verdict('failed') }, 438],
  ['unsigned', {}, { facts: { ...FACTS, isSigned: false }, verdict: verdict('indeterminate') }, 438],
  ['indeterminate', {}, { verdict: verdict('indeterminate') }, 438],
  ['do-not-originate', { doNotOriginate: 'reject' }, { isDoNotOriginate: true }, 603],
  ['unreadable', { unreadable: 'reject' }, { isUnreadable: true }, 400],
  ['upstream-not-filed', { upstreamFiling: 'reject' }, { filing: 'absent' }, 403],
  ['upstream-removed', { upstreamFiling: 'reject' }, { filing: 'removed' }, 403],
])('%s refuses a call where policy says so, and no other', (because, changes, call, status) => {
  const policy = rejecting(changes);
  expect(treatCall({ facts: FACTS, ...call }, policy)).toMatchObject({ action: 'reject', status, because });
  const lenient = trunkPolicy({ role: 'terminating' });
  expect(treatCall({ facts: FACTS, ...call }, lenient)).toMatchObject({ action: 'continue', concerns: [because] });
});

test('what was not looked up speaks against nobody', () => {
  const policy = rejecting({ doNotOriginate: 'reject', upstreamFiling: 'reject' });
  expect(treatCall({ facts: FACTS, filing: 'unknown' }, policy)).toMatchObject({ action: 'continue', concerns: [] });
});

test('an emergency call goes on whatever the policy is', () => {
  const policy = rejecting({ doNotOriginate: 'reject', upstreamFiling: 'reject' });
  const all = { verdict: verdict('failed'), isDoNotOriginate: true, filing: 'removed' } as const;
  expect(treatCall({ facts: { ...FACTS, isEmergency: true }, ...all }, policy)).toMatchObject({
    ...{ action: 'continue', exemption: 'emergency' },
    concerns: ['failed', 'do-not-originate', 'upstream-removed'],
  });
});

test('what header fields say of an emergency is believed, but on a trunk from which no answering point calls', () => {
  const call = { facts: { ...FACTS, isMarkedEmergency: true }, verdict: verdict('failed') };
  expect(treatCall(call, rejecting())).toMatchObject({ action: 'continue', exemption: 'emergency' });
  expect(treatCall(call, rejecting({ emergencyMarks: 'ignored' }))).toMatchObject({ action: 'reject' });
});

test('a caller who is not named is not refused for a verdict, but for the provider he comes from', () => {
  const facts = { ...FACTS, isAnonymous: true };
  const policy = rejecting({ upstreamFiling: 'reject' });
  expect(treatCall({ facts, verdict: verdict('failed') }, policy)).toMatchObject({
    ...{ action: 'continue', exemption: 'anonymous' },
  });
  expect(treatCall({ facts, verdict: verdict('failed'), filing: 'absent' }, policy)).toMatchObject({
    ...{ action: 'reject', because: 'upstream-not-filed' },
  });
});

test('beside a good Identity header one that is not good is named, unless nothing is to be said', () => {
  const good = verdict('passed', { reasonHeaders: [REASON], reasons: ['signature-invalid'] });
  const told = treatCall({ facts: FACTS, verdict: good }, trunkPolicy({ role: 'terminating' }));
  expect(told).toEqual({ action: 'continue', reasonHeaders: [REASON], concerns: [] });
  const silent = trunkPolicy({ role: 'terminating', failureAction: 'continue' });
  expect(treatCall({ facts: FACTS, verdict: good }, silent)).toMatchObject({ reasonHeaders: [] });
});

test('headers that nobody understands are no signature, and no fault where only signed calls are verified', () => {
  const ignored = verdict('indeterminate', { outcomes: [{ status: 'ignored', index: 0, ppt: 'rsp' }] });
  const call = { facts: FACTS, verdict: ignored };
  expect(treatCall(call, trunkPolicy({ role: 'terminating' })).concerns).toEqual(['unsigned']);
  expect(treatCall(call, trunkPolicy({ role: 'gateway' }))).toMatchObject({ concerns: [], reasonHeaders: [] });
});

const EMERGENCY = { isEmergency: true };
const MARKED = { isEmergency: false, isMarkedEmergency: true };
const NEITHER = { isEmergency: false, isMarkedEmergency: false };

test.each<readonly [string, SampleInviteOptions, Partial<CallFacts>]>([
  ['911', { requestUri: 'sip:911@a.example;user=phone' }, EMERGENCY],
  ['112 as a tel URI', { requestUri: 'tel:112;phone-context=+1' }, EMERGENCY],
  ['911 with its country', { requestUri: 'sip:+1911@a.example' }, EMERGENCY],
  ['911 with a parameter twice', { requestUri: 'sip:911@a.example;user=phone;user=phone' }, EMERGENCY],
  ['911 at an impossible port', { requestUri: 'sip:911@a.example:99999' }, EMERGENCY],
  ['the emergency service', { requestUri: 'urn:service:sos' }, EMERGENCY],
  ['one of its kinds', { requestUri: 'urn:service:sos.fire' }, EMERGENCY],
  ['911 that was dialled and redirected', { to: '<sip:911@a.example>', requestUri: 'sip:psap@esinet.example' }, MARKED],
  ['a call back of an answering point', { headers: ['Priority: psap-callback'] }, MARKED],
  ['a call of an emergency network', { headers: ['Resource-Priority: wps.0, esnet.1'] }, MARKED],
  ['a number that begins alike', { destTn: '19115550100' }, NEITHER],
  ['a service with a similar name', { requestUri: 'urn:service:sosmaking' }, NEITHER],
  ['another priority of the namespace', { headers: ['Resource-Priority: esnet.5'] }, NEITHER],
  ['another priority', { headers: ['Priority: emergency-like'] }, NEITHER],
  ['a number to which 911 is said to have led', { to: '<sip:911@a.example>' }, NEITHER],
])('%s is an emergency call, marked as one, or neither', (_what, options, facts) => {
  expect(factsOf(options)).toMatchObject(facts);
});

test('emergency numbers are those of the plan, and the two that telephones know everywhere', () => {
  const french = { ...DEFAULT_VERIFICATION_POLICY, numberingPlan: { countryCode: '33', emergencyNumbers: ['15'] } };
  const parsed = parseSipRequest(sampleInvite({ requestUri: 'sip:15@a.example;user=phone' }));
  if (parsed.status === 'malformed') throw new Error(parsed.reason);
  expect([callFacts(parsed.request, french).isEmergency, callFacts(parsed.request).isEmergency]).toEqual([true, false]);
});

test.each<readonly [string, SampleInviteOptions, boolean, string | undefined]>([
  ['whoever is named', {}, false, '12025550101'],
  ['an anonymous From', { from: '<sip:anonymous@anonymous.invalid>' }, true, undefined],
  ['Privacy: id', { headers: ['Privacy: id;critical'] }, true, '12025550101'],
  ['Privacy: header, which hides nobody', { headers: ['Privacy: header'] }, false, '12025550101'],
  [
    'an anonymous From beside the number that the network knows',
    { from: '<sip:anonymous@anonymous.invalid>', assertedIdentities: ['<tel:+12025550177>'] },
    true,
    '12025550177',
  ],
  // Else whoever spoofs would only have to leave the number out.
  ['an address without a number', { from: '<sip:alice@a.example>' }, false, undefined],
  ['an invalid From', { from: '<<<' }, false, undefined],
  [
    'two numbers that the network asserts',
    { assertedIdentities: ['<tel:+12025550177>, <tel:+12025550178>'] },
    false,
    undefined,
  ],
])('%s: anonymous or not, and the number that calls', (_what, options, isAnonymous, calling) => {
  const facts = factsOf(options);
  expect([facts.isAnonymous, facts.calling]).toEqual([isAnonymous, calling]);
});
