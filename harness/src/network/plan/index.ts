export * from './is-under.js';
export * from './plan.js';
