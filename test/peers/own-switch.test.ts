import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readRunSummary, type RunSummary } from '../../harness/src/report/index.js';
import { ROOT } from '../house/run.js';
import { describePeer, peer } from '../peers.js';
import { freePorts, isTaken, readRecipe, runCommand, startCommand, waitUntil } from '../support/recipe.js';
import { createTemporaryDirectory } from './temporary-directory.js';

// Files and commands of docs/guides/qa.md, with ports and a folder of our own.

const GUIDE = 'docs/guides/qa.md';

interface Followed {
  readonly directory: string;
  /** Blocks of a heading, in their order. */
  readonly under: (heading: string, language: string) => readonly string[];
  readonly taken: (port: string) => Promise<void>;
  readonly summary: (run: string) => Promise<RunSummary>;
}

async function follow(ports: readonly string[]): Promise<Followed> {
  const { path: directory, close } = await createTemporaryDirectory();
  onTestFinished(close);
  const free = await freePorts(ports.length);
  const chosen: Record<string, string> = Object.fromEntries(ports.map((port, at) => [port, String(free[at])]));
  const blocks = await readRecipe(GUIDE, {
    ...chosen,
    'npx --no hopback-harness': `'${process.execPath}' ${join(ROOT, 'harness/dist/cli/main.js')}`,
    '/usr/sbin/kamailio': peer('kamailio').path,
    'examples/': `${ROOT}/examples/`,
  });
  return {
    directory,
    under: (heading, language) => {
      const found = blocks.filter((block) => block.heading === heading && block.language === language);
      if (found.length === 0) throw new Error(`${GUIDE} has no block of ${language} under "${heading}"`);
      return found.map(({ text }) => text);
    },
    taken: (port) => waitUntil(() => isTaken(Number(chosen[port]))),
    summary: async (run) => {
      const read = readRunSummary(await readFile(join(directory, run, 'summary.json'), 'utf8'));
      if (read.status !== 'read') throw new Error(`there is no summary of ${run}`);
      return read.summary;
    },
  };
}

const inFolder = (directory: string, command: string): string => `cd '${directory}'\n${command}`;

/** Each has a verdict at birch alone: alder has nothing to verify, and of kestrel nothing is known. */
const CALLS = 40;

async function throughKamailio(further: string): Promise<RunSummary> {
  const { directory, under, taken, summary } = await follow(['5070', '5071', '8443']);
  const [scenario = ''] = under('2. A scenario, step by step', 'yaml');
  await writeFile(join(directory, 'network.yaml'), scenario);
  await runCommand(inFolder(directory, under('6. Your own switch', 'sh')[0] ?? ''));
  const [kamailio = '', run = ''] = under('Kamailio', 'sh');
  startCommand(inFolder(directory, `${kamailio} -m 32 -M 8 ${further}`));
  await taken('5070');
  const said = await runCommand(inFolder(directory, `${run} || true`));
  const promised = under('Kamailio', 'text')[0] ?? '';
  expect(said.includes(promised)).toBe(further === '');
  await expectLinesOf(join(directory, 'after', 'calls'), ['caller', 'alder', 'kestrel', 'birch', 'callee']);
  return summary('after');
}

/** Every ladder of a run has these lines, the switch of somebody else among them, and its INVITE goes from each to the next. */
async function expectLinesOf(folder: string, lines: readonly string[]): Promise<void> {
  const calls = await readdir(folder);
  expect(calls.length).toBeGreaterThan(0);
  for (const call of calls) {
    const ladder = await readFile(join(folder, call, 'ladder.txt'), 'utf8');
    const [, , heads = ''] = ladder.split('\n');
    expect(heads.trim().split(/\s+/)).toEqual(lines);
    expect(ladder.match(/- INVITE -+>/g)).toHaveLength(lines.length - 1);
  }
}

describePeer('kamailio', 'a Kamailio between two carriers, as the guide has it', () => {
  test('verifies and hands on what it was given: nothing is found', async () => {
    const { verdict, deterministic, measured } = await throughKamailio('');
    expect([verdict, measured.findingsInAll]).toEqual(['passed', 0]);
    expect(deterministic.counts).toMatchObject({ placed: CALLS, byStatus: { 200: CALLS } });
    expect(deterministic.metrics['verdict_accuracy']).toMatchObject({ good: CALLS, of: CALLS });
  }, 60_000);

  test('loses the Identity: each call is found, with the switch that it came from', async () => {
    const { verdict, deterministic } = await throughKamailio('-A STRIP_IDENTITY');
    expect(verdict).toBe('failed');
    expect(deterministic.metrics['verdict_accuracy']).toMatchObject({ good: 0, of: CALLS });
    const behind = deterministic.findings.filter(({ seen }) => seen.endsWith('as it came from kestrel'));
    expect(behind).toHaveLength(CALLS);
  }, 60_000);

  test.each([
    ['trusts the root: its verdicts are right', 'lab/sti-ca-root.pem', 2 * CALLS],
    ['trusts another root: they are wrong', 'lab/web-root.pem', CALLS],
  ])(
    'stands last, and %s',
    async (_name, root, good) => {
      const { directory, under, taken, summary } = await follow(['5070', '5071', '8443']);
      await writeFile(join(directory, 'network.yaml'), under('2. A scenario, step by step', 'yaml')[0] ?? '');
      const [lab = ''] = under('6. Your own switch', 'sh');
      const last = lab
        .replace('--external kestrel=', '--external birch=')
        .replace('--listen birch=', '--listen homes=');
      await runCommand(inFolder(directory, last));
      const [kamailio = '', run = ''] = under('Kamailio', 'sh');
      startCommand(inFolder(directory, `${kamailio.replace('lab/sti-ca-root.pem', root)} -m 32 -M 8`));
      await taken('5070');
      await runCommand(inFolder(directory, `${run} || true`));
      const { verdict, deterministic } = await summary('after');
      expect(deterministic.metrics['verdict_accuracy']).toMatchObject({ good, of: 2 * CALLS });
      expect(verdict).toBe(good === 2 * CALLS ? 'passed' : 'failed');
    },
    60_000,
  );
});

describePeer('sipp', 'SIPp at both ends, as the guide has it', () => {
  test('all calls of the plan are placed, carried and judged', async () => {
    const heading = 'SIPp as the dialer and as the called homes';
    const { directory, under, summary } = await follow(['5080', '5081', '5082', '8444']);
    await writeFile(join(directory, 'flood.yaml'), under(heading, 'yaml')[0] ?? '');
    const [lab = '', script = ''] = under(heading, 'sh');
    await runCommand(inFolder(directory, lab));
    const said = await runCommand(inFolder(directory, script));
    expect(said).toContain('PASSED: All 3 thresholds are met. No discrepancies found.');
    const { deterministic } = await summary('flooded');
    expect(deterministic.counts).toMatchObject({ placed: CALLS, byStatus: { 200: CALLS } });
    expect(deterministic.metrics['verdict_accuracy']).toMatchObject({ good: CALLS, of: CALLS });
  }, 60_000);
});
