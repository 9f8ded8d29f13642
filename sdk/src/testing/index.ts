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
export { createTestPki, SHAKEN_POLICY_OID } from './test-pki.js';
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
} from './test-pki.js';
export type {
  CertificateOptions,
  ClaimConstraintsOptions,
  DistributionPointOptions,
  KeyUsageName,
  RawExtension,
} from './issue-certificate.js';
export { CRL_REASONS } from './issue-crl.js';
export type { CrlOptions, RevokedEntry, TestCrl, TestTrustList, TrustListOptions } from './issue-crl.js';
export {
  TEST_DEST_TN,
  TEST_ORIG_ID,
  TEST_ORIG_TN,
  canonicalJson,
  createPassport,
  sampleInvite,
  writeIdentityHeader,
} from './passport.js';
export type { IdentityHeaderOptions, PassportOptions, SampleInviteOptions, TestPassport } from './passport.js';
export {
  createPassportFaultContext,
  PASSPORT_FAULT_NAMES,
  PASSPORT_FAULTS,
  twinSignature,
} from './passport-faults/index.js';
export type {
  ClaimFaultName,
  EncodingFaultName,
  FaultProfile,
  FaultyIdentityHeader,
  HeaderFaultName,
  PassportFault,
  PassportFaultContext,
  PassportFaultContextOptions,
  PassportFaultName,
  SignatureFaultName,
} from './passport-faults/index.js';
export { divertedCall, divertedTn, GOOD_PASSPORT_NAMES, GOOD_PASSPORTS } from './good-passports.js';
export type { GoodCall, GoodPassport, GoodPassportName } from './good-passports.js';
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
export { createScriptedLookup } from './scripted-lookup.js';
export type { LookupAnswer, LookupCallback, LookupFunction, ScriptedLookup } from './scripted-lookup.js';
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
} from './platform/test-platform.js';
export type { TestPlatformOptions } from './platform/test-platform-options.js';
export { TEST_PROVIDERS } from './platform/test-provider.js';
export type { TestCredentials, TestProvider } from './platform/test-provider.js';
export { platformHandlers } from './platform/msw-handlers.js';
export type { MswHttp } from './platform/msw-handlers.js';
export { startTestPlatform } from './platform/start-test-platform.js';
export type { StartTestPlatformOptions, TestPlatformTls } from './platform/start-test-platform.js';
export type {
  CallFaultRule,
  EventFault,
  EventFaultRule,
  FaultFrequency,
  PlatformFault,
} from './platform/platform-faults.js';
export type { ContractViolation, ServedCall } from './platform/exchange.js';
export type { LoggedEvent } from './platform/event-hub.js';
export type { PlatformJwk } from './platform/answer-desk.js';
export type { PerformedEffect } from './platform/traceback-desk.js';
export type { ReceivedBatch } from './platform/record-desk.js';
export type { TestProductionFile } from './platform/demand-desk.js';
export type { TestDemands } from './platform/test-demands.js';
export { WEBHOOK_RETRY_WAITS_MS } from './platform/webhook-sender.js';
export type { WebhookAttempt, WebhookFetch } from './platform/webhook-sender.js';
export { sampleCallRecord, TEST_TRUNKS } from './sample-call-record.js';
