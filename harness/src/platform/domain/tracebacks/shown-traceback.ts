import type { Traceback, TracebackHop, TracebackHopState } from '@hopback/sdk/platform';
import type {
  HopView,
  ProviderReference,
  RequestedCall,
  RequestedCampaign,
  Requester,
  TracebackView,
} from '@hopback/sdk/traceback';

/** What is known of a request beside what the course of the traceback says. */
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
 * - `provider` sees its own hops, of the hops beside them those who took part in the hand-over, and of the call what it was asked itself
 * - `opener` sees what it said itself, and how far it is; no hop, as those are not its own
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
 * A traceback as it is shown to somebody. Hand-off details are for the two sides of the hand-off, and for staff.
 * @returns the wire form; never throws
 */
export function shownTraceback(facts: TracebackFacts, viewer: TracebackViewer): Traceback {
  return shownFor(facts, allHops(facts), viewer);
}

/** The same for one after the other: a traceback that concludes is shown to all whom it concerns, of the same hops. */
export function shownToEach(facts: TracebackFacts): (viewer: TracebackViewer) => Traceback {
  const hops = allHops(facts);
  return (viewer) => shownFor(facts, hops, viewer);
}

function shownFor(facts: TracebackFacts, hops: readonly TracebackHop[], viewer: TracebackViewer): Traceback {
  const { tracebackId, direction, requester, campaign, openedAtMs, updatedAtMs } = facts;
  const asked = viewer.kind === 'provider' && !viewer.isOpener ? viewer : undefined;
  const showsOutcome = asked === undefined || isOutcomeOf(facts, asked.providerId);
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
}

/** What a traceback has come to at one provider is that provider's business, and not that of those downstream of it. */
function isOutcomeOf({ view }: TracebackFacts, providerId: string): boolean {
  return view.outcome?.provider?.providerId === providerId;
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
    // Who names the viewer as the one that it had the call from.
    if (hop.upstream?.providerId === providerId) return [handOver(hop)];
    // Whom the viewer names.
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

/** What both sides of a hand-over know: who sent the call to whom. What was done about the customer is between the provider and staff. */
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
  { hop, requestId, current }: HopView,
  state: TracebackHopState,
  { provider, request }: { readonly provider: ProviderReference; readonly request: RequestFacts | undefined },
): TracebackHop {
  const customerAction = current?.callerAction ?? current?.upstreamAction;
  // One after the other: a traceback is shown to half a dozen of those whom it concerns.
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
