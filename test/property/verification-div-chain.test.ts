import { createPassport, TEST_ORIG_TN } from '@hopback/sdk/testing';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createVerificationLab } from '../support/verification-lab.js';
import { forAll } from '../support/for-all.js';

// The chains of a request, held against the plainest reading of RFC 8946 section 4.2: every order of every subset of the divs.

const lab = await createVerificationLab();

const NUMBERS = ['12025550199', '13035550101', '13035550102', '13035550103'] as const;

interface Leg {
  readonly from: number;
  readonly to: number;
  readonly isGood: boolean;
}

interface Call {
  readonly callers: readonly Pick<Leg, 'to' | 'isGood'>[];
  readonly divs: readonly Leg[];
  readonly target: number;
  readonly shuffle: readonly number[];
}

const place = fc.nat({ max: NUMBERS.length - 1 });
const isGood = fc.boolean();
const calls: fc.Arbitrary<Call> = fc.record({
  callers: fc.array(fc.record({ to: place, isGood }), { minLength: 1, maxLength: 3 }),
  divs: fc.array(fc.record({ from: place, to: place, isGood }), { maxLength: 5 }),
  target: place,
  shuffle: fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
});

const header = (
  isSigned: boolean,
  changes: { readonly ppt?: string; readonly divTn?: string; readonly destTn: string },
): string =>
  createPassport({
    signer: isSigned ? lab.provider : lab.faults.attacker,
    x5u: lab.x5u,
    origTn: TEST_ORIG_TN,
    ...changes,
  }).identityHeader;

function headersOf({ callers, divs, shuffle }: Call): readonly string[] {
  const headers = [
    ...callers.map((caller) => header(caller.isGood, { destTn: NUMBERS[caller.to] ?? '' })),
    ...divs.map((div) =>
      header(div.isGood, { ppt: 'div', divTn: NUMBERS[div.from] ?? '', destTn: NUMBERS[div.to] ?? '' }),
    ),
  ];
  return headers
    .map((value, index) => ({ value, key: shuffle[index % shuffle.length] ?? 0 }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

/** Whether good divs lead from a number to the target, none back to a number that has diverted the call before. */
function leadsTo(at: number, target: number, divs: readonly Leg[], diverted: readonly number[] = []): boolean {
  const path = [...diverted, at];
  return divs.some(
    ({ from, to }) => from === at && !path.includes(to) && (to === target || leadsTo(to, target, divs, path)),
  );
}

/** To names the first number. A caller's PASSporT is good by itself where it names To and the target, else by a chain. */
function mayPass({ callers, divs, target }: Call): boolean {
  const good = divs.filter((div) => div.isGood);
  return callers.some(
    (caller) => caller.isGood && ((caller.to === 0 && target === 0) || leadsTo(caller.to, target, good)),
  );
}

test('a call with divs passes exactly if a good PASSporT leads over good divs to its target', () => {
  let passed = 0;
  forAll([calls], 2000, (call) => {
    const { status } = lab.service.verifyNow({
      identity: headersOf(call),
      from: `<sip:+${TEST_ORIG_TN}@originating.example>`,
      to: `<sip:+${NUMBERS[0]}@terminating.example>`,
      requestUri: `sip:+${NUMBERS[call.target] ?? ''}@terminating.example`,
    });
    passed += Number(status === 'passed');
    expect(status === 'passed').toBe(mayPass(call));
  });
  // About one in ten; a generator that hardly ever hits would prove nothing.
  expect(passed).toBeGreaterThan(100);
});
