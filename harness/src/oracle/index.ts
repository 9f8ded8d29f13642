export * from './findings.js';
export * from './run-facts.js';
