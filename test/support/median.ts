/**
 * Median duration of five runs, milliseconds: one pause of the machine, or of the garbage collector, is not the work's.
 * @param work - what is measured; called once before, unmeasured
 */
export function medianMs(work: () => void): number {
  work();
  const durations = Array.from({ length: 5 }, () => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  });
  return durations.toSorted((a, b) => a - b)[2] ?? Number.NaN;
}
