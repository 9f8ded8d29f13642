import { z } from 'zod';
import { readBySchema } from '../../core/schema-findings.js';
import type { BodyOf, ProviderReference } from '../../contract/common.js';
import { CustomerAction, Requester } from '../../contract/traceback-exchange.js';
import type { TracebackAnswer, TracebackRequest } from '../../contract/traceback-exchange.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import { contactDetailsSchema } from '../directory/provider-identity.js';
import type { TrunkDirectory } from '../directory/trunk-directory.js';
import type { MatchOutcome } from '../match-outcome.js';

// Files are read strictly: a member that nobody knows is a typing error, and would let more, or less, be answered than was meant.

const automatic = z.strictObject({
  /** Arms; none: nothing is answered without a person. A refusal and "ambiguous" never are: a person is answerable for them. */
  arms: z
    .array(
      z.enum([
        'received-from',
        'received-from-unlisted',
        'origin',
        'point-of-entry',
        'not-found',
        'not-retained',
        'not-sent-to-downstream',
      ]),
    )
    .max(7),
  requesters: z.array(Requester.shape.kind).max(4),
  /** Least score of the match, 0 to 1. */
  leastScore: z.number().min(0).max(1),
  /** By how much the best other call of the window has to score less, 0 to 1. */
  leastLead: z.number().min(0).max(1),
  /** How far recorded and stated time may be apart beyond what was stated, seconds, 0 to 3,600. */
  mostTimeOffsetSeconds: z.number().min(0).max(3_600),
  /** Coarsest step of the times of the source, seconds, 1 to 3,600. */
  mostTimeStepSeconds: z.number().min(1).max(3_600),
  /** Whether a time that was stated without a zone goes to a person. */
  zoneRequired: z.boolean(),
  /** For how long around the call, as far as it was searched, every source has to be complete, seconds to each side, 0 to 86,400. */
  completeAroundSeconds: z.number().min(0).max(86_400),
  /** For how long "not found" has to have been searched, seconds in all, 0 to 604,800. */
  leastSearchedSeconds: z.number().min(0).max(604_800),
  /** Whether a request with a comment for people goes to a person. */
  commentsToPerson: z.boolean(),
  /** Whether "not found" at the first hop goes to a person, who can say whose number it is. */
  firstHopNotFoundToPerson: z.boolean(),
  /** Whether "not found" goes to a person where the call was looked for by the number called alone: it may be on record under another. */
  notFoundWithoutCallerToPerson: z.boolean(),
});

const queue = z.string().min(1).max(64);

/** Why a request goes to a person: each with a queue of its own where the policy names one. */
const queues = z.strictObject({
  /** Which call is meant, or whom it came from. */
  match: queue,
  /** A trunk that the directory does not know, contradicts itself about, or that changed hands. */
  directory: queue,
  /** Records are missing, or their time cannot be relied on. */
  records: queue,
  /** Law enforcement, a legal hold, a dispute with whoever named us. */
  legal: queue,
  /** What is said about a customer. */
  customer: queue,
  /** Everything else that the policy keeps for a person. */
  policy: queue,
});

/** Customers with something on file: the wholesale customers of a large carrier. */
const MOST_STATEMENTS = 100_000;

const words = z.string().min(1).max(2_000);

const statement = z
  .strictObject({ contact: contactDetailsSchema, knowYourCustomer: words, action: CustomerAction })
  .exactPartial();

const customers = z.strictObject({
  /** How much is said: nothing but that there is one; the provider's own name for it; name and address of the customer. */
  details: z.enum(['none', 'identifier', 'contact']),
  /** What is on file of customers, by the carrier's name for them. */
  statements: z
    .record(z.string().min(1).max(256), statement)
    .refine((all) => Object.keys(all).length <= MOST_STATEMENTS, {
      message: `has more than ${String(MOST_STATEMENTS)} customers`,
    }),
  /** What the provider does to know its customers, where no statement says otherwise. */
  knowYourCustomer: z.exactOptional(words),
  /** Whether "we are the origin" needs the basis on which the customer is known. */
  basisRequired: z.boolean(),
});

/** Which members of the record an answer carries. */
const answer = z.strictObject({
  numbers: z.boolean(),
  trunks: z.boolean(),
  addresses: z.boolean(),
  callIds: z.boolean(),
});

/** What is answered without a person, what goes to whom, and what is said: as data. */
export const TracebackPolicyData = z.strictObject({
  /** Name and version, 1 to 128 characters: stands in every answer that no person gave. */
  policyId: z.string().min(1).max(128).describe('name and version: stands in every answer that no person gave'),
  /** What may be answered without a person. Everything in it makes less automatic than the rules that no policy changes. */
  automatic,
  /** Queue by topic, 1 to 64 characters each. */
  queues,
  /** What is said about a customer whose call began here. */
  customers,
  answer,
});
export type TracebackPolicyData = BodyOf<typeof TracebackPolicyData>;

/** Why a request goes to a person: each with a queue of its own where the policy names one. */
export type ReviewTopic = keyof TracebackPolicyData['queues'];

/** A policy as a carrier writes it: what is left out is as in the default policy. */
const writtenPolicy = TracebackPolicyData.extend({
  automatic: z.exactOptional(automatic.exactPartial()),
  queues: z.exactOptional(queues.exactPartial()),
  customers: z.exactOptional(customers.exactPartial()),
  answer: z.exactOptional(answer.exactPartial()),
});

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

/**
 * Reads a traceback policy, out of a file or a part of one. Needed is its `policyId` alone: what is left out, down to single members, is as in
 * {@link DEFAULT_TRACEBACK_POLICY}.
 * @param value - what was written, as JSON or YAML has it parsed
 * @param options - `at`: how a message names the policy. Default `the traceback policy`
 * @returns the whole data
 * @throws {@link HopbackError} `invalid-configuration` that names each member that is not known or out of its bounds, the first in
 * `details.member`
 * @see 47 CFR 64.1200(n)(1)
 * @example
 * ```ts
 * const policy = readTracebackPolicy({ policyId: 'example-2', automatic: { arms: ['received-from', 'origin'] } });
 * console.log(policy.automatic.arms.length, policy.automatic.leastScore); // 2 0.7
 * ```
 */
export function readTracebackPolicy(value: unknown, options: { readonly at?: string } = {}): TracebackPolicyData {
  const result = readBySchema(writtenPolicy, value);
  if (!result.success) throw configurationError(options.at ?? 'the traceback policy', { error: result.error, value });
  const written = result.data;
  const defaults = DEFAULT_TRACEBACK_POLICY;
  return {
    policyId: written.policyId,
    automatic: { ...defaults.automatic, ...written.automatic },
    queues: { ...defaults.queues, ...written.queues },
    customers: { ...defaults.customers, ...written.customers },
    answer: { ...defaults.answer, ...written.answer },
  };
}

/** Everything that a decision rests on. */
export interface PolicyInput {
  readonly request: TracebackRequest;
  /** Absent where nothing was looked for, as for a trace forward. */
  readonly outcome?: MatchOutcome;
  /** Who answers. */
  readonly provider: ProviderReference;
  readonly policy: TracebackPolicyData;
  /** It may say why as well. */
  readonly directory: Pick<TrunkDirectory, 'partyOf' | 'isSame' | 'knows'> &
    Partial<Pick<TrunkDirectory, 'lookUp' | 'directoryId'>>;
  /** Whether records of the call are under a legal hold; `unknown` where the store could not be asked. */
  readonly hold: 'none' | 'held' | 'unknown';
  /** Sources that have to be complete, beside those whose coverage the outcome names: `scope().sources` of the store. */
  readonly sources: readonly string[];
  /** Microseconds since the epoch. */
  readonly nowUs: number;
}

/** An answer but for who gives it, when, and under which ids. */
export type AnswerDraft = Pick<TracebackAnswer, 'finding' | 'call' | 'upstreamAction' | 'searched' | 'comment'>;

/** What is to become of a request. */
export type PolicyDecision = (
  | { readonly kind: 'automatic'; readonly draft: AnswerDraft }
  | {
      readonly kind: 'review';
      /** Of the weightiest reason. */
      readonly queue: string;
      /** Weightiest first; at least one. */
      readonly reasons: readonly {
        readonly rule: string;
        readonly topic: keyof TracebackPolicyData['queues'];
        readonly text: string;
      }[];
      /** What would be answered, where something would: for the person to look at. */
      readonly proposal?: AnswerDraft;
    }
) & {
  /** How the decision came about: goes into the evidence. */
  readonly trace: {
    readonly policyId: string;
    readonly directoryId?: string;
    /** Each rule as it was applied, in that order: what it looked at, and what came of it. All of them always are. */
    readonly rules: readonly {
      /** Name of the rule. */
      readonly rule: string;
      /** `passed`: nothing against an answer without a person; `review`: a person decides; `not-applicable`: says nothing of this request. */
      readonly result: 'passed' | 'review' | 'not-applicable';
      /** Whether a policy can change it. */
      readonly isFixed: boolean;
      /** What was compared. Free of telephone numbers. */
      readonly inputs: Readonly<Record<string, string | number | boolean>>;
      /** In words. */
      readonly text: string;
    }[];
  };
};

export type PolicyTrace = PolicyDecision['trace'];
