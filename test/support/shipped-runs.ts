import { expect, test } from 'vitest';
import { runScenario } from '../mutants/scenario-run.js';

/** Shipped scenarios, by what they are about. */
export const SHIPPED_RUNS = {
  ways: ['direct', 'three-hops', 'five-hops', 'seven-hops', 'tdm-gap', 'gateway'],
  campaigns: ['snowshoe', 'neighbour', 'wangiri', 'dno'],
  numbers: ['diverted', 'forked', 'rewritten-numbers', 'replay'],
  certificates: [
    'stolen-spc',
    'altered-identity',
    'expired-certificate',
    'revoked-certificate',
    'clock-skew',
    'partial-adoption',
  ],
  answers: ['silent-provider', 'lying-provider', 'colluding-neighbours', 'late-answers', 'purged-records'],
  disorder: ['record-gap', 'everything'],
  /**
   * These are run whole, and by themselves: how long a switch takes to go down, and a call to be written down, is not shortened, and within that much is
   * forgiven. A storm of some seconds, or a crash of less than one, would be forgiven from beginning to end; one beside other tests is another storm.
   */
  whole: ['campaign-while-carriers-crash', 'traffic-storm'],
} as const;

/** Shipped scenarios that test/peers/demo.test.ts runs, whole: of a campaign of some seconds nobody would be alerted. */
export const DEMO_RUNS: readonly string[] = ['demo'];

/** By how much the others are shortened: from half a minute of calls to some seconds. */
export const SHORTEN = 6;
/** Somewhat more than a run may take by itself. */
const PATIENCE_MS = 240_000;

/** Runs scenarios as `hopback-harness run` does: the thresholds of each are met. */
export function testShippedRuns(about: keyof typeof SHIPPED_RUNS): void {
  test.each(SHIPPED_RUNS[about])(
    'scenario %s: all its thresholds are met',
    { timeout: PATIENCE_MS },
    async (scenario) => {
      const shorten = about === 'whole' ? 1 : SHORTEN;
      expect(await runScenario({ scenario, part: 'all', shorten })).toEqual({ kind: 'passed', isLoaded: false });
    },
  );
}
