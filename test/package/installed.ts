import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, type PackageJson, type PackedPackage } from '../house/packages.js';
import { run, type Ended } from '../house/run.js';

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
 * Packs the sdk and installs the tarball without install scripts. Its dependencies come from the registry that npm is set
 * up with, or from npm's cache.
 */
export async function installSdk(): Promise<InstalledSdk> {
  const folder = await mkdtemp(join(tmpdir(), 'hopback-package-'));
  const remove = async (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const packed = await pack('sdk', join(folder, 'packed'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }));
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

async function npmInstall(folder: string, tarball: string): Promise<void> {
  const argv = [
    'install',
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    tarball,
  ];
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
