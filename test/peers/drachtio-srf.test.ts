import { readFile, writeFile } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { format } from 'prettier';
import { beforeAll, expect, test } from 'vitest';
import { describePeer } from '../peers.js';
import {
  FILES_NOT_RUN,
  FURTHER_SCENARIOS,
  RUN_FILES,
  SCENARIOS_NOT_COVERED,
  SCENARIOS_THAT_MAY_FAIL,
  theirFiles,
  type RunFile,
} from './drachtio-srf/cases.js';
import { THEIR_TESTS } from './drachtio-srf/network.js';
import { isScenario, RESULTS_PAGE, resultsPage, scenarioResult, type Results } from './drachtio-srf/results-page.js';
import { runTheirFile, type FileRun } from './drachtio-srf/run-file.js';

/** All files run at the same time, and the longest waits for 32 s. Scenarios that drop messages at random may take some minutes. */
const ALL_FILES_MS = 600_000;
/** A busy machine holds SIPp up for seconds. The timers of the other side expire meanwhile, and SIPp breaks off a call of which it gets messages late. */
const MOST_RUNS = 3;
/** `npm run drachtio-srf-tests` writes the page anew. */
const WRITES = process.env['HOPBACK_WRITE_DRACHTIO_SRF_TESTS'] === '1';

async function runAll(): Promise<Results & { readonly further: FileRun }> {
  const run = async ({ name, answered }: RunFile): Promise<FileRun> => {
    for (let count = 1; ; count += 1) {
      const found = await runTheirFile(isAbsolute(name) ? name : join(THEIR_TESTS, name), answered);
      if (isAsListed(found) || count === MOST_RUNS) return found;
      process.stderr.write(`${name}, run ${count}: ${JSON.stringify([found.failed, brokenOf(found)])}\n`);
    }
  };
  const [further, ...theirs] = await Promise.all([FURTHER_SCENARIOS, ...RUN_FILES].map(run));
  if (further === undefined) throw new Error('there is nothing to run');
  const manifest = JSON.parse(await readFile(join(THEIR_TESTS, '../package.json'), 'utf8')) as { version: string };
  return {
    ...{ further, version: manifest.version },
    runs: new Map(theirs.map((each, index) => [RUN_FILES[index]?.name ?? '', each])),
    scenarios: [further, ...theirs].flatMap(({ scenarios }) => scenarios),
  };
}

/** Scenarios of which calls failed that should not. */
function brokenOf({ scenarios }: FileRun): readonly string[] {
  return scenarios
    .filter(({ scenario, failed }) => failed > 0 && !SCENARIOS_NOT_COVERED.has(scenario))
    .filter(({ scenario }) => !SCENARIOS_THAT_MAY_FAIL.has(scenario))
    .map(({ scenario }) => scenario);
}

function isAsListed(run: FileRun): boolean {
  return run.failed.length === 0 && brokenOf(run).length === 0;
}

/** What failed, with all that the process has written. */
function failuresOf(run: FileRun | undefined): readonly string[] {
  if (run === undefined) return ['it was not run'];
  return run.failed.length === 0 ? [] : [...run.failed, run.output];
}

test('every file of the test suite is run or has a reason why not', () => {
  const isCovered = (name: string): boolean =>
    isScenario(name) ||
    RUN_FILES.some((file) => file.name === name) ||
    FILES_NOT_RUN.some(([pattern]) => pattern.test(name));
  expect(theirFiles().filter((name) => !isCovered(name))).toEqual([]);
});

test('every test file that drachtio-srf itself runs is run here', async () => {
  const index = await readFile(join(THEIR_TESTS, 'index.js'), 'utf8');
  const listed = [...index.matchAll(/require\('\.\/([^']+)'\)/g)].map(([, name]) => `${name}.js`);
  expect(listed.filter((name) => !name.startsWith('docker_')).sort()).toEqual(RUN_FILES.map(({ name }) => name));
});

describePeer('sipp', "drachtio-srf's own tests", () => {
  let all: Awaited<ReturnType<typeof runAll>>;
  beforeAll(async () => {
    all = await runAll();
  }, ALL_FILES_MS);

  test.each(RUN_FILES)('$name passes, all $assertions assertions', ({ name, assertions }) => {
    const run = all.runs.get(name);
    expect(failuresOf(run)).toEqual([]);
    expect(run?.passed).toHaveLength(assertions);
  });

  test('the further scenarios pass or fail as listed', () => {
    expect(failuresOf(all.further)).toEqual([]);
    expect(all.further.passed).toHaveLength(FURTHER_SCENARIOS.assertions);
  });

  test('SIPp completes every scenario that is not listed as not covered', () => {
    const scenarios = theirFiles()
      .filter(isScenario)
      .map((name) => name.replace('scenarios/', ''));
    const failed = scenarios.filter((name) => !scenarioResult(name, all.scenarios).startsWith('passed'));
    expect(failed).toEqual([...SCENARIOS_NOT_COVERED.keys()].sort());
  });

  test('the results page is up to date', async () => {
    const page = await format(resultsPage(all), { parser: 'markdown', printWidth: 120, singleQuote: true });
    if (WRITES) await writeFile(RESULTS_PAGE, page);
    expect(await readFile(RESULTS_PAGE, 'utf8')).toBe(page);
  });
});
