import type { AlertKind, AlertSeverity, Campaign } from '@hopback/sdk/platform';
import type { AgencyEntry } from '../../core/index.js';
import type { CampaignFigures } from './campaign-figures.js';

/** Kinds of alert that are about a campaign. */
export type CampaignAlertKind = Extract<AlertKind, 'campaign-suspected' | 'campaign-resumed' | 'live-campaign'>;

/**
 * Who is told of which campaigns. All that a rule states has to hold.
 */
export interface AlertRule {
  readonly ruleId: string;
  readonly kind: CampaignAlertKind;
  readonly severity: AlertSeverity;
  readonly isEnabled: boolean;
  /** Calls of the campaign that were observed, at least. */
  readonly minCalls: number;
  /** Calls a minute over the last ten minutes, at least. */
  readonly minCallsPerMinute: number;
  /** Whether calls have to come now. */
  readonly mustBeLive: boolean;
  /**
   * Words that the class of the campaign begins with, its name, or one of its signals: `government-impersonation`, `SSA`, `same-script`; without
   * regard to case. Empty: any.
   */
  readonly types: readonly string[];
  /** Share of the calls to the agency's own State, at least; the United States have every call to them. */
  readonly minShare: number;
  /** Calls to it, at least. */
  readonly minCallsThere: number;
  /** Agencies that it is for; empty: all whose jurisdiction is concerned. */
  readonly agencyIds: readonly string[];
}

/** What one agency wants beside or less than the rules. */
export interface AlertSubscription {
  /** Kinds that it does not want. */
  readonly withoutKinds: readonly AlertKind[];
  /** Types that it wants; empty: any. As those of a rule. */
  readonly types: readonly string[];
  readonly minCalls: number;
  /** Of its own State; only ever narrower than the rule. */
  readonly minShare: number;
  readonly minSeverity: AlertSeverity;
  /** Other States that it wants to hear of: `US-NV`. */
  readonly alsoJurisdictions: readonly string[];
}

/**
 * What staff starts with. Detection is sure of what it finds; of what is found by reports alone a third of the calls is known at best, so that
 * ten of them are thirty. A campaign that calls now is urgent, since a temporary restraining order stops only what goes on. A State is concerned
 * where one call in fifty is to it, or where ten are: the smallest has a fifth of a percent of all telephones.
 */
export const DEFAULT_RULES: readonly AlertRule[] = [
  rule({ ruleId: 'default-live', kind: 'live-campaign', severity: 'urgent', minCallsPerMinute: 1, mustBeLive: true }),
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

/** A reason to tell an agency of a campaign. */
export interface DueAlert {
  readonly agencyId: string;
  readonly ruleId: string;
  readonly kind: CampaignAlertKind;
  readonly severity: AlertSeverity;
  /** Calls to the jurisdiction of the agency. */
  readonly callsThere: number;
  readonly shareThere: number;
}

/** What rules are held against. */
export interface RuleInput {
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
    const due = new Map<CampaignAlertKind, DueAlert>();
    for (const one of enabled) {
      if (!holds(one, { input, agency, there, subscription })) continue;
      const { kind, severity, ruleId } = one;
      const before = due.get(kind);
      if (before !== undefined && SEVERITIES.indexOf(before.severity) >= SEVERITIES.indexOf(severity)) continue;
      due.set(kind, {
        ...{ agencyId: agency.agencyId, ruleId, kind, severity },
        ...{ callsThere: there.calls, shareThere: there.share },
      });
    }
    return [...due.values()];
  });
}

/** From the least to the most. */
export const SEVERITIES: readonly AlertSeverity[] = ['information', 'warning', 'urgent'];

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
