export { createManualClock, TEST_NOW_MS } from './manual-clock.js';
export type { ManualClock } from './manual-clock.js';
export { createTestKey } from './test-key.js';
export type { TestCertificate, TestKey } from './test-key.js';
export { createTestPki } from './test-pki.js';
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
} from './test-pki.js';
export type { CertificateOptions } from './issue-certificate.js';
export { TEST_DEST_TN, TEST_ORIG_TN, createPassport, sampleInvite, GOOD_PASSPORTS } from './passport.js';
export type { PassportOptions, SampleInviteOptions } from './passport.js';
export { createPassportFaultContext } from './passport.js';
export type { PassportFaultContext } from './passport.js';
export { PASSPORT_FAULTS } from './passport-faults/index.js';
export type { PassportFaultName } from './passport-faults/index.js';
export { SERVER_FAULTS, startCertificateServer } from './certificate-server/server.js';
export type { CertificateServer, CertificateServerOptions, ServerFaultName } from './certificate-server/server.js';
export type { PublishOptions, ServerFault } from './certificate-server/answer.js';
export { createScriptedLookup, sampleCallRecord, TEST_TRUNKS } from './sample-call-record.js';
export type { ScriptedLookup } from './sample-call-record.js';
export { CERTIFICATE_FAULTS } from './certificate-faults.js';
export type { CertificateFaultName } from './certificate-faults.js';

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
