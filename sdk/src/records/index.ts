/**
 * Call records: read from whatever a switch writes, kept so that any call of the last 18 months is found, looked over for robocalls,
 * redacted, and streamed without losing one.
 * @packageDocumentation
 */
export { MAX_RAW_BYTES, MAX_RAW_ROWS } from '../core/raw-limits.js';
export { rawEvidence } from './raw-evidence.js';
export { RECORD_ID_DIGITS, recordIdOf, sourceSha256 } from './record-id.js';
export type { RawEvidence } from './raw-evidence.js';
export type { RecordIdParts } from './record-id.js';
export type * from '../core/verdict-evidence.js';
export { CallRecord, SharedRecord } from '../contract/call-record.js';
export type {
  CalledNumber,
  CoverageInterval,
  Disposition,
  HopSide,
  OwnSigning,
  PartyNumber,
  RawRow,
  ReceivedVerification,
  RecordFormat,
  RecordSource,
  Release,
  SharedCalledNumber,
  SharedCallingNumber,
  SharedEvidence,
  SharingMark,
  TimeBasis,
} from '../contract/call-record.js';
export * from './feed/index.js';
export * from './ingest/index.js';
export * from './intake/index.js';
export * from './redaction/index.js';
export * from './store/index.js';
export {
  POSTGRES_CONNECTIONS,
  POSTGRES_MAX_SCANNED_ROWS,
  POSTGRES_STATEMENT_TIMEOUT_MS,
  openPostgresLookup,
} from './store/postgres-lookup.js';
export type { PostgresConnection, PostgresLookupOptions } from './store/postgres-lookup.js';
export type { PostgresColumns, PostgresTable, PostgresTime } from './store/postgres-row.js';
export * from './stream/index.js';
export * from './suspicion/index.js';
