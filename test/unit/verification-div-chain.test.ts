import { createPassport, TEST_DEST_TN, TEST_ORIG_TN, type PassportOptions } from '@hopback/sdk/testing';
import { expect, test } from 'vitest';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import type { VerificationPolicy } from '../../sdk/src/stir/verification/policy.js';
import { createVerificationLab } from '../support/verification-lab.js';

// A call from A to B (shaken), diverted from B to C, from C to D and so on (div each). The request is headed for the last one.

const A = TEST_ORIG_TN;
const B = TEST_DEST_TN;
const [C, D, E, F] = ['13035550103', '13035550104', '13035550105', '13035550106'] as const;

const lab = await createVerificationLab();
const diverting = {
  signer: lab.pki.issueServiceProvider({ spc: '5678' }),
  x5u: 'https://certs.diverting.example/shaken.pem',
};
lab.repository.put(diverting.x5u, diverting.signer.chainPem);

type Changes = Partial<PassportOptions>;
const shaken = (changes: Changes = {}): string =>
  createPassport({ signer: lab.provider, x5u: lab.x5u, origTn: A, destTn: B, ...changes }).identityHeader;
const div = (from: string, to: string, changes: Changes = {}): string =>
  createPassport({ ...diverting, ppt: 'div', origTn: A, divTn: from, destTn: to, ...changes }).identityHeader;
const secondsAgo = (age: number): Changes => ({ iatSeconds: lab.faults.nowSeconds - age });

/** Headers in short: `A>B` is the shaken, `B>C` a div, and `!` means forged. */
function written(headers: string): readonly string[] {
  return headers.split(' ').map((header) => {
    const changes = header.startsWith('!') ? { signer: lab.faults.attacker } : {};
    const [from = '', to = ''] = header.replace('!', '').split('>');
    return from === 'A' ? shaken({ destTn: tn(to), ...changes }) : div(tn(from), tn(to), changes);
  });
}

const NUMBERS: Readonly<Record<string, string>> = { B, C, D, E, F };
const tn = (name: string): string => NUMBERS[name] ?? '';
const NO_DIV = 'failed retarget-without-div';

/** Headers, target, status with reasons, and behind a colon the status of each header. */
type Row = [string, string | (() => readonly string[]), target: string, expected: string];

const CASES: readonly Row[] = [
  ['a link missing in the middle', 'A>B B>C D>E', E, `${NO_DIV} div-target-mismatch div-chain-broken`],
  [
    'another caller in a div in the middle',
    () => [shaken(), div(B, C, { origTn: '12025550142' }), div(C, D)],
    D,
    `${NO_DIV} orig-mismatch div-target-mismatch div-chain-broken`,
  ],
  ['a div that points back at itself', 'A>B B>C C>C', C, 'passed div-chain-broken: passed passed failed'],
  ['a loop that never reaches the target', 'A>B B>C C>B', D, `${NO_DIV} div-target-mismatch`],
  ['a call that comes back to the signed callee over a forged div', 'A>B !B>C C>B', B, 'passed signature-invalid'],
  ['a forged div in the middle', 'A>B !B>C C>D', D, 'failed signature-invalid: passed failed passed'],
  ['a forged shaken under good divs', '!A>B B>C', C, 'failed signature-invalid'],
  ['a forged div before its good double', 'A>B !B>C B>C', C, 'passed signature-invalid: passed failed passed'],
  [
    'a forged short cut beside the long way',
    'A>B !B>E B>C C>D D>E',
    E,
    'passed signature-invalid: passed failed passed passed passed',
  ],
  [
    'a stale short cut beside the long way',
    () => [...written('A>B B>C C>D D>E'), div(B, E, secondsAgo(61))],
    E,
    'passed iat-stale',
  ],
  ['a div of another call beside a direct call', 'A>B E>F', B, 'passed div-target-mismatch: passed failed'],
  ['two callers above each other, one div for both', 'A>B A>B B>C', C, 'passed: passed passed passed'],
  ['two callers sharing a div, the first forged', '!A>B A>B B>C', C, 'passed signature-invalid: failed passed passed'],
  [
    'two callers, where only the chain of the second is good',
    'A>B A>E !B>C E>C',
    C,
    'passed signature-invalid: passed passed failed passed',
  ],
  ['an inner iat ahead of time', () => [shaken(secondsAgo(-120)), div(B, C)], C, 'failed iat-in-future'],
  [
    'an old iat on a caller without a div above it',
    () => [shaken(secondsAgo(61)), div(E, F)],
    B,
    'failed iat-stale div-target-mismatch',
  ],
  [
    'numbers written in several ways',
    () => [shaken(), div('+1 (202) 555-0199', '+1-303-555-0103'), div(C, D, { origTn: '+1.202.555.0101' })],
    D,
    'passed',
  ],
  [
    'a foreign diverting number of ten digits',
    () => [shaken({ destTn: '4930123456' }), div('4930123456', C)],
    C,
    'passed',
  ],
  [
    'a div that lists several callees',
    () => [shaken(), div(B, C, { claims: { dest: { tn: [E, C] } } }), div(E, F)],
    F,
    'passed',
  ],
  [
    'a div whose certificate cannot be fetched',
    () => [shaken(), div(B, C, { x5u: 'https://certs.dead.example/div.pem' })],
    C,
    'indeterminate x5u-unreachable',
  ],
  ['a div alone', 'B>C', C, 'failed div-chain-broken'],
  ['a div under an unknown type', () => [shaken({ ppt: 'tomorrow' }), div(B, C)], C, 'failed div-chain-broken'],
];

function verdictOn(identity: readonly string[], target: string, policy: Partial<VerificationPolicy> = {}): CallVerdict {
  return lab.serviceWith({ policy }).verifyNow({
    identity,
    from: `<sip:+${A}@originating.example>;tag=1`,
    to: `<sip:+${B}@terminating.example>`,
    requestUri: `sip:+${target}@terminating.example`,
  });
}

test.each(CASES)('div chain: %s', (_name, headers, target, result) => {
  const [expected, each] = result.split(': ');
  const verdict = verdictOn(typeof headers === 'string' ? written(headers) : headers(), target);
  expect([verdict.status, ...verdict.reasons].join(' ')).toBe(expected);
  if (each !== undefined) expect(verdict.outcomes.map(({ status }) => status).join(' ')).toBe(each);
  if (verdict.status === 'passed')
    expect([verdict.verstat, verdict.signer?.spc]).toEqual(['TN-Validation-Passed', '1234']);
  if (expected === 'failed signature-invalid') expect(verdict.verstat).toBe('TN-Validation-Failed');
  if (verdict.status === 'indeterminate') expect(verdict.verstat).toBe('No-TN-Validation');
});

test.each([
  ['a forged div, for a year', 300 * 86_400, written('!B>B')],
  ['a forged div that diverts another number', 300, written('!C>B')],
  ['a div from a number to itself', 300, written('B>B')],
  ['numbers that divert to each other in a circle', 300, [div(B, C, secondsAgo(300)), div(C, B)]],
])('a stale PASSporT gets no new date from %s', (_name, age, divs) => {
  const { status, reasons } = verdictOn([shaken(secondsAgo(age)), ...divs], B);
  expect(status).toBe('failed');
  expect(reasons).toContain('iat-stale');
});

test('an inner iat that is not fresh fails where policy requires it', () => {
  const { status, reasons } = verdictOn([shaken(secondsAgo(120)), div(B, C)], C, { innerFreshness: 'require' });
  expect([status, reasons]).toEqual(['failed', ['iat-stale']]);
});

/** All orders of up to four things. */
function orders<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) => orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}

test('the order of the headers changes neither status nor attestation', () => {
  const sets: readonly (readonly [string, readonly string[]])[] = [
    [E, [shaken({ attest: 'B' }), ...written('B>C C>D D>E')]],
    [C, [shaken({ attest: 'B' }), ...written('!A>B B>C !B>C')]],
    [D, written('A>B B>C !C>D')],
  ];
  for (const [target, headers] of sets) {
    const answers = orders(headers).map((order) => {
      const { status, attestation } = verdictOn(order, target);
      return `${status} ${attestation ?? ''}`;
    });
    expect(new Set(answers).size).toBe(1);
  }
});

/**
 * Cut and paste: a PASSporT of the victim's provider for a call to B, caught there, a forged div that leads it to the target,
 * and a chain of the attacker's own that is good and attests C.
 */
test('a caught PASSporT does not pass on the strength of another chain', () => {
  const caught = shaken({ attest: 'A', origId: 'caught' });
  const own = createPassport({ ...diverting, origTn: A, destTn: E, attest: 'C', origId: 'own' }).identityHeader;
  for (const headers of orders([caught, own, ...written('!B>C E>C')])) {
    const verdict = verdictOn(headers, C);
    expect(verdict).toMatchObject({ status: 'passed', attestation: 'C', origId: 'own', signer: { spc: '5678' } });
  }
});

test('a div needs authority over the number that it diverts from, not over the caller', () => {
  const parent = lab.pki.issueServiceProvider({ spc: '9999', canDelegate: true, issuer: lab.pki.issueCa() });
  const certificateFor = (number: string): Pick<PassportOptions, 'signer' | 'x5u'> => {
    const signer = lab.pki.issueDelegate({ parent, tnAuthList: [{ kind: 'one', tn: number }] });
    const x5u = `https://certs.delegate.example/${number}.pem`;
    lab.repository.put(x5u, signer.chainPem);
    return { signer, x5u };
  };
  const outcomeOf = (number: string): string => {
    const { status, reasons } = verdictOn([shaken(), div(B, C, certificateFor(number))], C);
    return [status, ...reasons].join(' ');
  };
  expect([B, A, C].map(outcomeOf)).toEqual(['passed', 'failed tn-not-authorized', 'failed tn-not-authorized']);
});
