export { createWorldClock, MAX_WORLD_PROCESSES, openWorld } from './world/index.js';
export type { SeenMessage, World, WorldCertificateSettings, WorldClock, WorldOptions } from './world/index.js';
