import type { NodeBehaviour } from './node-behaviour.js';
import { hasFound, saidInstead } from './said-instead.js';

/** It says that a customer of its own has called. */
export const claimsOrigin: NodeBehaviour<'claims-origin'> = {
  says: (answer) => (hasFound(answer) ? saidInstead(answer, { arm: 'origin', customer: {} }) : answer),
};
