/**
 * STIR/SHAKEN: verify the Identity headers of a SIP request, and sign them.
 *
 * - **To verify:** {@link createTrustStoreRefresh}, or {@link loadTrustStore} from files, says whom to trust,
 *   {@link createCertificateRepository} fetches certificates, and {@link createVerificationService} gives a {@link CallVerdict}. Of a
 *   request as text, {@link parseSipRequest} and {@link verificationRequestOf} make what it takes; {@link withVerstat} writes the answer
 *   into the call.
 * - **To sign:** {@link createLocalSigner} or {@link createExternalSigner} holds the key, {@link createStaticCertificateSource} or
 *   {@link createFileCertificateSource} the certificate, {@link createAttestationPolicy} the rules, and
 *   {@link createAuthenticationService} signs.
 *
 * What reads what peers send never throws: it answers with a union, and its arms are to be told apart by `status`. Mistakes of
 * the caller, the disk and the platform are a {@link HopbackError} with a `code`.
 *
 * Every example on these pages is a program: all that it names of `@hopback/sdk/stir` and `@hopback/sdk/testing` is imported, the
 * rest is there. A `console.log` says in a comment what it prints. All of them run in the tests.
 * @packageDocumentation
 */
export { HopbackError, isHopbackError } from '../errors.js';
export type { HopbackErrorCode } from '../errors.js';
export { buildCertificatePath } from './certificates/build-path.js';
export { createCertificateRepository } from './certificates/certificate-repository.js';
export type { CertificateRepositoryOptions } from './certificates/repository-state.js';
export type {
  Certificate,
  CertificateChainParseResult,
  CertificateParseFailure,
  CertificateParseResult,
  TnAuthEntry,
} from './certificates/certificate.js';
export { parseCrl } from './certificates/crl.js';
export type { CertificateRevocationList, CrlParseResult, CrlEntry, CrlReason } from './certificates/crl.js';
export { parseCertificate, parseCertificateChain } from './certificates/parse-certificate.js';
export { createTrustStore, loadTrustStore } from './certificates/trust-store.js';
export type { TrustStore, TrustStoreFiles, TrustStoreProblem } from './certificates/trust-store.js';
export type {
  CertificatePath,
  CertificatePathResult,
  PathFailure,
  PathFailureReason,
  PathOptions,
  RevocationStatus,
  RevocationLookup,
} from './certificates/path.js';
export type {
  CertificateCacheExport,
  CertificateLookup,
  CertificateRepository,
  CertificateRepositoryService,
  PreloadReport,
  RepositoryStats,
  X5uFailure,
  X5uRefusal,
} from './certificates/repository.js';
export { createRevocationSet, revocationAt } from './certificates/revocation.js';
export type {
  CrlRefusalReason,
  RefusedCrl,
  RevocationSet,
  RevocationSetOptions,
  TrustedCrl,
} from './certificates/revocation.js';
export type { StiPaListFailureReason } from './certificates/sti-pa-list.js';
export { createTrustStoreRefresh } from './certificates/trust-store-refresh.js';
export type {
  TrustStoreRefreshOptions,
  TrustStoreRefreshOutcome,
  TrustStoreRefreshService,
} from './certificates/trust-store-refresh.js';
export type { X5uAllowList } from './certificates/x5u-url-policy.js';
export type { BoundedFetchOptions, BoundedFetchResult } from './certificates/bounded-fetch.js';
export { createAuthenticationService } from './signing/authentication-service.js';
export type {
  AuthenticationService,
  AuthenticationServiceOptions,
  DiversionRequest,
} from './signing/authentication-service.js';
export type {
  SigningRequest,
  NumberSigningRequest,
  SipSigningRequest,
  SigningRequestBase,
} from './signing/signing-request.js';
export type {
  DiversionOutcome,
  NotSigned,
  RefusedSigning,
  SignatureRecord,
  SignatureRefusal,
  SigningOutcome,
} from './signing/signing-outcome.js';
export type { SigningIdentity } from './signing/signing-session.js';
export {
  CALL_ROLES,
  CALL_SOURCES,
  DEFAULT_ATTESTATION_POLICY,
  NUMBER_OWNERSHIPS,
  createAttestationPolicy,
  decideAttestation,
} from './signing/attestation-policy.js';
export type {
  AttestationDecision,
  AttestationFacts,
  AttestationPolicy,
  AttestationPolicyData,
  AttestationCondition,
  AttestationRule,
  CompleteAttestationFacts,
} from './signing/attestation-policy.js';
export { createExternalSigner, createLocalSigner } from './signing/signer.js';
export type { ExternalSignerOptions, LocalSignerOptions, Signer } from './signing/signer.js';
export type { Schedule, Clock } from '../core/runtime/clock.js';
export { createFileCertificateSource, createStaticCertificateSource } from './signing/certificate-source.js';
export type {
  CertificateSource,
  CredentialRefusal,
  FileCertificateSource,
  FileCertificateSourceOptions,
  SigningCertificate,
  SigningCertificateText,
} from './signing/certificate-source.js';
export { watchCertificateExpiry } from './signing/certificate-alarms.js';
export type { CertificateAlarm, CertificateWatch, CertificateWatchOptions } from './signing/certificate-alarms.js';
export { createVerificationService } from './verification/verification-service.js';
export type { VerificationService, VerificationServiceOptions } from './verification/verification-service.js';
export { checkCertificates, concludeVerification, startVerification } from './verification/core.js';
export type { CertificateKnowledge, PendingVerification } from './verification/core.js';
export { FAILURE_REASONS, NOTE_TEXTS, STEP_NAMES } from './verification/step.js';
export type {
  FailureMeaning,
  FailureReason,
  NoteReason,
  StepException,
  StepName,
  VerificationFailure,
} from './verification/step.js';
export { describeVerdict, explainEvidence } from './verification/explain.js';
export type { ExplainedPassport } from './verification/explain.js';
export { withVerstat } from './verification/outcome.js';
export type { CallVerdict, VerificationOutcome, VerifiedPassport } from './verification/outcome.js';
export { verificationPolicy } from './verification/policy.js';
export type { VerificationPolicy } from './verification/policy.js';
export { createReplayMemory } from './verification/memory.js';
export type { ReplayMemory } from './verification/memory.js';
export { verificationRequestOf } from './verification/request.js';
export type { PartyOptions, VerificationRequest } from './verification/request.js';
export { INLINE_SIGNATURE_CHECKER, createSignaturePool } from './verification/signature-checker.js';
export type { SignatureChecker, SignaturePool } from './verification/signature-checker.js';
export { compactIdentityHeader } from './compact-form.js';
export type { CompactFormResult, CompactFormRefusal } from './compact-form.js';
export { PASSPORT_TYPES } from './passport.js';
export { base } from './passport-types/passport-type.js';
export type { ShakenClaims } from './passport-types/shaken.js';
export type { PassportClaims, PassportParty, PassportType, ClaimProblem } from './passport-types/passport-type.js';
export type { SignatureJob } from './es256.js';
export type { JsonObject, JsonValue } from '../core/json-text.js';
export type {
  Attestation,
  CanonicalTn,
  Spc,
  Verstat,
  NumberingPlan,
  TelephoneNumberResult,
} from '../core/telephone-number.js';
export type { EvidenceException, PassportEvidence, VerdictEvidence } from '../core/verdict-evidence.js';
export { canonicalTelephoneNumber, NORTH_AMERICAN_PLAN } from '../core/telephone-number.js';
export { maskTelephoneNumber } from '../core/text.js';
export { headerValues, parseSipRequest } from '../core/sip-request.js';
export type { SipRequestResult, SipRequestText } from '../core/sip-request.js';
export type { SignatureAlgorithmName } from './certificates/parse-certificate.js';
export type { Conclusion } from './verification/verdict.js';
export type { PassportSyntaxReason } from './passport.js';
export { CRL_REASONS } from './certificates/crl.js';
export type { JsonFailure } from '../core/json-text.js';
