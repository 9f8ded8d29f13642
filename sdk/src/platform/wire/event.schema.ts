import { z } from 'zod';
import { alertSchema } from './alert.schema.js';
import { campaignSchema } from './campaign.schema.js';
import { demandDecisionSchema } from './demand.schema.js';
import type { PlatformEvent, PlatformEventData, PlatformEventEnvelope, PlatformEventType } from './event.js';
import { fccNoticeSchema } from './notice.schema.js';
import { productionSchema } from './production.schema.js';
import { answerReceiptSchema, cancellationMembers } from './traceback-exchange.schema.js';
import { tracebackRequestSchema } from './traceback-request.schema.js';
import { tracebackSchema } from './traceback.schema.js';
import { identifier, line, text, uriReference, utcTime } from './wire-words.schema.js';

/** Reminders of one request, with room. */
const MAX_REMINDERS = 1_000;

/** Longest name of a member of data that nobody reads here. */
const MAX_MEMBER_CHARS = 256;

const requestNames = { requestId: identifier, tracebackId: identifier };

/** What each kind of event carries: a kind more in the type does not compile here. */
const DATA: { readonly [Type in PlatformEventType]: z.ZodType<PlatformEventData[Type]> } = {
  'org.hopback.traceback-request.created.1': z.object({ request: tracebackRequestSchema }),
  'org.hopback.traceback-request.reminded.1': z.object({
    ...requestNames,
    dueAt: utcTime,
    reminder: z.int().min(1).max(MAX_REMINDERS),
  }),
  'org.hopback.traceback-request.cancelled.1': z.object({ ...requestNames, ...cancellationMembers }),
  'org.hopback.traceback-request.overdue.1': z.object({ ...requestNames, dueAt: utcTime }),
  'org.hopback.traceback-answer.received.1': answerReceiptSchema,
  'org.hopback.traceback.updated.1': z.object({ traceback: tracebackSchema }),
  'org.hopback.notice.issued.1': z.object({ notice: fccNoticeSchema }),
  'org.hopback.alert.raised.1': z.object({ alert: alertSchema }),
  'org.hopback.campaign.updated.1': z.object({ campaign: campaignSchema }),
  'org.hopback.demand.decided.1': z.object({ demandId: identifier, decision: demandDecisionSchema }),
  'org.hopback.production.ready.1': z.object({ production: productionSchema }),
  'org.hopback.platform.fault.1': z.object({ subject: line, fault: line, title: line, summary: text }),
};

/** Kinds of events of this release. */
export const platformEventType: z.ZodType<PlatformEventType> = z.enum(
  Object.keys(DATA) as [PlatformEventType, ...PlatformEventType[]],
);

const attributes = {
  specversion: z.literal('1.0'),
  id: identifier,
  source: uriReference,
  subject: z.exactOptional(z.string().min(1).max(256)),
  time: utcTime,
  datacontenttype: z.literal('application/json'),
};

/** An event of any kind, its data unread. */
export const platformEventEnvelopeSchema: z.ZodType<PlatformEventEnvelope> = z.object({
  ...attributes,
  type: z.string().min(1).max(256),
  data: z.record(z.string().max(MAX_MEMBER_CHARS), z.unknown()),
});

function eventSchema<Type extends PlatformEventType>(
  type: Type,
): z.ZodType<PlatformEventEnvelope<Type, PlatformEventData[Type]>> {
  const whole: z.ZodType = z.object({ ...attributes, type: z.literal(type), data: DATA[type] });
  // The compiler does not carry the pairing of type and data through an index; DATA holds it.
  return whole as z.ZodType<PlatformEventEnvelope<Type, PlatformEventData[Type]>>;
}

/** Every kind of event by its type. */
export const PLATFORM_EVENT_SCHEMAS: {
  readonly [Type in PlatformEventType]: z.ZodType<PlatformEventEnvelope<Type, PlatformEventData[Type]>>;
} = {
  'org.hopback.traceback-request.created.1': eventSchema('org.hopback.traceback-request.created.1'),
  'org.hopback.traceback-request.reminded.1': eventSchema('org.hopback.traceback-request.reminded.1'),
  'org.hopback.traceback-request.cancelled.1': eventSchema('org.hopback.traceback-request.cancelled.1'),
  'org.hopback.traceback-request.overdue.1': eventSchema('org.hopback.traceback-request.overdue.1'),
  'org.hopback.traceback-answer.received.1': eventSchema('org.hopback.traceback-answer.received.1'),
  'org.hopback.traceback.updated.1': eventSchema('org.hopback.traceback.updated.1'),
  'org.hopback.notice.issued.1': eventSchema('org.hopback.notice.issued.1'),
  'org.hopback.alert.raised.1': eventSchema('org.hopback.alert.raised.1'),
  'org.hopback.campaign.updated.1': eventSchema('org.hopback.campaign.updated.1'),
  'org.hopback.demand.decided.1': eventSchema('org.hopback.demand.decided.1'),
  'org.hopback.production.ready.1': eventSchema('org.hopback.production.ready.1'),
  'org.hopback.platform.fault.1': eventSchema('org.hopback.platform.fault.1'),
};

/** What `z.discriminatedUnion` asks for in its type; every event has a literal `type`, which it looks at when it is made. */
type Discriminable = Parameters<typeof z.discriminatedUnion>[1][number];

/** An event of a kind that is known, with its data. */
export const platformEventSchema: z.ZodType<PlatformEvent> = z.discriminatedUnion(
  'type',
  Object.values(PLATFORM_EVENT_SCHEMAS) as unknown as [Discriminable, ...Discriminable[]],
) as unknown as z.ZodType<PlatformEvent>;
