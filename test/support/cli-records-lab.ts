import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createTemporaryDirectory } from '../peers/temporary-directory.js';
import { openDuckDbRecordStore } from '../../sdk/src/records/store/duckdb-record-store.js';
import { runInProcess, type RunOptions } from './cli-lab.js';

const MAIN = fileURLToPath(new URL('../../sdk/dist/cli/main.js', import.meta.url));

/** A folder with a store, sources and files, and the commands that work on them. */
export type RecordsLab = Awaited<ReturnType<typeof createRecordsLab>>;

/** A command in a process of its own. */
export type RunningCommand = ReturnType<typeof startCommand>;

/** Makes a {@link RecordsLab}, which removes its folder when it is disposed of. */
export async function createRecordsLab() {
  const { at: path, write: put, close } = await createTemporaryDirectory();
  const running: RunningCommand[] = [];
  return {
    ...{ store: path('store'), path, put },
    putJson: (name: string, value: unknown) => put(name, JSON.stringify(value)),
    /** Runs a command in this process. */
    run: (args: readonly string[], options?: RunOptions) => runInProcess(args, { nowMs: Date.now }, options),
    start(args: readonly string[]): RunningCommand {
      const command = startCommand(args);
      running.push(command);
      return command;
    },
    /** Counts the records of the store, which must be closed. */
    async stored() {
      await using store = await openDuckDbRecordStore({ directory: path('store') });
      return (await store.statistics()).records;
    },
    async [Symbol.asyncDispose]() {
      for (const command of running) await command.end('SIGKILL');
      await close();
    },
  };
}

/** Starts the command as it is installed, in a process of its own. */
export function startCommand(args: readonly string[]) {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'close') as Promise<[number | null]>;
  const lines: string[] = [];
  const reader = createInterface({ input: child.stdout });
  reader.on('line', (line) => lines.push(line));
  /** Reads the output up to the first line that fits. */
  const until = async (fits: (line: string) => boolean): Promise<string> => {
    for (;;) {
      const found = lines.find(fits);
      if (found !== undefined) return found;
      const ended = await Promise.race([once(reader, 'line').then(() => false), exit.then(() => true)]);
      if (ended && lines.find(fits) === undefined) throw new Error(`it ended before: ${lines.join('\n')}`);
    }
  };
  const ended = async (): Promise<number | null> => (await exit)[0];
  return {
    processId: child.pid ?? 0,
    until,
    lines: (): readonly string[] => lines,
    ended,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    /** Sends a signal, and waits for the end. */
    async end(signal: NodeJS.Signals) {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return ended();
    },
  };
}

/** A row of Asterisk for call `n`, a second after the one before; every call is shown under a number that cannot be. */
export function asteriskRow(n: number): string {
  const at = (seconds: number): string =>
    new Date(Date.UTC(2026, 10, 1) + (n + seconds) * 1_000).toISOString().slice(0, 19).replace('T', ' ');
  const called = `1303555${String(n % 10_000).padStart(4, '0')}`;
  return [
    ...['', '19115550101', called, 'from-carrier', '""'],
    ...[`PJSIP/carrier-a-${n.toString(16)}`, `PJSIP/carrier-b-${n.toString(16)}`, 'Dial', `PJSIP/${called}@carrier-b`],
    ...[at(0), at(2), at(10), '10', '8', 'ANSWERED', 'DOCUMENTATION', `1793496600.${n}`, ''],
  ]
    .map((field) => (/^\d{1,3}$/.test(field) ? field : `"${field.replaceAll('"', '')}"`))
    .join(',');
}

/** The source of those rows. */
export const ASTERISK_SOURCE = { id: 'pbx-1', format: 'asterisk-cdr', time: { zone: 'utc' } } as const;
