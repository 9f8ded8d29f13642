export { SUSPICION_SIGNALS, northAmericanNumber, northAmericanPrefix, npaNxxOf } from './suspicion.js';
export type {
  InvalidCallingFinding,
  JudgedRecord,
  NorthAmericanKind,
  NorthAmericanReading,
  NotJudgedReason,
  NotJudgedSignal,
  NumberFault,
  Suspicion,
  SuspicionEvidence,
  SuspicionLevel,
  SuspicionSignal,
  SuspicionSignalName,
  SuspicionSubject,
} from './suspicion.js';
export {
  DEFAULT_SUSPICION_POLICY,
  MAX_FAN_OUT,
  MAX_SUSPICION_LIMIT,
  describeNotJudged,
  describeSignal,
  explainSuspicion,
} from './suspicion-policy.js';
export type { SignalRamp, SuspicionLists, SuspicionPolicy } from './suspicion-policy.js';
export { createSuspicionTracker } from './suspicion-tracker.js';
export type {
  DiallingRowsState,
  RecentCallsState,
  SavedGroup,
  SavedSuspicionTracker,
  SavedTable,
  SuspicionMemory,
  SuspicionTracker,
  SuspicionTrackerOptions,
  SuspicionTrackerState,
} from './suspicion-tracker.js';
export type { NumberCountsState, PackedCounts } from './call-counts.js';
