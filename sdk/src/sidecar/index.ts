/**
 * Beside a switch: an HTTP service that verifies and signs calls in the dialects that switches speak, keeps itself up to date, and tells how it fares.
 * {@link startSidecar} is what `hopback serve` runs; {@link readConfiguration} what `hopback config check` does.
 * @packageDocumentation
 */
export { configurationJsonSchema } from './config/configuration.schema.js';
export type * from './config/configuration.js';
export { MAX_CONFIGURATION_CHARS, problemText, readConfiguration, settingOfText } from './config/read-configuration.js';
export type {
  ConfigurationProblem,
  ConfigurationResult,
  ConfigurationSources,
  Setting,
} from './config/read-configuration.js';
export type { VerifiedCall } from './http/call-context.js';
export type { Listener } from './http/listen.js';
export type { AnsweredRequest } from './http/serve-calls.js';
export type { Readiness, SidecarMetrics } from './metrics.js';
export type { OnNotice, SidecarNotice } from './services/files.js';
export { checkFiles, startSidecar } from './sidecar.js';
export type { ReloadOutcome, Sidecar, SidecarOptions } from './sidecar.js';
export { startAdmin } from './admin/start-admin.js';
export type { AdminOptions, AdminProcess } from './admin/start-admin.js';
export {
  MAX_PASSWORD_CHARS,
  MIN_PASSWORD_CHARS,
  SESSION_IDLE_MS,
  SESSION_MAX_MS,
  accountEntry,
  readAccounts,
} from './review/sessions.js';
export type { Account, Accounts } from './review/sessions.js';
export { openTracebackDesk, reviewApp } from './review/review-app.js';
export type { ReviewAppOptions, TracebackDesk, TracebackDeskOptions } from './review/review-app.js';
export { openReviewAudit } from './review/review-parts.js';
export type { ReviewAudit, ReviewAuditEntry, ReviewAuditFile, ReviewProxy } from './review/review-parts.js';
export { DEFAULT_INTAKE_LIMITS, HTTP_RECORDS_SOURCE, recordIntakeApp } from './intake/record-intake-app.js';
export type { IntakeLimits, RecordIntakeAppOptions, RecordsAnswer } from './intake/record-intake-app.js';
