export { INTAKE_FIELDS, readIntakeLabels } from './intake-fields.js';
export type { FieldDescription, FieldForm, IntakeField, IntakeLabels } from './intake-fields.js';
export type { IntakeOptions } from './intake-options.js';
export { REQUESTER_DOMAINS } from './field-values.js';
export { MAX_INTAKE_READINGS, MAX_INTAKE_UNREAD } from './intake-report.js';
export type {
  AssumedField,
  DoubtKind,
  IntakeAttachment,
  IntakeCall,
  IntakeDoubt,
  IntakePlace,
  IntakeReport,
  IntakeRequest,
  ReadField,
  ReceivedEmail,
  UnreadField,
  UnreadReason,
} from './intake-report.js';
export type { DateOrder } from './time-words.js';
export { MAX_INTAKE_CALLS } from './call-reading.js';
export { readPastedText } from './read-pasted-text.js';
export { MAX_INTAKE_EMAIL_BYTES, readEmail } from './read-email.js';
export type { EmailIntakeOptions } from './read-email.js';
export { MAX_INTAKE_CSV_BYTES, readRequestCsv, readRequestCsvMap } from './read-request-csv.js';
export type { RequestCsvOptions, RequestCsvMap } from './read-request-csv.js';
export { requestText, ACTION_WORDS, FINDING_WORDS, portalFields, answerEmail } from './answer-email.js';
export type { PortalField, AnswerEmail, AnswerEmailOptions, Mailbox } from './answer-email.js';
