export { createManualClock, TEST_NOW_MS } from './manual-clock.js';
export type { ManualClock } from './manual-clock.js';
export { createTestKey, testKeyFromPem } from './test-key.js';
export type {
  NameAttribute,
  NameAttributeType,
  SignatureHash,
  TestCertificate,
  TestKey,
  TestKeyType,
  TestName,
} from './test-key.js';
export { createTestPki, SHAKEN_POLICY_OID, CRL_REASONS } from './test-pki.js';
export type {
  CaOptions,
  DelegateOptions,
  ServiceProviderOptions,
  TestPki,
  TestPkiKeys,
  TestPkiOptions,
  TestPkiRole,
  TestServiceProvider,
  TlsOptions,
  CrlOptions,
  RevokedEntry,
  TestCrl,
  TestTrustList,
  TrustListOptions,
} from './test-pki.js';
export type {
  CertificateOptions,
  ClaimConstraintsOptions,
  DistributionPointOptions,
  RawExtension,
} from './issue-certificate.js';
export {
  TEST_DEST_TN,
  TEST_ORIG_ID,
  TEST_ORIG_TN,
  canonicalJson,
  createPassport,
  sampleInvite,
  writeIdentityHeader,
  divertedCall,
  divertedTn,
  GOOD_PASSPORT_NAMES,
  GOOD_PASSPORTS,
} from './passport.js';
export type {
  IdentityHeaderOptions,
  PassportOptions,
  SampleInviteOptions,
  TestPassport,
  GoodCall,
  GoodPassport,
} from './passport.js';
export { createPassportFaultContext } from './passport.js';
export type {
  FaultProfile,
  FaultyIdentityHeader,
  PassportFault,
  PassportFaultContext,
  PassportFaultContextOptions,
} from './passport.js';
export { PASSPORT_FAULT_NAMES, PASSPORT_FAULTS } from './passport-faults/index.js';
export type { PassportFaultName } from './passport-faults/index.js';
export { twinSignature } from './passport-faults/encoding-faults.js';
export { SERVER_FAULTS, SERVER_FAULT_NAMES, startCertificateServer } from './certificate-server/server.js';
export type {
  CertificateServer,
  CertificateServerOptions,
  NamedServerFault,
  ServedRequest,
  ServerFaultName,
  ServerListener,
} from './certificate-server/server.js';
export { CERTIFICATE_CHAIN_TYPE } from './certificate-server/answer.js';
export type { ContentCoding, PublishOptions, ServerAnswer, ServerFault } from './certificate-server/answer.js';
export { createScriptedLookup, sampleCallRecord, TEST_TRUNKS } from './sample-call-record.js';
export type { LookupAnswer, LookupCallback, LookupFunction, ScriptedLookup } from './sample-call-record.js';
export { CERTIFICATE_FAULT_NAMES, CERTIFICATE_FAULTS } from './certificate-faults.js';
export type { CertificateFault, CertificateFaultName, FaultyChain } from './certificate-faults.js';

// The carrier side of the platform.
export { createTestPlatform } from './platform/test-platform.js';
export type {
  TestAnswer,
  TestConformity,
  TestEvents,
  TestOpening,
  TestPlatform,
  TestRegistry,
  TestTracebacks,
  TestDemands,
} from './platform/test-platform.js';
export type { TestPlatformOptions } from './platform/assemble.js';
export { TEST_PROVIDERS } from './platform/registered-clients.js';
export type { TestCredentials, TestProvider } from './platform/registered-clients.js';
export { platformHandlers, startTestPlatform } from './platform/start-test-platform.js';
export type { MswHttp, StartTestPlatformOptions, TestPlatformTls } from './platform/start-test-platform.js';
export type {
  CallFaultRule,
  EventFault,
  EventFaultRule,
  FaultFrequency,
  PlatformFault,
} from './platform/platform-faults.js';
export type { ContractViolation, ServedCall } from './platform/exchange.js';
export type { LoggedEvent, WebhookAttempt, WebhookFetch } from './platform/event-hub.js';
export type { PlatformJwk } from './platform/traceback-book.js';
export type { PerformedEffect } from './platform/kit-tracebacks.js';
export type { ReceivedBatch } from './platform/kit-registry.js';
export type { TestProductionFile } from './platform/kit-demands.js';
export { WEBHOOK_RETRY_WAITS_MS } from './platform/event-hub.js';
