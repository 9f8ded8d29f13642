import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const MAIN = fileURLToPath(new URL('../../harness/dist/cli/main.js', import.meta.url));

/** The environment of the child holds nothing that could colour or configure it. */
const demo = () => spawnSync(process.execPath, [MAIN, 'demo'], { encoding: 'utf8', env: {}, timeout: 30_000 });

test('the demo explains a genuine call, refuses what was tampered with, and ends cleanly', () => {
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
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(/^✓ 8 of 8 verdicts as they should be; [1-9]\d* HTTPS requests/);
});

test('the root package runs it by npm run demo', async () => {
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  expect(scripts['demo']).toContain('harness/dist/cli/main.js demo');
});
