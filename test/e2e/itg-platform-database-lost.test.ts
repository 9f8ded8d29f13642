import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

const MAIN = fileURLToPath(new URL('../../harness/dist/cli/main.js', import.meta.url));

/** The engine of the embedded database fails at its hundredth message. */
const PRELOAD = `
  import { PGlite } from ${JSON.stringify(import.meta.resolve('@electric-sql/pglite'))};
  const { execProtocolRawStream } = PGlite.prototype;
  let messages = 0;
  PGlite.prototype.execProtocolRawStream = function (...given) {
    messages += 1;
    if (messages >= 100) throw new Error('memory access out of bounds');
    return execProtocolRawStream.apply(this, given);
  };
`;

test('a platform whose embedded database has failed does not stay up', async () => {
  await using folder = await createTemporaryDirectory();
  const preload = join(folder.path, 'preload.mjs');
  await writeFile(preload, PRELOAD);
  const child = spawn(
    process.execPath,
    ['--import', preload, MAIN, 'platform', '--directory', join(folder.path, 'platform'), '--port', '0'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let said = '';
  child.stderr.on('data', (octets: Buffer) => (said += octets.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  expect(code).not.toBe(0);
  expect(said).toContain('the embedded database has failed: memory access out of bounds');
});
