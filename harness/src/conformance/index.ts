/**
 * A conformance kit for verification and signing services of any vendor: numbered cases, each with the text that decides it, asked over the
 * interface that the service has. {@link openConformanceEnvironment} makes the PKI that the service is given, {@link openConformanceTarget} the way to it,
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
export { CONFORMANCE_CASES } from './cases/index.js';
export type {
  CaseResult,
  ConformanceOutcome,
  ConformanceRun,
  ConformanceRunOptions,
  RunCounts,
} from './conformance-run.js';
export { openConformanceEnvironment } from './environment/environment.js';
export type { ConformanceEnvironment, ConformanceEnvironmentOptions } from './environment/environment.js';
export { TRUST_FILES } from './environment/trust-files.js';
export type { TrustUrls } from './environment/trust-files.js';
export { conformanceRunOf } from './report/read-run.js';
export { writeJunit } from './report/junit.js';
export { writeConformanceMatrix } from './report/matrix.js';
export type { MatrixColumn } from './report/matrix.js';
export { writeConformancePage } from './report/page.js';
export { writeConformanceTable } from './report/table.js';
export type { ConformanceTableOptions } from './report/table.js';
export { runConformance } from './conformance-run.js';
export type { TokenProblem } from './signing/signed-token.js';
export { openConformanceTarget } from './targets/open-target.js';
export { TARGET_KINDS } from './targets/target.js';
export type { ConformanceTarget, ConformanceTargetOptions, SipTargetOptions, TargetKind } from './targets/target.js';
