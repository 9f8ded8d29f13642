import { expect, test } from 'vitest';
import { huntMutants } from '../mutants/hunt-mutants.js';
import { MUTANTS } from '../mutants/mutants.js';
import { reportFault } from '../support/fault-counts.js';

/** Of each part of the product, over few scenarios: all that are run pass once without a defect first. `npm run mutants` runs the whole table. */
const PLANTED = [
  ...['verify-skips-dest', 'verify-takes-redirected-calls', 'verify-hides-failures', 'verify-reads-attestation-as-a'],
  ...['sign-always-a', 'sign-dest-of-the-wrong-leg', 'sign-div-is-lost'],
  ...['switch-drops-identity', 'switch-hands-on-one-identity', 'tracker-loses-cancelled-calls', 'tracker-loses-trunk'],
  ...['records-in-local-time', 'store-loses-a-minute', 'responder-off-by-one-hop', 'responder-claims-origin'],
  ...['path-takes-a-denial-for-an-origin', 'path-believes-the-accuser'],
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
