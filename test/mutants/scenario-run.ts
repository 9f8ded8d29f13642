import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { METRICS, shippedScenarioText, type MetricTraits } from '../../harness/src/scenario/index.js';
import { ROOT } from '../house/run.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { mutantEnvironment } from './mutant-environment.js';
import type { Mutant } from './mutants.js';

/** What became of a scenario. */
export type ScenarioEnd =
  | { readonly kind: 'passed'; readonly isLoaded: boolean }
  /** `finding`: the first threshold that was not kept, and the first that was found. */
  | { readonly kind: 'failed'; readonly isLoaded: boolean; readonly finding: string }
  /** It could not be carried out, or not judged: that proves nothing. */
  | { readonly kind: 'broken'; readonly isLoaded: boolean; readonly why: string };

/** What is run, and how. */
export interface ScenarioRunOptions {
  readonly scenario: string;
  /** `calls`: without the platform, and without the thresholds that are of one. What fails so fails with it too, and takes a tenth of the time. */
  readonly part: 'all' | 'calls';
  /** The defect that the product has meanwhile; absent: none. */
  readonly mutant?: Mutant | undefined;
  /** Everything that takes time is so many times shorter. */
  readonly shorten: number;
}

/** Longest that a shortened scenario may take, seconds: five times what the longest takes beside another one. */
const LONGEST_SECONDS = 150;
/** What a process gets beyond that to write its report, before it is killed. */
const GRACE_MS = 60_000;
/**
 * The database is a machine of WebAssembly that lives for seconds: to have V8 optimize it takes a quarter of the processor time of such a run, and it is done
 * when most of the statements are.
 */
const NODE_FLAGS = ['--liftoff-only'];
const MAX_OUTPUT_BYTES = 16 * 1_024 * 1_024;
const MAX_TOLD_CHARS = 220;

/** Runs a shipped scenario in a process of its own, with what was compiled. Leaves nothing behind. */
export async function runScenario({ scenario, part, mutant, shorten }: ScenarioRunOptions): Promise<ScenarioEnd> {
  await using directory = await createTemporaryDirectory();
  const loadedPath = join(directory.path, 'loaded');
  const from = part === 'all' ? scenario : await directory.write(`${scenario}.json`, await callsOf(scenario));
  const argv = [
    ...[`${ROOT}harness/dist/cli/main.js`, 'run', from, '--shorten', String(shorten)],
    ...['--timeout', String(LONGEST_SECONDS), '--out', join(directory.path, 'run')],
  ];
  const env = mutant === undefined ? process.env : mutantEnvironment(mutant, loadedPath);
  const { code, output } = await ended(argv, env);
  const isLoaded = await access(loadedPath).then(
    () => true,
    () => false,
  );
  if (code === 0) return { kind: 'passed', isLoaded };
  const finding = findingIn(output);
  if (finding !== undefined) return { kind: 'failed', isLoaded, finding };
  return { kind: 'broken', isLoaded, why: `exit code ${String(code)}: ${output.trimEnd().slice(-MAX_TOLD_CHARS)}` };
}

/** A shipped scenario without its platform, and without what is said of it elsewhere. */
async function callsOf(scenario: string): Promise<string> {
  const { platform: _platform, thresholds, ...calls } = parse(await shippedScenarioText(scenario)) as ShippedText;
  const metrics: Readonly<Record<string, MetricTraits | undefined>> = METRICS;
  const kept = Object.entries(thresholds).filter(([name]) => metrics[name]?.isOfPlatform !== true);
  const providers = calls.providers.map(({ shares: _shares, ...provider }) => provider);
  return JSON.stringify({ ...calls, providers, thresholds: Object.fromEntries(kept) });
}

interface ShippedText {
  readonly platform?: unknown;
  readonly providers: readonly { readonly shares?: unknown }[];
  readonly thresholds: Readonly<Record<string, unknown>>;
}

function ended(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ readonly code: number | string; readonly output: string }> {
  const limits = {
    timeout: LONGEST_SECONDS * 1_000 + GRACE_MS,
    killSignal: 'SIGKILL',
    maxBuffer: MAX_OUTPUT_BYTES,
  } as const;
  return new Promise((resolve) => {
    execFile(process.execPath, [...NODE_FLAGS, ...argv], { cwd: ROOT, env, ...limits }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? 'unknown'), output: `${stdout}${stderr}` });
    });
  });
}

/** In what `hopback-harness run` prints at its end. */
function findingIn(output: string): string | undefined {
  const first = (sign: string): string | undefined =>
    output
      .split('\n')
      .find((line) => line.startsWith(sign))
      ?.slice(sign.length)
      .trim();
  const threshold = first('  FAIL ');
  const found = first('  ! ');
  if (threshold === undefined) return undefined;
  return (found === undefined ? threshold : `${threshold}: ${found}`).slice(0, MAX_TOLD_CHARS);
}
