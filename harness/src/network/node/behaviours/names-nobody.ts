import type { NodeBehaviour } from './node-behaviour.js';
import { saidInstead } from './said-instead.js';

/** It names somebody who is nowhere listed. */
export const namesNobody: NodeBehaviour<'names-nobody'> = {
  says: (answer, { name }) => saidInstead(answer, { arm: 'received-from-unlisted', upstream: { name } }),
};
