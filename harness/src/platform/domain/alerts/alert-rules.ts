import type { Alert, Campaign } from '@hopback/sdk/platform';
import type { AgencyEntry, CampaignCall } from '../../core/index.js';
import type { AlertRule, AlertSubscription, CaseSheet, DueAlert } from './alert-bodies.js';
import { jurisdictionOfNpa } from './area-codes.js';

/** Minutes over which the rate of calls is measured: shorter, and a pause of a dialler is the end of a campaign. */
const RATE_MINUTES = 10;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Hours that are told one by one. */
const HOURS_TOLD = 48;

/** What a campaign comes to in figures. All of them count calls that were placed, each once. */
export type CampaignFigures = ReturnType<typeof campaignFigures>;

/**
 * Figures of a campaign.
 * @param campaign - as its reader has it
 * @param evidence - the newest records and reports of its calls, in any order
 * @param nowMs - until which rates are measured
 */
export function campaignFigures(campaign: Campaign, evidence: readonly CampaignCall[], nowMs: number) {
  const calls = placedCalls(evidence);
  const recent = calls.filter(({ atMs }) => atMs > nowMs - RATE_MINUTES * MINUTE_MS && atMs <= nowMs).length;
  return {
    observedCalls: campaign.observedCalls,
    // Records of carriers and reports of applications that calls were counted from. A platform of an older version does not say them.
    carrierRecords: campaign.carrierRecords ?? campaign.estimatedVolume?.recorded ?? 0,
    appReports: campaign.appReports ?? campaign.estimatedVolume?.reported ?? 0,
    // Calls that were looked at for what follows: the newest.
    sampledCalls: calls.length,
    // Records and reports among them that an earlier release stored and that are not joined: each counts as a call.
    unjoined: evidence.filter(({ isUnjoined }) => isUnjoined).length,
    callsPerMinute: recent / RATE_MINUTES,
    perHour: perHourOf(calls, nowMs),
    trend: trendOf(calls, { nowMs, isWhole: calls.length >= campaign.observedCalls }),
    ...sharesOf(calls),
    ...signersOf(calls),
  };
}

/** What is known of a call, by all of its records and reports. */
type FiguredCall = Pick<CampaignCall, 'atMs' | 'calledNpaNxx' | 'signer' | 'attestation'>;

/**
 * One call for all of its evidence: its time is that of the record nearest to who was called, where there is one; a signature is that of any record, since
 * the carrier that signed a call has none on its own.
 */
function placedCalls(evidence: readonly CampaignCall[]): readonly FiguredCall[] {
  const calls = new Map<string, CampaignCall[]>();
  for (const one of evidence) {
    const known = calls.get(one.placedCallId);
    if (known === undefined) calls.set(one.placedCallId, [one]);
    else known.push(one);
  }
  return [...calls.values()].map((all) => {
    const [first] = all.toSorted(byNearness);
    const signed = all.find(({ signer }) => signer !== undefined);
    const exchange = all.find(({ calledNpaNxx }) => calledNpaNxx !== undefined)?.calledNpaNxx;
    return {
      atMs: first?.atMs ?? 0,
      ...(exchange !== undefined && { calledNpaNxx: exchange }),
      ...(signed?.signer !== undefined && { signer: signed.signer }),
      ...(signed?.attestation !== undefined && { attestation: signed.attestation }),
    };
  });
}

/** Records before reports, and of records the last: it is of the carrier that the call came to last. */
const byNearness = (one: CampaignCall, other: CampaignCall): number =>
  Number(one.recordId === undefined) - Number(other.recordId === undefined) ||
  other.atMs - one.atMs ||
  (one.callId < other.callId ? -1 : 1);

/** Most calls first; `elsewhere` are those that belong to no jurisdiction by their area code. */
function sharesOf(calls: readonly FiguredCall[]): Pick<CaseSheet, 'jurisdictions' | 'elsewhere'> {
  const counts = new Map<string, number>();
  for (const { calledNpaNxx } of calls) {
    const jurisdiction = calledNpaNxx === undefined ? undefined : jurisdictionOfNpa(calledNpaNxx);
    if (jurisdiction !== undefined) counts.set(jurisdiction, (counts.get(jurisdiction) ?? 0) + 1);
  }
  const placed = [...counts.values()].reduce((total, count) => total + count, 0);
  const jurisdictions = [...counts]
    .map(([jurisdiction, count]) => ({ jurisdiction, calls: count, share: count / placed }))
    .sort((one, other) => other.calls - one.calls || (one.jurisdiction < other.jurisdiction ? -1 : 1));
  return { jurisdictions, elsewhere: calls.length - placed };
}

function signersOf(calls: readonly FiguredCall[]): Pick<CaseSheet, 'signers' | 'unsigned'> {
  const bySigner = new Map<
    string,
    {
      A: number;
      B: number;
      C: number;
      calls: number;
    }
  >();
  let unsigned = 0;
  for (const { signer, attestation } of calls) {
    if (signer === undefined) {
      unsigned += 1;
      continue;
    }
    const counts = bySigner.get(signer) ?? { A: 0, B: 0, C: 0, calls: 0 };
    bySigner.set(signer, counts);
    counts.calls += 1;
    if (attestation !== undefined) counts[attestation] += 1;
  }
  const signers = [...bySigner]
    .map(([spc, { A, B, C, calls: signed }]) => ({ spc, calls: signed, attestation: { A, B, C } }))
    .sort((one, other) => other.calls - one.calls || (one.spc < other.spc ? -1 : 1));
  return { signers, unsigned };
}

function perHourOf(calls: readonly FiguredCall[], nowMs: number) {
  const lastHour = Math.floor(nowMs / HOUR_MS);
  const counts = Array.from({ length: HOURS_TOLD }, (_, index) => ({
    fromMs: (lastHour - HOURS_TOLD + 1 + index) * HOUR_MS,
    calls: 0,
  }));
  for (const { atMs } of calls) {
    const entry = counts[HOURS_TOLD - 1 - (lastHour - Math.floor(atMs / HOUR_MS))];
    if (entry !== undefined) entry.calls += 1;
  }
  return counts;
}

/** Against the day before, so that night and weekend are no trend of an hour. A fifth more or less is what chance and weekdays make. */
const TREND_FACTOR = 1.2;

/** Undefined where the sample does not reach as far. */
function trendOf(
  calls: readonly FiguredCall[],
  { nowMs, isWhole }: { readonly nowMs: number; readonly isWhole: boolean },
): CaseSheet['volume']['trend'] {
  const day = 24 * HOUR_MS;
  const oldestMs = calls.reduce((oldest, { atMs }) => Math.min(oldest, atMs), Infinity);
  if (!isWhole && oldestMs > nowMs - 2 * day) return undefined;
  const within = (fromMs: number, toMs: number): number =>
    calls.filter(({ atMs }) => atMs > fromMs && atMs <= toMs).length;
  const [last, before] = [within(nowMs - day, nowMs), within(nowMs - 2 * day, nowMs - day)];
  if (last > before * TREND_FACTOR) return 'rising';
  return before > last * TREND_FACTOR ? 'falling' : 'steady';
}

/**
 * What staff starts with. Detection is sure of what it finds; of what is found by reports alone a third of the calls is known at best, so that
 * ten of them are thirty. A campaign that calls now is urgent, since a temporary restraining order stops only what goes on. A State is concerned
 * where one call in fifty is to it, or where ten are: the smallest has a fifth of a percent of all telephones.
 */
export const DEFAULT_RULES: readonly AlertRule[] = [
  rule({
    ruleId: 'default-live',
    kind: 'live-campaign',
    severity: 'urgent',
    minCallsPerMinute: 1,
    mustBeLive: true,
  }),
  rule({ ruleId: 'default-suspected', kind: 'campaign-suspected', severity: 'warning' }),
  rule({ ruleId: 'default-resumed', kind: 'campaign-resumed', severity: 'warning', mustBeLive: true }),
];

function rule(own: Pick<AlertRule, 'ruleId' | 'kind' | 'severity'> & Partial<AlertRule>): AlertRule {
  return {
    isEnabled: true,
    minCalls: 10,
    minCallsPerMinute: 0,
    mustBeLive: false,
    types: [],
    minShare: 0.02,
    minCallsThere: 2,
    agencyIds: [],
    ...own,
  };
}

/** What rules are held against. */
interface RuleInput {
  readonly campaign: Campaign;
  readonly figures: CampaignFigures;
  readonly rules: readonly AlertRule[];
  readonly agencies: readonly AgencyEntry[];
  readonly subscriptions: ReadonlyMap<string, AlertSubscription>;
  /** Whether it called, ceased, and calls again. */
  readonly hasResumed: boolean;
}

/**
 * Which agencies are to be told of a campaign, and why: each kind once for each agency, by the most severe rule that holds.
 * @returns in the order of agencies; never throws
 */
export function dueAlerts(input: RuleInput): readonly DueAlert[] {
  const enabled = input.rules.filter(({ isEnabled }) => isEnabled);
  return input.agencies.flatMap((agency) => {
    const subscription = input.subscriptions.get(agency.agencyId);
    const there = callsThere(input.figures, [agency.jurisdiction, ...(subscription?.alsoJurisdictions ?? [])]);
    const due = new Map<DueAlert['kind'], DueAlert>();
    for (const one of enabled) {
      if (!holds(one, { input, agency, there, subscription })) continue;
      const { kind, severity, ruleId } = one;
      const before = due.get(kind);
      if (before !== undefined && SEVERITIES.indexOf(before.severity) >= SEVERITIES.indexOf(severity)) continue;
      due.set(kind, {
        agencyId: agency.agencyId,
        ruleId,
        kind,
        severity,
        callsThere: there.calls,
        shareThere: there.share,
      });
    }
    return [...due.values()];
  });
}

/** From the least to the most. */
export const SEVERITIES: readonly Alert['severity'][] = ['information', 'warning', 'urgent'];

interface CallsThere {
  readonly calls: number;
  readonly share: number;
}

function callsThere({ jurisdictions }: CampaignFigures, wanted: readonly string[]): CallsThere {
  const all = wanted.includes('US');
  const own = jurisdictions.filter(({ jurisdiction }) => all || wanted.includes(jurisdiction));
  return {
    calls: own.reduce((total, { calls }) => total + calls, 0),
    share: Math.min(
      1,
      own.reduce((total, { share }) => total + share, 0),
    ),
  };
}

/** Calls to a State from which on its share does not matter: of a large campaign one percent is many people. */
const CALLS_THAT_COUNT = 10;

interface RuleTry {
  readonly input: RuleInput;
  readonly agency: AgencyEntry;
  readonly there: CallsThere;
  readonly subscription: AlertSubscription | undefined;
}

function holds(one: AlertRule, { input, agency, there, subscription }: RuleTry): boolean {
  const { campaign, figures, hasResumed } = input;
  if (campaign.state === 'closed') return false;
  if (one.agencyIds.length > 0 && !one.agencyIds.includes(agency.agencyId)) return false;
  if (one.kind === 'campaign-resumed' && !hasResumed) return false;
  if ((one.mustBeLive || one.kind === 'live-campaign') && campaign.state !== 'live') return false;
  const isLarge = figures.observedCalls >= one.minCalls && figures.callsPerMinute >= one.minCallsPerMinute;
  const isThere = there.calls >= one.minCallsThere && (there.share >= one.minShare || there.calls >= CALLS_THAT_COUNT);
  return isLarge && isThere && isOfType(campaign, one.types) && isWanted(one, { input, there, subscription });
}

function isWanted(one: AlertRule, { input, there, subscription }: Omit<RuleTry, 'agency'>): boolean {
  if (subscription === undefined) return true;
  return (
    !subscription.withoutKinds.includes(one.kind) &&
    SEVERITIES.indexOf(one.severity) >= SEVERITIES.indexOf(subscription.minSeverity) &&
    input.figures.observedCalls >= subscription.minCalls &&
    there.share >= subscription.minShare &&
    isOfType(input.campaign, subscription.types)
  );
}

function isOfType({ class: kind, name, signals }: Campaign, types: readonly string[]): boolean {
  if (types.length === 0) return true;
  const words = [...(kind === undefined ? [] : [kind]), name, ...signals].map((word) =>
    word.toLowerCase().replace(/^_+/, ''),
  );
  return types.some((type) => words.some((word) => word.startsWith(type.toLowerCase().replace(/^_+/, ''))));
}
