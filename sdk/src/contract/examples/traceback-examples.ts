import {
  ALDER,
  BIRCH,
  CALLED,
  CALL_BACK_NUMBER,
  CALLING,
  CEDAR,
  example,
  ids,
  ITG,
  lastPage,
  REQUESTED_CALL,
  REQUESTED_CAMPAIGN,
  times,
  TRANSCRIPT,
} from './example.js';
import type { WireExamples } from './example.js';

export const SharedRecord: WireExamples<'SharedRecord'> = [
  example('pseudonymous', 'The call as Alder Voice shares it', {
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
      origId: ids.orig,
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
            origId: ids.orig,
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
  }),
];

export const RecordBatchAnswer: WireExamples<'RecordBatchAnswer'> = [
  example('all', 'Everything is stored', {
    batchId: '0b8a5d2f4c1e7a90b3d6e8f1c2a45970',
    accepted: 1_000,
    rejected: [],
  }),
  example('partial', 'One record is not taken, the rest is stored', {
    batchId: '0b8a5d2f4c1e7a90b3d6e8f1c2a45970',
    accepted: 999,
    rejected: [
      {
        recordId: '5f0b8a3d2c7e61904a3d6e8f1c2a4b59',
        code: 'too-old',
        detail: 'Records are taken for 18 months.',
      },
    ],
  }),
];

export const TracebackOpening: WireExamples<'TracebackOpening'> = [
  example('back', 'From a report of an application', {
    direction: 'back',
    call: REQUESTED_CALL,
    campaign: REQUESTED_CAMPAIGN,
    requester: ITG,
    firstProvider: ALDER,
    reportId: ids.report,
  }),
  example('forward', 'Who serves a call-back number?', {
    direction: 'forward',
    call: CALL_BACK_NUMBER,
    comment: 'The recorded message asks to call this number back.',
  }),
];

const NAMES = {
  format: 'hopback.traceback.1',
  tracebackId: ids.traceback,
  direction: 'back',
  requester: ITG,
  campaign: REQUESTED_CAMPAIGN,
  call: REQUESTED_CALL,
  openedAt: times.opened,
} as const;

const FIRST_HOP = {
  hop: 1,
  requestId: ids.alderRequest,
  provider: ALDER,
  state: 'answered',
  issuedAt: times.opened,
  dueAt: '2026-10-26T20:02:00Z',
  answeredAt: '2026-10-23T20:05:07Z',
  answerId: 'ans-51e0aa93',
  arm: 'received-from',
} as const;

const SECOND_HOP = {
  hop: 2,
  requestId: ids.birchRequest,
  provider: BIRCH,
  state: 'asked',
  issuedAt: times.issued,
  dueAt: times.due,
} as const;

export const Traceback: WireExamples<'Traceback'> = [
  example('point-of-entry', 'A foreign call that came in at Cedar Gateway', {
    ...NAMES,
    state: 'closed',
    outcome: 'point-of-entry',
    updatedAt: '2026-10-23T20:05:21Z',
    closedAt: '2026-10-23T20:05:21Z',
    hops: [
      { ...FIRST_HOP, upstream: BIRCH },
      {
        ...SECOND_HOP,
        state: 'answered',
        answeredAt: times.answered,
        answerId: ids.answer,
        arm: 'received-from',
        upstream: CEDAR,
      },
      {
        hop: 3,
        requestId: ids.cedarRequest,
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
  }),
  example('open', 'The second provider is asked; who reads this may not see whom the first one named', {
    ...NAMES,
    state: 'open',
    updatedAt: times.issued,
    hops: [FIRST_HOP, SECOND_HOP],
  }),
];

export const TracebackPage: WireExamples<'TracebackPage'> = [lastPage(Traceback[0].value)];

export const AppReport: WireExamples<'AppReport'> = [
  example('answered-by-app', 'An application took the call and heard a recorded message', {
    format: 'hopback.app-report.1',
    reportId: ids.report,
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
  }),
  example('pseudonymous', 'The subscriber is not named; the caller showed no number', {
    format: 'hopback.app-report.1',
    reportId: 'rpt-77f0b3a9',
    app: { name: 'Example Call Screen' },
    calledAt: '2026-10-23T19:52:30Z',
    called: { shown: 'pseudonym', pseudonym: 'f5aada4c27db0ae87952361d60a3b86f', npaNxx: '202555' },
    action: 'blocked',
    reason: 'anonymous',
  }),
];

export const AppReportReceipt: WireExamples<'AppReportReceipt'> = [
  example('stored', 'Stored for the first time', {
    reportId: ids.report,
    receivedAt: '2026-10-23T19:43:00Z',
    isRepeat: false,
  }),
];
