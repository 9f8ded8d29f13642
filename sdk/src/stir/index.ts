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
export type { HopbackErrorCode, HopbackErrorOptions } from '../errors.js';
export { buildCertificatePath, PATH_MAX_CERTIFICATES, PATH_SEARCH_MAX_STEPS } from './certificates/build-path.js';
export { createCertificateRepository } from './certificates/certificate-repository.js';
export type { CertificateRepositoryOptions } from './certificates/repository-state.js';
export type {
  Certificate,
  CertificateChainParseResult,
  CertificateParseFailure,
  CertificateParseResult,
  CrlDistributionPoint,
  DistinguishedName,
  JwtClaimConstraints,
  TnAuthEntry,
} from './certificates/certificate.js';
export { CRL_MAX_BYTES, parseCrl } from './certificates/crl.js';
export type { CertificateRevocationList, CrlEntry, CrlParseResult, CrlReason, CrlScope } from './certificates/crl.js';
export {
  CERTIFICATE_CHAIN_MAX_BYTES,
  CERTIFICATE_CHAIN_MAX_CERTIFICATES,
  describeCertificate,
  parseCertificate,
  parseCertificateChain,
} from './certificates/parse-certificate.js';
export type { SignatureAlgorithmName } from './certificates/parse-certificate.js';
export { createTrustStore, loadTrustStore } from './certificates/trust-store.js';
export type {
  LoadTrustStoreOptions,
  TrustStore,
  TrustStoreFiles,
  TrustStoreOptions,
  TrustStoreProblem,
  TrustStoreSource,
} from './certificates/trust-store.js';
export type {
  CertificatePath,
  CertificatePathResult,
  PathFailure,
  PathFailureReason,
  PathOptions,
  RevocationLookup,
  RevocationStatus,
} from './certificates/path.js';
export { lintCertificate, PROFILE_EFFECTIVE_MS, PROFILE_RULES, roleOf } from './certificates/profile-lint.js';
export type {
  CertificateRole,
  LintFinding,
  LintOptions,
  ProfileRule,
  ProfileVersion,
} from './certificates/profile-lint.js';
export type {
  CachedChainEnvelope,
  CertificateCacheExport,
  CertificateLookup,
  CertificateRepository,
  CertificateRepositoryService,
  ImportReport,
  PreloadReport,
  RepositoryStats,
  X5uFailure,
  X5uRefusal,
} from './certificates/repository.js';
export { createRevocationSet, REVOCATION_SET_MAX_CRLS, revocationAt } from './certificates/revocation.js';
export type {
  CrlRefusalReason,
  RefusedCrl,
  RevocationSet,
  RevocationSetOptions,
  TrustedCrl,
} from './certificates/revocation.js';
export {
  STI_PA_LIST_MAX_CHARS,
  STI_PA_LIST_MAX_ENTRIES,
  stiPaListSignerUrl,
  verifyStiPaList,
} from './certificates/sti-pa-list.js';
export type {
  StiPaList,
  StiPaListFailureReason,
  StiPaListOptions,
  StiPaListResult,
} from './certificates/sti-pa-list.js';
export { encompasses, tnAuthListCovers, tnAuthListText } from './certificates/tn-auth-list.js';
export { createTrustStoreRefresh, TRUST_STORE_MAX_CRL_URLS } from './certificates/trust-store-refresh.js';
export type {
  TrustStoreRefreshOptions,
  TrustStoreRefreshOutcome,
  TrustStoreRefreshService,
} from './certificates/trust-store-refresh.js';
export type { BoundedFetch } from './certificates/trust-store-renewal.js';
export {
  checkUrlText,
  checkX5uUrl,
  MAX_HOST_LENGTH,
  MAX_LABEL_LENGTH,
  MAX_X5U_LENGTH,
  REFUSED_TOP_LEVEL_LABELS,
  X5U_PORTS,
} from './certificates/x5u-url-policy.js';
export type {
  PermittedUrl,
  UrlTextRules,
  X5uAllowList,
  X5uUrlCheck,
  X5uUrlPolicy,
} from './certificates/x5u-url-policy.js';
export { DEFAULT_FETCH_DEADLINE_MS, fetchBounded } from './certificates/bounded-fetch.js';
export type {
  BoundedFetchOptions,
  BoundedFetchResult,
  CacheValidators,
  ConnectionOptions,
  HostLookup,
  TcpConnect,
} from './certificates/bounded-fetch.js';
export type { ParseChain, RepositoryCacheLimits } from './certificates/certificate-cache.js';
export { fetchX5u } from './certificates/x5u-fetch.js';
export type { FetchSlotLimits, FetchX5uOptions, FetchX5uResult } from './certificates/x5u-fetch.js';
export { DEFAULT_SERVICE_SIGNER_TIMEOUT_MS, createAuthenticationService } from './signing/authentication-service.js';
export type {
  AuthenticationService,
  AuthenticationServiceOptions,
  DiversionRequest,
} from './signing/authentication-service.js';
export {
  MAX_DATE_SKEW_SECONDS,
  MAX_DESTINATIONS,
  MAX_DESTINATION_CHARS,
  MAX_IAT_SKEW_SECONDS,
} from './signing/signing-request.js';
export type {
  NumberSigningRequest,
  SigningRequest,
  SigningRequestBase,
  SipSigningRequest,
} from './signing/signing-request.js';
export type {
  AttestationRecord,
  DiversionClaims,
  DiversionOutcome,
  DiversionRecord,
  DiversionRefusal,
  NotDivertedReason,
  NotSigned,
  NotSignedReason,
  RecordDelivery,
  RefusedSigning,
  SignatureFacts,
  SignatureRecord,
  SignatureRefusal,
  SignedCall,
  SignedDiversion,
  SigningOutcome,
  SigningRefusal,
} from './signing/signing-outcome.js';
export type { SigningIdentity } from './signing/signing-session.js';
export {
  CALL_ROLES,
  CALL_SOURCES,
  DEFAULT_ATTESTATION_POLICY,
  MAX_ATTESTATION_RULES,
  MAX_BASIS_CHARS,
  MAX_CONDITION_VALUES,
  MAX_NAME_CHARS,
  NO_RULE,
  NUMBER_OWNERSHIPS,
  createAttestationPolicy,
  decideAttestation,
} from './signing/attestation-policy.js';
export type {
  AttestationCondition,
  AttestationDecision,
  AttestationFacts,
  AttestationPolicy,
  AttestationPolicyData,
  AttestationRule,
  CallRole,
  CallSource,
  CompleteAttestationFacts,
  ExplicitAttestation,
  NumberOwnership,
  PreparedAttestationRule,
} from './signing/attestation-policy.js';
export {
  DEFAULT_MAX_IN_FLIGHT,
  DEFAULT_SIGNER_TIMEOUT_MS,
  MAX_SIGNER_TIMEOUT_MS,
  createExternalSigner,
  createLocalSigner,
} from './signing/signer.js';
export type {
  AsynchronousSigner,
  ExternalSignerOptions,
  LocalSignerOptions,
  Signer,
  SignerBase,
  SignerFailure,
  SynchronousSigner,
} from './signing/signer.js';
export type { Schedule, Clock } from '../core/runtime/clock.js';
export { derToRawSignature, MAX_DER_SIGNATURE_BYTES, rawToDerSignature } from '../core/base64url.js';
export type { SignatureConversion, SignatureProblem } from '../core/base64url.js';
export {
  createFileCertificateSource,
  createStaticCertificateSource,
  readSigningCertificate,
} from './signing/certificate-source.js';
export type {
  CertificateReload,
  CertificateSource,
  CredentialOwner,
  CredentialProblem,
  CredentialRefusal,
  FileCertificateSource,
  FileCertificateSourceOptions,
  SigningCertificate,
  SigningCertificateResult,
  SigningCertificateText,
} from './signing/certificate-source.js';
export { CERTIFICATE_ALARM_DAYS, certificateAlarms, watchCertificateExpiry } from './signing/certificate-alarms.js';
export type {
  CertificateAlarm,
  CertificateAlarmInput,
  CertificateAlarmState,
  CertificateWatch,
  CertificateWatchOptions,
} from './signing/certificate-alarms.js';
export { createVerificationService, DEFAULT_TIME_BUDGET_MS } from './verification/verification-service.js';
export type {
  VerificationService,
  VerificationServiceOptions,
  VerifyOptions,
} from './verification/verification-service.js';
export {
  checkCertificates,
  concludeVerification,
  MAX_IDENTITY_HEADERS,
  startVerification,
} from './verification/core.js';
export type {
  CertificateKnowledge,
  Conclusion,
  PendingVerification,
  TokenSignatureJob,
  VerificationCoreOptions,
} from './verification/core.js';
export { FAILURE_REASONS, FAILURE_REASON_NAMES } from './verification/step.js';
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
} from './verification/step.js';
export { describeVerdict, explainEvidence } from './verification/explain.js';
export type { ExplainedPassport, ExplainedStep } from './verification/explain.js';
export { formatReasonHeader, withVerstat } from './verification/outcome.js';
export type {
  CallVerdict,
  PassportSigner,
  ReasonHeaderOptions,
  VerificationFailure,
  VerificationOutcome,
  VerifiedPassport,
} from './verification/outcome.js';
export { DEFAULT_VERIFICATION_POLICY, verificationPolicy } from './verification/policy.js';
export type { VerificationPolicy } from './verification/policy.js';
export { createReplayMemory } from './verification/memory.js';
export type { ReplayMemory, ReplayMemoryOptions, Seen } from './verification/memory.js';
export {
  canonicalParty,
  claimedParties,
  formatSipDate,
  readParties,
  readSipDate,
  verificationRequestOf,
} from './verification/request.js';
export type { PartyOptions, RequestParties, VerificationRequest } from './verification/request.js';
export { INLINE_SIGNATURE_CHECKER, MAX_JOBS_IN_POOL, createSignaturePool } from './verification/signature-checker.js';
export type { SignatureChecker, SignaturePool, SignaturePoolOptions } from './verification/signature-checker.js';
export { VERIFICATION_STEPS } from './verification/steps.js';
export { formatIdentityHeader, MAX_IDENTITY_HEADER_CHARS, parseIdentityHeader } from './identity-header.js';
export type { IdentityHeader, IdentityHeaderParts, IdentityHeaderResult } from './identity-header.js';
export { compactIdentityHeader } from './compact-form.js';
export type { CompactFormRefusal, CompactFormResult } from './compact-form.js';
export { canonicalJson, isCompactForm, parsePassport, rebuildCompactPassport, PASSPORT_TYPES } from './passport.js';
export type {
  CompactClaims,
  ParsedPassport,
  PassportParseOptions,
  PassportResult,
  PassportSyntaxReason,
  PassportHeader,
  PassportHeaderCache,
} from './passport.js';
export { base } from './passport-types/passport-type.js';
export { div, divPayload } from './passport-types/div.js';
export type { DivClaims } from './passport-types/div.js';
export { shaken, shakenPayload } from './passport-types/shaken.js';
export type { ShakenClaims } from './passport-types/shaken.js';
export type {
  CanonicalReading,
  ClaimProblem,
  ClaimsResult,
  PassportClaims,
  PassportParty,
  PassportType,
} from './passport-types/passport-type.js';
export { ES256_SIGNATURE_OCTETS } from './es256.js';
export type { SignatureJob } from './es256.js';
export { parseBoundedJson, PASSPORT_JSON_LIMITS } from '../core/json-text.js';
export type { JsonFailure, JsonLimits, JsonObject, JsonParseResult, JsonValue } from '../core/json-text.js';
export type { Attestation, CanonicalTn, Spc, Verstat } from '../core/terms.js';
export type { EvidenceException, PassportEvidence, VerdictEvidence } from '../core/verdict-evidence.js';
export { canonicalTelephoneNumber, NORTH_AMERICAN_PLAN } from '../core/telephone-number.js';
export type { NumberingPlan, TelephoneNumberResult } from '../core/telephone-number.js';
export { maskTelephoneNumber } from '../core/text.js';
export { headerValues, parseSipRequest } from '../core/sip-request.js';
export type { SipHeaderText, SipRequestFailure, SipRequestResult, SipRequestText } from '../core/sip-request.js';
