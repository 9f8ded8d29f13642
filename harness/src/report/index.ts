export { SAMPLE_LIMITS, chooseSamples, hasCall, kindOfCall, latencySummary, rounded } from './run-record.js';
export type {
  JudgedThreshold,
  LatencySummary,
  RunEnd,
  RunRecord,
  RunSnapshot,
  RunVerdict,
  SampledCall,
} from './run-record.js';
export { diffRuns, diffText } from './diff-runs.js';
export type { MetricChange, RunDiff } from './diff-runs.js';
export { reportHtml, verdictSentence } from './html/report-html.js';
export { counted } from './html/markup.js';
export { ladderOf, ladderMermaid, ladderText, oneLine } from './ladder/ladder.js';
export { storyLines } from './story/story-lines.js';
export { readRunSummary, runSummaryJsonSchema, summaryOf } from './run-summary.js';
export type { ReadRunSummary, RunSummary } from './run-summary.js';
export { callIdOf, readIdentityText } from './sip-text.js';
export { ctrfJson, findingText, junitXml, snapshotsCsv } from './test-results.js';
