import { identityOf, withIdentity } from './leg-text.js';
import type { NodeBehaviour } from './node-behaviour.js';

/** The Identity of the first call that had one is kept, and goes with every later one. */
export const replaysIdentity: NodeBehaviour<'replays-identity'> = {
  sends: (leg, behaviour, { memory }) => {
    const kept = memory.get(behaviour) as readonly string[] | undefined;
    if (kept !== undefined) return withIdentity(leg, kept);
    const identity = identityOf(leg);
    if (identity.length > 0) memory.set(behaviour, identity);
    return leg;
  },
};
