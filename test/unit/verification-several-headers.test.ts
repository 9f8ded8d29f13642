import { createPassport, PASSPORT_FAULTS, type PassportOptions } from '@hopback/sdk/testing';
import { divertedCall } from '../../sdk/src/testing/passport.js';
import { expect, test } from 'vitest';
import type { VerificationPolicy } from '../../sdk/src/stir/verification/policy.js';
import { MAX_REASON_CHARS, type CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import { LAB_X5U, createVerificationLab } from '../support/verification-lab.js';
import { MAX_IDENTITY_HEADERS } from '../../sdk/src/stir/verification/core.js';
import { MAX_IDENTITY_HEADER_CHARS } from '../../sdk/src/stir/identity-header.js';
import { leastMs } from '../support/least-time.js';

const DEAD = 'https://certs.dead.example/shaken.pem';
const OTHER = 'https://certs.other.example/shaken.pem';

const lab = await createVerificationLab();
const other = lab.pki.issueServiceProvider({ spc: '5678' });
lab.repository.put(OTHER, other.chainPem);

const shaken = (changes: Partial<PassportOptions> = {}): string =>
  createPassport({ signer: lab.provider, x5u: LAB_X5U, ...changes }).identityHeader;
const forged = (changes: Partial<PassportOptions> = {}): string => shaken({ ...changes, signer: lab.faults.attacker });
const many = <T>(length: number, make: (index: number) => T): T[] => Array.from({ length }, (_, index) => make(index));
const unreachable = (): string => shaken({ x5u: DEAD });
const tokenOf = (header: string): string => header.split(';')[0] ?? '';

function verdictOn(
  identity: string | readonly string[],
  policy: Partial<VerificationPolicy> = {},
  requestUri: string = lab.call.requestUri,
): CallVerdict {
  return lab.serviceWith({ policy }).verifyNow({ ...lab.call, identity, requestUri });
}

test('a request fails only if all its Identity headers fail', () => {
  expect(verdictOn([forged(), shaken()]).status).toBe('passed');
  expect(verdictOn([shaken(), forged()]).status).toBe('passed');
  expect(verdictOn([forged(), shaken({ origTn: '12025550142' })]).status).toBe('failed');
});

test('the attestation and signer of a request are those of the header that passed', () => {
  const verdict = verdictOn([forged({ attest: 'A' }), shaken({ attest: 'C', signer: other, x5u: OTHER })]);
  expect([verdict.attestation, verdict.signer?.spc, verdict.signer?.x5u]).toEqual(['C', '5678', OTHER]);
});

test('of two headers that pass the first one answers for the call', () => {
  const first = shaken({ attest: 'B' });
  const second = shaken({ attest: 'A', signer: other, x5u: OTHER });
  expect(verdictOn([first, second]).attestation).toBe('B');
  expect(verdictOn([second, first]).attestation).toBe('A');
});

test('each header that did not verify gets a Reason of its own, in the order of the request', () => {
  const headers = [forged(), unreachable(), shaken({ iatSeconds: 1 }), shaken({ x5u: OTHER })];
  const { reasonHeaders } = verdictOn(headers);
  expect(reasonHeaders.map((value) => /cause=(\d+)/.exec(value)?.[1])).toEqual(['438', '436', '403', '438']);
  expect(reasonHeaders.every((value, index) => value.includes(`ppi="${tokenOf(headers[index] ?? '')}"`))).toBe(true);
});

const BARE = 'STIR;cause=438;text="Invalid Identity Header"';
const withToken = (token: string): string => `${token};info=<${LAB_X5U}>;alg=ES256;ppt=shaken`;

test('policy has the ppi in compact form or not at all', () => {
  const bad = forged();
  const signature = tokenOf(bad).split('.')[2] ?? '';
  expect(verdictOn([bad], { ppi: 'compact' }).reasonHeaders).toEqual([`${BARE};ppi="..${signature}"`]);
  expect(verdictOn([bad], { ppi: 'none' }).reasonHeaders).toEqual([BARE]);
});

test('the Reasons of one response stay within 4 KiB, each with its cause, and long tokens leave room for the ppi of others', () => {
  const long = withToken(`${'A'.repeat(3_900)}.e30.AA`);
  const { reasonHeaders } = verdictOn(Array.from({ length: 16 }, () => long));
  expect(reasonHeaders).toEqual(Array.from({ length: 16 }, () => BARE));
  expect(reasonHeaders.join('').length).toBeLessThanOrEqual(MAX_REASON_CHARS);
  const junk = forged();
  expect(verdictOn([junk, long, long]).reasonHeaders).toEqual([`${BARE};ppi="${tokenOf(junk)}"`, BARE, BARE]);
});

test('one response holds the ppi of as many PASSporTs as fit, and of the first ones', () => {
  const headers = Array.from({ length: 16 }, () => forged());
  const { reasonHeaders } = verdictOn(headers);
  const named = reasonHeaders.filter((value) => value.includes(';ppi='));
  expect(named.length).toBeGreaterThanOrEqual(5);
  expect(named).toEqual(reasonHeaders.slice(0, named.length));
  expect(reasonHeaders.join('').length).toBeLessThanOrEqual(MAX_REASON_CHARS);
  expect(reasonHeaders.join('').length + (named[0]?.length ?? 0)).toBeGreaterThan(MAX_REASON_CHARS);
});

test.each(['a"b', 'a\r\nVia: x', 'a>b', 'a[b', 'é', ' '])(
  'a token such as %j is never repeated in a Reason',
  (token) => {
    expect(verdictOn([withToken(token)]).reasonHeaders).toEqual([BARE]);
  },
);

test('answers what is wrong with a PASSporT rather than 436 for one without info', () => {
  const verdict = verdictOn([shaken({ identityHeader: { info: 'absent' } }), shaken({ iatSeconds: 1 })]);
  expect([verdict.status, verdict.sipResponse?.status]).toEqual(['failed', 403]);
});

test('a request without Identity is undecided, with 428 for a policy that wants one', () => {
  for (const identity of [[], '', ',', ' , ,'] as const) {
    const { status, sipResponse, verstat } = verdictOn(identity);
    expect([status, sipResponse?.status, verstat]).toEqual(['indeterminate', 428, 'No-TN-Validation']);
  }
});

test('several headers in one field are one field each', () => {
  const verdict = verdictOn(`${forged()}, ${shaken()},`);
  expect(verdict.outcomes.map(({ status, index }) => [index, status])).toEqual([
    [0, 'failed'],
    [1, 'passed'],
  ]);
});

test('outcomes and evidence come in the order of the headers', () => {
  const headers = [shaken(), forged(), unreachable(), shaken({ ppt: 'tomorrow' }), 'junk'];
  for (let turn = 0; turn < headers.length; turn += 1) {
    const turned = [...headers.slice(turn), ...headers.slice(0, turn)];
    const verdict = verdictOn(turned);
    const expected = ['passed', 'failed', 'indeterminate', 'ignored', 'failed'];
    const statuses = [...expected.slice(turn), ...expected.slice(0, turn)];
    expect(verdict.outcomes.map(({ status }) => status)).toEqual(statuses);
    expect(verdict.evidence.passports.map(({ status, index }) => [index, status])).toEqual(
      statuses.map((status, index) => [index, status]),
    );
    expect(verdict.status).toBe('passed');
  }
});

test('no certificate is asked for twice, and none for a header that has failed already or is ignored', async () => {
  const asked: string[] = [];
  const { repository } = lab;
  const certificates = {
    ...repository,
    peek: (url: string) => {
      asked.push(url);
      return repository.peek(url);
    },
  };
  const identity = [shaken(), shaken(), shaken({ iatSeconds: 1, x5u: OTHER }), shaken({ ppt: 'tomorrow', x5u: DEAD })];
  await lab.serviceWith({ certificates }).verify({ ...lab.call, identity });
  expect(asked).toEqual([LAB_X5U]);
});

test.each<[string, readonly string[], object]>([
  ['two good headers passes', [shaken(), shaken()], { status: 'passed' }],
  ['an unknown type beside a good header passes', [shaken({ ppt: 'tomorrow' }), shaken()], { status: 'passed' }],
  ['a forged header fails', [shaken(), forged()], { status: 'failed', verstat: 'TN-Validation-Failed' }],
  [
    'a certificate that cannot be fetched is undecided',
    [shaken(), unreachable()],
    { status: 'indeterminate', verstat: 'No-TN-Validation' },
  ],
  [
    'a forged header and a certificate that cannot be fetched fails',
    [unreachable(), forged()],
    { status: 'failed', verstat: 'TN-Validation-Failed', sipResponse: { status: 438 } },
  ],
  [
    'a header past the limit fails',
    [...Array<string>(16).fill(shaken()), 'junk'],
    { status: 'failed', reasons: expect.arrayContaining(['too-many-identity-headers']) as unknown },
  ],
])('under worst-of-all a call with %s', (_name, headers, expected) => {
  expect(verdictOn(headers, { verstatPriority: 'worst-of-all' })).toMatchObject(expected);
});

test('under worst-of-all the PASSporT that speaks for the caller answers, wherever it stands', () => {
  const diverted = divertedCall(lab.faults, 2);
  const requestUri = `sip:+${diverted.targetTn}@terminating.example`;
  const headers = diverted.identityHeaders.toReversed();
  const verdict = verdictOn(headers, { verstatPriority: 'worst-of-all' }, requestUri);
  expect([verdict.status, verdict.attestation, verdict.evidence.seenCount]).toEqual(['passed', 'A', 1]);
});

test('of a chain that failed the finding decides, not what could not be checked', () => {
  const { destTn } = lab.faults;
  const identity = [shaken({ x5u: DEAD }), forged({ ppt: 'div', divTn: destTn, destTn: '13035550101' })];
  const verdict = verdictOn(identity, {}, 'sip:+13035550101@terminating.example');
  expect(verdict).toMatchObject({ status: 'failed', verstat: 'TN-Validation-Failed', sipResponse: { status: 438 } });
  expect(verdict.reasons[0]).toBe('signature-invalid');
});

test('a refused __proto__ leaves the prototype of objects alone', () => {
  for (const fault of ['proto-key-in-claims', 'proto-key-in-header', 'proto-key-in-orig'] as const) {
    verdictOn(PASSPORT_FAULTS[fault].build(lab.faults).identityHeader);
  }
  expect(Object.getOwnPropertyNames({})).toEqual([]);
  expect(({} as Record<string, unknown>)['attest']).toBeUndefined();
});

test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'])(
  'a claim called %s is an ordinary claim',
  (name) => {
    expect(verdictOn(shaken({ claims: { [name]: 'x' } })).status).toBe('passed');
  },
);

test('a missing claim is not found on the prototype of objects', () => {
  expect(verdictOn(shaken({ payloadText: '{"constructor":1}' })).reasons).toContain('claim-missing');
});

const padded = (length: number): string => {
  const header = shaken();
  return `${header};x=${'y'.repeat(length - header.length - 3)}`;
};

test('takes an Identity header of exactly 8 KiB and refuses one of a character more', () => {
  expect(verdictOn(padded(MAX_IDENTITY_HEADER_CHARS)).status).toBe('passed');
  expect(verdictOn(padded(MAX_IDENTITY_HEADER_CHARS + 1)).reasons).toEqual(['identity-header-too-long']);
});

test.each([
  ['one of a megabyte', () => padded(1_000_000)],
  ['a megabyte of semicolons', () => shaken() + ';'.repeat(1_000_000)],
  ['a megabyte of open brackets', () => `${shaken()};x=${'<'.repeat(1_000_000)}`],
  ['a megabyte of quotes', () => `${shaken()};x=${'"'.repeat(999_999)}`],
  ['a megabyte of commas', () => ','.repeat(1_000_000)],
  ['half a million empty values', () => ' ,'.repeat(500_000)],
  ['a comma bomb of junk headers', () => 'a;info=<b>,'.repeat(100_000)],
  ['a comma bomb of open quotes', () => '",<'.repeat(300_000)],
])('refuses %s within 50 ms', (_name, build) => {
  const identity = build();
  expect(verdictOn(identity).status).not.toBe('passed');
  // Or, on a machine on which nothing is done in that time, within what taking a megabyte of commas apart four times takes.
  const slowMs = 4 * leastMs(() => ','.repeat(1_000_000).split(','));
  expect(leastMs(() => verdictOn(identity))).toBeLessThan(Math.max(50, slowMs));
});

test('a good header behind a megabyte of junk in the same field is not lost', () => {
  expect(verdictOn(`${'x'.repeat(1_000_000)},${shaken()}`).status).toBe('passed');
});

test.each([
  ['as 1,000 header fields', (headers: readonly string[]) => headers],
  ['in one field', (headers: readonly string[]) => headers.join(',')],
])('looks at the first sixteen of 1,000 Identity headers that come %s', (_name, form) => {
  const bad = shaken({ signer: lab.faults.attacker });
  const identity = form(Array.from({ length: 1000 }, () => bad));
  const verdict = verdictOn(identity);
  expect(verdict.outcomes).toHaveLength(MAX_IDENTITY_HEADERS);
  expect(verdict.reasons).toEqual(['signature-invalid', 'too-many-identity-headers']);
  expect(leastMs(() => verdictOn(identity))).toBeLessThan(50);
});

test('the sixteenth Identity header still counts, the seventeenth does not', () => {
  const junk = Array.from({ length: MAX_IDENTITY_HEADERS - 1 }, () => 'junk');
  expect(verdictOn([...junk, shaken()]).status).toBe('passed');
  const verdict = verdictOn([...junk, 'junk', shaken()]);
  expect(verdict.status).toBe('failed');
  expect(verdict.reasons).toContain('too-many-identity-headers');
});

/** Number of the n-th diversion. */
const stop = (index: number): string => `1303555${String(index).padStart(4, '0')}`;

test('div PASSporTs that all link to each other are tried in bounded time', () => {
  const all = Array.from({ length: 15 }, (_, index) => stop(index));
  const divs = all.map((divTn) => shaken({ ppt: 'div', divTn, claims: { dest: { tn: all } } }));
  const identity = [shaken({ claims: { dest: { tn: all } } }), ...divs];
  const target = 'sip:+13039990000@terminating.example';
  expect(verdictOn(identity, {}, target).status).toBe('failed');
  expect(leastMs(() => verdictOn(identity, {}, target))).toBeLessThan(50);
});

test('div PASSporTs that list hundreds of numbers in odd spellings are compared in bounded time', () => {
  const tn = many(700, (index) => `+${100 + index}`);
  const divs = many(15, (index) => shaken({ ppt: 'div', divTn: `+${100 + index}`, claims: { dest: { tn } } }));
  const uri = many(500, () => 'sip:1@a');
  const uris = many(15, () => shaken({ ppt: 'div', divTn: '+1 (303) 555-0100', claims: { dest: { uri } } }));
  const target = 'sip:+13039990000@terminating.example';
  for (const chain of [divs, uris]) {
    const identity = [shaken({ claims: { dest: { tn } } }), ...chain];
    expect(verdictOn(identity, {}, target).status).toBe('failed');
    expect(leastMs(() => verdictOn(identity, {}, target))).toBeLessThan(50);
  }
});

test('a long chain is found among divs that branch and lead nowhere', () => {
  const way = many(7, (index) =>
    shaken({ ppt: 'div', divTn: index === 0 ? lab.faults.destTn : stop(index), destTn: stop(index + 1) }),
  );
  const dead = many(7, (index) => shaken({ ppt: 'div', divTn: stop(index), destTn: stop(index + 100) }));
  const identity = [...dead, ...way.toReversed(), shaken()];
  const verdict = verdictOn(identity, {}, `sip:+${stop(7)}@terminating.example`);
  expect([verdict.status, verdict.verstat]).toEqual(['passed', 'TN-Validation-Passed']);
});
