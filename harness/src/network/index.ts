export { createWorldClock, MAX_WORLD_PROCESSES, openWorld } from './world/index.js';
export type {
  FoundSoFar,
  SeenMessage,
  World,
  WorldCertificateSettings,
  WorldClock,
  WorldOptions,
} from './world/index.js';
