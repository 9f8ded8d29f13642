export type * from './alert-bodies.js';
export { alertsDefinition } from './alert-tables.js';
export { createAlertsArea } from './alerts-area.js';
export { MAX_ALERTS_PER_HOUR } from './raise-alert.js';
