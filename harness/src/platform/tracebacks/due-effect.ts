import type { TracebackEffect } from '@hopback/sdk/traceback';
import type { HeldTraceback } from './held-traceback.js';

/** An effect that is due, and the traceback that it is of. */
export interface DueEffect<Effect extends TracebackEffect = TracebackEffect> {
  readonly held: HeldTraceback;
  readonly effect: Effect;
}

/** Tells effects of several tracebacks apart. */
export const effectKey = ({ held, effect }: DueEffect): string => `${held.row.traceback_id} ${effect.effectId}`;
