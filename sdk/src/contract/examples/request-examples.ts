import {
  ALDER,
  BIRCH,
  CALLED,
  CALL_BACK_NUMBER,
  CALLING,
  CEDAR,
  DUNE,
  example,
  ids,
  ITG,
  REQUESTED_CALL,
  REQUESTED_CAMPAIGN,
  times,
} from './example.js';
import type { WireExample, WireExamples } from './example.js';
import { encodeBase64Url } from '../../core/base64url.js';
import type { WireBodies } from '../bodies.js';
import type { TracebackFinding } from '../traceback-exchange.js';

const BIRCH_REQUEST: WireBodies['TracebackRequest'] = {
  format: 'hopback.traceback-request.1',
  requestId: ids.birchRequest,
  tracebackId: ids.traceback,
  direction: 'back',
  hop: 2,
  requester: ITG,
  issuedAt: times.issued,
  dueAt: times.due,
  provider: BIRCH,
  downstream: ALDER,
  campaign: REQUESTED_CAMPAIGN,
  call: REQUESTED_CALL,
  comment: 'The subscriber pressed one and was asked for a Social Security number.',
};

type FirstHop = Pick<WireBodies['TracebackRequest'], 'provider' | 'call'> & Partial<WireBodies['TracebackRequest']>;

/** A request to the first provider of another traceback. */
const firstHop = (traceback: string, members: FirstHop): WireBodies['TracebackRequest'] => ({
  format: 'hopback.traceback-request.1',
  requestId: `trq-20261023-${traceback}-1`,
  tracebackId: `tb-20261023-${traceback}`,
  direction: 'back',
  hop: 1,
  requester: ITG,
  issuedAt: times.issued,
  dueAt: times.due,
  ...members,
});

export const TracebackRequest: WireExamples<'TracebackRequest'> = [
  example('back', 'From whom did you receive this call?', BIRCH_REQUEST),
  example('back-without-calling-number', 'First hop; the caller is unknown, the time in UTC and to the second', {
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
  }),
  example(
    'back-by-record',
    'A record that the provider itself shared under a pseudonym',
    firstHop('0019', {
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
    }),
  ),
  example(
    'forward',
    'Who serves the number that callers are told to call back?',
    firstHop('0020', {
      direction: 'forward',
      provider: BIRCH,
      campaign: { campaignId: ids.campaign, name: 'SSA-Suspended-P2' },
      call: CALL_BACK_NUMBER,
    }),
  ),
];

const acknowledgedAt = '2026-10-23T20:05:10.900Z';

export const TracebackRequestStatus: WireExamples<'TracebackRequestStatus'> = [
  example('open', 'Nothing has been said to it', {
    request: BIRCH_REQUEST,
    state: 'open',
    dueAt: times.due,
    answers: [],
  }),
  example('answered', 'Acknowledged and answered', {
    request: BIRCH_REQUEST,
    state: 'answered',
    dueAt: times.due,
    acknowledgedAt,
    answers: [{ answerId: ids.answer, revision: 1, receivedAt: times.received }],
  }),
  example('cancelled', 'The answer is no longer needed', {
    request: BIRCH_REQUEST,
    state: 'cancelled',
    dueAt: times.due,
    acknowledgedAt,
    cancelled: { cancelledAt: '2026-10-23T21:00:00Z', reason: 'Another request covers the same call.' },
    answers: [],
  }),
];

export const TracebackRequestStatusPage: WireExamples<'TracebackRequestStatusPage'> = [
  example('first-page', 'There is more', {
    items: [TracebackRequestStatus[0].value],
    nextCursor: 'dHJxLTIwMjYxMDIzLTAwMTctMg',
  }),
  example('nothing', 'Nothing is open', { items: [] }),
];

export const RequestAcknowledgement: WireExamples<'RequestAcknowledgement'> = [
  example('plain', 'The request is here; the clock began in business hours', {
    format: 'hopback.request-acknowledgement.1',
    receivedAt: '2026-10-23T20:05:10.700Z',
    clock: { startsAt: '2026-10-23T20:05:10Z', dueAt: times.due },
    reference: 'BIRCH-2026-3391',
  }),
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
  received: { verstat: 'TN-Validation-Passed', attestation: 'B', origId: ids.orig, spc: '903C' },
} as const;

const NAMES = {
  format: 'hopback.traceback-answer.1',
  answerId: ids.answer,
  requestId: ids.birchRequest,
  tracebackId: ids.traceback,
  revision: 1,
  answeredAt: times.answered,
  provider: BIRCH,
} as const;

const AUTOMATIC = { kind: 'automatic', policyId: 'birch-answers-4' } as const;
const PERSON = { kind: 'person', name: 'Traceback desk, second shift' } as const;

const RECEIVED_FROM: WireBodies['TracebackAnswer'] = {
  ...NAMES,
  answeredBy: AUTOMATIC,
  finding: { arm: 'received-from', upstream: CEDAR },
  call: CALL,
  upstreamAction: 'under-review',
  searched: SEARCHED,
  evidence: { packId: ids.pack, manifestSha256: MANIFEST_SHA256, logId: ids.log, leafIndex: 20_417 },
};

/** A call was found. */
const found = (name: string, summary: string, finding: TracebackFinding): WireExample<'TracebackAnswer'> =>
  example(name, summary, {
    ...NAMES,
    answeredBy: PERSON,
    finding,
    call: CALL,
    searched: SEARCHED,
  });

/** No call stands behind it. */
const without = (name: string, summary: string, finding: TracebackFinding): WireExample<'TracebackAnswer'> =>
  example(name, summary, { ...NAMES, answeredBy: AUTOMATIC, finding, searched: { ...SEARCHED, recordsConsidered: 0 } });

/** It is a number that was asked about, and no call. */
const forward = (name: string, summary: string, finding: TracebackFinding): WireExample<'TracebackAnswer'> =>
  example(name, summary, {
    ...NAMES,
    answerId: 'ans-0d41f8b2',
    requestId: 'trq-20261023-0020-1',
    tracebackId: 'tb-20261023-0020',
    answeredBy: PERSON,
    finding,
    searched: { windows: [], keys: ['called'], coverage: [], recordsConsidered: 0 },
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

export const TracebackAnswer: WireExamples<'TracebackAnswer'> = [
  example('received-from', 'The call came directly from a provider that is listed', RECEIVED_FROM),
  found('received-from-unlisted', 'It came from a provider that no registry lists', {
    arm: 'received-from-unlisted',
    upstream: { name: 'Elm Wholesale', email: 'noc@elm.example', telephone: '+1 202 555 0161', country: 'US' },
  }),
  found('origin', 'The call began here', { arm: 'origin', customer: CUSTOMER }),
  found('point-of-entry', 'It entered the United States here', { arm: 'point-of-entry', upstream: DUNE }),
  without('not-found', 'No such call, although everything of that time is at hand', { arm: 'not-found' }),
  example('not-retained', 'Records of that time have been removed', {
    ...NAMES,
    ...OLD_CALL,
    answeredBy: AUTOMATIC,
    finding: { arm: 'not-retained', retainedFrom: '2025-04-24T00:00:00Z' },
    searched: {
      ...SEARCHED,
      windows: [{ from: '2025-03-02T17:14:00Z', to: '2025-03-02T19:14:59.999Z' }],
      recordsConsidered: 0,
    },
  }),
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
  example('amended', 'What was wrong in the first answer is put right', {
    ...NAMES,
    answerId: ids.amendedAnswer,
    revision: 2,
    amends: { answerId: ids.answer, reason: 'The trunk changed hands on 1 October; the directory said so too late.' },
    answeredAt: '2026-10-23T22:10:40Z',
    answeredBy: PERSON,
    finding: { arm: 'received-from', upstream: { name: 'Fir Networks Inc.', ocn: '906F' } },
    call: CALL,
    searched: SEARCHED,
    comment: 'The upstream named before had the trunk until 30 September.',
  }),
];

/** Header of the JWS of the answer, as it is signed. The key is that of RFC 8037 appendix A, which everybody knows. */
const ANSWER_HEADER = { alg: 'EdDSA', typ: 'traceback-answer+jws', kid: 'birch-answers-2026' };
/** Signatures over the examples, made once: a test makes them again. */
const ANSWER_SIGNATURE = 'Yv8gmzRUThtypTWoFkPSpvM8xlIr5DcForsZvMy-X5fMRil4LQaryfCOGsA182sy-N3NfA_pPmFCew03H6LDCQ';
const RECEIPT_HEADER = { alg: 'EdDSA', typ: 'answer-receipt+jws', kid: 'platform-receipts-2026' };
const RECEIPT_SIGNATURE = 'RfA6Ko_WX3TCEx-ITrA48BUgCRw4x9-uXMtf9WRfmMJHLlljJatsF-WQUBSfxBegpbkRDVJTZ06EOtB7giSdCQ';

const compact = (header: object, payload: object, signature: string): string =>
  `${encodeBase64Url(JSON.stringify(header))}.${encodeBase64Url(JSON.stringify(payload))}.${signature}`;

export const EvidencePackSummary: WireExamples<'EvidencePackSummary'> = [
  example('plain', 'What stands behind the answer', {
    format: 'hopback.evidence-pack-summary.1',
    packId: ids.pack,
    requestId: ids.birchRequest,
    answerId: ids.answer,
    createdAt: times.answered,
    manifestSha256: MANIFEST_SHA256,
    logId: ids.log,
    leafIndex: 20_417,
    checkpoint: {
      logId: ids.log,
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
  }),
];

export const AnswerSubmission: WireExamples<'AnswerSubmission'> = [
  example('plain', 'A signed answer', { answer: compact(ANSWER_HEADER, RECEIVED_FROM, ANSWER_SIGNATURE) }),
  example('with-evidence', 'A signed answer, and what its evidence pack holds', {
    answer: compact(ANSWER_HEADER, RECEIVED_FROM, ANSWER_SIGNATURE),
    evidence: EvidencePackSummary[0].value,
  }),
];

export const AnswerReceipt: WireExamples<'AnswerReceipt'> = [
  example('in-time', 'What the platform states', {
    format: 'hopback.answer-receipt.1',
    requestId: ids.birchRequest,
    tracebackId: ids.traceback,
    answerId: ids.answer,
    revision: 1,
    answerSha256: '387e4e0e46832cbbc2d039ae5a70ddbefe906184f9e9cde37b1acad5b9e65f8a',
    receivedAt: times.received,
    isLate: false,
  }),
];

export const SignedReceipt: WireExamples<'SignedReceipt'> = [
  example('plain', 'The receipt, signed by the platform', {
    answerId: ids.answer,
    receipt: compact(RECEIPT_HEADER, AnswerReceipt[0].value, RECEIPT_SIGNATURE),
  }),
];
