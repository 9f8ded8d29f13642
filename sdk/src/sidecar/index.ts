/**
 * Beside a switch: an HTTP service that verifies and signs calls in the dialects that switches speak, keeps itself up to date, and tells how it fares.
 * {@link startSidecar} is what `hopback serve` runs.
 * @packageDocumentation
 */
export type { VerifiedCall } from './http/call-context.js';
export { HTTP_RECORDS_SOURCE, recordIntakeApp } from './intake/record-intake-app.js';
export type { Readiness } from './metrics.js';
export { openTracebackDesk } from './review/review-app.js';
export type { TracebackDesk, TracebackDeskOptions } from './review/review-app.js';
export { openReviewAudit } from './review/review-parts.js';
export type { ReviewAuditEntry } from './review/review-parts.js';
export { accountEntry, readAccounts } from './review/sessions.js';
export type { SidecarNotice } from './services/files.js';
export { startSidecar } from './sidecar.js';
export type { Sidecar, SidecarOptions } from './sidecar.js';
