export { callTruth, networkTruth } from './network-truth.js';
export type { NetworkTruth } from './network-truth.js';
export * from './truth.js';
