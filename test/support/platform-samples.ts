import type { PlatformEvent } from '../../sdk/src/contract/event.js';
import { WIRE_EXAMPLES } from '../../sdk/src/contract/examples/wire-examples.js';
import type { PlatformFetch } from '../../sdk/src/platform/http/platform-fetch.js';
import type { TracebackRequest, TracebackRequestStatus } from '../../sdk/src/contract/traceback-exchange.js';

const DUE_AT = '2026-11-03T13:00:00Z';
const idsOf = (id: string) => ({ requestId: `request-${id}`, tracebackId: `traceback-${id}` });
const requestOf = (id: string): TracebackRequest => ({ ...WIRE_EXAMPLES.TracebackRequest[1]!.value, ...idsOf(id) });

/** A request to a carrier as the platform lists it; `id` tells it from others. */
export function sampleStatus(id: string, changes: Partial<TracebackRequestStatus> = {}): TracebackRequestStatus {
  return { request: requestOf(id), state: 'open', dueAt: DUE_AT, answers: [], ...changes };
}

const eventOf = (kind: string, id: string, data: object): PlatformEvent =>
  ({
    ...WIRE_EXAMPLES.PlatformEventEnvelope[0].value,
    ...{ id: `${kind}-${id}`, type: `org.hopback.traceback-request.${kind}.1`, data },
  }) as PlatformEvent;

/** That a carrier is asked. */
export const createdEvent = (id: string): PlatformEvent => eventOf('created', id, { request: requestOf(id) });

/** That an answer is still wanted. */
export const remindedEvent = (id: string): PlatformEvent =>
  eventOf('reminded', id, { ...idsOf(id), dueAt: DUE_AT, reminder: 1 });

/** That none is wanted any longer. */
export const cancelledEvent = (id: string): PlatformEvent =>
  eventOf('cancelled', id, { ...idsOf(id), cancelledAt: '2026-11-02T12:00:00Z', reason: 'Of another call.' });

/** A platform that answers each request with the next of these, the last one again and again, and keeps the requests. */
export function scripted(...answers: readonly (() => Response)[]) {
  const requests: Request[] = [];
  const fetch: PlatformFetch = async (url, request) => {
    requests.push(new Request(url, request));
    return (answers[requests.length - 1] ?? answers.at(-1))!();
  };
  return { requests, fetch };
}
