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
export * from './thresholds/check-thresholds.js';
export { METRIC_KINDS, PLATFORM_METRICS } from './thresholds/metrics.js';
export type { Metric, MetricName } from './thresholds/metrics.js';
export { parseThreshold } from './thresholds/parse-threshold.js';
export type {
  ParsedThreshold,
  Threshold,
  ThresholdAggregate,
  ThresholdOperator,
} from './thresholds/parse-threshold.js';
export { scenarioJsonSchema } from './schema/scenario.schema.js';
export { defineScenario } from './define-scenario.js';
export { MAX_DIVERSIONS } from './check/check-scenario.js';
export { isInRange, numberAt, numbersUnder, readNumberRange } from './scenario.js';
export { faultText, readScenario } from './read/read-scenario.js';
export type { ReadScenarioOptions, ScenarioFault, ScenarioResult } from './read/read-scenario.js';
export type { ReadFile } from './read/csv-files.js';
export type { VariableSources } from './read/variables.js';
export { ROBOCALL_SCRIPTS, SCRIPT_WORDS } from './scenario.js';
export type { RobocallScript } from './scenario.js';
export { readShippedScenario, shippedScenarioText, shippedScenarios } from './shipped.js';
