import type { TracebackRequest } from '../../../core/traceback-request.js';
import {
  ALDER,
  ANSWER_ID,
  BIRCH,
  BIRCH_REQUEST_ID,
  CAMPAIGN_ID,
  DUE_AT,
  ISSUED_AT,
  ITG,
  RECEIVED_AT,
  REQUESTED_CALL,
  REQUESTED_CAMPAIGN,
  TRACEBACK_ID,
} from './cast.js';
import type { WireExamples } from './example.js';

export const BIRCH_REQUEST: TracebackRequest = {
  format: 'hopback.traceback-request.1',
  requestId: BIRCH_REQUEST_ID,
  tracebackId: TRACEBACK_ID,
  direction: 'back',
  hop: 2,
  requester: ITG,
  issuedAt: ISSUED_AT,
  dueAt: DUE_AT,
  provider: BIRCH,
  downstream: ALDER,
  campaign: REQUESTED_CAMPAIGN,
  call: REQUESTED_CALL,
  comment: 'The subscriber pressed one and was asked for a Social Security number.',
};

export const tracebackRequests: WireExamples<'TracebackRequest'> = [
  { name: 'back', summary: 'From whom did you receive this call?', value: BIRCH_REQUEST },
  {
    name: 'back-without-calling-number',
    summary: 'First hop; the caller is unknown, the time in UTC and to the second',
    value: {
      format: 'hopback.traceback-request.1',
      requestId: 'trq-20261023-0018-1',
      tracebackId: 'tb-20261023-0018',
      direction: 'back',
      hop: 1,
      requester: { kind: 'civil-law-enforcement', name: 'Office of the Attorney General of Texas' },
      issuedAt: '2026-10-23T15:12:00-05:00',
      provider: ALDER,
      call: {
        called: '12025550143',
        at: { asWritten: '2026-10-23 19:41:07Z', local: '2026-10-23T19:41:07', zone: 'UTC', precision: 'second' },
      },
    },
  },
  {
    name: 'back-by-record',
    summary: 'A record that the provider itself shared under a pseudonym',
    value: {
      format: 'hopback.traceback-request.1',
      requestId: 'trq-20261023-0019-1',
      tracebackId: 'tb-20261023-0019',
      direction: 'back',
      hop: 1,
      requester: ITG,
      issuedAt: ISSUED_AT,
      dueAt: DUE_AT,
      provider: ALDER,
      call: {
        recordId: '93107fb8b90c2da1ba8029aed247a12c',
        at: {
          asWritten: '2026-10-23T19:41:07.204Z',
          local: '2026-10-23T19:41:07.204',
          zone: 'UTC',
          precision: 'millisecond',
        },
      },
    },
  },
  {
    name: 'forward',
    summary: 'Who serves the number that callers are told to call back?',
    value: {
      format: 'hopback.traceback-request.1',
      requestId: 'trq-20261023-0020-1',
      tracebackId: 'tb-20261023-0020',
      direction: 'forward',
      hop: 1,
      requester: ITG,
      issuedAt: ISSUED_AT,
      dueAt: DUE_AT,
      provider: BIRCH,
      campaign: { campaignId: CAMPAIGN_ID, name: 'SSA-Suspended-P2' },
      call: {
        called: '+1 202 555 0177',
        at: { asWritten: '10/23/2026', local: '2026-10-23', zone: 'America/New_York', precision: 'day' },
      },
    },
  },
];

const acknowledgedAt = '2026-10-23T20:05:10.900Z';

export const tracebackRequestStatuses: WireExamples<'TracebackRequestStatus'> = [
  {
    name: 'open',
    summary: 'Nothing has been said to it',
    value: { request: BIRCH_REQUEST, state: 'open', dueAt: DUE_AT, answers: [] },
  },
  {
    name: 'answered',
    summary: 'Acknowledged and answered',
    value: {
      request: BIRCH_REQUEST,
      state: 'answered',
      dueAt: DUE_AT,
      acknowledgedAt,
      answers: [{ answerId: ANSWER_ID, revision: 1, receivedAt: RECEIVED_AT }],
    },
  },
  {
    name: 'cancelled',
    summary: 'No answer is wanted any longer',
    value: {
      request: BIRCH_REQUEST,
      state: 'cancelled',
      dueAt: DUE_AT,
      acknowledgedAt,
      cancelled: { cancelledAt: '2026-10-23T21:00:00Z', reason: 'Another request covers the same call.' },
      answers: [],
    },
  },
];

export const tracebackRequestStatusPages: WireExamples<'TracebackRequestStatusPage'> = [
  {
    name: 'first-page',
    summary: 'There is more',
    value: { items: [tracebackRequestStatuses[0].value], nextCursor: 'dHJxLTIwMjYxMDIzLTAwMTctMg' },
  },
  { name: 'nothing', summary: 'Nothing is open', value: { items: [] } },
];

export const requestAcknowledgements: WireExamples<'RequestAcknowledgement'> = [
  {
    name: 'plain',
    summary: 'The request is here; the clock began in business hours',
    value: {
      format: 'hopback.request-acknowledgement.1',
      receivedAt: '2026-10-23T20:05:10.700Z',
      clock: { startsAt: '2026-10-23T20:05:10Z', dueAt: DUE_AT },
      reference: 'BIRCH-2026-3391',
    },
  },
];
