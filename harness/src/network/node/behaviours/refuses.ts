import type { NodeBehaviour } from './node-behaviour.js';
import { saidInstead } from './said-instead.js';

/** It will not say, for a reason. */
export const refuses: NodeBehaviour<'refuses'> = {
  says: (answer, { reason }) => saidInstead(answer, { arm: 'refused', reason }, false),
};
