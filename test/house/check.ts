import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { checkApiReports } from './api-reports.js';
import { checkContract } from './contract.js';
import { checkPackages } from './packages.js';
import { checkReference } from './reference.js';
import { ROOT, tool } from './run.js';
import { checkSize } from './size.js';
import { checkPurity, checkRegularExpressions } from './sources.js';
import { checkSuites } from './suites.js';
import { checkTrackedText } from './tracked-text.js';

// `npm run check`: everything that CI does without services, a stage for each processor, each with its time.
// `npm run check -- lint types` runs the named stages only, `npm run check -- --without tests` all but those.

/** A stage answers with what is wrong; an empty list is a pass. */
interface Stage {
  readonly name: string;
  readonly what: string;
  readonly run: () => Promise<readonly string[]>;
}

const CODE_FOLDERS = ['sdk/src', 'harness/src', 'test', 'examples'];

const STAGES: readonly Stage[] = [
  { name: 'types', what: 'tsc over sdk, harness, test and examples', run: checkTypes },
  { name: 'format', what: 'prettier', run: () => tool('prettier', ['--check', '--log-level', 'warn', '.']) },
  { name: 'lint', what: 'oxlint with types', run: () => tool('oxlint', []) },
  {
    name: 'suites',
    what: 'every test file and every test in it is run, none mocks modules under another',
    run: checkSuites,
  },
  { name: 'purity', what: 'no clock, dice, loading or state in pure files', run: checkPurity },
  { name: 'regex', what: 'recheck over every regular expression', run: checkRegularExpressions },
  { name: 'imports', what: 'dependency-cruiser: who may import whom', run: checkImports },
  { name: 'unused', what: 'knip', run: () => tool('knip', ['--no-progress']) },
  { name: 'api', what: 'api-extractor reports', run: () => checkApiReports({ update: false }) },
  {
    name: 'contract',
    what: 'OpenAPI and AsyncAPI documents are current, linted and valid',
    run: () => checkContract({ update: false }),
  },
  { name: 'packages', what: 'publint and attw over the tarballs', run: checkPackages },
  { name: 'reference', what: 'typedoc, live links, docstrings in full, examples that compile', run: checkReference },
  { name: 'text', what: 'no machine paths, registry hosts or loose ends', run: checkTrackedText },
  { name: 'size', what: 'lines, files, reach and circles: none above the lowest so far', run: checkSize },
  { name: 'tests', what: 'unit and property tests', run: runTests },
];

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const isWithout = argv[0] === '--without';
  const names = isWithout ? argv.slice(1) : argv;
  const unknown = names.filter((name) => !STAGES.some((stage) => stage.name === name));
  if (unknown.length > 0) {
    process.stderr.write(
      `no such stage: ${unknown.join(', ')}\n${STAGES.map(({ name, what }) => `  ${name}: ${what}\n`).join('')}`,
    );
    return 2;
  }
  const stages = STAGES.filter(({ name }) => names.length === 0 || names.includes(name) !== isWithout);
  const failed = await failedOf(stages);
  process.stdout.write(failed.length === 0 ? 'check: all stages pass\n' : `check: failed in ${failed.join(', ')}\n`);
  return failed.length === 0 ? 0 : 1;
}

/** Names of the stages that fail. What others read is compiled first; then there are as many at once as there are processors. */
async function failedOf(stages: readonly Stage[]): Promise<readonly string[]> {
  const failed: string[] = [];
  const waiting = stages.filter(({ name }) => name === 'types');
  const carryOut = async (): Promise<void> => {
    for (let stage = waiting.shift(); stage !== undefined; stage = waiting.shift()) {
      if (!(await passes(stage))) failed.push(stage.name);
    }
  };
  await carryOut();
  waiting.push(...stages.filter(({ name }) => name !== 'types'));
  await Promise.all(Array.from({ length: availableParallelism() }, carryOut));
  return failed;
}

async function passes({ name, what, run }: Stage): Promise<boolean> {
  const start = performance.now();
  const problems = await run().catch((error: unknown) => [
    `${name} broke: ${error instanceof Error ? error.stack : String(error)}`,
  ]);
  const seconds = ((performance.now() - start) / 1000).toFixed(1).padStart(5);
  process.stdout.write(`${problems.length === 0 ? 'pass' : 'FAIL'} ${seconds} s  ${name.padEnd(10)} ${what}\n`);
  for (const problem of problems) process.stdout.write(`${problem.replace(/^/gm, '    ')}\n`);
  return problems.length === 0;
}

async function checkTypes(): Promise<readonly string[]> {
  return [...(await tool('tsc', ['--build'])), ...(await tool('tsc', ['--project', 'test']))];
}

async function checkImports(): Promise<readonly string[]> {
  const folders = CODE_FOLDERS.filter((folder) => existsSync(`${ROOT}${folder}`));
  return tool('depcruise', [...folders, '--output-type', 'err-long']);
}

async function runTests(): Promise<readonly string[]> {
  return tool('vitest', ['run', '--config', 'test/vitest.config.ts', '--project', 'unit', '--project', 'property']);
}
