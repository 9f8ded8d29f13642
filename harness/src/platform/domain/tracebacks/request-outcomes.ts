import type { FindingArm, HopView, TracebackView } from '@hopback/sdk/traceback';
import { withoutNumbers } from './veiled-answer.js';

/** Which part a provider had in a call, as far as a traceback has come to something. */
export type RequestRole = 'origin' | 'point-of-entry' | 'transit' | 'terminating';

/** What became of a request, as far as it follows from the course of its traceback: kept beside it, so that counting reads no course. */
export interface RequestResult {
  /** Of the answer that counts. */
  readonly arm?: FindingArm;
  /** Of a refusal, without telephone numbers. */
  readonly reason?: string;
  readonly role?: RequestRole;
  readonly isDisputed: boolean;
  readonly isNonResponsive: boolean;
}

/** What is known of a request that has just been sent. */
export const NO_RESULT: RequestResult = { isDisputed: false, isNonResponsive: false };

/**
 * What became of the request of a hop.
 * @returns the result, the same for the same course; never throws
 */
export function requestResult(hop: HopView, view: TracebackView): RequestResult {
  const role = requestRole(hop, view);
  const { current, state } = hop;
  return {
    ...(current !== undefined && { arm: current.arm }),
    ...(current?.reason !== undefined && { reason: withoutNumbers(current.reason) }),
    ...(role !== undefined && { role }),
    isDisputed: isDisputedHop(hop, view),
    isNonResponsive: state === 'non-responsive',
  };
}

/** Whether two results say the same. */
export const isSameResult = (one: RequestResult, other: RequestResult): boolean =>
  one.arm === other.arm &&
  one.reason === other.reason &&
  one.role === other.role &&
  one.isDisputed === other.isDisputed &&
  one.isNonResponsive === other.isNonResponsive;

/**
 * Which part the provider of a hop had in the call: by its own word, and for the gateway also by that of the outcome. Undefined while the
 * traceback has come to nothing, or where a statement is contested.
 */
function requestRole(hop: HopView, view: TracebackView): RequestRole | undefined {
  if (view.outcome === undefined || isDisputedHop(hop, view)) return undefined;
  if (hop.role === 'origin' || hop.role === 'point-of-entry') return hop.role;
  const { outcome } = view;
  const isGateway = outcome.kind === 'foreign-provider' && view.path.at(-2)?.requestId === hop.requestId;
  if (isGateway) return 'point-of-entry';
  if (hop.role !== 'transit') return undefined;
  return hop.hop === 1 ? 'terminating' : 'transit';
}

/** Whether a statement of the hop and one of a neighbour contradict each other, and nobody has decided it for the hop. */
function isDisputedHop({ requestId }: HopView, { disputes, path, left }: TracebackView): boolean {
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
