// eslint-disable-next-line import/no-unassigned-import -- matchers are there when it is loaded
import '@hopback/harness/vitest';
import type { Assertion } from 'vitest';

/** What `expect(…)` of vitest returns. */
declare const expected: Assertion;

// Checked by the compiler, never run: what is written here compiles exactly as long as the types keep their word.

expected.toHaveVerstat('TN-Validation-Passed', 'alder');
expected.not.toHaveAttestation('B');
expected.toEndWith(486);
expected.toTraceTo('dune');
// @ts-expect-error There is no attestation D.
expected.toHaveAttestation('D');
// @ts-expect-error A status is a number.
expected.toEndWith('486');
// @ts-expect-error There is no such verstat.
expected.toHaveVerstat('Passed');
