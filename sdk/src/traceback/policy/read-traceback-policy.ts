import { readBySchema } from '../../core/schema-findings.js';
import { configurationError } from '../../records/configuration-error.schema.js';
import { DEFAULT_TRACEBACK_POLICY } from './default-policy.js';
import type { TracebackPolicyData } from './traceback-policy.js';
import { writtenTracebackPolicySchema } from './traceback-policy.schema.js';

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
