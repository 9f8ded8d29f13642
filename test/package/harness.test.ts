import { readFile, stat } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageJson } from '../house/packages.js';
import { printedBy } from '../house/reference.js';
import { ROOT } from '../house/run.js';
import { compileConsumer, examplesOf, installPackage, loadedModules, runExample } from './installed.js';
import type { InstalledPackage } from './installed.js';

const { exports: exported } = await packageJson('harness');
const specifiers = Object.entries(exported)
  .filter(([, target]) => typeof target !== 'string')
  .map(([entry]) => `@hopback/harness${entry.slice(1)}`);
const examples = await examplesOf('harness');

let harness: InstalledPackage;

beforeAll(async () => {
  // The applications under test bring drachtio-srf along.
  harness = await installPackage('harness', ['drachtio-srf']);
}, 120_000);

afterAll(async () => harness[Symbol.asyncDispose]());

test('the package carries code, types, sources, licence and readme, and says its size', async () => {
  const { size } = await stat(harness.packed.tarball);
  const { unpackedSizeBytes, files } = harness.packed;
  console.log(`@hopback/harness: tarball ${kib(size)}, unpacked ${kib(unpackedSizeBytes)}, ${files.length} files`);
  expect(files.map(({ path }) => path)).toEqual(
    expect.arrayContaining([
      ...['LICENSE', 'README.md', 'dist/drachtio/index.js', 'dist/index.d.ts', 'src/index.ts'],
      'src/scenario/shipped/everything.yaml',
    ]),
  );
});

// The matchers need vitest, which whoever takes them has.
const alone = specifiers.filter((specifier) => specifier !== '@hopback/harness/vitest');

test.each(alone)('%s imports in plain Node', async (specifier) => {
  const { code, output } = await harness.node([
    '--input-type=module',
    '--eval',
    `process.stdout.write(String(Object.keys(await import('${specifier}')).length))`,
  ]);
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^[1-9]\d*$/) });
});

test('a server of ./drachtio starts, listens on loopback and closes, and the process ends', async () => {
  const program = `
    import { createDrachtioServer } from '@hopback/harness/drachtio';
    const server = await createDrachtioServer();
    console.log(server.uri().startsWith('sip:127.0.0.1:'), server.control.host);
    await server.close();
    console.log(Object.values(server.inUse()).every((count) => count === 0));`;
  const { code, output } = await harness.node(['--input-type=module', '--eval', program]);
  expect({ code, output }).toEqual({ code: 0, output: 'true 127.0.0.1\ntrue\n' });
});

test('importing ./drachtio loads ws, and errors and timers of the sdk, and nothing of phones, sip.js or drachtio-srf', async () => {
  const loaded = await loadedModules(harness, '@hopback/harness/drachtio');
  const allowed =
    /^ws\/|^@hopback\/harness\/dist\/drachtio\/|^@hopback\/sdk\/dist\/(?:errors|internal\/index|core\/runtime\/[a-z-]+)\.js$/;
  expect(loaded.filter((path) => !allowed.test(path))).toEqual([]);
  expect(loaded).toContain('@hopback/harness/dist/drachtio/server.js');
});

test('a TypeScript consumer of both entries compiles under the strictest NodeNext settings, without the types of a browser', async () => {
  const types = Object.keys((await packageJson('harness')).peerDependencies ?? {});
  await expect(compileConsumer(harness, { specifiers, types })).resolves.toBe('');
});

test('the hopback-harness command is installed and says how to use it', async () => {
  const { code, output } = await harness.node(['node_modules/.bin/hopback-harness', '--help']);
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('hopback-harness') });
});

test.each(examples)('example %s runs against the installed package', async (name) => {
  const { code, output } = await runExample(harness, name);
  expect({ code, output }).toMatchObject({ code: 0 });
  const said = printedBy(await readFile(`${ROOT}examples/${name}`, 'utf8'));
  expect(output.split('\n').filter((line) => said.includes(line))).toEqual(said);
});

function kib(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`;
}
