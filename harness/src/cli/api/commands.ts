import { PLATFORM_ROUTES } from '@hopback/sdk/platform';
import { readPublicKeyJwk } from '@hopback/sdk/internal';
import type { PublicKeyJwk } from '@hopback/sdk/internal';
import { OPERATOR_ROUTES } from '../../platform/operator-routes.js';
import { columns, fileText, listed, needs, takes } from './command-words.js';
import type { ApiCommand, ApiRoute, BodyOption, CommandCheck, OptionReading } from './command-words.js';
import { memberAt } from './shown-value.js';

const REASON = needs('reason', 'reason', 'for the record');

const KEY_ID: BodyOption = {
  option: 'key-id',
  help: 'kid of the key; default that of the JWK, or sha256: and its RFC 7638 thumbprint',
};
const KEY_HELP = 'its public key: a file with a JWK or PEM, as hopback keygen makes them; - for standard input';

/** Reads the public half of a key. A private key stays where it is: nothing of it is sent. */
async function publicKey(file: string, { textOf, option, env, note }: OptionReading): Promise<PublicKeyJwk> {
  const [keyId, passphrase] = [option('key-id'), env['HOPBACK_KEY_PASSPHRASE']];
  const { jwk, isPrivate } = await readPublicKeyJwk(await textOf(file), {
    ...(keyId !== undefined && { keyId }),
    ...(passphrase !== undefined && { passphrase }),
  });
  if (isPrivate)
    note(
      `${file === '-' ? 'Standard input' : file} holds the private key: only its public half is sent. Nobody but the program that signs with it should have the file.`,
    );
  return jwk;
}

const UNLISTED = { unlisted: 'register a carrier that is not in the registry' };

/** A carrier that the registry does not have is asked nothing and answers nothing: most times its id is misspelled. */
async function unlistedCarrier({ isOn, fetch }: CommandCheck, providerId: unknown): Promise<string | undefined> {
  if (isOn('unlisted') || typeof providerId !== 'string') return undefined;
  if ((await fetch('fetchProvider', { providerId })) !== undefined) return undefined;
  return (
    `the registry has no provider ${providerId}. Add it with \`hopback-harness providers import --csv FILE --source TEXT\`, or with ` +
    `\`hopback-harness api putProvider ${providerId} --body ENTRY.json\`; --unlisted registers it all the same`
  );
}

/** A client of a carrier that the registry does not have, or of an organization that there is not. */
async function strayClient(check: CommandCheck): Promise<string | undefined> {
  const { organizationId } = check.body;
  if (typeof organizationId !== 'string') return undefined;
  const organization = await check.fetch('fetchOrganization', { organizationId });
  if (organization === undefined)
    return `there is no organization ${organizationId}. Add it with \`hopback-harness organizations register --id ${organizationId} --kind KIND --name NAME\``;
  return organization['kind'] === 'carrier' ? unlistedCarrier(check, organizationId) : undefined;
}

/** A time as somebody stated it, in the form of the contract. */
function statedTime(text: string): unknown {
  const local = text.replace(/Z$/, '');
  const fraction = /\.(\d+)$/.exec(local)?.[1]?.length ?? 0;
  const precision =
    local.length <= 16 ? 'minute' : fraction === 0 ? 'second' : fraction <= 3 ? 'millisecond' : 'microsecond';
  return {
    asWritten: text,
    local,
    precision,
    ...(text.endsWith('Z') && { zone: 'UTC' }),
  };
}

/** Members of a list within a thing, with commas between. */
const joined =
  (list: string, member: string) =>
  (item: unknown): string => {
    const values: unknown = (item as Readonly<Record<string, unknown>>)[list];
    return Array.isArray(values) ? values.map((one) => memberAt(one, member)).join(', ') : '';
  };

interface ShownEntry {
  readonly position: number;
  readonly integrity: string;
}

/** Says of an entry of the audit that it is not what was signed. */
function forgery({ position, integrity }: ShownEntry): readonly string[] {
  const why = FORGERIES[integrity];
  return why === undefined ? [] : [`entry ${position} of the audit is not what was signed: ${why}`];
}

const FORGERIES: Readonly<Record<string, string>> = {
  changed: 'somebody changed it afterwards',
  inserted: 'somebody put it in, and it was never signed',
  deleted: 'somebody deleted it; this is what was signed',
  unproved: 'the log has lost it, or is damaged there',
};

/** Says where an audit is broken. */
export function auditFaults(result: {
  readonly status: string;
  readonly findingCount?: number;
  readonly firstBadEntry?: number;
}): readonly string[] {
  if (result.status === 'intact') return [];
  const { findingCount = 0, firstBadEntry } = result;
  const where = firstBadEntry === undefined ? 'the end of the log' : `entry ${firstBadEntry}`;
  return [
    `the audit is broken at ${where}: ${findingCount} of the checked entries ${findingCount === 1 ? 'is' : 'are'} not as signed`,
  ];
}

const command = (
  name: string,
  operationId: string,
  summary: string,
  more: Omit<ApiCommand, 'name' | 'operationId' | 'summary'> = {},
): ApiCommand => ({ name, operationId, summary, ...more });

const decision = (verb: string, summary: string, note: string, ...own: readonly BodyOption[]): ApiCommand =>
  command(`campaigns ${verb}`, 'decideCampaign', summary, {
    note,
    defaults: { decision: verb },
    body: [...own, REASON],
  });

/** Commands with words of their own, by their nouns. Every other route is reached by `api OPERATION`. */
export const API_COMMANDS: readonly ApiCommand[] = [
  command('alerts list', 'listAlerts', 'alerts to your organization', {
    columns: columns(
      'ALERT alertId | SEVERITY severity | KIND kind | RAISED raisedAt | ACKNOWLEDGED acknowledged.acknowledgedBy | TITLE title',
    ),
  }),
  command('alerts acknowledge', 'acknowledgeAlert', 'acknowledge an alert', {
    body: [
      needs('by', 'acknowledgedBy', 'role or office that acknowledges it'),
      takes('intends', 'intends', 'investigate, watch or no-action'),
      takes('note', 'note', 'for the record'),
    ],
  }),
  command('audit list', 'listAuditRecords', 'what was done by whom, the newest first', {
    columns: columns('ENTRY position | AT at | ACTION action | BY actor | OBJECT object | INTEGRITY integrity'),
    faults: (items) => (items as readonly ShownEntry[]).flatMap(forgery),
  }),
  command('audit show', 'fetchAuditRecord', 'one entry with its proof', {
    faults: (value) => forgery((value as { readonly entry: ShownEntry }).entry),
  }),
  command('audit verify', 'fetchAuditVerification', 'check every signature of the audit, and every entry against it', {
    tables: { findings: columns('ENTRY position | FAULT kind | SEGMENT segment | LEAF leafIndex') },
    isPending: (value) => (value as { readonly status: string }).status === 'running',
    faults: (value) => auditFaults(value as Parameters<typeof auditFaults>[0]),
  }),
  command('audit checkpoint', 'fetchAuditCheckpoint', 'the newest signed checkpoint: to be kept elsewhere'),
  command('campaigns list', 'listCampaigns', 'campaigns, latest call first', {
    columns: [
      ...columns(
        'CAMPAIGN campaignId | NAME name | STATE state | CALLS observedCalls | RECORDS carrierRecords | REPORTS appReports | CALLERS callingNumbers | LAST SEEN lastSeenAt',
      ),
      { heading: 'PROVIDERS', of: joined('providers', 'provider.name') },
    ],
  }),
  command('campaigns show', 'fetchCampaign', 'one campaign, and why its calls belong together', {
    tables: { providers: columns('PROVIDER provider.name | ROLE role | TRACEBACKS tracebacks') },
  }),
  command('campaigns evidence', 'fetchCampaignEvidence', 'what holds a campaign together, and what analysts decided'),
  decision(
    'merge',
    'merge a campaign into another',
    'Applies to future calls. Returns the campaign that stays.',
    needs('into', 'into', 'id of the campaign that stays'),
  ),
  decision(
    'split',
    'split some keys into a new campaign',
    'Applies to future calls: calls counted before the split stay in the old campaign. Returns the new campaign.',
    needs('keys', 'keyIds', 'ids of keys, as campaigns evidence shows them', listed),
  ),
  decision(
    'rename',
    'give a campaign another name',
    'Returns the renamed campaign.',
    needs('name', 'name', 'in the style SSA-Suspended-P2'),
  ),
  decision(
    'lawful',
    'mark a campaign as lawful',
    'Only staff see a lawful campaign, and its pattern raises no new campaign.',
  ),
  decision('close', 'close a campaign', 'Returns the closed campaign.'),
  decision('reopen', 'open a campaign again', 'Returns the reopened campaign.'),
  command('clients list', 'listClients', 'registered clients with their keys', {
    columns: columns(
      'CLIENT clientId | ORGANIZATION organizationId | NAME name | ROLES roles | KEYS keys | STATE state',
    ),
  }),
  command('clients register', 'registerClient', 'register a client of an organization', {
    body: [
      needs('id', 'clientId', 'its id'),
      needs('organization', 'organizationId', 'its organization'),
      needs('name', 'name', 'its name'),
      takes('roles', 'roles', 'for staff only: operator,reviewer,analyst', listed),
      needs('key', 'keys', KEY_HELP, async (file, reading) => [{ jwk: await publicKey(file, reading) }]),
      KEY_ID,
    ],
    switches: UNLISTED,
    check: strayClient,
  }),
  command('clients revoke', 'revokeClient', 'revoke a client'),
  command('complaints import', 'importComplaints', 'import consumer complaints from a CSV file with a header row', {
    body: [
      needs('csv', 'text', 'the file', fileText),
      needs('source', 'source', 'source of the file, such as ftc-dnc'),
      needs('date', 'columns.date', 'column of the date, or of date and time'),
      takes('time', 'columns.time', 'column of the time of day; default none'),
      takes('callerNumber', 'columns.callerNumber', 'column of the calling number; default none'),
      takes('type', 'columns.type', 'column of the type of complaint; default none'),
      takes('subject', 'columns.subject', 'column of the subject; default none'),
      takes('state', 'columns.state', 'column of the state of the consumer; default none'),
      takes('comment', 'columns.comment', 'column of the comment; default none'),
      takes('id', 'columns.id', 'column of the id of the complaint; default none'),
    ],
    tables: { rejected: columns('LINE line | REASON code') },
  }),
  command('contests list', 'listContests', 'what providers contested', {
    columns: columns(
      'CONTEST contestId | PROVIDER providerId | REQUEST requestId | STATE state | CONTESTED contestedAt | REASON reason',
    ),
  }),
  command('contests decide', 'decideContest', 'decide what a provider contested', {
    body: [
      needs('decision', 'decision', 'uphold or reject'),
      needs('reason', 'reason', 'reason given to the provider'),
    ],
  }),
  command('demands list', 'listDemands', 'subpoenas, civil investigative demands and court orders', {
    columns: columns(
      'DEMAND demandId | STATE state | KIND kind | AGENCY agency.name | REFERENCE reference | URGENT isUrgent | SUBMITTED submittedAt | RETURN ON returnOn',
    ),
  }),
  command('demands show', 'fetchDemand', 'one demand with its decisions', {
    tables: { decisions: columns('DECIDED decidedAt | DECISION decision | BY decidedBy | REASON reason') },
  }),
  command('demands submit', 'submitDemand', 'submit a demand: --body FILE of JSON, --document FILE, the PDF'),
  command('demands decide', 'decideDemand', 'approve, narrow or reject a demand', {
    body: [
      needs('decision', 'decision', 'approve, narrow or reject'),
      needs('reason', 'reason', 'reason given to the agency'),
      takes('scope', 'scope', 'narrowed scope as JSON', (text) => JSON.parse(text) as unknown),
    ],
  }),
  command('demands checklist', 'fetchDemandChecklist', 'check a demand against the review checklist', {
    tables: { findings: columns('STEP step | RESULT result | FOUND detail') },
  }),
  command('demands document', 'fetchDemandDocument', 'the PDF of a demand, to --output FILE'),
  command('demands claim', 'claimDemand', 'say that you review a demand'),
  command('demands withdraw', 'withdrawDemand', 'withdraw a demand', { body: [REASON] }),
  command('organizations list', 'listOrganizations', 'organizations: carriers, applications, agencies, staff', {
    columns: columns(
      'ORGANIZATION organizationId | KIND kind | NAME name | JURISDICTION jurisdiction | STATE state | SINCE createdAt',
    ),
  }),
  command('organizations register', 'registerOrganization', 'register an organization', {
    body: [
      needs('id', 'organizationId', 'its id; for a carrier, the id of its provider'),
      needs('kind', 'kind', 'carrier, app, agency or staff'),
      needs('name', 'name', 'its name'),
      takes('jurisdiction', 'jurisdiction', 'of an agency: US, US-TX'),
      takes('email', 'contactEmail', 'of an agency: where letters go'),
    ],
    switches: UNLISTED,
    check: async (check) =>
      check.body['kind'] === 'carrier' ? unlistedCarrier(check, check.body['organizationId']) : undefined,
  }),
  command('organizations revoke', 'revokeOrganization', 'revoke an organization'),
  command('productions show', 'fetchProduction', 'the files of a production', {
    tables: { files: columns('FILE name | CLASS recordClass | RECORDS records | OCTETS sizeBytes | SHA-256 sha256') },
  }),
  command('productions fetch', 'fetchProductionFile', 'one file of a production, to --output FILE'),
  command('productions receipts', 'listProductionReceipts', 'who fetched what of a production', {
    tables: { receipts: columns('FETCHED retrievedAt | FILE name | BY clientId | SHA-256 sha256') },
  }),
  command('providers list', 'listProviders', 'the registry', {
    columns: columns(
      'PROVIDER providerId | NAME businessName | FRN frn | IMPLEMENTATION implementation | SPC spcs | REMOVED removal.removedOn',
    ),
  }),
  command('providers show', 'fetchProvider', 'one provider as it is filed'),
  command('providers scorecard', 'fetchProviderScorecard', 'how a provider answers: rates and reasons', {
    tables: {
      answers: columns('SAYS arm | ANSWERS count'),
      refusals: columns('REASON reason | REFUSALS count'),
      concerns: columns('CONCERN concern | COUNT count'),
    },
  }),
  command('providers answer-key', 'addAnswerKey', 'register an answer key of a provider', {
    body: [needs('key', 'jwk', KEY_HELP, publicKey), KEY_ID],
  }),
  command('providers import', 'importRegistry', 'import filings of the Robocall Mitigation Database from CSV', {
    body: [needs('csv', 'csv', 'the file', fileText), needs('source', 'source', 'where it is from, for the record')],
    tables: { rejects: columns('LINE line | REASON reason | COLUMN column') },
  }),
  command('providers office', 'setProviderOffice', 'set the office that answers tracebacks', {
    body: [
      takes('zone', 'zone', 'time zone for deadlines, such as America/New_York'),
      takes('contact', 'contact.name', 'contact person'),
      takes('email', 'contact.email', 'contact email'),
      takes('ocns', 'ocns', 'its Operating Company Numbers, 1234,5678', listed),
      takes('spcs', 'spcs', 'its Service Provider Codes', listed),
    ],
  }),
  command('providers requests', 'listCountedRequests', 'requests to a provider as its scorecard counts them', {
    columns: columns(
      'REQUEST requestId | ISSUED issuedAt | ANSWERED answeredAt | TIMELINESS timeliness | SAYS arm | EXCLUDED excluded | CONTEST contest',
    ),
  }),
  command(
    'reports participation',
    'fetchParticipationReport',
    'who participated in tracebacks: participation-2026.csv, to --output FILE',
  ),
  command('requests list', 'listTracebackRequests', 'traceback requests to your provider', {
    columns: columns(
      'REQUEST request.requestId | STATE state | HOP request.hop | ISSUED request.issuedAt | DUE dueAt | CAMPAIGN request.campaign.name',
    ),
  }),
  command('reviews list', 'listReviewQueue', 'demands that wait for a decision', {
    tables: {
      items: columns(
        'DEMAND demandId | AGENCY organizationId | KIND kind | PRIORITY clock.priority | LATE clock.isLate | CLAIMED BY claimedBy',
      ),
    },
  }),
  command('scorecards list', 'listProviderScorecards', 'scorecards of all providers that got requests', {
    columns: columns(
      'PROVIDER providerId | REQUESTS requests.received | CALLS tracedCalls | IN TIME requests.answeredInTime | LATE requests.answeredLate | UNANSWERED requests.unanswered | OPEN requests.open | CONCERNS concerns',
    ),
  }),
  command('tracebacks list', 'listTracebacks', 'tracebacks, the newest first', {
    columns: columns(
      'TRACEBACK tracebackId | STATE state | OUTCOME outcome | HOPS hops | CAMPAIGN campaign.name | OPENED openedAt | UPDATED updatedAt',
    ),
  }),
  command('tracebacks show', 'fetchTraceback', 'one traceback, hop by hop', {
    tables: {
      hops: columns(
        'HOP hop | PROVIDER provider.name | STATE state | SAYS arm | NAMES upstream.name | ASKED issuedAt | DUE dueAt | ANSWERED answeredAt | REQUEST requestId',
      ),
    },
  }),
  command('tracebacks open', 'openTraceback', 'trace a call back', {
    defaults: { direction: 'back' },
    body: [
      takes('called', 'call.called', 'number that was called'),
      takes('calling', 'call.calling', 'number that was shown'),
      takes('record', 'call.recordId', 'id of a shared record, in place of the number'),
      needs('at', 'call.at', '2026-10-23T15:41, with seconds where they are known', statedTime),
      takes('zone', 'call.at.zone', 'zone of that time, America/New_York or UTC'),
      takes('first', 'firstProvider', 'id of the provider that delivered the call', (id) => ({
        providerId: id,
        name: id,
      })),
      takes('direction', 'direction', 'back, or forward to the provider that serves the number; default back'),
      takes('comment', 'comment', 'for the record'),
    ],
  }),
  command('tracebacks waiting', 'listWaiting', 'tracebacks in which a person has to decide something', {
    columns: [
      ...columns('TRACEBACK tracebackId | SINCE updatedAt'),
      { heading: 'WHAT WAITS', of: joined('items', 'kind') },
    ],
  }),
];

/** The route of an operation. @throws TypeError for an operation that does not exist */
export function routeOf(operationId: string): ApiRoute {
  const route = [...PLATFORM_ROUTES, ...OPERATOR_ROUTES].find((one) => one.operationId === operationId);
  if (route === undefined) throw new TypeError(`there is no operation ${operationId}`);
  return route;
}
