import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { AppReport } from '../../sdk/src/contract/campaign.js';
import { batchCall, liveSample, rememberingListener, SAMPLES_MS } from '../support/itg-live-records.js';
import { openRecordsLab } from '../support/itg-records-area.js';

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

test('a report is stored once, and another one under its id is a conflict', async () => {
  await using lab = await openRecordsLab();
  const receivedAt = new Date(SAMPLES_MS).toISOString();
  expect(await lab.call('reportCall', { body: report() })).toEqual({ reportId: 'r-1', receivedAt, isRepeat: false });
  const later = { atMs: SAMPLES_MS + 5 };
  const repeated = await lab.call('reportCall', { body: report() }, later);
  expect(repeated).toEqual({ reportId: 'r-1', receivedAt, isRepeat: true });
  expect(await lab.call('reportCall', { body: report('r-1', { action: 'blocked' }) })).toBe('conflict');
  const other = await lab.call('reportCall', { body: report() }, { organizationId: 'app-2' });
  expect(other).toMatchObject({ isRepeat: false });
  expect((await lab.context.audited()).filter(({ action }) => action === 'report.received')).toHaveLength(2);
});

test('a report comes back as it was sent, and belongs to the application that sent it', async () => {
  await using lab = await openRecordsLab();
  await lab.call('reportCall', { body: report() });
  expect(await lab.area.reader.report('app-1', 'r-1')).toEqual(report());
  expect(await lab.area.reader.report('app-2', 'r-1')).toBeUndefined();
  expect((await lab.context.audited()).at(-1)).toMatchObject({ action: 'sealed.opened', organizationId: 'platform' });
  // Within the transaction that opens a traceback from it as well.
  const read = lab.context.transact((transaction) => lab.area.reader.report('app-1', 'r-1', transaction));
  expect(await read).toEqual(report());
});

test('reports of a time that is not kept, or of tomorrow, are refused', async () => {
  await using lab = await openRecordsLab();
  const at = (ms: number) => report('r-2', { calledAt: new Date(ms).toISOString() });
  expect(await lab.call('reportCall', { body: at(SAMPLES_MS - 181 * DAY_MS) })).toBe('invalid-body');
  expect(await lab.call('reportCall', { body: at(SAMPLES_MS + DAY_MS) })).toBe('invalid-body');
});

test('a report that was not settled is told again after a restart, one that was is not', async () => {
  await using lab = await openRecordsLab();
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
  await using lab = await openRecordsLab();
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
  await using lab = await openRecordsLab();
  const { area } = lab;
  const sealed = async () =>
    (await lab.database.database.selectFrom('core_sealed').select('reference').execute()).length;
  await area.operations['sendRecordBatch']!(batchCall([liveSample(1), liveSample(2)]) as never);
  await lab.call('reportCall', { body: report('r-1') });
  await lab.call('importComplaints', {
    body: { source: 'ftc', columns: { date: 'd' }, text: `d\n${new Date(SAMPLES_MS).toISOString().slice(0, 10)}\n` },
  });
  const { recordId } = liveSample(1);
  const there = async () => [
    (await area.reader.record('carrier-1', recordId)) !== undefined,
    (await area.reader.report('app-1', 'r-1')) !== undefined,
    (await lab.everything()).includes('complaint_id'),
  ];
  const order = { holdId: 'h-1', reason: 'D-1', organizationId: 'staff', actor: 'c' };
  for (let repeat = 0; repeat < 2; repeat += 1)
    await area.holds.place({ ...order, fromMs: SAMPLES_MS - 2 * DAY_MS, toMs: SAMPLES_MS + 2 * DAY_MS });
  await lab.run('records.retention', SAMPLES_MS + 800 * DAY_MS);
  expect(await there()).toEqual([true, true, true]);
  const release = () => area.holds.release('h-1', { reason: 'over', organizationId: 'staff', actor: 'c' });
  expect([await release(), await release()]).toEqual([true, false]);
  await lab.run('records.retention', SAMPLES_MS + 800 * DAY_MS);
  expect(await there()).toEqual([false, false, false]);
  expect(await sealed()).toBe(0);
});
