/**
 * Tracebacks: a request becomes an answer.
 * @packageDocumentation
 */
export type * from '../core/traceback-request.js';
export type * from '../core/traceback-request.js';
export { FINDING_ARMS } from '../core/traceback-request.js';
export type * from '../core/traceback-request.js';
export type * from './match-outcome.js';
export type * from './trunk-directory.js';

// The trunk directory.
export { comparableBusinessName } from './directory/business-name.js';
export { checkTrunkDirectory, MAX_DIRECTORY_PROBLEMS } from './directory/check-trunk-directory.js';
export type { TrunkDirectoryProblem } from './directory/check-trunk-directory.js';
export { readTrunkDirectory } from './directory/read-trunk-directory.js';
export { MAX_TRUNK_CSV_CHARS, MAX_TRUNK_CSV_FAULTS, readTrunkCsv, TRUNK_CSV_COLUMNS } from './directory/trunk-csv.js';
export type { TrunkCsvColumn, TrunkCsvFault, TrunkCsvReading } from './directory/trunk-csv.js';
export {
  HANDOVER_MARGIN_SECONDS,
  MAX_KNOWN_PROVIDERS,
  MAX_PROVIDER_NAMES,
  MAX_TRUNK_ENTRIES,
} from './directory/trunk-directory-data.js';
export type { KnownProvider, TrunkDirectoryData, TrunkEntry } from './directory/trunk-directory-data.js';
export { createTrunkDirectory } from './directory/trunk-directory.js';
export type { ExplainingTrunkDirectory, TrunkKey, TrunkLookUp, UnknownTrunk } from './directory/trunk-look-up.js';

// What is answered without a person.
export { decideTraceback } from './policy/decide-traceback.js';
export { DEFAULT_TRACEBACK_POLICY } from './policy/default-policy.js';
export type * from './policy/policy-decision.js';
export type * from './policy/policy-input.js';
export { readTracebackPolicy } from './policy/read-traceback-policy.js';
export type * from './policy/traceback-policy.js';
export { tryTracebackPolicy } from './policy/try-policy.js';
export type { PastRequest, PolicyTrial, PolicyTrialCase } from './policy/try-policy.js';

// What a person sees, and decides.
export { answerOfDecision } from './review/answer-of-decision.js';
export type { DecisionOutcome, DecisionProblem } from './review/answer-of-decision.js';
export type { DecisionContext } from './review/decision-warnings.js';
export { findingText } from './review/finding-text.js';
export { readReviewDecision } from './review/read-review-decision.js';
export type { ReviewDecisionReading } from './review/read-review-decision.js';
export type { ReviewDecision } from './review/review-decision.js';
export { CLOSE_DEADLINE_SECONDS, MAX_SHOWN_CANDIDATES, reviewOf } from './review/review-of.js';
export type { ReviewOptions } from './review/review-of.js';
export type { GivenAnswer, ReviewSubject } from './review/review-subject.js';
export type * from './review/review-view.js';
// Deadlines of requests and notices.
export * from './deadline/index.js';
export * from './match/index.js';

// The responder.
export type { AnswerSigner } from './responder/answer-signer.js';
export { createClientAnswerTransport } from './responder/client-answer-transport.js';
export { answerSha256, signAnswer } from './responder/compact-jws.js';
export { decisionResult, postDecision, waitingDecisions, withdrawDecision } from './responder/decision-inbox.js';
export type { InboxResult } from './responder/decision-inbox.js';
export { ENTRY_BYTES } from './responder/entry-text.js';
export { DEFAULT_ESCALATIONS, MAX_ESCALATIONS } from './responder/escalation.js';
export type { EscalationStep } from './responder/escalation.js';
export { createLocalAnswerSigner } from './responder/local-answer-signer.js';
export type { LocalAnswerSignerOptions } from './responder/local-answer-signer.js';
export type { NoticePart, TrackedNotice } from './responder/notices.js';
export { officeDeadline } from './responder/office-deadline.js';
export type * from './responder/ports.js';
export { createReceiptVerifier } from './responder/receipt-verifier.js';
export type * from './responder/responder-contract.js';
export type {
  EntryDelivery,
  EntryState,
  EntrySummary,
  EvidenceFiling,
  PendingAnswer,
  ResponderEntry,
  SetBack,
  SignedEntry,
} from './responder/responder-entry.js';
export { createTracebackResponder, DEFAULT_RESPONDER_LIMITS } from './responder/responder.js';
export { storeKnowledge } from './responder/store-knowledge.js';
export type { StoreKnowledge } from './responder/store-knowledge.js';

export { readResponder } from './responder/read-responder.js';
export type { ResponderSnapshot } from './responder/read-responder.js';
export { stateOfEntry } from './responder/responder-entry.js';
export { pastRequestOf, subjectOfEntry } from './responder/responder-views.js';

// All of it put together.
export { createCarrierResponder } from './responder/carrier-responder.js';
export type {
  CarrierEvidence,
  CarrierPlatform,
  CarrierRequestParts,
  CarrierResponder,
  CarrierResponderOptions,
} from './responder/carrier-responder.js';

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
