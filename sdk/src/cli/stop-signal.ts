import { writeSync } from 'node:fs';
import { scheduleInBackground } from '../core/runtime/clock.js';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
type StopSignal = (typeof STOP_SIGNALS)[number];

/** Time that a command without `drainSeconds` has to end in, seconds: what service managers wait for at least, and people at a terminal. */
export const END_WITHIN_SECONDS = 10;
/** However short the time for draining is, files have to be closed. */
const LEAST_SECONDS = 1;
const STANDARD_ERROR = 2;
const FIRST_PROCESS = 1;

/**
 * Takes the signals that ask the process to end. The first one aborts the returned signal. The second one ends the process at once, and so
 * does the time, whatever the command still waits for.
 * @param withinSeconds - time from the first signal to the end of the process, asked for when it comes
 */
export function takeStopSignals(withinSeconds: () => number = () => END_WITHIN_SECONDS): AbortSignal {
  const controller = new AbortController();
  const stop = (signal: StopSignal): void => {
    for (const name of STOP_SIGNALS) process.off(name, stop);
    // The system ends a process at a signal that nobody takes, but for the first process of a container.
    if (process.pid === FIRST_PROCESS) for (const name of STOP_SIGNALS) process.once(name, endAtOnce);
    endWithin(Math.max(LEAST_SECONDS, withinSeconds()), signal);
    controller.abort();
  };
  for (const name of STOP_SIGNALS) process.on(name, stop);
  return controller.signal;
}

/** Where the process has not ended by itself after this time, it is ended. Keeps no process alive. */
function endWithin(seconds: number, signal: StopSignal): void {
  const end = (): void => {
    try {
      writeSync(
        STANDARD_ERROR,
        `hopback: something did not end within ${String(seconds)} s of ${signal}: ended by force\n`,
      );
    } catch {
      // Nobody reads.
    }
    endAtOnce(signal);
  };
  scheduleInBackground(end, seconds * 1_000);
}

/** Not by `process.exit`, which waits for threads that a dead disk or a pipe without a writer holds. */
function endAtOnce(signal: StopSignal): void {
  for (const name of STOP_SIGNALS) process.removeAllListeners(name);
  process.kill(process.pid, signal);
  // Only the first process of a container is still there.
  process.abort();
}
