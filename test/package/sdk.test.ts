import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageJson, type PackageJson } from '../house/packages.js';
import { printedBy } from '../house/reference.js';
import { ROOT } from '../house/run.js';
import { compileConsumer, examplesOf, installPackage, loadedModules, runExample } from './installed.js';
import type { InstalledPackage } from './installed.js';

/** What verification and signing may load of others: nothing that a carrier's switch would not want in its call path. */
const STIR_PACKAGES = ['jose', 'lru-cache', 'http-cache-semantics'];

const { exports: exported } = await packageJson('sdk');
const specifiers = Object.entries(exported)
  .filter(([, target]) => typeof target !== 'string')
  .map(([entry]) => `@hopback/sdk${entry.slice(1)}`);
const examples = await examplesOf('sdk');

let sdk: InstalledPackage;

beforeAll(async () => {
  sdk = await installPackage('sdk');
}, 120_000);

afterAll(async () => sdk[Symbol.asyncDispose]());

test('the package carries code, types, sources, licence and readme, and says its size', async () => {
  const { size } = await stat(sdk.packed.tarball);
  console.log(
    `@hopback/sdk: tarball ${kib(size)}, unpacked ${kib(sdk.packed.unpackedSizeBytes)}, ${sdk.packed.files.length} files`,
  );
  const paths = sdk.packed.files.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/index.d.ts', 'src/index.ts']),
  );
});

test.each(specifiers)('%s imports in plain Node', async (specifier) => {
  const { code, output } = await sdk.node([
    '--input-type=module',
    '--eval',
    `process.stdout.write(String(Object.keys(await import('${specifier}')).length))`,
  ]);
  expect({ code, output }).toEqual({ code: 0, output: expect.stringMatching(/^[1-9]\d*$/) });
});

// Before others install what types of peers it needs.
test('hopback redirect says what to install where drachtio-srf is missing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hopback-secret-'));
  await writeFile(join(folder, 'secret'), 'cymru', { mode: 0o600 });
  const { code, output } = await sdk.node([
    ...['node_modules/@hopback/sdk/dist/cli/main.js', 'redirect', '--drachtio', '127.0.0.1:1'],
    ...['--secret-file', join(folder, 'secret'), '--mode', 'verify'],
  ]);
  await rm(folder, { recursive: true });
  expect({ code, output }).toEqual({ code: 4, output: expect.stringContaining('npm install drachtio-srf') });
});

test('a TypeScript consumer compiles under the strictest NodeNext settings', async () => {
  const types = Object.keys((await packageJson('sdk')).peerDependencies ?? {});
  await expect(compileConsumer(sdk, { specifiers, types })).resolves.toBe('');
});

test('importing ./stir loads its declared packages and nothing of the test kit, zod or an ASN.1 stack', async () => {
  const loaded = await loadedModules(sdk, '@hopback/sdk/stir');
  const ours = loaded.filter((path) => path.startsWith('@hopback/'));
  expect(ours.filter((path) => !/^@hopback\/sdk\/dist\/(?:core\/|stir\/|errors\.js$)/.test(path))).toEqual([]);
  const others = new Set(loaded.filter((path) => !path.startsWith('@hopback/')).map((path) => packageOf(path)));
  console.log(`@hopback/sdk/stir loads ${loaded.length} modules of ${[...others].toSorted().join(', ')}`);
  const allowed = await withTheirDependencies(STIR_PACKAGES);
  expect([...others].filter((name) => !allowed.has(name))).toEqual([]);
});

test('the hopback command is installed and says how to use it', async () => {
  const { code, output } = await sdk.node(['node_modules/.bin/hopback', '--help']);
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('hopback') });
});

test.each(examples)('example %s runs against the installed package', async (name) => {
  const { code, output } = await runExample(sdk, name);
  expect({ code, output }).toMatchObject({ code: 0 });
  const said = printedBy(await readFile(`${ROOT}examples/${name}`, 'utf8'));
  expect(output.split('\n').filter((line) => said.includes(line))).toEqual(said);
});

/** The packages and all that they in turn declare. */
async function withTheirDependencies(names: readonly string[]): Promise<ReadonlySet<string>> {
  const closure = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (closure.has(name)) continue;
    closure.add(name);
    const manifest: PackageJson | undefined = await sdk.manifest(name);
    waiting.push(...Object.keys(manifest?.dependencies ?? {}));
  }
  return closure;
}

function packageOf(path: string): string {
  const [scope = '', name = ''] = path.split('/');
  return scope.startsWith('@') ? `${scope}/${name}` : scope;
}

function kib(bytes: number): string {
  return `${Math.round(bytes / 1024)} KiB`;
}
