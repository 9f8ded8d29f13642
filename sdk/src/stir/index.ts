/**
 * STIR/SHAKEN: verify the Identity headers of a SIP request, and sign them.
 *
 * - **To verify:** {@link TrustStoreRefresh}, or {@link loadTrustStore} from files, says whom to trust,
 *   {@link CertificateRepository} fetches certificates, and {@link VerificationService} gives a {@link CallVerdict}. Of a
 *   request as text, {@link parseSipRequest} and {@link verificationRequestOf} make what it takes; {@link withVerstat} writes the answer
 *   into the call.
 * - **To sign:** {@link createLocalSigner} or {@link createExternalSigner} holds the key, {@link createStaticCertificateSource} or
 *   {@link FileCertificateSource} the certificate, {@link AttestationPolicy} the rules, and {@link AuthenticationService} signs.
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
export { CertificateRepository } from './certificates/certificate-repository.js';
export type { CertificateRepositoryOptions } from './certificates/certificate-repository.js';
export type {
  Certificate,
  CertificateChainParseResult,
  CertificateParseResult,
  TnAuthEntry,
} from './certificates/certificate.js';
export { parseCrl } from './certificates/crl.js';
export type { CertificateRevocationList, CrlEntry, CrlParseResult } from './certificates/crl.js';
export { parseCertificate, parseCertificateChain } from './certificates/parse-certificate.js';
export { createTrustStore, loadTrustStore } from './certificates/trust-store.js';
export type { TrustStore, TrustStoreFiles, TrustStoreProblem } from './certificates/trust-store.js';
export type {
  CertificatePath,
  CertificatePathResult,
  PathFailure,
  PathOptions,
  RevocationStatus,
} from './certificates/path.js';
export type {
  CertificateCacheExport,
  CertificateLookup,
  RepositoryStats,
  X5uFailure,
  X5uRefusal,
} from './certificates/repository.js';
export { createRevocationSet } from './certificates/revocation.js';
export type { RefusedCrl, RevocationSet, RevocationSetOptions, TrustedCrl } from './certificates/revocation.js';
export type { StiPaListFailureReason } from './certificates/sti-pa-list.js';
export { TrustStoreRefresh } from './certificates/trust-store-refresh.js';
export type {
  TrustStoreRefreshOptions,
  TrustStoreRefreshOutcome,
  TrustStoreStartOptions,
} from './certificates/trust-store-refresh.js';
export type { X5uAllowList } from './certificates/x5u-url-policy.js';
export type { BoundedFetchOptions, BoundedFetchResult } from './certificates/bounded-fetch.js';
export { AuthenticationService } from './signing/authentication-service.js';
export type { DiversionRequest } from './signing/authentication-service.js';
export type { SigningRequest } from './signing/signing-request.js';
export type {
  DiversionOutcome,
  NotSigned,
  RefusedSigning,
  SignatureRecord,
  SignatureRefusal,
  SigningOutcome,
} from './signing/signing-outcome.js';
export type { AuthenticationServiceOptions } from './signing/signing-session.js';
export { AttestationPolicy, DEFAULT_ATTESTATION_POLICY } from './signing/attestation-policy.js';
export type {
  AttestationDecision,
  AttestationFacts,
  AttestationPolicyData,
  AttestationRule,
} from './signing/attestation-policy.js';
export { createExternalSigner, createLocalSigner } from './signing/signer.js';
export type { ExternalSignerOptions, LocalSignerOptions, Signer } from './signing/signer.js';
export type { Clock } from '../core/runtime/clock.js';
export { FileCertificateSource, createStaticCertificateSource } from './signing/certificate-source.js';
export type {
  CertificateSource,
  CredentialRefusal,
  FileCertificateSourceOptions,
  SigningCertificate,
  SigningCertificateText,
} from './signing/certificate-source.js';
export { CertificateWatch } from './signing/certificate-alarms.js';
export type { CertificateAlarm, CertificateWatchOptions } from './signing/certificate-alarms.js';
export { VerificationService } from './verification/verification-service.js';
export type { VerificationServiceOptions } from './verification/verification-service.js';
export { checkCertificates, concludeVerification, startVerification } from './verification/core.js';
export type { PendingVerification } from './verification/core.js';
export { FAILURE_REASONS, NOTE_TEXTS, STEP_NAMES } from './verification/step.js';
export type { FailureMeaning, FailureReason, StepException, VerificationFailure } from './verification/step.js';
export { describeVerdict, explainEvidence } from './verification/explain.js';
export type { ExplainedPassport } from './verification/explain.js';
export { withVerstat } from './verification/outcome.js';
export type { CallVerdict, VerificationOutcome, VerifiedPassport } from './verification/outcome.js';
export { verificationPolicy } from './verification/policy.js';
export type { VerificationPolicy } from './verification/policy.js';
export { ReplayMemory } from './verification/memory.js';
export { verificationRequestOf } from './verification/request.js';
export type { PartyOptions, VerificationRequest } from './verification/request.js';
export { INLINE_SIGNATURE_CHECKER, SignaturePool } from './verification/signature-checker.js';
export type { SignatureChecker } from './verification/signature-checker.js';
export { compactIdentityHeader } from './compact-form.js';
export type { CompactFormResult } from './compact-form.js';
export { PASSPORT_TYPES } from './passport.js';
export { base } from './passport-types/passport-type.js';
export type { ShakenClaims } from './passport-types/shaken.js';
export type { PassportClaims, PassportParty, PassportType } from './passport-types/passport-type.js';
export type { SignatureJob } from './es256.js';
export type { JsonObject, JsonValue } from '../core/json-text.js';
export type { Attestation, Spc, Verstat, NumberingPlan, TelephoneNumberResult } from '../core/telephone-number.js';
export type { PassportEvidence, VerdictEvidence } from '../core/verdict-evidence.js';
export { canonicalTelephoneNumber, NORTH_AMERICAN_PLAN } from '../core/telephone-number.js';
export { maskTelephoneNumber } from '../core/text.js';
export { headerValues, parseSipRequest } from '../core/sip-request.js';
export type { SipRequestResult, SipRequestText } from '../core/sip-request.js';
export type { Conclusion } from './verification/verdict.js';
