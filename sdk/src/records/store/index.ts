export {
  DEFAULT_QUERY_LIMIT,
  MAX_HELD_RECORDS,
  MAX_QUERY_LIMIT,
  coverageGaps,
  coverageWith,
  coverageWithin,
  coverageWithout,
  matchesQuery,
} from './record-store.js';
export { openDuckDbRecordStore } from './duckdb-record-store.js';
export type { DuckDbRecordStoreOptions } from './duckdb-record-store.js';
export { createMemoryRecordStore } from './memory-record-store.js';
export type { MemoryRecordStoreOptions } from './memory-record-store.js';
export type {
  FoundRecords,
  HoldAuditEntry,
  HoldOrder,
  Inserted,
  LegalHold,
  RecordLookup,
  RecordQuery,
  RecordStore,
  StoreScope,
  StoreStatistics,
  TimeWindow,
} from './record-store.js';
export { openSharedRecordStore } from './shared-record-store.js';
export type { SharedRecordStore } from './shared-record-store.js';
