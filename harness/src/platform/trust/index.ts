export { createTrustArea } from './trust-area.js';
export type { TrustArea } from './trust-area.js';
export type { FirstOperator } from './bootstrap.js';
export { trustDefinition } from './trust-migrations.js';
export type * from './trust-bodies.js';
export type { CallerOptions, TokenDesk } from './token-desk.js';
