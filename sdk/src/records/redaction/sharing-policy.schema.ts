import { z } from 'zod';
import type { MemberPolicy, SendingLevel, SharingException, SharingPolicyData } from './sharing-policy.js';

// Written by hand: a member that nobody knows is a typing error, and would share more, or less, than was meant.

/** A policy as a carrier writes it: what is left out is as in the default policy. */
export interface WrittenSharingPolicy extends Partial<
  Pick<SharingPolicyData, 'share' | 'suspiciousFrom' | 'exceptions'>
> {
  readonly id: string;
  readonly members?: Readonly<Partial<Record<SendingLevel, Partial<MemberPolicy>>>>;
}

const share = z.enum(['nothing', 'suspicious', 'all-pseudonymous', 'all']);
const threeWays = z.exactOptional(z.enum(['kept', 'pseudonymous', 'dropped']));
const twoWays = z.exactOptional(z.enum(['kept', 'dropped']));

const members: z.ZodType<Partial<MemberPolicy>> = z.strictObject({
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
export const writtenSharingPolicySchema: z.ZodType<WrittenSharingPolicy> = z.strictObject({
  id: z.string().min(1).max(128).describe('name and version: goes along with every record'),
  share: z.exactOptional(share),
  suspiciousFrom: z.exactOptional(z.enum(['watch', 'suspicious'])),
  members: z.exactOptional(
    z.strictObject({
      suspicious: z.exactOptional(members),
      'all-pseudonymous': z.exactOptional(members),
      all: z.exactOptional(members),
    }),
  ),
  exceptions: z.exactOptional(z.array(exception).max(1_024)),
});
