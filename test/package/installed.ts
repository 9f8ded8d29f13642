import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { pack, PACKAGES, type PackageJson, type PackedPackage } from '../house/packages.js';
import { ROOT, run, type Ended } from '../house/run.js';

/** A folder outside the repository in which a packed package is installed, as a user's project has it. */
export interface InstalledPackage extends AsyncDisposable {
  readonly folder: string;
  readonly packed: PackedPackage;
  /** Runs this Node in the folder. */
  readonly node: (argv: readonly string[]) => Promise<Ended>;
  /** package.json of an installed package; undefined when it is not there. */
  readonly manifest: (name: string) => Promise<PackageJson | undefined>;
}

/**
 * Packs a workspace, and those of ours that it depends on, and installs the tarballs without install scripts and without a network:
 * what they depend on is copied from what `npm ci` put here, so that the versions are those of the lockfile.
 * @param beside - packages that the user has installed beside it
 */
export async function installPackage(
  workspace: (typeof PACKAGES)[number],
  beside: readonly string[] = [],
): Promise<InstalledPackage> {
  const folder = await mkdtemp(join(tmpdir(), 'hopback-package-'));
  const remove = async (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const packed = await pack(workspace, join(folder, 'packed'));
    const dependencies = Object.fromEntries(beside.map((name) => [name, '*']));
    const manifest = { name: 'consumer', private: true, type: 'module', dependencies };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    const modules = join(folder, 'node_modules');
    const wanted = [`${ROOT}${workspace}`, ...beside.map((name) => installedFolder(name, ROOT))];
    const own = await copyDependencies(wanted, modules);
    for (const name of beside) await copyPackage(installedFolder(name, ROOT), modules);
    const others = await Promise.all(own.map(async (other) => pack(other, join(folder, 'packed'))));
    await npmInstall(
      folder,
      [packed, ...others].map(({ tarball }) => tarball),
    );
    return {
      folder,
      packed,
      node: (argv) => run(process.execPath, argv, { cwd: folder, env: plainEnvironment() }),
      manifest: async (name) => readManifest(join(folder, 'node_modules', name, 'package.json')),
      [Symbol.asyncDispose]: remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Copies the packages that the package.json of some folders declare, and all that those declare in turn, each once.
 * @returns the workspaces among them, which are not copied: they are to be packed
 */
async function copyDependencies(from: readonly string[], modules: string): Promise<readonly string[]> {
  const waiting = [...from];
  const copied = new Set<string>();
  const own = new Set<string>();
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    for (const name of await neededBy(folder)) {
      const workspace = PACKAGES.find((each) => name === `@hopback/${each}`);
      const found = workspace === undefined ? installedFolder(name, folder) : `${ROOT}${workspace}`;
      if (copied.has(found)) continue;
      copied.add(found);
      waiting.push(found);
      if (workspace !== undefined) {
        own.add(workspace);
        continue;
      }
      await copyPackage(found, modules);
    }
  }
  return [...own];
}

/** What a package depends on, and of what it can do without whatever this machine has. */
async function neededBy(folder: string): Promise<readonly string[]> {
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(
    await readFile(join(folder, 'package.json'), 'utf8'),
  ) as PackageJson;
  const optional = Object.keys(optionalDependencies);
  const here = optional.filter((name) => placeOf(name, folder) !== undefined);
  return [...new Set([...Object.keys(dependencies).filter((name) => !optional.includes(name)), ...here])];
}

/** Copies one package as it is installed here, to the place that it has here. */
async function copyPackage(found: string, modules: string): Promise<void> {
  const filter = (path: string): boolean => path === found || basename(path) !== 'node_modules';
  await cp(found, join(modules, relative(`${ROOT}node_modules`, found)), { recursive: true, filter });
}

/** Where Node would find a package for a file in the folder. */
function installedFolder(name: string, folder: string): string {
  const found = placeOf(name, folder);
  if (found === undefined) throw new Error(`${name} is not installed: npm ci`);
  return found;
}

function placeOf(name: string, folder: string): string | undefined {
  for (let above = folder; above.length >= ROOT.length - 1; above = dirname(above)) {
    const candidate = join(above, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
  }
  return undefined;
}

/** What the compiler says to a TypeScript user under the strictest NodeNext settings; empty when it compiles. */
export async function compileConsumer(
  { folder }: InstalledPackage,
  { specifiers, types }: { readonly specifiers: readonly string[]; readonly types: readonly string[] },
): Promise<string> {
  const imports = specifiers.map((specifier, index) => `import * as entry${index} from '${specifier}';`);
  const uses = specifiers.map((_specifier, index) => `entry${index}`).join(', ');
  await writeFile(
    join(folder, 'consumer.ts'),
    `${imports.join('\n')}\nexport const entries: readonly object[] = [${uses}];\n`,
  );
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: CONSUMER_OPTIONS, files: ['consumer.ts'] }),
  );
  // Beside its dependencies a TypeScript user has what the package says that it needs of them, and no more.
  for (const name of types) {
    const place = join(folder, 'node_modules', name);
    await mkdir(dirname(place), { recursive: true });
    await symlink(`${ROOT}node_modules/${name}`, place, 'dir');
  }
  return (await run(process.execPath, [`${ROOT}node_modules/typescript/bin/tsc`, '--project', folder])).output;
}

const CONSUMER_OPTIONS = {
  target: 'ES2023',
  lib: ['ES2023'],
  module: 'NodeNext',
  moduleResolution: 'NodeNext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  noEmit: true,
};

/** What an import loads, as paths below node_modules. */
export async function loadedModules(installed: InstalledPackage, specifier: string): Promise<readonly string[]> {
  const { folder, node } = installed;
  await copyFile(fileURLToPath(new URL('loaded-modules.mjs', import.meta.url)), join(folder, 'loaded-modules.mjs'));
  const { code, output } = await node(['loaded-modules.mjs', specifier]);
  if (code !== 0) throw new Error(`import of ${specifier} failed: ${output}`);
  const modules = pathToFileURL(join(folder, 'node_modules/')).href;
  return [...new Set(output.split('\n'))]
    .filter((url) => url.startsWith(modules))
    .map((url) => url.slice(modules.length));
}

/** Examples that need no package but this and those that it depends on: the test network's are those that import the harness. */
export async function examplesOf(workspace: (typeof PACKAGES)[number]): Promise<readonly string[]> {
  const names = (await readdir(EXAMPLES)).filter((name) => name.endsWith('.ts'));
  const needsHarness = await Promise.all(names.map(async (name) => importsHarness(name)));
  return names.filter((_name, index) => (needsHarness[index] === true) === (workspace === 'harness'));
}

const EXAMPLES = `${ROOT}examples`;

/** Whether an example or one of its neighbours that it imports uses the harness; neighbours do not import each other in circles. */
async function importsHarness(name: string): Promise<boolean> {
  const text = await readFile(`${EXAMPLES}/${name}`, 'utf8');
  if (/ from '@hopback\/harness/.test(text)) return true;
  const neighbours = [...text.matchAll(/ from '\.\/([^']+)\.js'/g)].map(([, neighbour]) => `${neighbour}.ts`);
  return (await Promise.all(neighbours.map(importsHarness))).includes(true);
}

/** Runs an example as the user of an installed package would, without its types: all else in it is plain JavaScript. */
export async function runExample({ folder, node }: InstalledPackage, name: string): Promise<Ended> {
  const examples = join(folder, 'examples');
  if (!existsSync(examples)) await compileExamples(examples);
  return node([join('examples', name.replace(/ts$/, 'js'))]);
}

async function compileExamples(into: string): Promise<void> {
  await cp(EXAMPLES, into, { recursive: true });
  const compilerOptions = { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
  for (const name of (await readdir(EXAMPLES)).filter((file) => file.endsWith('.ts'))) {
    const { outputText } = ts.transpileModule(await readFile(`${EXAMPLES}/${name}`, 'utf8'), { compilerOptions });
    await writeFile(join(into, name.replace(/ts$/, 'js')), outputText);
  }
}

async function npmInstall(folder: string, tarballs: readonly string[]): Promise<void> {
  const argv = [
    'install',
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    ...tarballs,
  ];
  const { code, output } = await run('npm', argv, { cwd: folder, env: plainEnvironment() });
  if (code !== 0) throw new Error(`npm install of the packed tarballs failed: ${output}`);
}

/** Without what npm tells its own scripts, which would point a second npm at this repository. */
function plainEnvironment(): Readonly<Record<string, string | undefined>> {
  const kept = Object.entries(process.env).filter(([name]) => !/^npm_|^NODE_OPTIONS$|^VITEST/.test(name));
  return Object.fromEntries(kept);
}

async function readManifest(path: string): Promise<PackageJson | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as PackageJson);
}
