import type { NodeBehaviour } from './node-behaviour.js';

/** Retention is over before anybody asks. */
export const purgedRecords: NodeBehaviour<'purged-records'> = { purgesRecords: true };
