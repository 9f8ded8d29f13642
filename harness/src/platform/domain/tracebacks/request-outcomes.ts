import type { HopView, TracebackView } from '@hopback/sdk/traceback';

/** Which part a provider had in a call, as far as a traceback has come to something. */
export type RequestRole = 'origin' | 'point-of-entry' | 'transit' | 'terminating';

/**
 * Which part the provider of a hop had in the call: by its own word, and for the gateway also by that of the outcome. Undefined while the
 * traceback has come to nothing, or where a statement is contested.
 * @returns the role; never throws
 */
export function requestRole(hop: HopView, view: TracebackView): RequestRole | undefined {
  if (view.outcome === undefined || isDisputedHop(hop, view)) return undefined;
  if (hop.role === 'origin' || hop.role === 'point-of-entry') return hop.role;
  const { outcome } = view;
  const isGateway = outcome.kind === 'foreign-provider' && view.path.at(-2)?.requestId === hop.requestId;
  if (isGateway) return 'point-of-entry';
  if (hop.role !== 'transit') return undefined;
  return hop.hop === 1 ? 'terminating' : 'transit';
}

/** Whether a statement of the hop and one of a neighbour contradict each other, and nobody has decided it for the hop. */
export function isDisputedHop({ requestId }: HopView, { disputes, path, left }: TracebackView): boolean {
  return disputes.some((dispute) => {
    const asked = [...path, ...left].find((hop) => `denied:${hop.requestId}` === dispute.disputeId);
    const isParty = dispute.requestId === requestId || asked?.requestId === requestId;
    if (!isParty) return false;
    const ruling = dispute.ruling?.ruling;
    if (ruling === undefined || ruling === 'undecided') return true;
    const isDownstream = dispute.requestId === requestId && asked?.requestId !== requestId;
    return isDownstream ? ruling !== 'downstream-stands' : ruling !== 'upstream-stands';
  });
}
