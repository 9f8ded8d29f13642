import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import type { ManualClock } from '../../sdk/src/testing/manual-clock.js';

/** Makes folders below the system's for temporary files. */
export function storeFolders() {
  const made: string[] = [];
  const make = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'hopback-records-'));
    made.push(folder);
    return folder;
  };
  return {
    make,
    current: (): string => made.at(-1) ?? make(),
    /** A store in a new folder. */
    empty: (clock: ManualClock): Promise<RecordStore> => openDuckDbRecordStore({ directory: make(), clock }),
    /** A store in the folder made last. */
    reopened: (clock: ManualClock): Promise<RecordStore> =>
      openDuckDbRecordStore({ directory: made.at(-1) ?? make(), clock }),
    clear: (): void => {
      for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
    },
  };
}
