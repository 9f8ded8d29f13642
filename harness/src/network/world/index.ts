export { MAX_WORLD_PROCESSES, openWorld } from './open-world.js';
export { createWorldClock } from './world-clock.js';
export type { WorldClock } from './world-clock.js';
export * from './world.js';
export { certificatePath, networkPki } from './network-pki.js';
