import type { PlatformEvent } from '../../sdk/src/contract/event.js';
import type { TracebackRequest, TracebackRequestStatus } from '../../sdk/src/contract/traceback-exchange.js';

/** A request to a carrier; `id` tells it from others. */
export function sampleRequest(id: string): TracebackRequest {
  return {
    format: 'hopback.traceback-request.1',
    requestId: `request-${id}`,
    tracebackId: `traceback-${id}`,
    direction: 'back',
    hop: 2,
    requester: { kind: 'itg', name: 'Traceback group' },
    issuedAt: '2026-11-02T11:58:00Z',
    provider: { name: 'Carrier B', providerId: 'provider-b' },
    downstream: { name: 'Carrier C', providerId: 'provider-c' },
    call: {
      called: '12025550101',
      calling: '12155550102',
      at: {
        asWritten: '11/2/2026 6:41 AM EST',
        local: '2026-11-02T06:41',
        zone: 'America/New_York',
        precision: 'minute',
      },
    },
  };
}

/** The same as the platform lists it. */
export function sampleStatus(id: string, changes: Partial<TracebackRequestStatus> = {}): TracebackRequestStatus {
  return { request: sampleRequest(id), state: 'open', dueAt: '2026-11-03T13:00:00Z', answers: [], ...changes };
}

const envelope = (id: string) =>
  ({
    specversion: '1.0',
    id,
    source: 'https://itg.example',
    time: '2026-11-02T12:00:00Z',
    datacontenttype: 'application/json',
  }) as const;

/** That a carrier is asked. */
export function createdEvent(id: string): PlatformEvent {
  return {
    ...envelope(`created-${id}`),
    type: 'org.hopback.traceback-request.created.1',
    data: { request: sampleRequest(id) },
  };
}

/** That an answer is still wanted. */
export function remindedEvent(id: string): PlatformEvent {
  return {
    ...envelope(`reminded-${id}`),
    type: 'org.hopback.traceback-request.reminded.1',
    data: { requestId: `request-${id}`, tracebackId: `traceback-${id}`, dueAt: '2026-11-03T13:00:00Z', reminder: 1 },
  };
}

/** That none is wanted any longer. */
export function cancelledEvent(id: string): PlatformEvent {
  return {
    ...envelope(`cancelled-${id}`),
    type: 'org.hopback.traceback-request.cancelled.1',
    data: {
      requestId: `request-${id}`,
      tracebackId: `traceback-${id}`,
      cancelledAt: '2026-11-02T12:00:00Z',
      reason: 'The recording was of another call.',
    },
  };
}
