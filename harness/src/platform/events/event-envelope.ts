import { PLATFORM_EVENT_KINDS } from '@hopback/sdk/platform';
import type { PlatformEventEnvelope, PlatformEventType } from '@hopback/sdk/platform';
import type { DomainEvent } from '../core/index.js';

/** Whether an event is one of the wire: areas have others among themselves. */
export const isOfWire = ({ type }: DomainEvent): boolean => Object.hasOwn(PLATFORM_EVENT_KINDS, type);

/** Whether somebody who named kinds wants an event; all where nothing was named. */
export const isWanted = ({ type }: DomainEvent, types: readonly PlatformEventType[] | null): boolean =>
  types?.some((one) => one === type) ?? true;

/** An event as webhooks and streams carry it. @see CloudEvents JSON Event Format 1.0.2 section 3 */
export function envelopeOf(event: DomainEvent, source: string): PlatformEventEnvelope {
  return {
    specversion: '1.0',
    id: event.eventId,
    source,
    type: event.type,
    subject: event.subject,
    time: new Date(event.atMs).toISOString(),
    datacontenttype: 'application/json',
    data: event.data,
  };
}
