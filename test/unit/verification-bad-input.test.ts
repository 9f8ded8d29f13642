import { createPassport, PASSPORT_FAULTS } from '@hopback/sdk/testing';
import type { PassportFaultName, PassportOptions } from '@hopback/sdk/testing';
import { beforeAll, expect, test } from 'vitest';
import { MAX_IDENTITY_HEADERS } from '../../sdk/src/stir/verification/core.js';
import { MAX_IDENTITY_HEADER_CHARS } from '../../sdk/src/stir/identity-header.js';
import type { FailureReason } from '../../sdk/src/stir/verification/step.js';
import type { CallVerdict } from '../../sdk/src/stir/verification/outcome.js';
import type { VerificationRequest } from '../../sdk/src/stir/verification/request.js';
import { leastMs } from '../support/least-time.js';
import { createVerificationLab } from '../support/verification-lab.js';
import type { VerificationLab } from '../support/verification-lab.js';

let lab: VerificationLab;
let call: Omit<VerificationRequest, 'identity'>;

beforeAll(async () => {
  lab = await createVerificationLab();
  call = lab.call;
});

const right = (changes: Partial<PassportOptions> = {}): string =>
  createPassport({ signer: lab.provider, x5u: lab.x5u, ...changes }).identityHeader;

const verdictOn = (identity: string | readonly string[], more: Partial<VerificationRequest> = {}): CallVerdict =>
  lab.service.verifyNow({ ...call, identity, ...more });

/** The attacks that every verifier of JSON Web Signatures has to stand, and the shapes that implementations have tripped over. */
const ATTACKS: readonly (readonly [string, PassportFaultName, FailureReason])[] = [
  ['alg none', 'alg-none', 'alg-unsupported'],
  ['alg none without a signature', 'alg-none-empty-signature', 'alg-unsupported'],
  ['alg confusion with the public key as secret', 'alg-hs256-with-public-key', 'alg-unsupported'],
  ['alg confusion with the certificate as secret', 'alg-hs256-with-certificate', 'alg-unsupported'],
  ['an embedded key', 'jwk-embedded', 'signature-invalid'],
  ['an embedded certificate', 'x5c-embedded', 'signature-invalid'],
  ['an injected kid', 'kid-injected', 'signature-invalid'],
  ['an injected jku', 'jku-injected', 'signature-invalid'],
  ['crit', 'crit-unknown', 'critical-header-unsupported'],
  ['an empty crit', 'crit-empty', 'critical-header-unsupported'],
  ['b64 false', 'b64-false', 'critical-header-unsupported'],
  ['b64 false without crit', 'b64-false-without-crit', 'critical-header-unsupported'],
  ['a DER signature instead of a raw one', 'signature-der', 'signature-invalid'],
  ['a signature of zeros', 'signature-zero', 'signature-invalid'],
  ['iat as a string', 'iat-string', 'claim-malformed'],
  ['iat as a float', 'iat-float', 'claim-malformed'],
  ['a negative iat', 'iat-negative', 'claim-malformed'],
  ['an iat of 2^53', 'iat-2-to-the-53', 'claim-malformed'],
  ['an iat 61 s old', 'iat-61-s-old', 'iat-stale'],
  ['an iat 61 s ahead', 'iat-61-s-ahead', 'iat-in-future'],
  ['a header ppt that differs from the parameter', 'header-ppt-differs', 'ppt-mismatch'],
  ['a parameter ppt that differs from the header', 'parameter-ppt-differs', 'ppt-mismatch'],
  ['an info that differs from x5u', 'info-differs-from-x5u', 'x5u-info-mismatch'],
  ['no semicolon', 'no-semicolon', 'info-missing'],
  ['orig as a string', 'orig-string', 'claim-malformed'],
  ['dest as a string', 'dest-string', 'claim-malformed'],
  ['__proto__ among the claims', 'proto-key-in-claims', 'json-forbidden-key'],
  ['__proto__ in the header', 'proto-key-in-header', 'json-forbidden-key'],
  ['__proto__ in orig', 'proto-key-in-orig', 'json-forbidden-key'],
  ['JSON nested 1,500 deep', 'json-deep', 'json-too-deep'],
  ['JSON nested 10,000 deep', 'json-deep-10000', 'identity-header-too-long'],
];

test.each(ATTACKS)('refuses %s', (_name, fault, reason) => {
  const verdict = verdictOn(PASSPORT_FAULTS[fault].build(lab.faults).identityHeader);
  expect(verdict.status).toBe('failed');
  expect(verdict.reasons).toContain(reason);
});

test('a refused __proto__ leaves the prototype of objects alone', () => {
  for (const fault of ['proto-key-in-claims', 'proto-key-in-header', 'proto-key-in-orig'] as const) {
    verdictOn(PASSPORT_FAULTS[fault].build(lab.faults).identityHeader);
  }
  expect(Object.getOwnPropertyNames({})).toEqual([]);
  expect(({} as Record<string, unknown>)['attest']).toBeUndefined();
});

test.each(['constructor', 'toString', 'hasOwnProperty', 'valueOf', '__defineGetter__'])(
  'a claim called %s is one like any other',
  (name) => {
    expect(verdictOn(right({ claims: { [name]: 'x' } })).status).toBe('passed');
  },
);

test('a missing claim is not found on the prototype of objects', () => {
  const verdict = verdictOn(right({ payloadText: '{"constructor":1}' }));
  expect(verdict.outcomes[0]).toMatchObject({
    failures: expect.arrayContaining([{ reason: 'claim-missing' }].map((failure) => expect.objectContaining(failure))),
  });
});

test('an iat that is just fresh passes in either direction', () => {
  const now = lab.faults.nowSeconds;
  expect(verdictOn(right({ iatSeconds: now - 60 })).status).toBe('passed');
  expect(verdictOn(right({ iatSeconds: now + 60 })).status).toBe('passed');
});

const padded = (length: number): string => {
  const header = right();
  return `${header};x=${'y'.repeat(length - header.length - 3)}`;
};

test('takes an Identity header of exactly 8 KiB and refuses one of a character more', () => {
  expect(verdictOn(padded(MAX_IDENTITY_HEADER_CHARS)).status).toBe('passed');
  expect(verdictOn(padded(MAX_IDENTITY_HEADER_CHARS + 1)).reasons).toEqual(['identity-header-too-long']);
});

test.each([
  ['one of a megabyte', () => padded(1_000_000)],
  ['a megabyte of semicolons', () => right() + ';'.repeat(1_000_000)],
  ['a megabyte of open brackets', () => `${right()};x=${'<'.repeat(1_000_000)}`],
  ['a megabyte of quotes', () => `${right()};x=${'"'.repeat(999_999)}`],
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
  expect(verdictOn(`${'x'.repeat(1_000_000)},${right()}`).status).toBe('passed');
});

test.each([
  ['as 1,000 header fields', (headers: readonly string[]) => headers],
  ['in one field', (headers: readonly string[]) => headers.join(',')],
])('looks at the first sixteen of 1,000 Identity headers that come %s', (_name, form) => {
  const bad = right({ signer: lab.faults.attacker });
  const identity = form(Array.from({ length: 1000 }, () => bad));
  const verdict = verdictOn(identity);
  expect(verdict.outcomes).toHaveLength(MAX_IDENTITY_HEADERS);
  expect(verdict.reasons).toEqual(['signature-invalid', 'too-many-identity-headers']);
  expect(leastMs(() => verdictOn(identity))).toBeLessThan(50);
});

test('the sixteenth Identity header still counts, the seventeenth does not', () => {
  const junk = Array.from({ length: MAX_IDENTITY_HEADERS - 1 }, () => 'junk');
  expect(verdictOn([...junk, right()]).status).toBe('passed');
  const verdict = verdictOn([...junk, 'junk', right()]);
  expect(verdict.status).toBe('failed');
  expect(verdict.reasons).toContain('too-many-identity-headers');
});

/** Number of the n-th diversion. */
const stop = (index: number): string => `1303555${String(index).padStart(4, '0')}`;

test('div PASSporTs that all link to each other are tried in bounded time', () => {
  const all = Array.from({ length: 15 }, (_, index) => stop(index));
  const divs = all.map((divTn) => right({ ppt: 'div', divTn, claims: { dest: { tn: all } } }));
  const identity = [right({ claims: { dest: { tn: all } } }), ...divs];
  const request = { requestUri: 'sip:+13039990000@terminating.example' };
  expect(verdictOn(identity, request).status).toBe('failed');
  expect(leastMs(() => verdictOn(identity, request))).toBeLessThan(50);
});

test('div PASSporTs that list hundreds of numbers in odd spellings are compared in bounded time', () => {
  const tn = Array.from({ length: 700 }, (_, index) => `+${100 + index}`);
  const divs = Array.from({ length: 15 }, (_, index) =>
    right({ ppt: 'div', divTn: `+${100 + index}`, claims: { dest: { tn } } }),
  );
  const uris = Array.from({ length: 15 }, () =>
    right({
      ppt: 'div',
      divTn: '+1 (303) 555-0100',
      claims: { dest: { uri: Array.from({ length: 500 }, () => 'sip:1@a') } },
    }),
  );
  const request = { requestUri: 'sip:+13039990000@terminating.example' };
  for (const chain of [divs, uris]) {
    const identity = [right({ claims: { dest: { tn } } }), ...chain];
    expect(verdictOn(identity, request).status).toBe('failed');
    expect(leastMs(() => verdictOn(identity, request))).toBeLessThan(50);
  }
});

test('a long chain is found among divs that branch and lead nowhere', () => {
  const way = Array.from({ length: 7 }, (_, index) =>
    right({ ppt: 'div', divTn: index === 0 ? lab.faults.destTn : stop(index), destTn: stop(index + 1) }),
  );
  const dead = Array.from({ length: 7 }, (_, index) =>
    right({ ppt: 'div', divTn: stop(index), destTn: stop(index + 100) }),
  );
  const identity = [...dead, ...way.toReversed(), right()];
  const verdict = verdictOn(identity, { requestUri: `sip:+${stop(7)}@terminating.example` });
  expect([verdict.status, verdict.verstat]).toEqual(['passed', 'TN-Validation-Passed']);
});
