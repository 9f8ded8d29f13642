import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageJson, PACKAGES, type PackageJson } from '../house/packages.js';
import { printedBy } from '../house/reference.js';
import { ROOT } from '../house/run.js';
import { compileConsumer, examplesOf, installPackage, loadedModules, runExample } from './installed.js';
import type { InstalledPackage } from './installed.js';

interface Expected {
  /** Packages that a user has installed beside it. */
  readonly beside: readonly string[];
  readonly command: string;
  readonly files: readonly string[];
}

const EXPECTED: Readonly<Record<(typeof PACKAGES)[number], Expected>> = {
  sdk: { beside: [], command: 'hopback', files: ['dist/index.js', 'dist/index.d.ts', 'src/index.ts'] },
  harness: {
    // The applications under test bring drachtio-srf along.
    ...{ beside: ['drachtio-srf'], command: 'hopback-harness' },
    files: ['dist/drachtio/index.js', 'dist/index.d.ts', 'src/index.ts', 'src/scenario/shipped/everything.yaml'],
  },
};

/** Needs vitest, which users of the matchers have. */
const WITH_VITEST = '@hopback/harness/vitest';

const entriesOf = async (workspace: (typeof PACKAGES)[number]): Promise<readonly string[]> =>
  Object.entries((await packageJson(workspace)).exports)
    .filter(([, target]) => typeof target !== 'string')
    .map(([entry]) => `@hopback/${workspace}${entry.slice(1)}`);
const [entries, examples] = [
  { sdk: await entriesOf('sdk'), harness: await entriesOf('harness') },
  { sdk: await examplesOf('sdk'), harness: await examplesOf('harness') },
];

describe.each(PACKAGES)('@hopback/%s', (workspace) => {
  const { beside, command, files } = EXPECTED[workspace];
  let installed: InstalledPackage;
  beforeAll(async () => {
    installed = await installPackage(workspace, beside);
  }, 120_000);
  afterAll(async () => installed[Symbol.asyncDispose]());

  const evaluated = (program: string): ReturnType<InstalledPackage['node']> =>
    installed.node(['--input-type=module', '--eval', program]);

  test('carries code, types, sources, licence and readme, and prints its size', async () => {
    const { tarball, unpackedSizeBytes, files: packed } = installed.packed;
    const { size } = await stat(tarball);
    console.log(`tarball ${kib(size)}, unpacked ${kib(unpackedSizeBytes)}, ${packed.length} files`);
    const expected: readonly unknown[] = ['LICENSE', 'README.md', ...files];
    expect(packed.map(({ path }) => path)).toEqual(expect.arrayContaining([...expected]));
  });

  test('has entries that each import in plain Node, and bring something', async () => {
    const names = entries[workspace].filter((entry) => entry !== WITH_VITEST);
    const { code, output } = await evaluated(
      `for (const name of ${JSON.stringify(names)})
        console.log(name, Object.keys(await import(name).catch((error) => console.log(error) ?? {})).length > 0);`,
    );
    expect({ code, lines: output.trim().split('\n') }).toEqual({ code: 0, lines: names.map((name) => `${name} true`) });
  });

  // Before others install what types of peers it needs.
  if (workspace === 'sdk')
    test('hopback redirect says what to install where drachtio-srf is missing', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'hopback-secret-'));
      await writeFile(join(folder, 'secret'), 'cymru', { mode: 0o600 });
      const { code, output } = await installed.node([
        ...['node_modules/@hopback/sdk/dist/cli/main.js', 'redirect', '--drachtio', '127.0.0.1:1'],
        ...['--secret-file', join(folder, 'secret'), '--mode', 'verify'],
      ]);
      await rm(folder, { recursive: true });
      expect({ code, output }).toEqual({ code: 4, output: expect.stringContaining('npm install drachtio-srf') });
    });

  test('compiles for a TypeScript user under the strictest NodeNext settings, with the types of its peers alone', async () => {
    const types = Object.keys((await packageJson(workspace)).peerDependencies ?? {});
    await expect(compileConsumer(installed, { specifiers: entries[workspace], types })).resolves.toBe('');
  });

  test('installs its command, which prints how to use it', async () => {
    const { code, output } = await installed.node([`node_modules/.bin/${command}`, '--help']);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining(command) });
  });

  test.each(examples[workspace])('runs the example %s, which prints what it states', async (name) => {
    const { code, output } = await runExample(installed, name);
    expect({ code, output }).toMatchObject({ code: 0 });
    const stated = printedBy(await readFile(`${ROOT}examples/${name}`, 'utf8'));
    expect(output.split('\n').filter((line) => stated.includes(line))).toEqual(stated);
  });

  if (workspace === 'sdk')
    test('loads for ./stir its declared packages and nothing of the test kit, zod or an ASN.1 stack', async () => {
      const loaded = await loadedModules(installed, '@hopback/sdk/stir');
      const ours = loaded.filter((path) => path.startsWith('@hopback/'));
      expect(ours.filter((path) => !/^@hopback\/sdk\/dist\/(?:core\/|stir\/|errors\.js$)/.test(path))).toEqual([]);
      const others = new Set(loaded.filter((path) => !path.startsWith('@hopback/')).map((path) => packageOf(path)));
      const allowed = await withTheirDependencies(installed, STIR_PACKAGES);
      expect([...others].filter((name) => !allowed.has(name))).toEqual([]);
    });
  else {
    test('loads for ./drachtio ws, and errors and timers of the sdk, and nothing of phones, sip.js or drachtio-srf', async () => {
      const loaded = await loadedModules(installed, '@hopback/harness/drachtio');
      const allowed =
        /^ws\/|^@hopback\/harness\/dist\/drachtio\/|^@hopback\/sdk\/dist\/(?:errors|internal\/runtime|core\/runtime\/[a-z-]+)\.js$/;
      expect(loaded.filter((path) => !allowed.test(path))).toEqual([]);
      expect(loaded).toContain('@hopback/harness/dist/drachtio/server.js');
    });
  }
});

/** What verification and signing may load of others: nothing that a carrier's switch would not want in its call path. */
const STIR_PACKAGES = ['jose', 'lru-cache', 'http-cache-semantics'];

/** The packages and all that they in turn declare. */
async function withTheirDependencies(
  installed: InstalledPackage,
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  const closure = new Set<string>();
  const waiting = [...names];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (closure.has(name)) continue;
    closure.add(name);
    const manifest: PackageJson | undefined = await installed.manifest(name);
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
