/**
 * A drachtio server in TypeScript for tests: unmodified drachtio-srf applications connect to it, and it speaks SIP for them.
 * @packageDocumentation
 */
export { COMPATIBLE_VERSION, createDrachtioServer } from './server.js';
export type { DrachtioServer, InUse } from './server.js';
export { SERVER_LIMITS } from './server-options.js';
export type { DrachtioServerOptions, ServerLimits } from './server-options.js';
