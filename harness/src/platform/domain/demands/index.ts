export type { PdfObservations, ClockedDemand, ReviewEstimate } from './review-findings.js';
export {
  authoritiesIn,
  readPdf,
  priorityOf,
  priorityRank,
  reviewClock,
  reviewOrder,
  classesBeyond,
  reviewFindings,
} from './review-findings.js';
export type { ScopeItem } from './scope.js';
export { comparableNumber, narrowed, scopeMatcher, scopeMatches, widerMembers } from './scope.js';
export type { Cell, Producible } from './produced-rows.js';
export {
  csvField,
  csvHead,
  csvLine,
  appReportRow,
  callRecordRow,
  campaignRecordingRow,
  reportRecordingRow,
  tracebackRows,
  offsetInstant,
  tracedCall,
} from './produced-rows.js';
export { dataDictionary } from './data-dictionary.js';
export type { FoundPath, RestraintPackage, CountedCalls } from './restraint-package.js';
export { gatherRestraintPackage, countVolume } from './restraint-package.js';
