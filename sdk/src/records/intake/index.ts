export { rejectsFile, rejectsFolder, sourceFileName } from './intake-folders.js';
export { MAX_PUSHED_REJECTS } from './intake-source.js';
export type { IntakeSourceNotice, IntakeSourceState, Pushed, PushedReject } from './intake-source.js';
export { makeSourceKnown } from './make-source-known.js';
export { openRecordIntake } from './open-record-intake.js';
export { RETENTION_DAYS } from './record-intake.js';
export type {
  IntakeNotice,
  IntakePlatform,
  IntakeState,
  RecordIntake,
  RecordIntakeOptions,
  SubmittedCounts,
} from './record-intake.js';
