import { afterAll, beforeAll, expect, test } from 'vitest';
import { AppReport } from '../../sdk/src/contract/campaign.js';
import { describePeer, peer } from '../peers.js';
import { SAMPLES_MS } from '../support/itg-live-records.js';
import { openRecordsLab, TEST_NUMBER } from '../support/itg-records-area.js';
import { startPostgres, type RunningPostgres } from './postgres/start-postgres.js';

let server: RunningPostgres;

describePeer('postgres', 'live data on PostgreSQL', () => {
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
  });
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
  });

  test('reports, complaints, lists, holds and retention do on PostgreSQL what they do on PGlite', async () => {
    await using lab = await openRecordsLab(server);
    const report = (reportId: string) =>
      AppReport.parse({
        ...{ format: 'hopback.app-report.1', reportId, app: { name: 'Blocker' }, action: 'blocked', reason: 'content' },
        ...{ calledAt: new Date(SAMPLES_MS).toISOString(), called: { shown: 'number', tn: '13035550145' } },
        transcript: { text: 'call 800 555 0199 now' },
      });
    const heard: string[] = [];
    await lab.area.listen('test', {
      records: () => undefined,
      report: (app, { reportId }) => void heard.push(`${app} ${reportId}`),
    });
    // At the same time: the database puts them in order.
    const answers = await Promise.all(
      ['r-1', 'r-1', 'r-2', 'r-3'].map((id) => lab.call('reportCall', { body: report(id) })),
    );
    expect(answers.filter((answer) => (answer as { isRepeat: boolean }).isRepeat)).toHaveLength(1);
    expect(heard.toSorted()).toEqual(['app-1 r-1', 'app-1 r-2', 'app-1 r-3']);
    expect(await lab.area.reader.report('app-1', 'r-2')).toEqual(report('r-2'));
    const entries = [
      { entryId: 'd-1', numbers: { tn: '18005550111' }, reason: 'unused', validFrom: '2026-01-01T00:00:00Z' },
    ];
    expect(await lab.call('importDoNotOriginate', { body: { entries } })).toEqual({ changed: 1, unchanged: 0 });
    expect(await lab.call('withdrawDoNotOriginate', { parameters: { entryId: 'd-1' } })).toMatchObject({
      entryId: 'd-1',
    });
    expect(await lab.call('listDoNotOriginate', {})).toMatchObject({ items: [{ entryId: 'd-1' }] });
    const body = { source: 'ftc', columns: { date: 'd', callerNumber: 'n' }, text: 'd,n\n2026-09-20,2025550177\n' };
    expect(await lab.call('importComplaints', { body })).toMatchObject({ stored: 1 });
    expect(await lab.call('importComplaints', { body })).toMatchObject({ stored: 0, repeated: 1 });
    expect((await lab.everything()) + JSON.stringify(lab.context.logged)).not.toMatch(TEST_NUMBER);
    const by = { reason: 'D-1', organizationId: 'staff', actor: 'c' };
    await lab.area.holds.place({ ...by, holdId: 'h-1', fromMs: SAMPLES_MS - 1, toMs: SAMPLES_MS + 1 });
    const later = SAMPLES_MS + 800 * 86_400_000;
    await lab.run('records.settle', later);
    await lab.run('records.retention', later);
    expect(await lab.area.reader.report('app-1', 'r-2')).toEqual(report('r-2'));
    expect(await lab.area.holds.release('h-1', by)).toBe(true);
    await lab.run('records.retention', later);
    expect(await lab.area.reader.report('app-1', 'r-2')).toBeUndefined();
  });
});
