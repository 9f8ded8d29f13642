import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { run, tool, ROOT } from './run.js';

/** The workspaces that are published. */
export const PACKAGES = ['sdk', 'harness'] as const;

/** A package as it would be published. */
export interface PackedPackage {
  /** Absolute path of the tarball. */
  readonly tarball: string;
  readonly files: readonly { readonly path: string; readonly size: number }[];
  readonly unpackedSizeBytes: number;
}

/** The parts of a package.json that the house looks at. */
export interface PackageJson {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** Reads a workspace's package.json. */
export async function packageJson(workspace: string): Promise<PackageJson> {
  return JSON.parse(await readFile(`${ROOT}${workspace}/package.json`, 'utf8')) as PackageJson;
}

/**
 * Packs a workspace as `npm publish` would.
 * @param workspace - its folder
 * @param destination - the folder that takes the tarball; made when it is not there
 */
export async function pack(workspace: string, destination: string): Promise<PackedPackage> {
  await mkdir(destination, { recursive: true });
  const argv = ['pack', '--json', '--ignore-scripts', '--pack-destination', destination];
  const { code, output } = await run('npm', argv, { cwd: `${ROOT}${workspace}` });
  if (code !== 0) throw new Error(`npm pack failed in ${workspace}: ${output}`);
  const [packed] = parsePacked(output);
  if (packed === undefined) throw new Error(`npm pack said nothing in ${workspace}: ${output}`);
  return { tarball: `${destination}/${packed.filename}`, files: packed.files, unpackedSizeBytes: packed.unpackedSize };
}

/** Compiles the packages, so that what is looked at is what the sources are now. */
export async function builtPackages(): Promise<readonly string[]> {
  return tool('tsc', ['--build', ...PACKAGES]);
}

/** Holds the tarballs, not the folders, against publint and attw: they are what users get. */
export async function checkPackages(): Promise<readonly string[]> {
  const problems: string[] = [...(await builtPackages())];
  if (problems.length > 0) return problems;
  for (const workspace of PACKAGES) {
    const { tarball, files } = await pack(workspace, `${ROOT}.cache/packed`);
    problems.push(
      ...strayFiles(
        workspace,
        files.map(({ path }) => path),
      ),
    );
    problems.push(...(await tool('publint', ['run', tarball, '--strict'])));
    problems.push(...(await tool('attw', [tarball, '--profile', 'esm-only', '--no-color', '--no-emoji'])));
  }
  return problems;
}

/** Compiled files whose source is gone, and files that no user needs. */
export function strayFiles(workspace: string, paths: readonly string[]): readonly string[] {
  const compiled = paths.filter((path) => path.startsWith('dist/') && path.endsWith('.js'));
  const orphans = compiled.filter((path) => {
    const source = `${ROOT}${workspace}/src/${path.slice('dist/'.length, -'.js'.length)}`;
    return !existsSync(`${source}.ts`) && !existsSync(`${source}.tsx`);
  });
  const strangers = paths.filter((path) => !PUBLISHED.test(path));
  return [
    ...orphans.map((path) => `${workspace}/${path} has no source any more: npx tsc --build --clean`),
    ...strangers.map((path) => `${workspace}/${path} does not belong in the package`),
  ];
}

/** Sources, what the compiler makes of them, the commands that npm links, and the three files that npm wants. */
const PUBLISHED =
  /^src\/.*\.ts$|^bin\/[a-z-]+\.js$|^src\/scenario\/shipped\/[a-z-]+\.yaml$|^dist\/.*\.(?:js|d\.ts)(?:\.map)?$|^(?:package\.json|README\.md|LICENSE)$/;

interface NpmPacked {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** npm says warnings before its JSON, and newer versions answer with an object by package name. */
function parsePacked(output: string): readonly NpmPacked[] {
  const start = output.search(/^[[{]/m);
  const parsed = JSON.parse(output.slice(start)) as readonly NpmPacked[] | Readonly<Record<string, NpmPacked>>;
  return Array.isArray(parsed)
    ? (parsed as readonly NpmPacked[])
    : Object.values(parsed as Readonly<Record<string, NpmPacked>>);
}
