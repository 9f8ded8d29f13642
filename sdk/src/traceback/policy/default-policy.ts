import type { TracebackPolicyData } from './traceback-policy.js';

/** The policy that holds where none is given: few arms, one requester, and a person for the rest. */
export const DEFAULT_TRACEBACK_POLICY: TracebackPolicyData = Object.freeze({
  policyId: 'hopback-traceback-1',
  automatic: Object.freeze({
    // A listed provider by a trunk that is known, and what the store itself can vouch for. What says something of a customer, makes us the
    // point of entry, disputes what another provider said, or names somebody whom no registry lists is signed by a person who has seen it.
    arms: Object.freeze(['received-from', 'not-found', 'not-retained'] as const),
    // The registered consortium asks most, and in one form. What others ask is due in the same 24 hours; whether legal process has to come first
    // (18 USC 2702 and 2703) is for a person to say.
    requesters: Object.freeze(['itg'] as const),
    // The number called, the time and the provider it was sent to, each as it was stated: less than that and one of them was not there to be
    // compared, or an identifier has to stand for it.
    leastScore: 0.7,
    // A second call that is nearly as good is what makes a wrong upstream.
    leastLead: 0.2,
    // Clocks of switches agree to a second, those of telephones and apps to a minute or two.
    mostTimeOffsetSeconds: 120,
    // Times written by the minute still tell calls apart; those by the hour do not.
    mostTimeStepSeconds: 60,
    // Without a zone the time means another call in each of them.
    zoneRequired: true,
    // Another call that fits as well may be in what is missing: past a quarter of an hour it would no longer fit.
    completeAroundSeconds: 900,
    // An hour to each side, as a first search is made.
    leastSearchedSeconds: 7_200,
    // Somebody wrote it to be read.
    commentsToPerson: true,
    // At the first hop it means as a rule that the number is not ours, which the records do not show.
    firstHopNotFoundToPerson: true,
    // Numbers are rewritten and ported on the way; then only the caller leads to the call.
    notFoundWithoutCallerToPerson: true,
  }),
  queues: Object.freeze({
    match: 'traceback',
    directory: 'traceback',
    records: 'traceback',
    legal: 'legal',
    customer: 'traceback',
    policy: 'traceback',
  }),
  customers: Object.freeze({
    // The carrier's own name for it says which customer, and nothing about it to anybody else.
    details: 'identifier',
    statements: Object.freeze({}),
    // A good answer says how the customer is known, and the requester asks for it where it does not.
    basisRequired: true,
  }),
  // All of it is what a good answer says; 47 USC 222(d)(2) permits it towards the traceback group.
  answer: Object.freeze({ numbers: true, trunks: true, addresses: true, callIds: true }),
});
