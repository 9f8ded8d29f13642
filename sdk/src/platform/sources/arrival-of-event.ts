import { isHopbackError } from '../../errors.js';
import type { PlatformEvent } from '../wire/event.js';
import type { ArrivingThing, RequestClient } from './arrival-desk.js';

/**
 * What an event says of requests and notices to this carrier. A reminder does not carry its request, which is asked for: whoever missed the first
 * event has it then.
 * @returns what is to be handed on; `other` for events that are about something else; `settled` for a request that needs
 * nobody any more. Rejects with {@link HopbackError} where the platform cannot be asked
 */
export async function arrivalOfEvent(
  event: PlatformEvent,
  client: RequestClient,
  signal: AbortSignal,
): Promise<ArrivingThing | 'other' | 'settled'> {
  switch (event.type) {
    case 'org.hopback.traceback-request.created.1':
      return { kind: 'request', request: event.data.request };
    case 'org.hopback.traceback-request.cancelled.1':
      return { kind: 'cancelled', requestId: event.data.requestId };
    case 'org.hopback.traceback-request.reminded.1':
    case 'org.hopback.traceback-request.overdue.1':
      return askedFor(event.data.requestId, client, signal);
    case 'org.hopback.notice.issued.1':
      return { kind: 'notice', notice: event.data.notice };
    default:
      return 'other';
  }
}

async function askedFor(
  requestId: string,
  client: RequestClient,
  signal: AbortSignal,
): Promise<ArrivingThing | 'settled'> {
  try {
    const { request, state } = await client.tracebackRequests.retrieve({ requestId }, { signal });
    if (state === 'cancelled') return { kind: 'cancelled', requestId };
    return state === 'answered' ? 'settled' : { kind: 'request', request };
  } catch (error) {
    if (isHopbackError(error) && error.details['httpStatus'] === 404) return 'settled';
    throw error;
  }
}
