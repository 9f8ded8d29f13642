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
  REPORT_ID,
  REQUESTED_CALL,
  REQUESTED_CAMPAIGN,
  TRACEBACK_ID,
  TRANSCRIPT,
} from './cast.js';
import type { WireExamples } from './example.js';

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
