export { createRecordsArea } from './create-records-area.js';
export type { RecordsArea, RecordsAreaOptions } from './create-records-area.js';
export type { LiveRetention } from './retention.js';
export type * from './records-bodies.js';
export { recordsDefinition } from './records-migrations.js';
