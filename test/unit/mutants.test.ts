import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { transform } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { shippedScenarios } from '../../harness/src/scenario/index.js';
import { HARNESS_VERSION } from '../../harness/src/version.js';
import { ROOT, run } from '../house/run.js';
import { mutantEnvironment } from '../mutants/mutant-environment.js';
import { MUTANTS } from '../mutants/mutants.js';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';

describe('the table of mutants', () => {
  test('names each once', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
  });

  test('changes what is compiled in exactly one place, and to something that parses', async () => {
    const faults: string[] = [];
    for (const { name, file, text, replacement } of MUTANTS) {
      const [before = '', after, ...more] = (await readFile(`${ROOT}${file}`, 'utf8')).split(text);
      if (after === undefined || more.length > 0) faults.push(`${name}: not once in ${file}`);
      else if (replacement === text) faults.push(`${name}: nothing is changed`);
      else
        await transform(`${before}${replacement}${after}`, { loader: 'js', format: 'esm', logLevel: 'silent' }).catch(
          (error: Error) => faults.push(`${name}: ${error.message}`),
        );
    }
    expect(faults).toEqual([]);
  });

  test('asks shipped scenarios only', () => {
    const shipped = shippedScenarios();
    const unknown = MUTANTS.flatMap(({ scenarios }) => scenarios.filter((scenario) => !shipped.includes(scenario)));
    expect(unknown).toEqual([]);
  });
});

/** Says which version it has loaded: itself, a child of it, and a thread of it. */
const PROGRAM = `
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
const [, , version, kind = 'process'] = process.argv;
const { HARNESS_VERSION } = await import(version);
process.stdout.write(kind + ' ' + HARNESS_VERSION + '\\n');
if (kind === 'process') {
  fork(fileURLToPath(import.meta.url), [version, 'child']);
  new Worker(new URL(import.meta.url), { argv: [version, 'thread'] });
}
`;

describe('a defective product', () => {
  const file = 'harness/dist/version.js';
  const change = { file, text: 'HARNESS_VERSION = ', replacement: `HARNESS_VERSION = 'defective ' + ` };

  test('is loaded by a process, its children and its threads, and leaves the files as they are', async () => {
    await using directory = await createTemporaryDirectory();
    const program = await directory.write('program.mjs', PROGRAM);
    const loadedPath = join(directory.path, 'loaded');
    const before = await readFile(`${ROOT}${file}`, 'utf8');
    const version = pathToFileURL(`${ROOT}${file}`).href;
    const env = mutantEnvironment(change, loadedPath);
    const { code, output } = await run(process.execPath, [program, version], { env });
    expect({ code, said: output.trim().split('\n').toSorted() }).toEqual({
      code: 0,
      said: ['child', 'process', 'thread'].map((kind) => `${kind} defective ${HARNESS_VERSION}`),
    });
    expect((await readFile(loadedPath, 'utf8')).trim().split('\n')).toHaveLength(3);
    expect(await readFile(`${ROOT}${file}`, 'utf8')).toBe(before);
  });

  test('does not start where the text to be changed is not there', async () => {
    await using directory = await createTemporaryDirectory();
    const env = mutantEnvironment({ ...change, text: 'no such text' }, join(directory.path, 'loaded'));
    const { code, output } = await run(process.execPath, [`${ROOT}harness/dist/cli/main.js`, '--version'], { env });
    expect(code).not.toBe(0);
    expect(output).toContain('has the text of the mutant 0 times');
  });
});
