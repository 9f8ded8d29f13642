export * from './findings.js';
export { MAX_FINDINGS } from './finding-list.js';
export { hopPairs, hopVerdict } from './hop-verdicts.js';
export type { HopPair } from './hop-verdicts.js';
export { judgeRun } from './judge-run.js';
export type { JudgedFacts } from './judging.js';
export * from './run-facts.js';
export { createSureSuspicion } from './sure-suspicion.js';
