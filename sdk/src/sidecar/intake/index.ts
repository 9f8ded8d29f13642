export { HTTP_RECORDS_SOURCE, recordIntakeApp } from './record-intake-app.js';
export type { RecordIntakeAppOptions, RecordsAnswer } from './record-intake-app.js';
export { DEFAULT_INTAKE_LIMITS } from './take-in.js';
export type { IntakeLimits } from './take-in.js';
