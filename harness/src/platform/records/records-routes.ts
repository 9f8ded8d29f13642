import type { ProblemCode } from '@hopback/sdk/platform';
import type { ServedRoute, StaffRoles } from '../core/index.js';

const STAFF = ['staff'] as const;
const BODY: readonly ProblemCode[] = ['invalid-body', 'too-large', 'unsupported-media-type'];

/** Routes of operators for live data. */
export const RECORDS_ROUTES: readonly ServedRoute[] = [
  {
    operationId: 'importDoNotOriginate',
    method: 'POST',
    path: '/v1/do-not-originate-imports',
    summary: 'Bring in numbers from which no call can rightly come',
    description: 'An entry of the same id takes the place of the one before. Entries that are not named stay.',
    parameters: [],
    request: { kind: 'json', body: 'DoNotOriginateImport' },
    response: { kind: 'json', status: 200, body: 'DoNotOriginateImported', description: 'What was changed.' },
    problems: BODY,
    idempotency: 'by-content',
    tag: 'Do not originate',
    allowed: STAFF,
  },
  {
    operationId: 'withdrawDoNotOriginate',
    method: 'POST',
    path: '/v1/do-not-originate/{entryId}/withdrawal',
    summary: 'Withdraw an entry',
    description: 'It ends now and stays in the list, so that whoever reads what is new learns of it.',
    parameters: [{ name: 'entryId', in: 'path', form: 'identifier', description: 'Of the entry.', isRequired: true }],
    response: { kind: 'json', status: 200, body: 'DoNotOriginateEntry', description: 'The entry with its end.' },
    problems: ['invalid-parameter', 'not-found'],
    idempotency: 'by-content',
    tag: 'Do not originate',
    allowed: STAFF,
  },
  {
    operationId: 'importComplaints',
    method: 'POST',
    path: '/v1/complaint-imports',
    summary: 'Import consumer complaints',
    description:
      'A CSV file with a header row. A line that cannot be read is reported with its line number; importing the same file again changes nothing.',
    parameters: [],
    request: { kind: 'json', body: 'ComplaintImport' },
    response: {
      kind: 'json',
      status: 200,
      body: 'ComplaintsImported',
      description: 'What was stored, and what was not.',
    },
    problems: BODY,
    idempotency: 'by-content',
    tag: 'Complaints',
    allowed: STAFF,
  },
];

/** Lists are brought in by operators. */
export const RECORDS_ROLES: StaffRoles = {
  operator: ['importDoNotOriginate', 'withdrawDoNotOriginate', 'importComplaints'],
};
