import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { FaultFigures } from '../support/fault-counts.js';

/** What a run came to. */
export interface RunCounts {
  readonly passed: number;
  /** Failed tests, plus files and suites that broke outside a test, plus errors nobody awaited. */
  readonly failed: number;
  readonly skipped: number;
  /** Per missing peer: how many tests waited for it, and the command that installs it. */
  readonly missingPeers: readonly { readonly name: string; readonly install: string; readonly tests: number }[];
}

/** What passed fault tests have counted, one line of JSON for each claim. */
export function faultLines(tests: readonly TestCase[]): readonly string[] {
  return tests
    .filter((test) => test.result().state === 'passed')
    .flatMap((test): readonly FaultFigures[] => test.meta().faults ?? [])
    .map((figures) => JSON.stringify(figures));
}

/** The closing lines of a run: one per missing peer, then the counts alone on the last line. */
export function summaryLines(counts: RunCounts): readonly string[] {
  return [
    ...counts.missingPeers.map(
      ({ name, install, tests }) =>
        `skipped ${tests} ${tests === 1 ? 'test' : 'tests'} for want of ${name}: ${install}`,
    ),
    `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`,
  ];
}

/**
 * Ends every run with the counts on a line of their own. They are printed when the process exits, so that nothing that
 * vitest says can follow them. With HOPBACK_FORBID_SKIPS=1 a skipped test makes the run fail.
 */
export default class SummaryReporter implements Reporter {
  /** As soon as a file is through: the whole number of rounds takes hours. */
  onTestModuleEnd(testModule: TestModule): void {
    const lines = faultLines([...testModule.children.allTests()]);
    if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
  }

  onTestRunEnd(testModules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = countRun(testModules, unhandledErrors.length);
    const skipsRefused = counts.skipped > 0 && process.env['HOPBACK_FORBID_SKIPS'] === '1';
    process.once('exit', () => {
      if (skipsRefused) process.stdout.write(`${counts.skipped} skipped, and skips are forbidden here\n`);
      process.stdout.write(`${summaryLines(counts).join('\n')}\n`);
      if (skipsRefused || counts.failed > 0) process.exitCode = 1;
    });
  }
}

function countRun(testModules: readonly TestModule[], unhandledErrors: number): RunCounts {
  const tests = testModules.flatMap((testModule) => [...testModule.children.allTests()]);
  const inState = (state: string): number => tests.filter((test) => test.result().state === state).length;
  return {
    passed: inState('passed'),
    failed: inState('failed') + brokenOutsideTests(testModules) + unhandledErrors,
    // A test that never ran (its file or a hook broke first) did not pass either.
    skipped: inState('skipped') + inState('pending'),
    missingPeers: missingPeersOf(tests),
  };
}

/** Files that could not be loaded and suites whose hooks failed: no test of theirs need have failed. */
function brokenOutsideTests(testModules: readonly TestModule[]): number {
  const suites = testModules.flatMap((testModule) => [testModule, ...testModule.children.allSuites()]);
  return suites.filter((suite) => suite.errors().length > 0).length;
}

function missingPeersOf(tests: readonly TestCase[]): RunCounts['missingPeers'] {
  const peers = new Map<string, { name: string; install: string; tests: number }>();
  for (const { name, install } of tests.flatMap((test) => waitsFor(test))) {
    const known = peers.get(name) ?? { name, install, tests: 0 };
    peers.set(name, { ...known, tests: known.tests + 1 });
  }
  return [...peers.values()];
}

/** The mark that describePeer and testPeer leave, on the test or on a suite around it. */
function waitsFor(test: TestCase): readonly { readonly name: string; readonly install: string }[] {
  for (let task: TestCase | TestCase['parent'] = test; task.type !== 'module'; task = task.parent) {
    const { missingPeers } = task.meta();
    if (missingPeers !== undefined) return missingPeers;
  }
  return [];
}
