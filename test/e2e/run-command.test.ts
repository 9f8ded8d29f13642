import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { readRunSummary } from '../../harness/src/report/index.js';
import { ROOT } from '../house/run.js';
import { harnessCommand } from '../support/itg-command.js';
import { freePorts } from '../support/recipe.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

// The command as somebody types it, over real SIP.

const PROGRAM = join(ROOT, 'harness/dist/cli/main.js');

const directory = await createTemporaryDirectory();
afterAll(directory.close);

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function harness(...argv: readonly string[]): Promise<Ended> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [PROGRAM, ...argv], {
      cwd: directory.path,
      timeout: 240_000,
    });
    return { code: 0, stdout, stderr };
  } catch (error) {
    return error as Ended;
  }
}

/** Calls alone, without a platform: as little as a run can be. */
const SCENARIO = `format: hopback.scenario.1
name: two-carriers
why: Two carriers and an office.
seed: 3
providers:
  - { id: alder, role: originating, numbers: ['1303555'] }
  - { id: birch, role: terminating, numbers: ['1202555'] }
trunks: [{ from: alder, to: birch }]
callers:
  - id: office
    kind: ordinary
    at: alder
    numbers: { kind: own, numbers: [13035550100-13035550109] }
    calls: [homes]
    durationSeconds: { from: 0.2, to: 0.4 }
called: [{ id: homes, at: birch, first: '12025550100', count: 20 }]
phases: [{ name: flood, seconds: 2, rate: { shape: constant, perSecond: 5 } }]
thresholds:
  calls_wrong: [count==0]
  verdict_accuracy: [rate==1]
  troubles: [count==0]
`;

test('run carries a scenario out, replay places one of its calls again, and diff finds two runs of a seed to be the same', async () => {
  await directory.write('two.yaml', SCENARIO);
  for (const out of ['one', 'two']) {
    const run = await harness('run', 'two.yaml', '--out', out, '--timeout', '120');
    expect(run.stdout).toContain('PASSED');
    expect(run.code).toBe(0);
  }
  const read = readRunSummary(await readFile(directory.at('one/summary.json'), 'utf8'));
  expect(read).toMatchObject({
    status: 'read',
    summary: { deterministic: { counts: { planned: 10, placed: 10, byStatus: { 200: 10 } } } },
  });
  const diff = await harness('diff', 'one', 'two');
  expect([diff.code, diff.stdout.split('\n')[0]]).toEqual([
    0,
    'Both runs had the same results; only times, and what depends on them, differ.',
  ]);
  const replay = await harness('replay', '4', 'one', '--trace');
  expect(replay.stdout).toMatch(/INVITE .*->|--- INVITE ---/);
  expect(replay.stdout).toContain('PASSED');
  expect(replay.code).toBe(0);
}, 300_000);

test('what init writes passes over real SIP, no ordinary call is in the campaign, and the kept platform answers as run says', async () => {
  expect(await harness('init', 'first.yaml')).toMatchObject({ code: 0 });
  // How fast a busy machine sets calls up says nothing about the file.
  const options = ['--shorten', '4', '--set', 'setupMs=60000', '--out', 'first', '--keep'];
  const run = spawn(process.execPath, [PROGRAM, 'run', 'first.yaml', ...options], { cwd: directory.path });
  onTestFinished(() => void run.kill('SIGKILL'));
  const ended = once(run, 'exit');
  const lines: string[] = [];
  for await (const line of createInterface(run.stdout)) if (lines.push(line) > 0 && line.includes('alerts list')) break;
  expect(lines).toContainEqual(expect.stringContaining('PASSED: All 5 thresholds are met.'));
  const [, command = ''] = /hopback-harness (alerts list.*)/.exec(lines.at(-1) ?? '') ?? [];
  expect(await harness(...command.split(' '))).toMatchObject({ code: 0, stderr: '' });
  run.kill('SIGINT');
  expect(await ended).toEqual([0, null]);
  const read = readRunSummary(await readFile(directory.at('first/summary.json'), 'utf8'));
  expect(read).toMatchObject({
    summary: { measured: { metrics: { campaign_precision: { value: 1 } }, findings: [] } },
  });
}, 300_000);

test('a drachtio-server that cannot be reached ends the run with 4', async () => {
  await directory.write('two.yaml', SCENARIO);
  const [port] = await freePorts(1);
  const run = await harness('run', 'two.yaml', '--out', 'gone', '--drachtio', `birch=127.0.0.1:${String(port)}`);
  expect([run.code, run.stderr]).toEqual([4, expect.stringContaining('no drachtio server takes applications')]);
}, 60_000);

test('a scenario that cannot be used is reported with its line; an option that cannot be used is usage', async () => {
  const { at } = directory;
  const file = await directory.write('bad.yaml', SCENARIO.replace('at: alder', 'at: aldre'));
  const bad = await harnessCommand(['run', file]);
  expect([bad.exitCode, /bad\.yaml:\d+:\d+: .*aldre/.test(bad.err)]).toEqual([2, true]);
  for (const argv of [
    ['run'],
    ['run', 'nothing'],
    ['run', 'direct', '--pcap', 'some'],
    ['run', 'direct', '--external', 'alder=nowhere'],
    ['lab', 'direct', at('strange'), '--external', 'alder=sip:127.0.0.1:99999'],
    ['lab', 'direct', at('strange'), '--listen', 'alder=127.0.0.1:0'],
    ['run', 'direct', '--external', 'nobody=sip:127.0.0.1:5060', '--out', at('strange')],
    ['run', 'direct', '--listen', 'nobody=127.0.0.1:5060', '--out', at('strange')],
    ['lab', 'direct', at('strange'), '--await', 'nobody'],
    ['replay', 'x', 'direct'],
    ['diff', at('a')],
  ])
    expect([argv, (await harnessCommand(argv)).exitCode]).toEqual([argv, 2]);
  expect((await harnessCommand(['diff', at('a'), at('b')])).exitCode).toBe(4);
});

test('a plan without calls is refused, also by --dry-run: 99, and nothing is written', async () => {
  const file = await directory.write('two.yaml', SCENARIO);
  const out = directory.at('none');
  for (const how of [['--dry-run'], []]) {
    const run = await harnessCommand(['run', file, '--shorten', '1000', '--out', out, ...how]);
    expect([run.exitCode, run.out]).toEqual([99, '']);
    expect(run.err).toContain('two-carriers, seed 3, has no call to place');
  }
  await expect(readdir(out)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('lab writes the settings for programs of others, and a folder that was prepared before keeps its keys', async () => {
  await directory.write('two.yaml', SCENARIO);
  const read = (name: string): Promise<string> => readFile(directory.at('lab', name), 'utf8');
  const settings = ['--external', 'birch=sip:127.0.0.1:5070', '--listen', 'alder=127.0.0.1:5071', '--await', 'office'];
  expect((await harness('lab', 'two.yaml', 'lab', ...settings)).code).toBe(0);
  const names = ['birch/signing-key.pem', 'birch/signing-chain.pem', 'lab.json'];
  const before = await Promise.all(names.map(read));
  expect(await read('README.md')).toMatch(/Birch .*sip:127\.0\.0\.1:5070[\s\S]*office\.csv[\s\S]*127\.0\.0\.1:5071/);
  expect((await read('office.csv')).trim().split('\n')).toHaveLength(11);
  expect((await harness('lab', 'two.yaml', 'lab', ...settings)).code).toBe(0);
  expect(await Promise.all(names.map(read))).toEqual(before);
  await directory.write('lab/lab.json', '{}');
  expect((await harness('run', 'lab')).code).toBe(2);
}, 120_000);
