import { canonicalTelephoneNumber } from '@hopback/sdk/stir';
import { identityOf, withIdentity } from './leg-text.js';
import type { NodeBehaviour } from './node-behaviour.js';

/** The call goes to another number, To stays as it was dialled, and a div PASSporT says so. @see RFC 8946 section 4 */
export const diverts: NodeBehaviour<'diverts'> = {
  sends: async (leg, { to, withoutDiv = false }, { divert }) => {
    const retargeted = { ...leg, target: `+${to}` };
    const identity = identityOf(leg);
    if (withoutDiv || identity.length === 0) return retargeted;
    return withIdentity(retargeted, await divert(identity, { from: dialled(leg.target), to }));
  },
};

/** The number that was called, however the provider before has written it: a PASSporT has it in canonical form. @see RFC 8224 section 8.3 */
function dialled(target: string): string {
  const number = canonicalTelephoneNumber(target);
  return number.kind === 'none' ? target.replace('+', '') : number.tn;
}
