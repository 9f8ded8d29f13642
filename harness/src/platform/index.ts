/**
 * The reference platform of an industry traceback group: what carriers, applications and agencies build against, and an operator can run.
 * {@link startReferencePlatform} starts the whole of it, with embedded engines where no server is named; {@link startPlatform} one with the areas that
 * are given.
 * @packageDocumentation
 */
export type { AreaParts, PlatformOptions, PluggedArea } from './platform-options.js';
export { FIRST_OPERATOR_CLIENT, startReferencePlatform } from './reference/index.js';
export type {
  PlatformFolders,
  PlatformHome,
  HomeKey,
  ReferencePlatform,
  ReferencePlatformOptions,
  ReferenceSettings,
} from './reference/index.js';
export { startPlatform } from './start-platform.js';
export type { RunningPlatform } from './start-platform.js';
export type * from './core/index.js';
export type {
  ArchivedFile,
  ArchivedTable,
  ArchiveManifest,
  ArchiveProgress,
  AuditFinding,
  AuditVerification,
  DatabasePlace,
  EncryptionKey,
  EventFeed,
  EventsRead,
  KeyRing,
  Leadership,
  OpenedDatabase,
  StoredEvent,
} from './database/index.js';
export type { DemandLimits } from './demands/index.js';
export type { LiveRetention } from './records/index.js';
export type { AddressGuardOptions, ResolveAddresses, WebhookPosterOptions } from './events/index.js';
export type { GaugeName, HistogramName, Labels, MetricName, PlatformMetrics, PlatformTls, Rate } from './http/index.js';
export type { CallerOptions, FirstOperator, TokenDesk, TrustArea } from './trust/index.js';
