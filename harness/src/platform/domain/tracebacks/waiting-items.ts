import type { CallDifference, ProviderReference, TracebackView } from '@hopback/sdk/traceback';

/** Something in a traceback that waits for a person of the traceback group. */
export type WaitingItem =
  /** The traceback got no further: a person can name a neighbour, or take the outcome as it is. */
  | {
      readonly kind: 'stalled';
      readonly outcome: string;
      readonly outcomeKey: string;
      readonly requestId: string;
      readonly provider?: ProviderReference;
    }
  /** Two statements contradict each other, or an answer discloses another call than it was asked about. */
  | {
      readonly kind: 'dispute';
      readonly disputeId: string;
      readonly requestId: string;
      readonly parties: readonly ProviderReference[];
      readonly statements: readonly string[];
      /** Where an answer discloses another call than it was asked about: in what it differs. */
      readonly differsIn?: readonly CallDifference[];
    }
  /** Somebody was named that no registry has. */
  | { readonly kind: 'unidentified'; readonly requestId: string; readonly name: string }
  /** Several say that they sent the call. */
  | { readonly kind: 'neighbours'; readonly requestId: string }
  /** A deadline has passed. */
  | { readonly kind: 'overdue'; readonly requestId: string; readonly provider?: ProviderReference };

/**
 * What in a traceback waits for a person. It follows from where the traceback stands, so that it is gone as soon as it is settled, by whatever.
 * @returns the items, in the order of the path; never throws
 */
export function waitingItems({ status, outcome, path, disputes }: TracebackView): readonly WaitingItem[] {
  if (status === 'cancelled') return [];
  const items: WaitingItem[] = path.flatMap((hop): WaitingItem[] => {
    const { requestId, provider, contact, state } = hop;
    if (state === 'planned' && provider === undefined)
      return [{ kind: 'unidentified', requestId, name: contact?.name ?? '' }];
    return state === 'overdue' ? [{ kind: 'overdue', requestId, ...(provider !== undefined && { provider }) }] : [];
  });
  for (const { disputeId, requestId, downstream, upstream, neighbour, statements, differsIn, ruling } of disputes) {
    if (ruling !== undefined) continue;
    const parties = [downstream, upstream, neighbour].filter((party) => party !== undefined);
    const why = differsIn === undefined ? {} : { differsIn };
    items.push({ kind: 'dispute', disputeId, requestId, parties, statements, ...why });
  }
  if (outcome === undefined || outcome.isFinal) return items;
  const { kind, key, requestId, provider } = outcome;
  items.push(
    kind === 'several-neighbours'
      ? { kind: 'neighbours', requestId }
      : { kind: 'stalled', outcome: kind, outcomeKey: key, requestId, ...(provider !== undefined && { provider }) },
  );
  return items;
}
