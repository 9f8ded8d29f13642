import type { NodeBehaviour } from './node-behaviour.js';

/** A link that is not IP: number and time of the signature go with it. */
export const stripsIdentity: NodeBehaviour<'strips-identity'> = {
  sends: ({ headers, signing: _signing, ...leg }) => {
    const { identity: _identity, date: _date, ...rest } = headers;
    return { ...leg, headers: rest };
  },
};
