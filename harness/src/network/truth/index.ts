export { callTruth, networkTruth } from './network-truth.js';
export type { NetworkTruth } from './network-truth.js';
export { saidKind } from './answer-words.js';
export type { SaidKind } from './answer-words.js';
export * from './truth.js';
