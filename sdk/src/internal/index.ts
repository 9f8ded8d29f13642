// What the harness shares with this package. Unsupported: it may change with every release.
export { valueWithin } from '../core/runtime/deadline.js';
export { syncFolder, writeWholeFile } from '../core/runtime/whole-file.js';
export { MACHINE_CLOCK, schedule, scheduleInBackground, STEADY_CLOCK } from '../core/runtime/clock.js';
export type { TimerClock } from '../core/runtime/clock.js';
