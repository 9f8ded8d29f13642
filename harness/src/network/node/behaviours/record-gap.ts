import type { NodeBehaviour } from './node-behaviour.js';

/** Nothing of that time was written down, and it does not claim so. */
export const recordGap: NodeBehaviour<'record-gap'> = { losesRecords: true };
