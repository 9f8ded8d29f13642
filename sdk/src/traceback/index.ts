/**
 * Tracebacks: a request becomes an answer.
 * @packageDocumentation
 */
export type { ContactDetails, ProviderReference } from '../contract/common.js';
export { TracebackAnswer, TracebackRequest, EvidenceReference } from '../contract/traceback-exchange.js';
export type {
  AnsweredCall,
  CustomerStatement,
  FindingArm,
  RequestedCall,
  RequestedCampaign,
  Requester,
  StatedTime,
  TracebackFinding,
} from '../contract/traceback-exchange.js';

// The trunk directory.
export { KnownProvider } from './directory/provider-identity.js';
export type { TrunkDirectoryData, TrunkEntry, TrunkParty } from './directory/provider-identity.js';
export { checkTrunkDirectory, readTrunkCsv, readTrunkDirectory } from './directory/read-trunk-directory.js';
export { TrunkDirectory } from './directory/trunk-directory.js';

// The call that is meant.
export type { MatchCandidate, MatchOutcome } from './match-outcome.js';
export { findMatch } from './match/match-call.js';
export type { MatchOptions } from './match/match-options.js';

// What is answered without a person.
export { tryTracebackPolicy } from './policy/decide-traceback.js';
export type { PastRequest } from './policy/decide-traceback.js';
export { DEFAULT_TRACEBACK_POLICY, readTracebackPolicy, TracebackPolicyData } from './policy/traceback-policy.js';
export type { AnswerDraft, PolicyDecision, PolicyInput } from './policy/traceback-policy.js';

// What a person sees, and decides.
export { ReviewDecision } from './review/review-decision.js';
export type { Decided } from './review/review-decision.js';
export type { ReviewView } from './review/review-view.js';

// Deadlines of requests and notices.
export { DEADLINE_QUESTIONS, deadlinePolicy } from './deadline/deadline-policy.js';
export type { ComputedDeadline, DeadlinePolicy } from './deadline/deadline-policy.js';
export type { DeadlineRefusal, RespondingOffice } from './deadline/office-clock.js';
export { noticeDeadlines, tracebackDeadline } from './deadline/traceback-deadline.js';

// The responder.
export { createLocalAnswerSigner, createReceiptVerifier, signAnswer } from './responder/answer-signer.js';
export type { AnswerSigner, LocalAnswerSignerOptions, VerifyReceipt } from './responder/answer-signer.js';
export {
  createCarrierResponder,
  createClientAnswerTransport,
  officeDeadline,
  storeKnowledge,
} from './responder/carrier-responder.js';
export type { CarrierResponderOptions } from './responder/carrier-responder.js';
export type {
  AnswerDelivery,
  AnswerTransport,
  EntryState,
  EntrySummary,
  ResponderEntry,
  ResponderEvent,
  ResponderProblem,
  ResponderStatistics,
  TracebackResponderOptions,
  TrackedNotice,
} from './responder/responder-contract.js';
export { TracebackResponder } from './responder/responder.js';

// Evidence of answers.
export { EvidenceManifest } from './evidence/evidence-manifest.js';
export type { EvidenceMaterial, EvidencePack, RecordPractice } from './evidence/evidence-manifest.js';
export { EvidenceStore } from './evidence/evidence-store.js';
export type { EvidenceStoreOptions } from './evidence/evidence-store.js';
export { listEvidence, readEvidencePack, verifyEvidenceStore } from './evidence/verify-store.js';
export type { EvidencePackReading, EvidenceReadTrust, EvidenceStoreVerification } from './evidence/verify-store.js';
export { exportEvidencePack } from './evidence/exported-files.js';
export type { ExportFrame } from './evidence/exported-files.js';
export type { EvidenceFinding, EvidenceNote, LoggedProof } from './evidence/pack-store.js';
export { verifyEvidencePack } from './evidence/verify-pack.js';
export type { EvidencePackTrust, EvidencePackVerification } from './evidence/verify-pack.js';
export { renderEvidencePdf } from './evidence/evidence-document.js';
export { evidenceVcon } from './evidence/evidence-vcon.js';

// The course of a whole traceback.
export type { LifecycleRules } from './lifecycle/traceback-state.js';
export type { OutcomeKind } from './lifecycle/hop-machine.js';
export type { TracebackEffect } from './lifecycle/traceback-view.js';

// Requests out of e-mail, text and CSV, and answers as both.
export { readIntakeLabels, INTAKE_FIELDS } from './intake/intake-fields.js';
export type { IntakeField } from './intake/intake-fields.js';
export { readRequestCsvMap, RequestCsvMap } from './intake/intake-options.js';
export type { IntakeOptions } from './intake/intake-options.js';
export type { IntakeDoubt, IntakeReport, IntakeRequest } from './intake/intake-report.js';
export { readPastedText } from './intake/read-pasted-text.js';
export { readEmail } from './intake/read-email.js';
export { readRequestCsv } from './intake/read-request-csv.js';
export { answerEmail, portalFields, requestText } from './intake/answer-email.js';
export { HopSide } from '../contract/call-record.js';
export type { SourceNumbers } from '../records/ingest/record-reader.js';
