import { z } from 'zod';
import { readBySchema } from '../../core/schema-findings.js';
import { configurationError } from '../configuration-error.schema.js';
import { DEFAULT_SHARING_POLICY } from './sharing-policy.js';
import type { MemberPolicy, SendingLevel, SharingException, SharingPolicyData } from './sharing-policy.js';

// Written by hand: a member that nobody knows is a typing error, and would share more, or less, than was meant.

/** A policy as a carrier writes it: what is left out is as in the default policy. */
interface WrittenSharingPolicy extends Partial<Pick<SharingPolicyData, 'share' | 'suspiciousFrom' | 'exceptions'>> {
  readonly id: string;
  readonly members?: Readonly<Partial<Record<SendingLevel, Partial<MemberPolicy>>>>;
}

const share = z.enum(['nothing', 'suspicious', 'all-pseudonymous', 'all']);
const threeWays = z.exactOptional(z.enum(['kept', 'pseudonymous', 'dropped']));
const twoWays = z.exactOptional(z.enum(['kept', 'dropped']));

const memberPolicy: z.ZodType<Partial<MemberPolicy>> = z.strictObject({
  calling: threeWays,
  trunks: threeWays,
  source: threeWays,
  callIds: threeWays,
  providers: twoWays,
  addresses: twoWays,
  evidence: twoWays,
  signing: twoWays,
  release: twoWays,
  blocking: twoWays,
});

const exception: z.ZodType<SharingException> = z
  .strictObject({
    id: z.string().min(1).max(128),
    trunk: z.exactOptional(z.string().min(1).max(256)),
    customerId: z.exactOptional(z.string().min(1).max(256)),
    share,
    reason: z.string().min(1).max(512),
  })
  .refine(({ trunk, customerId }) => trunk !== undefined || customerId !== undefined, {
    message: 'must name a trunk or a customerId: else it would be for everybody',
  });

/** A sharing policy as a file has it. Keys that are not known are errors. */
const writtenSharingPolicySchema: z.ZodType<WrittenSharingPolicy> = z.strictObject({
  id: z.string().min(1).max(128).describe('name and version: goes along with every record'),
  share: z.exactOptional(share),
  suspiciousFrom: z.exactOptional(z.enum(['watch', 'suspicious'])),
  members: z.exactOptional(
    z.strictObject({
      suspicious: z.exactOptional(memberPolicy),
      'all-pseudonymous': z.exactOptional(memberPolicy),
      all: z.exactOptional(memberPolicy),
    }),
  ),
  exceptions: z.exactOptional(z.array(exception).max(1_024)),
});

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
