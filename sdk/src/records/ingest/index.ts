export { createAsteriskCdrReader } from './asterisk-cdr.js';
export { createAsteriskCelReader } from './asterisk-cel.js';
export type { AsteriskCelDescription } from './asterisk-cel.js';
export type { CelColumn, CelEvent } from './asterisk-cel-event.js';
export { createBroadworksReader } from './broadworks.js';
export { createColumnsReader } from './columns.js';
export type { ColumnMap, ColumnMember, ColumnPlace, ColumnsDescription } from './columns.js';
export {
  csvFields,
  MAX_CSV_FIELD_CHARS,
  MAX_CSV_FIELDS,
  MAX_CSV_ROW_CHARS,
  MAX_WAITING_RAW_BYTES,
} from './record-reader.js';
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
} from './record-reader.js';
export { createFreeswitchCsvReader, createFreeswitchJsonReader } from './freeswitch.js';
export { createHepListener, HEP_IDLE_TIMEOUT_MS, MAX_HEP_CALL_AGE_MS, MAX_HEP_CONNECTIONS } from './hep-listener.js';
export type { HepCounters, HepEndpointOptions, HepListener, HepListenerOptions } from './hep-listener.js';
export { createHepReader, HEP_LINGER_US, MAX_HEP_CALLS } from './hep-reader.js';
export type { HepReader, HepReaderOptions, HepSource } from './hep-reader.js';
export { createHopbackNdjsonReader } from './hopback-ndjson.js';
export { createKamailioAccReader } from './kamailio-acc.js';
export { USUAL_EXTRA, accDatabaseRow } from './kamailio-row.js';
export type { AccColumn, AccRole, KamailioAccLayout, DatabaseValue } from './kamailio-row.js';
export type { LegParts, LegSide, LegMessage, LegRecorder, OwnSource, PassportClaims } from './leg.js';
export { createLegRecorder, shakenClaims, blockedByStatus, dispositionOfStatus } from './leg.js';
export { createOracleSbcReader } from './oracle-sbc.js';
export type { OracleSbcFields } from './oracle-sbc.js';
export { createRibbonActReader } from './ribbon-act.js';
export { FOLLOW_BATCH_RECORDS, FOLLOW_POLL_MS, followFiles, STUCK_AFTER_MS } from './follow-files.js';
export type { FileFollower, FollowOptions, FollowStatistics, SourceProgressState } from './follow-files.js';
export type { FollowNotice } from './follow-turn.js';
export type { FileFacts, FollowedFile, FollowedFiles, ReadableFile, DamagedMember } from './readable-files.js';
export { IMPORT_BATCH_RECORDS, importFiles } from './import-files.js';
export type { ImportedFile, ImportOptions, ImportProgress, ImportReport } from './import-files.js';
export { LONGEST_CALL_MS, LONGEST_SILENCE_MS } from './row-intake.js';
export type { RowCoverageOptions, IntakeCounts } from './row-intake.js';
export type { RejectedRow, RejectSink, RejectFile, RejectFileOptions, RejectStatistics } from './rejects.js';
export { openRejectFile, readRejects, REJECT_FILE_MAX_BYTES, REJECT_FILES_KEPT } from './rejects.js';
export { createRowSplitter, MAX_REJECTED_BYTES, MAX_ROW_BYTES } from './row-splitter.js';
export type { BrokenRow, FoundRow, RowSplitter, RowSplitterOptions, SplitRow } from './row-splitter.js';
export { createPendingInserts, MAX_PENDING_INSERTS, PENDING_COMMIT_MS } from './pending-inserts.js';
export type { PendingInserts, PendingInsertsOptions, PendingInsertsStatistics } from './pending-inserts.js';
export { rowClock } from './row-times.js';
export type { RowClock, RowInstant, RowTimeFault, RowTimeReading, TimeLayout } from './row-times.js';
export { q850CauseOf } from './sip-call.js';
export { createSourceHepReader, createSourceReader, readSourceConfiguration } from './source-configuration.js';
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
} from './source-configuration.js';
export { LISTEN_COMMIT_MS, listenToSource, MAX_LISTEN_PENDING } from './listen-source.js';
export type { SourceListener, SourceListenOptions, SourceListenStatistics } from './listen-source.js';
