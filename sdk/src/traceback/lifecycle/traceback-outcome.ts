import type { ContactDetails, ProviderReference } from '../../core/traceback-request.js';
import type { CustomerAction } from '../../core/traceback-request.js';
import type { TracebackDispute } from './disputes.js';
import { isForeignEntry, isOpen, roleOf } from './hop-standing.js';
import type { TracedHop } from './traced-hop.js';
import type { PathEnd, TracedPath } from './trace-path.js';

/** What a traceback has come to. */
export type OutcomeKind =
  /** The provider says itself that the call began at it. ORG */
  | 'origin'
  /** The provider says itself that the call entered the United States at it. POE */
  | 'point-of-entry'
  /** The provider that was named is a foreign one: who named it says that it took the call from abroad. */
  | 'foreign-provider'
  /** It did not answer. NR */
  | 'non-responsive'
  /** The first provider has no such call, although its records of that time are complete. */
  | 'no-record'
  | 'number-not-ours'
  | 'not-retained'
  | 'ambiguous'
  | 'refused'
  /** Two statements contradict each other. Nobody is accused. */
  | 'disputed'
  /** Somebody was named that no registry has. */
  | 'unlisted-provider'
  /** The provider is listed and cannot be asked; also a foreign one that says itself to whom it sent the call. */
  | 'not-askable'
  /** Several providers say that they sent the call to the one that is silent. */
  | 'several-neighbours'
  | 'loop'
  | 'too-many-hops'
  /** Trace forward: the number is served here. */
  | 'serves-number';

/** What a traceback has come to, at which provider, and on whose word. */
export interface TracebackOutcome {
  readonly kind: OutcomeKind;
  /** Another one for every other outcome, so that each is told of once. */
  readonly key: string;
  /**
   * Whether there is nothing more to come: a provisional outcome waits for a correction, a neighbour or a person, until it is accepted or the time
   * for that is over.
   */
  readonly isFinal: boolean;
  /** Of the hop at which it was reached. */
  readonly requestId: string;
  readonly provider?: ProviderReference;
  /** Of a foreign or unlisted provider. */
  readonly contact?: ContactDetails;
  /** Who took the call from a foreign provider. */
  readonly gateway?: ProviderReference;
  /** Whether the origin said who called, and what it did about it. */
  readonly caller?: { readonly isIdentified: boolean; readonly action?: CustomerAction };
  /** Why it was refused. */
  readonly reason?: string;
  readonly disputeId?: string;
  /** Answers and reports that it rests upon. */
  readonly statements: readonly string[];
  readonly because: string;
}

/** What a hop is in the course of the call, for the record of its provider. */
export type HopRole = OutcomeKind | 'transit' | 'open' | 'withdrawn';

/** What an outcome means, in words. */
export interface OutcomeText {
  /** Whether the traceback is over with it. */
  readonly isFinal: boolean;
  readonly because: string;
}

/** Each outcome, whether it ends the traceback, and what it means. */
export const OUTCOMES: Readonly<Record<OutcomeKind, OutcomeText>> = {
  origin: { isFinal: true, because: 'The provider itself says that the call began at it.' },
  'point-of-entry': {
    isFinal: true,
    because: 'The provider itself says that the call entered the United States at it.',
  },
  'foreign-provider': {
    isFinal: true,
    because: 'The call came from a provider outside the United States, which is not asked.',
  },
  'serves-number': { isFinal: true, because: 'The provider itself says that it serves the number.' },
  'no-record': {
    isFinal: true,
    because: 'The first provider has no such call, and its records of that time are complete.',
  },
  'number-not-ours': { isFinal: true, because: 'The first provider does not serve the number that was called.' },
  'not-retained': { isFinal: true, because: 'Records of that time have been removed.' },
  'non-responsive': {
    isFinal: false,
    because: 'The provider did not answer in time. A neighbour may still name who sent the call.',
  },
  ambiguous: { isFinal: false, because: 'Several calls fit, or two answers of one revision contradict each other.' },
  refused: { isFinal: false, because: 'The provider will not answer, for the reason that it gives.' },
  disputed: {
    isFinal: false,
    because: 'Two statements contradict each other, and evidence has not decided which is false.',
  },
  'unlisted-provider': { isFinal: false, because: 'Somebody was named that no registry has.' },
  'not-askable': { isFinal: false, because: 'The provider that was named cannot be asked.' },
  'several-neighbours': {
    isFinal: false,
    because: 'Several providers say that they sent the call, and nobody has chosen whom to ask.',
  },
  loop: { isFinal: false, because: 'The answers lead round in a circle.' },
  'too-many-hops': { isFinal: false, because: 'More hops than the rules follow.' },
};

/** What the traceback has come to; undefined while an answer is still to come. */
export function outcomeOf(path: TracedPath, disputes: readonly TracebackDispute[]): TracebackOutcome | undefined {
  const tip = path.hops.at(-1);
  if (tip === undefined) return undefined;
  const kind = kindOf(tip, path.end, disputes);
  if (kind === undefined) return undefined;
  const { isFinal, because } = OUTCOMES[kind];
  const dispute = disputes.find((one) => isOwnDispute(tip, one)) ?? disputes.find((one) => isBefore(tip, one));
  const statements = [tip.basedOn, tip.current?.id].filter((id) => id !== undefined);
  const isDecided = kind === 'disputed' && dispute?.ruling !== undefined;
  const key = [kind, tip.requestId, ...statements].join(':');
  return {
    kind,
    key,
    isFinal: isFinal || path.facts.accepted.has(key) || isDecided || isWaitOver(path),
    requestId: tip.requestId,
    ...(tip.provider !== undefined && { provider: tip.provider }),
    ...saidAt(tip, path),
    ...(kind === 'disputed' && dispute !== undefined && { disputeId: dispute.disputeId }),
    statements,
    because,
  };
}

function kindOf(
  tip: TracedHop,
  end: PathEnd | undefined,
  disputes: readonly TracebackDispute[],
): OutcomeKind | undefined {
  if (end !== undefined) return end;
  const role = roleOf(tip);
  if (role === 'open' || role === 'withdrawn' || role === 'transit' || (isOpen(tip) && role !== 'unlisted-provider')) {
    return undefined;
  }
  // Of whom it is contested that the call came from it, it is not said either that it was asked in vain.
  const isContested = disputes.some(
    ({ kind, requestId, ruling }) =>
      kind === 'neighbour-contradicts' && requestId === tip.fromRequestId && ruling?.ruling !== 'downstream-stands',
  );
  return isContested && tip.current === undefined ? 'disputed' : role;
}

function isOwnDispute({ requestId }: TracedHop, dispute: TracebackDispute): boolean {
  return (
    dispute.disputeId === `denied:${requestId}` || (dispute.kind === 'other-call' && dispute.requestId === requestId)
  );
}

/** Whether a dispute is about the hop that led to this one. */
function isBefore({ fromRequestId }: TracedHop, dispute: TracebackDispute): boolean {
  return dispute.requestId === fromRequestId;
}

/** Whether nothing has come for so long that nobody waits any more. */
function isWaitOver(path: TracedPath): boolean {
  const { nowMs, state } = path.facts;
  return nowMs > lastMovedMs(path) + state.rules.closeStalledAfterMs;
}

/** When the last thing happened to a hop that the traceback leads over. */
export function lastMovedMs({ hops, facts }: TracedPath): number {
  const times = hops.flatMap(({ history, statements }) => [...history, ...statements].map(({ atMs }) => atMs));
  return Math.max(facts.state.startedAtMs, ...times);
}

function saidAt(tip: TracedHop, { hops }: TracedPath): Partial<TracebackOutcome> {
  const { current } = tip;
  const contact = current?.contact ?? tip.contact;
  const gateway = isForeignEntry(tip) ? hops.at(-2)?.provider : undefined;
  return {
    ...(contact !== undefined && { contact }),
    ...(gateway !== undefined && { gateway }),
    ...(current?.reason !== undefined && { reason: current.reason }),
    ...(current?.callerIdentified !== undefined && {
      caller: {
        isIdentified: current.callerIdentified,
        ...(current.callerAction !== undefined && { action: current.callerAction }),
      },
    }),
  };
}
