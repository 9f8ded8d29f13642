/**
 * Beside a switch: an HTTP service that verifies and signs calls in the dialects that switches speak, keeps itself up to date, and tells how it fares.
 * {@link Sidecar.start} is what `hopback serve` runs.
 * @packageDocumentation
 */
export type { VerifiedCall } from './http/call-context.js';
export { HTTP_RECORDS_SOURCE, recordIntakeApp } from './intake/record-intake-app.js';
export type { Readiness } from './metrics.js';
export { TracebackDesk } from './review/review-app.js';
export type { TracebackDeskOptions } from './review/review-app.js';
export { ReviewAudit } from './review/review-parts.js';
export type { ReviewAuditEntry } from './review/review-parts.js';
export { accountEntry, readAccounts } from './review/sessions.js';
export type { SidecarNotice } from './services/files.js';
export { Sidecar } from './sidecar.js';
export type { SidecarOptions } from './sidecar.js';
