export { chooseSamples, kindOfCall, SAMPLE_LIMITS } from './choose-samples.js';
export { diffRuns, diffText } from './diff-runs.js';
export type { MetricChange, RunDiff } from './diff-runs.js';
export { hasCall, latencySummary, rounded } from './figures.js';
export { reportHtml } from './html/report-html.js';
export { counted } from './html/words.js';
export { verdictSentence } from './html/verdict-banner.js';
export { ladderOf } from './ladder/ladder.js';
export { ladderMermaid } from './ladder/ladder-mermaid.js';
export { ladderText } from './ladder/ladder-text.js';
export { oneLine } from './ladder/one-line.js';
export type {
  JudgedThreshold,
  LatencySummary,
  RunEnd,
  RunRecord,
  RunSnapshot,
  RunVerdict,
  SampledCall,
} from './run-record.js';
export { storyLines } from './story/story-lines.js';
export { summaryOf } from './run-summary.js';
export type {
  DeterministicSummary,
  RunSummary,
  SummaryCounts,
  SummaryFinding,
  SummaryTraceback,
} from './run-summary.js';
export { readRunSummary, runSummaryJsonSchema } from './run-summary.schema.js';
export type { ReadRunSummary } from './run-summary.schema.js';
export { callIdOf, readIdentityText } from './sip-text.js';
export { snapshotsCsv } from './snapshots-csv.js';
export { ctrfJson, findingText, junitXml } from './test-results.js';
