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
export type { TrunkDirectory, TrunkParty } from './trunk-directory.js';
export { KnownProvider } from './directory/provider-identity.js';
export type { TrunkDirectoryData, TrunkEntry } from './directory/provider-identity.js';
export { checkTrunkDirectory, readTrunkCsv, readTrunkDirectory } from './directory/read-trunk-directory.js';
export type { TrunkCsvReading, TrunkDirectoryProblem } from './directory/read-trunk-directory.js';
export { createTrunkDirectory } from './directory/trunk-directory.js';
export type { ExplainingTrunkDirectory, TrunkLookUp } from './directory/trunk-directory.js';

// The call that is meant.
export type { MatchCandidate, MatchOutcome, MatchSearch } from './match-outcome.js';
export { findMatch } from './match/match-call.js';
export type { MatchOptions } from './match/match-options.js';

// What is answered without a person.
export { tryTracebackPolicy } from './policy/decide-traceback.js';
export type { PastRequest, PolicyTrial } from './policy/decide-traceback.js';
export { DEFAULT_TRACEBACK_POLICY, readTracebackPolicy, TracebackPolicyData } from './policy/traceback-policy.js';
export type { AnswerDraft, PolicyDecision, PolicyInput, PolicyTrace, ReviewTopic } from './policy/traceback-policy.js';

// What a person sees, and decides.
export { ReviewDecision } from './review/review-decision.js';
export type { ReviewView, ViewWarning } from './review/review-view.js';
export type { DecisionProblem } from './review/answer-of-decision.js';

// Deadlines of requests and notices.
export { DEADLINE_QUESTIONS, deadlinePolicy } from './deadline/deadline-policy.js';
export type { ClosedDay, DeadlinePolicy, DeadlineReadings } from './deadline/deadline-policy.js';
export type { DeadlineRefusal, OfficeTime, ReceiptTime, RespondingOffice } from './deadline/office-clock.js';
export { noticeDeadlines, tracebackDeadline } from './deadline/traceback-deadline.js';
export type { ComputedDeadline, NoticeDeadlines } from './deadline/traceback-deadline.js';

// The responder.
export { createLocalAnswerSigner, createReceiptVerifier, signAnswer } from './responder/answer-signer.js';
export type { AnswerSigner, LocalAnswerSignerOptions, VerifyReceipt } from './responder/answer-signer.js';
export {
  createCarrierResponder,
  createClientAnswerTransport,
  officeDeadline,
  storeKnowledge,
} from './responder/carrier-responder.js';
export type { CarrierResponder, CarrierResponderOptions } from './responder/carrier-responder.js';
export type {
  AnswerDelivery,
  AnswerTransport,
  Decided,
  EntryState,
  EntrySummary,
  EscalationStep,
  ResponderEntry,
  ResponderEvent,
  ResponderLimits,
  ResponderProblem,
  ResponderStatistics,
  StandingRequests,
  TracebackResponder,
  TracebackResponderOptions,
  TrackedNotice,
} from './responder/responder-contract.js';
export { createTracebackResponder } from './responder/responder.js';

// Evidence of answers.
export { EvidenceManifest } from './evidence/evidence-manifest.js';
export type {
  ClockStatement,
  EvidenceFile,
  EvidenceMaterial,
  EvidencePack,
  EvidenceWriter,
  RecordPractice,
} from './evidence/evidence-manifest.js';
export type { EvidenceWriterOptions } from './evidence/evidence-writer.js';
export { listEvidence, openEvidenceStore, readEvidencePack, verifyEvidenceStore } from './evidence/evidence-store.js';
export type {
  EvidenceListing,
  EvidencePackReading,
  EvidenceReadTrust,
  EvidenceStore,
  EvidenceStoreOptions,
  EvidenceStoreVerification,
} from './evidence/evidence-store.js';
export { exportEvidencePack } from './evidence/exported-files.js';
export type { ExportFrame } from './evidence/exported-files.js';
export type { EvidenceFinding, EvidenceNote, LoggedProof } from './evidence/pack-store.js';
export { verifyEvidencePack } from './evidence/verify-pack.js';
export type { EvidencePackTrust, EvidencePackVerification } from './evidence/verify-pack.js';
export { renderEvidencePdf } from './evidence/evidence-document.js';
export { evidenceVcon } from './evidence/evidence-vcon.js';
export type { EvidenceVcon } from './evidence/evidence-vcon.js';

// The course of a whole traceback.
export { lifecycleRules } from './lifecycle/traceback-state.js';
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
export { MAX_INTAKE_EMAIL_BYTES, readEmail } from './intake/read-email.js';
export { readRequestCsv } from './intake/read-request-csv.js';
export { answerEmail, portalFields, requestText } from './intake/answer-email.js';
export { HopSide } from '../contract/call-record.js';
export type { SourceNumbers } from '../records/ingest/record-reader.js';
