import { createPrivateKey, createSecretKey, generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { SharedRecord, type CallRecord } from '../../sdk/src/contract/call-record.js';
import type { PassportEvidence, VerdictEvidence } from '../../sdk/src/core/verdict-evidence.js';
import { MEMBER_RULES } from '../../sdk/src/records/redaction/member-tree.js';
import { createPseudonyms } from '../../sdk/src/records/redaction/pseudonyms.js';
import { SharingPolicy, DEFAULT_SHARING_POLICY } from '../../sdk/src/records/redaction/sharing-policy.js';
import type {
  SharingException,
  SharingLevel,
  SharingPolicyData,
} from '../../sdk/src/records/redaction/sharing-policy.js';
import type { Suspicion } from '../../sdk/src/records/suspicion/suspicion.js';
import { thrownBy } from '../support/code-of.js';
import { sparseRecord } from '../support/stored-records.js';

const KEY = new Uint8Array(32).fill(0x5a);
const judged = (level: Suspicion['level']): Suspicion => ({
  ...{ score: 0.5, level, policyId: 'p', notJudged: [] },
  signals: [
    {
      ...{ name: 'very-short-call', about: 'call', strength: 1, observed: 1, threshold: 6 },
      evidence: { recordIds: ['c'.repeat(32)] },
    },
  ],
});

const PASSPORT: PassportEvidence = {
  ...{ index: 0, ppt: 'shaken', status: 'passed', signingInputSha256: 'b'.repeat(64) },
  ...{ certificateSha256: 'd'.repeat(64), dest: ['12025550147'], passed: ['signature'], exceptions: [] },
};
const VERSTAT = 'TN-Validation-Passed';
const EVIDENCE: VerdictEvidence = {
  ...{ format: 'hopback.verdict-evidence.1', checkedAtMs: 1_790_000_000_001, profile: 'shaken', freshnessSeconds: 60 },
  ...{ verstat: VERSTAT, request: { orig: '13035550101', dest: '12025550147' }, passports: [PASSPORT] },
  ...{ callKey: 'b'.repeat(64), seenCount: 2 },
};

const RECORD = sparseRecord('SIP/12025550147-0001', 1_790_000_000_000_000, {
  source: { id: 'sbc-1', format: 'ribbon-act', readerVersion: 1, sha256: 'a'.repeat(64) },
  callGroupId: 'SIP/12025550147',
  ...{ answeredAtUs: 1_790_000_005_000_000, endedAtUs: 1_790_000_006_000_000 },
  calling: { asWritten: 'sip:+13035550101@192.0.2.9', tn: '13035550101' },
  called: { asWritten: '1234#12025550147', tn: '12025550147', translatedTn: '12025550148', techPrefix: '1234#' },
  ingress: { trunk: 'north-1', provider: 'Example Telecom', address: '192.0.2.1:5060', callId: 'a84b4c76@192.0.2.1' },
  egress: { trunk: 'subscribers', callId: '12025550147@192.0.2.2' },
  disposition: 'answered',
  release: { sipStatus: 200, cause: 'normal, 202-555-0147 hung up', party: 'called' },
  received: { verstat: VERSTAT, attestation: 'A', spc: '709J', evidence: EVIDENCE },
  customerId: 'acct-7741',
});

const policy = (share: SharingLevel, change: Partial<SharingPolicyData> = {}) =>
  new SharingPolicy({
    data: { ...DEFAULT_SHARING_POLICY, share, ...change },
    key: KEY,
    rotationId: '2026-11',
    tenantId: 'carrier-1',
  });

const sent = (share: SharingLevel, record = RECORD, suspicion: Suspicion | undefined = judged('suspicious')) => {
  const outcome = policy(share).share(record, suspicion);
  return outcome.status === 'shared' ? outcome.record : undefined;
};

test('shares suspicious calls alone, pseudonymous, where nothing else is said', () => {
  const byDefault = new SharingPolicy({ key: KEY, rotationId: '2026-11', tenantId: 'carrier-1' });
  expect(byDefault.share(RECORD, judged('suspicious')).status).toBe('shared');
  for (const suspicion of [undefined, judged('none'), judged('watch')]) {
    expect(byDefault.share(RECORD, suspicion).status).toBe('withheld');
  }
});

test('a pseudonymous record keeps record id, area code and exchange, and says which rotation its pseudonyms are of', () => {
  const record = sent('suspicious');
  expect(record?.recordId).toBe(RECORD.recordId);
  expect(record?.called).toEqual({
    shown: 'pseudonym',
    pseudonym: expect.stringMatching(/^[0-9a-f]{32}$/),
    npaNxx: '202555',
  });
  expect(record?.sharing).toEqual({
    policyId: 'hopback-sharing-1',
    form: 'pseudonymous',
    rotationId: '2026-11',
    suspicion: { score: 0.5, level: 'suspicious', signals: ['very-short-call'] },
  });
  expect(record?.calling).toEqual({ shown: 'number', tn: '13035550101' });
  expect(record?.received?.evidence).toMatchObject({ format: 'hopback.shared-evidence.1', seenCount: 2 });
});

test('what can be tried against the called number does not leave with its pseudonym', () => {
  const text = JSON.stringify(sent('suspicious'));
  for (const hash of ['a'.repeat(64), 'b'.repeat(64)]) expect(text).not.toContain(hash);
  expect(text).toContain('d'.repeat(64));
});

test('a text with the number called is withheld however the number was dialled', () => {
  for (const asWritten of [
    '*6712025550147',
    '12025550147*99',
    'sip:+1(202)555-0147;ext=4711@192.0.2.9',
    '9,12025550147',
  ]) {
    for (const called of [{ asWritten }, { asWritten, tn: asWritten.replaceAll(/[^\d*#]/g, '') }]) {
      for (const cause of ['to 12025550147', '+1 202 555 0147 is busy', '555-0147'])
        expect(sent('suspicious', { ...RECORD, called, release: { cause } })?.release).toEqual({});
    }
  }
});

test('of foreign and short numbers nothing is shown at all', () => {
  for (const tn of ['442079460123', '911', '62255', '*67', '4102']) {
    const record = sent('all-pseudonymous', { ...RECORD, called: { asWritten: tn, tn } });
    expect(record?.called).toEqual({ shown: 'pseudonym', pseudonym: expect.stringMatching(/^[0-9a-f]{32}$/) });
  }
});

test('a caller who shows the number called is veiled with it, under another pseudonym', () => {
  const record = sent('suspicious', { ...RECORD, calling: { asWritten: '12025550147', tn: '12025550147' } });
  expect(record?.calling).toMatchObject({ shown: 'pseudonym', npaNxx: '202555' });
  expect(record?.calling).not.toEqual(record?.called);
});

test('a caller without a number is said to have none, and whether not to be named was asked', () => {
  for (const [asWritten, isAnonymous] of [
    ['sip:anonymous@anonymous.invalid', true],
    ['front desk', false],
  ] as const) {
    expect(sent('suspicious', { ...RECORD, calling: { asWritten } })?.calling).toEqual({
      shown: 'no-number',
      isAnonymous,
    });
  }
});

test('at the level all everything is sent but the customer', () => {
  const { customerId, ...rest } = RECORD;
  expect(customerId).toBe('acct-7741');
  const { sharing, ...record } = sent('all') ?? {};
  expect(sharing?.form).toBe('full');
  expect(record).toEqual({
    ...rest,
    format: 'hopback.shared-record.1',
    calling: { shown: 'whole', ...RECORD.calling },
    called: { shown: 'whole', ...RECORD.called },
  });
});

test('a call group that holds the customer leaves under a pseudonym, since without one the record would be none', () => {
  const record = { ...RECORD, callGroupId: 'acct-7741/17' };
  expect(sent('all', record)?.callGroupId).toMatch(/^[0-9a-f]{32}$/);
  expect(sent('all', record)?.callGroupId).toBe(sent('suspicious', record)?.callGroupId);
});

test('a customer is found in names that write it otherwise, and a short one where it is a word', () => {
  const of = (customerId: string, trunk: string) =>
    sent('all', { ...RECORD, customerId, ingress: { trunk, provider: trunk } })?.ingress;
  const veiled = { trunk: expect.stringMatching(/^[0-9a-f]{32}$/) };
  expect(of('Acme Corp.', 'sip-ACME_corp-2')).toEqual(veiled);
  expect(of('IBM', 'ibm-east')).toEqual(veiled);
  expect(of('Ärzte 12', 'ärzte-12')).toEqual(veiled);
  expect(of('--', 'a--b')).toEqual(veiled);
  for (const [customerId, trunk] of [
    ['IBM', 'hibmond'],
    ['12', 'trunk-12'],
    ['--', 'a-b'],
  ] as const)
    expect(of(customerId, trunk)).toEqual({ trunk, provider: trunk });
});

test('a record of a customer who is named like a word of ours is one all the same, and the word stays', () => {
  const exception = { step: 'dest-matches', result: 'failed', reason: 'dest-mismatch' } as const;
  const evidence = { ...EVIDENCE, passports: [{ ...PASSPORT, exceptions: [exception] }] };
  const kept = { disposition: 'busy', release: { party: 'network' }, signed: { attestation: 'A' } } as const;
  const record: CallRecord = { ...RECORD, ...kept, received: { ...RECORD.received, evidence } };
  const words = ['busy', 'utc', 'act', 'network', 'passed', 'failed', 'dest-matches', 'mismatch', 'shaken', 'a', 'TN'];
  for (const share of ['suspicious', 'all-pseudonymous', 'all'] as const) {
    const { customerId: _none, ...without } = record;
    const { ppt, ...passport } = sent(share, without)?.received?.evidence?.passports[0] ?? {};
    expect(ppt).toBe('shaken');
    for (const customerId of words) {
      const shared = sent(share, { ...record, customerId });
      expect([customerId, SharedRecord.safeParse(shared).success]).toEqual([customerId, true]);
      expect(shared).toMatchObject(kept);
      expect(shared?.received?.evidence?.passports[0]).toMatchObject(passport);
    }
  }
});

test('of the general level and all exceptions that apply the most restrictive wins, in any order', () => {
  const exceptions: SharingException[] = [
    { id: 'open', trunk: 'north-1', share: 'all', reason: 'r' },
    { id: 'clinic', customerId: 'acct-7741', share: 'nothing', reason: 'r' },
    { id: 'north', trunk: 'north-1', share: 'all-pseudonymous', reason: 'r' },
    { id: 'other', trunk: 'south-1', share: 'nothing', reason: 'r' },
    { id: 'both', trunk: 'subscribers', customerId: 'acct-0', share: 'nothing', reason: 'r' },
  ];
  for (const ordered of [exceptions, exceptions.toReversed()]) {
    const of = (share: SharingLevel, record: CallRecord) => {
      const { level, decidedBy } = policy(share, { exceptions: ordered }).explain(record, judged('none')).decision;
      return [level, decidedBy];
    };
    expect(of('all', RECORD)).toEqual(['nothing', 'clinic']);
    expect(of('all', { ...RECORD, customerId: 'acct-1' })).toEqual(['all-pseudonymous', 'north']);
    // An exception never makes a carrier share more.
    expect(of('suspicious', { ...RECORD, customerId: 'acct-1' })).toEqual(['suspicious', 'general']);
    expect(of('all', { ...RECORD, customerId: 'acct-1', ingress: {} })).toEqual(['all', 'general']);
  }
});

test('an exception makes no member leave that would have stayed without it', () => {
  const exceptions: SharingException[] = [
    { id: 'north', trunk: 'north-1', share: 'suspicious', reason: 'r' },
    { id: 'clinic', customerId: 'acct-7741', share: 'all-pseudonymous', reason: 'r' },
  ];
  const of = (share: SharingLevel, some: readonly SharingException[]) => {
    const outcome = policy(share, { exceptions: some }).share(RECORD, judged('suspicious'));
    return outcome.status === 'shared' ? outcome.record : undefined;
  };
  // Of suspicious calls the default shows calling number and address, of all calls neither.
  const byAll = of('all-pseudonymous', []);
  expect([byAll?.calling?.shown, byAll?.ingress.address]).toEqual(['pseudonym', undefined]);
  expect(of('all-pseudonymous', exceptions.slice(0, 1))).toEqual(byAll);
  for (const ordered of [exceptions, exceptions.toReversed()]) {
    expect(of('all', ordered)).toMatchObject({ calling: byAll?.calling, called: byAll?.called });
    expect(of('all', ordered)?.ingress).toEqual(byAll?.ingress);
  }
});

test('a policy may count calls on watch as suspicious', () => {
  const data = { suspiciousFrom: 'watch' as const };
  expect(policy('suspicious', data).share(RECORD, judged('watch')).status).toBe('shared');
  expect(policy('suspicious', data).share(RECORD, judged('none')).status).toBe('withheld');
});

test('the dry run names a rule for every member, and each rule has its sentence', () => {
  const { decision, members } = policy('suspicious').explain(RECORD, judged('suspicious'));
  expect(decision).toEqual({
    isShared: true,
    level: 'suspicious',
    decidedBy: 'general',
    reason: 'level-shares-suspicious',
  });
  const of = (member: string) => members.find((one) => one.member === member);
  expect(of('called.tn')).toMatchObject({ treatment: 'pseudonym', rule: 'called-number-veiled' });
  expect(of('called.translatedTn')).toMatchObject({ treatment: 'withheld' });
  expect(of('customerId')).toMatchObject({ treatment: 'withheld', rule: 'customer-never-leaves' });
  expect(of('release.cause')).toMatchObject({ treatment: 'withheld', rule: 'text-holds-the-called-number' });
  expect(of('received.evidence.passports[0].dest[0]')).toMatchObject({ rule: 'may-name-the-called-number' });
  for (const { rule } of members) expect(MEMBER_RULES[rule]).toMatch(/\.$/);
});

test('the dry run of a record that stays says by which rule, and sends nothing', () => {
  const { decision, record, members } = policy('nothing').explain(RECORD, judged('suspicious'));
  expect([decision.isShared, decision.reason, record, members]).toEqual([false, 'level-shares-nothing', undefined, []]);
});

test('the same number has the same pseudonym within a rotation, and another under every other name, key and domain', () => {
  const make = (change: Partial<Parameters<typeof createPseudonyms>[0]> = {}) =>
    createPseudonyms({ key: KEY, rotationId: 'r1', tenantId: 't1', ...change });
  const number = '12025550147';
  const first = make().of('called-number', number);
  expect(make({ key: createSecretKey(KEY) }).of('called-number', number)).toBe(first);
  const others = [
    make({ rotationId: 'r2' }).of('called-number', number),
    make({ tenantId: 't2' }).of('called-number', number),
    make({ key: new Uint8Array(32).fill(1) }).of('called-number', number),
    make().of('calling-number', number),
    make().of('called-number', '12025550148'),
    make({ rotationId: '1t', tenantId: 'r' }).of('called-number', number),
  ];
  expect(new Set([first, ...others]).size).toBe(others.length + 1);
});

// Worked out with Python's hmac module, from the definition in the docstring.
test('pseudonyms stay what they are from release to release', () => {
  const pseudonyms = createPseudonyms({ key: KEY, rotationId: 'r1', tenantId: 't1' });
  expect(pseudonyms.of('called-number', '12025550147')).toBe('3f9bb00f7d556786b07ad9cde5ff5f80');
});

test('rejects keys that are too short, too long or not secret, and shows nothing of them', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const bad: unknown[] = [
    new Uint8Array(31).fill(0x41),
    new Uint8Array(1_025).fill(0x41),
    createSecretKey(Buffer.from('A'.repeat(31))),
    createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    'A'.repeat(32),
  ];
  for (const key of bad) {
    const thrown = thrownBy(() => createPseudonyms({ key: key as Uint8Array, rotationId: 'r1', tenantId: 't1' }));
    expect(thrown).toMatchObject({ code: 'key-unusable' });
    expect(inspect(thrown, { depth: 9 }) + JSON.stringify(thrown)).not.toMatch(/AAAA|QUFB|65, 65|BEGIN/);
  }
});

test('a policy does not show its key, and keeps the one it was given when the bytes are wiped', () => {
  const key = new Uint8Array(32).fill(0x41);
  const own = createPseudonyms({ key, rotationId: 'r1', tenantId: 't1' });
  const before = own.of('trunk', 'north-1');
  key.fill(0);
  expect(own.of('trunk', 'north-1')).toBe(before);
  expect(inspect(own, { depth: 9, showHidden: true }) + JSON.stringify(own)).not.toMatch(/AAAA|QUFB|65, 65|41 41/);
});

test('refuses policies that are out of their bounds, and says where', () => {
  const members = DEFAULT_SHARING_POLICY.members;
  const wrong: [Partial<SharingPolicyData>, string][] = [
    [{ id: '' }, 'id'],
    [{ share: 'some' as SharingLevel }, 'share'],
    [{ suspiciousFrom: 'none' as 'watch' }, 'suspiciousFrom'],
    [
      { members: { ...members, all: { ...members.all, addresses: 'pseudonymous' as 'kept' } } },
      'members.all.addresses',
    ],
    [{ exceptions: [{ id: 'x', share: 'nothing', reason: 'r' }] }, 'exceptions[0]'],
    [{ exceptions: [{ id: 'x', trunk: 't', share: 'nothing', reason: '' }] }, 'exceptions[0].reason'],
  ];
  for (const [change, member] of wrong) {
    expect(() => policy('suspicious', change)).toThrow(
      expect.objectContaining({ code: 'invalid-configuration', details: expect.objectContaining({ member }) }),
    );
  }
});
