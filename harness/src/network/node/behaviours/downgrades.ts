import { partiesOf, signedAnew } from './leg-text.js';
import type { NodeBehaviour } from './node-behaviour.js';

/** What came is thrown away, and the call signed with less. */
export const downgrades: NodeBehaviour<'downgrades'> = {
  sends: async (leg, { to }, { signAs }) => signedAnew(leg, await signAs(partiesOf(leg), { attestation: to })),
};
