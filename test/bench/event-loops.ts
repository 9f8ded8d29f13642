import { asked, startHelper } from './line-process.js';

/** What an event loop did in a turn. */
export interface TurnResult {
  readonly verdicts: number;
  readonly elapsedMs: number;
}

/**
 * Starts so many event loops, each a process with a verification service of its own, as a switch has them that runs one per processor; ready when each
 * has signed its calls.
 */
export async function startEventLoops(count: number) {
  const loops = await Promise.all(Array.from({ length: count }, () => startHelper('event-loops-process.ts', [])));
  return {
    /** All of them at a time, for about so long; verifications per second of all together. */
    rate: async (ms: number): Promise<number> => {
      const turns = await Promise.all(loops.map((loop) => asked<TurnResult>(loop, String(ms))));
      return turns.reduce((sum, { verdicts, elapsedMs }) => sum + (verdicts * 1000) / elapsedMs, 0);
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await Promise.all(loops.map((loop) => loop.close()));
    },
  };
}
