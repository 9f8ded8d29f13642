export { simulateRun } from './simulate-run.js';
export type { SimulationOptions } from './simulate-run.js';
