import { chmod, writeFile } from 'node:fs/promises';

/** Writes a file that nobody else may read. */
export async function writePrivate(path: string, content: string): Promise<void> {
  await writeFile(path, content, { mode: 0o600 });
  // A file that was there keeps its mode.
  await chmod(path, 0o600);
}

/** What JSON says; undefined for a text that is none, so that a schema refuses it. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
