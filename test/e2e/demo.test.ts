import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../harness/dist/cli/main.js', import.meta.url));

/** The environment of the child holds nothing that could colour or configure it. */
const harness = (args: readonly string[], stdout: 'pipe' | number = 'pipe') =>
  spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: {},
    timeout: 50_000,
    stdio: ['ignore', stdout, 'pipe'],
  });
const demo = () => harness(['demo']);

test('the demo explains a genuine call, refuses what was tampered with, survives a kill without losing a call, and ends cleanly', () => {
  const startMs = performance.now();
  const { status, stdout, stderr } = demo();
  // A demo that does not end should say how far it came.
  expect({ status, stderr, stdout }).toMatchObject({ status: 0, stderr: '' });
  expect(stdout).toContain('✓ passed: TN-Validation-Passed, attestation A, signed by SPC 1234');
  expect(stdout).toMatch(/^ {2}✓ certificate-fetched/m);
  for (const reason of [
    'orig-mismatch',
    'signature-invalid',
    'date-stale',
    'no-path-to-trust-anchor',
    'certificate-revoked',
    'x5u-unreachable',
  ]) {
    expect(stdout).toContain(reason);
  }
  expect(stdout).toContain('Seen twice now');
  expect(stdout).toMatch(/^✓ 8 of 8 verdicts as they should be; [1-9]\d* HTTPS requests/m);
  expect(stdout).toContain('kill -9');
  expect(stdout).toMatch(
    /^ +4,000 {2}rows written by the switch\n +4,000 {2}records in the store\n +4,000 {2}different records/m,
  );
  expect(stdout).toMatch(/^ +[1-9][\d,]* {2}came twice and were recognised by their id$/m);
  expect(stdout).toMatch(/^✓ 4,000 of 4,000 calls at the platform: none lost, none stored twice, killed once at call/m);
  // Under 20 s on a machine that does nothing else; here tests run beside it.
  expect(performance.now() - startMs).toBeLessThan(40_000);
});

test.each([
  [['demo', '--json'], '--json'],
  [['--bogus'], '--bogus'],
  [['--help=yes'], '--help'],
  [['demo', 'twice'], 'operands'],
  [['dmeo'], 'demo'],
])('%j is not understood: exit code 2, and nothing is run', (args, told) => {
  const { status, stdout, stderr } = harness(args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(told);
});

test.each([[[]], [['--help']], [['-h']], [['demo', '--help']]])('%j prints the help', (args: readonly string[]) => {
  const { status, stdout, stderr } = harness(args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('--version');
  expect(stdout).not.toContain('passed');
});

test.skipIf(!existsSync('/dev/full')).each([[['demo']], [['--help']], [['--version']]])(
  '%j into a full disk ends with 4 and says so',
  (args) => {
    const full = openSync('/dev/full', 'w');
    try {
      const { status, stderr } = harness(args, full);
      expect(status).toBe(4);
      expect(stderr).toContain('ENOSPC');
    } finally {
      closeSync(full);
    }
  },
);

test('a reader that hangs up costs the demo nothing', async () => {
  const child = spawn(process.execPath, [MAIN, 'demo'], { env: {} });
  child.stdout.once('data', () => child.stdout.destroy());
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
  const status = await new Promise((resolve) => child.on('close', resolve));
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('the root package runs it by npm run demo', async () => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  expect(scripts['demo']).toContain('harness/dist/cli/main.js demo');
});
