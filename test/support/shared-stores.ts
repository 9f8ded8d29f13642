import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { SharedRecordStore } from '../../sdk/src/records/store/shared-record-store.js';
import type { RecordStore } from '../../sdk/src/records/store/record-store.js';
import type { ManualClock } from '../../sdk/src/testing/manual-clock.js';
import { builtProgram } from './built-program.js';

const SCRIPT = fileURLToPath(new URL('shared-store-process.ts', import.meta.url));

/**
 * Starts a process that opens the store of a folder and puts records into it; resolves when they are stored.
 * @param records - how many of `sampleRecord(index, NOON_US + index)`
 */
export async function startStoreProcess(directory: string, records = 0) {
  const child = spawn(process.execPath, [builtProgram(SCRIPT), directory, String(records)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const role = await lines.next();
  const stored = await lines.next();
  if (role.done === true || stored.done === true) throw new Error('the process that was to open the store ended');
  return {
    ...{ role: role.value, child },
    /** Closes the store and waits for the end. */
    end: async (): Promise<void> => {
      child.stdin.write('close\n');
      await ended;
    },
    kill: async (): Promise<void> => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

/** The guest of a host in this process; closing it closes both. */
export async function guestStore(directory: string, clock: ManualClock): Promise<RecordStore> {
  const host = await SharedRecordStore.open({ directory, clock });
  const guest = await SharedRecordStore.open({ directory, clock });
  const closeGuest = guest.close;
  const close = async (): Promise<void> => {
    await closeGuest();
    await host.close();
  };
  return Object.assign(guest, { close, [Symbol.asyncDispose]: close });
}
