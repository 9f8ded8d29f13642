import { HopbackError } from '../../../errors.js';
import { isFatal, storageFailed } from './duckdb-module.js';
import type { Engine } from './engine.js';
import type { StateFile } from './state-file.js';

/** The files of a store. */
export interface OpenFiles {
  readonly engine: Engine;
  readonly state: StateFile;
}

/** Hands the files of a store to whoever works on them. */
export interface FileAccess {
  /**
   * Runs what needs the files. After an error that DuckDB does not come back from they are opened anew for whoever comes next.
   * @param what - completes "the record store could not …"
   * @throws HopbackError `storage-failed` for whatever the work throws; `closed` after `close`
   */
  readonly use: <T>(what: string, work: (files: OpenFiles) => Promise<T>) => Promise<T>;
  /** As `use`, one at a time in the order in which they came: for what writes. */
  readonly change: <T>(what: string, work: (files: OpenFiles) => Promise<T>) => Promise<T>;
  /** One at a time with what `change` does, for who has the files already. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  /** Waits for what writes, and closes. Once only. */
  readonly close: () => Promise<void>;
}

/**
 * Takes care of files that are open.
 * @param parts - what opens them again, and the folder that a refusal names
 */
export function createFileAccess(
  opened: OpenFiles,
  { open, directory }: { readonly open: () => Promise<OpenFiles>; readonly directory: string },
): FileAccess {
  let files = Promise.resolve(opened);
  let isClosed = false;
  let writing: Promise<unknown> = Promise.resolve();

  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const made = writing.then(work);
    writing = made.catch(() => undefined);
    return made;
  };

  const reopened = async (broken: Promise<OpenFiles>): Promise<OpenFiles> => {
    await broken
      .then(async ({ engine }) => {
        // Whoever works on a day has it to the end, and fails by itself; then what writes, then the rest.
        await engine.partitions.close().catch(() => undefined);
        await inTurn(() => engine.close());
      })
      .catch(() => undefined);
    return open();
  };

  const reopen = (broken: Promise<OpenFiles>): void => {
    if (files !== broken) return;
    files = reopened(broken);
    // Whoever comes next is told.
    files.catch(() => undefined);
  };

  const use = async <T>(what: string, work: (files: OpenFiles) => Promise<T>): Promise<T> => {
    if (isClosed) throw new HopbackError('closed', 'the record store is closed');
    const using = files;
    const current = await using.catch((error: unknown) => {
      reopen(using);
      throw storageFailed(what, error, directory);
    });
    try {
      return await work(current);
    } catch (error) {
      if (isFatal(error)) reopen(using);
      throw storageFailed(what, error, directory);
    }
  };

  return {
    use,
    // The files first: who has the turn must not wait for files that wait for who waits for the turn.
    change: (what, work) => use(what, (current) => inTurn(() => work(current))),
    inTurn,
    close: async () => {
      isClosed = true;
      await writing;
      try {
        await (await files).engine.close();
      } catch (error) {
        throw storageFailed('be closed', error, directory);
      }
    },
  };
}
