import type { ProviderReference } from '../../core/traceback-request.js';
import type { CallDifference } from '../asked-call.js';
import { denies } from './hop-standing.js';
import { hopOnPath, namedRequest, reportsTo } from './named-upstream.js';
import { isSameProvider } from './provider-identity.js';
import type { TracedHop } from './traced-hop.js';
import type { TracedPath } from './trace-path.js';
import type { FactOf } from './traceback-state.js';

/** Two statements that cannot both be true. Which one is false is not said: that is for people. */
export interface TracebackDispute {
  /** For the event that decides it. */
  readonly disputeId: string;
  readonly kind:
    /** One names the other, who says that the call was none of its own, or was not sent there; or one denies the record that it shared itself. */
    | 'denied'
    /** One names another, and a third says that the call came from it. */
    | 'neighbour-contradicts'
    /** An answer discloses another call than its request was about: whom it names is left out. */
    | 'other-call';
  /** Of the hop that names. */
  readonly requestId: string;
  /** Who says from whom it had the call. */
  readonly downstream?: ProviderReference;
  /** Whom it names. */
  readonly upstream?: ProviderReference;
  /** The third. */
  readonly neighbour?: ProviderReference;
  /** Answers and reports that contradict each other. */
  readonly statements: readonly string[];
  /** Of an `other-call` dispute: in what the disclosed call differs. */
  readonly differsIn?: readonly CallDifference[];
  /** What a person decided. */
  readonly ruling?: FactOf<'ruling'>;
}

/** All contradictions between statements about the hops that a traceback leads over. */
export function disputesOf({ hops, facts }: TracedPath): readonly TracebackDispute[] {
  // Somebody denies or answers about another call, or a third reports.
  if (!facts.isDenied && facts.reports.length === 0) return [];
  return hops.flatMap((hop) => {
    const found = [...denialOf(hop, facts), ...otherCallOf(hop), ...contradictionsOf(hop, facts)];
    return found.map((dispute): TracebackDispute => {
      const ruling = facts.rulings.get(dispute.disputeId);
      return ruling === undefined ? dispute : { ...dispute, ruling };
    });
  });
}

type Facts = TracedPath['facts'];

function denialOf(hop: TracedHop, facts: Facts): readonly TracebackDispute[] {
  const named = namedRequest(hop, facts);
  // A neighbour may say that it sent the call, and when it is asked that it did not; as may who shared a record of it.
  const saidSo = hop.namedBy === 'neighbour' || hop.namedBy === 'start';
  const asked = named !== undefined ? hopOnPath(named, facts) : saidSo ? hop : undefined;
  if (asked === undefined || !denies(asked) || asked.current === undefined) return [];
  return [
    {
      disputeId: `denied:${asked.requestId}`,
      kind: 'denied',
      requestId: asked.fromRequestId ?? hop.requestId,
      ...(asked.downstream !== undefined && { downstream: asked.downstream }),
      ...(asked.provider !== undefined && { upstream: asked.provider }),
      statements: [...(asked.basedOn === undefined ? [] : [asked.basedOn]), asked.current.id],
    },
  ];
}

function otherCallOf({ requestId, provider, basedOn, current }: TracedHop): readonly TracebackDispute[] {
  if (current?.otherCall === undefined) return [];
  return [
    {
      // An amended answer makes another dispute, which the ruling on this one does not decide.
      disputeId: `other-call:${requestId}:${current.id}`,
      kind: 'other-call',
      requestId,
      ...(provider !== undefined && { downstream: provider }),
      statements: [...(basedOn === undefined ? [] : [basedOn]), current.id],
      differsIn: current.otherCall,
    },
  ];
}

function contradictionsOf(hop: TracedHop, facts: Facts): readonly TracebackDispute[] {
  const named = namedRequest(hop, facts);
  const { provider, current } = hop;
  if (named === undefined || provider === undefined || current === undefined) return [];
  return reportsTo(hop, facts)
    .filter((report) => named.provider === undefined || !isSameProvider(report.provider, named.provider))
    .map((report) => ({
      disputeId: `contradicted:${hop.requestId}:${report.id}`,
      kind: 'neighbour-contradicts',
      requestId: hop.requestId,
      downstream: provider,
      ...(named.provider !== undefined && { upstream: named.provider }),
      neighbour: report.provider,
      statements: [current.id, report.id],
    }));
}
