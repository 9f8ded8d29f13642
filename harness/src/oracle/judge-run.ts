import { externalProviders } from '../network/plan/index.js';
import type { NetworkPlan } from '../network/plan/index.js';
import { networkTruth } from '../network/truth/index.js';
import { counted, createFindingList, createSpread, plannedCall, rate } from './findings.js';
import type { JudgedFacts, Judging, OracleReport, SeenCampaign } from './findings.js';
import type { Metric } from '../scenario/index.js';
import { judgeCalls, judgeRecords } from './judge-calls.js';
import type { PlacedCampaign } from './judge-calls.js';
import { judgeTracebacks } from './judge-tracebacks.js';

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
function judgeUnalerted(
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

/**
 * Area codes by state, district and territory, kept apart from the table that the platform routes alerts by: a later error there is noticed here. Source: NANPA, area code maps and planned relief.
 */
const PLACES = `
  AK 907 · AL 205 251 256 334 483 659 938 · AR 327 479 501 870 · AS 684 · AZ 480 520 602 623 928
  CA 209 213 279 310 323 341 350 357 369 408 415 424 442 510 530 559 562 619 626 628 650 657 661 669 707 714 738 747 760 805 818 820 831 837 840 858 909 916 925 949 951
  CO 303 719 720 748 970 983 · CT 203 475 860 959 · DC 202 771 · DE 302
  FL 239 305 321 324 352 386 407 448 561 645 656 689 727 728 754 772 786 813 850 863 904 941 954
  GA 229 404 470 478 678 706 762 770 912 943 · GU 671 · HI 808 · IA 319 515 563 641 712 · ID 208 986
  IL 217 224 309 312 331 447 464 618 630 708 730 773 779 815 847 861 872 · IN 219 260 317 463 574 765 812 930
  KS 316 620 785 913 · KY 270 364 502 606 859 · LA 225 318 337 457 504 985 · MA 339 351 413 508 617 774 781 857 978
  MD 227 240 301 410 443 667 · ME 207 · MI 231 248 269 313 517 586 616 679 734 810 906 947 989 · MN 218 320 507 612 651 763 924 952
  MO 235 314 417 557 573 636 660 816 975 · MP 670 · MS 228 471 601 662 769 · MT 406
  NC 252 336 472 704 743 828 910 919 980 984 · ND 701 · NE 308 402 531 · NH 603 · NJ 201 551 609 640 732 848 856 862 908 973
  NM 505 575 · NV 702 725 775 · NY 212 315 329 332 347 363 465 516 518 585 607 624 631 646 680 716 718 838 845 914 917 929 934
  OH 216 220 234 283 326 330 380 419 436 440 513 567 614 740 937 · OK 405 539 572 580 918 · OR 458 503 541 971
  PA 215 223 267 272 412 445 484 570 582 610 717 724 814 835 878 · PR 787 939 · RI 401 · SC 803 821 839 843 854 864
  SD 605 · TN 423 615 629 729 731 865 901 931
  TX 210 214 254 281 325 346 361 409 430 432 469 512 621 682 713 726 737 806 817 830 832 903 915 936 940 945 956 972 979
  UT 385 435 801 · VA 276 434 540 571 686 703 757 804 826 948 · VI 340 · VT 802
  WA 206 253 360 425 509 564 · WI 262 274 353 414 534 608 715 920 · WV 304 681 · WY 307`;

const BY_AREA_CODE: ReadonlyMap<string, string> = new Map(
  PLACES.split(/[·\n]/).flatMap((line) => {
    const [place, ...codes] = line.trim().split(' ');
    return codes.map((code) => [code, `US-${place ?? ''}`] as const);
  }),
);

/** State, district or territory of a number of eleven digits, as ISO 3166-2 writes it (`US-IL`); undefined outside the United States, and for a number that is not geographic. */
const placeOfNumber = (number: string): string | undefined =>
  number.startsWith('1') ? BY_AREA_CODE.get(number.slice(1, 4)) : undefined;

/** Where a call goes by its area code; undefined: to no jurisdiction of the country, or on to another number. */
function placeOf(judging: Judging, index: number): string | undefined {
  const call = plannedCall(judging, index);
  return call === undefined || call.diversions !== undefined ? undefined : placeOfNumber(call.called);
}

/** Metrics of campaigns and alerts. */
type CampaignMetrics = Readonly<
  Record<'campaign_precision' | 'campaign_recall' | 'time_to_campaign_ms' | 'time_to_alert_ms', Metric>
>;

/** The earliest first: a platform tells of what is new first. */
const inOrder = <One>(all: readonly One[] = [], timeOf: (one: One) => number): readonly One[] =>
  all.toSorted((one, other) => timeOf(one) - timeOf(other));

/** Of fewer calls nobody could say that they belong together. */
const FEWEST_CALLS = 20;

/**
 * Holds the campaigns that were found against those that there are: a campaign that was found is taken for the one of which it has most calls. Precision
 * is how many calls of all that were put into one belong into it, recall how many of those that reached the platform are in one of theirs.
 */
function judgeCampaigns(judging: Judging, placed: ReadonlyMap<string, PlacedCampaign>): CampaignMetrics {
  const { facts, findings } = judging;
  const [toCampaign, toAlert] = [createSpread(), createSpread()];
  const found = new Map<string, Set<number>>();
  const named = new Map<string, string | undefined>();
  let [good, of] = [0, 0];
  for (const campaign of inOrder(facts.campaigns, ({ firstSeenMs }) => firstSeenMs)) {
    const meant = meantBy(judging, campaign);
    named.set(campaign.campaignId, meant.name);
    of += campaign.calls.length;
    good += meant.calls.length;
    if (meant.name === undefined) {
      const seen = `${campaign.name}, of ${campaign.calls.length} calls`;
      findings.add({ kind: 'campaign', expected: 'no campaign is made of ordinary calls', seen });
      continue;
    }
    for (const [name, [callIndex, ...more]] of meant.others) {
      const which = name === undefined ? 'ordinary' : `of ${name}`;
      const seen = `so ${more.length === 0 ? 'is a call that is' : `are ${more.length + 1} calls that are`} ${which}`;
      findings.add({ kind: 'campaign', callIndex, expected: `calls of ${meant.name} are in ${campaign.name}`, seen });
    }
    if (!found.has(meant.name)) toCampaign.add(campaign.firstSeenMs - (placed.get(meant.name)?.firstAtMs ?? 0));
    const calls = found.get(meant.name) ?? new Set<number>();
    for (const index of meant.calls) calls.add(index);
    found.set(meant.name, calls);
  }
  const recall = recallOf(judging, placed, found);
  const alerted = new Set<string>();
  for (const { campaignId, agency, atMs } of inOrder(facts.alerts, (alert) => alert.atMs)) {
    const name = named.get(campaignId);
    if (name === undefined) {
      findings.add({
        kind: 'alert',
        expected: 'alerts are about campaigns',
        seen: `${agency} was alerted of ${campaignId}`,
      });
    } else if (!alerted.has(name)) {
      alerted.add(name);
      toAlert.add(atMs - (placed.get(name)?.firstAtMs ?? 0));
    }
  }
  judgeUnalerted(judging, (campaignId) => named.get(campaignId), alerted);
  return {
    campaign_precision: rate(good, of),
    campaign_recall: recall,
    time_to_campaign_ms: toCampaign.metric(),
    time_to_alert_ms: toAlert.metric(),
  };
}

/** What a campaign that was found is made of. */
interface MeantCampaign {
  /** The campaign that most of its calls belong to; absent: most are ordinary calls. */
  readonly name: string | undefined;
  readonly calls: readonly number[];
  /** The other calls, at least one each: of other campaigns, and ordinary ones under no name. */
  readonly others: readonly (readonly [string | undefined, readonly [number, ...number[]]])[];
}

function meantBy(judging: Judging, { calls }: SeenCampaign): MeantCampaign {
  const parts = new Map<string | undefined, [number, ...number[]]>();
  for (const index of new Set(calls)) {
    const name = plannedCall(judging, index)?.campaign;
    const part = parts.get(name);
    if (part === undefined) parts.set(name, [index]);
    else part.push(index);
  }
  const [most, ...others] = [...parts].toSorted(([, one], [, other]) => other.length - one.length);
  if (most?.[0] === undefined) return { name: undefined, calls: [], others };
  return { name: most[0], calls: most[1], others };
}

function recallOf(
  { plan, facts, findings }: Judging,
  placed: ReadonlyMap<string, PlacedCampaign>,
  found: ReadonlyMap<string, ReadonlySet<number>>,
): Metric {
  let [good, of] = [0, 0];
  // Without a platform nobody looks for any.
  if (facts.campaigns === undefined || plan.scenario.platform === undefined) return rate(good, of);
  for (const [name, { visible }] of placed) {
    const size = Math.min(found.get(name)?.size ?? 0, visible);
    good += size;
    of += visible;
    if (size > 0 || visible < FEWEST_CALLS) continue;
    const expected = `the campaign ${name} is found, of which the platform could see ${visible} calls`;
    findings.add({ kind: 'campaign', expected, seen: 'it was not' });
  }
  return rate(good, of);
}

/**
 * Holds what was seen of a run against what is true of its plan.
 * @param plan - that was carried out
 * @param facts - what was seen; calls are read once, so that a generator does
 * @returns every metric, and the discrepancies, the gravest first; the same for the same plan and facts
 * @throws `RangeError` where a way of the plan leads over a provider that the plan does not have
 * @see {@link networkTruth}
 * @example
 * ```ts
 * const plan = planNetwork(await readShippedScenario('three-hops'), { onceOnly: true });
 * const { findings, metrics } = judgeRun(plan, simulateRun(plan));
 * console.log(findings.length, metrics.verdict_accuracy.kind); // 0 rate
 * ```
 */
export function judgeRun(plan: NetworkPlan, facts: JudgedFacts): OracleReport {
  const findings = createFindingList();
  const forks = plan.providers.filter(({ behaviours }) => behaviours.some(({ kind }) => kind === 'forks'));
  const forking = new Set(forks.map(({ id }) => id));
  const external = externalProviders(plan);
  const showing = new Set(
    plan.providers.filter(({ role, stir }) => role === 'terminating' && stir).map(({ id }) => id),
  );
  const judging: Judging = {
    plan,
    truth: networkTruth(plan),
    facts,
    findings,
    forking,
    external,
    showing,
  };
  const calls = judgeCalls(judging);
  const metrics = {
    ...calls.metrics,
    ...judgeRecords(judging, calls.records),
    ...judgeTracebacks(judging),
    ...judgeCampaigns(judging, calls.campaigns),
    troubles: counted(facts.troubles.length),
  };
  for (const { where, what } of facts.troubles)
    findings.add({ kind: 'trouble', expected: 'no trouble', seen: `${where}: ${what}` });
  return { metrics, ...findings.found() };
}
