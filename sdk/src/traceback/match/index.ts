export { MAX_LEG_LOOKUPS, findMatch, matchCall } from './match-call.js';
export type { FindMatchOptions, MatchInput, SearchedRecords } from './match-call.js';
export { CLOCK_ALLOWANCE_MS, LONGEST_LAG_MS, MATCH_WEIGHTS, MAX_MATCH_CANDIDATES, WIDEN_MS } from './match-options.js';
export type { FieldWeights, MatchField, MatchOptions } from './match-options.js';
export { MATCH_LOOKUP_LIMIT, planSearch } from './plan-search.js';
export type { SearchPlan, StatedNumber, StatedTimeReading } from './plan-search.js';
