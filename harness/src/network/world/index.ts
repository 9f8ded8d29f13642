export { openWorld } from './open-world.js';
export { certificatePath, networkPki, WorldClock } from './world.js';
export type { FoundSoFar, SeenMessage, World, WorldCertificateSettings, WorldOptions } from './world.js';
