export { MAX_PUSHED_REJECTS, makeSourceKnown, rejectsFile, rejectsFolder, sourceFileName } from './intake-source.js';
export type { IntakeSourceNotice, IntakeSourceState, Pushed, PushedReject } from './intake-source.js';
export { RETENTION_DAYS, openRecordIntake } from './open-record-intake.js';
export type {
  IntakeNotice,
  IntakePlatform,
  IntakeState,
  RecordIntake,
  RecordIntakeOptions,
  SubmittedCounts,
} from './open-record-intake.js';
