import type { NodeBehaviour } from './node-behaviour.js';

const SECOND_MS = 1_000;

/** Its clock is ahead, or behind where the number is negative: of signatures and of records. */
export const clockSkew: NodeBehaviour<'clock-skew'> = { skewMs: ({ seconds }) => seconds * SECOND_MS };
