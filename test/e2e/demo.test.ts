import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

// The command line around the demo. That what it finds is true is held against a whole run in test/peers/demo.test.ts, whose files have the machine for
// themselves.

const MAIN = fileURLToPath(new URL('../../harness/dist/cli/main.js', import.meta.url));

/** The environment of the child holds nothing that could colour or configure it. */
const harness = (args: readonly string[], stdout: 'pipe' | number = 'pipe') =>
  spawnSync(process.execPath, [MAIN, ...args], {
    encoding: 'utf8',
    env: {},
    timeout: 50_000,
    stdio: ['ignore', stdout, 'pipe'],
  });

test.each([
  [['demo', '--seed', 'x'], '--seed'],
  [['--bogus'], '--bogus'],
  [['--help=yes'], '--help'],
  [['demo', 'twice'], 'no operand'],
  [['dmeo'], 'demo'],
])('%j is not understood: exit code 2, and nothing is run', (args, told) => {
  const { status, stdout, stderr } = harness(args);
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toContain(told);
});

test('demo --json is refused in JSON, as all that goes wrong with --json', () => {
  const { status, stdout, stderr } = harness(['demo', '--json']);
  expect({ status, error: JSON.parse(stdout) }).toMatchObject({ status: 2, error: { code: 'usage', exitCode: 2 } });
  expect(stderr).toContain('run demo --json');
});

test.each([[[]], [['--help']], [['-h']]])('%j prints the help', (args: readonly string[]) => {
  const { status, stdout, stderr } = harness(args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('--version');
});

test.each([['--version'], ['-v']])('%s prints the version', (flag) => {
  const { status, stdout, stderr } = harness([flag]);
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    stderr: '',
  });
});

test('help COMMAND prints what COMMAND --help prints', () => {
  for (const words of [['run'], ['conformance'], ['campaigns', 'list']])
    expect(harness(['help', ...words])).toMatchObject({ status: 0, stdout: harness([...words, '--help']).stdout });
});

test('demo --help says what there is to see, and runs nothing', () => {
  const { status, stdout, stderr } = harness(['demo', '--help']);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain('--keep');
  expect(stdout).not.toContain('WHAT HAPPENED');
});

test.skipIf(!existsSync('/dev/full')).each([[['demo', '--help']], [['--help']], [['--version']]])(
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

test('a reader that hangs up costs nothing', async () => {
  const child = spawn(process.execPath, [MAIN, 'list'], { env: {} });
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
