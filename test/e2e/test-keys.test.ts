import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const TESTING = new URL('../../sdk/dist/testing/index.js', import.meta.url).href;
const KEYS = 6_000;
/** They take fifteen seconds of a processor, of which others may take most. */
const PATIENCE_MS = 150_000;

test(
  'making keys never hangs, however often the garbage is collected meanwhile',
  () => {
    const program = `import { createTestKey } from '${TESTING}';
    for (let made = 0; made < ${String(KEYS)}; made += 1) createTestKey();`;
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--max-semi-space-size=1', '--input-type=module', '--eval', program],
      { encoding: 'utf8', timeout: PATIENCE_MS, cwd: fileURLToPath(new URL('../..', import.meta.url)) },
    );
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  },
  PATIENCE_MS + 10_000,
);
