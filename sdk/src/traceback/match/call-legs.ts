import type { CallRecord } from '../../core/call-record.js';
import { byTime } from '../../records/store/record-query.js';
import type { TrunkParty } from '../trunk-directory.js';
import { groupName, inOrder } from './crossing.js';
import type { Crossing, Legs } from './crossing.js';
import { differ, hasParty, isSameSide } from './hop-parties.js';
import type { HopParties } from './hop-parties.js';
import { linkCrossings } from './link-crossings.js';

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
  const groups = new Map<string, Legs>();
  for (const record of [...byId.values()].toSorted(byTime)) {
    const name = groupName(record);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [record]);
    else group.push(record);
  }
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
export const END_SLACK_US = 5_000_000;

/** What of one group belongs to one time. */
function ofOneTime(legs: Crossing): readonly Crossing[] {
  const times: Legs[] = [];
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
  const passages: Legs[] = [];
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
export function wasUpAt(cameIn: readonly CallRecord[], us: number): boolean {
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
