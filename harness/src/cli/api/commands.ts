import { PLATFORM_ROUTES } from '@hopback/sdk/platform';
import type { PlatformRoute } from '@hopback/sdk/platform';
import { column, time } from './command-words.js';
import type { ApiCommand } from './command-words.js';
import { OPERATOR_COMMANDS } from './operator-commands.js';
import type { Column } from '@hopback/sdk/internal/cli';
import { memberAt } from './shown-value.js';

/** A route that can be called, of the contract or beside it. */
export type ApiRoute = PlatformRoute<string, string>;

const providers = (path: string): Column => ({
  heading: 'PROVIDERS',
  of: (item) => {
    const list: unknown = (item as Readonly<Record<string, unknown>>)[path];
    return Array.isArray(list) ? list.map((one) => memberAt(one, 'provider.name')).join(', ') : '';
  },
});

const CONTRACT_COMMANDS: readonly ApiCommand[] = [
  {
    ...{ name: 'campaigns list', summary: 'campaigns, latest call first' },
    ...{ operationId: 'listCampaigns', operands: [] },
    columns: [
      ...[column('CAMPAIGN', 'campaignId'), column('NAME', 'name'), column('STATE', 'state')],
      ...[column('CALLS', 'observedCalls'), column('RECORDS', 'carrierRecords'), column('REPORTS', 'appReports')],
      ...[column('CALLERS', 'callingNumbers'), time('LAST SEEN', 'lastSeenAt')],
      providers('providers'),
    ],
  },
  {
    ...{ name: 'campaigns show', summary: 'one campaign, and why its calls belong together' },
    ...{ operationId: 'fetchCampaign', operands: ['campaignId'] },
    tables: {
      providers: [column('PROVIDER', 'provider.name'), column('ROLE', 'role'), column('TRACEBACKS', 'tracebacks')],
    },
  },
  {
    ...{ name: 'tracebacks list', summary: 'tracebacks, the newest first' },
    ...{ operationId: 'listTracebacks', operands: [] },
    columns: [
      ...[column('TRACEBACK', 'tracebackId'), column('STATE', 'state'), column('OUTCOME', 'outcome')],
      ...[column('HOPS', 'hops'), column('CAMPAIGN', 'campaign.name'), time('OPENED', 'openedAt')],
      time('UPDATED', 'updatedAt'),
    ],
  },
  {
    ...{ name: 'tracebacks show', summary: 'one traceback, hop by hop' },
    ...{ operationId: 'fetchTraceback', operands: ['tracebackId'] },
    tables: {
      hops: [
        ...[column('HOP', 'hop'), column('PROVIDER', 'provider.name'), column('STATE', 'state'), column('SAYS', 'arm')],
        ...[
          column('NAMES', 'upstream.name'),
          time('ASKED', 'issuedAt'),
          time('DUE', 'dueAt'),
          time('ANSWERED', 'answeredAt'),
        ],
        column('REQUEST', 'requestId'),
      ],
    },
  },
  {
    ...{ name: 'tracebacks open', summary: 'trace a call back' },
    ...{ operationId: 'openTraceback', operands: [], defaults: { direction: 'back' } },
    body: [
      { option: 'called', member: 'call.called', help: 'number that was called' },
      { option: 'calling', member: 'call.calling', help: 'number that was shown' },
      { option: 'record', member: 'call.recordId', help: 'id of a shared record, in place of the number' },
      {
        option: 'at',
        member: 'call.at',
        help: '2026-10-23T15:41, with seconds where they are known',
        isRequired: true,
        read: statedTime,
      },
      { option: 'zone', member: 'call.at.zone', help: 'zone of that time, America/New_York or UTC' },
      {
        option: 'first',
        member: 'firstProvider',
        help: 'id of the provider that delivered the call',
        read: (id) => ({ providerId: id, name: id }),
      },
      {
        option: 'direction',
        member: 'direction',
        help: 'back, or forward to the provider that serves the number; default back',
      },
      { option: 'comment', member: 'comment', help: 'for the record' },
    ],
  },
  {
    ...{ name: 'providers list', summary: 'the registry' },
    ...{ operationId: 'listProviders', operands: [] },
    columns: [
      ...[column('PROVIDER', 'providerId'), column('NAME', 'businessName'), column('FRN', 'frn')],
      ...[column('IMPLEMENTATION', 'implementation'), column('SPC', 'spcs'), column('REMOVED', 'removal.removedOn')],
    ],
  },
  {
    ...{ name: 'providers show', summary: 'one provider as it is filed' },
    ...{ operationId: 'fetchProvider', operands: ['providerId'] },
  },
  {
    ...{ name: 'providers scorecard', summary: 'how a provider answers: rates and reasons' },
    ...{ operationId: 'fetchProviderScorecard', operands: ['providerId'] },
    tables: {
      answers: [column('SAYS', 'arm'), column('ANSWERS', 'count')],
      refusals: [column('REASON', 'reason'), column('REFUSALS', 'count')],
      concerns: [column('CONCERN', 'concern'), column('COUNT', 'count')],
    },
  },
  {
    ...{ name: 'alerts list', summary: 'alerts to your organization' },
    ...{ operationId: 'listAlerts', operands: [] },
    columns: [
      ...[column('ALERT', 'alertId'), column('SEVERITY', 'severity'), column('KIND', 'kind')],
      ...[time('RAISED', 'raisedAt'), column('ACKNOWLEDGED', 'acknowledged.acknowledgedBy'), column('TITLE', 'title')],
    ],
  },
  {
    ...{ name: 'alerts acknowledge', summary: 'acknowledge an alert' },
    ...{ operationId: 'acknowledgeAlert', operands: ['alertId'] },
    body: [
      { option: 'by', member: 'acknowledgedBy', help: 'who, by role or office', isRequired: true },
      { option: 'intends', member: 'intends', help: 'investigate, watch or no-action' },
      { option: 'note', member: 'note', help: 'for the record' },
    ],
  },
  {
    ...{ name: 'demands list', summary: 'subpoenas, civil investigative demands and court orders' },
    ...{ operationId: 'listDemands', operands: [] },
    columns: [
      ...[
        column('DEMAND', 'demandId'),
        column('STATE', 'state'),
        column('KIND', 'kind'),
        column('AGENCY', 'agency.name'),
      ],
      ...[column('REFERENCE', 'reference'), column('URGENT', 'isUrgent'), time('SUBMITTED', 'submittedAt')],
      column('RETURN ON', 'returnOn'),
    ],
  },
  {
    ...{ name: 'demands show', summary: 'one demand with its decisions' },
    ...{ operationId: 'fetchDemand', operands: ['demandId'] },
    tables: {
      decisions: [
        ...[
          time('DECIDED', 'decidedAt'),
          column('DECISION', 'decision'),
          column('BY', 'decidedBy'),
          column('REASON', 'reason'),
        ],
      ],
    },
  },
  {
    ...{ name: 'demands submit', summary: 'submit a demand: --body FILE of JSON, --document FILE, the PDF' },
    ...{ operationId: 'submitDemand', operands: [] },
  },
  {
    ...{ name: 'demands decide', summary: 'approve, narrow or reject a demand' },
    ...{ operationId: 'decideDemand', operands: ['demandId'] },
    body: [
      { option: 'decision', member: 'decision', help: 'approve, narrow or reject', isRequired: true },
      { option: 'reason', member: 'reason', help: 'reason given to the agency', isRequired: true },
      { option: 'scope', member: 'scope', help: 'narrowed scope as JSON', read: (text) => JSON.parse(text) as unknown },
    ],
  },
  {
    ...{ name: 'productions show', summary: 'the files of a production' },
    ...{ operationId: 'fetchProduction', operands: ['productionId'] },
    tables: {
      files: [
        ...[column('FILE', 'name'), column('CLASS', 'recordClass'), column('RECORDS', 'records')],
        ...[column('OCTETS', 'sizeBytes'), column('SHA-256', 'sha256')],
      ],
    },
  },
  {
    ...{ name: 'productions fetch', summary: 'one file of a production, to --output FILE' },
    ...{ operationId: 'fetchProductionFile', operands: ['productionId', 'name'] },
  },
  {
    ...{ name: 'requests list', summary: 'traceback requests to your provider' },
    ...{ operationId: 'listTracebackRequests', operands: [] },
    columns: [
      ...[column('REQUEST', 'request.requestId'), column('STATE', 'state'), column('HOP', 'request.hop')],
      ...[time('ISSUED', 'request.issuedAt'), time('DUE', 'dueAt'), column('CAMPAIGN', 'request.campaign.name')],
    ],
  },
];

/** Commands with words of their own, by their nouns. Every other route is reached by `api OPERATION`. */
export const API_COMMANDS: readonly ApiCommand[] = [...CONTRACT_COMMANDS, ...OPERATOR_COMMANDS].toSorted((a, b) =>
  nounOf(a) < nounOf(b) ? -1 : nounOf(a) > nounOf(b) ? 1 : 0,
);

function nounOf({ name }: ApiCommand): string {
  return name.slice(0, name.indexOf(' '));
}

/** A time as somebody stated it, in the form of the contract. */
function statedTime(text: string): unknown {
  const local = text.replace(/Z$/, '');
  const fraction = /\.(\d+)$/.exec(local)?.[1]?.length ?? 0;
  const precision =
    local.length <= 16 ? 'minute' : fraction === 0 ? 'second' : fraction <= 3 ? 'millisecond' : 'microsecond';
  return { asWritten: text, local, precision, ...(text.endsWith('Z') && { zone: 'UTC' }) };
}

/** The route of an operation. */
export function routeOf(operationId: string, further: readonly ApiRoute[]): ApiRoute | undefined {
  return [...PLATFORM_ROUTES, ...further].find((route) => route.operationId === operationId);
}
