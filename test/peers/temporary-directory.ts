import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A directory for the files that a peer reads, gone after `close()`. */
export interface TemporaryDirectory extends AsyncDisposable {
  readonly path: string;
  /** Path of what has a name in it. */
  readonly at: (...names: readonly string[]) => string;
  /** Writes a file that only this user may read (private keys are among them) and returns its path. */
  readonly write: (name: string, content: string | Uint8Array) => Promise<string>;
  readonly close: () => Promise<void>;
}

/** Makes an empty directory of its own for one peer. */
export async function createTemporaryDirectory(): Promise<TemporaryDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'hopback-peer-'));
  const at = (...names: readonly string[]): string => join(path, ...names);
  const close = (): Promise<void> => rm(path, { recursive: true, force: true });
  return {
    ...{ path, at, close, [Symbol.asyncDispose]: close },
    write: async (name, content) => {
      await writeFile(at(name), content, { mode: 0o600 });
      return at(name);
    },
  };
}
