import { z } from 'zod';
import { platformEventType } from './event.schema.js';
import { count } from './verdict-evidence.schema.js';
import type {
  CreatedWebhookEndpoint,
  RotatedWebhookSecret,
  WebhookEndpoint,
  WebhookEndpointCreation,
  WebhookReplay,
  WebhookReplayRequest,
} from './webhook-endpoint.js';
import { httpsUrl, identifier, line, utcTime } from './wire-words.schema.js';

/** Kinds of events that one endpoint names, with room for those to come. */
const MAX_EVENT_TYPES = 64;

const eventTypes = z.exactOptional(z.array(platformEventType).min(1).max(MAX_EVENT_TYPES));
/** `whsec_` and 24 to 64 bytes in base64. */
const secret = z.string().regex(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/);

const chosenMembers = { url: httpsUrl, eventTypes, description: z.exactOptional(line) };

/** Where the platform is to post events. */
export const webhookEndpointCreationSchema: z.ZodType<WebhookEndpointCreation> = z.object(chosenMembers);

const endpointMembers = {
  endpointId: identifier,
  ...chosenMembers,
  state: z.enum(['active', 'disabled']),
  disabledReason: z.exactOptional(z.enum(['gone', 'failing', 'by-request'])),
  createdAt: utcTime,
  lastDeliveredAt: z.exactOptional(utcTime),
};

/** An address that events are posted to. */
export const webhookEndpointSchema: z.ZodType<WebhookEndpoint> = z.object(endpointMembers);

/** The same with its secret. */
export const createdWebhookEndpointSchema: z.ZodType<CreatedWebhookEndpoint> = z.object({ ...endpointMembers, secret });

/** A new secret. */
export const rotatedWebhookSecretSchema: z.ZodType<RotatedWebhookSecret> = z.object({
  endpointId: identifier,
  secret,
  previousSecretEndsAt: utcTime,
});

/** Which events are to be posted once more. */
export const webhookReplayRequestSchema: z.ZodType<WebhookReplayRequest> = z.object({
  since: utcTime,
  until: z.exactOptional(utcTime),
  eventTypes,
});

/** What will be posted once more. */
export const webhookReplaySchema: z.ZodType<WebhookReplay> = z.object({ endpointId: identifier, events: count });
