import { partiesOf, signedAnew } from './leg-text.js';
import type { NodeBehaviour } from './node-behaviour.js';

/** What came is thrown away, and the call signed with the key of another. */
export const signsAs: NodeBehaviour<'signs-as'> = {
  sends: async (leg, { provider, attestation }, { signAs }) =>
    signedAnew(leg, await signAs(partiesOf(leg), { attestation, provider })),
};
