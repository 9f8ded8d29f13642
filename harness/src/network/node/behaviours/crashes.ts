import type { NodeBehaviour } from './node-behaviour.js';

/** Its switch is gone, and back at the same address. */
export const crashes: NodeBehaviour<'crashes'> = { isDown: true };
