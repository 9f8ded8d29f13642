import type { Behaviour } from '../../scenario/index.js';
import { doingOf } from './behaviours.js';

/** The clock of a provider's switch: that of the machine, and by how much it is wrong. */
export interface NodeClock {
  readonly nowMs: () => number;
}

/** When behaviours hold that hold for stretches of time: from the first call of the run on. */
export interface RunStart {
  /** When the run began, milliseconds since the epoch; undefined before its first call. */
  startMs: number | undefined;
}

/** Whether a behaviour holds now. */
export function isNow({ fromSeconds = 0, untilSeconds = Infinity }: Behaviour, { startMs }: RunStart): boolean {
  const atSeconds = startMs === undefined ? 0 : (Date.now() - startMs) / SECOND_MS;
  return atSeconds >= fromSeconds && atSeconds < untilSeconds;
}

const SECOND_MS = 1_000;

/** Whether the switch of a provider is down now: its neighbours learn that within a moment, since they ping it. @see RFC 3261 section 11 */
export const isDownNow = (behaviours: readonly Behaviour[], start: RunStart): boolean =>
  start.startMs !== undefined &&
  behaviours.some((behaviour) => doingOf(behaviour).isDown === true && isNow(behaviour, start));

/** Makes the clock of a provider. */
export function createNodeClock(behaviours: readonly Behaviour[], start: RunStart): NodeClock {
  const skewed = behaviours.filter((behaviour) => doingOf(behaviour).skewMs !== undefined);
  if (skewed.length === 0) return { nowMs: Date.now };
  return {
    nowMs: () =>
      skewed.reduce(
        (nowMs, behaviour) => nowMs + (isNow(behaviour, start) ? (doingOf(behaviour).skewMs?.(behaviour) ?? 0) : 0),
        Date.now(),
      ),
  };
}
