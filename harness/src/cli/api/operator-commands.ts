import { readPublicKeyJwk } from '@hopback/sdk/internal';
import type { PublicKeyJwk } from '@hopback/sdk/internal';
import type { ApiCommand, BodyOption, CommandCheck, OptionReading } from './command-words.js';
import { column, fileText, listed, time } from './command-words.js';

// Commands of operators, analysts and reviewers, for what they need most: routes that a platform has beside the contract.

const REASON: BodyOption = { option: 'reason', member: 'reason', help: 'for the record', isRequired: true };

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

const UNLISTED = { unlisted: 'a carrier may be one that the registry does not have' };

/** A carrier that the registry does not have is asked nothing and answers nothing: most times its id is misspelled. */
async function unlistedCarrier({ isOn, fetch }: CommandCheck, providerId: unknown): Promise<string | undefined> {
  if (isOn('unlisted') || typeof providerId !== 'string') return undefined;
  if ((await fetch('fetchProvider', { providerId })) !== undefined) return undefined;
  return (
    `the registry has no provider ${providerId}. Add it with \`hopback-harness providers import --csv FILE --source TEXT\`, or with ` +
    `\`hopback-harness api putProvider ${providerId} --body ENTRY.json\`; --unlisted registers it all the same`
  );
}

const ORGANIZATIONS: readonly ApiCommand[] = [
  {
    ...{ name: 'organizations list', summary: 'organizations: carriers, applications, agencies, staff' },
    ...{ operationId: 'listOrganizations', operands: [] },
    columns: [
      ...[column('ORGANIZATION', 'organizationId'), column('KIND', 'kind'), column('NAME', 'name')],
      ...[column('JURISDICTION', 'jurisdiction'), column('STATE', 'state'), time('SINCE', 'createdAt')],
    ],
  },
  {
    ...{ name: 'organizations register', summary: 'register an organization' },
    ...{ operationId: 'registerOrganization', operands: [] },
    body: [
      { option: 'id', member: 'organizationId', help: 'its id; of a carrier that of its provider', isRequired: true },
      { option: 'kind', member: 'kind', help: 'carrier, app, agency or staff', isRequired: true },
      { option: 'name', member: 'name', help: 'its name', isRequired: true },
      { option: 'jurisdiction', member: 'jurisdiction', help: 'of an agency: US, US-TX' },
      { option: 'email', member: 'contactEmail', help: 'of an agency: where letters go' },
    ],
    switches: UNLISTED,
    check: async (check) =>
      check.body['kind'] === 'carrier' ? unlistedCarrier(check, check.body['organizationId']) : undefined,
  },
  {
    ...{ name: 'organizations revoke', summary: 'revoke an organization' },
    ...{ operationId: 'revokeOrganization', operands: ['organizationId'] },
  },
];

const CLIENTS: readonly ApiCommand[] = [
  {
    ...{ name: 'clients list', summary: 'registered clients with their keys' },
    ...{ operationId: 'listClients', operands: [] },
    columns: [
      ...[column('CLIENT', 'clientId'), column('ORGANIZATION', 'organizationId'), column('NAME', 'name')],
      ...[column('ROLES', 'roles'), column('KEYS', 'keys'), column('STATE', 'state')],
    ],
  },
  {
    ...{ name: 'clients register', summary: 'register a client of an organization' },
    ...{ operationId: 'registerClient', operands: [] },
    body: [
      { option: 'id', member: 'clientId', help: 'its id', isRequired: true },
      { option: 'organization', member: 'organizationId', help: 'its organization', isRequired: true },
      { option: 'name', member: 'name', help: 'its name', isRequired: true },
      { option: 'roles', member: 'roles', help: 'of staff: operator,reviewer,analyst', read: listed },
      {
        ...{ option: 'key', member: 'keys', help: KEY_HELP, isRequired: true },
        read: async (file, reading) => [{ jwk: await publicKey(file, reading) }],
      },
      KEY_ID,
    ],
    switches: UNLISTED,
    check: async (check) => {
      const { organizationId } = check.body;
      if (typeof organizationId !== 'string') return undefined;
      const organization = await check.fetch('fetchOrganization', { organizationId });
      if (organization === undefined)
        return `there is no organization ${organizationId}. Add it with \`hopback-harness organizations register --id ${organizationId} --kind KIND --name NAME\``;
      return organization['kind'] === 'carrier' ? unlistedCarrier(check, organizationId) : undefined;
    },
  },
  {
    ...{ name: 'clients revoke', summary: 'revoke a client' },
    ...{ operationId: 'revokeClient', operands: ['clientId'] },
  },
];

const PROVIDERS: readonly ApiCommand[] = [
  {
    ...{ name: 'providers answer-key', summary: 'register an answer key of a provider' },
    ...{ operationId: 'addAnswerKey', operands: ['providerId'] },
    body: [{ ...{ option: 'key', member: 'jwk', help: KEY_HELP, isRequired: true }, read: publicKey }, KEY_ID],
  },
  {
    ...{ name: 'providers import', summary: 'import filings of the Robocall Mitigation Database from CSV' },
    ...{ operationId: 'importRegistry', operands: [] },
    body: [
      { option: 'csv', member: 'csv', help: 'the file', isRequired: true, read: fileText },
      { option: 'source', member: 'source', help: 'where it is from, for the record', isRequired: true },
    ],
    tables: { rejects: [column('LINE', 'line'), column('REASON', 'reason'), column('COLUMN', 'column')] },
  },
  {
    ...{ name: 'providers office', summary: 'set the office that answers tracebacks' },
    ...{ operationId: 'setProviderOffice', operands: ['providerId'] },
    body: [
      { option: 'zone', member: 'zone', help: 'in which deadlines are counted, America/New_York' },
      { option: 'contact', member: 'contact.name', help: 'contact person' },
      { option: 'email', member: 'contact.email', help: 'contact email' },
      { option: 'ocns', member: 'ocns', help: 'its Operating Company Numbers, 1234,5678', read: listed },
      { option: 'spcs', member: 'spcs', help: 'its Service Provider Codes', read: listed },
    ],
  },
  {
    ...{ name: 'providers requests', summary: 'requests to a provider as its scorecard counts them' },
    ...{ operationId: 'listCountedRequests', operands: ['providerId'] },
    columns: [
      ...[column('REQUEST', 'requestId'), time('ISSUED', 'issuedAt'), time('ANSWERED', 'answeredAt')],
      ...[column('TIMELINESS', 'timeliness'), column('SAYS', 'arm'), column('EXCLUDED', 'excluded')],
      column('CONTEST', 'contest'),
    ],
  },
  {
    ...{ name: 'scorecards list', summary: 'scorecards of all providers that got requests' },
    ...{ operationId: 'listProviderScorecards', operands: [] },
    columns: [
      ...[column('PROVIDER', 'providerId'), column('REQUESTS', 'requests.received'), column('CALLS', 'tracedCalls')],
      ...[column('IN TIME', 'requests.answeredInTime'), column('LATE', 'requests.answeredLate')],
      ...[column('UNANSWERED', 'requests.unanswered'), column('OPEN', 'requests.open'), column('CONCERNS', 'concerns')],
    ],
  },
  {
    ...{
      name: 'reports participation',
      summary: 'who participated in tracebacks: participation-2026.csv, to --output FILE',
    },
    ...{ operationId: 'fetchParticipationReport', operands: ['name'] },
  },
  {
    ...{ name: 'contests list', summary: 'what providers contested' },
    ...{ operationId: 'listContests', operands: [] },
    columns: [
      ...[column('CONTEST', 'contestId'), column('PROVIDER', 'providerId'), column('REQUEST', 'requestId')],
      ...[column('STATE', 'state'), time('CONTESTED', 'contestedAt'), column('REASON', 'reason')],
    ],
  },
  {
    ...{ name: 'contests decide', summary: 'decide what a provider contested' },
    ...{ operationId: 'decideContest', operands: ['contestId'] },
    body: [
      { option: 'decision', member: 'decision', help: 'uphold or reject', isRequired: true },
      { option: 'reason', member: 'reason', help: 'reason given to the provider', isRequired: true },
    ],
  },
];

const CAMPAIGNS: readonly ApiCommand[] = [
  {
    ...{ name: 'campaigns evidence', summary: 'what holds a campaign together, and what analysts decided' },
    ...{ operationId: 'fetchCampaignEvidence', operands: ['campaignId'] },
  },
  decision('merge', 'merge a campaign into another', {
    ...{ option: 'into', member: 'into', help: 'id of the campaign that stays', isRequired: true },
  }),
  decision('split', 'split some keys into a new campaign', {
    ...{ option: 'keys', member: 'keyIds', help: 'ids of keys, as campaigns evidence shows them', isRequired: true },
    read: listed,
  }),
  decision('rename', 'give a campaign another name', {
    ...{ option: 'name', member: 'name', help: 'in the style SSA-Suspended-P2', isRequired: true },
  }),
  decision('lawful', 'mark a campaign as lawful: it is shown to staff alone'),
  decision('close', 'close a campaign'),
  decision('reopen', 'open a campaign again'),
];

function decision(verb: string, summary: string, ...own: readonly BodyOption[]): ApiCommand {
  return {
    ...{ name: `campaigns ${verb}`, summary, operationId: 'decideCampaign', operands: ['campaignId'] },
    ...{ defaults: { decision: verb }, body: [...own, REASON] },
  };
}

const DEMANDS: readonly ApiCommand[] = [
  {
    ...{ name: 'reviews list', summary: 'demands that wait for a decision' },
    ...{ operationId: 'listReviewQueue', operands: [] },
    tables: {
      items: [
        ...[column('DEMAND', 'demandId'), column('AGENCY', 'organizationId'), column('KIND', 'kind')],
        ...[column('PRIORITY', 'clock.priority'), column('LATE', 'clock.isLate'), column('CLAIMED BY', 'claimedBy')],
      ],
    },
  },
  {
    ...{ name: 'demands checklist', summary: 'go through a demand as a reviewer does' },
    ...{ operationId: 'fetchDemandChecklist', operands: ['demandId'] },
    tables: { findings: [column('STEP', 'step'), column('RESULT', 'result'), column('FOUND', 'detail')] },
  },
  {
    ...{ name: 'demands document', summary: 'the PDF of a demand, to --output FILE' },
    ...{ operationId: 'fetchDemandDocument', operands: ['demandId'] },
  },
  {
    ...{ name: 'demands claim', summary: 'say that you review a demand' },
    ...{ operationId: 'claimDemand', operands: ['demandId'] },
  },
  {
    ...{ name: 'demands withdraw', summary: 'withdraw a demand' },
    ...{ operationId: 'withdrawDemand', operands: ['demandId'] },
    body: [REASON],
  },
  {
    ...{ name: 'productions receipts', summary: 'who fetched what of a production' },
    ...{ operationId: 'listProductionReceipts', operands: ['productionId'] },
    tables: {
      receipts: [
        ...[time('FETCHED', 'retrievedAt'), column('FILE', 'name'), column('BY', 'clientId')],
        column('SHA-256', 'sha256'),
      ],
    },
  },
];

/** Optional columns of a file of complaints, and their contents. */
const COMPLAINT_COLUMNS = {
  time: 'time of day',
  callerNumber: 'calling number',
  type: 'type of complaint',
  subject: 'subject',
  state: 'state of the consumer',
  comment: 'comment',
  id: 'id of the complaint',
};

const OTHERS: readonly ApiCommand[] = [
  {
    ...{ name: 'complaints import', summary: 'import consumer complaints from a CSV file with a header row' },
    ...{ operationId: 'importComplaints', operands: [] },
    body: [
      { option: 'csv', member: 'text', help: 'the file', isRequired: true, read: fileText },
      { option: 'source', member: 'source', help: 'whose file it is, ftc-dnc', isRequired: true },
      { option: 'date', member: 'columns.date', help: 'column of the date, or of date and time', isRequired: true },
      ...Object.entries(COMPLAINT_COLUMNS).map(([name, what]) => ({
        ...{ option: name, member: `columns.${name}`, help: `column of the ${what}; default none` },
      })),
    ],
    tables: { rejected: [column('LINE', 'line'), column('REASON', 'code')] },
  },
  {
    ...{ name: 'tracebacks waiting', summary: 'tracebacks in which a person has to decide something' },
    ...{ operationId: 'listWaiting', operands: [] },
    columns: [
      ...[column('TRACEBACK', 'tracebackId'), time('SINCE', 'updatedAt')],
      {
        heading: 'WHAT WAITS',
        of: (item) => (item as { items: readonly { kind: string }[] }).items.map(({ kind }) => kind).join(', '),
      },
    ],
  },
  {
    ...{ name: 'audit list', summary: 'what was done by whom, the newest first' },
    ...{ operationId: 'listAuditRecords', operands: [] },
    columns: [
      ...[column('ENTRY', 'position'), time('AT', 'at'), column('ACTION', 'action'), column('BY', 'actor')],
      ...[column('OBJECT', 'object'), column('INTEGRITY', 'integrity')],
    ],
    judge: { faults: (items) => (items as readonly ShownEntry[]).flatMap(forgery) },
  },
  {
    ...{ name: 'audit show', summary: 'one entry with its proof' },
    ...{ operationId: 'fetchAuditRecord', operands: ['position'] },
    judge: { faults: (value) => forgery((value as { readonly entry: ShownEntry }).entry) },
  },
  {
    ...{ name: 'audit verify', summary: 'check every signature of the audit, and every entry against it' },
    ...{ operationId: 'fetchAuditVerification', operands: [] },
    tables: {
      findings: [
        ...[column('ENTRY', 'position'), column('FAULT', 'kind'), column('SEGMENT', 'segment')],
        column('LEAF', 'leafIndex'),
      ],
    },
    judge: {
      isPending: (value) => (value as { readonly status: string }).status === 'running',
      faults: (value) => auditFaults(value as Parameters<typeof auditFaults>[0]),
    },
  },
  {
    ...{ name: 'audit checkpoint', summary: 'the newest signed checkpoint: to be kept elsewhere' },
    ...{ operationId: 'fetchAuditCheckpoint', operands: [] },
  },
];

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
    `the audit is broken at ${where}: ${findingCount} of what was looked at ${findingCount === 1 ? 'is' : 'are'} not as signed`,
  ];
}

/** Commands of routes beside the contract. */
export const OPERATOR_COMMANDS: readonly ApiCommand[] = [
  ...[ORGANIZATIONS, CLIENTS, PROVIDERS, CAMPAIGNS, DEMANDS, OTHERS].flat(),
];
