import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PACKAGES } from '../house/packages.js';
import { ROOT, run } from '../house/run.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

// A clone after `npm ci` and before `npm run build`: the commands are linked, and say what is missing.

test('npm links both commands before dist exists, and they exit with 4 and say what to run', async () => {
  await using clone = await createTemporaryDirectory();
  for (const workspace of PACKAGES) {
    await cp(join(ROOT, workspace, 'bin'), join(clone.path, workspace, 'bin'), { recursive: true });
    const { name, version, type, bin } = JSON.parse(
      await readFile(join(ROOT, workspace, 'package.json'), 'utf8'),
    ) as Readonly<Record<string, unknown>>;
    await writeFile(join(clone.path, workspace, 'package.json'), JSON.stringify({ name, version, type, bin }));
  }
  await clone.write('package.json', JSON.stringify({ name: 'clone', private: true, workspaces: PACKAGES }));
  const installed = await run('npm', ['install', '--offline', '--no-audit', '--no-fund'], { cwd: clone.path });
  expect(installed).toMatchObject({ code: 0 });
  for (const command of ['hopback', 'hopback-harness']) {
    const { code, output } = await run('npx', ['--no', command, 'help'], { cwd: clone.path });
    expect(output).toContain(`${command}: dist is missing. Run \`npm run build\``);
    expect(code).toBe(4);
  }
});
