export type * from './provider-bodies.js';
export { providersDefinition } from './provider-migrations.js';
export { createProvidersArea } from './providers-area.js';
export type { ProvidersArea } from './providers-area.js';
