import { parseSipRequest, verificationRequestOf } from '@hopback/sdk/stir';
import { sampleInvite, type SampleInviteOptions } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import { RedirectServer, redirectProfile } from '../../sdk/src/switch/index.js';
import { REDIRECT_PROFILES } from '../../sdk/src/switch/redirect/profile.js';
import type {
  RedirectAnswer,
  RedirectProfile,
  RedirectRule,
  RedirectServerOptions,
  SipRequestLike,
} from '../../sdk/src/switch/index.js';
import { codeOf } from '../support/code-of.js';
import { createRedirectLab, KNOWN_CUSTOMER } from '../support/redirect-lab.js';

const { stir, signing, identityHeader } = await createRedirectLab();
const FROM_SBC = { source_address: '192.0.2.7', source_port: 5070, protocol: 'udp' };
const VERIFY = { name: 'inbound', mode: 'verify' } satisfies RedirectRule;
const SIGN = { name: 'outbound', mode: 'sign', facts: KNOWN_CUSTOMER } satisfies RedirectRule;

/** What one INVITE is answered with, and what the listener was told. */
async function answerTo(
  raw: string,
  options: Partial<RedirectServerOptions> & Pick<RedirectServerOptions, 'rules'>,
  from: Partial<SipRequestLike> = FROM_SBC,
) {
  const sent: unknown[] = [];
  const told: RedirectAnswer[] = [];
  const server = new RedirectServer({
    ...{ signing, verification: stir.service, onAnswered: (answer: RedirectAnswer) => void told.push(answer) },
    ...options,
  });
  server.invite({ raw, ...from }, { send: (status, phrase, { headers }) => sent.push([status, phrase, headers]) });
  await server.close();
  return { sent, told };
}

const headersOf = (sent: readonly unknown[]): Readonly<Record<string, string>> =>
  (sent[0] as [number, string, Record<string, string>])[2];
const unsigned = sampleInvite({ identityHeaders: [], dateMs: 'absent' });
const signed = sampleInvite({ identityHeaders: [identityHeader()], dateMs: stir.clock.nowMs() });
const spoofed = sampleInvite({
  ...{ origTn: '12025550166', identityHeaders: [identityHeader()], dateMs: stir.clock.nowMs() },
});

test.each(['standard', 'x-identity'] as const)('%s: a signed call gets a signature that verifies', async (name) => {
  const profile = REDIRECT_PROFILES[name];
  const { sent, told } = await answerTo(unsigned, { rules: [SIGN], profile });
  const [[status, , headers]] = sent as [[number, string, Record<string, string>]];
  expect([status, Object.keys(headers)]).toEqual([
    profile.status,
    ['Contact', profile.identityField, profile.dateField],
  ]);
  expect(headers['Contact']).toBe('<sip:+12025550199@192.0.2.7:5070;user=phone>');
  const parsed = parseSipRequest(unsigned);
  if (parsed.status === 'malformed') throw new Error(parsed.reason);
  const verdict = await stir.service.verify({
    ...verificationRequestOf(parsed.request),
    ...{ identity: headers[profile.identityField], date: headers[profile.dateField] ?? '' },
  });
  expect([verdict.verstat, verdict.attestation]).toEqual(['TN-Validation-Passed', 'A']);
  const { signing: outcome, rule } = told[0]!;
  expect([rule, outcome?.status === 'signed' && outcome.record.decision.facts.trunk]).toEqual(['outbound', 'outbound']);
});

const unsignedWith = (options: SampleInviteOptions): string => sampleInvite({ identityHeaders: [], ...options });

test.each([
  ['carries an Identity', signed, {}, 'already-signed'],
  ['calls 911', unsignedWith({ destTn: '911', requestUri: 'sip:911@a.example' }), {}, 'emergency'],
  ['has no number', unsignedWith({ from: '<sip:anonymous@anonymous.invalid>' }), {}, 'no-usable-number'],
  ['is left by policy', unsigned, { facts: { role: 'terminating' as const } }, 'policy'],
])('a call that %s is left as it is: 404', async (_what, raw, more, because) => {
  const { sent } = await answerTo(raw, { rules: [{ ...SIGN, ...more }] });
  expect(sent).toEqual([[404, 'Not Found', { Reason: `SIP;cause=404;text="${because}"` }]]);
});

test.each([
  ['attestation', 'Attestation', 'B'],
  ['attestation-info', 'Attestation-Info', 'C'],
] as const)('profile %s signs the level that %s asks for, and the record says so', async (name, field, attestation) => {
  const origId = '123e4567-e89b-12d3-a456-426655440000';
  const raw = unsignedWith({ headers: [`${field}: ${attestation}`, `Origination-ID: ${origId}`] });
  const { told } = await answerTo(raw, { rules: [SIGN], profile: REDIRECT_PROFILES[name] });
  expect(told[0]?.signing).toMatchObject({
    ...{ status: 'signed', claims: { attestation, origId } },
    record: { decidedBy: 'request', basis: expect.stringContaining(field) as string },
  });
});

test.each(['a', 'A;x=1', ''])('a level of %j is refused, and the call goes on unsigned', async (level) => {
  const raw = unsignedWith({ headers: [`Attestation: ${level}`] });
  const { told } = await answerTo(raw, { rules: [SIGN], profile: REDIRECT_PROFILES.attestation });
  expect(told[0]).toMatchObject({ outcome: 'nothing-to-say', because: 'request-invalid' });
});

test('the standard profile ignores a level that anybody may have written', async () => {
  const raw = unsignedWith({ headers: ['Attestation: A'] });
  const { told } = await answerTo(raw, { rules: [{ ...SIGN, facts: { role: 'gateway' } }] });
  expect(told[0]?.signing).toMatchObject({ claims: { attestation: 'C' } });
});

test('a rule may bring the level of all its calls, with what it rests on', async () => {
  const attestation = { level: 'B', basis: 'Calls of resellers, by contract of 2026-01-01.' } as const;
  const { told } = await answerTo(unsigned, { rules: [{ ...SIGN, attestation }] });
  expect(told[0]?.signing).toMatchObject({ claims: { attestation: 'B' }, record: { basis: attestation.basis } });
});

test.each([
  ['does not answer', { sign: async () => new Promise<never>(() => undefined) }, 'time-budget'],
  ['breaks', { sign: async () => Promise.reject(new Error('away')) }, 'failed'],
  [
    'has no key',
    { sign: async () => ({ status: 'refused', reason: 'signer-failed', detail: '', retryable: true }) as const },
    'signer-failed',
  ],
])('a signing service that %s leaves the call to the next server: 503', async (_what, service, because) => {
  const schedule = (callback: () => void) => {
    if (because === 'time-budget') setImmediate(callback);
    return () => undefined;
  };
  const { sent, told } = await answerTo(unsigned, { rules: [SIGN], signing: service, schedule });
  expect([sent, told[0]?.because]).toEqual([[[503, 'Service Unavailable', {}]], because]);
});

test('a verified call gets P-Asserted-Identity with its verstat, whichever field named the caller', async () => {
  const { sent } = await answerTo(signed, { rules: [VERIFY] });
  const caller = '<sip:+12025550101;verstat=TN-Validation-Passed@originating.example;user=phone>';
  const contact = '<sip:+12025550199@192.0.2.7:5070;user=phone>';
  expect(sent).toEqual([[302, 'Moved Temporarily', { Contact: contact, 'P-Asserted-Identity': caller }]]);
});

test('profile attestation-info tells attestation and origid of a verified call', async () => {
  const { sent } = await answerTo(signed, { rules: [VERIFY], profile: REDIRECT_PROFILES['attestation-info'] });
  expect(headersOf(sent)).toMatchObject({
    'Attestation-Info': 'A',
    'Origination-ID': expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
  });
});

test('a spoofed call goes on by default with verstat and Reason', async () => {
  const { sent } = await answerTo(spoofed, { rules: [VERIFY] });
  const [[status, , headers]] = sent as [[number, string, Record<string, string>]];
  expect([status, headers['P-Asserted-Identity']?.includes(';verstat=No-TN-Validation@')]).toEqual([302, true]);
  expect(headers['Reason']).toMatch(/^STIR;cause=438;text="Invalid Identity Header"/);
});

const BLOCK = { rejectWith: { url: 'https://redress.example/', location: 'LN' } };
const REDRESS = 'SIP;cause=603;text="v=analytics1;url=https://redress.example/";location=LN';

test.each<[string, Partial<RedirectProfile>, object, readonly unknown[]]>([
  ['603 with what it would have been', {}, {}, [603, 'Decline', /^STIR;cause=438;/]],
  ['438 where the profile keeps it', { refusals: 'as-decided' }, {}, [438, 'Invalid Identity Header']],
  ['603 with its redress, whatever the profile', { reason: 'off' }, BLOCK, [603, 'Network Blocked', REDRESS]],
])('a spoofed call is refused by policy: %s', async (_what, profile, more, [status, phrase, reason]) => {
  const policy = { role: 'terminating', failureAction: 'reject_request', ...more } as const;
  const { sent } = await answerTo(spoofed, { rules: [{ ...VERIFY, policy }], profile: redirectProfile(profile) });
  const expected = reason instanceof RegExp ? (expect.stringMatching(reason) as string) : reason;
  expect(sent).toEqual([[status, phrase, expected === undefined ? {} : { Reason: expected }]]);
});

test('a do-not-originate number is refused whatever comes of verification', async () => {
  const policy = { role: 'terminating', doNotOriginate: 'reject' } as const;
  const verification = { verify: async () => Promise.reject(new Error('away')) };
  const doNotOriginate = { has: (number: string) => number === '12025550101' };
  const { sent } = await answerTo(unsigned, { rules: [{ ...VERIFY, policy }], verification, doNotOriginate });
  expect(sent).toEqual([[603, 'Decline', {}]]);
});

test('an unsigned call is marked where every call is verified, and else left as it is', async () => {
  const told = await answerTo(unsigned, { rules: [VERIFY] });
  expect(JSON.stringify(told.sent)).toContain(';verstat=No-TN-Validation@');
  const quiet = await answerTo(unsigned, { rules: [{ ...VERIFY, policy: { role: 'gateway' } }] });
  expect(quiet.sent).toEqual([[404, 'Not Found', { Reason: 'SIP;cause=404;text="not-verified"' }]]);
});

function broken(): never {
  throw new Error('broken');
}

test.each([
  ['rejects', async () => Promise.reject(new Error('away'))],
  ['throws', broken],
])('a verification service that %s leaves the call to the next server: 503', async (_what, verify) => {
  const troubles: unknown[] = [];
  const onTrouble = (error: unknown): void => void troubles.push(error);
  const { sent } = await answerTo(signed, { rules: [VERIFY], verification: { verify }, onTrouble });
  expect([sent, troubles.length]).toEqual([[[503, 'Service Unavailable', {}]], 1]);
});

test('rules apply by address, network, host, user and header field; other calls are refused', async () => {
  const rules: readonly RedirectRule[] = [
    { ...VERIFY, name: 'address', when: { sources: ['192.0.2.7'] } },
    { ...VERIFY, name: 'network', when: { sources: ['198.51.100.0/24', '2001:db8::/32'] } },
    { ...VERIFY, name: 'user', when: { users: ['99*'], hosts: ['Inbound.example'] } },
    { ...VERIFY, name: 'host', when: { hosts: ['Inbound.example'] } },
    { ...SIGN, name: 'header', when: { header: { name: 'X-Mode', value: 'SIGN' } } },
  ];
  const ruleOf = async (address: string, requestUri = 'sip:1@x.example', header = 'X-A: b'): Promise<unknown> => {
    const raw = sampleInvite({ requestUri, headers: [header] });
    const { told, sent } = await answerTo(raw, { rules }, { source_address: address });
    return told[0]?.rule ?? sent[0];
  };
  expect(await ruleOf('192.0.2.7')).toBe('address');
  expect(await ruleOf('::ffff:192.0.2.7')).toBe('address');
  expect(await ruleOf('198.51.100.200')).toBe('network');
  expect(await ruleOf('[2001:db8::1]')).toBe('network');
  expect(await ruleOf('203.0.113.1', 'sip:99123@inbound.example')).toBe('user');
  expect(await ruleOf('203.0.113.1', 'sip:123@INBOUND.example')).toBe('host');
  expect(await ruleOf('203.0.113.1', undefined, 'x-mode: sign')).toBe('header');
  expect(await ruleOf('203.0.113.1')).toEqual([403, 'Forbidden', {}]);
  expect(await ruleOf('rubbish')).toEqual([403, 'Forbidden', {}]);
});

test('a call for help from an address that is in no rule goes on', async () => {
  const rules: readonly RedirectRule[] = [{ ...VERIFY, when: { sources: ['192.0.2.8'] } }];
  for (const raw of [sampleInvite({ requestUri: 'urn:service:sos.fire' }), 'INVITE sip:911@a.example SIP/2.0\r\n?']) {
    const { sent } = await answerTo(raw, { rules });
    expect(sent).toEqual([[404, 'Not Found', { Reason: 'SIP;cause=404;text="emergency"' }]]);
  }
});

test.each([
  ['source', 'sip:+12025550199;npdi@a.example;user=phone', {}, '<sip:+12025550199;npdi@192.0.2.7:5070;user=phone>'],
  ['source', 'tel:+12025550199;npdi', {}, '<sip:+12025550199;npdi@192.0.2.7:5070;user=phone>'],
  ['source', 'sips:1@a.example', { source_address: '2001:db8::1', source_port: 5060 }, '<sips:1@[2001:db8::1]>'],
  ['source', 'sip:1@a.example', { source_address: 'fe80::1%eth0', source_port: 5060 }, '<sip:1@[fe80::1]>'],
  ['source', 'sip:1@a.example', { protocol: 'tcp', source_port: 40_000 }, '<sip:1@192.0.2.7>'],
  ['source', 'sip:1@a.example', { source_address: 'nowhere' }, '<sip:1@a.example>'],
  ['source', 'urn:service:sos', {}, '<urn:service:sos>'],
  ['request-uri', 'sip:1@a.example:5080;transport=tcp', {}, '<sip:1@a.example:5080;transport=tcp>'],
  [{ host: 'sbc.example:5080' }, 'sip:1@a.example', {}, '<sip:1@sbc.example:5080>'],
] as const)('contact %j of %s', async (contact, requestUri, from, expected) => {
  const raw = sampleInvite({ requestUri, identityHeaders: [] });
  const options = { rules: [VERIFY], profile: redirectProfile({ contact }) };
  const { sent } = await answerTo(raw, options, { ...FROM_SBC, ...from });
  expect(headersOf(sent)['Contact']).toBe(expected);
});

test('a request that cannot be read goes on, or ends with 400 where policy has it so', async () => {
  for (const rule of [SIGN, VERIFY])
    expect((await answerTo('rubbish', { rules: [rule] })).sent).toEqual([
      [404, 'Not Found', { Reason: 'SIP;cause=404;text="unreadable"' }],
    ]);
  const policy = { role: 'terminating', unreadable: 'reject' } as const;
  const profile = redirectProfile({ refusals: 'as-decided' });
  const { sent } = await answerTo('rubbish', { rules: [{ ...VERIFY, policy }], profile });
  expect(sent).toEqual([[400, 'Bad Request', {}]]);
});

test('an answer that cannot be sent becomes 503, once', async () => {
  const server = new RedirectServer({ rules: [VERIFY], verification: stir.service });
  const statuses: number[] = [];
  const send = (status: number): void => {
    statuses.push(status);
    if (status === 302) throw new Error('status is required and must be a valid sip response code');
  };
  server.invite({ raw: signed, ...FROM_SBC }, { send });
  await server.close();
  expect(statuses).toEqual([302, 503]);
});

test('a listener that throws or rejects is reported, and changes no answer', async () => {
  const troubles: unknown[] = [];
  const onTrouble = (error: unknown): void => void troubles.push(error);
  for (const onAnswered of [broken, (): unknown => Promise.reject(new Error('full'))]) {
    const { sent } = await answerTo(unsigned, { rules: [SIGN], onAnswered, onTrouble });
    expect(sent).toHaveLength(1);
  }
  expect(troubles).toHaveLength(2);
});

test('OPTIONS get 200 while calls can be served: not without a certificate, not while it drains', async () => {
  const status = (server: RedirectServer): number => {
    const sent: number[] = [];
    server.options({ raw: 'OPTIONS sip:a.example SIP/2.0' }, { send: (one) => sent.push(one) });
    return sent[0]!;
  };
  let obstacle: ReturnType<typeof signing.obstacle>;
  const server = new RedirectServer({
    rules: [SIGN],
    signing: { sign: (request) => signing.sign(request), obstacle: () => obstacle },
  });
  expect(status(server)).toBe(200);
  obstacle = { status: 'refused', reason: 'no-certificate', detail: '', retryable: true };
  expect(status(server)).toBe(503);
  const unready = new RedirectServer({ rules: [SIGN], signing, isReady: () => false });
  const failing = new RedirectServer({ rules: [SIGN], signing, isReady: broken });
  expect([status(unready), status(failing)]).toEqual([503, 503]);
  obstacle = undefined;
  server.drain();
  expect(status(server)).toBe(503);
});

test('close has new calls go elsewhere and waits for the open ones; more than can be open get 503', async () => {
  let finish: () => void = () => undefined;
  const verify = async (): Promise<never> => {
    await new Promise<void>((resolve) => void (finish = resolve));
    throw new Error('at last');
  };
  const server = new RedirectServer({ rules: [VERIFY], verification: { verify }, maxOpen: 1 });
  const statuses: number[] = [];
  const ask = (): void => server.invite({ raw: signed }, { send: (status) => statuses.push(status) });
  ask();
  ask();
  await Promise.resolve();
  expect([statuses, server.open()]).toEqual([[503], 1]);
  const closed = server.close();
  ask();
  await Promise.resolve();
  expect(statuses).toEqual([503, 503]);
  finish();
  await closed;
  expect([statuses, server.open()]).toEqual([[503, 503, 503], 0]);
});

test.each([
  [{ rules: [] }],
  [{ rules: [VERIFY, VERIFY] }],
  [{ rules: [{ ...VERIFY, mode: 'both' }] }],
  [{ rules: [{ ...VERIFY, facts: {} }] }],
  [{ rules: [{ ...SIGN, facts: { role: 'boss' } }] }],
  [{ rules: [{ ...SIGN, attestation: { level: 'D', basis: 'x' } }] }],
  [{ rules: [{ ...SIGN, attestation: { level: 'A', basis: ' ' } }] }],
  [{ rules: [{ ...SIGN, attestation: 'A' }] }],
  [{ rules: [{ ...VERIFY, when: { sources: ['192.0.2.0/33'] } }] }],
  [{ rules: [{ ...VERIFY, when: { sources: ['192.0.2.0/'] } }] }],
  [{ rules: [{ ...VERIFY, when: { sources: [] } }] }],
  [{ rules: [{ ...VERIFY, when: { adress: ['192.0.2.1'] } }] }],
  [{ rules: [{ ...VERIFY, when: { header: {} } }] }],
  [{ rules: [{ ...VERIFY, policy: { role: 'terminating', verify: 'sometimes' } }] }],
  [{ rules: [{ ...VERIFY, policy: { role: 'terminating', doNotOriginate: 'reject' } }] }],
  [{ rules: [{ ...VERIFY, policy: { role: 'terminating', upstreamFiling: 'reject' } }] }],
  [{ rules: [VERIFY], verification: undefined }],
  [{ rules: [SIGN], signing: undefined }],
  [{ rules: [VERIFY], timeBudgetMs: 0 }],
  [{ rules: [VERIFY], maxOpen: 0.5 }],
  [{ rules: [VERIFY], profile: { ...REDIRECT_PROFILES.standard, status: 301 } }],
])('no server is made of %j', async (options) => {
  const made = async (): Promise<unknown> =>
    new RedirectServer({ signing, verification: stir.service, ...options } as never);
  expect(await codeOf(made())).toBe('invalid-configuration');
});

test.each([
  [{ contct: 'source' }],
  [{ identityField: 'Iden tity' }],
  [{ identityField: 'Via' }],
  [{ identityField: 'X\r\nVia' }],
  [{ dateField: 'identity' }],
  [{ callerField: '' }],
  [{ attestationFields: 'Attestation' }],
  [{ contact: { host: 'a b' } }],
  [{ contact: { host: 'a', port: 1 } }],
  [{ reason: 'yes' }],
  [null],
])('no profile has %j', async (partial) => {
  const made = async (): Promise<unknown> => redirectProfile(partial as never);
  expect(await codeOf(made())).toBe('invalid-configuration');
});
