import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory for the files that a peer reads, gone after `close()`. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  /** Writes a file that only this user may read (private keys are among them) and returns its path. */
  readonly write: (name: string, text: string) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Makes an empty directory of its own for one peer. */
export async function createTemporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'hopback-peer-'));
  const close = (): Promise<void> => rm(path, { recursive: true, force: true });
  return {
    path,
    write: async (name, text) => {
      const file = join(path, name);
      await writeFile(file, text, { mode: 0o600 });
      return file;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
