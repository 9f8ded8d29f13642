import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildSync } from 'esbuild';
import { ROOT } from '../house/run.js';

/** Below the repository, so that what a program imports of node_modules is found; each process has its own place. */
const FOLDER = join(ROOT, '.cache/programs', String(process.pid));
const built = new Map<string, string>();

/**
 * Makes one file of a program of the tests and all sources that it loads: Node starts that within a fraction of a second, where to load the
 * sources one by one takes seconds of a processor, each time that the program is killed and started again. Once for a process, with which it goes.
 * @param path - of the TypeScript
 * @returns path of what Node is to run
 */
export function builtProgram(path: string): string {
  const known = built.get(path);
  if (known !== undefined) return known;
  const outfile = join(FOLDER, basename(path).replace(/\.ts$/, '.mjs'));
  buildSync({
    ...{ entryPoints: [path], outfile, absWorkingDir: ROOT, logLevel: 'error' },
    ...{ bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'node20', sourcemap: 'inline' },
  });
  if (built.size === 0) process.once('exit', () => rmSync(FOLDER, { recursive: true, force: true }));
  built.set(path, outfile);
  return outfile;
}
