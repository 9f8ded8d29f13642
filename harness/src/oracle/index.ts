export type { Metric, MetricName } from '../scenario/index.js';
export { MAX_FINDINGS, isSurelySuspicious, hopPairs, hopVerdict } from './findings.js';
export type {
  Finding,
  HopPair,
  JudgedFacts,
  OracleReport,
  RunFacts,
  SeenAlert,
  SeenAnswer,
  SeenAnswering,
  SeenCall,
  SeenCampaign,
  SeenHop,
  SeenRecords,
  SeenTraceback,
} from './findings.js';
export { judgeRun } from './judge-run.js';
