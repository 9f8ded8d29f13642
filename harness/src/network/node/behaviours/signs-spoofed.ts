import type { NodeBehaviour } from './node-behaviour.js';

/** It says of every number that a customer shows that it is the customer's own. */
export const signsSpoofed: NodeBehaviour<'signs-spoofed'> = {
  facts: (facts) =>
    facts.role === 'originating'
      ? { ...facts, customerKnown: true, callerAuthenticated: true, numberOwnership: 'owned' }
      : facts,
};
