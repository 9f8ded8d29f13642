export { authoritiesIn } from './authorities.js';
export { comparableNumber } from './comparable-number.js';
export { csvField, csvHead, csvLine } from './csv-line.js';
export { dataDictionary } from './data-dictionary.js';
export { readPdf } from './pdf-document.js';
export type * from './pdf-document.js';
export {
  appReportRow,
  callRecordRow,
  campaignRecordingRow,
  reportRecordingRow,
  tracebackRows,
} from './produced-rows.js';
export type * from './produced-rows.js';
export { gatherRestraintPackage } from './restraint-package.js';
export type * from './restraint-package.js';
export { countVolume } from './restraint-volume.js';
export type * from './restraint-volume.js';
export { priorityOf, priorityRank, reviewClock, reviewOrder } from './review-clock.js';
export type * from './review-clock.js';
export { classesBeyond, reviewFindings } from './review-findings.js';
export type * from './review-findings.js';
export { isSameProvider, narrowed, scopeMatcher, scopeMatches, widerMembers } from './scope.js';
export type * from './scope.js';
export { offsetInstant, tracedCall } from './traced-call.js';
