import { z } from 'zod';
import type { BodyOf } from './common.js';
import {
  alertId,
  campaignId,
  ContactDetails,
  identifier,
  line,
  listOf,
  object,
  oneOf,
  openWord,
  optionalObject,
  optionalOneOf,
  ProviderReference,
  text,
  tracebackId,
  utcTime,
} from './common.js';
import { CustomerAction, RequestedCall } from './traceback-exchange.js';

/** Tracebacks and providers that an alert names. */
const MAX_NAMED_IN_ALERT = 500;
/** Calls, tracebacks and sources that a notice or response names. */
const MAX_NAMED_IN_NOTICE = 500;
/** Figures that an alert rests on. */
const MAX_FIGURES = 64;

const acknowledgement = {
  /** Who has seen it, by role or office. */
  acknowledgedBy: line.describe('Who has seen it, by role or office.'),
  /** What the organization means to do. */
  intends: optionalOneOf('What the organization means to do.', ['investigate', 'watch', 'no-action']),
  /** For the next reader of the alert. */
  note: text.exactOptional().describe('For the next reader of the alert.'),
};

/** Somebody has seen an alert. Sending it again changes nothing. */
export const AlertAcknowledgement = z
  .object(acknowledgement)
  .describe('Somebody has seen an alert. Sending it again changes nothing.');
export type AlertAcknowledgement = BodyOf<typeof AlertAcknowledgement>;

/** Tells an agency or provider about something it may want to act on. It contains enough to open an investigation, and no records that require a demand. */
export const Alert = object(
  'Tells an agency or provider about something it may want to act on. It contains enough to open an investigation, and no records that require a demand.',
  {
    /** Marks the form. */
    format: z.literal('hopback.alert.1').describe('Marks the form.'),
    alertId,
    /** What an alert is about. */
    kind: z.enum([
      'campaign-suspected',
      'campaign-resumed',
      'live-campaign',
      'provider-non-responsive',
      'point-of-entry',
    ]).describe(`What an alert is about.

- \`campaign-suspected\`, \`campaign-resumed\`: calls that look like a campaign; a dormant one calls again
- \`live-campaign\`: a campaign calls now, so that a temporary restraining order would stop it
- \`provider-non-responsive\`: requests to a provider go unanswered
- \`point-of-entry\`: foreign illegal calls come in at a provider again and again`),
    /** How soon somebody should look. */
    severity: oneOf('How soon somebody should look.', ['information', 'warning', 'urgent']),
    /** When it was raised, RFC 3339 in UTC. */
    raisedAt: utcTime.describe('When it was raised, RFC 3339 in UTC.'),
    /** What happened, in one line. */
    title: line.describe('What happened, in one line.'),
    /** What happened, in some sentences. */
    summary: text.describe('What happened, in some sentences.'),
    campaignId: campaignId.exactOptional(),
    /** Ids of tracebacks. */
    tracebackIds: z.array(tracebackId).max(MAX_NAMED_IN_ALERT).describe('Ids of tracebacks.'),
    /** Providers that are concerned. */
    providers: z.array(ProviderReference).max(MAX_NAMED_IN_ALERT).describe('Providers that are concerned.'),
    /** What it rests on, counted. */
    figures: listOf('What it rests on, counted.', MAX_FIGURES, {
      /** What was counted. */
      name: openWord.describe('What was counted.'),
      /** How much it is. */
      value: z.number().describe('How much it is.'),
      /** In which unit. */
      unit: z.string().min(1).max(32).exactOptional().describe('In which unit.'),
    }),
    /** First acknowledgement by the caller's organization. */
    acknowledged: optionalObject("First acknowledgement by the caller's organization.", {
      ...acknowledgement,
      /** When it was acknowledged, RFC 3339 in UTC. */
      acknowledgedAt: utcTime.describe('When it was acknowledged, RFC 3339 in UTC.'),
    }),
  },
);
export type Alert = BodyOf<typeof Alert>;

/** Measures of one response. */
const MAX_MEASURES = 100;
/** Responses to one notice: the two that are due, and what was added. */
const MAX_RESPONSES = 100;

/** What a provider says to a notice: first what it did, then what it found. */
export const NoticeResponse = object('What a provider says to a notice: first what it did, then what it found.', {
  /** Marks the form. */
  format: z.literal('hopback.notice-response.1').describe('Marks the form.'),
  /** Id of the response, the provider's own. The same response sent again is stored once. */
  responseId: identifier.describe(
    "Id of the response, the provider's own. The same response sent again is stored once.",
  ),
  /** `mitigation`: what was done, within 48 hours; `report`: what was found, within 14 days. */
  kind: z
    .enum(['mitigation', 'report'])
    .describe('`mitigation`: what was done, within 48 hours; `report`: what was found, within 14 days.'),
  /** When it was made, RFC 3339 in UTC. */
  respondedAt: utcTime.describe('When it was made, RFC 3339 in UTC.'),
  /** What was found about the traffic. */
  finding: z
    .enum(['traffic-illegal', 'traffic-lawful', 'not-our-traffic', 'under-investigation'])
    .describe('What was found about the traffic.'),
  /** What the provider says, in words. */
  statement: text.describe('What the provider says, in words.'),
  /** What was done about the traffic. */
  measures: listOf('What was done about the traffic.', MAX_MEASURES, {
    /** What was done. */
    action: oneOf('What was done.', [...CustomerAction.options, 'traffic-blocked', 'upstream-notified', 'other']),
    /** When it was done, RFC 3339 in UTC. */
    takenAt: utcTime.describe('When it was done, RFC 3339 in UTC.'),
    /** The same in words. */
    detail: text.describe('The same in words.'),
  }),
  /** From whom the traffic came. */
  sources: z
    .array(
      z.discriminatedUnion('kind', [
        z.object({
          /** Who sent it. */
          kind: z.literal('customer').describe('Who sent it.'),
          /** The customer. */
          contact: ContactDetails.describe('The customer.'),
        }),
        z.object({
          /** Who sent it. */
          kind: z.literal('provider').describe('Who sent it.'),
          /** The provider from which the calls came. */
          upstream: ProviderReference.describe('The provider from which the calls came.'),
        }),
        z.object({
          /** Who sent it. */
          kind: z.literal('unlisted-provider').describe('Who sent it.'),
          /** The provider from which the calls came. */
          upstream: ContactDetails.describe('The provider from which the calls came.'),
        }),
      ]),
    )
    .max(MAX_NAMED_IN_NOTICE)
    .describe('From whom the traffic came.'),
});
export type NoticeResponse = BodyOf<typeof NoticeResponse>;

/** The Commission's notice of suspected illegal traffic to a provider. @see 47 CFR 64.1200(n)(2) */
export const FccNotice = object(
  "The Commission's notice of suspected illegal traffic to a provider.\n\nSee 47 CFR 64.1200(n)(2).",
  {
    /** Marks the form. */
    format: z.literal('hopback.fcc-notice.1').describe('Marks the form.'),
    /** Id of the notice. */
    noticeId: identifier.describe('Id of the notice.'),
    /** The state of the notice. */
    state: oneOf('The state of the notice.', ['open', 'mitigation-stated', 'reported', 'withdrawn']),
    /** The Commission's reference number. */
    reference: line.describe("The Commission's reference number."),
    /** Who is notified. */
    provider: ProviderReference.describe('Who is notified.'),
    /** When it was issued, RFC 3339 in UTC. */
    issuedAt: utcTime.describe('When it was issued, RFC 3339 in UTC.'),
    /** By when details of mitigation are due: 48 hours. */
    mitigationDueAt: utcTime.describe('By when details of mitigation are due: 48 hours.'),
    /** By when the report of the investigation is due: 14 days. */
    reportDueAt: utcTime.describe('By when the report of the investigation is due: 14 days.'),
    /** What is suspected, and why it is illegal. */
    description: text.describe('What is suspected, and why it is illegal.'),
    campaignId: campaignId.exactOptional(),
    /** Calls that stand for the traffic. */
    calls: z.array(RequestedCall).max(MAX_NAMED_IN_NOTICE).describe('Calls that stand for the traffic.'),
    /** Ids of tracebacks. */
    tracebackIds: z.array(tracebackId).max(MAX_NAMED_IN_NOTICE).describe('Ids of tracebacks.'),
    /** Responses so far, the first one first. */
    responses: z.array(NoticeResponse).max(MAX_RESPONSES).describe('Responses so far, the first one first.'),
  },
);
export type FccNotice = BodyOf<typeof FccNotice>;
