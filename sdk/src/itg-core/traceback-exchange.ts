import type { ProviderReference } from '../contract/common.js';
import { problemAnswer } from '../contract/platform-answer.js';
import type { PlatformProblem } from '../contract/platform-answer.js';
import type { TracebackOpening, Traceback, TracebackHop, TracebackHopState } from '../contract/traceback.js';
import type {
  AnswerReceipt,
  RequestedCall,
  Requester,
  TracebackAnswer,
  TracebackRequest,
  TracebackRequestStatus,
  RequestedCampaign,
} from '../contract/traceback-exchange.js';
import type { answerPartyFault } from '../traceback/answer-parties.js';
import type { TracebackEffect, TracebackView } from '../traceback/lifecycle/traceback-view.js';

/**
 * Writes the request by which a provider is asked.
 * @param tracebackId - of which traceback
 * @param effect - what the lifecycle wants to be asked
 * @param made - what the opening stated, the call as this provider knows it, the provider, and both times in milliseconds since the epoch
 * @see viewTraceback, which says when it is due
 */
export function tracebackRequest(
  tracebackId: string,
  { requestId, direction, hop, downstream }: Extract<TracebackEffect, { readonly type: 'ask-provider' }>,
  made: {
    readonly opening: Pick<TracebackOpening, 'campaign' | 'comment'> & { readonly requester: Requester };
    readonly call: RequestedCall;
    readonly provider: ProviderReference;
    readonly issuedAtMs: number;
    readonly dueAtMs: number;
  },
): TracebackRequest {
  const { requester, campaign, comment } = made.opening;
  return {
    format: 'hopback.traceback-request.1',
    requestId,
    tracebackId,
    direction,
    hop,
    requester,
    issuedAt: iso(made.issuedAtMs),
    dueAt: iso(made.dueAtMs),
    provider: made.provider,
    ...(downstream !== undefined && { downstream }),
    ...(campaign !== undefined && { campaign }),
    call: made.call,
    ...(comment !== undefined && { comment }),
  };
}

/** A request as its provider sees it. Derives the state from acknowledgement, cancellation and answers, which are in the order of revisions. */
export function requestStatus({ request, ...known }: Omit<TracebackRequestStatus, 'state'>): TracebackRequestStatus {
  const open = known.acknowledgedAt === undefined ? 'open' : 'acknowledged';
  const unanswered = known.cancelled === undefined ? open : 'cancelled';
  return { request, state: known.answers.length > 0 ? 'answered' : unanswered, ...known };
}

/** Why a new answer is refused: it belongs to another request, the request was cancelled, or its revision is not the next one. */
export function answerRefusal(
  { requestId, tracebackId, revision, amends }: TracebackAnswer,
  asked: {
    readonly requestId: string;
    readonly tracebackId: string;
    readonly isCancelled: boolean;
    /** The answer that counts up to now. */
    readonly last: { readonly answerId: string; readonly revision: number } | undefined;
  },
): PlatformProblem | undefined {
  if (requestId !== asked.requestId || tracebackId !== asked.tracebackId)
    return problemAnswer('answer-mismatch', { detail: 'The answer is of another request.' });
  if (asked.isCancelled) return problemAnswer('request-cancelled');
  const isNext = revision === (asked.last?.revision ?? 0) + 1 && amends?.answerId === asked.last?.answerId;
  return isNext ? undefined : problemAnswer('answer-out-of-sequence');
}

/** The problem for an answer that names another company than its signer, or mixes two companies. */
export function partyProblem({ pointer, detail }: NonNullable<ReturnType<typeof answerPartyFault>>): PlatformProblem {
  const errors = [{ pointer: `/answer${pointer}`, code: 'contradiction' }] as const;
  return problemAnswer('answer-mismatch', { detail, errors });
}

/** What the receipt for an answer states. */
export function answerReceipt({
  answer: { requestId, tracebackId, answerId, revision },
  sha256,
  receivedAt,
  isLate,
}: Pick<AnswerReceipt, 'receivedAt' | 'isLate'> & {
  readonly answer: TracebackAnswer;
  /** Of the JWS, lower-case hex. */
  readonly sha256: string;
}): AnswerReceipt {
  const about = { requestId, tracebackId, answerId, revision, answerSha256: sha256 };
  return { format: 'hopback.answer-receipt.1', ...about, receivedAt, isLate };
}

/** What is known of a request in addition to the state of the traceback. */
export interface RequestFacts {
  readonly requestId: string;
  readonly issuedAtMs: number;
  readonly dueAtMs: number;
  readonly lastAnswer?: { readonly answerId: string; readonly receivedAtMs: number };
}

/** A traceback with all that is shown of it to anybody. */
export interface TracebackFacts {
  readonly tracebackId: string;
  readonly direction: 'back' | 'forward';
  readonly view: TracebackView;
  readonly requester: Requester;
  readonly campaign?: RequestedCampaign;
  readonly call: RequestedCall;
  readonly openedAtMs: number;
  readonly updatedAtMs: number;
  readonly requests: ReadonlyMap<string, RequestFacts>;
}

/**
 * Who looks.
 * - `staff` sees all
 * - `provider` sees its own hops, who sent it the call and whom it named, and the call as its own request describes it
 * - `opener` sees its own opening and the state of the traceback, but no hops
 * - `agency` is an opener whose reviewed demand covers the traceback, so that it sees all hops
 */
export type TracebackViewer =
  | { readonly kind: 'staff' | 'agency' | 'opener' }
  | {
      readonly kind: 'provider';
      readonly providerId: string;
      /** The call of its own request, or what it stated itself where it opened the traceback. */
      readonly askedCall: RequestedCall;
      readonly isOpener: boolean;
    };

/** Longest chain that crosses the wire: the oldest hops are shown where amended answers left more. */
const MAX_SHOWN_HOPS = 64;

/**
 * Prepares the hops of a traceback once, to show it to several viewers. Details of a hand-off are for its two sides, for staff, and for agencies
 * whose reviewed demand covers the traceback.
 * @returns a function that makes the wire form for a viewer; never throws
 */
export function shownTraceback(facts: TracebackFacts): (viewer: TracebackViewer) => Traceback {
  const { tracebackId, direction, view, requester, campaign, openedAtMs, updatedAtMs } = facts;
  const hops = allHops(facts);
  return (viewer) => {
    const asked = viewer.kind === 'provider' && !viewer.isOpener ? viewer : undefined;
    // What a traceback has come to at one provider is that provider's business, and not that of those downstream of it.
    const showsOutcome = asked === undefined || view.outcome?.provider?.providerId === asked.providerId;
    return {
      format: 'hopback.traceback.1',
      tracebackId,
      direction,
      ...standing(facts, { showsOutcome }),
      requester,
      ...(campaign !== undefined && { campaign }),
      call: asked?.askedCall ?? facts.call,
      openedAt: iso(openedAtMs),
      updatedAt: iso(updatedAtMs),
      hops: hopsFor(hops, viewer).slice(0, MAX_SHOWN_HOPS),
    };
  };
}

function standing(
  { view, updatedAtMs }: TracebackFacts,
  { showsOutcome }: { readonly showsOutcome: boolean },
): Pick<Traceback, 'state' | 'outcome' | 'closedAt'> {
  const { status, outcome } = view;
  const reached = outcome === undefined || !showsOutcome ? {} : { outcome: outcome.kind };
  if (status === 'cancelled') return { state: 'withdrawn', closedAt: iso(updatedAtMs) };
  if (status !== 'closed' && status !== 'concluded') return { state: 'open', ...reached };
  return { state: 'closed', ...reached, closedAt: iso(updatedAtMs) };
}

function hopsFor(hops: readonly TracebackHop[], viewer: TracebackViewer): readonly TracebackHop[] {
  if (viewer.kind !== 'provider') return viewer.kind === 'opener' ? [] : hops;
  const { providerId } = viewer;
  return hops.flatMap((hop): TracebackHop[] => {
    if (hop.provider.providerId === providerId) return [hop];
    // This hop names the viewer as its upstream.
    if (hop.upstream?.providerId === providerId) return [handOver(hop)];
    // The viewer named this hop as its upstream.
    const isNamed = hops.some(
      (own) =>
        own.provider.providerId === providerId &&
        own.upstream?.providerId !== undefined &&
        own.upstream.providerId === hop.provider.providerId &&
        own.hop + 1 === hop.hop,
    );
    return isNamed ? [withoutAnswer(hop)] : [];
  });
}

/** What both sides of a hand-off know: who sent the call to whom. What was done about the customer is between the provider and staff. */
function handOver({ customerAction: _action, ...hop }: TracebackHop): TracebackHop {
  return hop;
}

/** That a provider was asked, and not what it says of those beyond it. */
function withoutAnswer(hop: TracebackHop): TracebackHop {
  const { upstream: _upstream, arm: _arm, answerId: _id, customerAction: _action, ...rest } = hop;
  return rest;
}

function allHops(facts: TracebackFacts): readonly TracebackHop[] {
  return [...facts.view.path, ...facts.view.left]
    .flatMap((hop) => {
      const request = facts.requests.get(hop.requestId);
      return hop.state === 'planned' || hop.provider === undefined
        ? []
        : [hopOf(hop, hop.state, { provider: hop.provider, request })];
    })
    .sort((one, other) => one.hop - other.hop);
}

function hopOf(
  { hop, requestId, current }: TracebackView['path'][number],
  state: TracebackHopState,
  { provider, request }: { readonly provider: ProviderReference; readonly request: RequestFacts | undefined },
): TracebackHop {
  const customerAction = current?.callerAction ?? current?.upstreamAction;
  // Members are set one by one for speed: each traceback is shown to several viewers.
  const shown: { -readonly [Name in keyof TracebackHop]: TracebackHop[Name] } = { hop, requestId, provider, state };
  if (request !== undefined) {
    shown.issuedAt = iso(request.issuedAtMs);
    shown.dueAt = iso(request.dueAtMs);
  }
  if (request?.lastAnswer !== undefined) {
    shown.answeredAt = iso(request.lastAnswer.receivedAtMs);
    shown.answerId = request.lastAnswer.answerId;
  }
  if (current !== undefined) shown.arm = current.arm;
  if (current?.upstream !== undefined) shown.upstream = current.upstream;
  if (customerAction !== undefined) shown.customerAction = customerAction;
  return shown;
}

function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}
