/** Keeps the time for `arrivals`: gets a schedule, sends each call when it is due, and ends. */
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { monotonicMs, type Schedule } from './arrivals.js';

const [schedule] = (await once(process, 'message')) as [Schedule];
const sleeper = new Int32Array(new SharedArrayBuffer(4));
let dueMs = schedule.startMs;

for (let index = 0; index < schedule.count; index += 1) {
  dueMs += exponentialGapMs(schedule.perSecond);
  // Sleeps to a fraction of a millisecond, which no timer of the event loop does.
  const waitMs = dueMs - monotonicMs();
  if (waitMs > 0) Atomics.wait(sleeper, 0, 0, waitMs);
  const sentMs = monotonicMs();
  process.send?.([index, sentMs, sentMs - dueMs]);
  await setImmediate();
}
process.disconnect();

/** Calls that do not know of each other: a Poisson process. */
function exponentialGapMs(perSecond: number): number {
  return (-Math.log(1 - Math.random()) * 1000) / perSecond;
}
