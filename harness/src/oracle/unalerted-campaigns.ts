import { jurisdictionOfNpa } from '../platform/domain/alerts/area-codes.js';
import type { Judging } from './judging.js';
import { plannedCall } from './judging.js';

/** Calls to where an agency is, of which it is told in any case: twice as many as the rules ask for that a platform starts with. */
const FEWEST_CALLS_THERE = 20;
/** And their share of the calls to any jurisdiction: of a large campaign a platform weighs the newest calls alone. */
const LEAST_SHARE_THERE = 0.1;
const COUNTRY = 'US';

/**
 * Finds campaigns that were found, with more calls to where an agency is than rules ask for, and of which nobody was alerted. One of which fewer calls
 * were found may be told of, and need not be.
 * @param nameOf - the planned campaign that a found one is taken for; undefined: it is made of ordinary calls
 * @param alerted - names of those that somebody was alerted of
 */
export function judgeUnalerted(
  judging: Judging,
  nameOf: (campaignId: string) => string | undefined,
  alerted: ReadonlySet<string>,
): void {
  const { plan, facts, findings } = judging;
  // Without a platform nobody is told, and without alerts nobody was asked.
  if (facts.alerts === undefined || plan.scenario.platform === undefined) return;
  const { agencies = [COUNTRY] } = plan.scenario.platform;
  const told = new Set(alerted);
  for (const { campaignId, calls } of facts.campaigns ?? []) {
    const name = nameOf(campaignId);
    if (name === undefined || told.has(name)) continue;
    const places = calls.flatMap((index) => placeOf(judging, index) ?? []);
    for (const agency of agencies) {
      const there = agency === COUNTRY ? places.length : places.filter((place) => place === agency).length;
      if (there < FEWEST_CALLS_THERE || there < LEAST_SHARE_THERE * places.length) continue;
      const expected = `the agency of ${agency} is alerted of the campaign ${name}, of which ${there} calls to there were found`;
      findings.add({ kind: 'alert', expected, seen: 'nobody was alerted of it' });
      told.add(name);
      break;
    }
  }
}

/** Where a call goes by its area code; undefined: to no jurisdiction of the country, or on to another number. */
function placeOf(judging: Judging, index: number): string | undefined {
  const call = plannedCall(judging, index);
  if (call === undefined || call.diversions !== undefined || !call.called.startsWith('1')) return undefined;
  return jurisdictionOfNpa(call.called.slice(1));
}
