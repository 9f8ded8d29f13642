import { TestRunner } from 'vitest';

/** Figures of a fault test: what was done, and what became of it. */
export type FaultFigures = Readonly<Record<string, number | string>>;

declare module 'vitest' {
  interface TaskMeta {
    /** What a fault test has counted; the reporter prints each as one line of JSON. */
    faults?: readonly FaultFigures[];
  }
}

/** Whether the whole number of rounds is asked for: `npm run faults -- --full` sets HOPBACK_FAULTS=full. */
const isFull = process.env['HOPBACK_FAULTS'] === 'full';

/**
 * How often a fault test tries.
 * @param short - in `npm run faults`
 * @param full - in `npm run faults -- --full`
 */
export const faultCount = ({ short, full }: { readonly short: number; readonly full: number }): number =>
  isFull ? full : short;

/** Rounds after which somebody who waits for all of them is told how far it is. */
const TOLD_EVERY = 10;

/** Says how far a fault test is where the whole number of rounds is asked for: some take an hour. */
export function tellRound(round: number, rounds: number): void {
  if (isFull && (round + 1) % TOLD_EVERY === 0)
    process.stderr.write(`${TestRunner.getCurrentTest()?.name ?? ''}: ${round + 1} of ${rounds} rounds\n`);
}

/**
 * Has figures printed at the end of the test that is running, when it passes. Called after what they claim was asserted.
 * @param fault - names the claim, e.g. `spool-kill`
 */
export function reportFault(fault: string, figures: FaultFigures): void {
  const test = TestRunner.getCurrentTest();
  if (test === undefined) throw new Error('no test is running');
  const { meta } = test;
  meta.faults = [...(meta.faults ?? []), { fault, ...figures }];
}
