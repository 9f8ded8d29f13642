/**
 * Into a switch: middleware for applications of drachtio-srf, and what it rests on, for switches that are spoken to otherwise. A
 * {@link TrunkPolicy} says as data what is done with the calls of a trunk, {@link treatCall} does it, and {@link verifyIdentity} does both
 * for each INVITE. {@link outboundHeaders} makes what the next leg gets: Identity as it came, or signed here. {@link RedirectServer} answers SBCs that
 * ask by redirect, for signatures and for verdicts.
 *
 * Without an explicit policy no call is refused; no mistake in here, and no trouble of a network or disk, keeps a call from going on.
 * @packageDocumentation
 */
export type { SipRequestLike, SipResponseLike, CallFacts } from './call-facts.js';
export { CallTracker } from './calls/call-tracker.js';
export type { CallRecordSink, CallTrackerOptions } from './calls/call-tracker.js';
export type { TrackedCall, BranchOptions, ProxyResultLike } from './calls/tracked-call.js';
export type { DialogLike } from './calls/call-state.js';
export { FilingDirectory } from './filing-directory.js';
export type { FilingDirectoryOptions, FilingReference } from './filing-directory.js';
export { outboundHeaders, verifyIdentity } from './verify-identity.js';
export type { CallIdentity, OutboundHeadersOptions, VerifyIdentityOptions, SipMiddleware } from './verify-identity.js';
export { redirectProfile } from './redirect/profile.js';
export type { RedirectAnswer, RedirectProfile, RedirectRule, RedirectCondition } from './redirect/profile.js';
export { RedirectServer } from './redirect/redirect-server.js';
export type { RedirectServerOptions } from './redirect/redirect-server.js';
export { everyStatus, relayedHeaders, relayFailure } from './relay-failure.js';
export { treatCall, trunkPolicy } from './treat-call.js';
export type { CallToTreat, CallTreatment, TrunkPolicy, CallConcern, UpstreamFiling } from './treat-call.js';
