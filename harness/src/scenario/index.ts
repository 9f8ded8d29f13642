export type {
  AnswerBehaviour,
  Behaviour,
  BehaviourBounds,
  BehaviourKind,
  CallingNumbers,
  CertificateBehaviour,
  ProviderRole,
  RecordBehaviour,
  Scenario,
  ScenarioCalled,
  ScenarioCaller,
  ScenarioCsv,
  ScenarioDay,
  ScenarioPhase,
  ScenarioPlatform,
  ScenarioProvider,
  ScenarioSharing,
  ScenarioThreshold,
  ScenarioTrace,
  ScenarioTrunk,
  SignallingBehaviour,
} from './scenario.js';
export type {
  ThresholdResult,
  Metric,
  MetricName,
  ParsedThreshold,
  Threshold,
  ThresholdAggregate,
  ThresholdOperator,
} from './thresholds/thresholds.js';
export {
  checkThresholds,
  LIVE_METRICS,
  METRIC_KINDS,
  PLATFORM_METRICS,
  parseThreshold,
} from './thresholds/thresholds.js';
export { scenarioJsonSchema } from './schema/scenario.schema.js';
export { defineScenario, readShippedScenario, shippedScenarioText, shippedScenarios } from './shipped.js';
export { MAX_DIVERSIONS } from './check/check-scenario.js';
export { isInRange, numberAt, numbersUnder, readNumberRange } from './scenario.js';
export { faultText, readScenario } from './read/read-scenario.js';
export type { ReadScenarioOptions, ScenarioFault, ScenarioResult } from './read/read-scenario.js';
export type { ReadFile } from './read/csv-files.js';
export type { VariableSources } from './read/variables.js';
export { ROBOCALL_SCRIPTS, SCRIPT_WORDS } from './scenario.js';
export type { RobocallScript } from './scenario.js';
