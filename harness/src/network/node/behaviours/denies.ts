import type { NodeBehaviour } from './node-behaviour.js';
import { saidInstead } from './said-instead.js';

/** It says that there was no such call. */
export const denies: NodeBehaviour<'denies'> = {
  says: (answer) => saidInstead(answer, { arm: 'not-found' }, false),
};
