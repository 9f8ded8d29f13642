import { createPassport, TEST_DEST_TN, TEST_ORIG_TN } from '@hopback/sdk/testing';
import type { PassportOptions } from '@hopback/sdk/testing';
import { beforeAll, expect, test } from 'vitest';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import type { VerificationPolicy } from '../../sdk/src/stir/verification/policy.js';
import { formatSipDate } from '../../sdk/src/stir/verification/request.js';
import { createVerificationLab } from '../support/verification-lab.js';
import type { VerificationLab } from '../support/verification-lab.js';

// A call from A to B (shaken), diverted from B to C, from C to D and so on (div each). The request is headed for the last one.

const DIVERTING_X5U = 'https://certs.diverting.example/shaken.pem';
const A = TEST_ORIG_TN;
const B = TEST_DEST_TN;
const [C, D, E, F, G] = ['13035550103', '13035550104', '13035550105', '13035550106', '13035550107'] as const;
const HOPS = [B, C, D, E, F, G] as const;

let lab: VerificationLab;
let diverting: { readonly signer: PassportOptions['signer']; readonly x5u: string };

beforeAll(async () => {
  lab = await createVerificationLab();
  const signer = lab.pki.issueServiceProvider({ spc: '5678' });
  lab.repository.put(DIVERTING_X5U, signer.chainPem);
  diverting = { signer, x5u: DIVERTING_X5U };
});

type Changes = Partial<PassportOptions>;
const shaken = (changes: Changes = {}): string =>
  createPassport({ signer: lab.provider, x5u: lab.x5u, origTn: A, destTn: B, ...changes }).identityHeader;
const div = (from: string, to: string, changes: Changes = {}): string =>
  createPassport({ ...diverting, ppt: 'div', origTn: A, divTn: from, destTn: to, ...changes }).identityHeader;
const forgedDiv = (from: string, to: string): string => div(from, to, { signer: lab.faults.attacker });
const forgedShaken = (changes: Changes = {}): string => shaken({ ...changes, signer: lab.faults.attacker });
const divs = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => div(HOPS[index] ?? '', HOPS[index + 1] ?? ''));
const secondsAgo = (age: number): Changes => ({ iatSeconds: lab.faults.nowSeconds - age });

interface Case {
  readonly headers: () => readonly string[];
  readonly target: string;
  /** Status, then reasons. */
  readonly expected: readonly string[];
  /** Status of each header. */
  readonly each?: readonly string[];
  readonly policy?: Partial<VerificationPolicy>;
  readonly date?: () => string;
  readonly verstat?: CallVerdict['verstat'];
}

const PASSED = ['passed'];
const NO_DIV = ['failed', 'retarget-without-div'];

const CASES: Readonly<Record<string, Case>> = {
  'a call diverted once': { headers: () => [shaken(), ...divs(1)], target: C, expected: PASSED },
  'a call diverted five times': { headers: () => [shaken(), ...divs(5)], target: G, expected: PASSED },
  'a chain with its headers in reverse': {
    headers: () => [shaken(), ...divs(4)].toReversed(),
    target: F,
    expected: PASSED,
  },
  'a chain with its headers shuffled': {
    headers: () => [div(D, E), div(B, C), shaken(), div(C, D)],
    target: E,
    expected: PASSED,
  },
  'no div for a retargeted call': { headers: () => [shaken()], target: C, expected: NO_DIV },
  'a link missing in the middle': {
    headers: () => [shaken(), div(B, C), div(D, E)],
    target: E,
    expected: [...NO_DIV, 'div-target-mismatch', 'div-chain-broken'],
    each: ['failed', 'failed', 'failed'],
  },
  'the first link missing': {
    headers: () => [shaken(), div(C, D)],
    target: D,
    expected: [...NO_DIV, 'div-chain-broken'],
  },
  'the outermost missing': {
    headers: () => [shaken(), div(B, C)],
    target: D,
    expected: [...NO_DIV, 'div-target-mismatch'],
  },
  'another caller in the outermost div': {
    headers: () => [shaken(), div(B, C, { origTn: '12025550142' })],
    target: C,
    expected: [...NO_DIV, 'orig-mismatch', 'div-chain-broken'],
  },
  'another caller in a div in the middle': {
    headers: () => [shaken(), div(B, C, { origTn: '12025550142' }), div(C, D)],
    target: D,
    expected: [...NO_DIV, 'orig-mismatch', 'div-target-mismatch', 'div-chain-broken'],
  },
  'a div that points back at itself': {
    headers: () => [shaken(), div(B, C), div(C, C)],
    target: C,
    expected: [...PASSED, 'div-chain-broken'],
    each: ['passed', 'passed', 'failed'],
  },
  'a loop that never reaches the target': {
    headers: () => [shaken(), div(B, C), div(C, B)],
    target: D,
    expected: [...NO_DIV, 'div-target-mismatch'],
  },
  'a loop beside a chain that does': {
    headers: () => [shaken(), div(C, B), div(B, C), div(C, D)],
    target: D,
    expected: PASSED,
  },
  'a call that comes back to its first callee': {
    headers: () => [shaken(), div(B, C), div(C, B)],
    target: B,
    expected: PASSED,
  },
  'a call that comes back, where a div of the loop is forged: the callee is the one that was signed for': {
    headers: () => [shaken(), forgedDiv(B, C), div(C, B)],
    target: B,
    expected: ['passed', 'signature-invalid'],
  },
  'a forged div in the middle': {
    headers: () => [shaken(), forgedDiv(B, C), div(C, D)],
    target: D,
    expected: ['failed', 'signature-invalid'],
    each: ['passed', 'failed', 'passed'],
    verstat: 'TN-Validation-Failed',
  },
  'a forged outermost div': {
    headers: () => [shaken(), div(B, C), forgedDiv(C, D)],
    target: D,
    expected: ['failed', 'signature-invalid'],
    verstat: 'TN-Validation-Failed',
  },
  'a forged shaken under good divs': {
    headers: () => [forgedShaken(), div(B, C)],
    target: C,
    expected: ['failed', 'signature-invalid'],
    verstat: 'TN-Validation-Failed',
  },
  'a forged div before its good double': {
    headers: () => [shaken(), forgedDiv(B, C), div(B, C)],
    target: C,
    expected: ['passed', 'signature-invalid'],
    each: ['passed', 'failed', 'passed'],
  },
  'a forged div behind its good double': {
    headers: () => [shaken(), div(B, C), forgedDiv(B, C)],
    target: C,
    expected: ['passed', 'signature-invalid'],
  },
  'a forged short cut beside the long way': {
    headers: () => [shaken(), forgedDiv(B, E), ...divs(3)],
    target: E,
    expected: ['passed', 'signature-invalid'],
    each: ['passed', 'failed', 'passed', 'passed', 'passed'],
  },
  'a stale short cut beside the long way': {
    headers: () => [shaken(), div(B, E, secondsAgo(61)), ...divs(3)],
    target: E,
    expected: ['passed', 'iat-stale'],
  },
  'a div of a call of its own beside a direct call': {
    headers: () => [shaken(), div(E, F)],
    target: B,
    expected: ['passed', 'div-target-mismatch'],
    each: ['passed', 'failed'],
  },
  'two callers above each other, one div for both': {
    headers: () => [shaken({ attest: 'C' }), shaken({ attest: 'A' }), div(B, C)],
    target: C,
    expected: PASSED,
    each: ['passed', 'passed', 'passed'],
  },
  'two callers sharing a div, the first one forged': {
    headers: () => [forgedShaken(), shaken(), div(B, C)],
    target: C,
    expected: ['passed', 'signature-invalid'],
    each: ['failed', 'passed', 'passed'],
  },
  'two callers with one chain each': {
    headers: () => [shaken(), shaken({ destTn: E }), div(B, C), div(E, C)],
    target: C,
    expected: PASSED,
  },
  'two callers, where only the chain of the second one is good': {
    headers: () => [shaken(), shaken({ destTn: E, attest: 'C' }), forgedDiv(B, C), div(E, C)],
    target: C,
    expected: ['passed', 'signature-invalid'],
    each: ['passed', 'passed', 'failed', 'passed'],
  },
  'an inner iat that is not fresh': {
    headers: () => [shaken(secondsAgo(120)), div(B, C, secondsAgo(100)), div(C, D)],
    target: D,
    expected: PASSED,
  },
  'an inner iat that is not fresh, and the Date with it': {
    headers: () => [shaken(secondsAgo(120)), div(B, C)],
    date: () => formatSipDate(lab.faults.nowSeconds - 120),
    target: C,
    expected: PASSED,
  },
  'an inner iat that is not fresh where policy requires it': {
    headers: () => [shaken(secondsAgo(120)), div(B, C)],
    target: C,
    policy: { innerFreshness: 'require' },
    expected: ['failed', 'iat-stale'],
  },
  'an inner iat ahead of time': {
    headers: () => [shaken(secondsAgo(-120)), div(B, C)],
    target: C,
    expected: ['failed', 'iat-in-future'],
  },
  'an outermost iat that is not fresh': {
    headers: () => [shaken(), div(B, C), div(C, D, secondsAgo(61))],
    target: D,
    expected: ['failed', 'iat-stale'],
  },
  'an old iat on a caller without a div above it': {
    headers: () => [shaken(secondsAgo(61)), div(E, F)],
    target: B,
    expected: ['failed', 'iat-stale', 'div-target-mismatch'],
  },
  'numbers written in several ways': {
    headers: () => [shaken(), div('+1 (202) 555-0199', '+1-303-555-0103'), div(C, D, { origTn: '+1.202.555.0101' })],
    target: D,
    expected: PASSED,
  },
  'a foreign diverting number of ten digits': {
    headers: () => [shaken({ destTn: '4930123456' }), div('4930123456', C)],
    target: C,
    expected: PASSED,
  },
  'a div that lists several callees': {
    headers: () => [shaken(), div(B, C, { claims: { dest: { tn: [E, C] } } }), div(E, F)],
    target: F,
    expected: PASSED,
  },
  'a div from a certificate that cannot be had': {
    headers: () => [shaken(), div(B, C, { x5u: 'https://certs.dead.example/div.pem' })],
    target: C,
    expected: ['indeterminate', 'x5u-unreachable'],
    verstat: 'No-TN-Validation',
  },
  'a div alone': { headers: () => [div(B, C)], target: C, expected: ['failed', 'div-chain-broken'] },
  'a div under another kind of PASSporT that is not known': {
    headers: () => [shaken({ ppt: 'tomorrow' }), div(B, C)],
    target: C,
    expected: ['failed', 'div-chain-broken'],
  },
};

function verdictOn({ headers, target, policy, date }: Case): CallVerdict {
  return lab.serviceWith({ policy: policy ?? {} }).verifyNow({
    identity: headers(),
    from: `<sip:+${A}@originating.example>;tag=1`,
    to: `<sip:+${B}@terminating.example>`,
    requestUri: `sip:+${target}@terminating.example`,
    ...(date === undefined ? {} : { date: date() }),
  });
}

test.each(Object.keys(CASES))('div chain: %s', (name) => {
  const chosen = CASES[name] as Case;
  const verdict = verdictOn(chosen);
  expect([verdict.status, ...verdict.reasons]).toEqual(chosen.expected);
  if (chosen.each !== undefined) expect(verdict.outcomes.map(({ status }) => status)).toEqual(chosen.each);
  if (chosen.verstat !== undefined) expect(verdict.verstat).toBe(chosen.verstat);
  if (verdict.status === 'passed')
    expect([verdict.verstat, verdict.signer?.spc]).toEqual(['TN-Validation-Passed', '1234']);
});

/** All orders of up to four things. */
function orders<T>(items: readonly T[]): readonly (readonly T[])[] {
  if (items.length < 2) return [items];
  return items.flatMap((item, index) => orders(items.toSpliced(index, 1)).map((rest) => [item, ...rest]));
}

test('the order of the headers changes neither status nor attestation', () => {
  const sets: readonly (readonly [string, readonly string[]])[] = [
    [E, [shaken({ attest: 'B' }), ...divs(3)]],
    [C, [forgedShaken(), shaken({ attest: 'B' }), div(B, C), forgedDiv(B, C)]],
    [D, [shaken(), div(B, C), forgedDiv(C, D)]],
  ];
  for (const [target, headers] of sets) {
    const answers = orders(headers).map((order) => {
      const { status, attestation } = verdictOn({ headers: () => order, target, expected: [] });
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
  for (const headers of orders([caught, forgedDiv(B, C), own, div(E, C)])) {
    const verdict = verdictOn({ headers: () => headers, target: C, expected: [] });
    expect([verdict.status, verdict.attestation, verdict.origId, verdict.signer?.spc]).toEqual([
      'passed',
      'C',
      'own',
      '5678',
    ]);
  }
});

test('a div needs authority over the number that it diverts from, not over the caller', () => {
  const parent = lab.pki.issueServiceProvider({ spc: '9999', canDelegate: true, issuer: lab.pki.issueCa() });
  const certificateFor = (tn: string): Pick<PassportOptions, 'signer' | 'x5u'> => {
    const signer = lab.pki.issueDelegate({ parent, tnAuthList: [{ kind: 'one', tn }] });
    const x5u = `https://certs.delegate.example/${tn}.pem`;
    lab.repository.put(x5u, signer.chainPem);
    return { signer, x5u };
  };
  const told = (tn: string): readonly string[] => {
    const { status, reasons } = verdictOn({
      headers: () => [shaken(), div(B, C, certificateFor(tn))],
      target: C,
      expected: [],
    });
    return [status, ...reasons];
  };
  expect(told(B)).toEqual(['passed']);
  expect(told(A)).toEqual(['failed', 'tn-not-authorized']);
  expect(told(C)).toEqual(['failed', 'tn-not-authorized']);
});
