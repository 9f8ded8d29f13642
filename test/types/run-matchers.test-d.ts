// eslint-disable-next-line import/no-unassigned-import -- matchers are there when it is loaded
import '@hopback/harness/vitest';
import { expect } from 'vitest';

// Checked by the compiler, never run: what is written here compiles exactly as long as the types keep their word.

expect({}).toHaveVerstat('TN-Validation-Passed', 'alder');
expect({}).not.toHaveAttestation('B');
expect({}).toEndWith(486);
expect({}).toTraceTo('dune');
// @ts-expect-error There is no attestation D.
expect({}).toHaveAttestation('D');
// @ts-expect-error A status is a number.
expect({}).toEndWith('486');
// @ts-expect-error There is no such verstat.
expect({}).toHaveVerstat('Passed');
