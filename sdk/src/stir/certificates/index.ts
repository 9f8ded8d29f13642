export { buildCertificatePath, PATH_MAX_CERTIFICATES, PATH_SEARCH_MAX_STEPS } from './build-path.js';
export { createCertificateRepository } from './certificate-repository.js';
export type { CertificateRepositoryOptions } from './repository-state.js';
export type {
  Certificate,
  CertificateChainParseResult,
  CertificateParseFailure,
  CertificateParseResult,
  CrlDistributionPoint,
  DistinguishedName,
  JwtClaimConstraints,
  TnAuthEntry,
} from './certificate.js';
export { CRL_MAX_BYTES, parseCrl } from './crl.js';
export type { CertificateRevocationList, CrlEntry, CrlParseResult, CrlReason, CrlScope } from './crl.js';
export {
  CERTIFICATE_CHAIN_MAX_BYTES,
  CERTIFICATE_CHAIN_MAX_CERTIFICATES,
  describeCertificate,
  parseCertificate,
  parseCertificateChain,
} from './parse-certificate.js';
export { createTrustStore, loadTrustStore } from './trust-store.js';
export type {
  LoadTrustStoreOptions,
  TrustStore,
  TrustStoreFiles,
  TrustStoreOptions,
  TrustStoreProblem,
  TrustStoreSource,
} from './trust-store.js';
export type {
  CertificatePath,
  CertificatePathResult,
  PathFailure,
  PathFailureReason,
  PathOptions,
  RevocationLookup,
  RevocationStatus,
} from './path.js';
export { lintCertificate, PROFILE_EFFECTIVE_MS, PROFILE_RULES, roleOf } from './profile-lint.js';
export type { CertificateRole, LintFinding, LintOptions, ProfileRule, ProfileVersion } from './profile-lint.js';
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
} from './repository.js';
export { createRevocationSet, REVOCATION_SET_MAX_CRLS, revocationAt } from './revocation.js';
export type { CrlRefusalReason, RefusedCrl, RevocationSet, RevocationSetOptions, TrustedCrl } from './revocation.js';
export { STI_PA_LIST_MAX_CHARS, STI_PA_LIST_MAX_ENTRIES, stiPaListSignerUrl, verifyStiPaList } from './sti-pa-list.js';
export type { StiPaList, StiPaListFailureReason, StiPaListOptions, StiPaListResult } from './sti-pa-list.js';
export { encompasses, tnAuthListCovers, tnAuthListText } from './tn-auth-list.js';
export { createTrustStoreRefresh, TRUST_STORE_MAX_CRL_URLS } from './trust-store-refresh.js';
export type {
  TrustStoreRefreshOptions,
  TrustStoreRefreshOutcome,
  TrustStoreRefreshService,
} from './trust-store-refresh.js';
export type { BoundedFetch } from './trust-store-renewal.js';
export {
  checkUrlText,
  checkX5uUrl,
  MAX_HOST_LENGTH,
  MAX_LABEL_LENGTH,
  MAX_X5U_LENGTH,
  REFUSED_TOP_LEVEL_LABELS,
  X5U_PORTS,
} from './x5u-url-policy.js';
export type { PermittedUrl, UrlTextRules, X5uAllowList, X5uUrlCheck, X5uUrlPolicy } from './x5u-url-policy.js';
export { DEFAULT_FETCH_DEADLINE_MS, fetchBounded } from './bounded-fetch.js';
export type {
  BoundedFetchOptions,
  BoundedFetchResult,
  CacheValidators,
  ConnectionOptions,
  HostLookup,
  TcpConnect,
} from './bounded-fetch.js';
export type { SignatureAlgorithmName } from './parse-certificate.js';
export type { ParseChain, RepositoryCacheLimits } from './certificate-cache.js';
export { fetchX5u } from './x5u-fetch.js';
export type { FetchSlotLimits, FetchX5uOptions, FetchX5uResult } from './x5u-fetch.js';
