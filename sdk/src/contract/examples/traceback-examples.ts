import {
  ALDER,
  ALDER_REQUEST_ID,
  ANSWER_ID,
  ANSWERED_AT,
  BIRCH,
  BIRCH_REQUEST_ID,
  CALLED,
  CALLING,
  CEDAR,
  CEDAR_REQUEST_ID,
  DUE_AT,
  ISSUED_AT,
  ITG,
  OPENED_AT,
  ORIG_ID,
  REPORT_ID,
  REQUESTED_CALL,
  REQUESTED_CAMPAIGN,
  TRACEBACK_ID,
  TRANSCRIPT,
} from './example.js';
import type { WireExamples } from './example.js';

export const sharedRecords: WireExamples<'SharedRecord'> = [
  {
    name: 'pseudonymous',
    summary: 'The call as Alder Voice shares it',
    value: {
      format: 'hopback.shared-record.1',
      recordId: '93107fb8b90c2da1ba8029aed247a12c',
      source: { id: '94f76bb19132aebdd04004cfcd02d1ce', format: 'ribbon-act', readerVersion: 1 },
      callGroupId: 'cb6c5876251badfb407ac234cf362a67',
      inviteAtUs: 1_792_784_467_204_000,
      answeredAtUs: 1_792_784_473_402_000,
      endedAtUs: 1_792_784_518_117_000,
      time: { written: 'utc', resolutionUs: 1_000 },
      calling: { shown: 'number', tn: '12025550198' },
      called: { shown: 'pseudonym', pseudonym: 'f5aada4c27db0ae87952361d60a3b86f', npaNxx: '202555' },
      ingress: {
        trunk: 'e0eca67bbbc56ccb8069618916bf242d',
        provider: 'birch',
        address: '203.0.113.40:5060',
      },
      egress: { trunk: '1b9707e31a47ce72a7e07b69c2dd1abc' },
      disposition: 'answered',
      release: { sipStatus: 200, q850Cause: 16, cause: 'NORMAL_CLEARING', party: 'called' },
      received: {
        verstat: 'TN-Validation-Passed',
        attestation: 'B',
        origId: ORIG_ID,
        iatSeconds: 1_792_784_466,
        spc: '903C',
        evidence: {
          format: 'hopback.shared-evidence.1',
          checkedAtMs: 1_792_784_467_206,
          profile: 'shaken',
          freshnessSeconds: 60,
          verstat: 'TN-Validation-Passed',
          passports: [
            {
              index: 0,
              ppt: 'shaken',
              status: 'passed',
              x5u: 'https://certificates.cedar.example/shaken.pem',
              certificateSha256: '339f48c01878b70f0b36392af055870380a4b478684e3fc4e1ac4701936120fd',
              spc: '903C',
              iatSeconds: 1_792_784_466,
              attestation: 'B',
              origId: ORIG_ID,
              passed: [
                'header-syntax',
                'passport-syntax',
                'freshness',
                'orig',
                'dest',
                'certificate',
                'chain',
                'signature',
              ],
              exceptions: [],
            },
          ],
          callKey: '1f5bc5b34b4d0a6a07459a126afa0c4f',
        },
      },
      sharing: {
        policyId: 'hopback-sharing-1',
        form: 'pseudonymous',
        rotationId: '2026-10',
        suspicion: { score: 0.75, level: 'suspicious', signals: ['neighbour-spoofing'] },
      },
    },
  },
];

export const recordBatchAnswers: WireExamples<'RecordBatchAnswer'> = [
  {
    name: 'all',
    summary: 'Everything is stored',
    value: { batchId: '0b8a5d2f4c1e7a90b3d6e8f1c2a45970', accepted: 1_000, rejected: [] },
  },
  {
    name: 'partial',
    summary: 'One record is not taken, the rest is stored',
    value: {
      batchId: '0b8a5d2f4c1e7a90b3d6e8f1c2a45970',
      accepted: 999,
      rejected: [
        {
          recordId: '5f0b8a3d2c7e61904a3d6e8f1c2a4b59',
          code: 'too-old',
          detail: 'Records are taken for 18 months.',
        },
      ],
    },
  },
];

export const tracebackOpenings: WireExamples<'TracebackOpening'> = [
  {
    name: 'back',
    summary: 'From a report of an application',
    value: {
      direction: 'back',
      call: REQUESTED_CALL,
      campaign: REQUESTED_CAMPAIGN,
      requester: ITG,
      firstProvider: ALDER,
      reportId: REPORT_ID,
    },
  },
  {
    name: 'forward',
    summary: 'Who serves a call-back number?',
    value: {
      direction: 'forward',
      call: {
        called: '+1 202 555 0177',
        at: { asWritten: '10/23/2026', local: '2026-10-23', zone: 'America/New_York', precision: 'day' },
      },
      comment: 'The recorded message asks to call this number back.',
    },
  },
];

const NAMES = {
  format: 'hopback.traceback.1',
  tracebackId: TRACEBACK_ID,
  direction: 'back',
  requester: ITG,
  campaign: REQUESTED_CAMPAIGN,
  call: REQUESTED_CALL,
  openedAt: OPENED_AT,
} as const;

const FIRST_HOP = {
  hop: 1,
  requestId: ALDER_REQUEST_ID,
  provider: ALDER,
  state: 'answered',
  issuedAt: OPENED_AT,
  dueAt: '2026-10-26T20:02:00Z',
  answeredAt: '2026-10-23T20:05:07Z',
  answerId: 'ans-51e0aa93',
  arm: 'received-from',
  upstream: BIRCH,
} as const;

const SECOND_HOP = {
  hop: 2,
  requestId: BIRCH_REQUEST_ID,
  provider: BIRCH,
  state: 'answered',
  issuedAt: ISSUED_AT,
  dueAt: DUE_AT,
  answeredAt: ANSWERED_AT,
  answerId: ANSWER_ID,
  arm: 'received-from',
  upstream: CEDAR,
} as const;

export const tracebacks: WireExamples<'Traceback'> = [
  {
    name: 'point-of-entry',
    summary: 'A foreign call that came in at Cedar Gateway',
    value: {
      ...NAMES,
      state: 'closed',
      outcome: 'point-of-entry',
      updatedAt: '2026-10-23T20:05:21Z',
      closedAt: '2026-10-23T20:05:21Z',
      hops: [
        FIRST_HOP,
        SECOND_HOP,
        {
          hop: 3,
          requestId: CEDAR_REQUEST_ID,
          provider: CEDAR,
          state: 'answered',
          issuedAt: '2026-10-23T20:05:14Z',
          dueAt: '2026-10-26T20:05:14Z',
          answeredAt: '2026-10-23T20:05:20Z',
          answerId: 'ans-c00b1d7e',
          arm: 'point-of-entry',
          customerAction: 'warned',
        },
      ],
    },
  },
  {
    name: 'open',
    summary: 'The second provider is asked; who reads this may not see whom the first one named',
    value: {
      ...NAMES,
      state: 'open',
      updatedAt: ISSUED_AT,
      hops: [
        {
          hop: 1,
          requestId: ALDER_REQUEST_ID,
          provider: ALDER,
          state: 'answered',
          issuedAt: OPENED_AT,
          dueAt: '2026-10-26T20:02:00Z',
          answeredAt: '2026-10-23T20:05:07Z',
          answerId: 'ans-51e0aa93',
          arm: 'received-from',
        },
        {
          hop: 2,
          requestId: BIRCH_REQUEST_ID,
          provider: BIRCH,
          state: 'asked',
          issuedAt: ISSUED_AT,
          dueAt: DUE_AT,
        },
      ],
    },
  },
];

export const tracebackPages: WireExamples<'TracebackPage'> = [
  { name: 'last-page', summary: 'There is no more', value: { items: [tracebacks[0].value] } },
];

export const appReports: WireExamples<'AppReport'> = [
  {
    name: 'answered-by-app',
    summary: 'An application took the call and heard a recorded message',
    value: {
      format: 'hopback.app-report.1',
      reportId: REPORT_ID,
      app: { name: 'Example Call Screen', version: '4.2.0' },
      calledAt: '2026-10-23T19:41:09Z',
      called: { shown: 'number', tn: CALLED },
      calling: CALLING,
      verstat: 'TN-Validation-Passed',
      servedBy: 'Alder Voice LLC',
      action: 'answered-by-app',
      reason: 'content',
      durationSeconds: 45,
      transcript: { text: TRANSCRIPT, language: 'en-US' },
      audioFingerprint: {
        algorithm: 'chromaprint-2',
        value: 'AQAAE0mUaEkSRZEGAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA',
        durationMs: 12_000,
      },
    },
  },
  {
    name: 'pseudonymous',
    summary: 'The subscriber is not named; the caller showed no number',
    value: {
      format: 'hopback.app-report.1',
      reportId: 'rpt-77f0b3a9',
      app: { name: 'Example Call Screen' },
      calledAt: '2026-10-23T19:52:30Z',
      called: { shown: 'pseudonym', pseudonym: 'f5aada4c27db0ae87952361d60a3b86f', npaNxx: '202555' },
      action: 'blocked',
      reason: 'anonymous',
    },
  },
];

export const appReportReceipts: WireExamples<'AppReportReceipt'> = [
  {
    name: 'stored',
    summary: 'Stored for the first time',
    value: { reportId: REPORT_ID, receivedAt: '2026-10-23T19:43:00Z', isRepeat: false },
  },
];
