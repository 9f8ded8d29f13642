import { expect, test } from 'vitest';
import { readComplaint } from '../../harness/src/platform/domain/records/read-complaint.js';
import { RECORDS_ROUTES } from '../../harness/src/platform/records/records-routes.js';
import { RECORDS_SCHEMAS } from '../../harness/src/platform/records/records-bodies.js';
import { WIRE_SCHEMAS, type DoNotOriginateEntry, type Page } from '../../sdk/src/platform/index.js';
import { SAMPLES_MS } from '../support/itg-live-records.js';
import { openRecordsLab } from '../support/itg-records-area.js';

const entry = (index: number, more: object = {}) => ({
  ...{ entryId: `d-${index}`, numbers: { tn: `180055500${10 + index}` }, reason: 'subscriber-request' },
  ...{ validFrom: '2026-01-01T00:00:00Z', ...more },
});

test('entries are listed by their last change, page after page, and again only when they are other ones', async () => {
  await using lab = await openRecordsLab();
  const entries = Array.from({ length: 7 }, (_, index) => entry(index));
  const at = (ms: number) => ({ atMs: SAMPLES_MS + ms });
  expect(await lab.call('importDoNotOriginate', { body: { entries } }, at(0))).toEqual({ changed: 7, unchanged: 0 });
  const changed = [entry(1), entry(2, { reason: 'unused' }), entry(9, { numbers: { prefix: '1800' } })];
  const imported = await lab.call('importDoNotOriginate', { body: { entries: changed } }, at(10));
  expect(imported).toEqual({ changed: 2, unchanged: 1 });
  const ids: string[] = [];
  let cursor: string | undefined;
  do {
    const parameters = { limit: '3', ...(cursor !== undefined && { cursor }) };
    const page = (await lab.call('listDoNotOriginate', { parameters })) as Page<DoNotOriginateEntry>;
    expect(WIRE_SCHEMAS.DoNotOriginateEntryPage.safeParse(page).success).toBe(true);
    ids.push(...page.items.map(({ entryId }) => entryId));
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  expect(ids).toEqual(['d-0', 'd-1', 'd-3', 'd-4', 'd-5', 'd-6', 'd-2', 'd-9']);
  const changedSince = new Date(SAMPLES_MS + 1).toISOString();
  expect(await lab.call('listDoNotOriginate', { parameters: { changedSince } })).toMatchObject({
    items: [
      { entryId: 'd-2', reason: 'unused' },
      { entryId: 'd-9', reason: 'subscriber-request' },
    ],
  });
  expect(await lab.call('listDoNotOriginate', { parameters: { cursor: 'zzz' } })).toBe('invalid-parameter');
});

test('an entry that is withdrawn stays in the list with its end', async () => {
  await using lab = await openRecordsLab();
  await lab.call('importDoNotOriginate', { body: { entries: [entry(1)] } });
  const parameters = { entryId: 'd-1' };
  const ended = await lab.call('withdrawDoNotOriginate', { parameters }, { atMs: SAMPLES_MS + 5 });
  expect(ended).toMatchObject({ entryId: 'd-1', validTo: new Date(SAMPLES_MS + 5).toISOString() });
  expect(await lab.call('withdrawDoNotOriginate', { parameters }, { atMs: SAMPLES_MS + 9 })).toEqual(ended);
  expect(await lab.call('listDoNotOriginate', {})).toEqual({ items: [ended] });
  expect(await lab.call('withdrawDoNotOriginate', { parameters: { entryId: 'd-2' } })).toBe('not-found');
});

const FCC = `Ticket,Date of Issue,Time of Issue,Caller ID Number,Issue,State,Comment
1,09/20/2026,1:23 PM,202-555-0123,Robocalls,TX,"They said ""press one"",
and call 202-555-0199"
2,09/21/2026,,NONE,Robocalls,FL,
3,13/45/2026,,202-555-0123,Robocalls,FL,
4,,,202-555-0123,Robocalls,FL,
5,09/21/2026,,12,Robocalls,FL,
6,09/21/2020,,,Robocalls,FL,
7,09/21/2029,,,Robocalls,FL,
`;
const COLUMNS = {
  ...{ id: 'Ticket', date: 'Date of Issue', time: 'Time of Issue', callerNumber: 'Caller ID Number' },
  ...{ type: 'Issue', state: 'State', comment: 'Comment' },
};

test('a file of complaints is stored once, and rows that cannot be read are reported with line and reason', async () => {
  await using lab = await openRecordsLab();
  const rejected = [
    { line: 5, code: 'invalid-date' },
    { line: 6, code: 'no-date' },
    { line: 7, code: 'invalid-number' },
    { line: 8, code: 'too-old' },
    { line: 9, code: 'in-the-future' },
  ];
  const body = { source: 'fcc', columns: COLUMNS, text: FCC };
  const first = await lab.call('importComplaints', { body });
  expect(first).toMatchObject({ stored: 2, repeated: 0, rejectedCount: 5, rejected });
  expect(RECORDS_SCHEMAS['ComplaintsImported']?.safeParse(first).success).toBe(true);
  expect(await lab.call('importComplaints', { body })).toMatchObject({ stored: 0, repeated: 2, rejectedCount: 5 });
  const others = { ...body, source: 'ftc' };
  expect(await lab.call('importComplaints', { body: others })).toMatchObject({ stored: 2 });
});

test('complaints without ids that say the same are as many as there are, also when the file comes again', async () => {
  await using lab = await openRecordsLab();
  const body = { source: 'ftc', columns: { date: 'd' }, text: 'd\n2026-09-20\n2026-09-20\n2026-09-20\n' };
  expect(await lab.call('importComplaints', { body })).toMatchObject({ stored: 3, repeated: 0 });
  expect(await lab.call('importComplaints', { body })).toMatchObject({ stored: 0, repeated: 3 });
});

test('a file without a named column is refused, and one whose quotes do not end is read up to there', async () => {
  await using lab = await openRecordsLab();
  const imported = (source: string, date: string, text: string) =>
    lab.call('importComplaints', { body: { source, columns: { date }, text } });
  expect(await imported('a', 'x', 'd\n')).toBe('invalid-body');
  expect(await imported('a', 'd', '\n')).toBe('invalid-body');
  const cut = (length: number): string => `d,c\n2026-09-20,1\n2026-09-20,"${'x'.repeat(length)}\n`;
  for (const [source, length, rejected] of [
    ['b', 1, { line: 3, code: 'invalid-csv' }],
    ['a', 300_000, { code: 'invalid-csv' }],
  ] as const)
    expect(await imported(source, 'd', cut(length))).toMatchObject({ stored: 1, rejected: [rejected] });
});

test.each([
  ['2026-09-20', '', '2026-09-20T12:00:00.000Z'],
  ['2026-09-20 23:59:58', '', '2026-09-20T23:59:58.000Z'],
  ['2026-09-20T01:02:03.000Z', '', '2026-09-20T01:02:03.000Z'],
  ['9/2/2026', '12:05 a.m.', '2026-09-02T00:05:00.000Z'],
  ['9/2/2026 12:05 PM', '', '2026-09-02T12:05:00.000Z'],
])('reads the date %s with the time "%s"', (date, time, expected) => {
  const fields = { date, time, callerNumber: '', type: '', subject: '', state: '', comment: '', id: '' };
  const reading = readComplaint(fields, { fromMs: 0, nowMs: SAMPLES_MS * 2 });
  expect(reading.status === 'read' && new Date(reading.complaint.atMs).toISOString()).toBe(expected);
});

test('every route of operators has its operation and the schemas of its bodies', async () => {
  await using lab = await openRecordsLab();
  for (const { operationId, request, response } of RECORDS_ROUTES) {
    expect(lab.area.operations[operationId]).toBeTypeOf('function');
    const bodies = [
      request?.kind === 'json' ? request.body : undefined,
      response.kind === 'json' ? response.body : undefined,
    ];
    for (const body of bodies)
      if (body !== undefined) expect(body in RECORDS_SCHEMAS || body in WIRE_SCHEMAS).toBe(true);
  }
});
