import type { CallRecord } from '../../core/call-record.js';
import type { TrunkParty } from '../trunk-directory.js';
import { inOrder } from './crossing.js';
import type { Crossing } from './crossing.js';
import { differ, hasParty, isSameSide } from './hop-parties.js';
import type { HopParties } from './hop-parties.js';

/** Two sources that saw the same INVITE write it down within this, microseconds: their clocks, and a process that was busy. */
export const SAME_LEG_US = 5_000_000;

/** The own switch that a call was handed to has it within this, microseconds: SIP gives an INVITE up after 32 s. RFC 3261 section 17.1.1.2 */
export const HAND_OVER_US = 32_000_000;

/** Who tries another route does so as soon as the first one failed, microseconds. */
export const ROUTE_ADVANCE_US = 10_000_000;

/**
 * Joins passages that are one call. Each rule joins only what has the same upstream, or none of its own; and what is joined by way of such a
 * passage to two upstreams is theirs apart, so that joining never changes whom an answer names. Proxies leave a Call-ID as it came: calls of two
 * upstreams that tried one after the other may have the same. Never throws.
 * @param crossings - by time
 */
export function linkCrossings(crossings: readonly Crossing[], parties: HopParties): readonly Crossing[] {
  const senders = crossings.map((crossing) => sendersOf(crossing, parties));
  const sender = senders.map((known) => known.find((party) => party !== undefined));
  const repeated = [...repeats(crossings, parties)];
  const links = [...handOvers(crossings, parties), ...repeated];
  // Another source that wrote down the same leg as one that knows who sent it need not know.
  const isTold = new Set(
    repeated.flatMap(([one, other]) => [
      ...(sender[one] === undefined ? [] : [other]),
      ...(sender[other] === undefined ? [] : [one]),
    ]),
  );
  const unclear = new Set<number>();
  for (const places of joinedBy(links, crossings.length)) {
    const [first, ...others] = places
      .filter((at) => sender[at] !== undefined || !isTold.has(at))
      .flatMap((at) => senders[at] ?? []);
    const isOne = others.every((other) => parties.areSame(first, other));
    const silent = places.filter((at) => sender[at] === undefined && isTold.has(at));
    if (
      !isOne ||
      silent.some((at) =>
        hasOtherTrunk(
          crossings[at],
          places.map((place) => crossings[place]),
        ),
      )
    )
      for (const at of places) unclear.add(at);
  }
  const kept = links.filter(([one, other]) => !unclear.has(one) || parties.areSame(sender[one], sender[other]));
  return joinedBy(kept, crossings.length).flatMap((places) => {
    const [first, ...others] = places.flatMap((at) => crossings[at] ?? []);
    return first === undefined ? [] : [inOrder([first, ...others])];
  });
}

/** Whether a passage of which nobody knows who sent it came by a trunk of another name than one that it would be joined with. */
function hasOtherTrunk(silent: Crossing | undefined, joined: readonly (Crossing | undefined)[]): boolean {
  const others = joined.flatMap((crossing) => crossing ?? []);
  return (silent ?? []).some(({ ingress }) =>
    others.some(
      (other) => differ(ingress.trunk, other.ingress.trunk) || differ(ingress.provider, other.ingress.provider),
    ),
  );
}

/** Places that links join, in order. */
function joinedBy(links: readonly Link[], size: number): readonly (readonly number[])[] {
  const rootOf = Array.from({ length: size }, (_, at) => at);
  const root = (at: number): number => {
    let up = at;
    while (rootOf[up] !== up) up = rootOf[up] ?? up;
    return up;
  };
  for (const [one, other] of links) rootOf[root(other)] = root(one);
  const joined = new Map<number, number[]>();
  for (const at of rootOf.keys()) {
    const key = root(at);
    joined.set(key, [...(joined.get(key) ?? []), at]);
  }
  return [...joined.values()];
}

/** Places of two passages that are one call. */
type Link = readonly [number, number];

/** From one own switch to another: the Call-ID between them is on both records. */
function* handOvers(crossings: readonly Crossing[], parties: HopParties): Generator<Link> {
  const takenOver = new Map<string, { readonly at: number; readonly inviteAtUs: number }[]>();
  for (const [at, crossing] of crossings.entries()) {
    for (const leg of crossing) {
      const { callId } = leg.ingress;
      if (callId === undefined || !parties.isOwn(parties.upstreamOf(leg))) continue;
      takenOver.set(callId, [...(takenOver.get(callId) ?? []), { at, inviteAtUs: leg.inviteAtUs }]);
    }
  }
  for (const [from, crossing] of crossings.entries()) {
    for (const leg of crossing) {
      const next = leg.egress.callId === undefined ? undefined : takenOver.get(leg.egress.callId);
      if (next === undefined || !parties.isOwn(parties.downstreamOf(leg))) continue;
      for (const { at, inviteAtUs } of next)
        if (Math.abs(inviteAtUs - leg.inviteAtUs) <= HAND_OVER_US) yield [from, at];
    }
  }
}

/** The same leg in two sources, and another try of the same upstream: calls of the same pair of numbers, one soon after the other. */
function* repeats(crossings: readonly Crossing[], parties: HopParties): Generator<Link> {
  const ofPair = new Map<string, number[]>();
  for (const [at, crossing] of crossings.entries()) {
    for (const pair of new Set(crossing.map(pairOf))) {
      if (pair !== undefined) ofPair.set(pair, [...(ofPair.get(pair) ?? []), at]);
    }
  }
  for (const places of ofPair.values()) {
    for (const [index, at] of places.entries()) {
      const earlier = crossings[at];
      if (earlier === undefined) continue;
      const reachUs = reachOf(earlier);
      for (let place = index + 1; place < places.length; place += 1) {
        const next = places[place] ?? at;
        const later = crossings[next];
        if (later === undefined || later[0].inviteAtUs > reachUs) break;
        if (isSameLegTwice(earlier, later, parties) || isRouteAdvance(earlier, later, parties)) yield [at, next];
      }
    }
  }
}

/** Until when another passage may begin that is the same call. */
function reachOf(crossing: Crossing): number {
  return crossing.reduce(
    (latest, { inviteAtUs, endedAtUs }) =>
      Math.max(latest, inviteAtUs + SAME_LEG_US, (endedAtUs ?? inviteAtUs) + ROUTE_ADVANCE_US),
    0,
  );
}

/** Numbers of a leg; of callers who are not shown it says nothing that they are all one. */
function pairOf({ called, calling }: CallRecord): string | undefined {
  return called?.tn === undefined ? undefined : `${called.tn} ${calling?.tn ?? ''}`;
}

/** Two sources, such as a switch and a capture, wrote down the same leg under names of their own. */
function isSameLegTwice(earlier: Crossing, later: Crossing, parties: HopParties): boolean {
  return earlier.some((one) =>
    later.some(
      (other) =>
        one.source.id !== other.source.id &&
        Math.abs(other.inviteAtUs - one.inviteAtUs) <= SAME_LEG_US &&
        isSamePair(one, other) &&
        hasSameUpstream(one, other, parties) &&
        !differ(one.ingress.callId, other.ingress.callId) &&
        (one.calling?.tn !== undefined || isOneCallId(one, other)),
    ),
  );
}

/** The same upstream, whose first try came to nothing, comes by another route at once. */
function isRouteAdvance(earlier: Crossing, later: Crossing, parties: HopParties): boolean {
  if (earlier.some(({ answeredAtUs }) => answeredAtUs !== undefined)) return false;
  if (earlier.every(({ calling }) => calling?.tn === undefined)) return false;
  const endUs = Math.max(...earlier.map(({ endedAtUs, inviteAtUs }) => endedAtUs ?? inviteAtUs));
  const waitedUs = later[0].inviteAtUs - endUs;
  if (waitedUs < 0 || waitedUs > ROUTE_ADVANCE_US) return false;
  return parties.areSame(senderOf(earlier, parties), senderOf(later, parties));
}

/** Who sent a passage, by whichever of its legs says so. */
function senderOf(crossing: Crossing | undefined, parties: HopParties): TrunkParty | undefined {
  return sendersOf(crossing, parties).find((party) => party !== undefined);
}

/** Who sent the legs of a passage that came from outside: undefined for each of which nobody knows. */
function sendersOf(crossing: Crossing | undefined, parties: HopParties): readonly (TrunkParty | undefined)[] {
  const cameIn = crossing?.filter(({ ingress }) => hasParty(ingress)) ?? [];
  return cameIn.map(parties.upstreamOf).filter((party) => !parties.isOwn(party));
}

/** Of one upstream that is known, or by a Call-ID that both have and nothing that they do not. */
function hasSameUpstream(one: CallRecord, other: CallRecord, parties: HopParties): boolean {
  const [first, second] = [parties.upstreamOf(one), parties.upstreamOf(other)];
  if (first !== undefined && second !== undefined) return parties.areSame(first, second);
  return isOneCallId(one, other) && isSameSide(one.ingress, other.ingress);
}

function isOneCallId({ ingress }: CallRecord, other: CallRecord): boolean {
  return ingress.callId !== undefined && ingress.callId === other.ingress.callId;
}

function isSamePair(one: CallRecord, other: CallRecord): boolean {
  const pair = pairOf(one);
  return pair !== undefined && pair === pairOf(other);
}
