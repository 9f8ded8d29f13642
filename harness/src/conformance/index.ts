/**
 * A conformance kit for verification and signing services of any vendor: numbered cases, each with the text that decides it, asked over the
 * interface that the service has. {@link ConformanceEnvironment.open} makes the PKI that the service is given, {@link openConformanceTarget} the way to it,
 * and {@link runConformance} asks.
 * @packageDocumentation
 */
export { CASE_GROUPS, selectCases } from './case.js';
export type {
  Capability,
  CaseBase,
  CaseGroup,
  CaseSelection,
  CaseSetting,
  ConformanceCase,
  Observed,
  PublishedCertificate,
  ReasonSeen,
  SentCall,
  SigningAnswer,
  SigningAsk,
  SigningCase,
  SigningContext,
  VerificationCase,
  VerificationExpectation,
} from './case.js';
export { CONFORMANCE_CASES } from './cases/catalogue.js';
export type {
  CaseResult,
  ConformanceOutcome,
  ConformanceRun,
  ConformanceRunOptions,
  RunCounts,
} from './conformance-run.js';
export { runConformance, openConformanceTarget } from './conformance-run.js';
export type { ConformanceEnvironmentOptions, TrustUrls } from './environment/environment.js';
export { ConformanceEnvironment, TRUST_FILES } from './environment/environment.js';
export { conformanceRunOf } from './report/read-run.js';
export type { MatrixColumn, ConformanceTableOptions } from './report/text-reports.js';
export { writeJunit, writeConformanceMatrix, writeConformanceTable } from './report/text-reports.js';
export { writeConformancePage } from './report/page.js';
export type { TokenProblem } from './signing/signed-token.js';
export { TARGET_KINDS } from './targets/target.js';
export type { ConformanceTarget, ConformanceTargetOptions, SipTargetOptions, TargetKind } from './targets/target.js';
