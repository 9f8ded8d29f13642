import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import type { ManualClock } from '../../sdk/src/testing/manual-clock.js';

/** Folders for the stores of one test file. */
export interface StoreFolders {
  /** A store in a new folder. */
  readonly empty: (clock: ManualClock) => Promise<RecordStore>;
  /** A store in the folder made last. */
  readonly reopened: (clock: ManualClock) => Promise<RecordStore>;
  readonly make: () => string;
  /** The folder made last. */
  readonly current: () => string;
  /** Removes all folders. */
  readonly clear: () => void;
}

/** Makes folders below the system's for temporary files. */
export function storeFolders(): StoreFolders {
  const made: string[] = [];
  const make = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'hopback-records-'));
    made.push(folder);
    return folder;
  };
  return {
    make,
    current: () => made.at(-1) ?? make(),
    empty: (clock) => openDuckDbRecordStore({ directory: make(), clock }),
    reopened: (clock) => openDuckDbRecordStore({ directory: made.at(-1) ?? make(), clock }),
    clear: () => {
      for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
    },
  };
}
