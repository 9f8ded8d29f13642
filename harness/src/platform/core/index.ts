export type * from './area.js';
export type * from './ports.js';
