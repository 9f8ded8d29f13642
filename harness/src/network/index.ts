export { openWorld, WorldClock } from './world/index.js';
export type { FoundSoFar, SeenMessage, World, WorldCertificateSettings, WorldOptions } from './world/index.js';
