import type { PlatformScope } from '@hopback/sdk/platform';
import type { ServedRoute } from '../core/index.js';
import { routesOf } from '../domain/wire/routes.js';
import { PAGING, inPath } from '@hopback/sdk/internal';

const AGENCY: readonly PlatformScope[] = ['agency'];
const BOTH: readonly PlatformScope[] = ['agency', 'staff'];
const CAMPAIGN = inPath('campaignId', 'Of the campaign that the case is about.');
const { read, file, change } = routesOf('Alerts and cases');

/** Routes beside those of the contract. */
export const ALERT_ROUTES: readonly ServedRoute[] = [
  read('listAlertRules', '/v1/alert-rules', {
    allowed: BOTH,
    answer: 'AlertRuleList',
    summary: 'List the rules by which agencies are told of campaigns',
    description: 'Those that staff starts with, and those that it wrote.',
  }),
  change('putAlertRule', '/v1/alert-rules/{ruleId}', {
    role: 'operator',
    parameters: [inPath('ruleId', 'Of the rule.')],
    body: 'AlertRule',
    answer: 'AlertRule',
    summary: 'Put or change a rule',
    description: 'A default rule is changed or switched off under its id.',
    problems: ['conflict'],
  }),
  read('fetchAlertSubscription', '/v1/alert-subscription', {
    allowed: AGENCY,
    answer: 'AlertSubscription',
    summary: 'Fetch what the calling agency wants to be told of',
    description: 'If the agency has set no subscription: everything that the rules cover.',
  }),
  change('putAlertSubscription', '/v1/alert-subscription', {
    allowed: AGENCY,
    body: 'AlertSubscription',
    answer: 'AlertSubscription',
    summary: 'Say what the calling agency wants to be told of',
    description: 'It narrows the rules, and may add other States.',
    problems: ['conflict'],
  }),
  change('tryAlertRules', '/v1/alert-trials', {
    allowed: BOTH,
    body: 'AlertTrial',
    answer: 'AlertTrialReport',
    summary: 'Try rules or a subscription on past campaigns',
    description: 'Tells nobody, and changes nothing. An agency sees what it would have been told.',
    problems: ['conflict'],
  }),
  read('fetchAlertCaseSheet', '/v1/alerts/{alertId}/case-sheet', {
    allowed: BOTH,
    parameters: [inPath('alertId', 'Of an alert about a campaign.')],
    answer: 'CaseSheet',
    summary: 'Fetch the case sheet of an alert',
    description: 'What opens an investigation, and no record that needs process.',
  }),
  read('listCases', '/v1/cases', {
    allowed: AGENCY,
    parameters: PAGING,
    answer: 'CasePage',
    summary: 'List cases of the calling agency',
    description: 'By campaign: those that it has alerts of, and those that were shared with it.',
  }),
  read('fetchCaseSheet', '/v1/cases/{campaignId}/sheet', {
    allowed: BOTH,
    parameters: [CAMPAIGN],
    answer: 'CaseSheet',
    summary: 'Fetch the case sheet of a campaign',
    description: 'As it stands now.',
  }),
  file('fetchCaseSheetText', '/v1/cases/{campaignId}/sheet.md', {
    allowed: BOTH,
    parameters: [CAMPAIGN],
    answer: 'The sheet.',
    summary: 'Fetch the case sheet of a campaign as text',
    description: 'The same in Markdown.',
  }),
  change('shareCase', '/v1/cases/{campaignId}/shares', {
    allowed: AGENCY,
    parameters: [CAMPAIGN],
    body: 'CaseShareOrder',
    answer: 'CaseShareList',
    summary: 'Share a case with other agencies',
    description: 'They see its sheet. What either demands and is given stays its own.',
    problems: ['conflict'],
  }),
  read('listCaseShares', '/v1/cases/{campaignId}/shares', {
    allowed: BOTH,
    parameters: [CAMPAIGN],
    answer: 'CaseShareList',
    summary: 'List the agencies that a case is shared with',
    description: 'Those that the calling agency gave and those that it was given; all of them for staff.',
  }),
  change('withdrawCaseShare', '/v1/case-shares/{shareId}/withdrawal', {
    allowed: AGENCY,
    parameters: [inPath('shareId', 'Of the share.')],
    answer: 'CaseShare',
    summary: 'Share a case no longer',
    description: 'By the agency that shared it. It does not undo what the other has read.',
    problems: ['conflict'],
  }),
];
