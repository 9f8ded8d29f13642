import type { CallRecord } from '../../core/call-record.js';
import type { RecordQuery } from '../../records/store/record-store.js';
import { END_SLACK_US, wasUpAt } from './call-legs.js';
import { groupName } from './crossing.js';
import { hasParty } from './hop-parties.js';
import type { HopParties } from './hop-parties.js';
import { MATCH_LOOKUP_LIMIT } from './plan-search.js';
import type { SearchPlan } from './plan-search.js';

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

type Group = [CallRecord, ...CallRecord[]];

/** Groups of which a leg can have been up at the stated time, each with the leg nearest to it first. */
function nearGroups(
  records: readonly CallRecord[],
  { narrow, time }: Extract<SearchPlan, { status: 'planned' }>,
): readonly Group[] {
  const isWithin = (us: number): boolean => narrow.some(({ fromUs, toUs }) => us >= fromUs && us <= toUs);
  const earliestUs = Math.min(...time.instants.map(({ fromUs }) => fromUs)) - LEG_WINDOW_US;
  const isNear = ({ inviteAtUs, endedAtUs, time: { otherInviteAtUs } }: CallRecord): boolean =>
    otherInviteAtUs !== undefined ||
    (isWithin(inviteAtUs) && (endedAtUs === undefined || endedAtUs + END_SLACK_US >= earliestUs));
  const distance = ({ inviteAtUs }: CallRecord): number =>
    Math.min(...time.instants.map(({ fromUs }) => Math.abs(inviteAtUs - fromUs)));
  const groups = new Map<string, Group>();
  for (const record of records.filter(isNear).toSorted((one, other) => distance(one) - distance(other))) {
    const name = groupName(record);
    const legs = groups.get(name);
    if (legs === undefined) groups.set(name, [record]);
    else legs.push(record);
  }
  return [...groups.values()];
}

/**
 * Whether each leg has both sides, or the other side is a leg of its own. Another leg that happens to have the missing side will not do: a
 * call may come round under the same name.
 */
function isWhole(legs: Group): boolean {
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
function ownCallIds(legs: Group, parties: HopParties): readonly string[] {
  return legs.flatMap((leg) => {
    const between = [
      ...(parties.isOwn(parties.upstreamOf(leg)) ? [leg.ingress.callId] : []),
      ...(parties.isOwn(parties.downstreamOf(leg)) ? [leg.egress.callId] : []),
    ];
    return between.filter((callId) => callId !== undefined);
  });
}
