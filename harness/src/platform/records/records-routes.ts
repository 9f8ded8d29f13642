import type { ServedRoute } from '../core/index.js';
import { routesOf } from '../domain/wire/routes.js';
import { inPath } from '@hopback/sdk/internal';

const list = routesOf('Do not originate');

/** Routes of operators for live data. */
export const RECORDS_ROUTES: readonly ServedRoute[] = [
  list.change('importDoNotOriginate', '/v1/do-not-originate-imports', {
    role: 'operator',
    summary: 'Import do-not-originate numbers',
    description: 'An entry of the same id takes the place of the one before. Entries that are not named stay.',
    body: 'DoNotOriginateImport',
    answer: ['DoNotOriginateImported', 'What was changed.'],
  }),
  list.change('withdrawDoNotOriginate', '/v1/do-not-originate/{entryId}/withdrawal', {
    role: 'operator',
    summary: 'Withdraw an entry',
    description: 'It ends now and stays in the list, so that readers of changes see the withdrawal.',
    parameters: [inPath('entryId', 'Of the entry.')],
    answer: ['DoNotOriginateEntry', 'The entry with its end.'],
  }),
  routesOf('Complaints').change('importComplaints', '/v1/complaint-imports', {
    role: 'operator',
    summary: 'Import consumer complaints',
    description:
      'A CSV file with a header row. A line that cannot be read is reported with its line number; importing the same file again changes nothing.',
    body: 'ComplaintImport',
    answer: ['ComplaintsImported', 'What was stored, and what was not.'],
  }),
];
