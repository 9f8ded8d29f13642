import type { NetworkPlan, PlannedCall } from '../network/plan/index.js';
import type { SeenCall } from '../oracle/index.js';
import type { LiveFigures } from './live-figures.js';
import type { Pace } from './pace.js';
import type { TimerClock } from '@hopback/sdk/platform';

/** Settings of {@link driveCalls}. */
export interface DriveOptions {
  readonly plan: NetworkPlan;
  /** Those of the plan that are placed, in the order of their times. */
  readonly calls: readonly PlannedCall[];
  readonly place: (call: PlannedCall) => Promise<SeenCall>;
  readonly pace: Pace;
  readonly figures: LiveFigures;
  readonly clock: TimerClock;
  /** No call is placed after it is aborted; those that are up go on. */
  readonly ending: AbortSignal;
  readonly onEnded: (call: SeenCall) => void;
}

/** A flood that goes on. */
export interface Drive {
  /** All that were placed are over, and no other will be placed. Never rejects. */
  readonly over: Promise<void>;
  /** No other call will be placed; some may be up. */
  readonly allPlaced: Promise<void>;
  /** Looks anew at what is due: after the pace has changed. */
  readonly look: () => void;
}

/** Used where a scenario names none. */
const MAX_CONCURRENT = 1_000;
/** A timer of Node cannot be longer. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Places the calls of a plan when they are due, and stays with them until they are over. */
export function driveCalls(options: DriveOptions): Drive {
  const { plan, calls, place, pace, figures, clock, ending, onEnded } = options;
  const { maxConcurrent = MAX_CONCURRENT } = plan.scenario;
  let [next, up] = [0, 0];
  let cancel = (): void => undefined;
  let finish: () => void = () => undefined;
  const over = new Promise<void>((resolve) => (finish = resolve));
  let finishPlacing: () => void = () => undefined;
  const allPlaced = new Promise<void>((resolve) => (finishPlacing = resolve));

  const isDone = (): boolean => (ending.aborted || next >= calls.length) && up === 0;
  const carry = async (call: PlannedCall): Promise<void> => {
    const seen = await place(call);
    up -= 1;
    figures.ended(seen);
    onEnded(seen);
    if (isDone()) finish();
  };
  const placeDue = (nowMs: number): void => {
    for (let call = calls[next]; call !== undefined; call = calls[next]) {
      if (ending.aborted || pace.untilMs(call.atMs, nowMs) !== 0) return;
      next += 1;
      if (up >= maxConcurrent) figures.unplaced(call);
      else {
        up += 1;
        figures.placed(call);
        void carry(call);
      }
    }
  };
  const look = (): void => {
    cancel();
    cancel = () => undefined;
    const nowMs = clock.nowMs();
    placeDue(nowMs);
    if (isDone()) finish();
    if (ending.aborted || next >= calls.length) finishPlacing();
    const call = calls[next];
    if (ending.aborted || call === undefined) return;
    const waitMs = pace.untilMs(call.atMs, nowMs);
    if (waitMs !== undefined) cancel = clock.schedule(look, Math.min(LONGEST_WAIT_MS, Math.max(1, waitMs)));
  };
  ending.addEventListener('abort', look, { once: true });
  look();
  return { over, allPlaced, look };
}
