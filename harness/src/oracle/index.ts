export * from './findings.js';
export { judgeRun } from './judge-run.js';
export type { JudgedFacts } from './judging.js';
export * from './run-facts.js';
