import { expect, test } from 'vitest';
import { huntMutants } from '../mutants/hunt-mutants.js';
import { MUTANTS } from '../mutants/mutants.js';
import { reportFault } from '../support/fault-counts.js';

/** Those that show in calls, verdicts and records: a run without a platform takes seconds. `npm run mutants` runs the whole table. */
const PLANTED = [
  ...[
    'verify-takes-redirected-calls',
    'verify-takes-expired-certificates',
    'verify-ignores-revocation',
    'verify-hides-failures',
  ],
  ...['verify-reads-first-identity-only', 'verify-blames-unsigned-calls', 'verify-reads-attestation-as-a'],
  ...['verify-forgets-signer', 'sign-always-a', 'sign-dest-of-the-wrong-leg', 'sign-div-is-lost'],
  ...['sign-nothing-at-the-gateway', 'sign-with-a-slow-clock', 'switch-drops-identity', 'switch-hands-on-one-identity'],
  ...['tracker-loses-refused-calls'],
];
/** On two processors of their own the runs take half of it. */
const PATIENCE_MS = 480_000;

test(
  `${String(PLANTED.length)} planted defects are each noticed by a shipped scenario that passes without`,
  { timeout: PATIENCE_MS },
  async () => {
    const mutants = MUTANTS.filter(({ name }) => PLANTED.includes(name));
    expect(mutants).toHaveLength(PLANTED.length);
    const lines: string[] = [];
    const { caught } = await huntMutants({ mutants, shorten: 6, jobs: 2, onLine: (line) => lines.push(line) });
    expect(lines.filter((line) => /: survived: | FAILED: /.test(line))).toEqual([]);
    reportFault('scenario-mutants', { planted: mutants.length, noticed: caught.length });
  },
);
