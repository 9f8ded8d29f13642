export * from './behaviour.js';
export * from './scenario.js';
