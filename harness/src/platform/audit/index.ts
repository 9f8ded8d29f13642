export { auditDefinition, createAuditArea } from './audit-area.js';
export type * from './audit-bodies.js';
