export type { RowsOfAll, RememberedVersion, VersionedMemory } from './transact.js';
export {
  compiledOnce,
  jsonbText,
  storableText,
  isAmong,
  flushWrites,
  writeLater,
  countChanges,
  createVersionedMemory,
  holdVersions,
  together,
} from './transact.js';
export type { Actor } from './area-work.js';
export { Acting, actorOf, iso, KeyedTable, pageAnswer, PLATFORM_ACTOR, readPage, wrongCursor } from './area-work.js';
export { isConnectionLost } from './connection-pool.js';
export type { EventsRead, StoredEvent } from './event-feed.js';
export { EventFeed } from './event-feed.js';
export type { RetentionClass } from './jobs.js';
export {
  forgetFailure,
  ITEM_ATTEMPTS,
  LONGEST_WAIT_MS,
  noteFailure,
  workThrough,
  startJobRunner,
  EVENTS_KEPT_MS,
  eventsRetentionJob,
  removeOverdue,
} from './jobs.js';
export type { EncryptionKey, KeyRing, OpeningReason } from './sealed-values.js';
export {
  createKeyRing,
  openKeyRing,
  readKeyRing,
  isSealedData,
  isUnreadable,
  openJson,
  readableJson,
  sealJson,
  keptSecret,
  writeSecretFile,
} from './sealed-values.js';
export { migratePlatform, NOT_ARCHIVED, statements } from './migrate.js';
export type { DatabasePlace, OpenedDatabase, Presence, Leadership } from './open-database.js';
export { createDatabaseTemplate, isThere, namesIn, openPlatformDatabase, createPresence } from './open-database.js';
export type { CountedPlatformContext } from './platform-context.js';
export { createPlatformContext, createPlatformLog, SILENT_LOG, withoutNumbers } from './platform-context.js';
export { startReactionRunner } from './reaction-runner.js';
export { AuditLog } from './audit-log.js';
export type { AuditEntryState, AuditSegment } from './audit-segments.js';
export type { AuditRow } from './audit-rows.js';
export { verifyAudit } from './verify-audit.js';
export type { AuditFinding, AuditVerification } from './verify-audit.js';
export type { ArchiveProgress, ArchivedFile, ArchivedTable, ArchiveManifest } from './backup.js';
export { backupPlatform } from './backup.js';
export { restorePlatform } from './restore.js';
