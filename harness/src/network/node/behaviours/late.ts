import type { NodeBehaviour } from './node-behaviour.js';

const HOUR_MS = 3_600_000;

/** Requests lie for hours before anybody looks at them. */
export const late: NodeBehaviour<'late'> = { answersAfterMs: ({ hours }) => hours * HOUR_MS };
