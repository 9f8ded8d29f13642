export { dueAlerts, DEFAULT_RULES, SEVERITIES } from './alert-rules.js';
export type { AlertRule, AlertSubscription, DueAlert } from './alert-rules.js';
export { AREA_CODES, jurisdictionOfNpa } from './area-codes.js';
export { campaignFigures } from './campaign-figures.js';
export type { CampaignFigures } from './campaign-figures.js';
export { caseSheetOf, caseSheetText } from './case-sheet.js';
export type { CaseSheet } from './case-sheet.js';
export { maskedTranscript } from './masked-transcript.js';
