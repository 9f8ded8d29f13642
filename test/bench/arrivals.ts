import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** When calls arrive: so many, so many a second, at random (exponential gaps) from an instant of the monotonic clock. */
export interface Schedule {
  readonly count: number;
  readonly perSecond: number;
  readonly startMs: number;
}

/** One call that has come. */
export interface Arrival {
  readonly index: number;
  /** When it set out, {@link monotonicMs}: the other process has waited for nothing of ours. */
  readonly sentMs: number;
  /** How much later than scheduled that was. */
  readonly latenessMs: number;
}

/** Milliseconds of the clock that all processes of a machine share. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * Lets calls arrive by a schedule made beforehand, whatever becomes of earlier ones: a slow answer does not hold the
 * next call back. Another process keeps the time, since a timer in the event loop under test would be late together with it.
 * @param schedule - how many, how often
 * @param onArrival - told of each call, as soon as the event loop comes to it
 * @returns when the last call has arrived
 * @throws Error when the other process fails
 */
export async function arrivals(schedule: Schedule, onArrival: (arrival: Arrival) => void): Promise<void> {
  const child = fork(fileURLToPath(new URL('arrivals-process.ts', import.meta.url)), { serialization: 'json' });
  let arrived = 0;
  child.on('message', ([index, sentMs, latenessMs]: [number, number, number]) => {
    arrived += 1;
    onArrival({ index, sentMs, latenessMs });
  });
  child.send(schedule);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0 || arrived !== schedule.count) {
    throw new Error(`the schedule ended early (${String(code)}): ${arrived} of ${schedule.count} calls arrived`);
  }
}
