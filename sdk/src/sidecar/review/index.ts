export {
  MAX_PASSWORD_CHARS,
  MIN_PASSWORD_CHARS,
  SESSION_IDLE_MS,
  SESSION_MAX_MS,
  accountEntry,
  readAccounts,
} from './sessions.js';
export type { Account, Accounts } from './sessions.js';
export { openTracebackDesk, reviewApp } from './review-app.js';
export type { ReviewAppOptions, TracebackDesk, TracebackDeskOptions } from './review-app.js';
export { openReviewAudit } from './review-parts.js';
export type { ReviewAudit, ReviewAuditEntry, ReviewAuditFile, ReviewProxy } from './review-parts.js';
