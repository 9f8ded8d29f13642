import { realpathSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../house/run.js';
import type { Mutant } from './mutants.js';

const REGISTER = new URL('register-mutant.mjs', import.meta.url).href;

/**
 * The environment in which a program, its children and its threads have a defect.
 * @param mutant - the defect
 * @param loadedPath - of a file that has a line for each process that loaded the defective module; it is absent where none did
 */
export function mutantEnvironment(
  { file, text, replacement }: Pick<Mutant, 'file' | 'text' | 'replacement'>,
  loadedPath: string,
): NodeJS.ProcessEnv {
  const url = pathToFileURL(realpathSync(`${ROOT}${file}`)).href;
  const options = process.env['NODE_OPTIONS'] ?? '';
  return {
    ...process.env,
    NODE_OPTIONS: `${options} --import=${REGISTER}`.trim(),
    HOPBACK_MUTANT: JSON.stringify({ url, text, replacement, loadedPath }),
  };
}
