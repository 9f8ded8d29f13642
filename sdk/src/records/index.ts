/**
 * Call records: read from whatever a switch writes, kept so that any call of the last 18 months is found, looked over for robocalls,
 * redacted, and streamed without losing one.
 * @packageDocumentation
 */
export { CallRecord, SharedRecord } from '../contract/call-record.js';
export type { CoverageInterval, Disposition, RecordFormat } from '../contract/call-record.js';
export type { BatchEncoding } from '../contract/record-batch.js';
export type { DeadLetter, DurableValues } from './stream/dead-letters.js';
export { RecordFeed } from './feed/record-feed.js';
export type { RecordFeedCounts, RecordFeedOptions } from './feed/record-feed.js';
export { FileFollower } from './ingest/follow-files.js';
export type { FollowOptions, FollowStatistics } from './ingest/follow-files.js';
export type { FollowNotice } from './ingest/follow-turn.js';
export { accDatabaseRow } from './ingest/formats/kamailio-row.js';
export { importFiles } from './ingest/import-files.js';
export type { ImportOptions, ImportProgress, ImportReport } from './ingest/import-files.js';
export { SourceListener } from './ingest/listen-source.js';
export type { SourceListenOptions } from './ingest/listen-source.js';
export type { DamagedMember, FileFacts, FollowedFile, FollowedFiles } from './ingest/readable-files.js';
export { REJECT_REASONS } from './ingest/record-reader.js';
export type {
  RecordReader,
  RejectReason,
  RowReading,
  SourceDescription,
  SourceRow,
  RowFraming,
} from './ingest/record-reader.js';
export { readRejects, RejectFile } from './ingest/rejects.js';
export type { RejectedRow, RejectFileOptions, RejectSink } from './ingest/rejects.js';
export type { IntakeCounts } from './ingest/row-intake.js';
export { createSourceReader, readSourceConfiguration } from './ingest/source-configuration.js';
export type { FileSourceConfiguration, HepConfiguration, SourceConfiguration } from './ingest/source-configuration.js';
export type { IntakeNotice, IntakeSourceState, Pushed } from './intake/intake-source.js';
export { RecordIntake } from './intake/open-record-intake.js';
export type { IntakeState, RecordIntakeOptions } from './intake/open-record-intake.js';
export { rawEvidence, recordIdOf, sourceSha256 } from './record-id.js';
export type { RawEvidence } from './record-id.js';
export { MEMBER_RULES } from './redaction/member-tree.js';
export type { MemberExplanation } from './redaction/member-tree.js';
export {
  DEFAULT_SHARING_POLICY,
  readSharingPolicy,
  SHARING_LEVELS,
  SharingPolicy,
} from './redaction/sharing-policy.js';
export type {
  SharingDecision,
  SharingExplanation,
  SharingLevel,
  SharingOutcome,
  SharingPolicyData,
  SharingPolicyOptions,
} from './redaction/sharing-policy.js';
export { openDuckDbRecordStore } from './store/duckdb-record-store.js';
export type { DuckDbRecordStoreOptions } from './store/duckdb-record-store.js';
export { createMemoryRecordStore } from './store/memory-record-store.js';
export { openPostgresLookup } from './store/postgres-lookup.js';
export type { PostgresConnection, PostgresLookupOptions } from './store/postgres-lookup.js';
export type { PostgresTable } from './store/postgres-row.js';
export { coverageGaps, MAX_QUERY_LIMIT } from './store/record-store.js';
export type {
  FoundRecords,
  HoldAuditEntry,
  HoldOrder,
  Inserted,
  LegalHold,
  RecordLookup,
  RecordPageQuery,
  RecordQuery,
  RecordStore,
  StoreScope,
  StoreStatistics,
  TimeWindow,
} from './store/record-store.js';
export { SharedRecordStore } from './store/shared-record-store.js';
export { createJetStreamRecordTransport } from './stream/jetstream-transport.js';
export type { JetStreamRecordTransportOptions } from './stream/jetstream-transport.js';
export { RecordStream } from './stream/record-stream.js';
export type { Drained, RecordAcceptance, RecordRefusal, RecordStreamOptions } from './stream/record-stream.js';
export type { StreamClock, StreamPolicy, StreamStatus } from './stream/stream-policy.js';
export { DEFAULT_SUSPICION_POLICY, explainSuspicion } from './suspicion/suspicion-policy.js';
export type { SuspicionPolicy, SuspicionTrackerOptions } from './suspicion/suspicion-policy.js';
export { SuspicionTracker } from './suspicion/suspicion-tracker.js';
export type { SuspicionTrackerState } from './suspicion/suspicion-tracker.js';
export { NOT_JUDGED_REASONS, SUSPICION_SIGNALS } from './suspicion/suspicion.js';
export type { Suspicion, SuspicionSignal } from './suspicion/suspicion.js';
