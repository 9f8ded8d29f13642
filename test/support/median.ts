/**
 * Median of five runs, milliseconds of the processor's time: a pause of the garbage collector is not the work's, nor is what other programs
 * of the machine take.
 * @param work - what is measured; called once before, unmeasured
 */
export function medianMs(work: () => void): number {
  work();
  const durations = Array.from({ length: 5 }, () => processorMs(work));
  return durations.toSorted((a, b) => a - b)[2] ?? Number.NaN;
}

/** What a piece of work takes of the processor's time, milliseconds, that of other threads of this process included. */
export function processorMs(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}
