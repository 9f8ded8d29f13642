import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRunSummary, type RunSummary } from '../../../harness/src/report/index.js';
import { ROOT } from '../../house/run.js';
import { peer, testPeer } from '../../peers.js';
import { createTemporaryDirectory, type TemporaryDirectory } from '../../peers/temporary-directory.js';

// The demo as somebody runs it, and its report as a browser shows it. HOPBACK_SCREENSHOTS=1 takes the picture of docs anew.

const PICTURE = fileURLToPath(new URL('../../../docs/images/run-report.png', import.meta.url));
const PROGRAM = join(ROOT, 'harness/dist/cli/main.js');
/** On a machine that does nothing else it is some 75 s. */
const PATIENCE_MS = 300_000;

let directory: TemporaryDirectory;
let folder = '';
let demo: DemoRun;
beforeAll(async () => {
  directory = await createTemporaryDirectory();
  folder = join(directory.path, 'demo');
  demo = await runDemoProgram(folder);
}, PATIENCE_MS);
afterAll(() => directory?.[Symbol.asyncDispose]());

test('the demo finds the campaign, alerts, traces, names the gateway and nobody who is innocent, and ends well', () => {
  const { status, stdout, stderr, summary } = demo;
  // A demo that fails should say why.
  expect({ status, stderr, stdout }).toMatchObject({ status: 0, stderr: '' });
  const { deterministic, measured } = summary;
  const { counts } = deterministic;
  const metrics = { ...deterministic.metrics, ...measured.metrics };
  const tracebacks = tracebacksOf(summary);
  expect(summary.verdict).toBe('passed');
  expect(counts).toMatchObject({ placed: counts.planned });
  expect(measured.counts).toMatchObject({ campaigns: 1 });
  expect(measured.counts.alerts).toBeGreaterThan(0);
  expect(metrics).toMatchObject({
    ...{ calls_wrong: { count: 0 }, wrong_accusations: { count: 0 }, troubles: { count: 0 } },
    ...{ verdict_accuracy: { value: 1 }, records_complete: { value: 1 }, traceback_fair: { value: 1 } },
    ...{ campaign_precision: { value: 1 }, answers_correct: { value: 1 } },
  });
  const named = tracebacks.flatMap(({ outcome, provider }) =>
    outcome === 'point-of-entry' || outcome === 'foreign-provider' || outcome === 'origin' ? [provider] : [],
  );
  expect(named.length).toBeGreaterThan(0);
  expect(tracebacks.map(({ outcome }) => outcome)).toContain('disputed');
});

test('no record of a switch is lost or doubled where the process that follows its file is killed', () => {
  const { stdout } = demo;
  const act = stdout.slice(0, stdout.indexOf('A robocall campaign'));
  expect(act).toContain('kill -9');
  expect(act).toMatch(
    /^ +4,000 {2}rows written by the switch\n +4,000 {2}records in the store\n +4,000 {2}different records at the platform$/m,
  );
  // How many come twice depends on the moment of the kill: none where the platform answers the whole batch from memory.
  expect(act).toMatch(/^ +[\d,]+ {2}came twice and were recognized by their id$/m);
  expect(act).toMatch(
    /^✓ 4,000 of 4,000 calls at the platform: none lost, none stored twice,\n {2}killed once at call /m,
  );
});

test('its end is told in words that fit a terminal, with who was silent, who lied and who is named', () => {
  const { stdout } = demo;
  const story = stdout.slice(stdout.indexOf('WHAT HAPPENED'), stdout.indexOf('The report, for a browser'));
  for (const told of [
    'Kauri Calling Ltd, abroad in NZ',
    '⌀ SILENT',
    '≠ LIES: had it from Juniper Telephone Cooperative',
    'Fir Gateway Inc., the gateway provider (point of entry)',
    'Juniper Telephone Cooperative was named falsely, and is not accused',
  ])
    expect(story.replaceAll(/\s+/g, ' ')).toContain(told);
  for (const line of story.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(stdout).toMatch(/\d:\d\d over.*1 campaign, [1-9]\d* alerts?, /);
  expect(stdout).toContain(`${folder}/report.html`);
});

test('with --keep its platform answers, by the profile that is printed; npm run demo runs the same program', async () => {
  const { listed, summary } = demo;
  expect(listed.map(({ state }) => state)).toEqual(tracebacksOf(summary).map(() => 'closed'));
  expect(await readFile(join(ROOT, 'package.json'), 'utf8')).toMatch(/"demo": ".*harness\/dist\/cli\/main\.js demo"/);
});

testPeer('chromium', 'its report shows each traceback beside the true path, and passes', async () => {
  await using browser = await chromium.launch({ executablePath: peer('chromium').path, args: ['--no-sandbox'] });
  const page = await browser.newPage({ viewport: { width: 1_280, height: 1_900 } });
  await page.goto(pathToFileURL(join(folder, 'report.html')).href);
  expect(await page.textContent('.verdict')).toContain('✓ Passed');
  expect(await page.locator('table.trace').count()).toBe(tracebacksOf(demo.summary).length);
  const tracebacks = (await page.textContent('#tracebacks')) ?? '';
  for (const seen of ['⌀ silent', '≠ from juniper', 'point of entry']) expect(tracebacks).toContain(seen);
  if (process.env['HOPBACK_SCREENSHOTS'] === '1') await page.screenshot({ path: PICTURE });
  expect((await readFile(PICTURE)).length).toBeGreaterThan(10_000);
});

/** Those that staff began, and those that the platform began for its campaigns. */
function tracebacksOf({ deterministic, measured }: RunSummary): RunSummary['deterministic']['tracebacks'] {
  return [...deterministic.tracebacks, ...measured.tracebacks];
}

/** A demo that was run as a program of its own. */
interface DemoRun {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly summary: RunSummary;
  /** Tracebacks that the platform told of when the demo was over and the platform still up. */
  readonly listed: readonly { readonly outcome?: string; readonly state: string }[];
}

/** Runs `demo --keep` into a folder, asks its platform for the tracebacks when all is told, and ends it as Control-C does. */
async function runDemoProgram(out: string): Promise<DemoRun> {
  const child = spawn(process.execPath, [PROGRAM, 'demo', '--keep', '--out', out], {
    env: {},
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  child.stderr.on('data', (bytes: Buffer) => (printed.stderr += bytes.toString()));
  const profile = new Promise<string | undefined>((resolve) => {
    child.stdout.on('data', (bytes: Buffer) => {
      printed.stdout += bytes.toString();
      const [, path] = /tracebacks list --profile (\S+)\n/.exec(printed.stdout) ?? [];
      if (path !== undefined) resolve(path);
    });
    void ended.then(() => resolve(undefined));
  });
  try {
    const path = await profile;
    const listed = path === undefined ? [] : await listedBy(path);
    child.kill('SIGINT');
    const status = await ended;
    const read = readRunSummary(await readFile(join(out, 'summary.json'), 'utf8'));
    if (read.status !== 'read') throw new Error(`the demo left no summary: ${printed.stdout}${printed.stderr}`);
    return { ...printed, status, summary: read.summary, listed };
  } finally {
    child.kill('SIGKILL');
  }
}

async function listedBy(profile: string): Promise<DemoRun['listed']> {
  const argv = [PROGRAM, 'tracebacks', 'list', '--profile', profile, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { env: {} });
  return JSON.parse(stdout) as DemoRun['listed'];
}
