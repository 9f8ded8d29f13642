import { encodeBase64Url } from '../../core/base64url.js';
import {
  ALDER,
  AMENDED_ANSWER_ID,
  ANSWER_ID,
  ANSWERED_AT,
  BIRCH,
  BIRCH_REQUEST_ID,
  CALLED,
  CALLING,
  CAMPAIGN_ID,
  CEDAR,
  DUE_AT,
  DUNE,
  ISSUED_AT,
  ITG,
  LOG_ID,
  ORIG_ID,
  PACK_ID,
  RECEIVED_AT,
  REQUESTED_CALL,
  REQUESTED_CAMPAIGN,
  TRACEBACK_ID,
} from './example.js';
import type { WireExample, WireExamples } from './example.js';
import type { TracebackAnswer, TracebackFinding, TracebackRequest } from '../traceback-exchange.js';

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

/** From an hour before the minute that was asked for to the present: no call can be later than the request for it. */
const WINDOW = { from: '2026-10-23T18:41:00Z', to: '2026-10-23T20:05:00Z' };
const COVERAGE = { sourceId: 'sbc-1', fromUs: 1_745_452_800_000_000, toUs: 1_792_785_900_000_000 };
const MANIFEST_SHA256 = '4f1a3c0d9b8e7f6a5d4c3b2a19080716253443526170898f9eadbccbdae9f807';

const SEARCHED = {
  windows: [WINDOW],
  keys: ['called', 'calling'],
  coverage: [COVERAGE],
  recordsConsidered: 3,
} as const;

const CALL = {
  startedAt: '2026-10-23T19:41:06.981Z',
  answeredAt: '2026-10-23T19:41:13.402Z',
  endedAt: '2026-10-23T19:41:58.117Z',
  calling: CALLING,
  called: CALLED,
  disposition: 'answered',
  release: { sipStatus: 200, q850Cause: 16, cause: 'NORMAL_CLEARING', party: 'called' },
  ingressTrunk: 'cedar-ny-1',
  ingressAddress: '198.51.100.7:5060',
  ingressCallId: '8d1f0c22-77aa@198.51.100.7',
  egressTrunk: 'alder-dc-2',
  received: { verstat: 'TN-Validation-Passed', attestation: 'B', origId: ORIG_ID, spc: '903C' },
} as const;

const NAMES = {
  format: 'hopback.traceback-answer.1',
  answerId: ANSWER_ID,
  requestId: BIRCH_REQUEST_ID,
  tracebackId: TRACEBACK_ID,
  revision: 1,
  answeredAt: ANSWERED_AT,
  provider: BIRCH,
} as const;

const AUTOMATIC = { kind: 'automatic', policyId: 'birch-answers-4' } as const;
const PERSON = { kind: 'person', name: 'Traceback desk, second shift' } as const;

const RECEIVED_FROM: TracebackAnswer = {
  ...NAMES,
  answeredBy: AUTOMATIC,
  finding: { arm: 'received-from', upstream: CEDAR },
  call: CALL,
  upstreamAction: 'under-review',
  searched: SEARCHED,
  evidence: { packId: PACK_ID, manifestSha256: MANIFEST_SHA256, logId: LOG_ID, leafIndex: 20_417 },
};

/** A call was found. */
const found = (name: string, summary: string, finding: TracebackFinding): WireExample<'TracebackAnswer'> => ({
  name,
  summary,
  value: { ...NAMES, answeredBy: PERSON, finding, call: CALL, searched: SEARCHED },
});

/** No call stands behind it. */
const without = (name: string, summary: string, finding: TracebackFinding): WireExample<'TracebackAnswer'> => ({
  name,
  summary,
  value: { ...NAMES, answeredBy: AUTOMATIC, finding, searched: { ...SEARCHED, recordsConsidered: 0 } },
});

/** It is a number that was asked about, and no call. */
const forward = (name: string, summary: string, finding: TracebackFinding): WireExample<'TracebackAnswer'> => ({
  name,
  summary,
  value: {
    ...NAMES,
    answerId: 'ans-0d41f8b2',
    requestId: 'trq-20261023-0020-1',
    tracebackId: 'tb-20261023-0020',
    answeredBy: PERSON,
    finding,
    searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 0 },
  },
});

/** A request about a call of the year before. */
const OLD_CALL = {
  answerId: 'ans-2f6c77d0',
  requestId: 'trq-20261023-0021-2',
  tracebackId: 'tb-20261023-0021',
} as const;

const CUSTOMER = {
  customerId: 'acct-20418',
  contact: { name: 'Example Outreach LLC', email: 'legal@outreach.example', country: 'US' },
  knowYourCustomer: 'Articles of organization and a live telephone call, renewed in March 2026.',
  action: 'suspended',
} as const;

export const tracebackAnswers: WireExamples<'TracebackAnswer'> = [
  {
    name: 'received-from',
    summary: 'The call came directly from a provider that is listed',
    value: RECEIVED_FROM,
  },
  found('received-from-unlisted', 'It came from a provider that no registry lists', {
    arm: 'received-from-unlisted',
    upstream: { name: 'Elm Wholesale', email: 'noc@elm.example', telephone: '+1 202 555 0161', country: 'US' },
  }),
  found('origin', 'The call began here', { arm: 'origin', customer: CUSTOMER }),
  found('point-of-entry', 'It entered the United States here', { arm: 'point-of-entry', upstream: DUNE }),
  without('not-found', 'No such call, although everything of that time is at hand', { arm: 'not-found' }),
  {
    name: 'not-retained',
    summary: 'Records of that time have been removed',
    value: {
      ...NAMES,
      ...OLD_CALL,
      answeredBy: AUTOMATIC,
      finding: { arm: 'not-retained', retainedFrom: '2025-04-24T00:00:00Z' },
      searched: {
        ...SEARCHED,
        windows: [{ from: '2025-03-02T17:14:00Z', to: '2025-03-02T19:14:59.999Z' }],
        recordsConsidered: 0,
      },
    },
  },
  without('not-our-number', 'The number is not served here', { arm: 'not-our-number' }),
  found('not-sent-to-downstream', 'There is such a call, but it did not go to whoever named us', {
    arm: 'not-sent-to-downstream',
    downstream: ALDER,
  }),
  without('ambiguous', 'Several calls fit', { arm: 'ambiguous', candidates: 2 }),
  forward('serves-number', 'Trace forward: the number is served here', { arm: 'serves-number', customer: CUSTOMER }),
  forward('number-served-by', 'Trace forward: the number was handed to another provider', {
    arm: 'number-served-by',
    provider: CEDAR,
  }),
  without('refused', 'No answer will be given', {
    arm: 'refused',
    reason: 'Counsel asks for a subpoena before customer details are given.',
  }),
  {
    name: 'amended',
    summary: 'What was wrong in the first answer is put right',
    value: {
      ...NAMES,
      answerId: AMENDED_ANSWER_ID,
      revision: 2,
      amends: { answerId: ANSWER_ID, reason: 'The trunk changed hands on 1 October; the directory said so too late.' },
      answeredAt: '2026-10-23T22:10:40Z',
      answeredBy: PERSON,
      finding: { arm: 'received-from', upstream: { name: 'Fir Networks Inc.', ocn: '906F' } },
      call: CALL,
      searched: SEARCHED,
      comment: 'The upstream named before had the trunk until 30 September.',
    },
  },
];

/** Header of the JWS of the answer, as it is signed. The key is that of RFC 8037 appendix A, which everybody knows. */
const ANSWER_HEADER = { alg: 'EdDSA', typ: 'traceback-answer+jws', kid: 'birch-answers-2026' };
/** Signatures over the examples, made once: a test makes them again. */
const ANSWER_SIGNATURE = 'Yv8gmzRUThtypTWoFkPSpvM8xlIr5DcForsZvMy-X5fMRil4LQaryfCOGsA182sy-N3NfA_pPmFCew03H6LDCQ';
const RECEIPT_HEADER = { alg: 'EdDSA', typ: 'answer-receipt+jws', kid: 'platform-receipts-2026' };
const RECEIPT_SIGNATURE = 'RfA6Ko_WX3TCEx-ITrA48BUgCRw4x9-uXMtf9WRfmMJHLlljJatsF-WQUBSfxBegpbkRDVJTZ06EOtB7giSdCQ';

const compact = (header: object, payload: object, signature: string): string =>
  `${encodeBase64Url(JSON.stringify(header))}.${encodeBase64Url(JSON.stringify(payload))}.${signature}`;

export const evidencePackSummaries: WireExamples<'EvidencePackSummary'> = [
  {
    name: 'plain',
    summary: 'What stands behind the answer',
    value: {
      format: 'hopback.evidence-pack-summary.1',
      packId: PACK_ID,
      requestId: BIRCH_REQUEST_ID,
      answerId: ANSWER_ID,
      createdAt: ANSWERED_AT,
      manifestSha256: MANIFEST_SHA256,
      logId: LOG_ID,
      leafIndex: 20_417,
      checkpoint: {
        logId: LOG_ID,
        treeSize: 20_418,
        rootSha256: '0d9c8b7a6f5e4d3c2b1a09f8e7d6c5b4a39281706f5e4d3c2b1a0f9e8d7c6b5a',
        signedAt: '2026-10-23T20:05:12.300Z',
      },
      files: [
        {
          name: 'manifest.json',
          role: 'manifest',
          mediaType: 'application/json',
          sizeBytes: 3_914,
          sha256: MANIFEST_SHA256,
        },
        {
          name: 'records/1/raw-1.txt',
          role: 'source-record',
          mediaType: 'text/plain',
          sizeBytes: 611,
          sha256: '6f2a1908e7d6c5b4a3f291807e6d5c4b3a29181706f5e4d3c2b1a0f9e8d7c6b5',
        },
      ],
    },
  },
];

export const answerSubmissions: WireExamples<'AnswerSubmission'> = [
  {
    name: 'plain',
    summary: 'A signed answer',
    value: { answer: compact(ANSWER_HEADER, RECEIVED_FROM, ANSWER_SIGNATURE) },
  },
  {
    name: 'with-evidence',
    summary: 'A signed answer, and what its evidence pack holds',
    value: {
      answer: compact(ANSWER_HEADER, RECEIVED_FROM, ANSWER_SIGNATURE),
      evidence: evidencePackSummaries[0].value,
    },
  },
];

export const answerReceipts: WireExamples<'AnswerReceipt'> = [
  {
    name: 'in-time',
    summary: 'What the platform states',
    value: {
      format: 'hopback.answer-receipt.1',
      requestId: BIRCH_REQUEST_ID,
      tracebackId: TRACEBACK_ID,
      answerId: ANSWER_ID,
      revision: 1,
      answerSha256: '387e4e0e46832cbbc2d039ae5a70ddbefe906184f9e9cde37b1acad5b9e65f8a',
      receivedAt: RECEIVED_AT,
      isLate: false,
    },
  },
];

export const signedReceipts: WireExamples<'SignedReceipt'> = [
  {
    name: 'plain',
    summary: 'The receipt, signed by the platform',
    value: {
      answerId: ANSWER_ID,
      receipt: compact(RECEIPT_HEADER, answerReceipts[0].value, RECEIPT_SIGNATURE),
    },
  },
];
