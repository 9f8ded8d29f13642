// Timers and files, for the parts of the harness that load nothing else of this package. Unsupported: it may change with every release.
export { backoffBoundMs, valueWithin } from '../core/runtime/deadline.js';
export { syncFolder, writeWholeFile } from '../core/runtime/whole-file.js';
export {
  abortedAfter,
  every,
  MACHINE_CLOCK,
  nextTurn,
  pause,
  schedule,
  scheduleInBackground,
  STEADY_CLOCK,
  wait,
} from '../core/runtime/clock.js';
export type { TimerClock } from '../core/runtime/clock.js';
