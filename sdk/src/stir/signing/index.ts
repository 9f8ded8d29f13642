export { DEFAULT_SERVICE_SIGNER_TIMEOUT_MS, createAuthenticationService } from './authentication-service.js';
export type {
  AuthenticationService,
  AuthenticationServiceOptions,
  DiversionRequest,
} from './authentication-service.js';
export {
  MAX_DATE_SKEW_SECONDS,
  MAX_DESTINATIONS,
  MAX_DESTINATION_CHARS,
  MAX_IAT_SKEW_SECONDS,
} from './signing-request.js';
export type { NumberSigningRequest, SigningRequest, SigningRequestBase, SipSigningRequest } from './signing-request.js';
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
} from './signing-outcome.js';
export type { SigningIdentity } from './signing-session.js';
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
} from './attestation-policy.js';
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
} from './attestation-policy.js';
export {
  DEFAULT_MAX_IN_FLIGHT,
  DEFAULT_SIGNER_TIMEOUT_MS,
  MAX_SIGNER_TIMEOUT_MS,
  createExternalSigner,
  createLocalSigner,
} from './signer.js';
export type {
  AsynchronousSigner,
  ExternalSignerOptions,
  LocalSignerOptions,
  Signer,
  SignerBase,
  SignerFailure,
  SynchronousSigner,
} from './signer.js';
export type { Schedule } from '../../core/runtime/clock.js';
export { derToRawSignature, MAX_DER_SIGNATURE_BYTES, rawToDerSignature } from '../../core/base64url.js';
export type { SignatureConversion, SignatureProblem } from '../../core/base64url.js';
export {
  createFileCertificateSource,
  createStaticCertificateSource,
  readSigningCertificate,
} from './certificate-source.js';
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
} from './certificate-source.js';
export { CERTIFICATE_ALARM_DAYS, certificateAlarms, watchCertificateExpiry } from './certificate-alarms.js';
export type {
  CertificateAlarm,
  CertificateAlarmInput,
  CertificateAlarmState,
  CertificateWatch,
  CertificateWatchOptions,
} from './certificate-alarms.js';
