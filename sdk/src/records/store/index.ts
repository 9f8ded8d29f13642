export { coverageGaps, coverageWith, coverageWithin, coverageWithout } from './coverage.js';
export { openDuckDbRecordStore } from './duckdb-record-store.js';
export type { DuckDbRecordStoreOptions } from './duckdb-record-store.js';
export { createMemoryRecordStore } from './memory-record-store.js';
export type { MemoryRecordStoreOptions } from './memory-record-store.js';
export { matchesQuery } from './record-query.js';
export * from './record-store.js';
export { openSharedRecordStore } from './shared-record-store.js';
export type { SharedRecordStore } from './shared-record-store.js';
