import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HopbackError } from '@hopback/sdk/errors';
import { createTestKey } from '@hopback/sdk/testing';
import type { TestPkiRole } from '@hopback/sdk/testing';
import { conformanceFolderSchema } from './folder.schema.js';

/** Keys of a folder, PEM by role: those of the PKI, and that of the signing service under test. */
export type FolderKeys = Readonly<Record<TestPkiRole | 'signing', string>>;

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

const ROLES: readonly (keyof FolderKeys)[] = [
  ...(['root', 'intermediate', 'stiPaRoot', 'stiPaSigner', 'stiPaCrlIssuer', 'tlsRoot', 'signing'] as const),
];

/** New keys for all roles. */
export const newKeys = (): FolderKeys =>
  Object.fromEntries(ROLES.map((role) => [role, createTestKey().privateKeyPem])) as FolderKeys;

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

/** Writes a file that nobody else may read. */
export async function writePrivate(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
  // A file that was there keeps its mode.
  await chmod(path, 0o600);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
