import { test, vi } from 'vitest';
import { runScenario } from '../mutants/scenario-run.js';

/** Shipped scenarios, by what they are about. */
export const SHIPPED_RUNS = {
  /** Those that `npm test` runs with their platform. `npm run faults` runs the others. */
  short: ['snowshoe', 'lying-provider', 'late-answers', 'everything'],
  /** Those of which `npm test` runs the calls alone, a tenth of the time: a path of each kind, and a defect on it. `npm run faults` runs all of them. */
  calls: ['five-hops', 'gateway', 'rewritten-numbers', 'altered-identity'],
  others: [
    ...['direct', 'three-hops', 'seven-hops', 'tdm-gap', 'neighbour', 'wangiri', 'dno'],
    ...['diverted', 'forked', 'replay', 'stolen-spc', 'expired-certificate', 'revoked-certificate', 'clock-skew'],
    ...['partial-adoption', 'silent-provider', 'colluding-neighbours', 'purged-records', 'record-gap'],
  ],
  /**
   * These are run whole, and by themselves: how long a switch takes to go down, and a call to be written down, is not shortened, and within that much is
   * forgiven. A storm of some seconds, or a crash of less than one, would be forgiven from beginning to end; one beside other tests is another storm.
   */
  whole: ['campaign-while-carriers-crash', 'traffic-storm'],
} as const;

/** Shipped scenarios that test/faults/alone/demo.test.ts runs, whole: of a campaign of some seconds nobody would be alerted. */
export const DEMO_RUNS: readonly string[] = ['demo'];

/** By how much the others are shortened: from half a minute of calls to some seconds. */
export const SHORTEN = 6;
/** Somewhat more than a run may take by itself. */
const PATIENCE_MS = 240_000;

/** Runs scenarios as `hopback-harness run` does: the thresholds of each are met. @param part - `calls`: without the platform */
export function testShippedRuns(about: keyof typeof SHIPPED_RUNS, part: 'all' | 'calls' = 'all'): void {
  // Most of a run is waiting for calls that last.
  const runs = about === 'whole' ? test : test.concurrent;
  vi.setConfig({ maxConcurrency: 2 });
  runs.for(SHIPPED_RUNS[about])(
    `scenario %s${part === 'all' ? '' : ', its calls'}: all its thresholds are met`,
    { timeout: PATIENCE_MS },
    async (scenario, { expect }) => {
      const shorten = about === 'whole' ? 1 : SHORTEN;
      expect(await runScenario({ scenario, part, shorten })).toEqual({ kind: 'passed', isLoaded: false });
    },
  );
}
