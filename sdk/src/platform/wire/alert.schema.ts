import { z } from 'zod';
import type { Alert, AlertAcknowledgement } from './alert.js';
import { identifier, line, openWord, providerReferenceSchema, text, utcTime } from './wire-words.schema.js';

/** Tracebacks and providers that an alert names. */
const MAX_NAMED = 500;
/** Figures that an alert rests on. */
const MAX_FIGURES = 64;

const acknowledgementMembers = {
  acknowledgedBy: line,
  intends: z.exactOptional(z.enum(['investigate', 'watch', 'no-action'])),
  note: z.exactOptional(text),
};

/** Somebody has seen an alert. */
export const alertAcknowledgementSchema: z.ZodType<AlertAcknowledgement> = z.object(acknowledgementMembers);

/** Tells of what somebody may want to act on. */
export const alertSchema: z.ZodType<Alert> = z.object({
  format: z.literal('hopback.alert.1'),
  alertId: identifier,
  kind: z.enum([
    'campaign-suspected',
    'campaign-resumed',
    'live-campaign',
    'provider-non-responsive',
    'point-of-entry',
  ]),
  severity: z.enum(['information', 'warning', 'urgent']),
  raisedAt: utcTime,
  title: line,
  summary: text,
  campaignId: z.exactOptional(identifier),
  tracebackIds: z.array(identifier).max(MAX_NAMED),
  providers: z.array(providerReferenceSchema).max(MAX_NAMED),
  figures: z
    .array(z.object({ name: openWord, value: z.number(), unit: z.exactOptional(z.string().min(1).max(32)) }))
    .max(MAX_FIGURES),
  acknowledged: z.exactOptional(z.object({ ...acknowledgementMembers, acknowledgedAt: utcTime })),
});
