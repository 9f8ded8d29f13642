export { createWorldClock, openWorld } from './world/index.js';
export type {
  FoundSoFar,
  SeenMessage,
  World,
  WorldCertificateSettings,
  WorldClock,
  WorldOptions,
} from './world/index.js';
