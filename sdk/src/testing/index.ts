export { ManualClock, TEST_NOW_MS } from './manual-clock.js';
export { createTestKey } from './test-key.js';
export type { TestCertificate, TestKey, TestKeyType, TestName } from './test-key.js';
export { TestPki, CRL_REASONS } from './test-pki.js';
export type { CaOptions, TestServiceProvider, CrlOptions, TrustListOptions, TestPkiOptions } from './test-pki.js';
export { KEY_USAGES } from './issue-certificate.js';
export type { CertificateOptions } from './issue-certificate.js';
export {
  TEST_DEST_TN,
  TEST_ORIG_TN,
  createPassport,
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
  GoodCall,
} from './passport.js';
export { PASSPORT_FAULTS } from './passport-faults/passport-faults.js';
export type { PassportFaultName } from './passport-faults/passport-faults.js';
export { SERVER_FAULTS, CertificateServer } from './certificate-server/server.js';
export type {
  CertificateServerOptions,
  ServerFaultName,
  NamedServerFault,
  ServerListener,
} from './certificate-server/server.js';
export type { PublishOptions, ServerFault, ServerAnswer } from './certificate-server/answer.js';
export { createScriptedLookup, sampleCallRecord, TEST_TRUNKS } from './sample-call-record.js';
export { CERTIFICATE_FAULTS } from './certificate-faults.js';
export type { CertificateFaultName, CertificateFault } from './certificate-faults.js';

// The carrier side of the platform.
export { platformHandlers, TestPlatform } from './platform/test-platform.js';
export type { TestAnswer, TestOpening } from './platform/test-platform.js';
export type { TestPlatformOptions } from './platform/assemble.js';
export type { StartTestPlatformOptions } from './platform/start-test-platform.js';
export { TEST_PROVIDERS } from './platform/registered-clients.js';
export type { TestCredentials, TestProvider } from './platform/registered-clients.js';
export type { CallFaultRule, EventFaultRule, PlatformFault } from './platform/platform-faults.js';
export type { ContractViolation, ServedCall } from './platform/exchange.js';
export type { WebhookAttempt } from './platform/event-hub.js';
export type { ReceivedBatch } from './platform/kit-registry.js';
export type { TestProductionFile } from './platform/kit-demands.js';
export type { PlatformEventEnvelope } from '../contract/event.js';
