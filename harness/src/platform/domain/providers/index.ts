export { answerTimes } from './answer-times.js';
export { binomialUpperTail, falseDiscoveryRates, wilsonInterval } from './binomial.js';
export { readCursor, writeCursor } from './cursor.js';
export { countRequest } from './counted-request.js';
export type {
  ContestState,
  CountedRequest,
  CountingFacts,
  ExclusionReason,
  FindingReason,
  Timeliness,
} from './counted-request.js';
export { entryAfterFiling, isSameEntry } from './filed-entry.js';
export { participationCsv, participationJson } from './participation-report.js';
export { readFilings } from './read-filings.js';
export type { Filing, RejectedFiling } from './read-filings.js';
export { codesOf, codesToLookUp, resolveReference, searchTextOf } from './resolve-reference.js';
export type { CodeOwner, ProviderCode, ResolvedReference } from './resolve-reference.js';
export { scorecardOf } from './scorecard.js';
export { CONCERN_RULES, CONCERNS, emptyStanding, measureStandings } from './standing.js';
export type { ProviderStanding } from './standing.js';
