import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { createCliLab } from '../support/cli-lab.js';

// The command as it is installed: the built file, in a process of its own.
const MAIN = fileURLToPath(new URL('../../sdk/dist/cli/main.js', import.meta.url));

const lab = await createCliLab(Date.now());
afterAll(() => lab[Symbol.asyncDispose]());

interface SpawnOptions {
  readonly stdin?: string | Uint8Array;
  /** Stops reading standard output at its first octets. */
  readonly hangUp?: boolean;
}

async function hopback(args: readonly string[], { stdin, hangUp = false }: SpawnOptions = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env['PATH'] ?? '' } });
  const caught = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    caught.stdout += chunk.toString('utf8');
    if (hangUp) child.stdout.destroy();
  });
  child.stderr.on('data', (chunk: Buffer) => (caught.stderr += chunk.toString('utf8')));
  // A command that has read enough closes its end.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin ?? '');
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, ...caught };
}

const verify = (options: SpawnOptions, args: readonly string[] = []) =>
  hopback(['verify', ...lab.trust, ...lab.allow, ...args], options);

test('verifies an INVITE from standard input over real HTTPS and ends by itself', async () => {
  const { code, stdout, stderr } = await verify({ stdin: lab.invite({ dateMs: Date.now() }) });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('✓ passed');
  // Not a terminal, hence no colours.
  expect(stdout).not.toContain('\u001b');
});

test('exits with 1, 2, 3 and 4 as documented', async () => {
  const spoofed = lab.invite({ dateMs: Date.now(), origTn: '12025550166' });
  const codes = await Promise.all([
    verify({ stdin: spoofed }),
    verify({ stdin: '' }),
    verify({ stdin: lab.identityHeader() }),
    verify({}, [lab.path('absent')]),
  ]);
  expect(codes.map(({ code }) => code)).toEqual([1, 2, 3, 4]);
});

test('a reader that hangs up costs neither the exit code nor a stack trace, however large the document', async () => {
  const headers = Array.from({ length: 16 }, () => lab.identityHeader());
  for (const ended of [
    await verify({ stdin: lab.invite({ dateMs: Date.now() }), hangUp: true }, ['--json']),
    await hopback(['decode', '--json'], { stdin: headers.join('\n'), hangUp: true }),
  ])
    expect(ended).toMatchObject({ code: 0, signal: null, stderr: '' });
});

test.skipIf(!existsSync('/dev/full')).each([[['keygen', '--json']], [['help']]])(
  '%j into a full disk ends with 4 and says so',
  async (args) => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString('utf8')));
    expect((await once(child, 'close'))[0]).toBe(4);
    expect(stderr).toContain('ENOSPC');
  },
);

test('endless input is cut off, not collected', async () => {
  const { code, stderr } = await hopback(['decode'], { stdin: Buffer.alloc(4_000_000, 'x') });
  expect(code).toBe(2);
  expect(stderr).toContain('more than 262144 bytes');
});
