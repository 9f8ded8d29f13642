/**
 * Into a switch: middleware for applications of drachtio-srf, and what it rests on, for switches that are spoken to otherwise. A
 * {@link TrunkPolicy} says as data what is done with the calls of a trunk, {@link treatCall} does it, and {@link verifyIdentity} does both
 * for each INVITE. {@link outboundHeaders} makes what the next leg gets: Identity as it came, or signed here. {@link createRedirectServer} answers
 * SBCs that ask by redirect, for signatures and for verdicts.
 *
 * Without an explicit policy no call is refused; no mistake in here, and no trouble of a network or disk, keeps a call from going on.
 * @packageDocumentation
 */
export { callFacts } from './call-facts.js';
export type { CallFacts, SipAnswerLike, SipRequestLike, SipResponseLike } from './call-facts.js';
export { createCallTracker, MAX_CALL_AGE_MS, MAX_OPEN_CALLS } from './calls/call-tracker.js';
export type { CallRecordSink, CallTracker, CallTrackerOptions, CallTrackerStatistics } from './calls/call-tracker.js';
export type { CallEnd, DialogLike, EndingParty } from './calls/call-state.js';
export type {
  BranchCallbacks,
  BranchOptions,
  CallDialogs,
  ProxyResultLike,
  TrackedCall,
} from './calls/tracked-call.js';
export {
  LEAST_FILINGS,
  MAX_FILING_LIST_AGE_MS,
  MAX_FILING_LIST_BYTES,
  MAX_LISTED_FILINGS,
  createFilingDirectory,
  filingName,
  readFilingList,
} from './filing-directory.js';
export type {
  FilingDirectory,
  FilingDirectoryOptions,
  FilingDirectoryStatus,
  FilingListReading,
  FilingLoad,
  FilingReference,
  ListedFiling,
} from './filing-directory.js';
export { identifyCall, outboundHeaders, verifyIdentity } from './verify-identity.js';
export type {
  CallIdentity,
  OutboundHeaders,
  OutboundHeadersOptions,
  SipMiddleware,
  VerifyIdentityOptions,
} from './verify-identity.js';
export { REDIRECT_PROFILES, redirectProfile } from './redirect/profile.js';
export type {
  RedirectAnswer,
  RedirectCondition,
  RedirectOutcome,
  RedirectProfile,
  RedirectProfileName,
  RedirectRule,
  RedirectRuleBase,
  SigningRule,
  VerificationRule,
} from './redirect/profile.js';
export {
  createRedirectServer,
  DEFAULT_MAX_OPEN_INVITES,
  DEFAULT_REDIRECT_BUDGET_MS,
  MAX_REDIRECT_BUDGET_MS,
} from './redirect/redirect-server.js';
export type { RedirectHandler, RedirectServer, RedirectServerOptions } from './redirect/redirect-server.js';
export { everyStatus, relayedHeaders, relayFailure } from './relay-failure.js';
export type { FinalResponseLike, RelayOptions } from './relay-failure.js';
export { treatCall, trunkPolicy } from './treat-call.js';
export type {
  CallConcern,
  CallToTreat,
  CallTreatment,
  Exemption,
  IsupLocation,
  NetworkBlock,
  PoorVerdict,
  TrunkPolicy,
  UpstreamFiling,
} from './treat-call.js';
