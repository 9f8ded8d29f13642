import { z } from 'zod';
import { readBySchema } from '../../core/schema-findings.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import { contactDetailsSchema } from '../directory/read-trunk-directory.js';
import { DEFAULT_TRACEBACK_POLICY } from './traceback-policy.js';
import type {
  AnswerDetailPolicy,
  AutomaticArm,
  AutomaticPolicy,
  CustomerEntry,
  CustomerPolicy,
  ReviewTopic,
  TracebackPolicyData,
} from './traceback-policy.js';

// Written by hand: a member that nobody knows is a typing error, and would let more, or less, be answered than was meant.

/** A policy as a carrier writes it: what is left out is as in the default policy. */
interface WrittenTracebackPolicy {
  readonly policyId: string;
  readonly automatic?: Partial<AutomaticPolicy>;
  readonly queues?: Readonly<Partial<Record<ReviewTopic, string>>>;
  readonly customers?: Partial<CustomerPolicy>;
  readonly answer?: Partial<AnswerDetailPolicy>;
}

/** Customers with something on file: the wholesale customers of a large carrier. */
const MOST_STATEMENTS = 100_000;

const arm: z.ZodType<AutomaticArm> = z.enum([
  'received-from',
  'received-from-unlisted',
  'origin',
  'point-of-entry',
  'not-found',
  'not-retained',
  'not-sent-to-downstream',
]);

const automaticPolicy: z.ZodType<Partial<AutomaticPolicy>> = z.strictObject({
  arms: z.exactOptional(z.array(arm).max(7)),
  requesters: z.exactOptional(
    z.array(z.enum(['itg', 'fcc', 'civil-law-enforcement', 'criminal-law-enforcement'])).max(4),
  ),
  leastScore: z.exactOptional(z.number().min(0).max(1)),
  leastLead: z.exactOptional(z.number().min(0).max(1)),
  mostTimeOffsetSeconds: z.exactOptional(z.number().min(0).max(3_600)),
  mostTimeStepSeconds: z.exactOptional(z.number().min(1).max(3_600)),
  zoneRequired: z.exactOptional(z.boolean()),
  completeAroundSeconds: z.exactOptional(z.number().min(0).max(86_400)),
  leastSearchedSeconds: z.exactOptional(z.number().min(0).max(604_800)),
  commentsToPerson: z.exactOptional(z.boolean()),
  firstHopNotFoundToPerson: z.exactOptional(z.boolean()),
  notFoundWithoutCallerToPerson: z.exactOptional(z.boolean()),
});

const words = z.string().min(1).max(2_000);

const statement: z.ZodType<CustomerEntry> = z.strictObject({
  contact: z.exactOptional(contactDetailsSchema),
  knowYourCustomer: z.exactOptional(words),
  action: z.exactOptional(z.enum(['none', 'under-review', 'warned', 'suspended', 'terminated'])),
});

const customerPolicy: z.ZodType<Partial<CustomerPolicy>> = z.strictObject({
  details: z.exactOptional(z.enum(['none', 'identifier', 'contact'])),
  statements: z.exactOptional(
    z.record(z.string().min(1).max(256), statement).refine((all) => Object.keys(all).length <= MOST_STATEMENTS, {
      message: `has more than ${String(MOST_STATEMENTS)} customers`,
    }),
  ),
  knowYourCustomer: z.exactOptional(words),
  basisRequired: z.exactOptional(z.boolean()),
});

const queue = z.exactOptional(z.string().min(1).max(64));
const said = z.exactOptional(z.boolean());

/** A traceback policy as a file has it. Keys that are not known are errors. */
const writtenTracebackPolicySchema: z.ZodType<WrittenTracebackPolicy> = z.strictObject({
  policyId: z.string().min(1).max(128).describe('name and version: stands in every answer that no person gave'),
  automatic: z.exactOptional(automaticPolicy),
  queues: z.exactOptional(
    z.strictObject({
      match: queue,
      directory: queue,
      records: queue,
      legal: queue,
      customer: queue,
      policy: queue,
    }),
  ),
  customers: z.exactOptional(customerPolicy),
  answer: z.exactOptional(z.strictObject({ numbers: said, trunks: said, addresses: said, callIds: said })),
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
  const result = readBySchema(writtenTracebackPolicySchema, value);
  if (!result.success) throw configurationError(options.at ?? 'the traceback policy', { error: result.error, value });
  const { policyId, automatic, queues, customers, answer } = result.data;
  const defaults = DEFAULT_TRACEBACK_POLICY;
  return {
    policyId,
    automatic: { ...defaults.automatic, ...automatic },
    queues: { ...defaults.queues, ...queues },
    customers: { ...defaults.customers, ...customers },
    answer: { ...defaults.answer, ...answer },
  };
}
