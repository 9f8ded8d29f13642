/**
 * Call records: read from whatever a switch writes, kept so that any call of the last 18 months is found, looked over for robocalls,
 * redacted, and streamed without losing one.
 * @packageDocumentation
 */
export { CallRecord, SharedRecord } from '../contract/call-record.js';
export type { CoverageInterval, Disposition, RecordFormat } from '../contract/call-record.js';
export type { BatchEncoding } from '../contract/record-batch.js';
export type { DurableValues, DeadLetter, DeadLettersSettled } from './stream/dead-letters.js';
export { createRecordFeed } from './feed/record-feed.js';
export type { RecordFeed, RecordFeedCounts, RecordFeedOptions } from './feed/record-feed.js';
export { followFiles } from './ingest/follow-files.js';
export type { FileFollower, FollowOptions, FollowStatistics, SourceProgressState } from './ingest/follow-files.js';
export type { FollowNotice } from './ingest/follow-turn.js';
export { accDatabaseRow } from './ingest/formats/kamailio-row.js';
export { importFiles } from './ingest/import-files.js';
export type { ImportOptions, ImportProgress, ImportReport } from './ingest/import-files.js';
export { listenToSource } from './ingest/listen-source.js';
export type { SourceListenOptions } from './ingest/listen-source.js';
export type { DamagedMember, FileFacts, FollowedFile, FollowedFiles } from './ingest/readable-files.js';
export type {
  RecordReader,
  RejectReason,
  RowReading,
  SourceDescription,
  SourceRow,
  RowFraming,
} from './ingest/record-reader.js';
export { openRejectFile, readRejects } from './ingest/rejects.js';
export type { RejectedRow, RejectFile, RejectFileOptions, RejectSink } from './ingest/rejects.js';
export type { IntakeCounts, RowCoverageOptions } from './ingest/row-intake.js';
export { createSourceReader, readSourceConfiguration } from './ingest/source-configuration.js';
export type { FileSourceConfiguration, HepConfiguration, SourceConfiguration } from './ingest/source-configuration.js';
export type { IntakeSourceNotice, IntakeSourceState, Pushed } from './intake/intake-source.js';
export { openRecordIntake } from './intake/open-record-intake.js';
export type {
  IntakeNotice,
  IntakePlatform,
  IntakeState,
  RecordIntake,
  RecordIntakeOptions,
} from './intake/open-record-intake.js';
export { rawEvidence } from './raw-evidence.js';
export type { RawEvidence } from './raw-evidence.js';
export { recordIdOf, sourceSha256 } from './record-id.js';
export type {
  MemberExplanation,
  MemberRule,
  MemberTreatment,
  MemberNode,
  MemberLeaf,
  MemberObject,
  MemberParty,
} from './redaction/member-tree.js';
export { explainSharing, shareRecord } from './redaction/share-record.js';
export type { SharingDecision, SharingExplanation, SharingOutcome } from './redaction/share-record.js';
export {
  createSharingPolicy,
  DEFAULT_SHARING_POLICY,
  readSharingPolicy,
  SHARING_LEVELS,
} from './redaction/sharing-policy.js';
export type {
  SharingLevel,
  SharingPolicy,
  SharingPolicyData,
  SharingPolicyOptions,
  SendingLevel,
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
  RecordQuery,
  RecordStore,
  StoreScope,
  StoreStatistics,
  TimeWindow,
} from './store/record-store.js';
export { openSharedRecordStore } from './store/shared-record-store.js';
export type { SharedRecordStore } from './store/shared-record-store.js';
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
  RecordStreamOptions,
} from './stream/record-stream.js';
export type { BreakerState, StreamClock, StreamPolicy, StreamStatus } from './stream/stream-policy.js';
export { DEFAULT_SUSPICION_POLICY, explainSuspicion } from './suspicion/suspicion-policy.js';
export type { SuspicionLists, SuspicionPolicy } from './suspicion/suspicion-policy.js';
export { createSuspicionTracker } from './suspicion/suspicion-tracker.js';
export type {
  SavedSuspicionTracker,
  SuspicionTracker,
  SuspicionTrackerOptions,
  SuspicionTrackerState,
  SavedTable,
  SavedGroup,
  RecentCallsState,
  DiallingRowsState,
  SuspicionMemory,
} from './suspicion/suspicion-tracker.js';
export type { NotJudgedReason, Suspicion, SuspicionSignal, SuspicionSignalName } from './suspicion/suspicion.js';
export type { DatabaseValue } from './ingest/formats/kamailio-row.js';
export { REJECT_REASONS } from './ingest/record-reader.js';
export { MEMBER_RULES } from './redaction/member-tree.js';
export type { Pseudonyms, PseudonymOptions, PseudonymDomain } from './redaction/pseudonyms.js';
export type { NumberCountsState, PackedCounts } from './suspicion/call-counts.js';
export { SUSPICION_SIGNALS, NOT_JUDGED_REASONS } from './suspicion/suspicion.js';
export type { Compress } from './stream/record-chunk.js';
export { DOMAINS } from './redaction/pseudonyms.js';
