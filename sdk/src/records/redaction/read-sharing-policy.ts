import { readBySchema } from '../../core/schema-findings.js';
import { configurationError } from '../configuration-error.schema.js';
import { DEFAULT_SHARING_POLICY } from './sharing-policy.js';
import type { SharingPolicyData } from './sharing-policy.js';
import { writtenSharingPolicySchema } from './sharing-policy.schema.js';

/**
 * Reads a sharing policy, out of a file or a part of one. Needed is its `id` alone: what is left out, down to single members, is as in
 * {@link DEFAULT_SHARING_POLICY}.
 * @param value - what was written, as JSON or YAML has it parsed
 * @param options - `at`: how a message names the policy. Default `the sharing policy`
 * @returns the whole data, for {@link createSharingPolicy}
 * @throws {@link HopbackError} `invalid-configuration` that names each member that is not known or out of its bounds, the first in
 * `details.member`
 * @see 47 USC 222(d)(2) on sharing to protect users from fraud and abuse
 * @example
 * ```ts
 * const data = readSharingPolicy({ id: 'example-2', members: { suspicious: { addresses: 'dropped' } } });
 * console.log(data.share, data.members.suspicious.addresses, data.members.suspicious.calling); // suspicious dropped kept
 * ```
 */
export function readSharingPolicy(value: unknown, options: { readonly at?: string } = {}): SharingPolicyData {
  const result = readBySchema(writtenSharingPolicySchema, value);
  if (!result.success) throw configurationError(options.at ?? 'the sharing policy', { error: result.error, value });
  const { members = {}, ...written } = result.data;
  const defaults = DEFAULT_SHARING_POLICY.members;
  return {
    ...DEFAULT_SHARING_POLICY,
    ...written,
    members: {
      suspicious: { ...defaults.suspicious, ...members.suspicious },
      'all-pseudonymous': { ...defaults['all-pseudonymous'], ...members['all-pseudonymous'] },
      all: { ...defaults.all, ...members.all },
    },
  };
}
