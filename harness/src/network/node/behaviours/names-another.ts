import type { NodeBehaviour } from './node-behaviour.js';
import { saidInstead } from './said-instead.js';

/** It names somebody who did not send it the call. */
export const namesAnother: NodeBehaviour<'names-another'> = {
  says: (answer, { provider }, around) =>
    saidInstead(answer, { arm: 'received-from', upstream: around.provider(provider) }),
};
