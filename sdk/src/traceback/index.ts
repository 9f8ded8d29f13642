/**
 * Tracebacks: a request becomes an answer.
 * @packageDocumentation
 */
export type { ContactDetails, ProviderReference } from '../contract/common.js';
export { FINDING_ARMS, TracebackAnswer, TracebackRequest } from '../contract/traceback-exchange.js';
export type {
  AnsweredCall,
  Answerer,
  CustomerAction,
  CustomerStatement,
  EvidenceReference,
  FindingArm,
  RequestedCall,
  RequestedCampaign,
  Requester,
  RequesterKind,
  SearchStatement,
  StatedTime,
  TimePrecision,
  TracebackFinding,
} from '../contract/traceback-exchange.js';
export type * from './match-outcome.js';
export type * from './trunk-directory.js';

// The trunk directory.
export {
  HANDOVER_MARGIN_SECONDS,
  MAX_KNOWN_PROVIDERS,
  MAX_PROVIDER_NAMES,
  MAX_TRUNK_ENTRIES,
} from './directory/provider-identity.js';
export { comparableBusinessName, compareProviders } from '../contract/same-provider.js';
export type { ProviderComparison } from '../contract/same-provider.js';
export {
  MAX_DIRECTORY_PROBLEMS,
  MAX_TRUNK_CSV_CHARS,
  MAX_TRUNK_CSV_FAULTS,
  TRUNK_CSV_COLUMNS,
  checkTrunkDirectory,
  readTrunkCsv,
  readTrunkDirectory,
} from './directory/read-trunk-directory.js';
export type {
  TrunkCsvColumn,
  TrunkCsvFault,
  TrunkCsvReading,
  TrunkDirectoryProblem,
} from './directory/read-trunk-directory.js';
export type { KnownProvider, TrunkDirectoryData, TrunkEntry } from './directory/provider-identity.js';
export { createTrunkDirectory } from './directory/trunk-directory.js';
export type { ExplainingTrunkDirectory, TrunkKey, TrunkLookUp, UnknownTrunk } from './directory/trunk-directory.js';

// What is answered without a person.
export { decideTraceback, tryTracebackPolicy } from './policy/decide-traceback.js';
export { DEFAULT_TRACEBACK_POLICY } from './policy/traceback-policy.js';
export type {
  AnswerDetailPolicy,
  AnswerDraft,
  AutomaticArm,
  AutomaticPolicy,
  CustomerEntry,
  CustomerPolicy,
  HoldState,
  PolicyDecision,
  PolicyDirectory,
  PolicyInput,
  PolicyTrace,
  ReviewReason,
  ReviewTopic,
  RuleResult,
  TracebackPolicyData,
} from './policy/traceback-policy.js';
export { readTracebackPolicy } from './policy/read-traceback-policy.js';
export type { PastRequest, PolicyTrial, PolicyTrialCase } from './policy/decide-traceback.js';

// What a person sees, and decides.
export { answerOfDecision } from './review/answer-of-decision.js';
export type { DecisionContext, DecisionOutcome, DecisionProblem } from './review/answer-of-decision.js';
export { findingText } from './review/review-view.js';
export type {
  AllowedAction,
  AllowedArm,
  CandidateView,
  ComparedValue,
  ComparisonRow,
  DeadlineView,
  GivenAnswer,
  GivenAnswerView,
  ReviewSubject,
  ReviewView,
  ViewFact,
  ViewWarning,
} from './review/review-view.js';
export { readReviewDecision } from './review/review-decision.js';
export type { ReviewDecision, ReviewDecisionReading } from './review/review-decision.js';
export { CLOSE_DEADLINE_SECONDS, MAX_SHOWN_CANDIDATES, reviewOf } from './review/review-of.js';
export type { ReviewOptions } from './review/review-of.js';
// Deadlines of requests and notices.
export {
  DEADLINE_QUESTIONS,
  FIRST_HOLIDAY_YEAR,
  LAST_HOLIDAY_YEAR,
  MAX_OTHER_HOLIDAYS,
  NOTICE_REPORT_QUESTION,
  deadlinePolicy,
  federalHolidays,
} from './deadline/deadline-policy.js';
export type {
  CalendarDate,
  ClosedDay,
  DeadlinePolicy,
  DeadlineQuestion,
  DeadlineQuestionText,
  DeadlineReadings,
  FederalHoliday,
  FederalHolidayId,
  FederalHolidayOptions,
  NoticeReportReading,
  OtherHoliday,
} from './deadline/deadline-policy.js';
export type { DeadlineRefusal, OfficeTime, ReceiptTime, RespondingOffice } from './deadline/office-clock.js';
export { noticeDeadlines, tracebackDeadline } from './deadline/traceback-deadline.js';
export type {
  ComputedDeadline,
  ComputedNoticeDeadlines,
  DeadlineReading,
  NoticeDeadlines,
  NoticeOffice,
  TracebackDeadline,
} from './deadline/traceback-deadline.js';
export { MAX_LEG_LOOKUPS, findMatch, matchCall } from './match/match-call.js';
export type { FindMatchOptions, MatchInput, SearchedRecords } from './match/match-call.js';
export {
  CLOCK_ALLOWANCE_MS,
  LONGEST_LAG_MS,
  MATCH_WEIGHTS,
  MAX_MATCH_CANDIDATES,
  WIDEN_MS,
} from './match/match-options.js';
export type { FieldWeights, MatchField, MatchOptions } from './match/match-options.js';
export { MATCH_LOOKUP_LIMIT, planSearch } from './match/plan-search.js';
export type { SearchPlan, StatedNumber, StatedTimeReading } from './match/plan-search.js';

// The responder.
export { answerSha256, createLocalAnswerSigner, createReceiptVerifier, signAnswer } from './responder/answer-signer.js';
export type {
  AnswerSigner,
  LocalAnswerSignerOptions,
  ReceiptReading,
  VerifyReceipt,
} from './responder/answer-signer.js';
export {
  createCarrierResponder,
  createClientAnswerTransport,
  officeDeadline,
  storeKnowledge,
} from './responder/carrier-responder.js';
export type {
  CarrierEvidence,
  CarrierPlatform,
  CarrierRequestParts,
  CarrierResponder,
  CarrierResponderOptions,
  StoreKnowledge,
} from './responder/carrier-responder.js';
export { decisionResult, postDecision, waitingDecisions, withdrawDecision } from './responder/decision-inbox.js';
export type { InboxResult } from './responder/decision-inbox.js';
export { ENTRY_BYTES, readResponder } from './responder/entry-journal.js';
export { DEFAULT_ESCALATIONS, MAX_ESCALATIONS, stateOfEntry } from './responder/responder-contract.js';
export type {
  AnswerDeadline,
  AnswerDelivery,
  AnswerEvidence,
  AnswerToDeliver,
  AnswerTransport,
  DeadlineOf,
  Decided,
  EntryDelivery,
  EntryState,
  EntrySummary,
  EscalationStep,
  EvidenceFiling,
  FindMatch,
  Histogram,
  NoticePart,
  Notify,
  PendingAnswer,
  ProblemKind,
  ResponderEntry,
  ResponderEvent,
  ResponderLimits,
  ResponderProblem,
  ResponderStatistics,
  SetBack,
  SignedEntry,
  StandingRequests,
  Submission,
  Submitted,
  TracebackResponder,
  TracebackResponderOptions,
  TrackedNotice,
  WriteEvidence,
} from './responder/responder-contract.js';
export { createTracebackResponder, DEFAULT_RESPONDER_LIMITS } from './responder/responder.js';

export type { ResponderSnapshot } from './responder/entry-journal.js';
export { pastRequestOf, subjectOfEntry } from './responder/responder-core.js';

// All of it put together.

// Evidence of answers.
export { canonicalJson, EVIDENCE_RECORDS, EVIDENCE_REQUEST_BYTES } from './evidence/evidence-manifest.js';
export type {
  AnswerPosition,
  ClockStatement,
  DecisionInput,
  DecisionStep,
  DecisionTrace,
  EvidenceEntry,
  EvidenceFile,
  EvidenceFileEntry,
  EvidenceManifest,
  EvidenceMaterial,
  EvidencePack,
  EvidenceSigner,
  EvidenceWriter,
  EvidencedRecord,
  ExportStatement,
  ReceivedRequest,
  RecordPractice,
  SignedAnswer,
} from './evidence/evidence-manifest.js';
export { certificateText } from './evidence/custodian-certificate.js';
export type { CertificateParts } from './evidence/custodian-certificate.js';
export { createEvidenceWriter } from './evidence/evidence-writer.js';
export type { EvidenceWriterOptions } from './evidence/evidence-writer.js';
export { listEvidence, openEvidenceStore, readEvidencePack, verifyEvidenceStore } from './evidence/evidence-store.js';
export type {
  EvidenceListing,
  EvidencePackReading,
  EvidenceReadTrust,
  EvidenceStore,
  EvidenceStoreOptions,
  EvidenceStoreTrust,
  EvidenceStoreVerification,
  LoggedFinding,
  LoggedNote,
  LoggedPack,
} from './evidence/evidence-store.js';
export { exportEvidencePack, inclusionProofText, verifyScript } from './evidence/exported-files.js';
export type { ExportFrame, VerifyKeys } from './evidence/exported-files.js';
export { packProofs } from './evidence/pack-store.js';
export type { EvidenceFinding, EvidenceNote, LoggedProof, PackKeys } from './evidence/pack-store.js';
export { verifyEvidencePack } from './evidence/verify-pack.js';
export type { EvidencePackTrust, EvidencePackVerification } from './evidence/verify-pack.js';
export { renderEvidencePdf } from './evidence/evidence-document.js';
export { evidenceVcon } from './evidence/evidence-vcon.js';
export type { EvidenceVcon, VconContent, VconDialog, VconDisposition, VconParty } from './evidence/evidence-vcon.js';

// Requests out of e-mail, text and CSV, and answers as both.
export { INTAKE_FIELDS, readIntakeLabels } from './intake/intake-fields.js';
export type { FieldDescription, FieldForm, IntakeField, IntakeLabels } from './intake/intake-fields.js';
export type { IntakeOptions } from './intake/intake-options.js';
export { REQUESTER_DOMAINS } from './intake/field-values.js';
export { MAX_INTAKE_READINGS, MAX_INTAKE_UNREAD } from './intake/intake-report.js';
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
} from './intake/intake-report.js';
export type { DateOrder } from './intake/time-words.js';
export { MAX_INTAKE_CALLS } from './intake/call-reading.js';
export { readPastedText } from './intake/read-pasted-text.js';
export { MAX_INTAKE_EMAIL_BYTES, readEmail } from './intake/read-email.js';
export type { EmailIntakeOptions } from './intake/read-email.js';
export { MAX_INTAKE_CSV_BYTES, readRequestCsv, readRequestCsvMap } from './intake/read-request-csv.js';
export type { RequestCsvOptions, RequestCsvMap } from './intake/read-request-csv.js';
export { requestText, ACTION_WORDS, FINDING_WORDS, portalFields, answerEmail } from './intake/answer-email.js';
export type { PortalField, AnswerEmail, AnswerEmailOptions, Mailbox } from './intake/answer-email.js';

// The call that is asked about from hop to hop.
export { callDifferences, DISCLOSED_CALL_TOLERANCE_MS, nextAskedCall } from './asked-call.js';
export type { CallDifference } from './asked-call.js';

// The providers that an answer refers to.
export { answerParties, answerPartyFault, mixedReference, mixedReferenceText } from './answer-parties.js';
export type {
  AnswerParty,
  AnswerPartyFault,
  MixedReference,
  ReferenceMeaning,
  ReferencePart,
} from './answer-parties.js';

// The course of a whole traceback.
export { OUTCOMES } from './lifecycle/traceback-outcome.js';
export type { OutcomeText, TracebackDispute, TracebackOutcome } from './lifecycle/traceback-outcome.js';
export type { HopRole, OutcomeKind, HopRequest, TracedHop } from './lifecycle/traced-hop.js';
export type { EventFault, StatementFault } from './lifecycle/statement.js';
export { HOP_TRANSITIONS } from './lifecycle/hop-machine.js';
export type { HopEvent, HopState, HopStep, HopTransition } from './lifecycle/hop-machine.js';
export { MAX_FACTS, MAX_HOPS, MAX_REMINDERS, MAX_STATEMENTS, lifecycleRules } from './lifecycle/traceback-state.js';
export type {
  DisputeRuling,
  FactKind,
  FactOf,
  IdentifiedFact,
  LifecycleRules,
  NotAskableReason,
  ReportFact,
  RequestOccurrence,
  SentFact,
  StatementFact,
  TracebackEvent,
  TracebackEventType,
  TracebackFact,
  TracebackOccurrence,
  TracebackState,
} from './lifecycle/traceback-state.js';
export { pendingEffects, viewTraceback } from './lifecycle/traceback-view.js';
export type {
  EffectOnRequest,
  EscalationReason,
  HopView,
  IdentifiedEffect,
  TracebackEffect,
  TracebackEffectType,
  TracebackStatus,
  TracebackView,
} from './lifecycle/traceback-view.js';
export { readTracebackState } from './lifecycle/read-traceback-state.js';
export type { StateReading } from './lifecycle/read-traceback-state.js';
export { startTraceback, stepTraceback } from './lifecycle/step-traceback.js';
export type { EventRefusal, TracebackStart, TracebackStep, TracebackTransition } from './lifecycle/step-traceback.js';
