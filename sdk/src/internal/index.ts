// What the harness shares with this package. Unsupported: it may change with every release.
export { IDEMPOTENCY_KEY, inPath, inQuery, PAGING } from '../contract/routes.js';
export { embedsIpv4, isSpecialPurposeAddress } from '../stir/certificates/x5u-url-policy.js';
export { comparableBusinessName, compareProviders } from '../contract/same-provider.js';
export { answerParties, answerPartyFault, mixedReference, mixedReferenceText } from '../traceback/answer-parties.js';
export type { ReferenceMeaning, ReferencePart } from '../traceback/answer-parties.js';
export { callDifferences, nextAskedCall } from '../traceback/asked-call.js';
export { certificateText } from '../traceback/evidence/custodian-certificate.js';
export { canonicalJson } from '../traceback/evidence/evidence-manifest.js';
export { inclusionProofText, verifyScript } from '../traceback/evidence/exported-files.js';
export {
  answerReceipt,
  answerRefusal,
  partyProblem,
  requestStatus,
  shownTraceback,
  tracebackRequest,
} from '../itg-core/traceback-exchange.js';
export type { RequestFacts, TracebackFacts, TracebackViewer } from '../itg-core/traceback-exchange.js';
export { startTraceback, stepTraceback } from '../traceback/lifecycle/step-traceback.js';
export type { TracebackStep } from '../traceback/lifecycle/step-traceback.js';
export { lifecycleRules } from '../traceback/lifecycle/traceback-state.js';
export type { TracebackEvent, TracebackState } from '../traceback/lifecycle/traceback-state.js';
export { pendingEffects, viewTraceback } from '../traceback/lifecycle/traceback-view.js';
export type { TracebackView } from '../traceback/lifecycle/traceback-view.js';
export { answerSha256 } from '../traceback/responder/answer-signer.js';

// What a platform answers with, and the bounds that it holds its clients to.
export { printableText } from '../core/text.js';
export { DEFAULT_PAGE_ITEMS } from '../contract/common.js';
export type { WireSchema } from '../contract/bodies.js';
export type { DemandRecordClass } from '../contract/demand.js';
export { MAX_DEMAND_DOCUMENT_BYTES } from '../contract/demand.js';
export type { PlatformEventData, PlatformEventType } from '../contract/event.js';
export { PLATFORM_EVENT_KINDS } from '../contract/event-table.js';
export { demandScopeRefusal, jsonAnswer, problemAnswer, problemDocument } from '../contract/platform-answer.js';
export type { PlatformAnswer, PlatformProblem } from '../contract/platform-answer.js';
export type { RouteParameter } from '../contract/route.js';
export { PROBLEM_KINDS } from '../contract/problem-table.js';
export { createRouteMatcher, readPlatformRequest, readWireBody } from '../contract/read-platform-request.js';
export type { MatchedRoute, ReadPlatformRequest } from '../contract/read-platform-request.js';
export { MAX_BATCH_BYTES, MAX_BATCH_RECORDS, RECORD_BATCH_TYPE } from '../contract/record-batch.js';
export {
  ANSWER_RECEIPT_JWS_TYPE,
  MAX_ANSWER_JWS_CHARS,
  TRACEBACK_ANSWER_JWS_TYPE,
} from '../contract/traceback-exchange.js';
export { readPublicKeyJwk } from '../platform/client/private-key-jwt.js';
export type { PublicKeyJwk } from '../platform/client/private-key-jwt.js';
export { retryAfterMs } from '../platform/retry.js';
export { readParties } from '../stir/verification/request.js';
export { signatureFor } from '../log/merkle-tree.js';
