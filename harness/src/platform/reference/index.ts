export type { HomeKey, PlatformFolders, PlatformHome } from './platform-home.js';
export type { ReferenceSettings } from './reference-areas.js';
export { FIRST_OPERATOR_CLIENT, startReferencePlatform, startReferenceWithAreas } from './reference-platform.js';
export type { ReferencePlatform, ReferencePlatformOptions, ReferenceWithAreas } from './reference-platform.js';
export { backupStoppedPlatform, restoreStoppedPlatform, verifyStoppedAudit } from './archive-platform.js';
export type { RestoredPlatform, StoppedPlatform } from './archive-platform.js';
