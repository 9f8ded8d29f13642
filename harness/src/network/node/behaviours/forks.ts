import type { NodeBehaviour } from './node-behaviour.js';

/** Several INVITEs to the next hop at once; the first answer counts. */
export const forks: NodeBehaviour<'forks'> = {
  sends: (leg, { branches }) => ({ ...leg, branches }),
};
