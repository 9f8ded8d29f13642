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
export type { CallFacts } from './call-facts.js';
export { createCallTracker, MAX_CALL_AGE_MS, MAX_OPEN_CALLS } from './calls/call-tracker.js';
export type { CallRecordSink, CallTracker, CallTrackerOptions, CallTrackerStatistics } from './calls/call-tracker.js';
export type { CallEnd, EndingParty } from './calls/call-state.js';
export type { DialogLike } from './calls/emitters.js';
export type {
  BranchCallbacks,
  BranchOptions,
  CallDialogs,
  ProxyResultLike,
  TrackedCall,
} from './calls/tracked-call.js';
export { createFilingDirectory, LEAST_FILINGS, MAX_FILING_LIST_AGE_MS } from './filing-directory.js';
export type {
  FilingDirectory,
  FilingDirectoryOptions,
  FilingDirectoryStatus,
  FilingLoad,
  FilingReference,
} from './filing-directory.js';
export { outboundHeaders } from './outbound-headers.js';
export type { OutboundHeaders, OutboundHeadersOptions } from './outbound-headers.js';
export { REDIRECT_PROFILES, redirectProfile } from './redirect/profile.js';
export type { RedirectProfile, RedirectProfileName } from './redirect/profile.js';
export {
  createRedirectServer,
  DEFAULT_MAX_OPEN_INVITES,
  DEFAULT_REDIRECT_BUDGET_MS,
  MAX_REDIRECT_BUDGET_MS,
} from './redirect/redirect-server.js';
export type { RedirectHandler, RedirectServer, RedirectServerOptions } from './redirect/redirect-server.js';
export type { RedirectAnswer, RedirectOutcome } from './redirect/answer.js';
export type {
  RedirectCondition,
  RedirectRule,
  RedirectRuleBase,
  SigningRule,
  VerificationRule,
} from './redirect/rule.js';
export { filingName, MAX_FILING_LIST_BYTES, MAX_LISTED_FILINGS, readFilingList } from './read-filing-list.js';
export type { FilingListReading, ListedFiling } from './read-filing-list.js';
export { everyStatus, relayedHeaders, relayFailure } from './relay-failure.js';
export type { FinalResponseLike, RelayOptions } from './relay-failure.js';
export type { SipRequestLike, SipResponseLike } from './sip-request-like.js';
export type { SipAnswerLike } from './sip-response-text.js';
export { treatCall } from './treat-call.js';
export type { CallConcern, CallToTreat, CallTreatment, Exemption, UpstreamFiling } from './treat-call.js';
export { trunkPolicy } from './trunk-policy.js';
export type { IsupLocation, NetworkBlock, PoorVerdict, TrunkPolicy } from './trunk-policy.js';
export { identifyCall, verifyIdentity } from './verify-identity.js';
export type { CallIdentity, SipMiddleware, VerifyIdentityOptions } from './verify-identity.js';
