import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { createTestKey } from '@hopback/sdk/testing';
import { jsonOf, newPkiKeys, writePrivate } from '../../laboratory/index.js';
import type { PkiKeysPem } from '../../laboratory/index.js';
import { conformanceFolderSchema } from './folder.schema.js';

/** Keys of a folder, PEM by role: those of the PKI, and that of the signing service under test. */
export type FolderKeys = PkiKeysPem & { readonly signing: string };

/** What makes a folder the same environment each time: where its certificate server is, and its keys. */
export interface ConformanceFolder {
  readonly version: 1;
  /** Host in URLs. */
  readonly host: string;
  /** Where the server listens. */
  readonly address: string;
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly keys: FolderKeys;
}

/** File of a {@link ConformanceFolder}; it holds private keys of a test PKI. */
export const FOLDER_FILE = 'conformance.json';

/** New keys for all roles. */
export const newKeys = (): FolderKeys => ({ ...newPkiKeys(), signing: createTestKey().privateKeyPem });

/**
 * Reads what a folder was prepared with.
 * @returns undefined where it was not
 * @throws {@link HopbackError} `invalid-configuration` for a file that is none of ours
 */
export async function readFolder(folder: string): Promise<ConformanceFolder | undefined> {
  const text = await readFile(join(folder, FOLDER_FILE), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  const read = conformanceFolderSchema.safeParse(jsonOf(text));
  if (read.success) return read.data;
  throw new HopbackError('invalid-configuration', `${join(folder, FOLDER_FILE)} is no folder of conformance tests`);
}

/** Writes it, for the owner alone. */
export async function writeFolder(folder: string, content: ConformanceFolder): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writePrivate(join(folder, FOLDER_FILE), `${JSON.stringify(content, undefined, 2)}\n`);
}
