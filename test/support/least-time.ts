/**
 * Least of five runs, milliseconds of the processor's time: a pause of the garbage collector is not the work's, nor is what other programs take of
 * the machine and its caches.
 * @param work - what is measured; called once before, unmeasured
 */
export function leastMs(work: () => void): number {
  work();
  return Math.min(...Array.from({ length: 5 }, () => processorMs(work)));
}

/** What a piece of work takes of the processor's time, milliseconds, that of other threads of this process included. */
export function processorMs(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}
