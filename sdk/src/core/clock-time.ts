import type { Clock } from './clock.js';

/**
 * Asks a clock that may be broken.
 * @param clock - may throw, or give anything
 * @returns milliseconds since the epoch, finite and positive; undefined where the clock gives anything else; never throws
 */
export function timeOf(clock: Clock): number | undefined {
  try {
    const nowMs = clock.nowMs();
    return Number.isFinite(nowMs) && nowMs > 0 ? nowMs : undefined;
  } catch {
    return undefined;
  }
}
