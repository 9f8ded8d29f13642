import { APPROVAL, CEDAR, DUNE, example, ids, lastPage, REQUESTED_CALL } from './example.js';
import type { WireExamples } from './example.js';
import type { WireBodies } from '../bodies.js';

const DOCUMENT_SHA256 = '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae';

const SUBMISSION: WireBodies['DemandSubmission'] = {
  kind: 'civil-investigative-demand',
  agency: {
    name: 'Office of the Attorney General of Texas',
    jurisdiction: 'US-TX',
    contactEmail: 'robocalls@oag-tx.example',
    contactTelephone: '+1 202 555 0119',
  },
  reference: 'CID-2026-0311',
  authority: 'Tex. Bus. & Com. Code section 17.61',
  scope: {
    recordClasses: ['traceback-records', 'call-records'],
    from: '2026-10-19T00:00:00Z',
    to: '2026-10-24T00:00:00Z',
    campaignIds: [ids.campaign],
    providers: [CEDAR],
  },
  returnOn: '2026-10-30',
  isUrgent: true,
  documentSha256: DOCUMENT_SHA256,
};

export const DemandSubmission: WireExamples<'DemandSubmission'> = [
  example('civil-investigative-demand', 'A live campaign', SUBMISSION),
  example('subpoena', 'Calls from two numbers', {
    kind: 'subpoena',
    agency: {
      name: 'Federal Trade Commission',
      jurisdiction: 'US',
      contactEmail: 'compulsory-process@ftc.example',
    },
    reference: 'FTC-2026-118',
    authority: '15 USC 57b-1',
    scope: {
      recordClasses: ['call-records', 'customer-records'],
      from: '2026-09-01T00:00:00Z',
      to: '2026-10-01T00:00:00Z',
      callingNumbers: ['12025550198', '12025550199'],
    },
    returnOn: '2026-11-20',
    isUrgent: false,
    documentSha256: DOCUMENT_SHA256,
    comment: 'Production in parts is welcome.',
  }),
];

const UNDER_REVIEW: WireBodies['Demand'] = {
  format: 'hopback.demand.1',
  demandId: ids.demand,
  state: 'under-review',
  submittedAt: '2026-10-23T21:02:44Z',
  documentSizeBytes: 184_320,
  decisions: [],
  productionIds: [],
  ...SUBMISSION,
};

export const Demand: WireExamples<'Demand'> = [
  example('produced', 'Approved and produced', {
    ...UNDER_REVIEW,
    state: 'produced',
    decisions: [APPROVAL],
    productionIds: [ids.production],
  }),
  example('under-review', 'Nobody has decided about it', UNDER_REVIEW),
];

export const DemandPage: WireExamples<'DemandPage'> = [lastPage(Demand[0].value)];

export const DemandDecisionRequest: WireExamples<'DemandDecisionRequest'> = [
  example('approve', 'As it stands', {
    decision: 'approve',
    reason: 'Within the authority that it cites; the scope is that of one campaign.',
  }),
  example('narrow', 'As far as a smaller scope reaches', {
    decision: 'narrow',
    reason: 'Customer records need a court order in this jurisdiction.',
    scope: {
      recordClasses: ['traceback-records'],
      from: '2026-10-19T00:00:00Z',
      to: '2026-10-24T00:00:00Z',
      campaignIds: [ids.campaign],
    },
  }),
  example('reject', 'Not at all', { decision: 'reject', reason: 'The document is not signed.' }),
];

export const Production: WireExamples<'Production'> = [
  example('ready', 'Files with their hashes', {
    format: 'hopback.production.1',
    productionId: ids.production,
    demandId: ids.demand,
    decisionId: ids.decision,
    state: 'ready',
    createdAt: '2026-10-23T22:15:02Z',
    readyAt: '2026-10-23T22:15:09Z',
    expiresAt: '2027-01-21T22:15:09Z',
    manifestName: 'manifest.json',
    certificateName: 'certificate-of-custodian.pdf',
    files: [
      {
        name: 'manifest.json',
        mediaType: 'application/json',
        sizeBytes: 2_210,
        sha256: '7d793037a0760186574b0282f2f435e7c4a3f0d5b9e8a7c6d5e4f3a2b1c0d9e8',
      },
      {
        name: 'certificate-of-custodian.pdf',
        mediaType: 'application/pdf',
        sizeBytes: 48_119,
        sha256: '19581e27de7ced00ff1ce50b2047e7a567c76b1cbaebabe5ef03f7c3017bb5b7',
      },
      {
        name: 'call-records-2026-10-23.csv',
        mediaType: 'text/csv',
        sizeBytes: 9_411_870,
        sha256: '4a44dc15364204a80fe80e9039455cc1608281820fe2b24f1e5233ade6af1dd5',
        recordClass: 'call-records',
        records: 41_208,
      },
    ],
  }),
  example('in-preparation', 'Not ready yet', {
    format: 'hopback.production.1',
    productionId: ids.production,
    demandId: ids.demand,
    decisionId: ids.decision,
    state: 'in-preparation',
    createdAt: '2026-10-23T22:15:02Z',
    files: [],
  }),
];

export const NoticeResponse: WireExamples<'NoticeResponse'> = [
  example('mitigation', 'What was done within 48 hours', {
    format: 'hopback.notice-response.1',
    responseId: 'nrs-2026-0042-1',
    kind: 'mitigation',
    respondedAt: '2026-10-25T14:00:00Z',
    finding: 'traffic-illegal',
    statement: 'The trunk of the foreign upstream is closed.',
    measures: [
      {
        action: 'terminated',
        takenAt: '2026-10-24T16:20:00Z',
        detail: 'Interconnection ended; numbers of the campaign are blocked.',
      },
    ],
    sources: [{ kind: 'unlisted-provider', upstream: DUNE }],
  }),
  example('report', 'What was found within 14 days', {
    format: 'hopback.notice-response.1',
    responseId: 'nrs-2026-0042-2',
    kind: 'report',
    respondedAt: '2026-11-05T14:00:00Z',
    finding: 'traffic-illegal',
    statement: 'All calls of the campaign came from one foreign upstream and one customer of ours.',
    measures: [],
    sources: [
      { kind: 'unlisted-provider', upstream: DUNE },
      { kind: 'customer', contact: { name: 'Example Outreach LLC', email: 'legal@outreach.example' } },
    ],
  }),
];

const NOTICE = {
  format: 'hopback.fcc-notice.1',
  noticeId: ids.notice,
  state: 'open',
  reference: 'DA 26-0042',
  provider: CEDAR,
  issuedAt: '2026-10-23T21:30:00Z',
  mitigationDueAt: '2026-10-25T21:30:00Z',
  reportDueAt: '2026-11-06T21:30:00Z',
  description: 'Prerecorded calls without consent in the name of a federal agency. 47 USC 227(b)(1)(B)',
} as const;

export const FccNotice: WireExamples<'FccNotice'> = [
  example('open', 'Nothing has been said to it', {
    ...NOTICE,
    campaignId: ids.campaign,
    calls: [REQUESTED_CALL],
    tracebackIds: [ids.traceback],
    responses: [],
  }),
  example('mitigation-stated', 'The first response is there', {
    ...NOTICE,
    state: 'mitigation-stated',
    calls: [],
    tracebackIds: [],
    responses: [NoticeResponse[0].value],
  }),
];

export const FccNoticePage: WireExamples<'FccNoticePage'> = [lastPage(FccNotice[0].value)];
