import { readJson, readValue } from '../client/read-json.js';
import type { UnreadableReason } from '../client/platform-call.js';
import { PLATFORM_EVENT_SCHEMAS, platformEventEnvelopeSchema } from '../wire/event.schema.js';
import type { PlatformEvent, PlatformEventType } from '../wire/event.js';
import type { WireSchema } from '../wire/wire-schemas.js';

/** What an event is, or why it is none. */
export type PlatformEventReading =
  | { readonly status: 'event'; readonly event: PlatformEvent }
  /** Of a kind that a later release may know. */
  | { readonly status: 'unknown-type'; readonly type: string; readonly eventId: string }
  | { readonly status: 'unreadable'; readonly reason: UnreadableReason; readonly place?: string };

/**
 * Reads the JSON of an event, as a webhook brings it and the stream. Never throws, whatever the bytes.
 * @param bytes - the whole of it
 * @see CloudEvents JSON Event Format 1.0.2 section 3
 */
export function readPlatformEvent(bytes: Uint8Array): PlatformEventReading {
  const envelope = readJson(bytes, platformEventEnvelopeSchema);
  if (envelope.status !== 'read') return envelope;
  const { type, id: eventId } = envelope.value;
  if (!isKnown(type)) return { status: 'unknown-type', type, eventId };
  // With the schema of its own kind alone: where that does not fit, the place is one that means something.
  const schema: WireSchema<PlatformEvent> = PLATFORM_EVENT_SCHEMAS[type];
  const reading = readValue(envelope.value, schema);
  return reading.status === 'read' ? { status: 'event', event: reading.value } : reading;
}

const isKnown = (type: string): type is PlatformEventType => Object.hasOwn(PLATFORM_EVENT_SCHEMAS, type);
