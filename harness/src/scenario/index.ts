export { scenarioJsonSchema } from './schema/scenario.schema.js';
export type {
  Behaviour,
  BehaviourKind,
  CallingNumbers,
  ProviderRole,
  ReadonlyDeep,
  Scenario,
  ScenarioCalled,
  ScenarioCaller,
  ScenarioCsv,
  ScenarioPhase,
  ScenarioPlatform,
  ScenarioProvider,
  ScenarioSharing,
  ScenarioThreshold,
  ScenarioTrace,
  ScenarioTrunk,
} from './schema/scenario.schema.js';
export type {
  ThresholdResult,
  MetricName,
  MetricTraits,
  ParsedThreshold,
  Threshold,
  ThresholdAggregate,
  ThresholdOperator,
} from './thresholds/thresholds.js';
export {
  checkThresholds,
  COUNT_METRIC,
  Metric,
  METRICS,
  parseThreshold,
  RATE_METRIC,
} from './thresholds/thresholds.js';
export { defineScenario, readShippedScenario, shippedScenarioText, shippedScenarios } from './shipped.js';
export { MAX_DIVERSIONS } from './check/check-scenario.js';
export { faultText, readScenario } from './read/read-scenario.js';
export type { ReadScenarioOptions, ScenarioFault, ScenarioResult } from './read/read-scenario.js';
export type { ReadFile } from './read/csv-files.js';
export type { VariableSources } from './read/variables.js';
export { isInRange, numberAt, numbersUnder, readNumberRange, ROBOCALL_SCRIPTS } from './scenario.js';
export type { RobocallScript } from './scenario.js';
