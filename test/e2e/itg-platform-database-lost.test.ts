import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { startPlatformCommand } from '../support/itg-command.js';

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
  const directory = join(folder.path, 'platform');
  await using platform = startPlatformCommand(['--directory', directory], { NODE_OPTIONS: `--import=${preload}` });
  expect((await platform.ended).code).not.toBe(0);
  expect(platform.errors()).toContain('the embedded database has failed: memory access out of bounds');
});
