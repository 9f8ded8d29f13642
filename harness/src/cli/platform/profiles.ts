import { readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { writeSecretFile } from '../../platform/database/index.js';
import type { ApiProfile } from '../api/profile.js';

/** Where the profile of the first operator lies in the folder of a platform. */
export const operatorProfile = (directory: string): string => join(directory, 'operator.json');

/** A profile with the path of its key as the machine has it. */
export type ProfileToWrite = Omit<ApiProfile, 'keyFile'> & { readonly keyFile: string };

/**
 * Writes who calls a platform and where it is, for `--profile`. A file that says the same already is left alone.
 * @throws HopbackError `storage-failed`
 */
export async function writeProfile(path: string, profile: ProfileToWrite): Promise<void> {
  const content = { ...profile, keyFile: relative(dirname(path), profile.keyFile) };
  const text = `${JSON.stringify(content, undefined, 2)}\n`;
  if ((await readFile(path, 'utf8').catch(() => '')) !== text) await writeSecretFile(path, text, 'replace');
}
