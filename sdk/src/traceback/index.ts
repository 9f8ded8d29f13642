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
export * from './deadline/index.js';
export * from './match/index.js';

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
export * from './evidence/index.js';

// Requests out of e-mail, text and CSV, and answers as both.
export * from './intake/index.js';

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
export * from './lifecycle/index.js';
