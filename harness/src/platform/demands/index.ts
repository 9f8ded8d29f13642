/**
 * Demands and productions: subpoenas, civil investigative demands and court orders, and what is handed over under them.
 */
export { auditProofsOf } from './audit-proofs.js';
export type { DemandLimits } from './demand-area.js';
export { createDemandsArea } from './demands-area.js';
export type { DemandsArea } from './demands-area.js';
export { openFileStore } from './file-store.js';
export { createHoldReader } from './holds.js';
export type { RemovableItem } from './holds.js';
export type { DemandPorts } from './ports.js';
export { DEMANDS_DEFINITION } from './tables.js';
