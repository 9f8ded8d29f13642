import { renameSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildSync } from 'esbuild';
import { ROOT } from '../house/run.js';

/** Below the repository, so that what a program imports of node_modules is found. */
const FOLDER = join(ROOT, '.cache/programs');
const built = new Map<string, string>();

/**
 * Makes one file of a program of the tests and all sources that it loads: Node starts that within a fraction of a second, where to load the
 * sources one by one takes seconds of a processor, each time that the program is killed and started again. Once for a process; the next one
 * puts its own in that place.
 * @param path - of the TypeScript
 * @returns path of what Node is to run
 */
export function builtProgram(path: string): string {
  const known = built.get(path);
  if (known !== undefined) return known;
  const outfile = join(FOLDER, basename(path).replace(/\.ts$/, '.mjs'));
  // Whoever starts it meanwhile has the whole of one or the other.
  const beside = `${outfile}.${process.pid}`;
  buildSync({
    ...{ entryPoints: [path], outfile: beside, absWorkingDir: ROOT, logLevel: 'error' },
    ...{ bundle: true, packages: 'external', platform: 'node', format: 'esm', target: 'node20', sourcemap: 'inline' },
  });
  renameSync(beside, outfile);
  built.set(path, outfile);
  return outfile;
}
