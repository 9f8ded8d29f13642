import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { RECORDS_SCHEMAS } from '../../harness/src/platform/records/records-bodies.js';
import { AppReport } from '../../sdk/src/contract/campaign.js';
import { WIRE_SCHEMAS, type DoNotOriginateEntry, type Page } from '../../sdk/src/platform/index.js';
import { batchCall, liveSample, rememberingListener, SAMPLES_MS } from './itg-live-records.js';
import { TEST_NUMBER, type RecordsLab } from './itg-records-area.js';

const entry = (index: number, more: object = {}) => ({
  ...{ entryId: `d-${index}`, numbers: { tn: `180055500${10 + index}` }, reason: 'subscriber-request' },
  ...{ validFrom: '2026-01-01T00:00:00Z', ...more },
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

const DAY_MS = 86_400_000;

/** A report full of numbers: every one of them has 5550 in it. */
function report(reportId = 'r-1', more: Partial<AppReport> = {}): AppReport {
  const given = {
    ...{ format: 'hopback.app-report.1', reportId, app: { name: 'Blocker 1-202-555-0100' } },
    ...{ calledAt: new Date(SAMPLES_MS - 60_000).toISOString(), action: 'answered-by-app', reason: 'content' },
    ...{ called: { shown: 'number', tn: '13035550145' }, calling: '12025550123', callerName: 'IRS 202 555 0123' },
    transcript: {
      text: `Call us back at (800) 555-0199, or eight hundred five five five oh one nine nine. ${'Öffne 😀 '.repeat(1_500)}`,
      language: 'en',
    },
    audioFingerprint: { algorithm: 'chromaprint-2', value: 'AQIDBA==', durationMs: 8_000 },
    ...more,
  };
  return AppReport.parse(given);
}

const expectNoNumbers = async ({ everything, context }: RecordsLab): Promise<void> =>
  expect((await everything()) + JSON.stringify(context.logged)).not.toMatch(TEST_NUMBER);

/** What holds of reports, complaints, lists, holds and retention on every engine. Each test has an area of its own. */
export function recordsClaims(open: () => Promise<RecordsLab>): void {
  test('entries are listed by their last change, page after page, and again only when they are other ones', async () => {
    await using lab = await open();
    const entries = Array.from({ length: 7 }, (_, index) => entry(index));
    const at = (ms: number) => ({ atMs: SAMPLES_MS + ms });
    expect(await lab.call('importDoNotOriginate', { body: { entries } }, at(0))).toEqual({
      changed: 7,
      unchanged: 0,
    });
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
    await using lab = await open();
    await lab.call('importDoNotOriginate', { body: { entries: [entry(1)] } });
    const parameters = { entryId: 'd-1' };
    const ended = await lab.call('withdrawDoNotOriginate', { parameters }, { atMs: SAMPLES_MS + 5 });
    expect(ended).toMatchObject({ entryId: 'd-1', validTo: new Date(SAMPLES_MS + 5).toISOString() });
    expect(await lab.call('withdrawDoNotOriginate', { parameters }, { atMs: SAMPLES_MS + 9 })).toEqual(ended);
    expect(await lab.call('listDoNotOriginate', {})).toEqual({ items: [ended] });
    expect(await lab.call('withdrawDoNotOriginate', { parameters: { entryId: 'd-2' } })).toBe('not-found');
    await expectNoNumbers(lab);
  });

  test('a file of complaints is stored once, and rows that cannot be read are reported with line and reason', async () => {
    await using lab = await open();
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
    await expectNoNumbers(lab);
  });

  test('complaints without ids that say the same are as many as there are, also when the file comes again', async () => {
    await using lab = await open();
    const body = { source: 'ftc', columns: { date: 'd' }, text: 'd\n2026-09-20\n2026-09-20\n2026-09-20\n' };
    expect(await lab.call('importComplaints', { body })).toMatchObject({ stored: 3, repeated: 0 });
    expect(await lab.call('importComplaints', { body })).toMatchObject({ stored: 0, repeated: 3 });
  });

  test('a file without a named column is refused, and one whose quotes do not end is read up to there', async () => {
    await using lab = await open();
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

  test('a report is stored once, and another one under its id is a conflict', async () => {
    await using lab = await open();
    const heard: string[] = [];
    const hear = (app: string, { reportId }: AppReport): void => void heard.push(`${app} ${reportId}`);
    await lab.area.listen('test', { ...rememberingListener(), report: hear });
    const receivedAt = new Date(SAMPLES_MS).toISOString();
    expect(await lab.call('reportCall', { body: report() })).toEqual({ reportId: 'r-1', receivedAt, isRepeat: false });
    const later = { atMs: SAMPLES_MS + 5 };
    const repeated = await lab.call('reportCall', { body: report() }, later);
    expect(repeated).toEqual({ reportId: 'r-1', receivedAt, isRepeat: true });
    expect(await lab.call('reportCall', { body: report('r-1', { action: 'blocked' }) })).toBe('conflict');
    const other = await lab.call('reportCall', { body: report() }, { organizationId: 'app-2' });
    expect(other).toMatchObject({ isRepeat: false });
    // At the same time: the database puts them in order.
    const together = ['r-2', 'r-2', 'r-3'].map((id) => lab.call('reportCall', { body: report(id) }));
    const repeats = (await Promise.all(together)).map((answer) => (answer as { isRepeat: boolean }).isRepeat);
    expect(repeats.filter(Boolean)).toHaveLength(1);
    expect(heard.toSorted()).toEqual(['app-1 r-1', 'app-1 r-2', 'app-1 r-3', 'app-2 r-1']);
    expect((await lab.context.audited()).filter(({ action }) => action === 'report.received')).toHaveLength(4);
    await expectNoNumbers(lab);
  });

  test('a report comes back as it was sent, and belongs to the application that sent it', async () => {
    await using lab = await open();
    await lab.call('reportCall', { body: report() });
    expect(await lab.area.reader.report('app-1', 'r-1')).toEqual(report());
    expect(await lab.area.reader.report('app-2', 'r-1')).toBeUndefined();
    expect((await lab.context.audited()).at(-1)).toMatchObject({ action: 'sealed.opened', organizationId: 'platform' });
    // Within the transaction that opens a traceback from it as well.
    const read = lab.context.transact((transaction) => lab.area.reader.report('app-1', 'r-1', transaction));
    expect(await read).toEqual(report());
  });

  test('reports of a time that is not kept, or of tomorrow, are refused', async () => {
    await using lab = await open();
    const at = (ms: number) => report('r-2', { calledAt: new Date(ms).toISOString() });
    expect(await lab.call('reportCall', { body: at(SAMPLES_MS - 181 * DAY_MS) })).toBe('invalid-body');
    expect(await lab.call('reportCall', { body: at(SAMPLES_MS + DAY_MS) })).toBe('invalid-body');
  });

  test('a report that was not settled is told again after a restart, one that was is not', async () => {
    await using lab = await open();
    const told: string[] = [];
    const listener = {
      ...rememberingListener(),
      report: (_app: string, { reportId }: AppReport) => void told.push(reportId),
    };
    await lab.area.listen('test', listener);
    await lab.call('reportCall', { body: report('r-1') });
    await lab.run('records.settle', SAMPLES_MS);
    await lab.call('reportCall', { body: report('r-2') });
    expect(told).toEqual(['r-1', 'r-2']);
    const area = await lab.reopen();
    await area.listen('test', listener);
    expect(told).toEqual(['r-1', 'r-2', 'r-2']);
    await lab.run('records.settle', SAMPLES_MS);
    await (await lab.reopen()).listen('test', listener);
    expect(told).toHaveLength(3);
  });

  test('a report that cannot be opened any more is left out of what a restart reads again, and fails every other look-up', async () => {
    await using lab = await open();
    await lab.call('reportCall', { body: report('r-1') });
    await lab.call('reportCall', { body: report('r-2') });
    await sql`update core_sealed set nonce = 'AAAAAAAAAAAAAAAA' where belongs_to =
      (select 'report:' || report_key from records_reports where report_id = 'r-1')`.execute(lab.context.database);
    const query = { fromMs: 0, toMs: SAMPLES_MS, limit: 10 };
    await expect(lab.area.reports.findReports(query)).rejects.toMatchObject({ code: 'log-inconsistent' });
    const found = await lab.area.reports.findReports({ ...query, leavesOutUnreadable: true });
    expect(found.reports.map(({ report: { reportId } }) => reportId)).toEqual(['r-2']);
  });

  test('retention takes records, reports and complaints away with what was sealed of them, and leaves what is under a hold', async () => {
    await using lab = await open();
    const { area } = lab;
    const sealed = async () =>
      (await lab.database.database.selectFrom('core_sealed').select('reference').execute()).length;
    await area.operations['sendRecordBatch']!(batchCall([liveSample(1), liveSample(2)]) as never);
    await lab.call('reportCall', { body: report('r-1') });
    await lab.call('importComplaints', {
      body: {
        source: 'ftc',
        columns: { date: 'd' },
        text: `d\n${new Date(SAMPLES_MS).toISOString().slice(0, 10)}\n`,
      },
    });
    const { recordId } = liveSample(1);
    const there = async () => [
      (await area.reader.record('carrier-1', recordId)) !== undefined,
      (await area.reader.report('app-1', 'r-1')) !== undefined,
      (await lab.everything()).includes('complaint_id'),
    ];
    const [from = '', to = ''] = [-2, 2].map((days) => new Date(SAMPLES_MS + days * DAY_MS).toISOString());
    const hold = {
      holdId: 'h-1',
      organizationId: 'ag-1',
      scope: { recordClasses: ['call-records'], from, to },
    } as const;
    for (let repeat = 0; repeat < 2; repeat += 1) await area.holdPort.place(hold);
    await lab.run('records.retention', SAMPLES_MS + 800 * DAY_MS);
    expect(await there()).toEqual([true, true, true]);
    for (let repeat = 0; repeat < 2; repeat += 1) await area.holdPort.release('h-1');
    await lab.run('records.retention', SAMPLES_MS + 800 * DAY_MS);
    expect(await there()).toEqual([false, false, false]);
    expect(await sealed()).toBe(0);
  });
}
