import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import * as fc from 'fast-check';
import { createPassport, PASSPORT_FAULTS } from '@hopback/sdk/testing';
import { divertedCall } from '../../sdk/src/testing/passport.js';
import { PASSPORT_FAULT_NAMES } from '../../sdk/src/testing/passport-faults/passport-faults.js';
import { beforeAll, expect, test } from 'vitest';
import { MUTATION_KINDS, mutate, type Mutation } from '../support/identity-mutations.js';
import { createVerificationLab, type VerificationLab } from '../support/verification-lab.js';
import { forAll, forAllAsync } from '../support/for-all.js';

// HOPBACK_FUZZ_RUNS=200000 runs more of them, HOPBACK_FUZZ_SEED=n runs the same ones again (the seed is in the line that each
// run prints, and fast-check names seed and path where something fails).
const RUNS = Number(process.env['HOPBACK_FUZZ_RUNS'] ?? 20_000);
const SEED = Number(process.env['HOPBACK_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
const TIMEOUT_MS = 60_000 + RUNS * 5;

let lab: VerificationLab;
let corpus: readonly string[];
let oracle: Oracle;

beforeAll(async () => {
  lab = await createVerificationLab();
  const right = Array.from({ length: 3 }, () => createPassport({ signer: lab.provider, x5u: lab.x5u }));
  const divs = divertedCall(lab.faults, 3).identityHeaders.slice(1);
  const faults = PASSPORT_FAULT_NAMES.map((name) => PASSPORT_FAULTS[name].build(lab.faults).identityHeader);
  const accepted = PASSPORT_FAULT_NAMES.filter((name) => PASSPORT_FAULTS[name].acceptedBy.includes('shaken'));
  const odd = accepted.map((name) => PASSPORT_FAULTS[name].build(lab.faults).identityHeader);
  // Right headers come up as often as all others together: what is nearly right goes deepest.
  const others = [...divs, ...faults];
  corpus = [...others, ...Array.from({ length: others.length }, (_, index) => right[index % 3]?.identityHeader ?? '')];
  const inputs = [...right.map(({ token }) => token), ...odd].map((header) => inputOf(header));
  oracle = { publicKey: createPublicKey(lab.provider.publicKeyPem), x5u: lab.x5u, inputs: new Set(inputs) };
});

/** What may pass, written down without any code of the verifier: the signing inputs that the provider signed for this very call. */
interface Oracle {
  readonly inputs: ReadonlySet<string>;
  readonly publicKey: KeyObject;
  readonly x5u: string;
}

const inputOf = (header: string): string => header.split(';', 1)[0]?.split('.').slice(0, 2).join('.') ?? '';

/** Whether the text has, somewhere, a token with such an input and a signature that verifies, and the right URL and type. */
function mayPass(text: string, { inputs, publicKey, x5u }: Oracle): boolean {
  const hasParameters = /info\s*=\s*</i.test(text) && text.includes(`<${x5u}>`) && /ppt\s*=\s*"?s?/i.test(text);
  return hasParameters && [...inputs].some((input) => hasSigned(text, input, publicKey));
}

function hasSigned(text: string, input: string, publicKey: KeyObject): boolean {
  for (let at = text.indexOf(input); at >= 0; at = text.indexOf(input, at + 1)) {
    const rest = text.slice(at + input.length);
    const segment = /^\.([A-Za-z0-9_-]{86})(?![A-Za-z0-9_.-])/.exec(rest)?.[1];
    const signature = Buffer.from(segment ?? '', 'base64url');
    const isStrict = signature.toString('base64url') === segment;
    const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const;
    if (isStrict && verify('sha256', Buffer.from(input), key, signature)) return true;
  }
  return false;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom(...MUTATION_KINDS),
  at: fc.nat(),
  how: fc.nat(),
});
const mutants = fc.tuple(fc.nat(), fc.array(mutation, { minLength: 1, maxLength: 4, size: 'max' }));

function mutantOf([index, mutations]: readonly [number, readonly Mutation[]]): string {
  const context = { others: corpus, attackerKey: lab.faults.attacker.key.privateKey };
  return mutate(corpus[index % corpus.length] ?? '', mutations, context);
}

test(
  `${RUNS} mutated Identity headers: nothing is thrown, and nothing passes that was not signed`,
  () => {
    const counts = { passed: 0, failed: 0, indeterminate: 0 };
    const start = performance.now();
    forAll([mutants], { numRuns: RUNS, seed: SEED }, (mutant) => {
      const identity = mutantOf(mutant);
      const verdict = lab.service.verifyNow({ ...lab.call, identity });
      counts[verdict.status] += 1;
      if (verdict.status === 'passed' && !mayPass(identity, oracle)) throw new Error(`passed: ${identity}`);
    });
    const seconds = (performance.now() - start) / 1000;
    process.stdout.write(
      `verification fuzz: ${RUNS} headers, seed ${SEED}, ${Math.round(RUNS / seconds)}/s, ` +
        `${counts.passed} passed rightly, ${counts.failed} failed, ${counts.indeterminate} indeterminate\n`,
    );
    // A verifier that refuses everything would do well above; parameters respelled and twin signatures must still pass.
    expect(counts.passed).toBeGreaterThan(RUNS / 200);
  },
  TIMEOUT_MS,
);

test('of the headers that mutations start from, only those pass that the oracle lets pass, the right ones among them', () => {
  const passing = [...new Set(corpus)].filter((header) => {
    const { status } = lab.service.verifyNow({ ...lab.call, identity: header });
    return status === 'passed';
  });
  expect(passing.filter((header) => !mayPass(header, oracle))).toEqual([]);
  expect(passing).toEqual(expect.arrayContaining(corpus.slice(-3)));
});

test(
  'the waiting form gives the verdict of the other one on mutated headers',
  async () => {
    await forAllAsync(
      [fc.array(mutants, { minLength: 1, maxLength: 4 })],
      { numRuns: Math.ceil(RUNS / 20), seed: SEED },
      async (several) => {
        const identity = several.map(mutantOf);
        const verdict = await lab.service.verify({ ...lab.call, identity });
        const atOnce = lab.service.verifyNow({ ...lab.call, identity });
        expect([verdict.status, verdict.reasons]).toEqual([atOnce.status, atOnce.reasons]);
        expect(verdict.outcomes.map(({ status }) => status)).toEqual(atOnce.outcomes.map(({ status }) => status));
      },
    );
  },
  TIMEOUT_MS,
);

const PIECES = [
  ...Array.from('<>";,@+%.\\ \0é()-*#'),
  ...['sip:', 'sips:', 'tel:', 'urn:service:sos', '+12025550101', '12025550101', '2025550101', '+12025550199'],
  ...['%2B', '%31', ';user=phone', ';tgrp=', ';rn=+1303', ';npdi', ';phone-context=', '+1', 'example', '911'],
  ...['\r\n ', '\ud800', 'anonymous@anonymous.invalid', 'GMT', '2026'],
  ...['Mon, 02 Nov 2026 12:00:00 GMT', 'Mon, 31 Feb 2026 25:61:00 GMT'],
];
const field = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.array(fc.constantFrom(...PIECES), { maxLength: 12 }).map((pieces) => pieces.join('')),
);
const fields = fc.record({
  from: field,
  to: field,
  requestUri: field,
  date: field,
  pAssertedIdentity: fc.array(field, { maxLength: 3 }),
});

test(
  'any From, To, Request-URI, P-Asserted-Identity and Date are read without an exception, and only the caller passes',
  () => {
    const identity = corpus.at(-1) ?? '';
    forAll([fields, fc.boolean()], { numRuns: Math.ceil(RUNS / 2), seed: SEED }, (random, isWhole) => {
      const request = isWhole
        ? { identity, ...random }
        : { ...lab.call, identity, from: random.from, date: random.date };
      if (lab.service.verifyNow(request).status !== 'passed') return;
      const caller = [random.from, ...(isWhole ? random.pAssertedIdentity : [])].some(namesCaller);
      if (!caller) throw new Error(`passed for a caller that is not named: ${JSON.stringify(request)}`);
    });
  },
  TIMEOUT_MS,
);

/** Whether the text has the digits of the caller in a row, escapes undone and everything between digits left out. */
function namesCaller(text: string): boolean {
  const unescaped = text.replaceAll(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return unescaped.replaceAll(/\D/g, '').includes('2025550101');
}
