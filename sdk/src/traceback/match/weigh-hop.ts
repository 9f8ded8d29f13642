import type { CallRecord } from '../../core/call-record.js';
import type { ProviderReference } from '../../core/traceback-request.js';
import type { TracebackRequest } from '../../core/traceback-request.js';
import type { DownstreamCheck, MatchReason } from '../match-outcome.js';
import type { TrunkParty } from '../trunk-directory.js';
import type { Crossing } from './crossing.js';
import { hasParty } from './hop-parties.js';
import type { HopParties } from './hop-parties.js';
import { reasonOf } from './match-weights.js';

/** By which legs a call came in and went on, and whether it went to whoever named us. */
export interface HopWeighed {
  readonly ingressLeg: CallRecord;
  readonly egressLeg?: CallRecord;
  readonly upstream?: TrunkParty;
  readonly downstream: DownstreamCheck;
  readonly reason: MatchReason;
}

/**
 * Finds by which legs a call came in and went on, and holds whom it was sent to against whom the request names. Never throws.
 * @param legs - by time
 * @param request - with the downstream hop that named the asked provider; at the first hop there is none
 */
export function weighHop(
  legs: Crossing,
  { hop: place, downstream: named }: Pick<TracebackRequest, 'hop' | 'downstream'>,
  parties: HopParties,
): HopWeighed {
  const isNamed = (leg: CallRecord): boolean =>
    named !== undefined && parties.isProvider(parties.downstreamOf(leg), named);
  const onwards = legs.filter((leg) => hasParty(leg.egress) && !parties.isOwn(parties.downstreamOf(leg)));
  const egressLeg = bestOf(onwards, isNamed);
  const fromOutside = legs.filter((leg) => hasParty(leg.ingress) && !parties.isOwn(parties.upstreamOf(leg)));
  // Of what several sources wrote down one may not say who sent it.
  const told = fromOutside.filter((leg) => parties.upstreamOf(leg) !== undefined);
  const cameIn = told.length > 0 ? told : fromOutside;
  const ingressLeg = bestOf(cameIn, (leg) => leg === egressLeg) ?? legs.find((leg) => hasParty(leg.ingress)) ?? legs[0];
  const upstream = parties.upstreamOf(ingressLeg);
  const hop: Sending = { onwards, parties };
  const isFirst = named === undefined && place <= 1;
  const downstream =
    named !== undefined ? sendingOf(legs, named, hop) : isFirst ? deliveryOf(legs, hop) : 'unknown-egress';
  const recorded =
    egressLeg === undefined
      ? undefined
      : (egressLeg.egress.provider ?? egressLeg.egress.trunk ?? egressLeg.egress.address);
  return {
    ingressLeg,
    ...(egressLeg === undefined ? {} : { egressLeg }),
    ...(upstream === undefined ? {} : { upstream }),
    downstream,
    reason: reasonOf('downstream', VERDICTS[downstream], {
      stated: named?.name ?? (isFirst ? 'the first hop' : undefined),
      recorded,
    }),
  };
}

const VERDICTS: Readonly<Record<DownstreamCheck, MatchReason['verdict']>> = {
  'sent-to-downstream': 'equal',
  'delivered-here': 'equal',
  'unknown-egress': 'absent',
  'sent-elsewhere': 'contradicts',
  'not-delivered-here': 'contradicts',
};

/** The leg that is preferred, else the one that was answered, else the last: what was tried before came to nothing. */
function bestOf(legs: readonly CallRecord[], isPreferred: (leg: CallRecord) => boolean): CallRecord | undefined {
  return (
    legs.findLast((leg) => isPreferred(leg) && leg.answeredAtUs !== undefined) ??
    legs.findLast(isPreferred) ??
    legs.findLast(({ answeredAtUs }) => answeredAtUs !== undefined) ??
    legs.at(-1)
  );
}

/** Of a call that some other provider says it had from us. What was refused here went to nobody. */
function sendingOf(legs: readonly CallRecord[], named: ProviderReference, hop: Sending): DownstreamCheck {
  const { onwards, parties } = hop;
  const isAnother = (leg: CallRecord): boolean => parties.isAnother(parties.downstreamOf(leg), named);
  if (onwards.some((leg) => parties.isProvider(parties.downstreamOf(leg), named))) return 'sent-to-downstream';
  if (onwards.length === 0) return legs.every(isRefused) ? 'sent-elsewhere' : 'unknown-egress';
  return onwards.every(isAnother) && isTold(legs, parties) ? 'sent-elsewhere' : 'unknown-egress';
}

/** Of a call at whose end the asked provider stands itself. What was refused here came no further either. */
function deliveryOf(legs: readonly CallRecord[], { onwards, parties }: Sending): DownstreamCheck {
  if (onwards.some((leg) => parties.downstreamOf(leg)?.kind === 'customer')) return 'delivered-here';
  if (onwards.length === 0) return legs.every(isRefused) ? 'delivered-here' : 'unknown-egress';
  const isKnown = onwards.every((leg) => parties.downstreamOf(leg) !== undefined);
  return isKnown && isTold(legs, parties) ? 'not-delivered-here' : 'unknown-egress';
}

interface Sending {
  /** Legs that went on, to somebody else or to nobody knows whom. */
  readonly onwards: readonly CallRecord[];
  readonly parties: HopParties;
}

/** Whether it is on record where each leg went: what was handed to another own switch went on from there. */
function isTold(legs: readonly CallRecord[], parties: HopParties): boolean {
  const takenOver = legs.filter((leg) => parties.isOwn(parties.upstreamOf(leg)));
  return legs.every((leg) => {
    if (!hasParty(leg.egress)) return hasParty(leg.ingress) || leg.customerId !== undefined || isRefused(leg);
    if (!parties.isOwn(parties.downstreamOf(leg))) return true;
    return takenOver.some(({ ingress }) => isOneCallId(leg.egress.callId, ingress.callId));
  });
}

/** Not every switch writes down the Call-IDs of both sides. */
function isOneCallId(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

function isRefused({ disposition, blockedBy }: CallRecord): boolean {
  return disposition === 'blocked' || blockedBy !== undefined;
}
