import { z } from 'zod';
import type { BodyOf } from './common.js';
import {
  canonicalTn,
  count,
  country,
  email,
  frn,
  fullDate,
  httpsUrl,
  identifier,
  line,
  listOf,
  object,
  ocn,
  optionalListOf,
  optionalObject,
  pattern,
  providerId,
  spc,
  telephone,
  text,
  utcTime,
} from './common.js';
import { FindingArm } from './traceback-exchange.js';

/** Names, numbers, people and companies of one provider: filings have a handful, holdings of hundreds of companies some more. */
const MAX_ENTRIES = 512;

export const RobocallMitigationContact = object('Whom to call about robocalls, as filed.\n\nSee 47 CFR 64.6305(d).', {
  /** Name of the person or office. */
  name: line.describe('Name of the person or office.'),
  /** Title, as filed. */
  title: line.exactOptional().describe('Title, as filed.'),
  /** Department, as filed. */
  department: line.exactOptional().describe('Department, as filed.'),
  /** Postal address, as filed. */
  businessAddress: text.exactOptional().describe('Postal address, as filed.'),
  /** Telephone number, as filed. */
  telephoneNumber: telephone.exactOptional().describe('Telephone number, as filed.'),
  /** Mail address. */
  email: email.exactOptional().describe('Mail address.'),
});
/** Whom to call about robocalls, as filed. @see 47 CFR 64.6305(d) */
export type RobocallMitigationContact = BodyOf<typeof RobocallMitigationContact>;

export const ProviderPrincipal = z.object({
  /** Name of the person or company. */
  name: line.describe('Name of the person or company.'),
  /** `owner`, `officer`, `director` or what else was filed. */
  role: line.describe('`owner`, `officer`, `director` or what else was filed.'),
});
/** A person or company behind a provider, by role. */
export type ProviderPrincipal = BodyOf<typeof ProviderPrincipal>;

export const ProviderAffiliate = z.object({
  /** Name of the company. */
  name: line.describe('Name of the company.'),
  providerId: providerId.exactOptional(),
  frn: frn.exactOptional(),
  /** `parent`, `subsidiary`, `common-owner` or what else was filed. */
  relation: line.describe('`parent`, `subsidiary`, `common-owner` or what else was filed.'),
});
/** A company that is related to a provider. */
export type ProviderAffiliate = BodyOf<typeof ProviderAffiliate>;

export const ProviderRemoval = object(
  'That it was removed from the Robocall Mitigation Database.\n\nSee 47 CFR 64.6305(g).',
  {
    /** When it was removed, RFC 3339 full date. */
    removedOn: fullDate.describe('When it was removed, RFC 3339 full date.'),
    /** Why, in words. */
    reason: text.describe('Why, in words.'),
    /** Where the order can be read. */
    orderUrl: httpsUrl.exactOptional().describe('Where the order can be read.'),
  },
);
/** That a provider is not listed any longer: nobody may take its calls directly. @see 47 CFR 64.6305(g) */
export type ProviderRemoval = BodyOf<typeof ProviderRemoval>;

/**
 * A voice service provider in the registry: what it filed in the Robocall Mitigation Database, and its other identifiers.
 * @see 47 CFR 64.6305
 */
export const ProviderEntry = object(
  'A voice service provider in the registry: what it filed in the Robocall Mitigation Database, and its other identifiers.\n\nSee 47 CFR 64.6305.',
  {
    /** Marks the form. */
    format: z.literal('hopback.provider-entry.1').describe('Marks the form.'),
    providerId,
    /** Name under which the provider has filed. */
    businessName: line.describe('Name under which the provider has filed.'),
    frn: frn.exactOptional(),
    /** Names under which it has filed before. */
    previousBusinessNames: z.array(line).max(MAX_ENTRIES).describe('Names under which it has filed before.'),
    /** Other names under which it does business. */
    otherDbaNames: z.array(line).max(MAX_ENTRIES).describe('Other names under which it does business.'),
    /** Postal address, as filed. */
    businessAddress: text.exactOptional().describe('Postal address, as filed.'),
    country: country.exactOptional(),
    /** Whether it has filed as a foreign voice service provider. */
    isForeignVoiceServiceProvider: z.boolean().describe('Whether it has filed as a foreign voice service provider.'),
    /** Whether it has filed as a voice service provider. */
    isVoiceServiceProvider: z.boolean().describe('Whether it has filed as a voice service provider.'),
    /** Whether it has filed as a gateway provider. */
    isGatewayProvider: z.boolean().describe('Whether it has filed as a gateway provider.'),
    /** Whether it has filed as an intermediate provider that is not a gateway. */
    isNonGatewayIntermediateProvider: z
      .boolean()
      .describe('Whether it has filed as an intermediate provider that is not a gateway.'),
    /** How far STIR/SHAKEN is in place, as filed. */
    implementation: z
      .enum(['complete', 'partial', 'none'])
      .describe('How far STIR/SHAKEN is in place, as filed.\n\nSee 47 CFR 64.6305(d).'),
    robocallMitigationContact: RobocallMitigationContact.exactOptional(),
    /** Operating Company Numbers, four characters each. */
    ocns: z.array(ocn).max(MAX_ENTRIES).describe('Operating Company Numbers, four characters each.'),
    /** Service Provider Codes. */
    spcs: z.array(spc).max(MAX_ENTRIES).describe('Service Provider Codes.'),
    /** People who own or direct it. */
    principals: z.array(ProviderPrincipal).max(MAX_ENTRIES).describe('People who own or direct it.'),
    /** Providers under the same ownership. */
    affiliates: z.array(ProviderAffiliate).max(MAX_ENTRIES).describe('Providers under the same ownership.'),
    /** When it certified that it answers tracebacks within 24 hours, RFC 3339 full date; absent if it did not. */
    certified24HoursOn: fullDate
      .exactOptional()
      .describe(
        'When it certified that it answers tracebacks within 24 hours, RFC 3339 full date; absent if it did not.',
      ),
    removal: ProviderRemoval.exactOptional(),
    /** When the filing was last changed, RFC 3339 full date. */
    filingUpdatedOn: fullDate.exactOptional().describe('When the filing was last changed, RFC 3339 full date.'),
    /** When this entry was last changed, RFC 3339 in UTC. */
    updatedAt: utcTime.describe('When this entry was last changed, RFC 3339 in UTC.'),
  },
);
export type ProviderEntry = BodyOf<typeof ProviderEntry>;

/** Different reasons that are listed; rarer ones are left out. */
const MAX_REASONS = 100;
/** Arms and concerns, with room for those to come. */
const MAX_KINDS = 32;
/** Quantiles and steps of a histogram, with room for finer ones. */
const MAX_STEPS = 64;

export const CooperationConcern = z.enum([
  'not-participating',
  'repeated-origin',
  'regular-point-of-entry',
  'insufficient-records',
]).describe(`What makes a provider look non-cooperative, as the attorneys general of 51 jurisdictions listed it in 2020.

- \`not-participating\`: requests go unanswered or refused
- \`repeated-origin\`: illegal calls begin or are accepted there again and again
- \`regular-point-of-entry\`: foreign illegal calls regularly come in there
- \`insufficient-records\`: records are repeatedly missing, gone or ambiguous`);
/** What makes a provider look non-cooperative, as the attorneys general of 51 jurisdictions listed it in 2020. */
export type CooperationConcern = z.output<typeof CooperationConcern>;

const share = z.number().min(0).max(1);
const seconds = z.number().min(0);

const concernRate = z.object({
  concern: CooperationConcern,
  /** Requests that support the concern. */
  hits: count.describe('Requests that support the concern.'),
  /** Requests that could have supported it. */
  trials: count.describe('Requests that could have supported it.'),
  /** `hits` of `trials`; 0 if there are none. */
  rate: share.describe('`hits` of `trials`; 0 if there are none.'),
  /** Lower bound of the Wilson score interval, 95 %. */
  lower: share.describe('Lower bound of the Wilson score interval, 95 %.'),
  /** Upper bound of the interval. */
  upper: share.describe('Upper bound of the interval.'),
  /** How many campaigns those requests belong to. */
  campaigns: count.describe('How many campaigns those requests belong to.'),
  /** The lower bound has to be above this share for a concern. */
  threshold: share.describe('The lower bound has to be above this share for a concern.'),
  /** Too few requests to say anything: never a concern. */
  isTooFew: z.boolean().describe('Too few requests to say anything: never a concern.'),
  /** Q-value of the exact test, by Benjamini and Hochberg over all providers of that period; absent if there were too few requests. */
  qValue: share
    .exactOptional()
    .describe(
      'Q-value of the exact test, by Benjamini and Hochberg over all providers of that period; absent if there were too few requests.',
    ),
});

/**
 * How a provider answers, over a stretch of time: rates and reasons, never a yes or no.
 * @see TRACED Act section 13(d); 47 CFR 64.1203
 */
export const ProviderScorecard = object(
  'How a provider answers, over a stretch of time: rates and reasons, never a yes or no.\n\nSee TRACED Act section 13(d); 47 CFR 64.1203.',
  {
    /** Marks the form. */
    format: z.literal('hopback.provider-scorecard.1').describe('Marks the form.'),
    providerId,
    /** Beginning of the time that is counted, RFC 3339 in UTC, included. */
    from: utcTime.describe('Beginning of the time that is counted, RFC 3339 in UTC, included.'),
    /** End of the time, RFC 3339 in UTC, not included. */
    to: utcTime.describe('End of the time, RFC 3339 in UTC, not included.'),
    /** What became of the requests to the provider. The others add up to `received`. */
    requests: object('What became of the requests to the provider. The others add up to `received`.', {
      /** Sent to the provider. */
      received: count.describe('Sent to the provider.'),
      /** Answered before their deadline. */
      answeredInTime: count.describe('Answered before their deadline.'),
      /** Answered after it. */
      answeredLate: count.describe('Answered after it.'),
      /** Due, and not answered. */
      unanswered: count.describe('Due, and not answered.'),
      /** Not due yet. */
      open: count.describe('Not due yet.'),
      /** Withdrawn before there was an answer. */
      cancelled: count.describe('Withdrawn before there was an answer.'),
    }),
    /** Different calls that the requests were about: each traceback follows one. */
    tracedCalls: count
      .exactOptional()
      .describe('Different calls that the requests were about: each traceback follows one.'),
    /** Last answers, counted by arm; arms that did not occur are left out. */
    answers: listOf('Last answers, counted by arm; arms that did not occur are left out.', MAX_KINDS, {
      /** Arm of the answers. */
      arm: FindingArm.describe('Arm of the answers.'),
      /** How many. */
      count: count.describe('How many.'),
    }),
    /** Reasons that were given for refusals, counted. */
    refusals: listOf('Reasons that were given for refusals, counted.', MAX_REASONS, {
      /** The reason, as it was given. */
      reason: text.describe('The reason, as it was given.'),
      /** How often it was given. */
      count: count.describe('How often it was given.'),
    }),
    /** From issue to answer, seconds; absent if nothing was answered. */
    medianAnswerSeconds: seconds
      .exactOptional()
      .describe('From issue to answer, seconds; absent if nothing was answered.'),
    /** Longest time to an answer, seconds. */
    slowestAnswerSeconds: seconds.exactOptional().describe('Longest time to an answer, seconds.'),
    /** What the provider turned out to be in tracebacks that ended, counted. */
    roles: object('What the provider turned out to be in tracebacks that ended, counted.', {
      /** Times that calls began there. */
      origin: count.describe('Times that calls began there.'),
      /** Times that calls entered the United States there. */
      pointOfEntry: count.describe('Times that calls entered the United States there.'),
      /** Times that it passed the call on. */
      transit: count.describe('Times that it passed the call on.'),
      /** Times that it delivered the call. */
      terminating: count.describe('Times that it delivered the call.'),
    }),
    /** Answers that a neighbour's answer contradicts, if evidence did not decide. */
    disputed: count.describe("Answers that a neighbour's answer contradicts, if evidence did not decide."),
    /** Concerns, each with the count that gave rise to it. */
    concerns: listOf('Concerns, each with the count that gave rise to it.', MAX_KINDS, {
      concern: CooperationConcern,
      /** How many requests gave rise to it. */
      count: count.describe('How many requests gave rise to it.'),
    }),
    /** Requests that are left out of all rates, by the reason. */
    excluded: optionalListOf('Requests that are left out of all rates, by the reason.', MAX_KINDS, {
      /** Why they are left out: withdrawn, the platform's own outage, or rightly contested by the provider. */
      reason: z
        .enum(['withdrawn', 'platform-outage', 'contest-upheld'])
        .describe("Why they are left out: withdrawn, the platform's own outage, or rightly contested by the provider."),
      /** How many requests are left out for it. */
      count: count.describe('How many requests are left out for it.'),
    }),
    /** The rates behind the concerns, including those that raise none. */
    rates: z
      .array(concernRate)
      .max(MAX_KINDS)
      .exactOptional()
      .describe('The rates behind the concerns, including those that raise none.'),
    /** How long answers took, from issue to answer, by the platform's clock; absent if nothing was answered. */
    answerTimes: optionalObject(
      "How long answers took, from issue to answer, by the platform's clock; absent if nothing was answered.",
      {
        /** Time within which that share of the answers came. */
        quantiles: listOf('Time within which that share of the answers came.', MAX_STEPS, {
          /** Share of the answers, 0 to 1. */
          share: share.describe('Share of the answers, 0 to 1.'),
          /** Time within which they came, seconds. */
          seconds: seconds.describe('Time within which they came, seconds.'),
        }),
        /** Answers counted by how long they took, in steps. */
        histogram: listOf('Answers counted by how long they took, in steps.', MAX_STEPS, {
          /** Longest time of the step, seconds; absent in the last step. */
          upToSeconds: seconds.exactOptional().describe('Longest time of the step, seconds; absent in the last step.'),
          /** How many answers took so long. */
          count: count.describe('How many answers took so long.'),
        }),
      },
    ),
    /** Requests whose counting the provider contested, by what was decided. */
    contests: optionalObject('Requests whose counting the provider contested, by what was decided.', {
      /** Counted and marked until it is decided. */
      pending: count.describe('Counted and marked until it is decided.'),
      /** Left out of all rates. */
      upheld: count.describe('Left out of all rates.'),
      /** Counted as before. */
      rejected: count.describe('Counted as before.'),
    }),
  },
);
export type ProviderScorecard = BodyOf<typeof ProviderScorecard>;

/** Do-not-originate numbers. */
export const DoNotOriginateEntry = object('Do-not-originate numbers.', {
  /** Id of the entry. */
  entryId: identifier.describe('Id of the entry.'),
  /** A whole number, or the digits that a block of numbers begins with. */
  numbers: z
    .xor([
      z.object({ tn: canonicalTn }),
      z.object({
        /** Leading digits that the numbers have in common. */
        prefix: pattern(/^\d{1,15}$/).describe('Leading digits that the numbers have in common.'),
      }),
    ])
    .describe('A whole number, or the digits that a block of numbers begins with.'),
  /** Why no call can rightly come from the number. */
  reason: z.enum(['subscriber-request', 'invalid', 'unallocated', 'unused'])
    .describe(`Why no call can rightly come from the number.

- \`subscriber-request\`: its subscriber only receives calls, and asked for it
- \`invalid\`: not a number of the North American Numbering Plan
- \`unallocated\`: of a block that no provider has
- \`unused\`: a provider has it and no subscriber

See 47 CFR 64.1200(k)(1), (o).`),
  /** Whom the number belongs to, if that is public. */
  subscriber: line.exactOptional().describe('Whom the number belongs to, if that is public.'),
  /** From when it is in force, RFC 3339 in UTC. */
  validFrom: utcTime.describe('From when it is in force, RFC 3339 in UTC.'),
  /** When it ceases to be in force; a withdrawn entry stays in the list with this time for 30 days. */
  validTo: utcTime
    .exactOptional()
    .describe('When it ceases to be in force; a withdrawn entry stays in the list with this time for 30 days.'),
  /** When the entry was last changed: `changedSince` is compared with it. */
  updatedAt: utcTime.describe('When the entry was last changed: `changedSince` is compared with it.'),
});
export type DoNotOriginateEntry = BodyOf<typeof DoNotOriginateEntry>;
