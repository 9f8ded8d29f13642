import type { Mutant } from './mutant.js';

const AT = 'harness/dist/platform';
const LIFECYCLE = 'sdk/dist/traceback/lifecycle';

/** Defects of the platform: the way that a traceback takes, campaigns, alerts, and who sees what. */
export const PLATFORM_MUTANTS: readonly Mutant[] = [
  {
    name: 'path-accuses-who-was-last',
    suffers: 'Where a carrier is silent, the honest one that it sent the call to is taken for the origin.',
    file: `${LIFECYCLE}/traceback-outcome.js`,
    text: `if (hop.state === 'non-responsive')\n        return 'non-responsive';`,
    replacement: `if (hop.state === 'non-responsive')\n        return 'origin';`,
    scenarios: ['silent-provider', 'everything'],
  },
  {
    name: 'path-believes-the-accuser',
    suffers: 'Whoever is named by a liar is not heard: that it denies the call counts for nothing.',
    file: `${LIFECYCLE}/traced-hop.js`,
    text: 'return hop.basedOn !== undefined && hop.current !== undefined && ARM_MEANINGS[hop.current.arm].denies;',
    replacement: 'return false;',
    scenarios: ['lying-provider', 'colluding-neighbours'],
  },
  {
    name: 'path-takes-a-denial-for-an-origin',
    suffers: 'An honest carrier that a liar has named, and that says so, stands there as the origin.',
    file: `${LIFECYCLE}/traceback-outcome.js`,
    text: `if (denies(hop))\n        return 'disputed';`,
    replacement: `if (denies(hop))\n        return 'origin';`,
    scenarios: ['lying-provider', 'colluding-neighbours'],
  },
  {
    name: 'path-asks-no-neighbours',
    suffers: 'One silent carrier ends every traceback, although its neighbours would say more.',
    file: `${LIFECYCLE}/named-upstream.js`,
    text: `if (provider === undefined || state.direction === 'forward')`,
    replacement: 'if (provider !== undefined || state !== undefined)',
    scenarios: ['silent-provider', 'purged-records'],
  },
  {
    name: 'platform-asks-at-the-wrong-hour',
    suffers: 'The time of a call is taken for that of New York: from the second hop on nobody has such a call.',
    file: `${AT}/domain/tracebacks/asked-call.js`,
    text: `zone: 'UTC',`,
    replacement: `zone: 'America/New_York',`,
    scenarios: ['three-hops', 'five-hops'],
  },
  {
    name: 'campaigns-are-one',
    suffers: 'Two gangs are one campaign: tracebacks of one are budgeted away by those of the other.',
    file: `${AT}/domain/campaigns/report-detection.js`,
    text: 'contents.push(`script:${placed.scriptId}`);',
    replacement: `contents.push('script:any');`,
    scenarios: ['everything', 'dno'],
  },
  {
    name: 'campaigns-take-ordinary-calls',
    suffers: 'Who calls a neighbour is part of a campaign, and is traced.',
    file: `${AT}/domain/campaigns/campaign-policy.js`,
    text: 'alarmAt: 20,',
    replacement: 'alarmAt: 0.01,',
    scenarios: ['neighbour', 'partial-adoption', 'everything'],
  },
  {
    name: 'campaigns-are-never-found',
    suffers: 'A flood of reports with the same words leads to nothing.',
    file: `${AT}/domain/campaigns/content-cluster.js`,
    text: 'if (reports < policy.leastFraudReports || called.size < policy.leastFraudCalled)',
    replacement: 'if (reports < 1e9 || called.size < policy.leastFraudCalled)',
    scenarios: ['direct', 'snowshoe', 'everything'],
  },
  {
    name: 'campaigns-are-never-traced',
    suffers: 'Campaigns are found, and nobody asks where they come from.',
    file: `${AT}/campaigns/trace-campaigns.js`,
    text: 'const budget = tracebackBudget(traceable, past);',
    replacement: `const budget = { ...tracebackBudget(traceable, past), calls: [] };`,
    scenarios: ['direct', 'snowshoe', 'everything'],
  },
  {
    name: 'alerts-are-never-sent',
    suffers: 'Agencies learn of a campaign from the newspaper.',
    file: `${AT}/alerts/raise-alert.js`,
    text: 'if (there !== undefined)',
    replacement: 'if (order !== undefined)',
    scenarios: ['direct', 'snowshoe', 'everything'],
  },
  {
    name: 'alerts-go-to-everybody',
    suffers: 'Texas is woken at night for calls to the District of Columbia.',
    file: `${AT}/domain/alerts/alert-rules.js`,
    text: 'const own = jurisdictions.filter(({ jurisdiction }) => all || wanted.includes(jurisdiction));',
    replacement: 'const own = jurisdictions.filter(() => all || wanted.length > 0);',
    scenarios: ['direct', 'everything'],
  },
  {
    name: 'tracebacks-are-open-to-all-asked',
    suffers: 'Each carrier on the way sees what all others have answered, and who their customers are.',
    file: `${AT}/domain/tracebacks/shown-traceback.js`,
    text: 'return isNamed ? [withoutAnswer(hop)] : [];',
    replacement: 'return [hop];',
    scenarios: ['five-hops', 'everything'],
  },
];
