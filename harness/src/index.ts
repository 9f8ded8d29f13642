/**
 * A SIP test network in which the truth is known, for tests of what carries, signs, verifies or blocks calls.
 *
 * - **Phones:** {@link Phone} registers, calls and answers as it is told; {@link BlockingSubscriber} is one whose
 *   call-blocking app rejects unwanted calls and reports them.
 * - **Faults:** {@link ChaosRelay} stands between two hops and loses, delays, reorders and cuts, the same way for the same seed.
 * - **Scenarios:** a network, who calls in it and what it is held to, from a file ({@link readScenario}), from an object
 *   ({@link defineScenario}) or from the package ({@link readShippedScenario}); {@link planNetwork} says which calls are placed when and by which way.
 * - **Truth:** {@link callTruth} says what each hop of a planned call has to see, find, send and answer; {@link judgeRun} holds what was seen of a run
 *   against it; {@link simulateRun} carries a plan out without SIP, its tracebacks by the real lifecycle.
 * - **A server:** {@link DrachtioServer} of `@hopback/harness/drachtio` speaks SIP for applications written with drachtio-srf.
 *
 * Every example on these pages is a program: all that it names of `@hopback/harness` and `@hopback/harness/drachtio` is imported, the
 * rest is there. A `console.log` says in a comment what it prints. All of them run in the tests.
 * @packageDocumentation
 */
export * from './faults/index.js';
export { openWorld, WorldClock } from './network/world/index.js';
export type { FoundSoFar, SeenMessage, World, WorldCertificateSettings, WorldOptions } from './network/world/index.js';
export { generateNetwork, plannedCalls, planNetwork, planProviders } from './network/plan/index.js';
export type {
  GenerateOptions,
  NetworkPlan,
  PlannedCall,
  PlannedDiversion,
  PlannedNetwork,
  PlannedProvider,
  PlanOptions,
} from './network/plan/index.js';
export * from './phones/index.js';
export {
  checkThresholds,
  defineScenario,
  faultText,
  METRICS,
  parseThreshold,
  readScenario,
  readShippedScenario,
  ROBOCALL_SCRIPTS,
  scenarioJsonSchema,
  shippedScenarios,
  shippedScenarioText,
} from './scenario/index.js';
export type {
  Behaviour,
  Metric,
  MetricName,
  MetricTraits,
  ParsedThreshold,
  ProviderRole,
  ReadFile,
  ReadonlyDeep,
  ReadScenarioOptions,
  RobocallScript,
  Scenario,
  ScenarioCaller,
  ScenarioFault,
  ScenarioPlatform,
  ScenarioProvider,
  ScenarioResult,
  ScenarioSharing,
  ScenarioThreshold,
  Threshold,
  ThresholdAggregate,
  ThresholdOperator,
  ThresholdResult,
  VariableSources,
} from './scenario/index.js';
export { callTruth, networkTruth } from './network/truth/index.js';
export type {
  AnsweringHabits,
  Attestation,
  CallTruth,
  CarriedTruth,
  FairOutcome,
  GivenAnswer,
  NetworkTruth,
  TrueAnswer,
  TrueFault,
  TrueHop,
  TrueIdentity,
  TrueStatement,
  TrueVerdict,
} from './network/truth/index.js';
export { judgeRun } from './oracle/index.js';
export type {
  Finding,
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
} from './oracle/index.js';
export * from './simulation/index.js';
export { diffRuns, readRunSummary } from './report/index.js';
export type {
  JudgedThreshold,
  LatencySummary,
  MetricChange,
  ReadRunSummary,
  RunDiff,
  RunEnd,
  RunRecord,
  RunSnapshot,
  RunSummary,
  RunVerdict,
  SampledCall,
} from './report/index.js';
export { runScenario, ControlServer } from './runner/index.js';
export type {
  ControlServerOptions,
  LiveCounts,
  LiveHop,
  RunControl,
  RunnerParts,
  RunOptions,
  RunResult,
  RunScenarioOptions,
  RunStage,
  RunView,
} from './runner/index.js';
export { HARNESS_VERSION } from './version.js';
