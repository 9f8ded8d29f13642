export { openWorld } from './open-world.js';
export { certificatePath, createWorldClock, networkPki } from './world.js';
export type { FoundSoFar, SeenMessage, World, WorldCertificateSettings, WorldClock, WorldOptions } from './world.js';
