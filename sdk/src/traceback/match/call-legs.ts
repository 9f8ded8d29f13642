import type { CallRecord, HopSide } from '../../contract/call-record.js';
import type { ProviderReference } from '../../contract/common.js';
import { grouped } from '../../core/text.js';
import type { Some } from '../../core/text.js';
import { byTime } from '../../records/store/record-store.js';
import type { RecordQuery } from '../../records/store/record-store.js';
import { differ, isOneOfGroup } from '../directory/provider-identity.js';
import type { TrunkParty } from '../directory/provider-identity.js';
import type { TrunkParties } from '../directory/trunk-directory.js';
import { MATCH_LOOKUP_LIMIT } from './plan-search.js';
import type { SearchPlan } from './plan-search.js';

/** One passage of a call through the carrier: legs by time, at least one. */
export type Crossing = Readonly<Some<CallRecord>>;

/**
 * The name of the call that a leg belongs to: the switch gave it that of its group, and another switch may give another call the same.
 */
export function groupName({ source, callGroupId }: CallRecord): string {
  return JSON.stringify([source.id, callGroupId]);
}

/** Legs by time. */
function inOrder(legs: Crossing): Crossing {
  const [first, ...others] = legs.toSorted(byTime);
  return [first ?? legs[0], ...others];
}

/** Who was at either end of a leg. */
export type HopParties = ReturnType<typeof hopParties>;

/**
 * Makes the parties of the legs of one match: the directory is asked once for each side of each leg.
 * @param own - who is asked
 */
export function hopParties(directory: TrunkParties, own: ProviderReference) {
  const upstreams = new Map<CallRecord, TrunkParty | undefined>();
  const downstreams = new Map<CallRecord, TrunkParty | undefined>();
  const known = (
    memory: Map<CallRecord, TrunkParty | undefined>,
    leg: CallRecord,
    side: HopSide,
  ): TrunkParty | undefined => {
    if (!memory.has(leg)) memory.set(leg, hasParty(side) ? directory.partyOf(side, leg.inviteAtUs) : undefined);
    return memory.get(leg);
  };
  const isProvider = (party: TrunkParty | undefined, provider: ProviderReference): boolean => {
    if (party === undefined || party.kind === 'customer') return false;
    return directory.isSame(referenceOf(party), provider);
  };
  return {
    /** Who sent it. Undefined where nobody knows, or nothing of that side is on record. */
    upstreamOf: (leg: CallRecord): TrunkParty | undefined => known(upstreams, leg, leg.ingress),
    /** Whom it was sent to. */
    downstreamOf: (leg: CallRecord): TrunkParty | undefined => known(downstreams, leg, leg.egress),
    /** Whether a party is a provider, listed or not, that a reference means. */
    isProvider,
    /** Whether a party is somebody else than a reference means: false where the directory knows either of them not. */
    isAnother: (party: TrunkParty | undefined, provider: ProviderReference) => {
      if (party === undefined || isProvider(party, provider) || !directory.knows(provider)) return false;
      return party.kind === 'customer' || directory.knows(referenceOf(party));
    },
    /** Whether it is another switch of the asked provider itself. */
    isOwn: (party: TrunkParty | undefined) => isProvider(party, own),
    /** Whether two parties are one, affiliates apart; false where either is unknown. */
    areSame: (one: TrunkParty | undefined, other: TrunkParty | undefined) => {
      if (one === undefined || other === undefined) return false;
      if (one.kind === 'customer')
        return other.kind === 'customer' && one.customerId !== undefined && one.customerId === other.customerId;
      if (other.kind !== one.kind) return false;
      const [first, second] = [referenceOf(one), referenceOf(other)];
      // Affiliates are the same to a directory; an answer names one company.
      return directory.isSame(first, second) && isOneOfGroup(first, second);
    },
  };
}

/** Whether a record says anything of a side by which it could be known who was there. */
export function hasParty({ trunk, provider, address }: HopSide): boolean {
  return trunk !== undefined || provider !== undefined || address !== undefined;
}

/** Whether nothing that two records say of a side is another. */
function isSameSide(one: HopSide, other: HopSide): boolean {
  return (
    !differ(one.trunk, other.trunk) &&
    !differ(one.provider, other.provider) &&
    !differ(hostOf(one.address), hostOf(other.address))
  );
}

/** One switch writes the port, the other does not. */
function hostOf(address: string | undefined): string | undefined {
  if (address === undefined) return undefined;
  if (address.startsWith('[')) return address.slice(1, address.indexOf(']') < 0 ? undefined : address.indexOf(']'));
  const colon = address.indexOf(':');
  // More than one colon is an IPv6 address without brackets, and without a port.
  return colon >= 0 && colon === address.lastIndexOf(':') ? address.slice(0, colon) : address;
}

function referenceOf(party: Exclude<TrunkParty, { kind: 'customer' }>): ProviderReference {
  return party.kind === 'provider' ? party.provider : { name: party.contact.name };
}

/** Two sources that saw the same INVITE write it down within this, microseconds: their clocks, and a process that was busy. */
const SAME_LEG_US = 5_000_000;

/** The own switch that a call was handed to has it within this, microseconds: SIP gives an INVITE up after 32 s. RFC 3261 section 17.1.1.2 */
const HAND_OVER_US = 32_000_000;

/** Who tries another route does so as soon as the first one failed, microseconds. */
const ROUTE_ADVANCE_US = 10_000_000;

/**
 * Joins passages that are one call. Each rule joins only what has the same upstream, or none of its own; and what is joined by way of such a
 * passage to two upstreams is theirs apart, so that joining never changes whom an answer names. Proxies leave a Call-ID as it came: calls of two
 * upstreams that tried one after the other may have the same. Never throws.
 * @param crossings - by time
 */
function linkCrossings(crossings: readonly Crossing[], parties: HopParties): readonly Crossing[] {
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
    const joined = places.map((place) => crossings[place]);
    if (!isOne || silent.some((at) => hasOtherTrunk(crossings[at], joined))) for (const at of places) unclear.add(at);
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
  return [...grouped(rootOf.keys(), (at) => [root(at)]).values()];
}

/** Places of two passages that are one call. */
type Link = readonly [number, number];

/** From one own switch to another: the Call-ID between them is on both records. */
function* handOvers(crossings: readonly Crossing[], parties: HopParties): Generator<Link> {
  const legs = crossings.flatMap((crossing, at) => crossing.map((leg) => ({ at, leg })));
  const takenOver = grouped(legs, ({ leg }) =>
    leg.ingress.callId !== undefined && parties.isOwn(parties.upstreamOf(leg)) ? [leg.ingress.callId] : [],
  );
  for (const { at, leg } of legs) {
    const next = takenOver.get(leg.egress.callId ?? '');
    if (next === undefined || !parties.isOwn(parties.downstreamOf(leg))) continue;
    for (const to of next) if (Math.abs(to.leg.inviteAtUs - leg.inviteAtUs) <= HAND_OVER_US) yield [at, to.at];
  }
}

/** The same leg in two sources, and another try of the same upstream: calls of the same pair of numbers, one soon after the other. */
function* repeats(crossings: readonly Crossing[], parties: HopParties): Generator<Link> {
  const ofPair = grouped(crossings.entries(), ([, crossing]) => new Set(crossing.flatMap((leg) => pairOf(leg) ?? [])));
  for (const places of ofPair.values()) {
    for (const [index, [at, earlier]] of places.entries()) {
      const reachUs = reachOf(earlier);
      for (const [next, later] of places.slice(index + 1)) {
        if (later[0].inviteAtUs > reachUs) break;
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

/**
 * Puts together the legs that are one passage of a call through the carrier. Legs of a group of one source are, except where the group came
 * in from somebody else anew: a call that crosses the same provider twice is two passages, each with an upstream of its own. Passages of several
 * groups are one where the carrier's own switches handed the call on, where two sources wrote down the same leg, and where the same
 * upstream tried again by another route. Never throws.
 * @param records - in any order; the order does not matter
 * @returns by the time of their first leg
 */
export function crossingsOf(records: readonly CallRecord[], parties: HopParties): readonly Crossing[] {
  const byId = new Map(records.map((record) => [record.recordId, record]));
  const groups = grouped([...byId.values()].toSorted(byTime), (record) => [groupName(record)]);
  const crossings = [...groups.values()].flatMap(ofOneTime).flatMap((legs) => passagesOf(legs, parties));
  return linkCrossings(crossings.toSorted(byFirstLeg), parties).toSorted(byFirstLeg);
}

/** Names of the groups of which a leg says by whom it came in: another that does not may have come in by that one. */
export function groupsThatCameIn(crossings: readonly Crossing[]): ReadonlySet<string> {
  return new Set(
    crossings
      .flat()
      .filter(({ ingress }) => hasParty(ingress))
      .map(groupName),
  );
}

function byFirstLeg([one]: Crossing, [other]: Crossing): number {
  return byTime(one, other);
}

/** Legs of one call begin while it is up, or within this of its end, microseconds; later the switch has used the name again. */
const SAME_GROUP_US = 300_000_000;

/** Of two clocks that saw the same call end one may be this far behind, microseconds. */
const END_SLACK_US = 5_000_000;

/** What of one group belongs to one time. */
function ofOneTime(legs: Crossing): readonly Crossing[] {
  const times: Some<CallRecord>[] = [];
  let endUs = Number.NEGATIVE_INFINITY;
  for (const leg of legs) {
    const current = times.at(-1);
    if (current === undefined || leg.inviteAtUs > endUs + SAME_GROUP_US) times.push([leg]);
    else current.push(leg);
    endUs = Math.max(endUs, leg.inviteAtUs, leg.endedAtUs ?? leg.inviteAtUs);
  }
  return times;
}

/**
 * The passages of one group. A leg of which the side it came from is not on record belongs to the passage that was up when it began, where
 * one was: of several nobody knows which went on by it.
 */
function passagesOf(legs: Crossing, parties: HopParties): readonly Crossing[] {
  const passages: Some<CallRecord>[] = [];
  for (const leg of legs) {
    if (!hasParty(leg.ingress)) continue;
    const passage = passages.find(([first]) => isSameIngress(first, leg, parties));
    if (passage === undefined) passages.push([leg]);
    else passage.push(leg);
  }
  const alone: CallRecord[] = [];
  for (const leg of legs) {
    if (hasParty(leg.ingress)) continue;
    const [up, another] = passages.filter((passage) => wasUpAt(passage, leg.inviteAtUs));
    // One that was there before any of them came in, or after they ended, belongs to another, whose incoming leg is not at hand.
    (up === undefined || another !== undefined ? alone : up).push(leg);
  }
  const [first, ...others] = alone;
  if (first !== undefined) passages.push([first, ...others]);
  return passages.map(inOrder);
}

/** Whether a call that came in by these legs was there at an instant: what goes on by it begins before it has ended. Never throws. */
function wasUpAt(cameIn: readonly CallRecord[], us: number): boolean {
  const beginUs = Math.min(...cameIn.map(({ inviteAtUs }) => inviteAtUs));
  const endUs = Math.max(...cameIn.map(({ endedAtUs = Number.POSITIVE_INFINITY }) => endedAtUs));
  return beginUs <= us && us <= endUs + END_SLACK_US;
}

/** Whether two legs of a group came in as one: forks and routes of a call do. What is not on record of either tells nothing apart. */
function isSameIngress(one: CallRecord, other: CallRecord, parties: HopParties): boolean {
  const [first, second] = [parties.upstreamOf(one), parties.upstreamOf(other)];
  if (differ(one.ingress.callId, other.ingress.callId)) return false;
  if (parties.areSame(first, second)) return true;
  // Two that are known to be two are not one because each record says something else of its side. A customer may have no name.
  if (first !== undefined && second !== undefined && !(isUnnamed(first) && isUnnamed(second))) return false;
  return isSameSide(one.ingress, other.ingress);
}

function isUnnamed(party: TrunkParty): boolean {
  return party.kind === 'customer' && party.customerId === undefined;
}

/** Legs of one call begin within this of each other, microseconds: the time that a caller lets it ring. */
const LEG_WINDOW_US = 300_000_000;

/**
 * Look-ups for what is missing of calls that may have been up at the stated time: the leg by which one came in or went on, and the record
 * of the own switch that it came from or was handed to. Those nearest to the stated time first. Never throws.
 */
export function legQueries(
  records: readonly CallRecord[],
  plan: Extract<SearchPlan, { status: 'planned' }>,
  parties: HopParties,
): readonly RecordQuery[] {
  const between = callIdsOfBothSides(records);
  const queries = new Map<string, RecordQuery>();
  for (const legs of nearGroups(records, plan)) {
    const [near] = legs;
    const { callGroupId, inviteAtUs } = near;
    const window = { fromUs: inviteAtUs - LEG_WINDOW_US, toUs: inviteAtUs + LEG_WINDOW_US };
    if (!isWhole(legs)) queries.set(`group ${callGroupId}`, { window, callGroupId, limit: MATCH_LOOKUP_LIMIT });
    for (const callId of ownCallIds(legs, parties)) {
      if (!between.has(callId)) queries.set(`call ${callId}`, { window, callId, limit: MATCH_LOOKUP_LIMIT });
    }
  }
  return [...queries.values()];
}

/** Groups of which a leg can have been up at the stated time, each with the leg nearest to it first. */
function nearGroups(
  records: readonly CallRecord[],
  { narrow, time }: Extract<SearchPlan, { status: 'planned' }>,
): readonly Crossing[] {
  const isWithin = (us: number): boolean => narrow.some(({ fromUs, toUs }) => us >= fromUs && us <= toUs);
  const earliestUs = Math.min(...time.instants.map(({ fromUs }) => fromUs)) - LEG_WINDOW_US;
  const isNear = ({ inviteAtUs, endedAtUs, time: { otherInviteAtUs } }: CallRecord): boolean =>
    otherInviteAtUs !== undefined ||
    (isWithin(inviteAtUs) && (endedAtUs === undefined || endedAtUs + END_SLACK_US >= earliestUs));
  const distance = ({ inviteAtUs }: CallRecord): number =>
    Math.min(...time.instants.map(({ fromUs }) => Math.abs(inviteAtUs - fromUs)));
  const nearest = records.filter(isNear).toSorted((one, other) => distance(one) - distance(other));
  return [...grouped(nearest, (record) => [groupName(record)]).values()];
}

/**
 * Whether each leg has both sides, or the other side is a leg of its own. Another leg that happens to have the missing side will not do: a
 * call may come round under the same name.
 */
function isWhole(legs: Crossing): boolean {
  const cameIn = legs.filter(({ egress }) => !hasParty(egress));
  const wentOut = legs.filter(({ ingress }) => !hasParty(ingress));
  return (
    wentOut.every((out) => cameIn.some((leg) => wasUpAt([leg], out.inviteAtUs) && !isOfAnotherPair(leg, out))) &&
    cameIn.every((leg) => leg.disposition === 'blocked' || wentOut.some((out) => out.inviteAtUs >= leg.inviteAtUs))
  );
}

/** Whether another leg may have come in for this one: a switch that uses a name again gives it to calls of other numbers. */
function isOfAnotherPair(leg: CallRecord, out: CallRecord): boolean {
  return leg.called?.tn !== out.called?.tn || leg.calling?.tn !== out.calling?.tn;
}

/** Call-IDs by which one record has a call going out and another has it coming in. */
function callIdsOfBothSides(records: readonly CallRecord[]): ReadonlySet<string> {
  const out = new Set(records.map(({ egress }) => egress.callId));
  return new Set(
    records
      .map(({ ingress }) => ingress.callId)
      .filter((callId) => callId !== undefined && out.has(callId)) as string[],
  );
}

/** Call-IDs between two own switches. */
function ownCallIds(legs: Crossing, parties: HopParties): readonly string[] {
  return legs.flatMap((leg) => {
    const between = [
      ...(parties.isOwn(parties.upstreamOf(leg)) ? [leg.ingress.callId] : []),
      ...(parties.isOwn(parties.downstreamOf(leg)) ? [leg.egress.callId] : []),
    ];
    return between.filter((callId) => callId !== undefined);
  });
}
