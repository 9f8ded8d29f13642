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
export { createRecordFeed } from './feed/record-feed.js';
export type { FeedRefusal, RecordFeed, RecordFeedCounts, RecordFeedOptions } from './feed/record-feed.js';
export { createAsteriskCdrReader } from './ingest/formats/asterisk-cdr.js';
export { createAsteriskCelReader } from './ingest/formats/asterisk-cel.js';
export type { AsteriskCelDescription } from './ingest/formats/asterisk-cel.js';
export type { CelColumn, CelEvent } from './ingest/formats/asterisk-cel-event.js';
export { createBroadworksReader } from './ingest/formats/broadworks.js';
export { createColumnsReader } from './ingest/formats/columns.js';
export type { ColumnMap, ColumnMember, ColumnPlace, ColumnsDescription } from './ingest/formats/columns.js';
export {
  csvFields,
  MAX_CSV_FIELD_CHARS,
  MAX_CSV_FIELDS,
  MAX_CSV_ROW_CHARS,
  MAX_WAITING_RAW_BYTES,
} from './ingest/record-reader.js';
export type {
  CsvFault,
  CsvLayout,
  CsvReading,
  RecordReader,
  RejectReason,
  RowFraming,
  RowReading,
  SourceDescription,
  SourceNumbers,
  SourceRow,
  SourceTime,
} from './ingest/record-reader.js';
export { createFreeswitchCsvReader, createFreeswitchJsonReader } from './ingest/formats/freeswitch.js';
export {
  createHepListener,
  HEP_IDLE_TIMEOUT_MS,
  MAX_HEP_CALL_AGE_MS,
  MAX_HEP_CONNECTIONS,
} from './ingest/hep-listener.js';
export type { HepCounters, HepEndpointOptions, HepListener, HepListenerOptions } from './ingest/hep-listener.js';
export { createHepReader, HEP_LINGER_US, MAX_HEP_CALLS } from './ingest/hep-reader.js';
export type { HepReader, HepReaderOptions, HepSource } from './ingest/hep-reader.js';
export { createHopbackNdjsonReader } from './ingest/formats/hopback-ndjson.js';
export { createKamailioAccReader } from './ingest/formats/kamailio-acc.js';
export { USUAL_EXTRA, accDatabaseRow } from './ingest/formats/kamailio-row.js';
export type { AccColumn, AccRole, KamailioAccLayout, DatabaseValue } from './ingest/formats/kamailio-row.js';
export { createLegRecorder, shakenClaims, blockedByStatus, dispositionOfStatus } from './ingest/formats/leg.js';
export type { LegParts, LegSide, LegMessage, LegRecorder, OwnSource, PassportClaims } from './ingest/formats/leg.js';
export { createOracleSbcReader } from './ingest/formats/oracle-sbc.js';
export type { OracleSbcFields } from './ingest/formats/oracle-sbc.js';
export { createRibbonActReader } from './ingest/formats/ribbon-act.js';
export { FOLLOW_BATCH_RECORDS, FOLLOW_POLL_MS, followFiles, STUCK_AFTER_MS } from './ingest/follow-files.js';
export type { FileFollower, FollowOptions, FollowStatistics, SourceProgressState } from './ingest/follow-files.js';
export type { FollowNotice } from './ingest/follow-turn.js';
export type { FileFacts, FollowedFile, FollowedFiles, ReadableFile, DamagedMember } from './ingest/readable-files.js';
export { IMPORT_BATCH_RECORDS, importFiles } from './ingest/import-files.js';
export type { ImportedFile, ImportOptions, ImportProgress, ImportReport } from './ingest/import-files.js';
export { LONGEST_CALL_MS, LONGEST_SILENCE_MS } from './ingest/row-intake.js';
export type { RowCoverageOptions, IntakeCounts } from './ingest/row-intake.js';
export { openRejectFile, readRejects, REJECT_FILE_MAX_BYTES, REJECT_FILES_KEPT } from './ingest/rejects.js';
export type { RejectedRow, RejectSink, RejectFile, RejectFileOptions, RejectStatistics } from './ingest/rejects.js';
export { createRowSplitter, MAX_REJECTED_BYTES, MAX_ROW_BYTES } from './ingest/row-splitter.js';
export type { BrokenRow, FoundRow, RowSplitter, RowSplitterOptions, SplitRow } from './ingest/row-splitter.js';
export { createPendingInserts, MAX_PENDING_INSERTS, PENDING_COMMIT_MS } from './ingest/pending-inserts.js';
export type { PendingInserts, PendingInsertsOptions, PendingInsertsStatistics } from './ingest/pending-inserts.js';
export { rowClock } from './ingest/formats/row-times.js';
export type { RowClock, RowInstant, RowTimeFault, RowTimeReading, TimeLayout } from './ingest/formats/row-times.js';
export { q850CauseOf } from './ingest/sip-call.js';
export { createSourceHepReader, createSourceReader, readSourceConfiguration } from './ingest/source-configuration.js';
export type {
  AsteriskCelConfiguration,
  ColumnsConfiguration,
  FileSource,
  FileSourceConfiguration,
  HepConfiguration,
  HepListening,
  KamailioAccConfiguration,
  OracleSbcConfiguration,
  PlainSourceConfiguration,
  SourceConfiguration,
} from './ingest/source-configuration.js';
export { LISTEN_COMMIT_MS, listenToSource, MAX_LISTEN_PENDING } from './ingest/listen-source.js';
export type { SourceListener, SourceListenOptions, SourceListenStatistics } from './ingest/listen-source.js';
export {
  MAX_PUSHED_REJECTS,
  makeSourceKnown,
  rejectsFile,
  rejectsFolder,
  sourceFileName,
} from './intake/intake-source.js';
export type { IntakeSourceNotice, IntakeSourceState, Pushed, PushedReject } from './intake/intake-source.js';
export { RETENTION_DAYS, openRecordIntake } from './intake/open-record-intake.js';
export type {
  IntakeNotice,
  IntakePlatform,
  IntakeState,
  RecordIntake,
  RecordIntakeOptions,
  SubmittedCounts,
} from './intake/open-record-intake.js';
export {
  DEFAULT_SHARING_POLICY,
  MAX_PSEUDONYM_KEY_BYTES,
  MAX_SHARING_EXCEPTIONS,
  MEMBER_RULES,
  MIN_PSEUDONYM_KEY_BYTES,
  PSEUDONYM_DIGITS,
  SHARING_LEVELS,
  createPseudonyms,
  createSharingPolicy,
} from './redaction/sharing-policy.js';
export type {
  MemberExplanation,
  MemberLeaf,
  MemberNode,
  MemberObject,
  MemberParty,
  MemberPolicy,
  MemberRule,
  MemberTreatment,
  PseudonymDomain,
  PseudonymOptions,
  Pseudonyms,
  SendingLevel,
  SharingException,
  SharingLevel,
  SharingPolicy,
  SharingPolicyData,
  SharingPolicyOptions,
  SharingReason,
} from './redaction/sharing-policy.js';
export { decideSharing, explainSharing, shareRecord } from './redaction/share-record.js';
export type { SharingDecision, SharingExplanation, SharingOutcome } from './redaction/share-record.js';
export { readSharingPolicy } from './redaction/read-sharing-policy.js';
export {
  DEFAULT_QUERY_LIMIT,
  MAX_HELD_RECORDS,
  MAX_QUERY_LIMIT,
  coverageGaps,
  coverageWith,
  coverageWithin,
  coverageWithout,
  matchesQuery,
} from './store/record-store.js';
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
export { openDuckDbRecordStore } from './store/duckdb-record-store.js';
export type { DuckDbRecordStoreOptions } from './store/duckdb-record-store.js';
export { createMemoryRecordStore } from './store/memory-record-store.js';
export type { MemoryRecordStoreOptions } from './store/memory-record-store.js';
export { openSharedRecordStore } from './store/shared-record-store.js';
export type { SharedRecordStore } from './store/shared-record-store.js';
export {
  POSTGRES_CONNECTIONS,
  POSTGRES_MAX_SCANNED_ROWS,
  POSTGRES_STATEMENT_TIMEOUT_MS,
  openPostgresLookup,
} from './store/postgres-lookup.js';
export type { PostgresConnection, PostgresLookupOptions } from './store/postgres-lookup.js';
export type { PostgresColumns, PostgresTable, PostgresTime } from './store/postgres-row.js';
export type { Compress } from './stream/record-chunk.js';
export type { BatchEncoding } from '../contract/record-batch.js';
export { CURSOR_INTERVAL_MS } from './stream/acknowledged-cursor.js';
export { DEFAULT_STREAM_POLICY, streamPolicy, STATUS_INTERVAL_MS } from './stream/stream-policy.js';
export type {
  BreakerState,
  StreamClock,
  DropPolicy,
  StreamPolicy,
  StreamStatus,
  StreamTrouble,
} from './stream/stream-policy.js';
export { ACKNOWLEDGED_KEY, DEAD_LETTERS_KEY, keptSequence } from './stream/dead-letters.js';
export type {
  DeadLetter,
  DeadLetterCause,
  DeadLetterDecision,
  DeadLetterReason,
  DeadLettersSettled,
} from './stream/dead-letters.js';
export type { DurableValues } from './durable-values.js';
export { MACHINE_CLOCK as NODE_STREAM_CLOCK } from '../core/runtime/clock.js';
export type { Backoff } from '../core/runtime/deadline.js';
export { openRecordStream, createRecordStream } from './stream/record-stream.js';
export type {
  OpenRecordStream,
  OpenRecordStreamOptions,
  Drained,
  RecordAcceptance,
  RecordRefusal,
  RecordStream,
  RecordStreamOptions,
} from './stream/record-stream.js';
export type { StreamedRecord } from './stream/packed-spool.js';
export { createJetStreamRecordTransport, DEFAULT_PUBLISH_TIMEOUT_MS } from './stream/jetstream-transport.js';
export type { JetStreamRecordTransportOptions } from './stream/jetstream-transport.js';
export { SUSPICION_SIGNALS, northAmericanNumber, northAmericanPrefix, npaNxxOf } from './suspicion/suspicion.js';
export type {
  InvalidCallingFinding,
  JudgedRecord,
  NorthAmericanKind,
  NorthAmericanReading,
  NotJudgedReason,
  NotJudgedSignal,
  NumberFault,
  Suspicion,
  SuspicionEvidence,
  SuspicionLevel,
  SuspicionSignal,
  SuspicionSignalName,
  SuspicionSubject,
} from './suspicion/suspicion.js';
export {
  DEFAULT_SUSPICION_POLICY,
  MAX_FAN_OUT,
  MAX_SUSPICION_LIMIT,
  describeNotJudged,
  describeSignal,
  explainSuspicion,
} from './suspicion/suspicion-policy.js';
export type { SignalRamp, SuspicionLists, SuspicionPolicy } from './suspicion/suspicion-policy.js';
export { createSuspicionTracker } from './suspicion/suspicion-tracker.js';
export type {
  DiallingRowsState,
  RecentCallsState,
  SavedGroup,
  SavedSuspicionTracker,
  SavedTable,
  SuspicionMemory,
  SuspicionTracker,
  SuspicionTrackerOptions,
  SuspicionTrackerState,
} from './suspicion/suspicion-tracker.js';
export type { NumberCountsState, PackedCounts } from './suspicion/call-counts.js';
