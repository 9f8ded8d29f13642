export { ControlServer } from './control-server.js';
export type { ControlServerOptions } from './control-server.js';
export { dashboardLines, plainLine, actOn, keyActions, openDashboard } from './dashboard/open-dashboard.js';
export { replayPlan, runPlan, runScenario, truthOfPlan } from './run-plan.js';
export { dryRunLines, loadPlan } from './load-plan.js';
export { labRunOptions, prepareLab, readLab } from './lab/prepare-lab.js';
export { createPace } from './run-options.js';
export type {
  LiveCounts,
  LiveHop,
  RunControl,
  RunOptions,
  RunResult,
  RunStage,
  RunView,
  RunnerParts,
} from './run-options.js';
export type { LoadedPlan } from './load-plan.js';
export { createMessageKeeper } from './live-run.js';
export type { RunScenarioOptions } from './run-plan.js';
