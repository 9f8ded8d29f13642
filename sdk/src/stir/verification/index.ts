export { createVerificationService, DEFAULT_TIME_BUDGET_MS } from './verification-service.js';
export type { VerificationService, VerificationServiceOptions, VerifyOptions } from './verification-service.js';
export { checkCertificates, concludeVerification, MAX_IDENTITY_HEADERS, startVerification } from './core.js';
export type {
  CertificateKnowledge,
  Conclusion,
  PendingVerification,
  TokenSignatureJob,
  VerificationCoreOptions,
} from './core.js';
export { FAILURE_REASONS, FAILURE_REASON_NAMES } from './step.js';
export type {
  FailureMeaning,
  FailureReason,
  NoteReason,
  RequestContext,
  SipResponse,
  StepException,
  StepName,
  StepResult,
  StepSet,
  Token,
  Values,
  VerificationStep,
} from './step.js';
export { describeVerdict, explainEvidence } from './explain.js';
export type { ExplainedPassport, ExplainedStep } from './explain.js';
export { formatReasonHeader, withVerstat } from './outcome.js';
export type {
  CallVerdict,
  PassportSigner,
  ReasonHeaderOptions,
  VerificationFailure,
  VerificationOutcome,
  VerifiedPassport,
} from './outcome.js';
export { DEFAULT_VERIFICATION_POLICY, verificationPolicy } from './policy.js';
export type { VerificationPolicy } from './policy.js';
export { createReplayMemory } from './memory.js';
export type { ReplayMemory, ReplayMemoryOptions, Seen } from './memory.js';
export {
  canonicalParty,
  claimedParties,
  formatSipDate,
  readParties,
  readSipDate,
  verificationRequestOf,
} from './request.js';
export type { PartyOptions, RequestParties, VerificationRequest } from './request.js';
export { INLINE_SIGNATURE_CHECKER, MAX_JOBS_IN_POOL, createSignaturePool } from './signature-checker.js';
export type { SignatureChecker, SignaturePool, SignaturePoolOptions } from './signature-checker.js';
export { VERIFICATION_STEPS } from './steps.js';
