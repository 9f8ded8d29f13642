import { z } from 'zod';
import { Alert, FccNotice } from './alert.js';
import { Campaign } from './campaign.js';
import type { BodyOf } from './common.js';
import {
  count,
  demandId,
  endpointId,
  httpsUrl,
  identifier,
  line,
  object,
  oneOf,
  pattern,
  requestId,
  text,
  tracebackId,
  uriReference,
  utcTime,
} from './common.js';
import { DemandDecision, Production } from './demand.js';
import { AnswerReceipt, cancellationMembers, TracebackRequest } from './traceback-exchange.js';
import { Traceback } from './traceback.js';

/** Reminders of one request, with room. */
const MAX_REMINDERS = 1_000;
/** Longest name of a member of data that is not read here. */
const MAX_MEMBER_CHARS = 256;

const requestNames = { requestId, tracebackId };
const dueAt = utcTime.describe('By when an answer is due, RFC 3339 in UTC.');

/** What each kind of event carries, by its type. */
export const PLATFORM_EVENT_DATA = {
  'org.hopback.traceback-request.created.1': z.object({
    /** The request. */
    request: TracebackRequest.describe('The request.'),
  }),
  'org.hopback.traceback-request.reminded.1': z.object({
    ...requestNames,
    dueAt,
    /** 1 for the first reminder. */
    reminder: z.int().min(1).max(MAX_REMINDERS).describe('1 for the first reminder.'),
  }),
  'org.hopback.traceback-request.cancelled.1': z.object({ ...requestNames, ...cancellationMembers }),
  'org.hopback.traceback-request.overdue.1': z.object({ ...requestNames, dueAt }),
  'org.hopback.traceback-answer.received.1': AnswerReceipt,
  'org.hopback.traceback.updated.1': z.object({
    /** The traceback. */
    traceback: Traceback.describe('The traceback.'),
  }),
  'org.hopback.notice.issued.1': z.object({
    /** The notice. */
    notice: FccNotice.describe('The notice.'),
  }),
  'org.hopback.alert.raised.1': z.object({
    /** The alert. */
    alert: Alert.describe('The alert.'),
  }),
  'org.hopback.campaign.updated.1': z.object({
    /** The campaign. */
    campaign: Campaign.describe('The campaign.'),
  }),
  'org.hopback.demand.decided.1': z.object({
    demandId,
    /** The decision. */
    decision: DemandDecision.describe('The decision.'),
  }),
  'org.hopback.production.ready.1': z.object({
    /** The production. */
    production: Production.describe('The production.'),
  }),
  /** The platform could not meet an obligation, after several attempts. It goes on trying. */
  'org.hopback.platform.fault.1': object(
    'The platform could not meet an obligation, after several attempts. It goes on trying.',
    {
      /** What it is about: `demand:d-1`, `production:p-1`. */
      subject: line.describe('What it is about: `demand:d-1`, `production:p-1`.'),
      /** What failed, as a word: the job of the platform. */
      fault: line.describe('What failed, as a word: the job of the platform.'),
      /** What failed, in one line. */
      title: line.describe('What failed, in one line.'),
      /** What that means, and what can be done. */
      summary: text.describe('What that means, and what can be done.'),
    },
  ),
};

/** Kinds of events of this release. Unknown ones are let pass unread: later releases may add some. */
export type PlatformEventType = keyof typeof PLATFORM_EVENT_DATA;

/** What each kind of event carries, by its type. */
export type PlatformEventData = { readonly [Type in PlatformEventType]: BodyOf<(typeof PLATFORM_EVENT_DATA)[Type]> };

/**
 * An event as it is posted to a webhook and sent over the stream: the same JSON. It may come twice and out of order; `id` shows repeats. When
 * in doubt, ask the platform again: what it answers is the present state.
 * @see CloudEvents 1.0.2 section 3, CloudEvents JSON Event Format 1.0.2 section 3
 */
export interface PlatformEventEnvelope<Type extends string = string, Data = unknown> {
  readonly specversion: '1.0';
  /** Unique with `source`; also the `webhook-id` and the id of the stream. */
  readonly id: string;
  /** URI reference of the platform. */
  readonly source: string;
  readonly type: Type;
  /** What it is about: the id of the request, traceback, notice or other. */
  readonly subject?: string;
  /** RFC 3339 in UTC. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Data;
}

/** An event of a kind that is known, with its data. */
export type PlatformEvent = {
  readonly [Type in keyof typeof PLATFORM_EVENT_DATA]: PlatformEventEnvelope<
    Type,
    BodyOf<(typeof PLATFORM_EVENT_DATA)[Type]>
  >;
}[keyof typeof PLATFORM_EVENT_DATA];

const attributes = {
  /** Version of CloudEvents. */
  specversion: z.literal('1.0').describe('Version of CloudEvents.'),
  /** Unique with `source`; also the `webhook-id` and the id of the stream. */
  id: identifier.describe('Unique with `source`; also the `webhook-id` and the id of the stream.'),
  /** URI reference of the platform. */
  source: uriReference.describe('URI reference of the platform.'),
  /** What it is about: the id of the request, traceback, notice or other. */
  subject: z
    .string()
    .min(1)
    .max(256)
    .exactOptional()
    .describe('What it is about: the id of the request, traceback, notice or other.'),
  /** When it happened, RFC 3339 in UTC. */
  time: utcTime.describe('When it happened, RFC 3339 in UTC.'),
  /** Media type of the data. */
  datacontenttype: z.literal('application/json').describe('Media type of the data.'),
};

export const PlatformEventEnvelope: z.ZodType<PlatformEventEnvelope> = object(
  'An event as it is posted to a webhook and sent over the stream: the same JSON. It may come twice and out of order; `id` shows repeats. When in doubt, ask the platform again: what it answers is the present state.\n\nSee CloudEvents 1.0.2 section 3, CloudEvents JSON Event Format 1.0.2 section 3.',
  {
    ...attributes,
    /** Type of the event. */
    type: z.string().min(1).max(256).describe('Type of the event.'),
    /** What the event says. */
    data: z.record(z.string().max(MAX_MEMBER_CHARS), z.unknown()).describe('What the event says.'),
  },
);

function eventOf([type, data]: readonly [string, z.ZodType]) {
  return z.object({
    ...attributes,
    /** Type of the event. */
    type: z.literal(type).describe('Type of the event.'),
    /** What the event says. */
    data: data.describe('What the event says.'),
  });
}

const events = Object.entries(PLATFORM_EVENT_DATA).map(eventOf);

/** Every kind of event by its type. The compiler does not see which data belongs to which type; `PLATFORM_EVENT_DATA` does. */
export const PLATFORM_EVENT_SCHEMAS = Object.fromEntries(
  events.map((event) => [event.shape.type.value, event]),
) as unknown as Readonly<Record<PlatformEventType, z.ZodType<PlatformEvent>>>;

export const PlatformEvent = z
  .discriminatedUnion('type', events as [(typeof events)[number], ...typeof events])
  .describe('An event of a kind that is known, with its data.') as unknown as z.ZodType<PlatformEvent>;

/** Kinds of events that one endpoint names, with room for those to come. */
const MAX_EVENT_TYPES = 64;

const eventTypes = z
  .array(z.enum(Object.keys(PLATFORM_EVENT_DATA) as PlatformEventType[]))
  .min(1)
  .max(MAX_EVENT_TYPES)
  .exactOptional()
  .describe('Types of events; all that the caller may see if absent.');
const secret = pattern(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/);

const chosen = {
  /** Address to which events are posted, `https` only; redirects are not followed. */
  url: httpsUrl.describe('Address to which events are posted, `https` only; redirects are not followed.'),
  eventTypes,
  /** In words, for people. */
  description: line.exactOptional().describe('In words, for people.'),
};

/** Where the platform is to post events. */
export const WebhookEndpointCreation = z.object(chosen).describe('Where the platform is to post events.');
export type WebhookEndpointCreation = BodyOf<typeof WebhookEndpointCreation>;

const endpoint = {
  endpointId,
  ...chosen,
  /** Whether events are posted there. */
  state: oneOf('Whether events are posted there.', ['active', 'disabled']),
  /** `gone`: it answered 410; `failing`: nothing was delivered for days. */
  disabledReason: z
    .enum(['gone', 'failing', 'by-request'])
    .exactOptional()
    .describe('`gone`: it answered 410; `failing`: nothing was delivered for days.'),
  /** When it was created, RFC 3339 in UTC. */
  createdAt: utcTime.describe('When it was created, RFC 3339 in UTC.'),
  /** When something was last delivered, RFC 3339 in UTC. */
  lastDeliveredAt: utcTime.exactOptional().describe('When something was last delivered, RFC 3339 in UTC.'),
};

/** An address of the calling organization that events are posted to. @see https://www.standardwebhooks.com */
export const WebhookEndpoint = z
  .object(endpoint)
  .describe(
    'An address of the calling organization that events are posted to.\n\nSee https://www.standardwebhooks.com.',
  );
export type WebhookEndpoint = BodyOf<typeof WebhookEndpoint>;

/** An endpoint with the secret that signs what is posted to it: shown here and never again. */
export const CreatedWebhookEndpoint = object(
  'An endpoint with the secret that signs what is posted to it: shown here and never again.',
  {
    ...endpoint,
    /** `whsec_` and base64 of 24 to 64 bytes. */
    secret: secret.describe('`whsec_` and base64 of 24 to 64 bytes.'),
  },
);
export type CreatedWebhookEndpoint = BodyOf<typeof CreatedWebhookEndpoint>;

/** A new secret. Until the old one ends, each event is signed with both. */
export const RotatedWebhookSecret = object('A new secret. Until the old one ends, each event is signed with both.', {
  endpointId,
  /** The new secret: shown once. */
  secret: secret.describe('The new secret: shown once.'),
  /** When the old secret ends, RFC 3339 in UTC. */
  previousSecretEndsAt: utcTime.describe('When the old secret ends, RFC 3339 in UTC.'),
});
export type RotatedWebhookSecret = BodyOf<typeof RotatedWebhookSecret>;

/** Events to post again, in their original order and with original ids. */
export const WebhookReplayRequest = object('Events to post again, in their original order and with original ids.', {
  /** From when, RFC 3339 in UTC. */
  since: utcTime.describe('From when, RFC 3339 in UTC.'),
  /** Up to when; now if absent. */
  until: utcTime.exactOptional().describe('Up to when; now if absent.'),
  /** Types of events; all that the endpoint takes if absent. */
  eventTypes: eventTypes.describe('Types of events; all that the endpoint takes if absent.'),
});
export type WebhookReplayRequest = BodyOf<typeof WebhookReplayRequest>;

/** What will be posted once more. */
export const WebhookReplay = object('What will be posted once more.', {
  endpointId,
  /** How many events. */
  events: count.describe('How many events.'),
});
export type WebhookReplay = BodyOf<typeof WebhookReplay>;
