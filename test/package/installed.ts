import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { pack, type PackageJson, type PackedPackage } from '../house/packages.js';
import { ROOT, run, type Ended } from '../house/run.js';

/** A folder outside the repository in which the packed sdk is installed, as a user's project has it. */
export interface InstalledSdk extends AsyncDisposable {
  readonly folder: string;
  readonly packed: PackedPackage;
  /** Runs this Node in the folder. */
  readonly node: (argv: readonly string[]) => Promise<Ended>;
  /** package.json of an installed package; undefined when it is not there. */
  readonly manifest: (name: string) => Promise<PackageJson | undefined>;
}

/**
 * Packs the sdk and installs the tarball without install scripts and without a network: what it depends on is copied from what
 * `npm ci` put here, so that the versions are those of the lockfile.
 */
export async function installSdk(): Promise<InstalledSdk> {
  const folder = await mkdtemp(join(tmpdir(), 'hopback-package-'));
  const remove = async (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const packed = await pack('sdk', join(folder, 'packed'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
    await copyDependencies(`${ROOT}sdk`, join(folder, 'node_modules'));
    await npmInstall(folder, packed.tarball);
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

/** Copies the packages that a folder's package.json declares, and all that those declare in turn, each once. */
async function copyDependencies(from: string, modules: string): Promise<void> {
  const waiting = [from];
  const copied = new Set<string>();
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    const { dependencies = {} } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as PackageJson;
    for (const name of Object.keys(dependencies)) {
      const found = installedFolder(name, folder);
      if (copied.has(found)) continue;
      copied.add(found);
      waiting.push(found);
      const filter = (path: string): boolean => path === found || basename(path) !== 'node_modules';
      await cp(found, join(modules, relative(`${ROOT}node_modules`, found)), { recursive: true, filter });
    }
  }
}

/** Where Node would find a package for a file in the folder. */
function installedFolder(name: string, folder: string): string {
  for (let above = folder; above.length >= ROOT.length - 1; above = dirname(above)) {
    const candidate = join(above, 'node_modules', name);
    if (existsSync(join(candidate, 'package.json'))) return candidate;
  }
  throw new Error(`${name} is not installed: npm ci`);
}

async function npmInstall(folder: string, tarball: string): Promise<void> {
  const argv = ['install', '--ignore-scripts', '--offline', '--no-audit', '--no-fund', '--no-package-lock', tarball];
  const { code, output } = await run('npm', argv, { cwd: folder, env: plainEnvironment() });
  if (code !== 0) throw new Error(`npm install of the packed sdk failed: ${output}`);
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
