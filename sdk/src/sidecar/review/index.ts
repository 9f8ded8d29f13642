export { accountEntry, MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS, readAccounts } from './account-file.js';
export type { Account, Accounts } from './account-file.js';
export { openTracebackDesk } from './open-traceback-desk.js';
export type { TracebackDesk, TracebackDeskOptions } from './open-traceback-desk.js';
export { reviewApp } from './review-app.js';
export type { ReviewAppOptions } from './review-app.js';
export { openReviewAudit } from './review-audit.js';
export type { ReviewAudit, ReviewAuditEntry, ReviewAuditFile } from './review-audit.js';
export { SESSION_IDLE_MS, SESSION_MAX_MS } from './sessions.js';
