/**
 * A drachtio server in TypeScript for tests: unmodified drachtio-srf applications connect to it, and it speaks SIP for them.
 * @packageDocumentation
 */
export { COMPATIBLE_VERSION, createDrachtioServer } from './server.js';
export type { DrachtioServer, InUse } from './server.js';
export { SERVER_LIMITS } from './server-options.js';
export type { DrachtioServerOptions, ServerLimits } from './server-options.js';
export type { ServerClock } from './clock.js';
export type { DirectionCounters, MessageCounters } from './observe/counters.js';
export type { MessageTap, TappedMessage } from './observe/tap.js';
export type { TimerBase } from './transaction/transition.js';
export { CONNECTION_LIMITS } from './transport/connection-limits.js';
export type { ConnectionLimits } from './transport/connection-limits.js';
export type { Endpoint, TransportName } from './transport/flow.js';
export type { TlsFiles } from './transport/tls-options.js';
export type { ListenAddress } from './transport/transports.js';
