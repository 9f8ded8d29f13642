export { createManualClock, TEST_NOW_MS } from './manual-clock.js';
export type { ManualClock } from './manual-clock.js';
export { createTestKey, testKeyFromPem } from './test-key.js';
export type {
  TestCertificate,
  TestKey,
  NameAttribute,
  SignatureHash,
  TestKeyType,
  TestName,
  NameAttributeType,
} from './test-key.js';
export { createTestPki, CRL_REASONS } from './test-pki.js';
export type {
  CaOptions,
  ServiceProviderOptions,
  TestPki,
  TestPkiKeys,
  TestPkiRole,
  TestServiceProvider,
  CrlOptions,
  TestCrl,
  TrustListOptions,
  DelegateOptions,
  TestPkiOptions,
  TestTrustList,
  TlsOptions,
} from './test-pki.js';
export type { CertificateOptions } from './issue-certificate.js';
export {
  TEST_DEST_TN,
  TEST_ORIG_TN,
  canonicalJson,
  createPassport,
  divertedTn,
  sampleInvite,
  GOOD_PASSPORTS,
  createPassportFaultContext,
} from './passport.js';
export type {
  PassportOptions,
  SampleInviteOptions,
  GoodPassport,
  TestPassport,
  PassportFault,
  PassportFaultContext,
  FaultProfile,
  FaultyIdentityHeader,
  GoodCall,
} from './passport.js';
export { PASSPORT_FAULTS } from './passport-faults/index.js';
export type { PassportFaultName } from './passport-faults/index.js';
export { SERVER_FAULTS, startCertificateServer } from './certificate-server/server.js';
export type {
  CertificateServer,
  CertificateServerOptions,
  ServerFaultName,
  NamedServerFault,
  ServerListener,
} from './certificate-server/server.js';
export type { PublishOptions, ServerFault, ContentCoding, ServerAnswer } from './certificate-server/answer.js';
export { createScriptedLookup, sampleCallRecord, TEST_TRUNKS } from './sample-call-record.js';
export type { ScriptedLookup, LookupFunction, LookupCallback } from './sample-call-record.js';
export { CERTIFICATE_FAULTS } from './certificate-faults.js';
export type { CertificateFaultName, CertificateFault, FaultyChain } from './certificate-faults.js';

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
export { KEY_USAGES } from './issue-certificate.js';
export type { PlatformEventEnvelope } from '../contract/event.js';
export { ProductionFile, DemandDecisionRequest } from '../contract/demand.js';
export type { DemandState } from '../contract/demand.js';
export { WebhookEndpointCreation, CreatedWebhookEndpoint, WebhookEndpoint } from '../contract/event.js';
