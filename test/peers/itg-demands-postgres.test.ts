import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Demand, Production } from '../../sdk/src/platform/index.js';
import { describePeer, peer } from '../peers.js';
import { STAFF } from '../support/itg-calls.js';
import {
  campaign,
  closeDemandDatabase,
  demandLab,
  emptyWorld,
  liveRecord,
  OHIO,
  SUBMISSION,
  TEXAS,
} from '../support/itg-demands.js';
import { startPostgres, type RunningPostgres } from './postgres/start-postgres.js';

describePeer('postgres', 'demands on PostgreSQL', () => {
  let server: RunningPostgres;
  beforeAll(async () => {
    server = await startPostgres(peer('postgres').path);
  });
  afterAll(async () => {
    await closeDemandDatabase();
    await server.close();
  });

  test('are submitted, decided, produced, fetched, supplemented and let go as on PGlite', async () => {
    const world = emptyWorld();
    world.campaigns.push(campaign('c-1'));
    for (let call = 0; call < 30; call += 1) {
      const atMs = Date.parse('2026-10-22T10:00:00Z') + call * 1_000;
      world.records.push(liveRecord(`rec-${call}`, atMs));
      world.calls.push({
        callId: `record:acme:rec-${call}`,
        campaignId: 'c-1',
        atMs,
        reporterId: 'acme',
        recordId: `rec-${call}`,
      });
    }
    await using lab = await demandLab({ world, server, limits: { retrievalMs: 86_400_000, pageItems: 7 } });
    const numbers = Array.from({ length: 400 }, (_, index) => `1202555${String(index).padStart(4, '0')}`);
    const scope = { ...SUBMISSION.scope, to: '2026-11-24T00:00:00Z', callingNumbers: numbers };
    const demandId = await lab.submit(TEXAS, { kind: 'court-order', isUrgent: true, scope }, 'key');
    const again = await Promise.all(
      [1, 2, 3].map(() => lab.submit(TEXAS, { kind: 'court-order', isUrgent: true, scope }, 'key')),
    );
    expect(again).toEqual([demandId, demandId, demandId]);
    await lab.submit(OHIO);
    await lab.run('demands.holds');
    expect(lab.holds.get(demandId)?.scope).toEqual({
      ...{ recordClasses: SUBMISSION.scope.recordClasses, from: SUBMISSION.scope.from, to: scope.to },
    });
    const fetched = await lab.value<Demand>('fetchDemand', TEXAS, { demandId });
    expect(fetched.scope.callingNumbers).toHaveLength(400);
    await lab.value('fetchDemandChecklist', STAFF, { demandId });
    const body = { decision: 'approve', reason: 'It fits.' };
    await lab.value<Demand>('decideDemand', STAFF, { demandId }, body);
    await lab.produce();
    await lab.value('continueDemand', STAFF, { demandId }, { until: '2026-10-26T00:00:00Z', everyHours: 24 });
    lab.context.clock.advance(3_600_000);
    const { productionIds, state } = await lab.value<Demand>('fetchDemand', TEXAS, { demandId });
    expect(state).toBe('produced');
    const parameters = { productionId: productionIds[0]! };
    const production = await lab.value<Production>('fetchProduction', TEXAS, parameters);
    expect(production.files.find(({ name }) => name === 'call-records-0001.csv')).toMatchObject({ records: 30 });
    expect(
      (await lab.call('fetchProductionFile', TEXAS, { parameters: { ...parameters, name: 'SHA256SUMS' } })).kind,
    ).toBe('file');
    lab.context.clock.advance(86_400_000);
    await lab.run('demands.supplements');
    await lab.produce();
    await lab.run('demands.expiry');
    expect(await lab.refusal('fetchProductionFile', TEXAS, { ...parameters, name: 'SHA256SUMS' })).toBe('gone');
    const { receipts } = await lab.value<{ receipts: unknown[] }>('listProductionReceipts', STAFF, parameters);
    expect(receipts).toHaveLength(1);
    const { items } = await lab.value<{ items: Demand[] }>('listDemands', TEXAS);
    expect(items.map((one) => one.productionIds.length)).toEqual([2]);
    await lab.value('withdrawDemand', TEXAS, { demandId }, { reason: 'Settled.' });
    await lab.run('demands.holds');
    expect(lab.holds.has(demandId)).toBe(false);
  });
});
