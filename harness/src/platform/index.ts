/**
 * The reference platform of an industry traceback group: what carriers, applications and agencies build against, and an operator can run.
 * {@link startReferencePlatform} starts the whole of it, with embedded engines where no server is named; {@link startPlatform} one with the areas that
 * are given.
 * @packageDocumentation
 */
export type { AreaParts, PlatformOptions, PluggedArea, RunningPlatform } from './start-platform.js';
export { startPlatform } from './start-platform.js';
export { FIRST_OPERATOR_CLIENT, startReferencePlatform } from './reference/reference-platform.js';
export type { PlatformFolders, PlatformHome, HomeKey } from './reference/platform-home.js';
export type { ReferencePlatform, ReferencePlatformOptions } from './reference/reference-platform.js';
export type { ReferenceSettings } from './reference/reference-areas.js';
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
export type { DemandLimits } from './demands/demand-rows.js';
export type { LiveRetention } from './records/create-records-area.js';
export type { AddressGuardOptions, ResolveAddresses, WebhookPosterOptions } from './events/post-webhook.js';
export type { GaugeName, HistogramName, Labels, MetricName, PlatformMetrics } from './http/platform-metrics.js';
export type { PlatformTls } from './http/http-server.js';
export type { Rate } from './http/exchange.js';
export type { CallerOptions } from './trust/token-desk.js';
export type { FirstOperator } from './trust/client-operations.js';
export type { TrustArea } from './trust/trust-area.js';
