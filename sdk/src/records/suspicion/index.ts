export type { JudgedRecord } from './call-facts.js';
export { describeNotJudged, describeSignal, explainSuspicion } from './explain-suspicion.js';
export { northAmericanNumber, northAmericanPrefix, npaNxxOf } from './north-american-number.js';
export type { NorthAmericanKind, NorthAmericanReading, NumberFault } from './north-american-number.js';
export type { SuspicionLists } from './signal-findings.js';
export { DEFAULT_SUSPICION_POLICY, MAX_FAN_OUT, MAX_SUSPICION_LIMIT } from './suspicion-policy.js';
export type { SignalRamp, SuspicionPolicy } from './suspicion-policy.js';
export { createSuspicionTracker } from './suspicion-tracker.js';
export type {
  SavedSuspicionTracker,
  SuspicionMemory,
  SuspicionTracker,
  SuspicionTrackerOptions,
} from './suspicion-tracker.js';
export type { DiallingRowsState } from './dialling-rows.js';
export type { NumberCountsState } from './number-counts.js';
export type { RecentCallsState } from './recent-calls.js';
export type { SavedGroup, SavedTable, SuspicionTrackerState } from './tracker-state.js';
export { SUSPICION_SIGNALS } from './suspicion.js';
export type {
  InvalidCallingFinding,
  NotJudgedReason,
  NotJudgedSignal,
  Suspicion,
  SuspicionEvidence,
  SuspicionLevel,
  SuspicionSignal,
  SuspicionSignalName,
  SuspicionSubject,
} from './suspicion.js';
