import { z } from 'zod';
import type { ConcernRate, ProviderScorecard } from './provider-scorecard.js';
import { findingArm } from './traceback-answer.schema.js';
import { count } from './verdict-evidence.schema.js';
import { identifier, text, utcTime } from './wire-words.schema.js';

/** Different reasons that are told; rarer ones are left out. */
const MAX_REASONS = 100;
/** Arms and concerns, with room for those to come. */
const MAX_KINDS = 32;

/** Quantiles and steps of a histogram, with room for finer ones. */
const MAX_STEPS = 64;

const concern = z.enum(['not-participating', 'repeated-origin', 'regular-point-of-entry', 'insufficient-records']);
const share = z.number().min(0).max(1);

const concernRate: z.ZodType<ConcernRate> = z.object({
  concern,
  hits: count,
  trials: count,
  rate: share,
  lower: share,
  upper: share,
  campaigns: count,
  threshold: share,
  isTooFew: z.boolean(),
  qValue: z.exactOptional(share),
});

/** How a provider answers. */
export const providerScorecardSchema: z.ZodType<ProviderScorecard> = z.object({
  format: z.literal('hopback.provider-scorecard.1'),
  providerId: identifier,
  from: utcTime,
  to: utcTime,
  requests: z.object({
    received: count,
    answeredInTime: count,
    answeredLate: count,
    unanswered: count,
    open: count,
    cancelled: count,
  }),
  tracedCalls: z.exactOptional(count),
  answers: z.array(z.object({ arm: findingArm, count })).max(MAX_KINDS),
  refusals: z.array(z.object({ reason: text, count })).max(MAX_REASONS),
  medianAnswerSeconds: z.exactOptional(z.number().min(0)),
  slowestAnswerSeconds: z.exactOptional(z.number().min(0)),
  roles: z.object({ origin: count, pointOfEntry: count, transit: count, terminating: count }),
  disputed: count,
  concerns: z.array(z.object({ concern, count })).max(MAX_KINDS),
  excluded: z.exactOptional(
    z.array(z.object({ reason: z.enum(['withdrawn', 'platform-outage', 'contest-upheld']), count })).max(MAX_KINDS),
  ),
  rates: z.exactOptional(z.array(concernRate).max(MAX_KINDS)),
  answerTimes: z.exactOptional(
    z.object({
      quantiles: z.array(z.object({ share, seconds: z.number().min(0) })).max(MAX_STEPS),
      histogram: z.array(z.object({ upToSeconds: z.exactOptional(z.number().min(0)), count })).max(MAX_STEPS),
    }),
  ),
  contests: z.exactOptional(z.object({ pending: count, upheld: count, rejected: count })),
});
