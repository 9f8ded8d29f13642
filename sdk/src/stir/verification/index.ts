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
export type { RequestContext, Token } from './token.js';
export { describeVerdict } from './describe-verdict.js';
export { explainEvidence } from './explain.js';
export type { ExplainedPassport, ExplainedStep } from './explain.js';
export { FAILURE_REASON_NAMES, FAILURE_REASONS } from './failure-reasons.js';
export type { FailureMeaning, FailureReason, SipResponse } from './failure-reasons.js';
export type {
  CallVerdict,
  PassportSigner,
  VerificationFailure,
  VerificationOutcome,
  VerifiedPassport,
} from './outcome.js';
export { DEFAULT_VERIFICATION_POLICY, verificationPolicy } from './policy.js';
export type { VerificationPolicy } from './policy.js';
export { formatReasonHeader } from './reason-header.js';
export type { ReasonHeaderOptions } from './reason-header.js';
export { createReplayMemory } from './replay-memory.js';
export type { ReplayMemory, ReplayMemoryOptions, Seen } from './replay-memory.js';
export { canonicalParty, readParties } from './request.js';
export { formatSipDate, readSipDate } from './sip-date.js';
export type { PartyOptions, RequestParties, VerificationRequest } from './request.js';
export { claimedParties } from './claimed-parties.js';
export { verificationRequestOf } from './request-of-sip.js';
export { INLINE_SIGNATURE_CHECKER } from './signature-checker.js';
export type { SignatureChecker } from './signature-checker.js';
export type { NoteReason, StepException, StepName, StepResult, StepSet, Values, VerificationStep } from './step.js';
export { VERIFICATION_STEPS } from './steps.js';
export { createSignaturePool, MAX_JOBS_IN_POOL } from './signature-pool.js';
export type { SignaturePool, SignaturePoolOptions } from './signature-pool.js';
export { withVerstat } from './verstat-parameter.js';
