import { expect } from 'vitest';

/** How long something took to be open again, milliseconds. */
export interface RestartTime {
  /** By the clock: also what others did on the machine meanwhile. */
  readonly tookMs: number;
  /** Time of the processor, of all threads of the process. */
  readonly processorMs: number;
}

const MOST_MS = 1_000;

/**
 * Expects restarts within a second: each by the processor, the median by the clock, since on a machine where many tests run any single
 * one can have to wait for longer.
 * @returns the figures
 */
export function withinASecond(restarts: readonly RestartTime[]): Readonly<Record<string, number>> {
  const took = restarts.map(({ tookMs }) => tookMs).toSorted((one, other) => one - other);
  const medianRestartMs = took[Math.floor(took.length / 2)] ?? Number.NaN;
  const slowestRestartMs = took.at(-1) ?? Number.NaN;
  const mostProcessorMs = Math.max(...restarts.map(({ processorMs }) => processorMs));
  expect(medianRestartMs).toBeLessThan(MOST_MS);
  expect(mostProcessorMs).toBeLessThan(MOST_MS);
  return {
    medianRestartMs,
    slowestRestartMs,
    mostProcessorMs,
    restartsOverASecond: took.filter((ms) => ms >= MOST_MS).length,
  };
}
