export type * from './area.js';
export type * from './caller.js';
export type * from './context.js';
export type * from './core-tables.js';
export type * from './database.js';
export type * from './domain-event.js';
export type * from './operation.js';
export type * from './ports.js';
