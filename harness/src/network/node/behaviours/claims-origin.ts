import type { NodeBehaviour } from './node-behaviour.js';
import { saidInstead } from './said-instead.js';

/** It says that a customer of its own has called. */
export const claimsOrigin: NodeBehaviour<'claims-origin'> = {
  says: (answer) => saidInstead(answer, { arm: 'origin', customer: {} }),
};
