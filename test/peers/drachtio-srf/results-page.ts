import { FILES_NOT_RUN, RUN_FILES, SCENARIOS_NOT_COVERED, SCENARIOS_THAT_MAY_FAIL, theirFiles } from './cases.js';
import type { ScenarioRun } from './network.js';
import type { FileRun } from './run-file.js';

/** The page, from the root of the repository. */
export const RESULTS_PAGE = 'docs/drachtio-srf-tests.md';

/** Results that the page shows. */
export interface Results {
  /** Version of drachtio-srf. */
  readonly version: string;
  /** Results of the test files by name. */
  readonly runs: ReadonlyMap<string, FileRun>;
  /** Results of every SIPp. */
  readonly scenarios: readonly ScenarioRun[];
}

/** Text of the page, before formatting. */
export function resultsPage({ version, runs, scenarios }: Results): string {
  const files = theirFiles();
  const others = files.filter((name) => !runs.has(name) && !isScenario(name));
  return `# drachtio-srf's own tests

The package of drachtio-srf ${version} contains the tests that its authors use: ${files.length} files, ${files.filter(isScenario).length} of them SIPp scenarios. They expect drachtio-server
and SIPp in containers. We run them from \`node_modules\` against the [embedded server](guides/drachtio-server.md), with the SIPp of the machine, on loopback
addresses.

- Stand-ins replace \`docker\`, \`tape\` and \`config\`.
- The driver replaces the addresses of the containers when it reads a file. In three scenarios it also escapes a \`<\` that current versions of SIPp cannot parse.
- An unhandled rejection counts as a failed assertion.

\`npm run drachtio-srf-tests\` runs everything and writes this page. \`test/peers/drachtio-srf.test.ts\` runs everything and compares the results with this page. The
[compatibility page](drachtio-compatibility.md) has what these tests do not ask.

## Test files

| file | result |
| --- | --- |
${RUN_FILES.map(({ name }) => `| \`${name}\` | ${fileResult(runs.get(name))} |`).join('\n')}

## SIPp scenarios

"Passed" means that SIPp completed the scenario in every run. A test file that fails on a busy machine is run again, up to three times. \`test/peers/drachtio-srf/further-scenarios.cjs\` runs the scenarios that no test file of
drachtio-srf runs, and those whose calls its test files do not hang up.

| scenario | result |
| --- | --- |
${files
  .filter(isScenario)
  .map((name) => name.replace('scenarios/', ''))
  .map((name) => `| \`${name}\` | ${scenarioResult(name, scenarios)} |`)
  .join('\n')}

## Files that are not run by themselves

| files | why |
| --- | --- |
${FILES_NOT_RUN.map(([pattern, reason]) => `| ${listOf(others.filter((name) => pattern.test(name)))} | ${reason} |`).join('\n')}
`;
}

/** The result of a scenario over all its runs. */
export function scenarioResult(name: string, scenarios: readonly ScenarioRun[]): string {
  const runs = scenarios.filter(({ scenario }) => scenario === name);
  const hasSuccess = runs.some(({ successful }) => successful > 0);
  const hasFailure = runs.some(({ failed }) => failed > 0);
  const notCovered = SCENARIOS_NOT_COVERED.get(name);
  if (notCovered !== undefined && !hasSuccess) return `not covered: ${notCovered}`;
  const mayFail = SCENARIOS_THAT_MAY_FAIL.get(name);
  if (!hasSuccess || (hasFailure && mayFail === undefined)) return 'failed';
  return mayFail === undefined ? 'passed' : `passed: ${mayFail}`;
}

function fileResult(run: FileRun | undefined): string {
  if (run === undefined) return 'not run';
  const [passed, failed] = [run.passed.length, run.failed.length];
  return failed === 0 ? `passed: ${passed} ${passed === 1 ? 'assertion' : 'assertions'}` : `failed: ${failed}`;
}

export function isScenario(name: string): boolean {
  return /^scenarios\/[^/]+\.xml$/.test(name);
}

/** Names of files, or their number where there are many. */
function listOf(names: readonly string[]): string {
  const [first = ''] = names;
  return names.length > 6
    ? `${names.length} in \`${first.slice(0, first.lastIndexOf('/') + 1)}\``
    : names.map((name) => `\`${name}\``).join(', ');
}
