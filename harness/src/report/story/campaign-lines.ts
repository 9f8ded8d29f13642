import type { NetworkPlan, PlannedCall } from '../../network/plan/index.js';
import type { SeenCampaign } from '../../oracle/index.js';
import { counted } from '../html/markup.js';
import { oneLine } from '../ladder/one-line.js';
import type { RunRecord, RunSnapshot } from '../run-record.js';
import { businessName } from './business-name.js';
import { wrapped } from './wrapped.js';

const INDENT = { first: '  ', rest: '    ' };
/** So much of what was said is enough to know it by. */
const QUOTED_CHARS = 100;

/** Who called, how many, under which numbers, and what was said. */
export function campaignLines({ plan, facts, oracle }: RunRecord): readonly string[] {
  const placed = new Set(facts.calls.filter(({ placedAtMs }) => placedAtMs !== undefined).map(({ index }) => index));
  const calls = plan.calls.filter(({ index }) => placed.has(index));
  const campaigns = groupedBy(calls, ({ campaign }) => campaign);
  const ordinary = campaigns.get(undefined)?.length ?? 0;
  const { verdict_accuracy: verdicts } = oracle.metrics;
  return [
    ...[...campaigns].flatMap(([campaign, own]) => (campaign === undefined ? [] : oneCampaign(plan, campaign, own))),
    ...(ordinary > 0 ? wrapped(`${counted(ordinary, 'other call')} meanwhile, ordinary ones.`, INDENT) : []),
    ...(verdicts.kind === 'rate' && verdicts.of > 0
      ? wrapped(
          `Real SIP, signed and verified on the way: ${counted(verdicts.of, 'verdict')}, ${verdicts.good === verdicts.of ? 'all of them' : verdicts.good} right.`,
          INDENT,
        )
      : []),
  ];
}

function oneCampaign(plan: NetworkPlan, campaign: string, calls: readonly PlannedCall[]): readonly string[] {
  const at = plan.providers.find(({ id }) => id === calls[0]?.way[0]);
  const country = at === undefined || at.country === 'US' ? '' : `, abroad in ${at.country}`;
  const shown = new Set(calls.map(({ calling }) => calling)).size;
  const called = new Set(calls.map((call) => call.called)).size;
  const said = calls.find(({ transcript }) => transcript !== undefined)?.transcript;
  const quoted =
    said === undefined || said.length <= QUOTED_CHARS
      ? said
      : `${said.slice(0, said.lastIndexOf(' ', QUOTED_CHARS))} …`;
  const by = `${campaign}, a customer of ${at === undefined ? 'nobody' : businessName(plan, at.id)}${country}`;
  const entry = `${by}: ${counted(calls.length, 'call')} to ${counted(called, 'telephone')}, under ${counted(shown, 'calling number')}.`;
  return [
    ...wrapped(entry, INDENT),
    ...(quoted === undefined ? [] : wrapped(`“${oneLine(quoted)}”`, { first: '    ', rest: '    ' })),
  ];
}

/** Campaigns, alerts and tracebacks: how much of what there was, and how soon. */
export function foundLines({ plan, facts, snapshots }: RunRecord): readonly string[] {
  const { campaigns, alerts, tracebacks } = facts;
  const beganMs = Math.min(...facts.calls.flatMap(({ placedAtMs }) => placedAtMs ?? []));
  if (campaigns.length === 0) return ['  ✗ No campaign was found.'];
  const after = (atMs: readonly number[]): string => seconds(Math.min(...atMs) - beganMs);
  const known = [
    ...alerts.map(({ atMs }) => atMs - beganMs),
    ...tracebacks.map(({ openedAtMs }) => openedAtMs - beganMs),
  ];
  const soonestMs = Math.min(...known, seenAfterMs(snapshots));
  const knownMs = Number.isFinite(soonestMs) ? soonestMs : undefined;
  const agencies = [...new Set(alerts.map(({ agency }) => agency))].toSorted();
  return [
    ...campaigns.flatMap((one, place) => foundCampaign(one, { plan, knownMs: place === 0 ? knownMs : undefined })),
    ...(alerts.length === 0
      ? ['  ✗ Nobody was alerted.']
      : wrapped(
          `${counted(alerts.length, 'alert')} to ${agencies.join(' and ')}, the first ${after(alerts.map(({ atMs }) => atMs))} after the first call`,
          { first: '  ✓ ', rest: '    ' },
        )),
    ...(tracebacks.length === 0
      ? ['  ✗ No call was traced back.']
      : wrapped(
          `${counted(tracebacks.length, 'traceback')} begun, the first ${after(tracebacks.map(({ openedAtMs }) => openedAtMs))} after the first call`,
          { first: '  ✓ ', rest: '    ' },
        )),
  ];
}

/** @param knownMs - by when the first was found, milliseconds after the first call */
function foundCampaign(
  { name, calls }: SeenCampaign,
  { plan, knownMs }: { readonly plan: NetworkPlan; readonly knownMs: number | undefined },
): readonly string[] {
  const soon = knownMs === undefined ? '' : `, found within ${seconds(knownMs)} of its first call`;
  const owners = groupedBy(calls, (index) => plan.calls[index]?.campaign);
  const [meant, own] = [...owners].toSorted(([, one], [, other]) => other.length - one.length)[0] ?? [];
  const mark = { first: meant === undefined ? '  ✗ ' : '  ✓ ', rest: '    ' };
  if (meant === undefined || own === undefined) return wrapped(`${oneLine(name)}, made of ordinary calls${soon}`, mark);
  const all = plan.calls.filter(({ campaign }) => campaign === meant).length;
  const wrong = calls.length - own.length;
  const others = wrong === 0 ? 'and no other' : `and ${counted(wrong, 'call')} that do not belong to it`;
  return wrapped(`Campaign “${oneLine(name)}”: ${own.length} of the ${all} calls of ${meant}, ${others}${soon}`, mark);
}

/** From the first look at which a call was placed to the first at which a campaign was there; infinite: there was none. */
function seenAfterMs(snapshots: readonly RunSnapshot[]): number {
  const began = snapshots.find(({ placed }) => placed > 0);
  const seen = snapshots.find(({ found }) => (found?.campaigns ?? 0) > 0);
  return began === undefined || seen === undefined ? Number.POSITIVE_INFINITY : seen.atMs - began.atMs;
}

const seconds = (ms: number): string => `${(Math.max(0, ms) / 1_000).toFixed(1)} s`;

function groupedBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): ReadonlyMap<Key, readonly Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const known = groups.get(keyOf(item));
    if (known === undefined) groups.set(keyOf(item), [item]);
    else known.push(item);
  }
  return groups;
}
