/**
 * Call records: read from whatever a switch writes, kept so that any call of the last 18 months is found, looked over for robocalls,
 * redacted, and streamed without losing one.
 * @packageDocumentation
 */
export { CallRecord, SharedRecord } from '../contract/call-record.js';
export type { CoverageInterval, Disposition, RecordFormat } from '../contract/call-record.js';
export type { BatchEncoding } from '../contract/record-batch.js';
export type { Backoff } from '../core/runtime/deadline.js';
export type { DurableValues } from './durable-values.js';
export { createRecordFeed } from './feed/record-feed.js';
export type { FeedRefusal, RecordFeed, RecordFeedCounts, RecordFeedOptions } from './feed/record-feed.js';
export { followFiles } from './ingest/follow-files.js';
export type { FileFollower, FollowOptions, FollowStatistics, SourceProgressState } from './ingest/follow-files.js';
export type { FollowNotice } from './ingest/follow-turn.js';
export { accDatabaseRow } from './ingest/formats/kamailio-row.js';
export { importFiles } from './ingest/import-files.js';
export type { ImportedFile, ImportOptions, ImportProgress, ImportReport } from './ingest/import-files.js';
export { listenToSource } from './ingest/listen-source.js';
export type { SourceListenOptions } from './ingest/listen-source.js';
export type { DamagedMember, FileFacts, FollowedFile, FollowedFiles, ReadableFile } from './ingest/readable-files.js';
export type {
  RecordReader,
  RejectReason,
  RowReading,
  SourceDescription,
  SourceNumbers,
  SourceRow,
  SourceTime,
} from './ingest/record-reader.js';
export { openRejectFile, readRejects } from './ingest/rejects.js';
export type { RejectedRow, RejectFile, RejectFileOptions, RejectSink, RejectStatistics } from './ingest/rejects.js';
export type { IntakeCounts, RowCoverageOptions } from './ingest/row-intake.js';
export { createSourceReader, readSourceConfiguration } from './ingest/source-configuration.js';
export type { FileSourceConfiguration, HepConfiguration, SourceConfiguration } from './ingest/source-configuration.js';
export type { IntakeSourceNotice, IntakeSourceState, Pushed, PushedReject } from './intake/intake-source.js';
export { openRecordIntake } from './intake/open-record-intake.js';
export type {
  IntakeNotice,
  IntakePlatform,
  IntakeState,
  RecordIntake,
  RecordIntakeOptions,
  SubmittedCounts,
} from './intake/open-record-intake.js';
export { rawEvidence } from './raw-evidence.js';
export type { RawEvidence } from './raw-evidence.js';
export { recordIdOf, sourceSha256 } from './record-id.js';
export type { RecordIdParts } from './record-id.js';
export type { MemberExplanation, MemberPolicy, MemberRule } from './redaction/member-tree.js';
export type { PseudonymOptions } from './redaction/pseudonyms.js';
export { explainSharing, shareRecord } from './redaction/share-record.js';
export type { SharingDecision, SharingExplanation, SharingOutcome } from './redaction/share-record.js';
export { createSharingPolicy, DEFAULT_SHARING_POLICY, readSharingPolicy } from './redaction/sharing-policy.js';
export type {
  SharingLevel,
  SharingPolicy,
  SharingPolicyData,
  SharingPolicyOptions,
  SharingReason,
} from './redaction/sharing-policy.js';
export { openDuckDbRecordStore } from './store/duckdb-record-store.js';
export type { DuckDbRecordStoreOptions } from './store/duckdb-record-store.js';
export { createMemoryRecordStore } from './store/memory-record-store.js';
export type { MemoryRecordStoreOptions } from './store/memory-record-store.js';
export { openPostgresLookup } from './store/postgres-lookup.js';
export type { PostgresConnection, PostgresLookupOptions } from './store/postgres-lookup.js';
export type { PostgresColumns, PostgresTable, PostgresTime } from './store/postgres-row.js';
export { coverageGaps, MAX_QUERY_LIMIT } from './store/record-store.js';
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
} from './store/record-store.js';
export { openSharedRecordStore } from './store/shared-record-store.js';
export type { SharedRecordStore } from './store/shared-record-store.js';
export type {
  DeadLetter,
  DeadLetterCause,
  DeadLetterDecision,
  DeadLetterReason,
  DeadLettersSettled,
} from './stream/dead-letters.js';
export { createJetStreamRecordTransport } from './stream/jetstream-transport.js';
export type { JetStreamRecordTransportOptions } from './stream/jetstream-transport.js';
export type { StreamedRecord } from './stream/packed-spool.js';
export { openRecordStream } from './stream/record-stream.js';
export type {
  Drained,
  OpenRecordStream,
  OpenRecordStreamOptions,
  RecordAcceptance,
  RecordRefusal,
} from './stream/record-stream.js';
export type { BreakerState, StreamClock, StreamPolicy, StreamStatus, StreamTrouble } from './stream/stream-policy.js';
export { DEFAULT_SUSPICION_POLICY, explainSuspicion } from './suspicion/suspicion-policy.js';
export type { SignalRamp, SuspicionLists, SuspicionPolicy } from './suspicion/suspicion-policy.js';
export { createSuspicionTracker } from './suspicion/suspicion-tracker.js';
export type {
  SavedSuspicionTracker,
  SuspicionTracker,
  SuspicionTrackerOptions,
  SuspicionTrackerState,
} from './suspicion/suspicion-tracker.js';
export type {
  JudgedRecord,
  NotJudgedReason,
  NotJudgedSignal,
  Suspicion,
  SuspicionEvidence,
  SuspicionSignal,
  SuspicionSignalName,
  SuspicionSubject,
} from './suspicion/suspicion.js';
