export type {
  ContestState,
  CountedRequest,
  ExclusionReason,
  FindingReason,
  Timeliness,
  ProviderStanding,
} from './scorecard.js';
export {
  answerTimes,
  binomialUpperTail,
  falseDiscoveryRates,
  wilsonInterval,
  countRequest,
  scorecardOf,
  CONCERN_RULES,
  CONCERNS,
  emptyStanding,
  measureStandings,
} from './scorecard.js';
export type { CodeOwner, ProviderCode, ResolvedReference } from './resolve-reference.js';
export {
  readCursor,
  writeCursor,
  codesOf,
  codesToLookUp,
  resolveReference,
  searchTextOf,
} from './resolve-reference.js';
export type { Filing, RejectedFiling } from './read-filings.js';
export { entryAfterFiling, isSameEntry, readFilings } from './read-filings.js';
export { participationCsv, participationJson } from './participation-report.js';
