export { createAuthenticationService, DEFAULT_SERVICE_SIGNER_TIMEOUT_MS } from './authentication-service.js';
export type { AuthenticationService, AuthenticationServiceOptions } from './authentication-service.js';
export { MAX_DATE_SKEW_SECONDS, MAX_IAT_SKEW_SECONDS } from './time-of-issue.js';
export { MAX_DESTINATION_CHARS, MAX_DESTINATIONS } from './signing-request.js';
export type { NumberSigningRequest, SigningRequest, SigningRequestBase, SipSigningRequest } from './signing-request.js';
export type {
  DiversionOutcome,
  DiversionRefusal,
  NotDivertedReason,
  NotSigned,
  NotSignedReason,
  RecordDelivery,
  RefusedSigning,
  SignatureRefusal,
  SignedCall,
  SignedDiversion,
  SigningOutcome,
  SigningRefusal,
} from './signing-outcome.js';
export type { SigningIdentity } from './signing-session.js';
export type { DiversionRequest } from './diversion.js';
export type {
  AttestationRecord,
  DiversionClaims,
  DiversionRecord,
  SignatureFacts,
  SignatureRecord,
} from './attestation-record.js';
export { createAttestationPolicy, decideAttestation, NO_RULE } from './attestation-policy.js';
export type { AttestationDecision, AttestationPolicy, PreparedAttestationRule } from './attestation-policy.js';
export { DEFAULT_ATTESTATION_POLICY } from './attestation-rules.js';
export type {
  AttestationCondition,
  AttestationPolicyData,
  AttestationRule,
  ExplicitAttestation,
} from './attestation-rules.js';
export { MAX_ATTESTATION_RULES, MAX_BASIS_CHARS, MAX_CONDITION_VALUES } from './check-attestation-policy.js';
export { CALL_ROLES, CALL_SOURCES, MAX_NAME_CHARS, NUMBER_OWNERSHIPS } from './attestation-facts.js';
export type {
  AttestationFacts,
  CallRole,
  CallSource,
  CompleteAttestationFacts,
  NumberOwnership,
} from './attestation-facts.js';
export type { AsynchronousSigner, Signer, SignerBase, SynchronousSigner } from './signer.js';
export { createLocalSigner } from './local-signer.js';
export type { LocalSignerOptions } from './local-signer.js';
export { createExternalSigner, DEFAULT_MAX_IN_FLIGHT, DEFAULT_SIGNER_TIMEOUT_MS } from './external-signer.js';
export type { ExternalSignerOptions, SignerFailure } from './external-signer.js';
export { MAX_SIGNER_TIMEOUT_MS } from './external-signer.js';
export type { Schedule } from '../../core/runtime/clock.js';
export { derToRawSignature, MAX_DER_SIGNATURE_BYTES, rawToDerSignature } from '../../core/base64url.js';
export type { SignatureConversion, SignatureProblem } from '../../core/base64url.js';
export { createStaticCertificateSource, readSigningCertificate } from './certificate-source.js';
export type {
  CertificateSource,
  SigningCertificate,
  SigningCertificateResult,
  SigningCertificateText,
} from './certificate-source.js';
export { createFileCertificateSource } from './file-certificate-source.js';
export type {
  CertificateReload,
  FileCertificateSource,
  FileCertificateSourceOptions,
} from './file-certificate-source.js';
export type { CredentialOwner, CredentialProblem, CredentialRefusal } from './credential.js';
export { CERTIFICATE_ALARM_DAYS, certificateAlarms, watchCertificateExpiry } from './certificate-alarms.js';
export type {
  CertificateAlarm,
  CertificateAlarmInput,
  CertificateAlarmState,
  CertificateWatch,
  CertificateWatchOptions,
} from './certificate-alarms.js';
