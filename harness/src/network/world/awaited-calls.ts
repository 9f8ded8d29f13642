import type { HopNote } from '../node/index.js';
import type { NetworkPlan, PlannedCall } from '../plan/index.js';
import type { CallerView } from './callers.js';

/** Calls that somebody else places. */
export interface AwaitedCalls {
  readonly isAwaited: (call: PlannedCall) => boolean;
  /** Tells of a call at one of its providers. */
  readonly hop: (note: HopNote) => void;
  /** What became of a call, by its first provider; without a time where it did not come. Never rejects. */
  readonly come: (call: PlannedCall) => Promise<CallerView>;
  readonly close: () => Promise<void>;
}

/** Whoever places calls is started beside the run, and is late: how long after its time a call is waited for, milliseconds. */
const PATIENCE_MS = 30_000;
const ANSWERED = 200;

/** Waits for the calls of callers that are somebody else's programs. */
export function createAwaitedCalls({ externalCallers = [] }: NetworkPlan): AwaitedCalls {
  const callers = new Set(externalCallers);
  const come = new Map<number, CallerView>();
  const waiting = new Map<number, (view: CallerView) => void>();
  const timers = new Set<NodeJS.Timeout>();
  return {
    isAwaited: ({ caller }) => callers.has(caller),
    hop: ({ index, hop, seen, status, answeredMs }) => {
      if (hop !== 0 || callers.size === 0) return;
      const view: CallerView = {
        // Of what the caller was sent the first provider tells the status; Reason header fields are seen in its captures.
        ...{ index, placedAtMs: seen.atMs, setupMs: answeredMs - seen.atMs, reasons: [] },
        ...(status !== undefined && { finalStatus: status }),
      };
      come.set(index, view);
      waiting.get(index)?.(view);
    },
    come: ({ index, durationMs }) =>
      new Promise((resolve) => {
        const after = (ms: number, then: () => void): NodeJS.Timeout => {
          const timer = setTimeout(() => {
            timers.delete(timer);
            then();
          }, ms);
          timers.add(timer);
          return timer;
        };
        const done = (view: CallerView): void => {
          waiting.delete(index);
          // One that was answered is up for as long as the plan says.
          if (view.finalStatus === ANSWERED) after(durationMs, () => resolve(view));
          else resolve(view);
        };
        const known = come.get(index);
        if (known !== undefined) {
          done(known);
          return;
        }
        const patience = after(PATIENCE_MS, () => done({ index, reasons: [] }));
        waiting.set(index, (view) => {
          clearTimeout(patience);
          timers.delete(patience);
          done(view);
        });
      }),
    close: async () => {
      for (const timer of timers) clearTimeout(timer);
    },
  };
}
