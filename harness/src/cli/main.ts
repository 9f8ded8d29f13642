#!/usr/bin/env node
import { writeSync } from 'node:fs';
import { scheduleInBackground } from '@hopback/sdk/internal/runtime';
import { setV8BeforeLoading } from './platform/v8-settings.js';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;
type StopSignal = (typeof STOP_SIGNALS)[number];

/** Time from SIGTERM to the end of the process, seconds. */
const END_WITHIN_SECONDS = 10;
const STANDARD_ERROR = 2;

/**
 * Sees to it that signals end this process, whatever a command waits for: SIGTERM within ten seconds, the second signal at once. Control-C
 * leaves a run the time that its calls need. To be called before a command listens for signals; one that does not is ended by the first.
 */
function endAtSignals(): void {
  let isAsked = false;
  const hear = (signal: StopSignal): void => {
    const isTaken = process.listenerCount(signal) > 1;
    if (isAsked || !isTaken) endAtOnce(signal);
    isAsked = true;
    if (signal === 'SIGTERM') scheduleInBackground(() => endByForce(signal), END_WITHIN_SECONDS * 1_000);
  };
  for (const name of STOP_SIGNALS) process.on(name, hear);
}

function endByForce(signal: StopSignal): void {
  try {
    writeSync(
      STANDARD_ERROR,
      `hopback-harness: something did not end within ${String(END_WITHIN_SECONDS)} s of ${signal}: ended by force\n`,
    );
  } catch {
    // Nobody reads.
  }
  endAtOnce(signal);
}

/** Not by `process.exit`, which waits for threads that a dead disk or a pipe without a writer holds. */
function endAtOnce(signal: StopSignal): void {
  for (const name of STOP_SIGNALS) process.removeAllListeners(name);
  process.kill(process.pid, signal);
  // Only the first process of a container is still there.
  process.abort();
}

endAtSignals();
// Before the rest is loaded: that alone makes the heap grow past its bound.
if (process.argv[2] === 'platform') setV8BeforeLoading();
const { runHarness } = await import('./program.js');

// Not process.exit(): what was written must reach its reader first.
process.exitCode = await runHarness(process.argv.slice(2), process);
