import type { NodeBehaviour } from './node-behaviour.js';

/** Nobody looks at requests. */
export const silent: NodeBehaviour<'silent'> = { isSilent: true };
