import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT, run } from '../house/run.js';

// The guide is followed as a contributor does: its file, its registrations and its commands, in a checkout of its own.

/** The longest that the file of a format may be, as the guide promises. */
const MAX_LINES = 120;

let checkout: string;
beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'hopback-checkout-'));
  const filter = (path: string): boolean => !['node_modules', '.git'].includes(basename(path));
  await cp(ROOT, checkout, { recursive: true, preserveTimestamps: true, filter });
  for (const folder of ['node_modules', 'sdk/node_modules']) await symlink(`${ROOT}${folder}`, join(checkout, folder));
}, 120_000);
afterAll(() => rm(checkout, { recursive: true, force: true }));

test('a switch format is added in one file, as the guide says', { timeout: 900_000 }, async () => {
  const guide = await readFile(`${ROOT}docs/guides/add-a-switch-format.md`, 'utf8');
  const [, format = ''] = /```ts\n([^]*?)```/.exec(guide) ?? [];
  expect(format.split('\n').length).toBeLessThanOrEqual(MAX_LINES);
  await writeFile(join(checkout, 'sdk/src/records/ingest/formats/example-switch.ts'), format);
  const vectors = join(checkout, 'test/vectors');
  await cp(join(vectors, 'new-format'), join(vectors, 'records/example-switch'), { recursive: true });

  const registrations = guide.matchAll(/^\d\. Add `([^`]+)` to `(\w+)` in `([^`]+)`/gm);
  for (const [, entry = '', list = '', path = ''] of registrations)
    await edit(path, new RegExp(`const ${list} =[^]*?[[{]\n`), (start) => `${start}${entry}\n`);
  const declared = 'sdk/src/records/ingest/source-configuration.ts';
  const imported = "import { createExampleSwitchReader } from './formats/example-switch.js';\n";
  await edit(declared, /^/, () => imported);

  const [build = '', imports = ''] = [...guide.matchAll(/```sh\n([^]*?)```/g)].map(([, commands = '']) => commands);
  const follow = (commands: string) => run('bash', ['-eu', '-c', commands], { cwd: checkout });
  expect(await follow(build)).toEqual({ code: 0, output: expect.stringContaining('example-switch') });
  expect(await follow(imports)).toEqual({ code: 1, output: expect.stringContaining('2 records') });
});

/** Changes one place of a file of the checkout. */
async function edit(path: string, place: RegExp, change: (found: string) => string): Promise<void> {
  const text = await readFile(join(checkout, path), 'utf8');
  expect(text).toMatch(place);
  await writeFile(join(checkout, path), text.replace(place, change));
}
