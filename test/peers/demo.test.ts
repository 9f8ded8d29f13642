import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunSummary, SummaryTraceback } from '../../harness/src/report/index.js';
import { peer, testPeer } from '../peers.js';
import { runDemoProgram } from '../support/demo-run.js';
import type { DemoRun } from '../support/demo-run.js';
import { createTemporaryDirectory } from './temporary-directory.js';
import type { TemporaryDirectory } from './temporary-directory.js';

// The demo as somebody runs it, and its report as a browser shows it. HOPBACK_SCREENSHOTS=1 takes the picture of docs anew.

const PICTURE = fileURLToPath(new URL('../../docs/images/run-report.png', import.meta.url));
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
  expect(act).toMatch(/^ +[\d,]+ {2}came twice and were recognised by their id$/m);
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
    'Fir Gateway Inc., where the calls came into the country',
    'Juniper Telephone Cooperative was named falsely, and is not accused',
  ])
    expect(story.replaceAll(/\s+/g, ' ')).toContain(told);
  for (const line of story.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(stdout).toMatch(/\d:\d\d over.*1 campaign, [1-9]\d* alerts?, /);
  expect(stdout).toContain(`${folder}/report.html`);
});

test('with --keep its platform is there to be asked, by the profile that is printed', () => {
  const { listed, summary } = demo;
  expect(listed.map(({ state }) => state)).toEqual(tracebacksOf(summary).map(() => 'closed'));
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
function tracebacksOf({ deterministic, measured }: RunSummary): readonly SummaryTraceback[] {
  return [...deterministic.tracebacks, ...measured.tracebacks];
}
