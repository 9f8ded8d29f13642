import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { CallRecord } from '../../sdk/src/contract/call-record.js';
import { SharingPolicy, DEFAULT_SHARING_POLICY } from '../../sdk/src/records/redaction/sharing-policy.js';
import type { MemberPolicy } from '../../sdk/src/records/redaction/member-tree.js';
import type { SharingLevel } from '../../sdk/src/records/redaction/sharing-policy.js';
import type { Suspicion } from '../../sdk/src/records/suspicion/suspicion.js';
import { anyCallRecord } from '../support/any-call-record.js';
import { forAll } from '../support/for-all.js';

const KEY = new Uint8Array(32).fill(0x5a);
const SUSPICIOUS: Suspicion = { score: 0.9, level: 'suspicious', policyId: 'p', signals: [], notJudged: [] };

const threeWays = fc.constantFrom('kept' as const, 'pseudonymous' as const, 'dropped' as const);
const twoWays = fc.constantFrom('kept' as const, 'dropped' as const);
const anyMembers: fc.Arbitrary<MemberPolicy> = fc.record({
  calling: threeWays,
  trunks: threeWays,
  source: threeWays,
  callIds: threeWays,
  providers: twoWays,
  addresses: twoWays,
  evidence: twoWays,
  signing: twoWays,
  release: twoWays,
  blocking: twoWays,
});

function policyOf(share: SharingLevel, members: MemberPolicy): SharingPolicy {
  const data = {
    ...DEFAULT_SHARING_POLICY,
    share,
    members: { suspicious: members, 'all-pseudonymous': members, all: members },
  };
  return new SharingPolicy({ data, key: KEY, rotationId: 'r1', tenantId: 'carrier-1' });
}

const sendingLevel = fc.constantFrom('suspicious' as const, 'all-pseudonymous' as const, 'all' as const);
const pseudonymousLevel = fc.constantFrom('suspicious' as const, 'all-pseudonymous' as const);

/** Every text and number in a value, with its path. */
function leaves(value: unknown, path = ''): [path: string, leaf: unknown][] {
  if (typeof value !== 'object' || value === null) return value === undefined ? [] : [[path, value]];
  return Object.entries(value).flatMap(([name, one]) =>
    leaves(one, Array.isArray(value) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`),
  );
}

const digitsOf = (text: string): string => text.replaceAll(/\D/g, '');

function sentOf(policy: SharingPolicy, record: CallRecord): unknown {
  const outcome = policy.share(record, SUSPICIOUS);
  if (outcome.status !== 'shared') throw new Error('the record was not shared');
  return outcome.record;
}

test('under the pseudonymous levels nothing of the called number leaves but its first six national digits', () => {
  forAll([anyCallRecord(), pseudonymousLevel, anyMembers], 800, (record, level, members) => {
    const sent = sentOf(policyOf(level, members), record);
    for (const written of [record.called?.tn, record.called?.translatedTn, record.called?.asWritten.slice(5)]) {
      if (written === undefined || digitsOf(written).length < 7) continue;
      const isNorthAmerican = written.length === 11 && written.startsWith('1');
      const national = isNorthAmerican ? written.slice(1) : written.slice(3);
      if (national.length < 7) continue;
      // Times and hashes that fast-check likes best are full of zeros.
      if (!/^(\d)\1+$/.test(national)) expect(JSON.stringify(sent)).not.toContain(national);
      for (const [path, leaf] of leaves(sent)) {
        // Numbers of callers and hashes of ours hold seven digits in a row as chance has it.
        if (typeof leaf !== 'string' || /^[0-9a-f]{32,64}$/.test(leaf)) continue;
        expect([path, digitsOf(leaf).includes(national)]).toEqual([path, false]);
        const isCaller = /^(calling|asserted)\./.test(path);
        expect([path, !isCaller && digitsOf(leaf).includes(national.slice(-7))]).toEqual([path, false]);
      }
    }
  });
});

test('under the pseudonymous levels two records that differ in the last four digits called differ in pseudonyms alone', () => {
  const line = fc.tuple(fc.integer({ min: 0, max: 99 }), fc.integer({ min: 0, max: 99 }));
  const forms = fc.constantFrom('1202555', '44207946', '62', '442');
  forAll([anyCallRecord(), pseudonymousLevel, anyMembers, fc.tuple(line, forms)], 600, (...drawn) => {
    const [base, level, members, [ends, start]] = drawn;
    const policy = policyOf(level, members);
    const tails = ends.map((end) => `01${String(end).padStart(2, '0')}`);
    const [one, other] = tails.map((tail) => {
      const tn = start + tail;
      const evidence = base.received?.evidence;
      const record: CallRecord = {
        ...base,
        called: { asWritten: `+${tn}`, tn, translatedTn: tn },
        legId: tn,
        callGroupId: 'the-same',
        source: { ...base.source, sha256: tail.padStart(64, 'a') },
        ...(evidence === undefined
          ? {}
          : { received: { evidence: { ...evidence, request: { dest: tn }, callKey: tail.padStart(64, 'b') } } }),
      };
      return leaves(sentOf(policy, record)).filter(([path]) => !/\.(pseudonym|callKey)$/.test(path));
    });
    // Texts that were drawn to hold some number may hold one of the two; of those it is known elsewhere that they stay.
    const texts = JSON.stringify([one, other]);
    if (tails.some((tail) => digitsOf(texts).includes(start.slice(-3) + tail))) return;
    expect(one).toEqual(other);
  });
});

test('the customer leaves at no level, in no member', () => {
  forAll([anyCallRecord(), sendingLevel, anyMembers], 800, (record, share, members) => {
    const text = JSON.stringify(sentOf(policyOf(share, members), record)).toLowerCase();
    expect(text).not.toContain('customerid');
    if (record.customerId !== undefined) expect(text).not.toContain(record.customerId);
  });
});

test('no byte that the switch wrote leaves at any level, as text or in base64, and the dry run says so', () => {
  const bytes = fc.uint8Array({ minLength: 6, maxLength: 30 });
  forAll(
    [anyCallRecord(), sendingLevel, anyMembers, fc.array(bytes, { minLength: 1, maxLength: 4 })],
    400,
    (...drawn) => {
      const [base, share, members, rows] = drawn;
      // Two marks that nothing else has, so that what is found can have come from here alone.
      const raw = rows.flatMap((row) => [
        { base64: Buffer.concat([Buffer.from('~raw bytes~'), row]).toString('base64') },
        { text: `~raw text~${Buffer.from(row).toString('latin1')}` },
      ]);
      const record: CallRecord = { ...base, source: { ...base.source, raw } };
      const { record: sent, members: notes } = policyOf(share, members).explain(record, SUSPICIOUS);
      const text = JSON.stringify(sent);
      expect(sent).toEqual(sentOf(policyOf(share, members), record));
      expect(sent?.source).not.toHaveProperty('raw');
      for (const mark of ['~raw', Buffer.from('~raw byt').toString('base64').slice(0, 10)])
        expect(text).not.toContain(mark);
      for (const at of raw.keys()) {
        const member = `source.raw[${at}].${at % 2 === 0 ? 'base64' : 'text'}`;
        expect(notes).toContainEqual({ member, treatment: 'withheld', rule: 'raw-bytes-never-leave' });
      }
    },
  );
});

test('nothing of a member that is withheld or veiled stands anywhere in what is sent', () => {
  // Longer than any text that is drawn, so that none is drawn by chance.
  const marks = Array.from({ length: 400 }, (_, at) => `~which no text holds by chance ${String(at)}~`);
  forAll([anyCallRecord(), sendingLevel, anyMembers], 400, (record, share, members) => {
    let at = 0;
    // Every text that may be any text becomes one that stands nowhere else.
    const marked = JSON.parse(JSON.stringify(record), (name: string, value: unknown) => {
      const isFree = ['trunk', 'provider', 'address', 'callId', 'id', 'cause', 'basis', 'origId', 'blockedBy', 'x5u'];
      return typeof value === 'string' && isFree.includes(name) ? marks[(at += 1)] : value;
    }) as CallRecord;
    const { record: sent, members: notes } = policyOf(share, members).explain(marked, SUSPICIOUS);
    const text = JSON.stringify(sent);
    const values = new Map(leaves(marked));
    for (const { member, treatment } of notes) {
      const value = values.get(member);
      if (treatment === 'sent' || typeof value !== 'string' || !marks.includes(value)) continue;
      expect([member, text.includes(value)]).toEqual([member, false]);
    }
  });
});

test('the dry run sends exactly what is sent, and accounts for every member of the record', () => {
  const identity = 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln';
  const extra = fc.constantFrom({}, { identity }, { ingress: { trunk: 7, odd: { deep: [1] } } });
  forAll([anyCallRecord(), sendingLevel, anyMembers, extra], 400, (base, share, members, odd) => {
    const record = { ...base, ...odd } as CallRecord;
    const before = JSON.stringify(record);
    const policy = policyOf(share, members);
    const explained = policy.explain(record, SUSPICIOUS);
    expect(explained.record).toEqual(sentOf(policy, record));
    expect(JSON.stringify(record)).toBe(before);
    const explainedPaths = explained.members.map(({ member }) => member);
    expect(explainedPaths.toSorted()).toEqual(
      leaves(record)
        .map(([path]) => path)
        .toSorted(),
    );
    expect(JSON.stringify(explained.record)).not.toContain(identity);
    const sent = new Map(leaves(explained.record));
    const given = new Map(leaves(record));
    for (const { member, treatment } of explained.members) {
      if (treatment === 'sent' && !member.endsWith('format'))
        expect([member, sent.get(member)]).toEqual([member, given.get(member)]);
      if (treatment === 'withheld') expect([member, sent.has(member)]).toEqual([member, false]);
    }
  });
});

/** All that a pseudonymous SharedRecord can have, as its type says it. */
const PSEUDONYMOUS_MEMBERS = [
  /^(format|recordId|callGroupId|inviteAtUs|answeredAtUs|endedAtUs|disposition|blockedBy)$/,
  /^source\.(id|format|readerVersion)$/,
  /^time\.(written|zone|resolutionUs|otherInviteAtUs)$/,
  /^(calling|asserted)\.(shown|tn|pseudonym|npaNxx|isAnonymous)$/,
  /^called\.(shown|pseudonym|npaNxx)$/,
  /^(ingress|egress)\.(trunk|provider|address|callId)$/,
  /^release\.(sipStatus|q850Cause|cause|party)$/,
  /^received\.(verstat|attestation|origId|iatSeconds|spc)$/,
  /^received\.evidence\.(format|checkedAtMs|profile|freshnessSeconds|trustStore|verstat|surplusHeaders)$/,
  /^received\.evidence\.(callKey|seenCount|firstSeenMs)$/,
  /^received\.evidence\.passports\[\d+\]\.(index|ppt|status|x5u|certificateSha256|trustAnchorSha256|spc)$/,
  /^received\.evidence\.passports\[\d+\]\.(iatSeconds|attestation|origId|passed\[\d+\])$/,
  /^received\.evidence\.passports\[\d+\]\.exceptions\[\d+\]\.(step|result|reason)$/,
  /^signed\.(attestation|origId|basis)$/,
  /^sharing\.(policyId|form|rotationId|suspicion\.(score|level))$/,
];

test('a pseudonymous record has the members of its type and no other', () => {
  forAll([anyCallRecord(), pseudonymousLevel, anyMembers], 400, (record, level, members) => {
    const paths = leaves(sentOf(policyOf(level, members), record)).map(([path]) => path);
    expect(paths.filter((path) => !PSEUDONYMOUS_MEMBERS.some((member) => member.test(path)))).toEqual([]);
  });
});

test('shares or withholds whatever a record holds, at any level, judged or not', () => {
  const level = fc.constantFrom('nothing' as const, 'suspicious' as const, 'all-pseudonymous' as const, 'all' as const);
  forAll(
    [anyCallRecord(), level, anyMembers, fc.constantFrom(undefined, SUSPICIOUS)],
    400,
    (record, share, members, judged) => {
      const { status } = policyOf(share, members).share(record, judged);
      expect(status).toBe(
        share === 'nothing' || (share === 'suspicious' && judged === undefined) ? 'withheld' : 'shared',
      );
    },
  );
});
